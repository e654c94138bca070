"""What there is to say of rows of scores, by overview.cpp. Only where `build.ready()`."""

from __future__ import annotations

import torch
from torch import Tensor


def overview(scores: Tensor, count: int) -> Tensor:
    """Of scores [rows, vocab] in fp32 on the CPU, a row [2 + 2·count] in float64 each.

    The logarithm of the sum of all weights, where the best one's is 1; the entropy in nats; the `count` likeliest ids,
    of equal ones the first first; and their probabilities. All NaN where a row has no finite best.
    """
    overview_values: Tensor = torch.ops.playground.overview(scores, count)
    return overview_values
