"""The output matrix in 4 bits, with the scores that may matter multiplied once more by the weights themselves.

A whole vocabulary is the largest matrix of a small model, and in 4 bits it is read in a quarter of the time; but its
rows, once rounded, move the best scores more than all that bf16 does elsewhere. Knows no vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.fast.formats import Int4Linear, int4
from playground.kernels import int4 as kernel

NEAR = 13.0  # nats below the best of a row: what lies lower weighs little, and keeps the score of its rounded weights
MANY = 8  # rows from which torch's own product gains nothing: it is the work that takes time there, not the reading
_MOST = 8  # one score in so many may be taken twice; beyond that the weights are read whole at once


class OutputHead(nn.Module):
    """x [..., in] → scores [..., out]; `weight` [out, in] stays in memory anyway, as the model's own."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.rough = int4(weight, None)
        self._weight = weight
        self._own = isinstance(self.rough, Int4Linear) and weight.dtype == torch.bfloat16
        # Rounded to bf16, scores of a row are further from the weights' own than all that 4 bits do.
        self.dtype = torch.float32 if self._own else weight.dtype

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        return self._scores(rows).view(*x.shape[:-1], -1)

    def _scores(self, rows: Tensor) -> Tensor:
        if self._own:
            return kernel.scores(rows, self.rough.blocks, self._weight, NEAR)  # type: ignore[arg-type]
        if len(rows) < MANY:
            scores: Tensor = self.rough(rows)
            near = (scores >= scores.amax(dim=-1, keepdim=True) - NEAR).any(dim=0).nonzero()[:, 0]
            if len(near) * _MOST < scores.shape[-1]:
                return scores.index_copy_(1, near, nn.functional.linear(rows, self._weight.index_select(0, near)))
        return nn.functional.linear(rows, self._weight)
