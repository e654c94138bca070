"""A model's matrices in a packed format, with those that read the same input made one: q, k and v; gate and up.

Each multiplication costs a start as well as its work, so few large ones are quicker. Knows no format by name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from playground.fast.formats import Make, dense
from playground.fast.output_head import OutputHead
from playground.models import weight_grids
from playground.models.weight_grids import Grid

_TOGETHER = ("q_proj", "k_proj", "v_proj")  # a layer asks for them in this order
_GATED = ("gate_proj", "up_proj", "down_proj")


def pack(model: Any, make: Make) -> None:
    """Every matrix of the model replaced, in place."""
    head: Any = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    for module in list(model.modules()):
        if all(_plain(getattr(module, name, None)) for name in _TOGETHER):
            _fuse_attention(module, make)
        if all(_plain(getattr(module, name, None)) for name in _GATED) and hasattr(module, "act_fn"):
            _fuse_gate(module, make)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if _plain(child) or isinstance(child, Conv1D):
                large = child is head and make is not dense and child.bias is None
                setattr(parent, name, OutputHead(child.weight.detach()) if large else make(*_matrix(child)))


class _Shared:
    """The product of one layer's fused matrix, on its way from the first part to the last."""

    product: Tensor | None = None


class _Part(nn.Module):
    """One of several matrices that were made one. The first multiplies for all of them; the last lets go."""

    def __init__(self, shared: _Shared, whole: nn.Module | None, start: int, size: int, *, last: bool) -> None:
        super().__init__()
        self.whole = whole
        self._shared = shared
        self._span = slice(start, start + size)
        self._last = last

    def forward(self, x: Tensor) -> Tensor:
        product = self._shared.product if self.whole is None else self.whole(x)
        self._shared.product = None if self._last else product
        assert product is not None
        part: Tensor = product[..., self._span]
        return part


class _Gated(nn.Module):
    """down(act(gate(x)) · up(x)), with gate and up in one."""

    def __init__(self, both: nn.Module, down: nn.Module, act: Any) -> None:
        super().__init__()
        self.both = both
        self.down = down
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.both(x).chunk(2, dim=-1)
        mixed: Tensor = self.down(self.act(gate) * up)
        return mixed


def _fuse_attention(module: Any, make: Make) -> None:
    parts = [getattr(module, name) for name in _TOGETHER]
    whole = make(*_joined(parts))
    shared, start = _Shared(), 0
    for name, part in zip(_TOGETHER, parts, strict=True):
        size = part.weight.shape[0]
        first, last = name == _TOGETHER[0], name == _TOGETHER[-1]
        setattr(module, name, _Part(shared, whole if first else None, start, size, last=last))
        start += size


def _fuse_gate(module: Any, make: Make) -> None:
    gate, up, down = (getattr(module, name) for name in _GATED)
    fused = _Gated(make(*_joined([gate, up])), make(*_matrix(down)), module.act_fn)
    for name in _GATED:
        delattr(module, name)
    module.fused = fused
    module.forward = fused.forward


def _joined(parts: list[Any]) -> tuple[Tensor, Tensor | None, Grid | None]:
    matrices = [_matrix(part) for part in parts]
    biases = [bias for _, bias, _ in matrices if bias is not None]
    grid = weight_grids.joined([grid for _, _, grid in matrices])
    return torch.cat([weight for weight, _, _ in matrices]), torch.cat(biases) if biases else None, grid


def _matrix(module: Any) -> tuple[Tensor, Tensor | None, Grid | None]:
    """Weight [out, in], bias [out] and the weight's grid; transformers' Conv1D has its weight the other way round."""
    weight = module.weight.detach()
    bias = None if module.bias is None else module.bias.detach()
    if isinstance(module, Conv1D):
        return weight.t().contiguous(), bias, None
    return weight, bias, weight_grids.of(module.weight)


def _plain(module: Any) -> bool:
    return type(module) is nn.Linear
