"""The output matrix in 4 bits, with the scores that may matter multiplied once more by the weights themselves.

A whole vocabulary is the largest matrix of a small model, and in 4 bits it is read in a quarter of the time; but its
rows, once rounded, move the best scores more than all that bf16 does elsewhere. Knows no vocabulary.
"""

from __future__ import annotations

from torch import Tensor, nn

from playground.fast.formats import int4

NEAR = 12.0  # nats below the best of a row: what lies lower weighs little, and keeps the score of its rounded weights
MANY = 8  # rows from which 4 bits gain nothing: then it is the work that takes time, not the reading
_MOST = 8  # one score in so many may be taken twice; beyond that the weights are read whole at once


class Head(nn.Module):
    """x [..., in] → scores [..., out]; `weight` [out, in] stays in memory anyway, as the model's own."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.rough = int4(weight, None)
        self._weight = weight

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        return self._scores(rows).view(*x.shape[:-1], -1)

    def _scores(self, rows: Tensor) -> Tensor:
        if len(rows) < MANY:
            scores: Tensor = self.rough(rows)
            near = (scores >= scores.amax(dim=-1, keepdim=True) - NEAR).any(dim=0).nonzero()[:, 0]
            if len(near) * _MOST < scores.shape[-1]:
                return scores.index_copy_(1, near, nn.functional.linear(rows, self._weight.index_select(0, near)))
        return nn.functional.linear(rows, self._weight)
