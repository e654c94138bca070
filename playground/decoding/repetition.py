"""Samplers against repetition: what was written before becomes less likely. Knows no request and no model."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor, RepetitionPenaltyLogitsProcessor

from playground.decoding.field import Field, Floats

LARGEST_PENALTY = 1e30
"""DRY grows without bound; beyond this a float32 score would become infinite and take the row with it."""


class RangedRepetitionPenalty:
    """transformers' penalty over the last tokens only."""

    def __init__(self, penalty: float, last: int, ignored: int) -> None:
        self.last, self.ignored = last, ignored
        self.whole = RepetitionPenaltyLogitsProcessor(penalty)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        seen: Tensor = self.whole(self.reached(input_ids[0])[None], scores)
        return seen

    @property
    def penalty(self) -> float:
        return float(self.whole.penalty)

    def reached(self, ids: Tensor) -> Tensor:
        """Of the ids [length] before a position, those that are penalized."""
        return ids[self.ignored :][-self.last :]

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        field.edit(ids[self.ignored :][-self.last :], partial(penalized, penalty=self.penalty))


def penalized(scores: Floats, penalty: float) -> Floats:
    """What transformers' penalty makes of the scores of seen tokens."""
    strength = np.float32(penalty)
    return np.where(scores < 0, scores * strength, scores / strength)


def repetition_penalty(
    penalty: float, last: int, scope: str, prompt_length: int
) -> LogitsProcessor | RangedRepetitionPenalty:
    """Without a range this is transformers' own class, bit for bit."""
    ignored = prompt_length if scope == "output" else 0
    if last:
        return RangedRepetitionPenalty(penalty, last, ignored)
    return RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=ignored)


class _CountPenalty:
    """Counts how often each token stands in the answer; the prompt does not count."""

    def __init__(self, penalty: float, prompt_length: int) -> None:
        self.penalty, self.prompt_length = penalty, prompt_length

    def counts(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        written = input_ids[0, self.prompt_length :]
        size = scores.shape[-1]
        return torch.bincount(written[written < size], minlength=size).to(scores.dtype)


class PresencePenalty(_CountPenalty):
    """z −= α for every token that the answer contains."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores - self.penalty * (self.counts(input_ids, scores) > 0)

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        field.edit(ids[self.prompt_length :], lambda scores: scores - np.float32(self.penalty))


class FrequencyPenalty(_CountPenalty):
    """z −= α for each time that the answer contains the token."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores - self.penalty * self.counts(input_ids, scores)

    def narrow(self, field: Field, ids: np.ndarray) -> None:
        written, counts = np.unique(ids[self.prompt_length :], return_counts=True)
        loss = np.float32(self.penalty) * counts.astype(np.float32)
        field.edit(written, lambda scores: scores - loss)


class DRY:
    """A token that would lengthen a repeat of L ≥ a tokens loses m · b^(L − a)."""

    def __init__(
        self,
        multiplier: float,
        base: float,
        allowed_length: int,
        last: int,
        breakers: Sequence[str],
        tokenizer: Any,
    ) -> None:
        self.multiplier, self.base, self.allowed, self.last = multiplier, base, allowed_length, last
        self.steepest = math.log(LARGEST_PENALTY / 100) / math.log(base) if base > 1 else math.inf
        self.breakers = breaker_ids(tokenizer, breakers)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        repeats = repeat_lengths(input_ids[0, -self.last :].tolist(), self.breakers)
        losses = {
            token: self.multiplier * self.base ** min(length - self.allowed, self.steepest)
            for token, length in repeats.items()
            if length >= self.allowed and token < scores.shape[-1]
        }
        if not losses:
            return scores
        places = torch.tensor([list(losses)], device=scores.device)
        taken = torch.tensor([list(losses.values())], device=scores.device, dtype=scores.dtype)
        return scores.scatter_add(-1, places, -taken)


def repeat_lengths(ids: Sequence[int], breakers: Collection[int]) -> dict[int, int]:
    """For each token: how long the longest repeat is that it would continue.

    A repeat is a run that ends the sequence and also stands earlier in it, in front of that token; it neither holds a
    breaker nor is continued by one. The matches of all earlier places are found in one pass (the Z algorithm on the
    reversed sequence), for a plain search would take quadratic time on a text that already loops.
    """
    reverse = list(reversed(ids))
    run = next((place for place, token in enumerate(reverse) if token in breakers), len(reverse))
    longest: dict[int, int] = {}
    if not run:
        return longest
    match = [0] * len(reverse)
    left = right = 0
    for place in range(1, len(reverse)):
        length = min(right - place, match[place - left]) if place < right else 0
        while place + length < len(reverse) and reverse[length] == reverse[place + length]:
            length += 1
        match[place] = length
        if place + length > right:
            left, right = place, place + length
        follower = reverse[place - 1]
        if length and follower not in breakers:
            longest[follower] = max(longest.get(follower, 0), min(length, run))
    return longest


def breaker_ids(tokenizer: Any, breakers: Sequence[str]) -> frozenset[int]:
    """Every token whose text contains a breaker, and the last token of one that takes several."""
    return _breaker_ids(tokenizer, tuple(breakers))


@lru_cache(maxsize=8)
def _breaker_ids(tokenizer: Any, breakers: tuple[str, ...]) -> frozenset[int]:
    """Looking through a whole vocabulary takes a twentieth of a second; every row of every request asks."""
    texts = _vocabulary(tokenizer) if breakers else ()
    holding = {token for token, text in enumerate(texts) if any(breaker in text for breaker in breakers)}
    # A letter before it keeps tokenizers from adding a space of their own.
    ends = {tokenizer("a" + breaker, add_special_tokens=False).input_ids[-1] for breaker in breakers}
    return frozenset(holding | ends)


@lru_cache(maxsize=2)
def _vocabulary(tokenizer: Any) -> tuple[str, ...]:
    """The text of every token: a third of a second for 49,000, so it is remembered for the models in use."""
    return tuple(tokenizer.batch_decode([[token] for token in range(len(tokenizer))]))
