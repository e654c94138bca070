"""Summaries of rows of scores, computed by overview.cpp. Only where `build.ready()`."""

from __future__ import annotations

import torch
from torch import Tensor


def overview(scores: Tensor, count: int) -> Tensor:
    """Of scores [rows, vocab] in fp32 on the CPU, a row [2 + 2·count] in float64 each.

    Its columns: ln Σ exp(score − best score); the Shannon entropy in nats; the `count` likeliest ids, lower ids first
    where scores are equal; and their probabilities. All NaN where a row has no finite best score.
    """
    told: Tensor = torch.ops.playground.overview(scores, count)
    return told
