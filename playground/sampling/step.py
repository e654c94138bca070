"""The next token of several rows at once. Rows may differ in everything but the size of the vocabulary.

Rows whose pipelines have the same stages go through them together; each draws under its own noise. On a CPU another
thread draws the noise meanwhile; from a GPU one copy brings all tokens. Knows no model and no text.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from playground.rendering.detokenize import Labels
from playground.sampling.candidates import Candidates, in_numpy
from playground.sampling.draw import RowRNG, draw, race
from playground.sampling.noise import Noise
from playground.sampling.pipeline import SamplerPipeline, run, usable
from playground.sampling.sampler import Sampler, stack
from playground.sampling.token_stats import Seen, TokenStats, describe, overview, survey, token_stats, view_of
from playground.sampling.trace import Trace
from playground.sampling.transfer import sent
from playground.token_views import StageView

log = logging.getLogger(__name__)
_CORES = os.cpu_count() or 1
_BESIDE = ThreadPoolExecutor(max(1, min(4, _CORES - 1)), thread_name_prefix="noise") if _CORES > 1 else None
"""Has no thread before it is needed."""


class SampledRow(Protocol):
    """What a row must offer. `forbidden_here` are the tokens that its next position must not take; `by_reference` says
    that transformers' processors decide alone: the measure of the other way."""

    pipeline: SamplerPipeline
    rng: RowRNG
    trace: Trace | None
    by_reference: bool

    @property
    def labels(self) -> Labels: ...

    @property
    def ids(self) -> Tensor:
        """Prompt and answer so far [length]."""
        ...

    @property
    def position(self) -> int:
        """How many tokens of the answer there are."""
        ...

    @property
    def forbidden_here(self) -> Collection[int]: ...


@dataclass(frozen=True, slots=True)
class Sampled:
    """A token, and what a Step says of it; `left` is False where no sampler left a candidate."""

    token: int
    stats: TokenStats
    left: bool = True
    stages: tuple[StageView, ...] | None = None


def prepare(rows: Sequence[SampledRow], size: int) -> None:
    """Begin to draw the noise of the next tokens over a vocabulary of this size.

    To be called as soon as it is known who takes part, where there is something else to do until then. One row alone
    draws faster by itself than another thread wakes up.
    """
    if _BESIDE is not None and len(rows) > 1:
        for row in rows:
            if not row.by_reference:
                row.rng.prepare(size, _BESIDE)


@torch.inference_mode()
def sample(rows: Sequence[SampledRow], raw: Tensor, unconditional: Tensor | None = None) -> list[Sampled | Exception]:
    """One token a row from scores [rows, vocab] and guidance's second ones; exactly what each row alone would get.

    A row that fails gives its error.
    """
    states = [None if in_numpy(raw) else row.rng.state() for row in rows]
    drawn: dict[int, Noise] = {}  # by rows that failed behind their draw
    found: list[Sampled | Exception | Future[Sampled | Exception] | None] = [None] * len(rows)
    seen = _surveyed(raw)
    for group in _groups(rows, raw):
        sampled: Sequence[Sampled | Exception | None] = [None] * len(group)
        try:
            sampled = _together(group, rows, raw, unconditional, seen, drawn)
        except Exception as error:  # noqa: BLE001 - whose fault it is, each row alone tells
            if len(group) == 1:
                sampled = [error]
            else:
                log.warning("Rows are sampled one by one: %s", type(error).__name__)
        for place, one in zip(group, sampled, strict=True):
            found[place] = one
            if one is None:
                rows[place].rng.rewind(states[place])
                second = None if unconditional is None else unconditional[place : place + 1]
                given = rows[place], raw[place : place + 1], second, seen[place], drawn.get(place)
                # It takes milliseconds, which another thread can spend while the other rows go on.
                beside = _BESIDE if len(rows) > 1 and in_numpy(raw) else None
                found[place] = _alone(*given) if beside is None else beside.submit(_alone, *given)
    return [one if isinstance(one, Sampled | Exception) else one.result() for one in found if one is not None]


def _groups(rows: Sequence[SampledRow], raw: Tensor) -> list[list[int]]:
    """The places of rows that are sampled together."""
    groups: dict[object, list[int]] = {}
    for place, row in enumerate(rows):
        # A CPU's cache holds one row's scores from stage to stage.
        key = place if in_numpy(raw) or _is_alone(row, raw) else row.pipeline.signature
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def _is_alone(row: SampledRow, raw: Tensor) -> bool:
    return row.trace is not None or row.by_reference or raw.dtype != torch.float32


def _together(
    group: list[int],
    rows: Sequence[SampledRow],
    raw: Tensor,
    unconditional: Tensor | None,
    seen: Sequence[Seen | None],
    drawn: dict[int, Noise],
) -> list[Sampled | None]:
    """None where no candidate is left, or the order of equal scores decides."""
    chosen = [rows[place] for place in group]
    if _is_alone(chosen[0], raw):
        return [None]
    if not in_numpy(raw):
        return _read(chosen, figures(chosen, group, raw, unconditional))
    candidates = _candidates(chosen, group, raw, unconditional)
    run(_stacked(chosen, raw.device), candidates)
    (place,), (row,) = group, chosen
    noise = row.rng.draw(raw.shape[1])
    if noise is not None:
        drawn[place] = noise
    if not usable(candidates.scores) or candidates.uncertain:
        return [None]
    if noise is None:
        token = int(candidates.scores[0].argmax())
    else:
        token = race(*candidates.contenders(), noise, candidates.exact)
    stats = _stats(row, raw[place : place + 1], token, candidates.chances, seen[place])
    shown = [token, *(one.token_id for one in stats.top)]
    return [Sampled(token, stats) if candidates.settled(shown) else None]


