"""The fast path on a CPU: the same model with its linear layers packed into 4 or 8 bits.

One token at a time, a CPU spends its time reading weights, so fewer bytes are fewer milliseconds. What comes out is
close to the exact path and not equal to it; a run says which path it took. Knows no request and no sampler.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

GROUP = 32  # weights that share a scale and an offset, as in GGUF's Q4_1
_INNER_K_TILES = 2
# Mean distance from the nearest of 16 values, in steps: 0.003 where a layer came from 4 bits and was stored as bf16,
# 0.23 where its values lie anywhere.
_GRID_TOLERANCE = 0.05


class Int4Linear(nn.Module):
    """weight ≈ (q − 8)·scale + zero in groups of 32 along the input; x [..., in] → [..., out], computed in bf16."""

    def __init__(self, codes: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor) -> None:
        super().__init__()
        self.out_features = codes.shape[0]
        self.register_buffer("codes", torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, _INNER_K_TILES))
        grid = torch.stack((scale, zero), dim=-1).transpose(0, 1)
        self.register_buffer("grid", grid.contiguous().to(torch.bfloat16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.codes, GROUP, self.grid)
        return out.view(*x.shape[:-1], self.out_features).to(x.dtype)


class Int8Linear(nn.Module):
    """weight ≈ q·scale with one scale an output; x [..., in] → [..., out], computed in bf16."""

    codes: torch.Tensor
    scale: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        self.register_buffer("codes", (weight / scale[:, None]).round().to(torch.int8))
        self.register_buffer("scale", scale.to(torch.bfloat16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        out = torch._weight_int8pack_mm(rows, self.codes, self.scale)
        return out.view(*x.shape[:-1], -1).to(x.dtype)


class _WithBias(nn.Module):
    bias: torch.Tensor

    def __init__(self, inner: nn.Module, bias: torch.Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("bias", bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.inner(x)
        return out + self.bias


def _four_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
    """Codes [out, in], scale and zero [out, in/32], where the weight lies on a grid of 16 values a group; else None."""
    rows, columns = weight.shape
    if columns % GROUP or rows % 16:
        return None
    groups = weight.view(rows, columns // GROUP, GROUP)
    low = groups.amin(dim=-1, keepdim=True)
    scale = ((groups.amax(dim=-1, keepdim=True) - low) / 15).clamp(min=1e-12)
    exact = (groups - low) / scale
    codes = exact.round()
    if float((exact - codes).abs().mean()) > _GRID_TOLERANCE:
        return None
    return codes.to(torch.int32).view(rows, columns), scale.squeeze(-1), (low + 8 * scale).squeeze(-1)


def can_pack(model: Any) -> bool:
    """True where the whole model sits in CPU memory and has plain linear layers."""
    on_cpu = all(parameter.device.type == "cpu" for parameter in model.parameters())
    return on_cpu and any(type(module) is nn.Linear for module in model.modules())


def pack(model: Any) -> Any:
    """A second model whose linear layers are packed; everything else is shared with the first, not copied."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    packed = copy.deepcopy(model, memo=shared)
    for parent in list(packed.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                setattr(parent, name, _packed(child))
    return packed.eval().requires_grad_(False)


def _packed(linear: nn.Linear) -> nn.Module:
    weight = linear.weight.detach().float()
    four = _four_bits(weight)
    inner: nn.Module = Int8Linear(weight) if four is None else Int4Linear(*four)
    return inner if linear.bias is None else _WithBias(inner, linear.bias.detach())
