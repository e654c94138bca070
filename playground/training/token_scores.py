"""How well a model foresees examples: the loss of each learned token, and whether it was the likeliest.

The loss of several texts is the mean over their tokens, not over their batches. Knows no trainer and no file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.training.row_batches import IGNORED

_PIECE = 1 << 26  # numbers of scores that are turned into log-probabilities at once


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Of `tokens` learned ones: the sum of their losses (nats), and how many were the likeliest token there."""

    loss_sum: float
    right: int
    tokens: int

    @property
    def loss(self) -> float:
        return self.loss_sum / self.tokens if self.tokens else math.nan

    @property
    def accuracy(self) -> float:
        return self.right / self.tokens if self.tokens else math.nan

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.loss, 700.0)) if self.tokens else math.nan

    def __add__(self, other: TokenScores) -> TokenScores:
        return TokenScores(self.loss_sum + other.loss_sum, self.right + other.right, self.tokens + other.tokens)


@torch.no_grad()
def batch_scores(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Of each row of the batch the sum of its losses, its right tokens and its tokens, [rows, 3] in fp64."""
    labels = batch["labels"]
    given: dict[str, Any] = {name: value for name, value in batch.items() if name != "labels"}
    if "position_ids" in batch:  # with a cache transformers takes no row for several packed texts
        given["use_cache"] = False
    scores = model(**given).logits
    follow = labels[:, 1:]
    found = torch.zeros(labels.shape[0], 3, dtype=torch.float64, device=labels.device)
    step = max(1, _PIECE // scores.shape[-1])
    for row in range(labels.shape[0]):
        places = (follow[row] != IGNORED).nonzero()[:, 0]
        for piece in places.split(step):
            wanted = follow[row, piece].to(scores.device)
            own = scores[row, piece.to(scores.device)].float()
            logprobs = torch.log_softmax(own, dim=-1).gather(-1, wanted[:, None])[:, 0]
            found[row, 0] -= logprobs.double().sum().to(found.device)
            found[row, 1] += (own.argmax(dim=-1) == wanted).sum().to(found.device)
            found[row, 2] += len(piece)
    return found


def summed(rows: Tensor) -> TokenScores:
    """The scores of all rows [rows, 3] together."""
    loss, right, tokens = rows.sum(dim=0).tolist()
    return TokenScores(loss, int(right), int(tokens))
