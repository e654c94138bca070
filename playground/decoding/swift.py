"""Every position of a prepared row decided at once, under other values; what is not certain goes to the chain.

The cut-offs known here keep the likeliest tokens down to some bin. The bin at the border is not looked into: where the
winner or the row's own token lies in it, or the race is close, or a stage is not known here, the chain itself decides.
So a token is either the chain's or certain to be the same; numbers of candidates and log-probabilities are off by what
one narrow bin at the border can hold. What a sampler is set to is read from the sampler.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import (
    EpsilonLogitsWarper,
    MinPLogitsWarper,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from playground import parameters
from playground.decoding.chain import Processor
from playground.decoding.keep import BLOCK, KeptRow
from playground.decoding.prepared import BINS, Prepared, base, bins, prepared
from playground.decoding.row import without
from playground.decoding.samplers import XTC, TopA
from playground.decoding.scene import Decision, Scene, decision

_MOVES_SINGLE_TOKENS = ("repetition", "words", "length")  # groups of stages that leave most scores as they are
_REMEMBERED = 4
_CLOSE = 1e-4  # a race is too close to call below this, in nats
_ROUGH = 1e-5  # relative error of a sum of probabilities, beside that of the bins


@torch.inference_mode()
def decide(row: KeptRow, scene: Scene) -> tuple[list[Decision], int] | None:
    """All positions, and how many of them the chain had to decide; None where it must decide them all, in turn."""
    ready = prepared(row)
    if ready is None or scene.seed != ready.seed or scene.stateful:
        return None
    plan = _plan(scene, ready)
    if plan is None:
        return None
    edits, cuts = plan
    far, moved = _remembered(scene, ready, edits)
    unsure = moved.clone()
    field = _Field(ready, far)
    for stage in cuts:
        if isinstance(stage, XTC):
            unsure |= _coins(scene, stage, unsure)
        else:
            _CUTS[type(stage)](field, stage)
    tokens, alive, logprobs = _race(field, scene.setting.greedy, unsure)
    found = [Decision(*one) for one in zip(tokens.tolist(), alive.tolist(), logprobs.tolist(), strict=True)]
    slow = unsure.nonzero()[:, 0].tolist()
    for position in slow:
        scores, _ = scene.apply(position)
        scene.luck.rewind(ready.states[position])
        token, _ = scene.luck.pick(scores)
        found[position] = decision(scores, token, scene.tokens[position])
    return found, len(slow)


def _plan(scene: Scene, ready: Prepared) -> tuple[list[Processor], list[Any]] | None:
    """The stages that move single tokens, then those known here; None where others come in between, or the scores that
    were summed up are not these."""
    group = {record.stage: record.group for record in parameters.REGISTRY if record.stage}
    links = list(scene.chain.links)
    guided = bool(links) and group[links[0][0]] == "guidance"
    if float(scene.setting.values["guidance_scale"]) != ready.scale:
        return None
    rest = links[1:] if guided else links
    edits = []
    while rest and group[rest[0][0]] in _MOVES_SINGLE_TOKENS:
        edits.append(rest.pop(0)[1])
    if any(type(link) not in _CUTS and type(link) is not XTC for _, link in rest):
        return None
    if any(getattr(link, "min_tokens_to_keep", getattr(link, "least", 1)) != 1 for _, link in rest):
        return None
    return edits, [link for _, link in rest]


def _remembered(scene: Scene, ready: Prepared, edits: list[Processor]) -> tuple[Tensor, Tensor]:
    """The same as `_edited`, once for all answers that differ in other stages: a slider moves one at a time."""
    moving = {p.name: scene.setting.values[p.name] for p in parameters.REGISTRY if p.group in _MOVES_SINGLE_TOKENS}
    key = repr((moving, scene.setting.values["order"], scene.forbidden))
    known = scene.row.run.prepared.setdefault(("moved", scene.row), {})
    if key not in known:
        while len(known) >= _REMEMBERED:
            known.pop(next(iter(known)), None)
        known[key] = _edited(scene, ready, edits)
    found: tuple[Tensor, Tensor] = known[key]
    return found


def _edited(scene: Scene, ready: Prepared, edits: list[Processor]) -> tuple[Tensor, Tensor]:
    """The known tokens' distances [T, K] after these stages, and where another token was moved too [T]."""
    unsure = torch.zeros(len(scene.tokens), dtype=torch.bool, device=ready.top.device)
    if not edits and not scene.forbidden:
        return ready.known_far, unsure
    # What forbids the same tokens everywhere is done for many positions at once: −∞ stays −∞ whatever comes later.
    always = [edit for edit in edits if type(edit) is SuppressTokensLogitsProcessor]
    single = [edit for edit in edits if type(edit) is not SuppressTokensLogitsProcessor]
    far = ready.known_far.clone()
    for first in range(0, len(scene.tokens), BLOCK):
        before = base(scene.row, first, min(first + BLOCK, len(scene.tokens)), ready.scale)
        after = before
        for edit in always:
            after = edit(scene.history(first), after)
        if single or scene.forbidden:
            after = torch.cat([_moved(scene, first + at, after[at : at + 1], single) for at in range(len(after))])
        span = slice(first, first + len(after))
        far[span] = ready.top[span, None] - after[:, ready.known]
        rest = after.index_copy(1, ready.known, before[:, ready.known])
        unsure[span] = (rest != before).any(dim=1)
    return far, unsure


