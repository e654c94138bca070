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
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from playground.decoding.chain import Chain
from playground.decoding.field import Border, Field
from playground.decoding.repetition import penalized

Twin = Callable[[Field, np.ndarray], None]
"""Changes the field; the second argument is the ids [length] of everything before the position."""

LOOSE = 3e-4
"""How far a probability may be off, as a share: float32 sums over an unsorted vocabulary lose that much at worst."""
STRICT = 1e-5  # the same of the quotient of two probabilities


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

    field.cut(border, ties_stay=False)


def _min_p(stage: MinPLogitsWarper, field: Field, ids: np.ndarray) -> None:
    limit = math.log(stage.min_p) if stage.min_p > 0 else -math.inf

    def border() -> Border:
        found = field.at_least(field.best + limit, STRICT)
        if stage.min_tokens_to_keep <= found[0]:
            return found
        field.look_to(stage.min_tokens_to_keep)
        last = float(field.scores[: stage.min_tokens_to_keep][-1])  # chosen by probability, which merges near scores
        low, count, high = field.at_least(last, STRICT)
        return max(low, found[0]), max(count, found[1]), max(high, found[2])

    field.cut(border)


def _above(stage: EpsilonLogitsWarper | EtaLogitsWarper, field: Field, chance: float, off: float) -> None:
    """Keep what is at least so likely, and what is at least as good as the last of those to be kept in any case."""
    limit = field.best + math.log(chance * field.total)

    def border() -> Border:
        found = field.at_least(limit, off)
        if stage.min_tokens_to_keep <= found[0]:
            return found
        field.look_to(stage.min_tokens_to_keep)
        least = field.reaching(float(field.scores[: stage.min_tokens_to_keep][-1]))
        return max(found[0], least), max(found[1], least), max(found[2], least)

    field.cut(border)


def _epsilon(stage: EpsilonLogitsWarper, field: Field, ids: np.ndarray) -> None:
    _above(stage, field, stage.epsilon, LOOSE + field.error)


def _eta(stage: EtaLogitsWarper, field: Field, ids: np.ndarray) -> None:
    epsilon = float(stage.epsilon)
    chance = min(epsilon, math.sqrt(epsilon) * math.exp(-field.entropy))
    _above(stage, field, chance, 2 * LOOSE + 20 * field.error)


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
}
