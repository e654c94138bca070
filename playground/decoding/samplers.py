"""The samplers that transformers lacks: those that bend, cut or steer the distribution of one row.

The chain finds here, by name, whatever a parameter's record calls its processor; what is not here it takes from
transformers. Every sampler turns `scores` [1, vocabulary] into new ones and leaves tokens at −∞ where they are.
Knows no request and no model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.decoding.field import LOOSE, STRICT, TINY, Field, Unsure
from playground.decoding.form import form
from playground.decoding.repetition import DRY, FrequencyPenalty, PresencePenalty, repetition_penalty
from playground.decoding.wrapped import (
    ExponentialDecay,
    Watermark,
    bad_words,
    ignore_eos,
    logit_bias,
    temperature_warper,
)

__all__ = [
    "DRY",
    "XTC",
    "AdaptiveP",
    "DynamicTemperature",
    "ExponentialDecay",
    "FrequencyPenalty",
    "Mirostat",
    "PresencePenalty",
    "QuadraticSmoothing",
    "TailFree",
    "TopA",
    "TopNSigma",
    "Watermark",
    "bad_words",
    "form",
    "ignore_eos",
    "logit_bias",
    "repetition_penalty",
    "temperature_warper",
]

COLDEST = 0.01
"""Dynamic temperature never falls below this: at 0 a division would leave no finite score."""


def _alive(scores: Tensor) -> Tensor:
    return torch.isfinite(scores)


def _cut(scores: Tensor, keep: Tensor, least: int) -> Tensor:
    """Everything outside `keep` to −∞, but never fewer than `least` of the best; −∞ itself is no candidate."""
    least = min(least, int(_alive(scores).sum()))
    if least and int((keep & _alive(scores)).sum()) < least:
        keep = keep.scatter(-1, scores.topk(least, dim=-1).indices, True)
    return scores.masked_fill(~keep, -math.inf)


class DynamicTemperature:
    """Temperature between `low` and `high` by how unsure the model is: T = lo + (hi − lo) · (H / ln n)^e."""

    def __init__(self, high: float, low: float, exponent: float) -> None:
        self.high, self.low, self.exponent = high, low, exponent

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        count = int(_alive(scores).sum())
        if count < 2:
            return scores
        chances = scores.softmax(dim=-1)
        entropy = float(torch.special.entr(chances).sum())
        unsure = min(max(entropy / math.log(count), 0.0), 1.0)
        return scores / max(self.low + (self.high - self.low) * unsure**self.exponent, COLDEST)


class QuadraticSmoothing:
    """Scores bent around the best: z' = z_max − k·f·d² + s·f·d³ with d = z − z_max."""

    def __init__(self, factor: float, curve: float) -> None:
        self.square = factor * (3 - curve) / 2
        self.cube = factor * (curve - 1) / 2

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        best = scores.max(dim=-1, keepdim=True).values
        below = scores - best
        bent = best - self.square * below**2 + self.cube * below**3
        return torch.where(_alive(scores), bent, scores)


class TopA:
    """Keeps p_i ≥ a · max(p)²."""

    def __init__(self, top_a: float, min_tokens_to_keep: int = 1) -> None:
        self.top_a, self.least = top_a, min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        chances = scores.softmax(dim=-1)
        return _cut(scores, chances >= self.top_a * chances.max() ** 2, self.least)

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        field.keep(field.best + math.log(self.top_a / field.total), LOOSE + field.error, self.least)


class TailFree:
    """Cuts where the running sum of the normalised |second difference| of the sorted probabilities exceeds z.

    The second difference over three neighbours belongs to the middle one, as in the original implementation; behind
    the last of them the sum is complete, so the last candidate always lies in the tail, unless the curve is straight.
    """

    def __init__(self, z: float, min_tokens_to_keep: int = 1) -> None:
        self.z, self.least = z, min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        count = int(_alive(scores).sum())
        ranked, places = scores.sort(dim=-1, descending=True, stable=True)
        bend = ranked[0, :count].softmax(dim=-1).diff().diff().abs()
        total = float(bend.sum())
        if self.z >= 1 or total == 0:  # an empty sum too: fewer than three candidates have no tail
            return scores
        tail = torch.ones_like(ranked, dtype=torch.bool)
        tail[0, 0] = False
        tail[0, 1 : count - 1] = (bend / total).cumsum(dim=-1) > self.z
        return _cut(scores, ~torch.zeros_like(tail).scatter(-1, places, tail), self.least)

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        while field.look():
            pass
        chances = field.weights / field.total
        bend = np.abs(np.diff(chances, n=2))
        if field.doubtful or float(bend.sum()) < TINY:
            raise Unsure
        sums = bend.cumsum() / bend.sum()
        off = LOOSE + TINY / float(bend.sum())  # a bend is a small difference of probabilities
        low, count, high = np.searchsorted(sums, [self.z - off, self.z, self.z + off], side="right").tolist()
        kept = max(low + 1, self.least), max(count + 1, self.least), max(high + 1, self.least)
        field.cut(lambda: kept, ties_stay=False)


