"""What the hub says of a model before anything is downloaded: the sizes of its files, and its configuration."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download

from playground.models import failures, hub, hub_cache, whereabouts

_SMALL = ("config.json",)


@dataclass(frozen=True, slots=True)
class HubDetails:
    """`download` is bytes that would be fetched; `folder` holds the configuration alone, and goes with the context."""

    download: int
    weights: int
    folder: Path | None


@contextmanager
def details(name: str, *, code: bool = False) -> Iterator[HubDetails | None]:
    """None where the hub is not reached, or the name is none of the hub's. Raises ModelError for what it refuses."""
    if not whereabouts.may_be_on_hub(name) or not hub.reachable():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="playground-config-") as place:
        with failures.explained(name):
            found = HfApi(endpoint=constants.ENDPOINT).model_info(name, files_metadata=True, timeout=20)
            sizes = {file.rfilename: file.size or 0 for file in found.siblings or []}
            wanted = hub_cache.choose(list(sizes), code)
            weights = sum(sizes[file] for file in wanted if hub_cache.is_weights(file))
            for file in [*_SMALL, *(one for one in wanted if code and one.endswith(".py"))]:
                if file in sizes:
                    hf_hub_download(name, file, local_dir=place, endpoint=constants.ENDPOINT)
        here = Path(place)
        folder = here if (here / "config.json").is_file() else None
        yield HubDetails(sum(sizes[file] for file in wanted), weights, folder)
