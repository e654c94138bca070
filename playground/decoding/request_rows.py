"""All rows of one request: one prefill, then a token a step for all rows; a row leaves when it is finished.

Rows of one length form a group with one cache. A row that steps back goes on in a group of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.decoding.fair_lock import FairLock
from playground.decoding.kv_sequence import KVSequence, UnconditionalSequence
from playground.decoding.prefill import prefill
from playground.decoding.row import Row, Setting, advance
from playground.decoding.run_store import StoredRun
from playground.decoding.sequences import open_sequence
from playground.sampling.step import prepare
from playground.types import Step


@dataclass(slots=True)
class _Group:
    """Rows of one length. `ids` [rows, length] is prompt and generated tokens; the sequences lack the last of them."""

    rows: list[Row]
    ids: Tensor
    sequence: KVSequence
    negative: UnconditionalSequence | None


class RequestRows:
    """Runs rows to their end. Every model step waits for its turn, so several batches share a model fairly."""

    def __init__(
        self,
        model: Any,
        lock: FairLock,
        rows: list[Row],
        setting: Setting,
        negative: Tensor | None,
        stored: StoredRun | None = None,
    ) -> None:
        self._model = model
        self._lock = lock
        self._rows = rows
        self._setting = setting
        self._negative = negative
        self._stored = stored

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
                except Exception as error:  # noqa: BLE001 - sent to the readers of the rows whose fault it is
                    yield from self._failed(group, error, groups)
                    continue
                if raw is not None:
                    yield from self._draw(group, raw, unconditional, groups)
                elif self._setting.cancelled.is_set():
                    return
                else:
                    yield from [row.end_by_time() for row in group.rows]
                raw = unconditional = None
        finally:
            if self._stored is not None:
                self._stored.close()

    def _failed(self, group: _Group, error: Exception, groups: deque[_Group]) -> list[Step]:
        """A pass that failed is made again for each row by itself, with new caches: this one may be half written.

        What fails then, or over the prompt that all rows share, ends its rows.
        """
        if len(group.rows) == 1 or not group.rows[0].tokens:
            return [row.fail(error) for row in group.rows]
        for row in group.rows:
            generated = torch.tensor([row.tokens], dtype=torch.long, device=group.ids.device)
            sequence = group.sequence.restarted(generated[:, :-1])
            negative = None if group.negative is None else group.negative.restarted(generated[:, :-1])
            groups.append(_Group([row], torch.cat([self._setting.prompt, generated], dim=1), sequence, negative))
        return []

    def _start(self) -> _Group:
        """All rows, with a prompt that is not read yet."""
        negative = None if self._negative is None else UnconditionalSequence(self._model, self._negative)
        prompt = self._setting.prompt
        return _Group(
            list(self._rows), prompt.expand(len(self._rows), -1), open_sequence(self._model, prompt), negative
        )

    @torch.inference_mode()
    def _scores(self, group: _Group) -> tuple[Tensor | None, Tensor | None]:
        """The scores of the next token of each row, and guidance's second ones; None where it was halted before."""
        begins = not group.rows[0].tokens  # the scores that follow the prompt are all that is needed
        found: list[Tensor | None] = []
        for sequence in (group.sequence, group.negative):
            if sequence is None or not sequence.left:
                found.append(None)
                continue
            scores = prefill(sequence, self._lock, self._setting.cancelled.is_set, self._setting.expired)
            if scores is None:
                return None, None
            sequence.select([0] * len(group.rows))
            found.append(scores.expand(len(group.rows), -1))
        if begins:
            return found[0], found[1]
        with self._lock:
            raw = group.sequence.step(group.ids[:, -1])
            unconditional = None if group.negative is None else group.negative.step(group.ids[:, -1])
        return raw, unconditional

    @torch.inference_mode()
    def _draw(self, group: _Group, raw: Tensor, unconditional: Tensor | None, groups: deque[_Group]) -> list[Step]:
        """One token for every row; what is left of the group, and rows that stepped back, are appended to `groups`."""
        prepare(group.rows, raw.shape[-1])
        stored_rows = [None if self._stored is None else self._stored.rows[row.index] for row in group.rows]
        for place, (row, stored) in enumerate(zip(group.rows, stored_rows, strict=True)):
            if stored is not None:
                one = slice(place, place + 1)
                second = None if unconditional is None else unconditional[one]
                stored.put(len(row.tokens), raw[one], second, group.sequence.dtype, row.rng.state())
        steps = advance(group.rows, raw, unconditional)
        staying = []
        for place, (row, stored, step) in enumerate(zip(group.rows, stored_rows, steps, strict=True)):
            if stored is not None:
                stored.record(step, row.forbidden)
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
            group.sequence.select(staying)
            if group.negative is not None:
                group.negative.select(staying)
        last = torch.tensor([[row.tokens[-1]] for row in rows], device=group.ids.device)
        ids = group.ids if len(rows) == len(group.rows) else group.ids[staying]
        return _Group(rows, torch.cat([ids, last], dim=1), group.sequence, group.negative)

    def _alone(self, group: _Group, place: int) -> _Group:
        """A group of this row alone, with its caches cut back to what is still true of it."""
        row = group.rows[place]
        generated = torch.tensor([row.tokens], dtype=torch.long, device=group.ids.device)
        sequence = group.sequence.split(place, generated[:, :-1])
        negative = None if group.negative is None else group.negative.split(place, generated[:, :-1])
        return _Group([row], torch.cat([self._setting.prompt, generated], dim=1), sequence, negative)
