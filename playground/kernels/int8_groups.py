"""Products with weights in 8 bits and a step for every 16 inputs, by int8_groups.cpp, where `build.available()`."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

GROUP = 32  # inputs that share a zero
STEP = 16  # inputs that share a step, as in GGUF's Q6_K
OUTPUTS = 16


def pack(codes: Tensor, step: Tensor, zero: Tensor | None) -> Tensor:
    """Packs codes [out, in] from -128 to 127, step [out, in / 16] and zero [out, in / 32], where
    weight = code · step + zero.

    The result, uint8 [out / 16, in / 32, 608], has the layout that int8_groups.cpp describes.
    """
    describe()
    out, inputs = codes.shape
    outputs, groups = out // OUTPUTS, inputs // GROUP
    pairs = codes.to(torch.int8).view(outputs, OUTPUTS, groups, GROUP // 2, 2).permute(0, 2, 3, 1, 4)
    steps = step.half().view(outputs, OUTPUTS, groups, GROUP // STEP).permute(0, 2, 3, 1)
    zeros = torch.zeros(out, groups) if zero is None else zero
    zeros = zeros.half().view(outputs, OUTPUTS, groups).transpose(1, 2)
    parts = [one.contiguous().view(torch.uint8).view(outputs, groups, -1) for one in (pairs, steps, zeros)]
    return torch.cat(parts, dim=-1)


def product(x: Tensor, blocks: Tensor) -> Tensor:
    """x [rows, in] in bf16 times what `pack` made, [rows, out] in bf16, summed in fp32."""
    made: Tensor = torch.ops.playground.int8_groups_product(x, blocks, blocks.shape[0] * OUTPUTS)
    return made


@functools.cache
def describe() -> None:
    """Registers the shape of the product [rows, out], which torch.compile asks for."""
    torch.library.register_fake("playground::int8_groups_product", _shape_of_product)


def _shape_of_product(x: Tensor, blocks: Tensor, n: int) -> Tensor:
    return x.new_empty(x.shape[0], n)
