"""Products with weights in 4 bits, by int4.cpp. Only where `build.available()`."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

GROUP = 32  # inputs that share a scale and an offset, as in GGUF's Q4_1
_OUTPUTS = 16


def pack(codes: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    """Packs codes [out, in] from 0 to 15, and scale and zero [out, in / 32], where weight = (code − 8) · scale + zero.

    The result, uint8 [out / 16, in / 32, 320], has the layout that int4.cpp describes; scale and zero are fp16 there.
    """
    describe()
    out, inputs = codes.shape
    outputs, groups = out // _OUTPUTS, inputs // GROUP
    nibbles = codes.to(torch.int32).view(outputs, _OUTPUTS, groups, 4, 4, 2)
    words = sum((nibbles[:, :, :, :, code] << (4 * code) for code in range(1, 4)), nibbles[:, :, :, :, 0])
    packed = words.permute(0, 2, 3, 1, 4).to(torch.uint16).contiguous().view(torch.uint8)
    grid = [
        one.view(outputs, _OUTPUTS, groups).transpose(1, 2).half().contiguous().view(torch.uint8)
        for one in (scale, zero)
    ]
    return torch.cat([packed.view(outputs, groups, -1), *grid], dim=-1)


def product(x: Tensor, blocks: Tensor) -> Tensor:
    """x [rows, in] in bf16 times what `pack` made, [rows, out] in bf16, summed in fp32."""
    made: Tensor = torch.ops.playground.int4_product(x, blocks, blocks.shape[0] * _OUTPUTS)
    return made


def scores(x: Tensor, blocks: Tensor, weights: Tensor, near: float) -> Tensor:
    """The same in fp32, [rows, out], with those within `near` of a row's best taken from bf16 weights [out, in]."""
    made: Tensor = torch.ops.playground.int4_scores(x, blocks, weights, near)
    return made


@functools.cache
def describe() -> None:
    """Registers the shape of the product [rows, out], which torch.compile asks for."""
    torch.library.register_fake("playground::int4_product", _shape_of_product)


def _shape_of_product(x: Tensor, blocks: Tensor, n: int) -> Tensor:
    return x.new_empty(x.shape[0], n)
