"""A kept row under any values: its chain, its luck, and every position decided again by the very code that wrote it.

The history of every position is the run's own. This is the measure of every quicker way. Knows no page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from playground.decoding.chain import OnStage
from playground.decoding.keep import KeptRow
from playground.decoding.lane import guide
from playground.decoding.pick import Luck
from playground.decoding.row import build_chain, effect, without
from playground.decoding.words import Writer

FRESH_SEED = -1


@dataclass(frozen=True, slots=True)
class Decision:
    """What one position would become: the token, how many candidates were left, and the natural log-probability of the
    row's own token (−∞ where it was removed)."""

    token: int
    alive: int
    own_logprob: float


class Scene:
    """One kept row under some values: its chain, its luck, and the scores of any position."""

    def __init__(self, row: KeptRow, values: Mapping[str, Any]) -> None:
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
        self.luck = Luck(self.seed, device, greedy=greedy, portable=run.setting.portable)
        self.forbidden = _forbidden(row, changed["banned_phrases"])
        self._unconditional: Tensor | None = None
        self._position = 0
        self.chain = build_chain(self.setting, lambda: self.luck.coin(self._position), self._guided)
        self.stateful = bool(self.chain.steering)
        own = torch.tensor([self.tokens], dtype=torch.long, device=device)
        self._ids = torch.cat([self.setting.prompt, own], dim=1)
        self._start = self.setting.prompt.shape[1]

    def history(self, position: int) -> Tensor:
        """The ids [1, length] that stood before a position."""
        return self._ids[:, : self._start + position]

    def given(self, position: int) -> tuple[Tensor, Tensor | None]:
        """The scores that enter the chain, and guidance's second ones."""
        scores, unconditional = self.row.scores(position)
        forbidden = self.forbidden.get(position)
        return (without(scores, forbidden) if forbidden else scores), unconditional

    def apply(self, position: int, on_stage: OnStage | None = None) -> tuple[Tensor, bool]:
        """The scores that the chain leaves, and whether it left a candidate. In order where the chain is stateful."""
        scores, self._unconditional = self.given(position)
        self._position = position
        return self.chain.apply(self.history(position), scores, on_stage)

    def chosen(self, position: int) -> None:
        self.chain.chosen(self.tokens[position])

    def seek(self, position: int) -> None:
        """Bring samplers that steer by what was chosen, and the luck, to just before a position of a new scene."""
        for before in range(position if self.stateful else 0):
            self.apply(before)
            self.chosen(before)
        state = self.row.luck(position) if self.seed == self.row.seed else None
        if state is not None:
            self.luck.rewind(state)
            return
        for _ in range(position):
            self.luck.skip(self.setting.vocab_size)

    def _guided(self, ids: Tensor, scores: Tensor) -> Tensor:
        scale = self.setting.values["guidance_scale"]
        if self._unconditional is None:
            raise LookupError("guidance needs the unconditional scores")
        return guide(scores, self._unconditional, scale)


@torch.inference_mode()
def decide(scene: Scene) -> Iterator[Decision]:
    """Every position in turn, by the very chain and pick that wrote the row."""
    for position, own in enumerate(scene.tokens):
        scores, _ = scene.apply(position)
        token, _ = scene.luck.pick(scores)
        yield decision(scores, token, own)
        scene.chosen(position)


def decision(scores: Tensor, token: int, own: int) -> Decision:
    """The Decision of final scores [1, vocab]."""
    alive = int(torch.isfinite(scores).sum())
    return Decision(token, alive, float(torch.log_softmax(scores, dim=-1)[0, own]))


def _forbidden(row: KeptRow, phrases: list[str]) -> dict[int, list[int]]:
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


def _first_phrase(row: KeptRow, phrases: list[str]) -> int | None:
    """The position at which the first of these phrases begins in the row's own text."""
    setting = row.run.setting
    writer = Writer(setting.detokenizer(), banned=phrases)
    for token in row.tokens:
        if token in setting.eos:
            return None
        written = writer.push(token)
        if written.phrase:
            return written.began
    return None
