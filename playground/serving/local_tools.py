"""What a pool of models works with on this machine: loading, estimating, downloading and counting what is free.

Everything that brings in torch is imported on the first use, so that the page is up before.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.models.download_progress import DownloadProgress
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving.loaded_models import LoadedModels
from playground.serving.model_switch import OpenChoice, Tools
from playground.settings import Settings


def local_tools(settings: Settings, models: LoadedModels, open_choice: OpenChoice) -> Tools:
    """For a server with these settings; `models` are those that it holds."""

    def room(choice: ModelChoice) -> int:
        from playground.models.free_memory import free_bytes

        free = free_bytes(dict(choice.max_memory) or None)
        cap = settings.model_memory
        return free if cap is None else max(0, min(free, cap - models.held))

    def estimate(choice: ModelChoice) -> MemoryEstimate:
        if choice.is_engine:
            return MemoryEstimate(0, 0, 0, 0, 0, 0, 0, 0, models.held, room(choice), "engine")
        from playground.generators.estimate import estimate as estimated

        fast = settings.path == "fast"
        return estimated(choice, fast=fast, free=room(choice), loaded_now=models.held)

    return Tools(open_choice, estimate, fetch, room, settings.model_memory)


def fetch(choice: ModelChoice, progress: Callable[[DownloadProgress], None]) -> None:
    """Downloads a hub model, or a recipe's file, that is not here; nothing is done where the hub is not reached or the
    name is none of its own, which is said when it is loaded."""
    if choice.is_engine:
        return
    from playground.models import download, hub, recipe_files, recipes, whereabouts

    recipe = recipes.find(choice.name)
    if recipe is not None:
        if whereabouts.here(choice.name) is None:
            recipe_files.fetch(recipe, progress)
    elif whereabouts.here(choice.name) is None and whereabouts.may_be_on_hub(choice.name) and hub.reachable():
        download.fetch(choice.name, progress, code=choice.trust_remote_code)
