"""Whether the files of a model's weights are all there and as long as they say, before anything is loaded from them.

Reads the beginnings of files. Knows no torch; every failure is one sentence that names the file.
"""

from __future__ import annotations

import json
from pathlib import Path

from playground.models import file_failures, gguf_header, hub_cache
from playground.models.side_files import is_pointer

_LONGEST_HEAD = 100_000_000  # bytes of a safetensors header, as the library itself bounds it


def check(name: str, folder: Path, gguf: str | None) -> None:
    """Raises ModelError for a file that is missing or cut off, for a pointer to a file that was not fetched, for a part
    of a model, and for what is no weights."""
    if gguf is not None:
        _check_beginning(name, folder / gguf)
        _check_gguf(name, folder / gguf)
        return
    _check_shards(name, folder)
    for file in hub_cache.choose([path.name for path in folder.iterdir()]):
        if hub_cache.is_weights(file):
            _check_beginning(name, folder / file)
            if file.endswith(".safetensors"):
                _check_length(name, folder / file)


def _check_shards(name: str, folder: Path) -> None:
    index = hub_cache.index(folder)
    if index is None:
        return
    try:
        shards = {str(file) for file in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
    except (OSError, ValueError, KeyError, AttributeError, RecursionError):
        raise file_failures.unreadable_file(name, index.name) from None
    missing = sorted(shard for shard in shards if not (folder / shard).is_file())
    if any(shard != Path(shard).name or not hub_cache.is_weights(shard) for shard in shards):
        raise file_failures.unreadable_file(name, index.name)
    if missing:
        raise file_failures.parts_missing(name, len(shards), missing)


def _check_beginning(name: str, file: Path) -> None:
    if is_pointer(file):
        raise file_failures.only_a_pointer(name, file.name)
    if not file.stat().st_size:
        raise file_failures.cut_off(name, file.name, 0, 0)


def _check_gguf(name: str, file: Path) -> None:
    try:
        head = gguf_header.read(file)
    except ValueError:
        raise file_failures.unreadable_file(name, file.name) from None
    if head is not None and head.part is not None:
        raise file_failures.half_split(name, *head.part)
    size = file.stat().st_size
    if head is not None and size < head.size:
        raise file_failures.cut_off(name, file.name, size, head.size)


def _check_length(name: str, file: Path) -> None:
    """A safetensors file: 8 bytes with the length of its header, the header as JSON, and the tensors that it lists.

    The format: https://github.com/huggingface/safetensors#format
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > _LONGEST_HEAD:
            raise file_failures.unreadable_file(name, file.name)
        head = opened.read(length)
    if len(head) < length:
        raise file_failures.cut_off(name, file.name, size, 8 + length)
    try:
        ends = [told["data_offsets"][1] for tensor, told in json.loads(head).items() if tensor != "__metadata__"]
        wanted = 8 + length + max(ends, default=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise file_failures.unreadable_file(name, file.name) from None
    if size < wanted:
        raise file_failures.cut_off(name, file.name, size, wanted)
