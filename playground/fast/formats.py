"""How the fast path stores a weight matrix: as it is, in 8 bits, or in 4 bits.

One token at a time, a CPU spends its time reading weights, so fewer bytes are fewer milliseconds. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from playground.kernels import build, int8_groups
from playground.kernels import int4 as kernel
from playground.models.weight_grids import Grid

GROUP = kernel.GROUP  # weights that share a scale and an offset, as in GGUF's Q4_1
_INNER_K_TILES = 2
# Mean distance from the nearest of 16 values, in steps: 0.003 where a layer came from 4 bits and was stored as bf16,
# 0.23 where its values lie anywhere.
_GRID_TOLERANCE = 0.05

_UP = 1 + 2.0**-8  # what rounding to bf16 may take away, and half of it again

Make = Callable[[Tensor, Tensor | None, Grid | None], nn.Module]
"""Packs a weight [out, in] with its bias [out], and the grid on which the weight lies where that is known."""


class Int4Linear(nn.Module):
    """weight ≈ (q − 8)·scale + zero in groups of 32 along the input; x [..., in] → [..., out], computed in bf16."""

    blocks: Tensor

    def __init__(self, codes: Tensor, scale: Tensor, zero: Tensor) -> None:
        super().__init__()
        self.register_buffer("blocks", kernel.pack(codes, scale, zero))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        out = kernel.product(rows, self.blocks)
        return out.view(*x.shape[:-1], -1).to(x.dtype)


class TorchInt4Linear(nn.Module):
    """The same by torch's own product, where ours does not run."""

    codes: Tensor
    grid: Tensor

    def __init__(self, codes: Tensor, scale: Tensor, zero: Tensor) -> None:
        super().__init__()
        self.out_features = codes.shape[0]
        self.register_buffer("codes", torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, _INNER_K_TILES))
        grid = torch.stack((scale, zero), dim=-1).transpose(0, 1)
        self.register_buffer("grid", grid.contiguous().to(torch.bfloat16))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.codes, GROUP, self.grid)
        return out.view(*x.shape[:-1], self.out_features).to(x.dtype)


class Int8Linear(nn.Module):
    """weight ≈ q·scale with one scale an output; x [..., in] → [..., out], computed in bf16."""

    codes: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        # The scale is rounded first, and upwards: rounded behind the codes it would shift a whole output.
        scale = (weight.abs().amax(dim=1).clamp(min=1e-12) / 127 * _UP).to(torch.bfloat16)
        self.register_buffer("codes", (weight / scale.float()[:, None]).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        out = torch._weight_int8pack_mm(rows, self.codes, self.scale)
        return out.view(*x.shape[:-1], -1).to(x.dtype)


class Int8GroupsLinear(nn.Module):
    """weight = q·scale + zero with a scale for every 16 inputs; x [..., in] → [..., out], computed in bf16."""

    blocks: Tensor

    def __init__(self, codes: Tensor, scale: Tensor, zero: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("blocks", int8_groups.pack(codes, scale, zero))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        out = int8_groups.product(rows, self.blocks)
        return out.view(*x.shape[:-1], -1).to(x.dtype)


class _WithBias(nn.Module):
    bias: Tensor

    def __init__(self, inner: nn.Module, bias: Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.inner(x)
        return out + self.bias


def on_a_grid(weight: Tensor) -> bool:
    """Whether these values [out, in] came from 4 bits: in every group they are 16 steps apart at most."""
    if not _fits(weight):
        return False
    exact, _, _ = _steps(weight)
    return float((exact - exact.round()).abs().mean()) <= _GRID_TOLERANCE


def auto(weight: Tensor, bias: Tensor | None, grid: Grid | None = None) -> nn.Module:
    """As many bits as the weights came from, so that nothing is rounded twice: four or eight. Eight elsewhere."""
    if grid is not None and _fits(weight):
        if grid.bits == 4:
            return int4(weight, bias, grid)
        if build.available():
            return _biased(_in_groups(weight, grid), bias)
    return int4(weight, bias) if on_a_grid(weight) else int8(weight, bias)


def int8(weight: Tensor, bias: Tensor | None, grid: Grid | None = None) -> nn.Module:
    return _biased(Int8Linear(weight.float()), bias)


def int4(weight: Tensor, bias: Tensor | None, grid: Grid | None = None) -> nn.Module:
    """The codes that the weights came from; elsewhere the nearest of 16 values between a group's lowest and highest.
    Eight bits where a matrix cannot be cut in groups."""
    if not _fits(weight):
        return int8(weight, bias)
    if grid is not None and grid.bits == 4:
        scale, low = (one.float()[..., None] for one in (grid.scale, _low(grid)))
        exact = _codes(weight, scale, low)
    else:
        exact, scale, low = _steps(weight)
    codes = exact.round().clamp(0, 15).to(torch.int32).view(weight.shape)
    linear = Int4Linear if build.available() else TorchInt4Linear
    return _biased(linear(codes, scale.squeeze(-1), (low + 8 * scale).squeeze(-1)), bias)


def dense(weight: Tensor, bias: Tensor | None, grid: Grid | None = None) -> nn.Module:
    """As it is: x [..., in] → [..., out] in the weights' own type."""
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        made.bias = nn.Parameter(bias, requires_grad=False)
    return made


FORMATS: dict[str, Make] = {"auto": auto, "int8": int8, "int4": int4, "dense": dense}


def _fits(weight: Tensor) -> bool:
    return weight.shape[1] % GROUP == 0 and weight.shape[0] % 16 == 0


def _steps(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Values in steps above their group's lowest [out, groups, 32], the step and the lowest [out, groups, 1]."""
    groups = weight.float().view(weight.shape[0], -1, GROUP)
    low = groups.amin(dim=-1, keepdim=True)
    scale = ((groups.amax(dim=-1, keepdim=True) - low) / 15).clamp(min=1e-12)
    return (groups - low) / scale, scale, low


def _in_groups(weight: Tensor, grid: Grid) -> Int8GroupsLinear:
    """The codes of a grid in 8 bits. One with a lowest value has codes from 0 on, one without has them around 0."""
    low = None if grid.low is None else grid.low.float()[..., None]
    scale = grid.scale.float()[..., None]
    codes = _codes(weight, scale, low).round().clamp(-128, 127).to(torch.int8).view(weight.shape)
    step = grid.scale.repeat_interleave(grid.group // int8_groups.STEP, dim=1)
    return Int8GroupsLinear(codes, step, None if grid.low is None else grid.low[:, :: int8_groups.GROUP // grid.group])


def _codes(weight: Tensor, scale: Tensor, low: Tensor | None) -> Tensor:
    """Values in steps above the lowest, [out, groups, group]. A group whose step is 0 has one value only."""
    groups = weight.float().view(weight.shape[0], scale.shape[1], -1)
    return (groups if low is None else groups - low) / torch.where(scale == 0, 1.0, scale)


def _low(grid: Grid) -> Tensor:
    return torch.zeros_like(grid.scale) if grid.low is None else grid.low


def _biased(inner: nn.Module, bias: Tensor | None) -> nn.Module:
    return inner if bias is None else _WithBias(inner, bias)
