"""The tensors of a GGUF file, read a few rows at a time, and the grid on which the values of its blocks lie.

Knows no model: names are the file's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO

import torch
from gguf import quants
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from torch import Tensor
from transformers.integrations.gguf.dequant import GGML_BLOCK, dequantize

from playground.models import gguf_header
from playground.models.weight_grids import Grid

_PLAIN = {
    GGMLQuantizationType.F32: torch.float32,
    GGMLQuantizationType.F16: torch.float16,
    GGMLQuantizationType.BF16: torch.bfloat16,
}
_AT_ONCE = 1 << 21  # elements that are unpacked together: some 40 MB with what lies between
_SAMPLED = 16  # places at which two matrices are compared
# Two roundings of one matrix differ by about 2^(1 - bits) of its values, by the bits that a value takes in the coarser
# of them: measured 0.073 for Q4_K beside Q6_K (4.5 bits) and 0.043 for Q5_0 beside Q8_0 (5.5 bits). Two matrices that
# were trained apart differ by about 1.4.
_SLACK, _LEAST, _MOST = 4.0, 0.004, 0.5


class GgufTensors:
    """The tensors of an open file by name. Raises ValueError for a version or a byte order that is not read here,
    and NotImplementedError for a type of numbers that nobody here unpacks."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        head = gguf_header.read(path)
        if head is None or head.order != "<":
            raise ValueError("another version of the format, or another byte order")
        self._file = file
        self._start = head.start
        self.by_name = {one.name: one for one in head.tensors}
        for one in head.tensors:
            if one.size == 0:
                raise ValueError(f"tensors of type {one.kind}")
        for kind in {one.kind for one in head.tensors}:
            _unpacked(torch.zeros((1, GGML_QUANT_SIZES[GGMLQuantizationType(kind)][1]), dtype=torch.uint8), kind)

    def raw(self, name: str) -> Iterator[Tensor]:
        """The bytes of a tensor as they lie there, uint8 [some rows, bytes of a row]."""
        one = self.by_name[name]
        rows, width = prod(one.shape[:-1]), one.shape[-1]
        size = one.size // rows
        step = max(1, _AT_ONCE // width)
        for first in range(0, rows, step):
            count = min(step, rows - first)
            yield self._read(one, first * size, count * size).view(count, size)

    def values(self, name: str) -> Iterator[Tensor]:
        """The same unpacked, fp32 [some rows, width]."""
        kind = self.by_name[name].kind
        for rows in self.raw(name):
            yield _unpacked(rows, kind)

    def whole(self, name: str) -> Tensor:
        """All of a tensor in fp32, in its own shape [rows, columns] or [values]."""
        return torch.cat(list(self.values(name))).view(self.by_name[name].shape)

    def bits(self, name: str) -> float:
        """Bits that a value takes."""
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(self.by_name[name].kind)]
        return 8 * size / block

    def same_matrix(self, one: str, other: str) -> bool:
        """Whether these are two roundings of one matrix: as near to each other as the coarser of them allows."""
        first, second = self.by_name[one], self.by_name[other]
        if first.shape != second.shape:
            return False
        rows = prod(first.shape[:-1])
        count = min(rows, max(1, _AT_ONCE // first.shape[-1] // _SAMPLED))
        apart = power = 0.0
        for place in range(_SAMPLED):
            at = (rows - count) * place // (_SAMPLED - 1)
            left, right = (self._some(tensor, at, count, rows) for tensor in (first, second))
            apart += float((left - right).square().sum())
            power += float(right.square().sum())
        allowed = min(_MOST, max(_LEAST, _SLACK * 2.0 ** -min(self.bits(one), self.bits(other))))
        return power > 0 and (apart / power) ** 0.5 <= allowed

    def grid(self, name: str) -> Grid | None:
        """The grid of a matrix whose blocks have one: of its rows in their order. None for other types."""
        kind = GGMLQuantizationType(self.by_name[name].kind)
        if kind not in _GRIDS or len(self.by_name[name].shape) != 2:
            return None
        bits, group, has_low = _GRIDS[kind]
        scales, lows = [], []
        for rows in self.raw(name):
            scale, low = _steps(rows.view(-1, GGML_QUANT_SIZES[kind][1]), kind)
            scales.append(scale.reshape(len(rows), -1).half())
            if low is not None:
                lows.append(low.reshape(len(rows), -1).half())
        return Grid(bits, group, torch.cat(scales), torch.cat(lows) if has_low else None)

    def _some(self, one: gguf_header.Tensor, first: int, count: int, rows: int) -> Tensor:
        size = one.size // rows
        return _unpacked(self._read(one, first * size, count * size).view(count, size), one.kind)

    def _read(self, one: gguf_header.Tensor, offset: int, size: int) -> Tensor:
        self._file.seek(self._start + one.offset + offset)
        data = bytearray(size)
        if self._file.readinto(data) < size:  # type: ignore[attr-defined]
            raise ValueError("a file that is cut off")
        return torch.frombuffer(data, dtype=torch.uint8)


def _unpacked(rows: Tensor, kind: int) -> Tensor:
    if kind in _PLAIN:
        return rows.view(_PLAIN[GGMLQuantizationType(kind)]).float()
    if kind in GGML_BLOCK:
        return dequantize(rows.reshape(-1), kind).view(len(rows), -1)
    return torch.from_numpy(quants.dequantize(rows.numpy(), GGMLQuantizationType(kind)))


# By type: the bits in which codes of this grid are kept, how many weights share a step, and whether there is a lowest
# value as well; without one, code 0 is 0. Q4_1 is left out: its groups reach from code 0 to code 15, so that its grid
# is seen in the values themselves.
_GRIDS = {
    GGMLQuantizationType.Q4_0: (4, 32, True),
    GGMLQuantizationType.Q4_K: (4, 32, True),
    GGMLQuantizationType.Q5_0: (8, 32, False),
    GGMLQuantizationType.Q5_1: (8, 32, True),
    GGMLQuantizationType.Q5_K: (8, 32, True),
    GGMLQuantizationType.Q6_K: (8, 16, False),
    GGMLQuantizationType.Q8_0: (8, 32, False),
}


def _steps(blocks: Tensor, kind: GGMLQuantizationType) -> tuple[Tensor, Tensor | None]:
    """The steps of each block's groups [blocks, groups], and the value of their code 0. The layouts of the blocks are
    those of ggml (ggml-common.h): two-byte floats, and 6-bit or 8-bit factors of them in the K types."""
    if kind in (GGMLQuantizationType.Q4_K, GGMLQuantizationType.Q5_K):
        factors = blocks[:, 4:16]
        high = factors[:, 8:]
        scale = torch.cat([factors[:, :4] & 63, (high & 15) | (factors[:, :4] >> 6 << 4)], dim=1)
        low = torch.cat([factors[:, 4:8] & 63, (high >> 4) | (factors[:, 4:8] >> 6 << 4)], dim=1)
        return _half(blocks, 0) * scale, -_half(blocks, 2) * low
    if kind == GGMLQuantizationType.Q6_K:
        return _half(blocks, 208) * blocks[:, 192:208].contiguous().view(torch.int8), None
    step = _half(blocks, 0)
    if kind == GGMLQuantizationType.Q5_1:
        return step, _half(blocks, 2)
    return step, -8 * step if kind == GGMLQuantizationType.Q4_0 else None


def _half(blocks: Tensor, start: int) -> Tensor:
    return blocks[:, start : start + 2].contiguous().view(torch.float16).float()
