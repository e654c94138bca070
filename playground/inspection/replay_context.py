"""A stored row under any values: its sampler pipeline, its random numbers, and the scores of any position.

The history of every position is the run's own. Knows no page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from playground.decoding.row import build_pipeline, effect
from playground.decoding.run_store import BLOCK, StoredRow
from playground.decoding.text_writer import TextWriter
from playground.sampling.candidates import Candidates
from playground.sampling.draw import RowRNG, race
from playground.sampling.noise import Noise
from playground.sampling.pipeline import OnStage, usable
from playground.sampling.step import without

FRESH_SEED = -1


@dataclass(frozen=True, slots=True)
class Decision:
    """What one position would become: the token, how many candidates were left, and the natural log-probability of the
    row's own token (−∞ where it was removed)."""

    token: int
    alive: int
    own_logprob: float


class ReplayContext:
    """One stored row under some values."""

    def __init__(self, row: StoredRow, values: Mapping[str, Any]) -> None:
        run = row.run
        changed, greedy = effect(values, has_eos=bool(run.setting.eos))
        self.row = row
        self.values = values
        self.tokens = list(row.tokens)
        self.setting = replace(run.setting, values=changed, greedy=greedy)
        seed = values["seed"]
        same = seed in (FRESH_SEED, run.values["seed"])
        self.seed = row.seed if same else seed + run.rows.index(row)
        device = self.setting.prompt.device
        self.rng = RowRNG(self.seed, device, greedy=greedy, portable=run.setting.portable)
        self.forbidden = _forbidden(row, changed["banned_phrases"])
        self.pipeline = build_pipeline(self.setting)
        self.stateful = bool(self.pipeline.stateful)
        own = torch.tensor([self.tokens], dtype=torch.long, device=device)
        self._ids = torch.cat([self.setting.prompt, own], dim=1)[0]
        self._start = self.setting.prompt.shape[1]
        self._block: tuple[int, Tensor, Tensor | None] | None = None

    def candidates(self, position: int, *, strict: bool = True) -> Candidates:
        """One position as it enters the pipeline."""
        one, unconditional = self._scores(position)
        if self.forbidden.get(position):
            one = without(one, 0, self.forbidden[position])
        return Candidates(
            one,
            [self._ids[: self._start + position]],
            unconditional=unconditional,
            uniform=lambda _: self.rng.uniform(position),
            strict=strict,
        )

    def _scores(self, position: int) -> tuple[Tensor, Tensor | None]:
        """Those of the whole block at once: each conversion waits for torch's threads. Of one that is not all here only
        what is wanted is asked for."""
        number, place = divmod(position, BLOCK)
        last = max(min((number + 1) * BLOCK, len(self.tokens)), position + 1)
        block = self._block
        if block is None or block[0] != number:
            if not self.row.holds(number * BLOCK, last):
                return self.row.scores(position)
            block = self._block = number, *self.row.several(number * BLOCK, last)
        _, scores, unconditional = block
        one = slice(place, place + 1)
        return scores[one], None if unconditional is None else unconditional[one]

    def apply(self, position: int, on_stage: OnStage | None = None) -> tuple[Tensor, bool]:
        """The scores [1, vocab] that the samplers leave, and whether they left a candidate. In order where a sampler is
        stateful."""
        final = self.pipeline.apply(self.candidates(position), on_stage)
        if usable(final):
            return final, True
        return self.pipeline.last_resort(self.candidates(position)), False

    def chosen(self, position: int) -> None:
        self.pipeline.chosen(self.tokens[position])

    def seek(self, position: int) -> None:
        """Bring stateful samplers, and the random numbers, to just before a position of a new context."""
        for before in range(position if self.stateful else 0):
            self.apply(before)
            self.chosen(before)
        state = self.row.noise_state(position) if self.seed == self.row.seed else None
        if state is not None:
            self.rng.rewind(state)
            return
        for _ in range(position):
            self.rng.skip(self.setting.vocab_size)

    def noise_states(self) -> list[Tensor | None]:
        """The generator's state [bytes] before each draw."""
        if self.seed == self.row.seed:
            stored = [self.row.noise_state(position) for position in range(len(self.tokens))]
            if all(state is not None for state in stored):
                return stored
        states = []
        for _ in self.tokens:
            states.append(self.rng.state())
            self.rng.skip(self.setting.vocab_size)
        return states

    def decide(self, position: int, rng: RowRNG, state: Tensor | None) -> Decision:
        """A position decided again; `state` [bytes] is the generator's before its draw."""
        own = self.tokens[position]
        candidates = self.candidates(position, strict=False)
        self.pipeline.apply(candidates)
        noise = partial(self._noise, rng, state, early=candidates.on_cpu)
        if candidates.on_cpu and usable(candidates.scores) and not candidates.uncertain:
            found = _decision(candidates, noise, own)
            if candidates.settled([own, found.token]):
                return found
        candidates = self.candidates(position)
        self.pipeline.apply(candidates)
        if not usable(candidates.scores):
            candidates.replace(self.pipeline.last_resort(self.candidates(position)))
        return _decision(candidates, noise, own)

    def _noise(self, rng: RowRNG, state: Tensor | None, *, early: bool) -> Noise | Tensor | None:
        if self.setting.greedy:
            return None
        rng.rewind(state)
        size = self.setting.vocab_size
        return rng.draw(size) if early else rng.noise(size)


def _decision(candidates: Candidates, drawn: Callable[[], Noise | Tensor | None], own: int) -> Decision:
    alive = int(candidates.count(candidates.alive)[0, 0])
    noise = drawn() if alive > 1 else None
    if noise is None:
        token = int(candidates.scores[0].argmax())
    elif isinstance(noise, Tensor):
        token = int((candidates.probabilities / noise).argmax())
    else:
        token = race(*candidates.contenders(), noise, candidates.exact)
    best, size = float(candidates.best[0, 0]), -math.log(float(candidates.probabilities[0].max()))
    return Decision(token, alive, float(candidates.scores[0, own]) - best - size)


def _forbidden(row: StoredRow, phrases: list[str]) -> dict[int, list[int]]:
    """What stepping back ruled out, as far as these phrases are still banned; a new one strikes where it began."""
    found = {
        at: [token for token, phrase in tokens.items() if phrase in phrases] for at, tokens in row.forbidden.items()
    }
    run = row.run
    fresh = [phrase for phrase in phrases if phrase not in run.setting.values["banned_phrases"]]
    if fresh:
        written = _first_phrase(row, fresh)
        if written is not None:
            found.setdefault(written, []).append(row.tokens[written])
    return {at: tokens for at, tokens in found.items() if tokens}


def _first_phrase(row: StoredRow, phrases: list[str]) -> int | None:
    """The position at which the first of these phrases begins in the row's own text."""
    setting = row.run.setting
    writer = TextWriter(setting.detokenizer(), banned=phrases)
    for token in row.tokens:
        if token in setting.eos:
            return None
        written = writer.push(token)
        if written.phrase:
            return written.began
    return None
