"""What the model hub's cache on this machine holds, and which of a model's files matter.

Reads folders only: no connection, and no hub library beyond the place of its cache, so that lists are made at once.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from huggingface_hub import constants

_WEIGHTS = re.compile(r"(model|pytorch_model)(-\d+-of-\d+)?\.(safetensors|bin)")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SIDE_FILES = (".json", ".txt", ".model", ".jinja", ".tiktoken")


def cached(name: str) -> Path | None:
    """The folder of a model that is in the hub's cache with all its weights, else None."""
    folder = configured(name)
    return folder if folder is not None and _has_weights(folder) else None


def configured(name: str) -> Path | None:
    """The folder of a model whose configuration is in the hub's cache, with weights or without, else None."""
    repository = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    folder = repository / "snapshots" / commit
    return folder if (folder / "config.json").is_file() else None


def names() -> list[str]:
    """The ids of all models that have a place in the cache, whole or not."""
    found = sorted(Path(constants.HF_HUB_CACHE).glob("models--*"))
    return [place.name.removeprefix("models--").replace("--", "/") for place in found]


def is_weights(name: str) -> bool:
    """Whether a file of this name holds weights that transformers can load."""
    return _WEIGHTS.fullmatch(name) is not None


def weight_bytes(folder: Path) -> int:
    """Bytes of the weight files that would be loaded from this folder."""
    names = choose([path.name for path in folder.iterdir()])
    return sum((folder / name).stat().st_size for name in names if is_weights(name))


def choose(names: list[str], code: bool = False) -> list[str]:
    """Of a model's files, those that are needed: safetensors before pickled weights, nothing in subfolders."""
    weights = [name for name in names if is_weights(name)]
    safe = [name for name in weights if name.endswith(".safetensors")]
    sides = [
        name for name in names if "/" not in name and name.endswith((*_SIDE_FILES, ".py") if code else _SIDE_FILES)
    ]
    return sorted(sides) + sorted(safe or weights)


def index(folder: Path) -> Path | None:
    """The index file, which maps each tensor to its shard; None where the weights have no shards."""
    names = [path.name for path in folder.iterdir()]
    safe = any(name.endswith(".safetensors") for name in choose(names))
    wanted = [name for name in _INDEXES if name.startswith("model" if safe else "pytorch_model")]
    whole = "model.safetensors" if safe else "pytorch_model.bin"
    return next((folder / name for name in wanted if name in names and whole not in names), None)


def _has_weights(folder: Path) -> bool:
    for index in _INDEXES:
        if (folder / index).is_file():
            try:
                shards = set(json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values())
            except (ValueError, KeyError, AttributeError, RecursionError):
                return False
            if all((folder / shard).is_file() for shard in shards):
                return True
    return any((folder / name).is_file() for name in ("model.safetensors", "pytorch_model.bin"))
