"""All rows of one request: the prompt is read once, rows grow together, and leave when they are finished.

Rows of one length form a group with one cache. A row that steps back goes on in a group of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.decoding.keep import KeptRun
from playground.decoding.lane import Lane, NegativeLane
from playground.decoding.lanes import open_lane
from playground.decoding.prefill import prefill
from playground.decoding.row import Row, Setting, advance
from playground.decoding.turns import Turns
from playground.sampling.step import prepare
from playground.types import Step


@dataclass(slots=True)
class _Group:
    """Rows of one length. `ids` [rows, length] is prompt and generated tokens; the lanes lack the last of them."""

    rows: list[Row]
    ids: Tensor
    lane: Lane
    negative: NegativeLane | None


class Batch:
    """Runs rows to their end. Every model step waits for its turn, so several batches share a model fairly."""

    def __init__(
        self,
        model: Any,
        turns: Turns,
        rows: list[Row],
        setting: Setting,
        negative: Tensor | None,
        kept: KeptRun | None = None,
    ) -> None:
        self._model = model
        self._turns = turns
        self._rows = rows
        self._setting = setting
        self._negative = negative
        self._kept = kept

    def run(self) -> Iterator[Step]:
        """Steps of all rows, a token at a time. Closing it drops the caches; nothing is held between two tokens.

        It ends without more Steps where the request is cancelled while a prompt is read.
        """
        self._setting.begin()
        try:
            groups = deque([self._start()])
            while groups:
                group = groups.popleft()
                try:
                    raw, unconditional = self._scores(group)
                except Exception as error:  # noqa: BLE001 - told to the readers of the rows whose fault it is
                    yield from self._failed(group, error, groups)
                    continue
                if raw is not None:
                    yield from self._pick(group, raw, unconditional, groups)
                elif self._setting.cancelled.is_set():
                    return
                else:
                    yield from [row.time_is_up() for row in group.rows]
                raw = unconditional = None
        finally:
            if self._kept is not None:
                self._kept.close()

    def _failed(self, group: _Group, error: Exception, groups: deque[_Group]) -> list[Step]:
        """A pass that failed is made again for each row by itself, with caches read anew: this one may be half written.

        What fails then, or over the prompt that all rows share, ends its rows.
        """
        if len(group.rows) == 1 or not group.rows[0].tokens:
            return [row.fail(error) for row in group.rows]
        for row in group.rows:
            generated = torch.tensor([row.tokens], dtype=torch.long, device=group.ids.device)
            lane = group.lane.anew(generated[:, :-1])
            negative = None if group.negative is None else group.negative.anew(generated[:, :-1])
            groups.append(_Group([row], torch.cat([self._setting.prompt, generated], dim=1), lane, negative))
        return []

    def _start(self) -> _Group:
        """All rows behind a prompt that nobody has read yet."""
        negative = None if self._negative is None else NegativeLane(self._model, self._negative)
        prompt = self._setting.prompt
        return _Group(list(self._rows), prompt.expand(len(self._rows), -1), open_lane(self._model, prompt), negative)

    @torch.inference_mode()
    def _scores(self, group: _Group) -> tuple[Tensor | None, Tensor | None]:
        """The scores of the next token of each row, and guidance's second ones; None where it was halted before."""
        begins = not group.rows[0].tokens  # what follows the prompt is all that there is to know
        found: list[Tensor | None] = []
        for lane in (group.lane, group.negative):
            if lane is None or not lane.left:
                found.append(None)
                continue
            scores = prefill(lane, self._turns, self._setting.cancelled.is_set, self._setting.expired)
            if scores is None:
                return None, None
            lane.select([0] * len(group.rows))
            found.append(scores.expand(len(group.rows), -1))
        if begins:
            return found[0], found[1]
        with self._turns:
            raw = group.lane.step(group.ids[:, -1])
            unconditional = None if group.negative is None else group.negative.step(group.ids[:, -1])
        return raw, unconditional

    @torch.inference_mode()
    def _pick(self, group: _Group, raw: Tensor, unconditional: Tensor | None, groups: deque[_Group]) -> list[Step]:
        """One token for every row; what is left of the group, and rows that stepped back, are appended to `groups`."""
        prepare(group.rows, raw.shape[-1])
        kept = [None if self._kept is None else self._kept.rows[row.index] for row in group.rows]
        for place, (row, keeper) in enumerate(zip(group.rows, kept, strict=True)):
            if keeper is not None:
                one = slice(place, place + 1)
                second = None if unconditional is None else unconditional[one]
                keeper.put(len(row.tokens), raw[one], second, group.lane.dtype, row.rng.state())
        steps = advance(group.rows, raw, unconditional)
        staying = []
        for place, (row, keeper, step) in enumerate(zip(group.rows, kept, steps, strict=True)):
            if keeper is not None:
                keeper.settle(step, row.forbidden)
            if row.finish is not None:
                continue
            if step.retract:
                groups.append(self._alone(group, place))
            else:
                staying.append(place)
        if staying:
            groups.append(self._remaining(group, staying))
        return steps

    def _remaining(self, group: _Group, staying: list[int]) -> _Group:
        rows = [group.rows[place] for place in staying]
        if len(rows) < len(group.rows):
            group.lane.select(staying)
            if group.negative is not None:
                group.negative.select(staying)
        last = torch.tensor([[row.tokens[-1]] for row in rows], device=group.ids.device)
        ids = group.ids if len(rows) == len(group.rows) else group.ids[staying]
        return _Group(rows, torch.cat([ids, last], dim=1), group.lane, group.negative)

    def _alone(self, group: _Group, place: int) -> _Group:
        """A group of this row alone, with its caches cut back to what is still true of it."""
        row = group.rows[place]
        generated = torch.tensor([row.tokens], dtype=torch.long, device=group.ids.device)
        lane = group.lane.split(place, generated[:, :-1])
        negative = None if group.negative is None else group.negative.split(place, generated[:, :-1])
        return _Group([row], torch.cat([self._setting.prompt, generated], dim=1), lane, negative)
