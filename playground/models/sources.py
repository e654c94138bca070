"""From what a person typed (nothing, a name, a hub id, a folder, a GGUF file) to files on this machine.

Knows no torch, and nothing of what is done with the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playground.models import (
    embedded,
    failures,
    file_failures,
    hub,
    hub_cache,
    recipe_files,
    recipes,
    split_gguf,
)
from playground.types import ProgressReport, Text

EMBEDDED_NAMES = frozenset({embedded.ID, embedded.TITLE.lower(), "embedded"})
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's files are. `gguf` is the file's name inside `folder` where the weights come from one.

    `turn_ends` are the ids that end a turn, as the file named them from which the folder was converted.
    """

    id: str
    title: str
    folder: Path
    revision: str
    gguf: str | None = None
    turn_ends: tuple[int, ...] = ()


def find(model: str | None, report: ProgressReport, *, code: bool = False) -> Source:
    """The files of a model, downloaded or converted first if they are not here. Raises ModelError.

    A folder or file of that name comes before a hub id; the hub is asked only for what is not on this machine.
    """
    name = (model or embedded.ID).strip()
    if name.lower() in EMBEDDED_NAMES:
        return _embedded(report)
    path = Path(name).expanduser()
    if path.is_file():
        if path.suffix.lower() != ".gguf":
            raise failures.no_weights(name)
        return _gguf(name, path, report)
    if path.is_dir():
        return _folder(name, path.resolve(), report)
    if any(part.is_file() for part in split_gguf.parts(path)):
        return _gguf(name, path, report)  # which says what is missing
    recipe = recipes.find(name)
    if recipe is not None:
        made = recipe_files.ensure(recipe, report)
        return Source(recipe.id, recipe.title, made, f"{recipe.format} {recipe.sha256[:12]}")
    if not HUB_ID.fullmatch(name) or name.lower().endswith(".gguf"):
        raise failures.no_file(name)
    return _from_hub(name, name, report, code)


def _embedded(report: ProgressReport) -> Source:
    if embedded.available():
        folder = embedded.ensure(report)
        return Source(embedded.ID, embedded.TITLE, folder, f"Q4_1 {embedded.GGUF_SHA256[:12]}")
    if hub_cache.cached(embedded.HUB_ID) is None and not hub.reachable():
        raise embedded.missing()
    report(
        Text(
            "The embedded model's package is missing; taking the hub's copy", "缺少内置模型软件包，改用模型库中的副本"
        ),
        None,
    )
    return _from_hub(embedded.HUB_ID, embedded.TITLE, report, code=False)


def _folder(name: str, folder: Path, report: ProgressReport) -> Source:
    if (folder / "config.json").is_file():
        if not any(map(hub_cache.is_weights, (path.name for path in folder.iterdir()))):
            raise failures.no_weights(name)
        return Source(name, folder.name, folder, "local folder")
    if any(map(hub_cache.is_weights, (path.name for path in folder.iterdir()))):
        raise file_failures.no_configuration(name)
    files = sorted(folder.glob("*.gguf"))
    if split_gguf.is_one_model(files):
        return _gguf(name, files[0], report)
    raise failures.several_models(name, [file.name for file in files]) if files else failures.no_weights(name)


def _gguf(name: str, path: Path, report: ProgressReport) -> Source:
    """A GGUF file, joined first where it is one part of several."""
    file = split_gguf.whole(path.resolve(), report)
    return Source(name, split_gguf.stem(path), file.parent, "local file", file.name)


def _from_hub(name: str, title: str, report: ProgressReport, code: bool) -> Source:
    folder = hub_cache.cached(name)
    if folder is None:
        if not hub.reachable():
            raise failures.no_network(name)
        folder = hub.download(name, report, code=code)
    return Source(name, title, folder, folder.name[:12])
