"""Prompts on their way into the slots: pieces of them between two steps, so large as time allows.

Knows no chain and no reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from playground.decoding.fair_lock import FairLock
from playground.fast.job import Live, Seat
from playground.fast.net import Net
from playground.fast.rooms import Rooms
from playground.fast.slots import longer

Piece = tuple[Live, Seat, list[int]]
"""A row, one of its seats, and what is to be read there next."""
Fail = Callable[[Live, Exception], None]
CHUNK = 128  # tokens of a piece at most between two steps, which then take about as long: a reader hardly notices
WHOLE = 512  # the same where nobody steps
_FIRST, _LEAST = 32, 16  # tokens of the first piece, and of every other
_BESIDE_S, _ALONE_S = 0.15, 0.25  # what a piece may take, where somebody waits for its end and where nobody does
_OLDEST = 4  # one piece in so many is of the prompt that came first, the others of the shortest


class Prompts:
    """`read` takes one pass; `due` says whether it is its turn beside rows that step: they get as much time."""

    def __init__(self, net: Net, rooms: Rooms, lock: FairLock) -> None:
        self._net = net
        self._rooms = rooms
        self._lock = lock
        self._token_s: float | None = None  # what a token took, as the last passes did
        self._owed = 0.0  # seconds that rows may step before the next piece of a long prompt
        self._passes = 0

    def due(self, *, stepping: bool) -> bool:
        return not stepping or self._owed <= 0

    def stepped(self, seconds: float) -> None:
        self._owed -= seconds

    def read(self, unread: Sequence[Live], fail: Fail, *, stepping: bool) -> None:
        """Reads on in these rows' prompts; `fail` is told of rows that cannot be read, and they alone."""
        pieces = self._pieces(self._ordered(unread), self._most(stepping=stepping), fail)
        if not pieces:
            return
        long = any(seat.unread - len(piece) > 1 for _, seat, piece in pieces)
        try:
            self._pass(pieces, behind=long and not stepping)
        except Exception as error:  # noqa: BLE001 - whose fault it is, each piece by itself tells
            if len(pieces) == 1:
                fail(pieces[0][0], error)
                return
            for piece in pieces:
                if piece[0].row.finish is not None:  # its other seat has failed
                    continue
                try:
                    self._pass([piece], behind=False)
                except Exception as own:  # noqa: BLE001 - told to its reader
                    fail(piece[0], own)

    def _ordered(self, unread: Sequence[Live]) -> list[Live]:
        """Those who are watched first, and of them those who need least; from time to time whoever came first."""
        self._passes += 1
        if self._passes % _OLDEST == 0:
            return sorted(unread, key=lambda live: not live.job.watched)
        return sorted(unread, key=lambda live: (not live.job.watched, sum(seat.unread for seat in live.seats)))

    def _most(self, *, stepping: bool) -> int:
        """Tokens of the next pass."""
        if self._token_s is None:
            return _FIRST
        beside = stepping or self._lock.waiting > 0
        fitting = (_BESIDE_S if beside else _ALONE_S) / self._token_s
        most = CHUNK if beside else WHOLE
        while most > max(fitting, _LEAST):
            most //= 2
        return max(most, _LEAST)

    def _pieces(self, unread: Sequence[Live], most: int, fail: Fail) -> list[Piece]:
        """What to read in one pass: about so many tokens, of the first rows first. What one reads for another waits."""
        found: list[Piece] = []
        for live in unread:
            for seat in live.seats:
                if seat.unread < 2 or live.row.finish is not None or any(seat.follows(one) for _, one, _ in found):
                    continue
                try:
                    self._rooms.take(seat)  # and with it what another slot has read already
                except Exception as error:  # noqa: BLE001 - for want of memory; told to its reader
                    fail(live, error)
                    continue
                piece = seat.tokens[seat.cached : min(seat.cached + most, len(seat.tokens) - 1)]
                longest = max([len(piece), *(len(other) for _, _, other in found)])
                alike = not found or (found[0][1].room == seat.room and (len(found) + 1) * longest <= most)
                if piece and alike:
                    found.append((live, seat, piece))
        return [one for one in found if one[0].row.finish is None]

    def _pass(self, pieces: Sequence[Piece], *, behind: bool) -> None:
        """One pass over these pieces, in a turn behind those who step elsewhere, or as one of them."""
        seats = [seat for _, seat, _ in pieces]
        room = self._rooms.take(seats[0])
        if len(seats) > 1:  # one alone is read where it sits
            room.arrange(seats, len(seats))
        end = max(seat.cached + len(piece) for _, seat, piece in pieces)
        room.grow(end)
        length = min(longer(end + 1), room.slots.length)
        longest = max(len(piece) for _, _, piece in pieces)
        # What only fills up the shape is written where nobody ever reads.
        spare = [longest - len(piece) for _, _, piece in pieces]
        tokens = [piece + [0] * left for (_, _, piece), left in zip(pieces, spare, strict=True)]
        positions = [
            [*range(seat.cached, seat.cached + len(piece)), *[length - 1] * left]
            for (_, seat, piece), left in zip(pieces, spare, strict=True)
        ]
        given = torch.tensor([tokens, positions], device=room.slots.shape.device)

        def fill() -> None:
            began = time.perf_counter()
            self._net.fill(room.slots, seats[0].slot, given[0], given[1])
            took = time.perf_counter() - began
            self._owed = took if behind or any(seat.unread - len(piece) > 1 for _, seat, piece in pieces) else 0.0
            each = took / (longest * len(pieces))  # grows with what stands before, so the last one counts most
            self._token_s = each if self._token_s is None else max(each, 0.5 * (self._token_s + each))

        if behind:
            with self._lock.chunk(lambda: all(live.job.cancelled.is_set() for live, _, _ in pieces)) as acquired:
                if not acquired:
                    return
                fill()
        else:
            with self._lock:
                fill()
        for _, seat, piece in pieces:
            seat.cached += len(piece)
