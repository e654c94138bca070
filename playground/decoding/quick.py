"""What each sampler does to a Field: the quick twin of its `__call__`, for those that can be told from the best few.

A sampler of our own has its twin beside its `__call__`, as `narrow`; transformers' own have theirs here. A chain runs
as it is up to its last stage without a twin, and quickly from there on. Each twin keeps what its sampler keeps, to the
last token, or leaves in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.decoding.chain import Chain
from playground.decoding.field import LOOSE, STRICT, Border, Field, Unsure
from playground.decoding.repetition import penalized

Twin = Callable[[Field, np.ndarray], None]
"""Changes the field; the second argument is the ids [length] of everything before the position."""


def quickly(chain: Chain) -> tuple[Chain, list[Twin]]:
    """The stages that have to run as they are, and the twins of those behind them."""
    twins: list[Twin] = []
    links = list(chain.links)
    while links and (twin := _twin(links[-1][1])) is not None:
        twins.insert(0, twin)
        links.pop()
    return Chain(links), twins


def _twin(link: Any) -> Twin | None:
    own: Twin | None = getattr(link, "narrow", None)
    mirror = _MIRRORS.get(type(link))
    return partial(mirror, link) if own is None and mirror is not None else own


def _temperature(stage: TemperatureLogitsWarper, field: Field, ids: np.ndarray) -> None:
    field.divide(stage.temperature)


def _repetition_penalty(stage: RepetitionPenaltyLogitsProcessor, field: Field, ids: np.ndarray) -> None:
    field.edit(ids[stage.prompt_ignore_length or 0 :], partial(penalized, penalty=stage.penalty))


def _forbid(field: Field, places: np.ndarray) -> None:
    field.edit(places, lambda scores: np.full_like(scores, -np.inf))


def _suppress(stage: SuppressTokensLogitsProcessor, field: Field, ids: np.ndarray) -> None:
    _forbid(field, stage.suppress_tokens.numpy())


def _min_new_tokens(stage: MinNewTokensLengthLogitsProcessor, field: Field, ids: np.ndarray) -> None:
    if len(ids) - stage.prompt_length_to_skip < stage.min_new_tokens:
        _forbid(field, stage.eos_token_id.numpy())


def _top_k(stage: TopKLogitsWarper, field: Field, ids: np.ndarray) -> None:
    def border() -> Border:
        field.look_to(stage.top_k)
        if stage.top_k > field.sure:  # nothing is below the k-th, or it is itself in doubt
            return field.sure, field.count, len(field.ids)
        kept = field.reaching(float(field.scores[stage.top_k - 1]))
        return kept, kept, kept

    field.cut(border)


def _top_p(stage: TopPLogitsWarper, field: Field, ids: np.ndarray) -> None:
    def border() -> Border:
        above = (field.weights.cumsum() - field.weights) / field.total
        off = field.rounding + field.error
        low, count, high = np.searchsorted(above, [stage.top_p - off, stage.top_p, stage.top_p + off]).tolist()
        least = stage.min_tokens_to_keep
        return max(low, least), max(count, least), max(high, least)

    field.look(stage.top_p)
    field.cut(border, ties_stay=False)


def _min_p(stage: MinPLogitsWarper, field: Field, ids: np.ndarray) -> None:
    limit = math.log(stage.min_p) if stage.min_p > 0 else -math.inf
    field.keep(field.best + limit, STRICT, stage.min_tokens_to_keep)


def _epsilon(stage: EpsilonLogitsWarper, field: Field, ids: np.ndarray) -> None:
    limit = field.best + math.log(stage.epsilon * field.total)
    field.keep(limit, LOOSE + field.error, stage.min_tokens_to_keep)


def _eta(stage: EtaLogitsWarper, field: Field, ids: np.ndarray) -> None:
    epsilon = float(stage.epsilon)
    chance = min(epsilon, math.sqrt(epsilon) * math.exp(-field.entropy))
    limit = field.best + math.log(chance * field.total)
    field.keep(limit, 2 * LOOSE + 20 * field.error, stage.min_tokens_to_keep)


def _top_h(stage: TopHLogitsWarper, field: Field, ids: np.ndarray) -> None:
    def border() -> Border:
        field.look_to(stage.top_n)
        weights = field.weights[: stage.top_n]
        if field.sure < len(weights):
            raise Unsure
        chances = np.maximum(weights / weights.sum(), 1e-300)
        sums = (-chances * np.log(chances)).cumsum()
        whole = float(sums[-1])
        limit, off = whole * stage.top_h, STRICT * (1 + whole)
        low, count, high = np.searchsorted(sums, [limit - off, limit, limit + off], side="right").tolist()
        return max(low, 1), max(count, 1), max(high, 1)

    field.cut(border, ties_stay=False)


def _typical(stage: TypicalLogitsWarper, field: Field, ids: np.ndarray) -> None:
    """Keeps a band around the entropy; whatever is close to one of its two ends is left to the chain."""
    field.look_to(max(stage.min_tokens_to_keep, 1))
    size, expected = math.log(field.total), field.entropy
    while True:
        if field.doubtful:
            raise Unsure
        logs = field.scores.astype(np.float64) - field.best - size
        strange = np.abs(-logs - expected)
        order = np.argsort(strange, kind="stable")
        sums = (field.weights[order] / field.total).cumsum()
        last = int(np.searchsorted(sums, stage.mass))
        farthest = float(strange[order[min(last, len(order) - 1)]])
        if last < len(order) and farthest + expected - size < field.depth - LOOSE:
            break
        if not field.look():
            break
    kept = strange <= farthest + LOOSE
    close = np.abs(sums[max(last - 1, 0) : last + 1] - stage.mass).min() < LOOSE
    ends = field.scores[kept & (strange >= farthest - LOOSE)]
    if close or len(np.unique(ends)) > 1 or np.count_nonzero(kept) < stage.min_tokens_to_keep:
        raise Unsure
    first = int(kept.argmax())
    field.only(first, first + int(np.count_nonzero(kept)))


_MIRRORS: dict[type, Callable[[Any, Field, np.ndarray], None]] = {
    TemperatureLogitsWarper: _temperature,
    RepetitionPenaltyLogitsProcessor: _repetition_penalty,
    SuppressTokensLogitsProcessor: _suppress,
    MinNewTokensLengthLogitsProcessor: _min_new_tokens,
    TopKLogitsWarper: _top_k,
    TopPLogitsWarper: _top_p,
    MinPLogitsWarper: _min_p,
    EpsilonLogitsWarper: _epsilon,
    EtaLogitsWarper: _eta,
    TopHLogitsWarper: _top_h,
    TypicalLogitsWarper: _typical,
}
