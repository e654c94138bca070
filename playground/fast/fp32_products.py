"""Products of many rows with bf16 weights in fp32, for CPUs that have no instructions for bf16.

torch multiplies bf16 there value by value: at 7 to 14 GFLOP/s on two cores with AVX2, and fp32 at 59 to 104. Knows no
model and no slots.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

_FEW = 8  # rows up to which torch's own product is as quick
_BLOCK = 512  # outputs whose weights are widened at a time: they stay in the processor's cache


@cache
def bf16_is_slow() -> bool:
    """Whether torch has no quick product of bf16 on this machine's CPU."""
    return not torch.ops.mkldnn._is_mkldnn_bf16_supported()


def multiply_in_fp32(model: nn.Module) -> None:
    """Has every bf16 matrix of the model multiply in fp32, in place. The weights are shared and stay in bf16."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if (type(child) is nn.Linear or isinstance(child, Conv1D)) and child.weight.dtype == torch.bfloat16:
                setattr(parent, name, Fp32Linear(child))


class Fp32Linear(nn.Module):
    """x [..., in] → [..., out] in x's own type, as the matrix that it stands for gives it; sums are in fp32."""

    def __init__(self, module: nn.Linear | Conv1D) -> None:
        super().__init__()
        self.weight = module.weight
        self.bias = module.bias
        self._turned = isinstance(module, Conv1D)  # [in, out]

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.t() if self._turned else self.weight
        rows = x.reshape(-1, x.shape[-1])
        if len(rows) < _FEW:
            return functional.linear(x, weight, self.bias)
        wide, bias = rows.float(), None if self.bias is None else self.bias.float()
        found = torch.empty(len(rows), len(weight), dtype=x.dtype)
        buffer = torch.empty(min(_BLOCK, len(weight)), weight.shape[1])
        for start in range(0, len(weight), _BLOCK):
            part = weight[start : start + _BLOCK]
            block = buffer[: len(part)].copy_(part)
            own = None if bias is None else bias[start : start + _BLOCK]
            found[:, start : start + _BLOCK] = functional.linear(wide, block, own)
        return found.view(*x.shape[:-1], -1)
