"""The ends of a turn that a GGUF file names, which transformers does not read: its header, and nothing behind it.

Knows no tokenizer. The format is llama.cpp's, versions 2 and 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_NAMES = tuple(f"tokenizer.ggml.{name}_token_id" for name in ("eot", "eom", "eos"))
_SIZES = (1, 1, 2, 2, 4, 4, 4, 1, None, None, 8, 8, 8)  # bytes by type; a string and an array have none
_STRING, _ARRAY = 8, 9
_WHOLE = {4: "<I", 5: "<i", 10: "<Q", 11: "<q"}
_LARGEST = 1 << 40  # no file that fits anywhere has more of anything


def turn_ends(file: Path) -> tuple[int, ...]:
    """The ids that end a turn, as the file has them; none where its header cannot be read."""
    try:
        with file.open("rb") as opened:
            found = _header(opened)
    except (OSError, ValueError, struct.error, IndexError):
        return ()  # reading its weights reports what is wrong with it
    return tuple(dict.fromkeys(found[name] for name in _NAMES if name in found))


def _header(file: BinaryIO) -> dict[str, int]:
    magic, version, _, count = struct.unpack("<4sIQQ", _read(file, 24))
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError
    found = {}
    for _ in range(count):
        name = _read(file, _length(file)).decode()
        kind = _number(file)
        if name in _NAMES and kind in _WHOLE:
            form = _WHOLE[kind]
            (value,) = struct.unpack(form, _read(file, struct.calcsize(form)))
            if value >= 0:
                found[name] = value
        else:
            _skip(file, kind)
    return found


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        file.seek(_length(file), 1)
        return
    if kind != _ARRAY:
        file.seek(_SIZES[kind] or 0, 1)
        return
    kind, count = _number(file), _length(file)
    size = _SIZES[kind]
    if size is not None:
        file.seek(size * count, 1)
    elif kind == _STRING:
        for _ in range(count):
            file.seek(_length(file), 1)
    else:
        raise ValueError  # arrays of arrays are not written


def _number(file: BinaryIO) -> int:
    return int.from_bytes(_read(file, 4), "little")


def _length(file: BinaryIO) -> int:
    length = int.from_bytes(_read(file, 8), "little")
    if length > _LARGEST:
        raise ValueError
    return length


def _read(file: BinaryIO, size: int) -> bytes:
    if size > 1 << 24:
        raise ValueError
    got = file.read(size)
    if len(got) < size:
        raise ValueError
    return got
