"""The next token of rows whose prompts are read: one pass for all of them, or several tokens of one that has guessed.

What fails is tried again for each row by itself, so that only the row whose fault it is ends. Knows no waiting request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from playground.decoding.row import advance
from playground.decoding.turns import Turns
from playground.fast.job import Live, Seat
from playground.fast.net import Net
from playground.fast.rooms import Rooms
from playground.fast.seating import Seating
from playground.fast.slots import LONG
from playground.sampling.step import prepare
from playground.sampling.transfer import fetched, sent
from playground.types import Step

_COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # rows of a step: few shapes, each compiled once
Scored = tuple[list[Live], Tensor, Tensor | None]
"""Rows with their scores [rows, vocab], and guidance's second ones where they have them."""


class Steps:
    """`advance` gives rows their tokens and tells their readers; `leave` is called with each that has ended."""

    def __init__(self, net: Net, rooms: Rooms, turns: Turns, leave: Callable[[Live], None]) -> None:
        self._net = net
        self._rooms = rooms
        self._turns = turns
        self._leave = leave
        self._told: set[int] = set()  # rows that have got their Step in this round
        self._width = 0  # of the scores; known after the first step

    def advance(self, lives: Sequence[Live]) -> None:
        """A token for each of these rows; several for one that is alone and has guessed them. Raises nothing."""
        self._told.clear()
        try:
            self._advance(lives)
        except Exception as error:  # noqa: BLE001 - told to the readers; the thread has others to step
            self._fail_untold(lives, error)

    def _advance(self, lives: Sequence[Live]) -> None:
        if len(lives) == 1 and (guesses := lives[0].guesses()):
            self._check(lives[0], guesses)
            return
        if self._width:
            prepare([live.row for live in lives], self._width)
        for some, raw, second in self._scored(lives):
            self._width = raw.shape[-1]
            try:
                self._settle(some, raw, second)
            except Exception as error:  # noqa: BLE001 - as above
                self._fail_untold(some, error)

    def fail(self, live: Live, error: Exception) -> None:
        """The row ends with what went wrong, and no other."""
        told = len(live.seat.tokens) - live.job.setting.prompt.shape[1]
        self.tell(live, live.row.fail(error, told))

    def tell(self, live: Live, step: Step) -> None:
        self._told.add(id(live))
        if live.kept is not None:
            live.kept.settle(step, live.row.forbidden)
        live.settle(step)
        live.job.told.put(step)
        if live.row.finish is not None:
            self._leave(live)

    def _fail_untold(self, lives: Sequence[Live], error: Exception) -> None:
        """What fails outside of a row's own chain ends the rows whose readers were told nothing."""
        for live in lives:
            if id(live) not in self._told:
                self.fail(live, error)

    def _scored(self, lives: Sequence[Live]) -> list[Scored]:
        """The scores of all these rows; where the pass fails, of each by itself, and those that fail again end."""
        try:
            return self._scores(lives)
        except Exception as error:  # noqa: BLE001 - whose fault it is, each row by itself tells
            if len(lives) == 1:
                self.fail(lives[0], error)
                return []
        found: list[Scored] = []
        for live in lives:
            try:
                found += self._scores([live])
            except Exception as error:  # noqa: BLE001 - told to its reader
                self.fail(live, error)
        return found

    def _scores(self, lives: Sequence[Live]) -> list[Scored]:
        """Nothing is changed where this raises: what a pass has written, the next one writes again."""
        guided = [live for live in lives if live.second is not None]
        plain = [live for live in lives if live.second is None]
        first = [live.seat for live in plain + guided]
        seats = first + [live.second for live in guided if live.second is not None]
        for seat in seats:
            self._rooms.take(seat)
        parts = [(some, self._pass(room, some)) for room, some in self._rooms.together(seats)]
        if len(parts) == 1 and parts[0][0] == seats:
            scores = parts[0][1]
        else:
            rows = {id(seat): row for some, part in parts for seat, row in zip(some, part, strict=False)}
            scores = torch.stack([rows[id(seat)] for seat in seats])
        for seat in seats:
            seat.cached += 1
        split, count = len(plain), len(first)
        found: list[Scored] = [(plain, scores[:split], None)] if plain else []
        return [*found, (guided, scores[split:count], scores[count : count + len(guided)])] if guided else found

    def _pass(self, room: Seating, seats: list[Seat]) -> Tensor:
        """The scores [seats or more, vocab] after each seat's last token; the seats are all of one room."""
        count = rows_of_step(len(seats)) if room.slots.length <= LONG else len(seats)
        room.arrange(seats, count)
        room.grow(max(seat.cached for seat in seats) + 1)
        slots, spare = room.slots, count - len(seats)
        # Rows that only fill up the shape write where nobody ever reads.
        tokens = [seat.tokens[-1] for seat in seats] + [0] * spare
        positions = [seat.cached for seat in seats] + [slots.length - 1] * spare
        given = sent([tokens, positions], slots.shape.device)
        with self._turns:
            return self._net.step(slots, given[0], given[1])

    def _settle(self, lives: Sequence[Live], raw: Tensor, unconditional: Tensor | None) -> None:
        if any(live.kept is not None for live in lives):
            kept = fetched(raw, self._net.dtype)
            for place, live in enumerate(lives):
                one = slice(place, place + 1)
                self._keep(live, kept[one], None if unconditional is None else unconditional[one])
        for live, step in zip(lives, advance([live.row for live in lives], raw, unconditional), strict=True):
            self.tell(live, step)

    def _check(self, live: Live, guesses: list[int]) -> None:
        """One pass over what was guessed: tokens as long as the row picks just these, and the one it picks then.

        Every token is picked by the row's own chain and luck from the scores after those before it, so a guess decides
        how long the text takes and never what it says.
        """
        seat = live.seat
        room = self._rooms.take(seat, 1 + len(guesses))
        room.grow(seat.cached + 1 + len(guesses))
        with self._turns:
            tokens = torch.tensor([seat.tokens[-1], *guesses], device=room.slots.shape.device)
            scores = self._net.check(room.slots, seat.slot, tokens, seat.cached)
        for place, guessed in enumerate((*guesses, None)):
            raw = scores[place : place + 1]
            seat.cached += 1
            self._keep(live, raw, None)
            step = live.row.advance(raw)
            right = guessed is not None and guessed == step.token_id and not step.retract
            proposed = 0 if place else len(guesses)
            self.tell(live, replace(step, proposed=proposed, accepted=int(right)))
            if not right or step.finish is not None:
                return

    def _keep(self, live: Live, raw: Tensor, unconditional: Tensor | None) -> None:
        if live.kept is not None:
            dtype = self._net.dtype
            second = None if unconditional is None else unconditional.to(dtype)
            live.kept.put(len(live.row.tokens), raw, second, dtype, live.row.rng.state())


def rows_of_step(rows: int) -> int:
    """The rows of the step that so many take part in; those beyond them only fill it up."""
    return next((count for count in _COUNTS if count >= rows), rows)
