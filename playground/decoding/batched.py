"""The next token of many rows on a device that is not to be asked between two stages: a GPU.

Rows whose chains have the same stages go through them as one; every row draws from its own luck; one copy brings back
all tokens, and what there is to say of them. What cannot be done so, each row does by itself. Knows no model.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.decoding.describe import overview, sight, view_of
from playground.decoding.row import Choice, Pick, Row
from playground.decoding.transfer import sent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Launched:
    """Picks under way: of these rows, named by their places, the figures [rows, …] that the device works out.

    `states` is where each row's luck stood before.
    """

    places: list[int]
    figures: Tensor
    states: list[Tensor | None]

    def read(self, rows: Sequence[Row]) -> dict[int, Pick]:
        """The picks by their rows' places. Where no candidate was left, the row's luck stands where it stood: its own
        chain has to say what becomes of it."""
        found: dict[int, Pick] = {}
        for place, told, state in zip(self.places, self.figures.tolist(), self.states, strict=True):
            token, left, *rest = told
            if not left:
                rows[place].luck.rewind(state)
                continue
            shown = (len(rest) - 4) // 3  # four figures of the token; of each of the likeliest id, share and chance
            view, chances = view_of(rest[: -1 - shown]), rest[-1 - shown :]
            found[place] = Pick(int(token), sight(view, chances, rows[place].labels))
        return found


def choose(rows: Sequence[Row], raw: Tensor, unconditional: Tensor | None = None) -> list[Choice]:
    """What every row's own `choose` gives of scores [rows, vocab], and of guidance's second ones."""
    states = [row.luck.state() for row in rows]
    try:
        launched = launch(rows, raw)
        found = {} if launched is None else launched.read(rows)
    except Exception as error:  # noqa: BLE001 - whose fault it is, each row's own chain tells
        log.warning("Rows are picked one by one: %s", type(error).__name__)
        found = {}
        for row, state in zip(rows, states, strict=True):
            row.luck.rewind(state)
    choices: list[Choice] = []
    for place, row in enumerate(rows):
        one = slice(place, place + 1)
        second = None if unconditional is None else unconditional[one]
        choices.append(found[place] if place in found else row.choose(raw[one], second))
    return choices


@torch.inference_mode()
def launch(rows: Sequence[Row], raw: Tensor) -> Launched | None:
    """Hands the device everything there is to do for these rows, and waits for nothing. None where there is nothing."""
    places: list[int] = []
    given, final = [], []
    for group in _groups(rows) if raw.dtype == torch.float32 else ():
        some = raw if group == list(range(len(raw))) else raw.index_select(0, sent(group, raw.device))
        try:
            left = _through([rows[place] for place in group], some)
        except Exception:  # noqa: BLE001, S112 - whose fault it is, each row's own chain tells
            continue
        places += group
        given.append(some)
        final.append(left)
    if not places:
        return None
    chosen = [rows[place] for place in places]
    states = [row.luck.state() for row in chosen]
    return Launched(places, _figures(chosen, torch.cat(given), torch.cat(final)), states)


def _groups(rows: Sequence[Row]) -> list[list[int]]:
    """The places of rows that may run as one."""
    groups: dict[object, list[int]] = {}
    for place, row in enumerate(rows):
        if row.alike is not None:
            groups.setdefault(row.alike, []).append(place)
    return list(groups.values())


def _through(rows: Sequence[Row], scores: Tensor) -> Tensor:
    """The scores [rows, vocab] that the stages leave; all these rows have the same."""
    ids = [row.ids for row in rows]
    for twin, links in zip(rows[0].alike or (), zip(*(row.links for row in rows), strict=True), strict=True):
        scores = twin(links, ids, scores)
    return scores


def _figures(rows: Sequence[Row], raw: Tensor, final: Tensor) -> Tensor:
    """In float64, which holds every id: the token, whether a candidate was left, the overview of the model's own
    scores, and the probabilities that the chain left to the token and to the likeliest."""
    chances = final.softmax(dim=-1)
    size = raw.shape[1]
    if any(row.luck.greedy for row in rows):
        best = torch.zeros_like(chances).scatter_(1, final.argmax(dim=-1, keepdim=True), 1.0)
        chances = torch.where(sent([[row.luck.greedy] for row in rows], raw.device), best, chances)
    even = torch.ones((1, size), device=raw.device)
    noise = torch.cat([even if row.luck.greedy else row.luck.noise(size) for row in rows])
    tokens = (chances / noise).argmax(dim=-1, keepdim=True)
    left = final.amax(dim=-1, keepdim=True).isfinite()
    ids, view = overview(raw, tokens)
    after = chances.gather(1, torch.cat([tokens, ids], dim=1))
    return torch.cat([one.double() for one in (tokens, left, view, after)], dim=1)
