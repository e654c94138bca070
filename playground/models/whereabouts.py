"""Whether a model's files are on this machine, and where: nothing is downloaded, converted or joined to find out."""

from __future__ import annotations

from pathlib import Path

from playground.models import embedded, hub_cache, recipes, sources
from playground.models.sources import Source
from playground.types import ModelError, Text


def here(name: str) -> Source | None:
    """The files of a model; None where they would have to be fetched, or are not as they should be."""
    given = name.strip()
    if given.lower() in sources.EMBEDDED_NAMES:
        return _embedded()
    path = Path(given).expanduser()
    try:
        if path.is_file() and path.suffix.lower() == ".gguf":
            return Source(given, path.stem, path.resolve().parent, "", path.name)
        if path.is_dir():
            return sources.find(given, _silent)
    except (ModelError, OSError):  # said when it is loaded
        return None
    recipe = recipes.find(given)
    if recipe is not None:
        whole = (recipe.folder / "config.json").is_file()
        return Source(recipe.id, recipe.title, recipe.folder, "") if whole else None
    folder = hub_cache.cached(given)
    return None if folder is None else Source(given, given, folder, folder.name[:12])


def may_be_on_hub(name: str) -> bool:
    """Whether a name has the form of a hub id, and no recipe has it."""
    given = name.strip()
    formed = sources.HUB_ID.fullmatch(given) is not None and not given.lower().endswith(".gguf")
    return formed and recipes.find(given) is None


def weight_bytes(folder: Path, gguf: str | None) -> int:
    """Bytes of the weight files; 0 where there are none."""
    return (folder / gguf).stat().st_size if gguf is not None else hub_cache.weight_bytes(folder)


def _embedded() -> Source | None:
    folder = embedded.folder()
    if (folder / "config.json").is_file():
        return Source(embedded.ID, embedded.TITLE, folder, "")
    file = embedded.gguf_file()
    return None if file is None else Source(embedded.ID, embedded.TITLE, file.parent, "", file.name)


def _silent(stage: Text, share: float | None) -> None:
    """Nobody waits for it."""