def _moved(scene: Scene, position: int, scores: Tensor, edits: list[Processor]) -> Tensor:
    forbidden = scene.forbidden.get(position)
    if forbidden:
        scores = without(scores, forbidden)
    for edit in edits:
        scores = edit(scene.history(position), scores)
    return scores


def _coins(scene: Scene, stage: XTC, unsure: Tensor) -> Tensor:
    heads = [scene.luck.coin(position) < stage.probability for position in range(len(scene.tokens))]
    return torch.tensor(heads, device=unsure.device)


@dataclass(slots=True)
class _Border:
    """Bins below `sure` [T] are kept for certain, those below `possible` perhaps; at the best guess `inside` tokens of
    bin `last` are the last ones kept."""

    sure: Tensor
    possible: Tensor
    last: Tensor
    inside: Tensor

    def narrow(self, other: _Border) -> None:
        closer = other.last < self.last
        self.inside = torch.where(
            closer, other.inside, torch.where(other.last == self.last, self.inside.minimum(other.inside), self.inside)
        )
        self.last = self.last.minimum(other.last)
        self.sure = self.sure.minimum(other.sure)
        self.possible = self.possible.minimum(other.possible)


class _Field:
    """The candidates of all positions, at some inverse temperature `beta`, down to some border."""

    def __init__(self, ready: Prepared, known_far: Tensor) -> None:
        self.ready, self.known_far = ready, known_far
        self.there = torch.isfinite(known_far)
        self.known_bin = bins(known_far, ready.width)
        self.counts = ready.counts.scatter_add(1, self.known_bin, self.there.float())
        self.ranks = self.counts.cumsum(1)
        far = torch.where(self.there, known_far, 0.0)
        self.means = (ready.counts * ready.means).scatter_add_(1, self.known_bin, far).div_(self.counts.clamp(min=1))
        beside, mean = ready.counts.gather(1, self.known_bin), ready.means.gather(1, self.known_bin)
        lonely = self.counts.gather(1, self.known_bin) == 1
        apart = self.there & torch.where(beside > 0, known_far != mean, ~lonely)
        mixed = torch.zeros_like(ready.level).scatter_reduce_(1, self.known_bin, apart, "amax")
        self.level = ready.level & ~mixed
        # The best of the others is among those that can win, whatever the noise.
        self.best = ready.far.min(dim=1).values.minimum(known_far.min(dim=1).values)
        self.beta = 1.0
        full = torch.full_like(self.known_bin[:, 0], BINS)
        last = full - 1
        self.border = _Border(full, full, last, self.at(self.counts, last))
        self._sums: tuple[float, Tensor, Tensor] | None = None

    def at(self, table: Tensor, place: Tensor) -> Tensor:
        return table.gather(1, place[:, None])[:, 0]

    def sums(self) -> tuple[Tensor, Tensor]:
        """The weight of each bin and of all down to it [T, B], where the best token weighs about 1."""
        if self._sums is None or self._sums[0] != self.beta:
            ready = self.ready
            weights = ready.counts * torch.exp((self.best[:, None] - ready.means) * self.beta)
            known = torch.exp((self.best[:, None] - self.known_far) * self.beta)
            weights.scatter_add_(1, self.known_bin, known)
            self._sums = self.beta, weights, weights.cumsum(1, dtype=torch.float64)
        return self._sums[1], self._sums[2]

    def total(self) -> Tensor:
        """The weight [T] of what is kept."""
        weights, sums = self.sums()
        last = self.border.last
        weight = self.at(weights, last).double()
        share = self.border.inside / self.at(self.counts, last).clamp(min=1)
        return self.at(sums, last) - weight + weight * share

    def error(self) -> Tensor:
        """How far a sum of weights [T] may be off, relatively: a bin's mean stands for all its tokens."""
        return _ROUGH + (self.beta * self.ready.width.double()) ** 2 / 4

    def reach(self, weight: Tensor, error: Tensor) -> None:
        """Keep the likeliest tokens until they weigh this [T]: at least one."""
        weights, sums = self.sums()
        weight = weight.clamp(min=1e-300)

        def place(wanted: Tensor) -> Tensor:
            return torch.searchsorted(sums, wanted[:, None])[:, 0].clamp(max=BINS - 1)

        early, last, late = place(weight * (1 - error)), place(weight), place(weight * (1 + error))
        held, each = self.at(self.counts, last), self.at(weights, last).double()
        short = weight - (self.at(sums, last) - each)
        inside = (short / (each / held.clamp(min=1)).clamp(min=1e-300)).ceil().clamp(min=1).minimum(held.double())
        alone = (early == late) & (held == 1)
        self.border.narrow(_Border(early + alone, late + 1, last, inside.to(held.dtype)))

    def within(self, far: Tensor, error: Tensor) -> None:
        """Keep every token up to this distance [T]; `error` is in the same units."""
        width = self.ready.width.double()
        spread = error + _ROUGH * (1 + far.abs())

        def place(distance: Tensor) -> Tensor:
            return (distance / width).floor().clamp(0, BINS - 1).long()

        last = place(far)
        held = self.at(self.counts, last)
        mean = self.at(self.means, last)
        inside = torch.where(mean <= far, held, torch.zeros_like(held))
        clear = self.at(self.level, last) & ((mean - far).abs() > spread)
        beyond = far >= width * BINS
        full = torch.full_like(last, BINS)
        sure = torch.where(clear & (mean <= far), last + 1, place(far - spread))
        possible = torch.where(clear & (mean > far), last, place(far + spread) + 1)
        sure, possible = torch.where(beyond, full, sure), torch.where(beyond, full, possible)
        self.border.narrow(_Border(sure, possible, last, torch.where(beyond, held, inside)))


