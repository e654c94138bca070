"""What each sampler does to many rows at once, where their chains have the same stages: the twin of its `__call__`.

A twin gives the very bits that the samplers give row by row, and never asks the device for a number, so that a GPU is
not kept waiting between two stages. On a CPU that is tested; on a GPU the sums of several rows may be added in another
order than those of one. Knows no row and no luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    EpsilonLogitsWarper,
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.decoding.chain import Chain
from playground.decoding.repetition import FrequencyPenalty, PresencePenalty, RangedRepetitionPenalty
from playground.decoding.transfer import sent

Twin = Callable[[Sequence[Any], Sequence[Tensor], Tensor], Tensor]
"""From one stage's samplers, a row each, the ids [length] before each row's position, and scores [rows, vocab]."""


def twins(chain: Chain) -> tuple[Twin, ...] | None:
    """One a stage, in the chain's own order: rows for which they are equal may run as one. None where one is missing,
    and only the chain itself can decide."""
    found = [_TWINS.get(type(link)) for _, link in chain.links]
    known = [twin for twin in found if twin is not None]
    return tuple(known) if len(known) == len(found) else None


def _temperature(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    return _divided(scores, [link.temperature for link in links])


def _repetition_penalty(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    seen = [
        link.reached(own) if isinstance(link, RangedRepetitionPenalty) else own[link.prompt_ignore_length or 0 :]
        for link, own in zip(links, ids, strict=True)
    ]
    penalties = [link.penalty for link in links]
    changed = torch.where(scores < 0, scores * _column(penalties, scores), _divided(scores, penalties))
    return torch.where(_counts(seen, scores) > 0, changed, scores)


def _presence_penalty(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    return scores - _column([link.penalty for link in links], scores) * (_written(links, ids, scores) > 0)


def _frequency_penalty(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    return scores - _column([link.penalty for link in links], scores) * _written(links, ids, scores)


def _suppress(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    return _without([link.suppress_tokens for link in links], scores)


def _min_new_tokens(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    short = [
        link.eos_token_id[: None if len(own) - link.prompt_length_to_skip < link.min_new_tokens else 0]
        for link, own in zip(links, ids, strict=True)
    ]
    return _without(short, scores)


def _top_k(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    counts = [min(link.top_k, scores.shape[1]) for link in links]
    last = sent([[count - 1] for count in counts], scores.device)
    return scores.masked_fill(scores < scores.topk(max(counts)).values.gather(1, last), -math.inf)


def _top_p(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    ranked, places = torch.sort(scores, descending=False)
    out = ranked.softmax(dim=-1).cumsum(dim=-1) <= _column([1 - link.top_p for link in links], scores)
    size = scores.shape[1]
    least = sent([[size - link.min_tokens_to_keep] for link in links], scores.device)
    out &= torch.arange(size, device=scores.device) < least
    return scores.masked_fill(out.scatter(1, places, out), -math.inf)


def _min_p(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    if any(link.min_tokens_to_keep > 1 for link in links):  # which of several equal ones stay, topk decides by their k
        return _each(links, ids, scores)
    chances = scores.softmax(dim=-1)
    limits = _column([link.min_p for link in links], scores) * chances.amax(dim=-1, keepdim=True)
    return scores.masked_fill(chances < limits, -math.inf)


def _each(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    """The samplers themselves, in turn: those that never ask the device either."""
    apart = scores.split(1)
    return torch.cat([link(own[None], one) for link, own, one in zip(links, ids, apart, strict=True)])


def _column(values: Sequence[float], scores: Tensor) -> Tensor:
    """A number a row [rows, 1], rounded as torch rounds a number that meets these scores."""
    return sent([[value] for value in values], scores.device, scores.dtype)


def _divided(scores: Tensor, by: Sequence[float]) -> Tensor:
    """As `scores / number` divides: CUDA multiplies by the number's reciprocal there, and a CPU does not."""
    if scores.device.type == "cpu":
        return scores / _column(by, scores)
    return scores * _column([float(np.float32(1) / np.float32(one)) for one in by], scores)


def _counts(pieces: Sequence[Tensor], scores: Tensor) -> Tensor:
    """How often each token [rows, vocab] stands in each row's piece; ids outside the vocabulary count nowhere."""
    size = scores.shape[1]
    places = pad_sequence(list(pieces), batch_first=True, padding_value=size).clamp(max=size)
    counts = torch.zeros((len(pieces), size + 1), dtype=scores.dtype, device=scores.device)
    return counts.scatter_add_(1, places, torch.ones_like(places, dtype=scores.dtype))[:, :size]


def _written(links: Sequence[Any], ids: Sequence[Tensor], scores: Tensor) -> Tensor:
    return _counts([own[link.prompt_length :] for link, own in zip(links, ids, strict=True)], scores)


def _without(forbidden: Sequence[Tensor], scores: Tensor) -> Tensor:
    return scores.masked_fill(_counts(forbidden, scores) > 0, -math.inf)


_TWINS: dict[type, Twin] = {
    TemperatureLogitsWarper: _temperature,
    RepetitionPenaltyLogitsProcessor: _repetition_penalty,
    RangedRepetitionPenalty: _repetition_penalty,
    PresencePenalty: _presence_penalty,
    FrequencyPenalty: _frequency_penalty,
    SuppressTokensLogitsProcessor: _suppress,
    MinNewTokensLengthLogitsProcessor: _min_new_tokens,
    TopKLogitsWarper: _top_k,
    TopPLogitsWarper: _top_p,
    MinPLogitsWarper: _min_p,
    SequenceBiasLogitsProcessor: _each,
    EpsilonLogitsWarper: _each,
    TypicalLogitsWarper: _each,
}