def _stacked(rows: Sequence[SampledRow], device: torch.device) -> list[tuple[str, Sampler]]:
    """The stages of these rows' pipelines, made once for a group that stays together."""
    first, *others = [row.pipeline for row in rows]
    if not others:
        return first.stages
    if first.companions is None or first.companions[0] != others:
        members = zip(*(row.pipeline.samplers for row in rows), strict=True)
        stages = [
            (name, stack(several, device)) for (name, _), several in zip(first.stages, members, strict=True)
        ]
        first.companions = others, stages
    return first.companions[1]


def _candidates(
    rows: Sequence[SampledRow],
    places: Sequence[int],
    raw: Tensor,
    unconditional: Tensor | None,
    *,
    strict: bool = False,
) -> Candidates:
    scores = _rows_of(raw, places)
    for at, row in enumerate(rows):
        if row.forbidden_here:
            scores = without(scores, at, row.forbidden_here)
    positions = [row.position for row in rows]
    return Candidates(
        scores,
        [row.ids for row in rows],
        unconditional=None if unconditional is None else _rows_of(unconditional, places),
        uniform=lambda at: rows[at].rng.uniform(positions[at]),
        strict=strict,
    )


def _rows_of(scores: Tensor, places: Sequence[int]) -> Tensor:
    if list(places) == list(range(places[0], places[-1] + 1)):
        return scores[places[0] : places[-1] + 1]
    return scores.index_select(0, sent(list(places), scores.device))


def figures(
    rows: Sequence[SampledRow], places: Sequence[int], raw: Tensor, unconditional: Tensor | None = None
) -> Tensor:
    """Hands a device everything there is to do for the rows at these places, and waits for nothing.

    Gives [rows, figures] in float64, which holds every id: the token, whether a candidate was left, the overview of the
    model's own scores, and the probabilities that the samplers left to the token and to the likeliest.
    """
    candidates = _candidates(rows, places, raw, unconditional)
    final, probabilities = run(_stacked(rows, raw.device), candidates), candidates.probabilities
    if any(row.rng.greedy for row in rows):
        best = torch.zeros_like(probabilities).scatter_(1, final.argmax(dim=-1, keepdim=True), 1.0)
        greedy = sent([[row.rng.greedy] for row in rows], raw.device)
        probabilities = torch.where(greedy, best, probabilities)
    tokens = draw(probabilities, [row.rng for row in rows])[:, None]
    left = final.amax(dim=-1, keepdim=True).isfinite()
    ids, view = overview(_rows_of(raw, places), tokens)
    after = probabilities.gather(1, torch.cat([tokens, ids], dim=1))
    return torch.cat([one.double() for one in (tokens, left, view, after)], dim=1)


def _read(rows: Sequence[SampledRow], fetched: Tensor) -> list[Sampled | None]:
    """What a device has worked out, in one copy; None where no candidate is left."""
    found: list[Sampled | None] = []
    for row, (token, candidates, *rest) in zip(rows, fetched.tolist(), strict=True):
        shown = (len(rest) - 4) // 3  # four figures of the token; of each of the likeliest id, share and chance
        stats = token_stats(view_of(rest[: -1 - shown]), rest[-1 - shown :], row.labels)
        found.append(Sampled(int(token), stats) if candidates else None)
    return found


@torch.inference_mode()
def _alone(
    row: SampledRow, raw: Tensor, unconditional: Tensor | None, seen: Seen | None, noise: Noise | None
) -> Sampled | Exception:
    """One row by itself: where no candidate is left, the last that a sampler left."""
    try:
        pipeline, left = row.pipeline, True
        one = _candidates([row], [0], raw, unconditional, strict=True)
        final = pipeline.reference(one) if row.by_reference else pipeline.apply(one, row.trace)
        stages = None if row.trace is None else row.trace.views()
        if not usable(final):
            final, left = pipeline.last_resort(_candidates([row], [0], raw, unconditional, strict=True)), False
        probabilities = final.softmax(dim=-1)
        token = int(final.argmax()) if row.rng.greedy else _drawn(row, probabilities, noise)
        stats = _stats(row, raw, token, lambda ids: probabilities[0, list(ids)].tolist(), seen)
        return Sampled(token, stats, left, stages)
    except Exception as error:  # noqa: BLE001 - one row's failure is its own
        return error


def _drawn(row: SampledRow, probabilities: Tensor, noise: Noise | None) -> int:
    if row.by_reference or probabilities.dtype != torch.float32:
        return row.rng.multinomial(probabilities)
    if noise is None and in_numpy(probabilities):
        noise = row.rng.draw(probabilities.shape[1])
    if noise is None:
        return int(draw(probabilities, [row.rng]))
    chances = probabilities[0].numpy()
    ids = np.flatnonzero(chances > 0)
    return race(ids, chances[ids], noise, lambda: chances)


def _stats(
    row: SampledRow, raw: Tensor, token: int, chances: Callable[[Sequence[int]], list[float]], seen: Seen | None
) -> TokenStats:
    if row.rng.greedy:
        return describe(raw, token, lambda ids: [float(one == token) for one in ids], row.labels, seen)
    return describe(raw, token, chances, row.labels, seen)


def without(scores: Tensor, row: int, forbidden: Collection[int]) -> Tensor:
    """The scores [R, vocab] with these tokens of one row ruled out."""
    scores = scores.clone()
    scores[row, list(forbidden)] = -torch.inf
    return scores


def _surveyed(raw: Tensor) -> list[Seen | None]:
    try:
        return survey(raw)
    except Exception as error:  # noqa: BLE001 - it only saves time
        log.warning("Scores are surveyed row by row: %s", type(error).__name__)
        return [None] * len(raw)