def _top_k(field: _Field, stage: TopKLogitsWarper) -> None:
    wanted = torch.full_like(field.best[:, None], stage.top_k)
    place = torch.searchsorted(field.ranks, wanted)[:, 0]
    everyone = place >= BINS
    place = place.clamp(max=BINS - 1)
    held, through = field.at(field.counts, place), field.at(field.ranks, place)
    full = torch.full_like(place, BINS)
    level = field.at(field.level, place)  # tokens that tie with the last one stay
    exactly = (through == stage.top_k) | level
    inside = torch.where(everyone | level, held, stage.top_k - (through - held))
    field.border.narrow(
        _Border(torch.where(everyone, full, place + exactly), torch.where(everyone, full, place + 1), place, inside)
    )


def _top_p(field: _Field, stage: TopPLogitsWarper) -> None:
    field.reach(field.total() * stage.top_p, field.error())


def _at_least(field: _Field, chance: Tensor | float, *, of_best: bool) -> None:
    """Keep tokens of at least this probability, or share of the best one's."""
    total = field.total()
    whole = torch.ones_like(total) if of_best else total
    share = torch.as_tensor(chance, dtype=torch.float64, device=total.device) * whole
    room = (-share.log() / field.beta).clamp(min=0)
    field.within(field.best.double() + room, torch.zeros_like(total) if of_best else 2 * field.error() / field.beta)


def _min_p(field: _Field, stage: MinPLogitsWarper) -> None:
    _at_least(field, stage.min_p, of_best=True)


def _epsilon(field: _Field, stage: EpsilonLogitsWarper) -> None:
    _at_least(field, stage.epsilon, of_best=False)


def _top_a(field: _Field, stage: TopA) -> None:
    _at_least(field, stage.top_a / field.total() ** 2, of_best=False)


def _temperature(field: _Field, stage: TemperatureLogitsWarper) -> None:
    field.beta /= stage.temperature


_CUTS: dict[type, Callable[[_Field, Any], None]] = {
    TemperatureLogitsWarper: _temperature,
    TopKLogitsWarper: _top_k,
    TopPLogitsWarper: _top_p,
    MinPLogitsWarper: _min_p,
    EpsilonLogitsWarper: _epsilon,
    TopA: _top_a,
}


def _race(field: _Field, greedy: bool, unsure: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Winners, numbers of candidates and the own tokens' log-probabilities, all [T]; marks what is not certain."""
    ready, border = field.ready, field.border
    far = torch.cat([field.known_far, ready.far], dim=1).double()
    luck = torch.cat([ready.known_luck, ready.luck], dim=1)
    place = torch.cat([field.known_bin, bins(ready.far, ready.width)], dim=1)
    ids = torch.cat([ready.known.expand(len(far), -1), ready.ids], dim=1)
    marks = -field.beta * (far - field.best[:, None]) + (0.0 if greedy else luck.double())
    sure = torch.where(place < border.sure[:, None], marks, -math.inf)
    perhaps = torch.where((place < border.possible[:, None]) & (place >= border.sure[:, None]), marks, -math.inf)
    two = sure.topk(2, dim=1) if sure.shape[1] > 1 else None
    best = sure.max(dim=1)
    close = _CLOSE + _ROUGH * field.beta
    unsure |= ~torch.isfinite(best.values) | (perhaps.max(dim=1).values > best.values - close)
    if two is not None:
        unsure |= two.values[:, 1] > best.values - close
    own_bin = field.at(field.known_bin, ready.own)
    own_far = field.at(field.known_far, ready.own).double()
    out = (own_bin >= border.possible) | ~torch.isfinite(own_far)
    unsure |= (own_bin >= border.sure) & ~out
    total = field.total()
    unsure |= ~(total > 0)
    logprobs = torch.where(out, -math.inf, -field.beta * (own_far - field.best) - total.log())
    alive = field.at(field.ranks, border.last) - field.at(field.counts, border.last) + border.inside
    return field.at(ids, best.indices), alive.long(), logprobs
