"""What there is to say of rows of scores, by overview.cpp. Only where `build.ready()`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def overview(scores: Tensor, count: int) -> Tensor:
    """Of scores [rows, vocab] in fp32 on the CPU, a row [2 + 2·count] in float64 each.

    The logarithm of the sum of all weights, where the best one's is 1; the entropy in nats; the `count` likeliest ids,
    of equal ones the first first; and their probabilities. All NaN where a row has no finite best.
    """
    told: Tensor = torch.ops.playground.overview(scores, count)
    return told


def candidates(
    scores: np.ndarray, best: float, reaches: Sequence[float], share: float
) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Of scores [vocab] in float32, those that are less than a reach below the best: of `reaches` the first whose
    candidates weigh at least `share` of all.

    Gives ids and scores, the best first, the place of that reach, and what all weigh, where the best one weighs 1.
    """
    ids, found, place, total = torch.ops.playground.candidates(torch.from_numpy(scores), best, reaches, share)
    return ids.numpy(), found.numpy(), place, total