class TopNSigma:
    """Keeps z_i ≥ max(z) − n · σ(z), with σ over finite scores only: after a cut-off it would be infinite otherwise."""

    def __init__(self, n: float, min_tokens_to_keep: int = 1) -> None:
        self.n, self.least = n, min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        finite = scores[_alive(scores)]
        if not len(finite):
            return scores
        return _cut(scores, scores >= finite.max() - self.n * finite.std(correction=0), self.least)

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        reach = self.n * field.deviation
        field.keep(field.best - reach, STRICT * (1 + abs(field.best) + reach), self.least)


class XTC:
    """With some probability drops every token with p ≥ t but the least likely of them.

    Nothing is dropped when that would hit the end of text or a line break, for those give a text its form. `coin` is
    this step's draw in [0, 1).
    """

    def __init__(
        self,
        probability: float,
        threshold: float,
        coin: Callable[[], float],
        tokenizer: Any,
        eos_token_id: list[int],
        min_tokens_to_keep: int = 1,
    ) -> None:
        self.probability, self.threshold, self.coin = probability, threshold, coin
        self.least = min_tokens_to_keep
        self.untouchable = [*eos_token_id, *tokenizer("\n", add_special_tokens=False).input_ids[-1:]]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self.coin() >= self.probability:
            return scores
        chances, places = scores.softmax(dim=-1).sort(dim=-1, descending=True, stable=True)
        drop = places[0, : max(int((chances >= self.threshold).sum()) - 1, 0)]
        left = int(_alive(scores).sum()) - len(drop)
        if left < self.least or bool(torch.isin(drop, drop.new_tensor(self.untouchable)).any()):
            return scores
        return scores.index_fill(-1, drop, -math.inf)

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        if self.coin() >= self.probability:
            return
        if self.threshold < TINY:
            raise Unsure
        limit = field.best + math.log(self.threshold * field.total)
        low, count, high = field.band(limit, LOOSE + field.error)
        while high >= len(field.ids) and field.look():
            low, count, high = field.band(limit, LOOSE + field.error)
        if low != high or high > field.sure:
            raise Unsure
        drop = max(count - 1, 0)
        if not drop or np.isin(field.ids[:drop], self.untouchable).any():
            return
        if field.alive - drop < self.least:
            return
        if field.scores[drop - 1] - field.scores[drop] < STRICT:  # which of the two goes, their order decides
            raise Unsure
        field.drop(drop)


class Mirostat:
    """Version 2: drops what is more surprising than μ bits, then moves μ so that the mean surprise becomes τ."""

    def __init__(self, tau: float, eta: float, min_tokens_to_keep: int = 1) -> None:
        self.tau, self.eta, self.least = tau, eta, min_tokens_to_keep
        self.limit = 2 * tau
        self._bits: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        surprise = -scores.log_softmax(dim=-1) / math.log(2)
        kept = _cut(scores, surprise <= self.limit, max(self.least, 1))
        self._bits = -kept.log_softmax(dim=-1) / math.log(2)
        return kept

    def chosen(self, token_id: int) -> None:
        """The surprise counts among the tokens that were kept; one from outside them (a last resort) tells nothing."""
        if self._bits is None:
            return
        bits = float(self._bits[0, token_id])
        if math.isfinite(bits):
            self.limit -= self.eta * (bits - self.tau)

    def snapshot(self) -> object:
        return self.limit, self._bits

    def restore(self, state: Any) -> None:
        self.limit, self._bits = state


class AdaptiveP:
    """Favours probabilities near a target that moves against the mean of what was chosen before."""

    WIDTH, PEAK, SHARPNESS = 0.3, 5.0, 10.0  # fixed by the authors

    def __init__(self, target: float, decay: float) -> None:
        self.target, self.decay = target, decay
        # The history begins as if every choice so far had hit the target.
        self.weight = 1 / (1 - decay)
        self.total = target * self.weight
        self._chances: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self._chances = scores.softmax(dim=-1)
        aim = min(max(2 * self.target - self.total / self.weight, 0.0), 1.0)
        distance = (self._chances - aim).abs() / self.WIDTH
        bent = self.PEAK - self.SHARPNESS * distance**2 / (1 + distance)
        return torch.where(_alive(scores), bent, scores)

    def chosen(self, token_id: int) -> None:
        if self._chances is None:
            return
        chance = float(self._chances[0, token_id])
        if math.isfinite(chance):
            self.total = chance + self.decay * self.total
            self.weight = 1 + self.decay * self.weight

    def snapshot(self) -> object:
        return self.total, self.weight, self._chances

    def restore(self, state: Any) -> None:
        self.total, self.weight, self._chances = state
