"""Samplers against repetition: what was written before becomes less likely. Knows no row and no model."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import (
    EncoderNoRepeatNGramLogitsProcessor,
    EncoderRepetitionPenaltyLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

from playground.amounts import counted
from playground.rendering.spellings import breaker_ids
from playground.sampling.candidates import Array, Candidates
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, banned, brief, score
from playground.sampling.temperature import divided
from playground.types import Text

LARGEST_PENALTY = 1e30
"""DRY grows without bound; beyond this a float32 score would become infinite and take the row with it."""


class RepetitionPenalty(Sampler):
    """z / θ where z > 0 and z · θ elsewhere, for every token seen before: of all ids or of the answer's (`scope`), the
    last ones only where `last` is not 0."""

    columns = ("penalty",)

    def __init__(self, penalty: float, last: int, scope: str, prompt_length: int) -> None:
        self._whole = RepetitionPenaltyLogitsProcessor(penalty)
        self.penalty: Any = penalty
        self.last = last
        self.ignored = prompt_length if scope == "output" else 0

    def processor(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """transformers' penalty on scores [1, vocab] over those of the ids [1, length] that count."""
        penalized: Tensor = self._whole(self.counted(input_ids[0])[None], scores)
        return penalized

    def counted(self, ids: Tensor) -> Tensor:
        """Of the ids [length] before a position, those that are penalized."""
        return ids[self.ignored :][-self.last :]

    def apply(self, candidates: Candidates) -> None:
        seen = [self.of(row).counted(ids) for row, ids in enumerate(candidates.histories)]
        xp, penalty = candidates.xp, self.penalty
        candidates.edit(seen, lambda some: xp.where(some < 0, some * penalty, divided(some, penalty)))

    def explain(self, io: StageIO) -> Text | None:
        return _explain_factor(io, "repetition_penalty")


class EncoderRepetitionPenalty(Sampler):
    """The tokens of the prompt become likelier: z · θ where z > 0, z / θ elsewhere."""

    def __init__(self, penalty: float, encoder_input_ids: Tensor) -> None:
        self.processor = EncoderRepetitionPenaltyLogitsProcessor(penalty, encoder_input_ids)

    def explain(self, io: StageIO) -> Text | None:
        return _explain_factor(io, "encoder_repetition_penalty", raises=True)


class _CountPenalty(Sampler):
    """Looks at how often each token stands in the answer; the prompt does not count."""

    columns = ("penalty",)

    def __init__(self, penalty: float, prompt_length: int) -> None:
        self.penalty: Any = penalty
        self.prompt_length = prompt_length

    def counts(self, candidates: Candidates) -> Array:
        """How often each token [R, vocab] was written."""
        return candidates.counts([ids[self.of(row).prompt_length :] for row, ids in enumerate(candidates.histories)])


class PresencePenalty(_CountPenalty):
    """z −= α for every token that the answer contains."""

    def apply(self, candidates: Candidates) -> None:
        candidates.replace(candidates.scores - self.penalty * candidates.xp.clip(self.counts(candidates), 0, 1))

    def explain(self, io: StageIO) -> Text | None:
        token, strength = io.example, io.settings["presence_penalty"]
        return None if token is None else io.equation(token, f"{score(io.entered[token])} − {brief(strength)}")


class FrequencyPenalty(_CountPenalty):
    """z −= α for each time that the answer contains the token."""

    def apply(self, candidates: Candidates) -> None:
        candidates.replace(candidates.scores - self.penalty * self.counts(candidates))

    def explain(self, io: StageIO) -> Text | None:
        token, strength = io.example, io.settings["frequency_penalty"]
        if token is None:
            return None
        times = round(float(io.entered[token] - io.left[token]) / strength)
        return io.equation(token, f"{score(io.entered[token])} − {brief(strength)} · {times}")


class NoRepeatNGram(Sampler):
    """Forbids what would complete n tokens that stand in the text already."""

    def __init__(self, ngram_size: int) -> None:
        self.processor = NoRepeatNGramLogitsProcessor(ngram_size)

    def explain(self, io: StageIO) -> Text | None:
        return banned(io)

    def explain_removal(self, io: StageIO, token: int) -> Text:
        n = next(value for value in io.settings.values() if isinstance(value, int))
        return Text(
            f"would repeat {counted(n, 'token that was', 'tokens that were')} written before",
            f"会重复先前写过的 {n} 个词元",
        )


class EncoderNoRepeatNGram(NoRepeatNGram):
    """Forbids what would complete n tokens that stand in the prompt."""

    def __init__(self, encoder_ngram_size: int, encoder_input_ids: Tensor) -> None:
        self.processor = EncoderNoRepeatNGramLogitsProcessor(encoder_ngram_size, encoder_input_ids)


class DRY(Sampler):
    """A token that would lengthen a repeat of L ≥ a tokens loses m · b^(L − a)."""

    on_cpu_only = True

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

    def apply(self, candidates: Candidates) -> None:
        losses = self.losses(candidates.histories[0], candidates.vocab)
        taken = np.array(list(losses.values()), dtype=np.float32)
        candidates.edit([torch.tensor(list(losses), dtype=torch.long)], lambda some: some - taken)

    def losses(self, ids: Tensor, vocab: int) -> dict[int, float]:
        """What each token loses behind these ids [length]."""
        repeats = repeat_lengths(ids[-self.last :].tolist(), self.breakers)
        return {
            token: self.multiplier * self.base ** min(length - self.allowed, self.steepest)
            for token, length in repeats.items()
            if length >= self.allowed and token < vocab
        }

    def explain(self, io: StageIO) -> Text | None:
        token = io.example
        if token is None:
            return None
        m, b, a = (io.settings[name] for name in ("dry_multiplier", "dry_base", "dry_allowed_length"))
        loss = float(io.entered[token] - io.left[token])
        longer = 0 if b == 1 else max(round(math.log(max(loss / m, 1e-9)) / math.log(b)), 0)
        return io.equation(token, f"{score(io.entered[token])} − {m:g} · {b:g}^({a + longer} − {a})")


def _explain_factor(io: StageIO, parameter: str, *, raises: bool = False) -> Text | None:
    token, strength = io.example, io.settings[parameter]
    if token is None:
        return None
    before = float(io.entered[token])
    return io.equation(token, f"{score(before)} {'/' if (before > 0) is not raises else '·'} {strength:g}")


def repeat_lengths(ids: Sequence[int], breakers: Collection[int]) -> dict[int, int]:
    """For each token: how long the longest repeat is that it would continue.

    A repeat is a run that ends the sequence and also stands earlier in it, in front of that token; it neither holds a
    breaker nor is continued by one. One pass finds the matches of all earlier places (the Z algorithm on the reversed
    sequence), for a plain search would take quadratic time on a text that already loops.
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
