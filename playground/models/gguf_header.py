"""The head of a GGUF file: its keys and its table of tensors as they stand there, and which part of how many it is.

After the format's public description in the ggml project (docs/gguf.md), versions 2 and 3, of either byte order. No
tensor is read, and no value beyond whole numbers.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

MAGIC = b"GGUF"
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a number by its type
_FORMATS = {2: "H", 3: "h", 4: "I", 5: "i", 10: "Q", 11: "q"}  # whole numbers that are looked at
_STRING, _ARRAY = 8, 9
_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """One line of the table: its bytes up to the offset, the offset from where the data begin, and its own length.

    `shape` is in torch's order, the innermost dimension last; `kind` is ggml's number of the type.
    """

    line: bytes
    offset: int
    size: int
    name: str
    shape: tuple[int, ...]
    kind: int


@dataclass(frozen=True, slots=True)
class Head:
    """`order` is struct's sign of the byte order; `keys` are the bytes of each key with its value, `numbers` the values
    that are whole numbers; the tensors' data begin at `start`."""

    order: str
    version: int
    keys: Mapping[str, bytes]
    numbers: Mapping[str, int]
    tensors: tuple[Tensor, ...]
    start: int

    @property
    def part(self) -> tuple[int, int] | None:
        """(number from 1, count) of a model in several files."""
        count = self.numbers.get("split.count", 0)
        return (self.numbers.get("split.no", 0) + 1, count) if count > 1 else None

    @property
    def alignment(self) -> int:
        return self.numbers.get("general.alignment") or _ALIGNMENT

    @property
    def size(self) -> int:
        """Bytes that the file has at least."""
        return self.start + max(one.offset + one.size for one in self.tensors) if self.tensors else 0


def read(path: Path) -> Head | None:
    """The head of a file; None for another version of the format. Raises ValueError where it is none, or cut off."""
    if not path.stat().st_size:
        raise ValueError("an empty file")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != MAGIC:
            raise ValueError("no GGUF file")
        try:
            return _Reader(data).head()
        except (struct.error, KeyError, OverflowError, IndexError) as error:
            raise ValueError("a damaged head") from error


def aligned(place: int, alignment: int) -> int:
    """The next place that is a multiple of the alignment."""
    return -(-place // alignment) * alignment


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._at, self._order = data, 4, "<"
        self._version = self._number("I")
        if self._version >= 1 << 16:
            self._order, self._at = ">", 4
            self._version = self._number("I")

    def head(self) -> Head | None:
        if self._version not in (2, 3):
            return None
        count, keys = self._number("Q"), self._number("Q")
        found: dict[str, bytes] = {}
        numbers: dict[str, int] = {}
        for _ in range(keys):
            begin = self._at
            name = self._text().decode("utf-8", "replace")
            value = self._value(self._number("I"))
            found[name] = self._data[begin : self._at]
            if value is not None:
                numbers[name] = value
        tensors = tuple(self._tensor() for _ in range(count))
        alignment = numbers.get("general.alignment") or _ALIGNMENT
        return Head(self._order, self._version, found, numbers, tensors, aligned(self._at, alignment))

    def _number(self, form: str) -> Any:
        found = struct.unpack_from(self._order + form, self._data, self._at)[0]
        self._at += struct.calcsize(form)
        return found

    def _text(self) -> bytes:
        length = self._number("Q")
        self._skip(length)
        return self._data[self._at - length : self._at]

    def _skip(self, length: int) -> None:
        self._at += length
        if self._at > len(self._data):
            raise IndexError("beyond the end of the file")

    def _value(self, kind: int) -> int | None:
        """A whole number, or None for whatever else stands there."""
        if kind == _STRING:
            self._text()
        elif kind == _ARRAY:
            within, count = self._number("I"), self._number("Q")
            if within in _WIDTHS:
                self._skip(_WIDTHS[within] * count)
            else:
                for _ in range(count):
                    self._value(within)
        elif kind in _FORMATS:
            return int(self._number(_FORMATS[kind]))
        else:
            self._skip(_WIDTHS[kind])
        return None

    def _tensor(self) -> Tensor:
        begin = self._at
        name = self._text().decode("utf-8", "replace")
        shape = [self._number("Q") for _ in range(self._number("I"))]
        kind = self._number("I")
        line = self._data[begin : self._at]
        return Tensor(line, self._number("Q"), _size(kind, prod(shape)), name, tuple(reversed(shape)), kind)


def _size(kind: int, elements: int) -> int:
    """Bytes of a tensor; 0 for a type that this version does not know."""
    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        return 0
    return elements // block * size
