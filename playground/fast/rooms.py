"""Slots by the length of what they hold: whoever writes a short text never steps over the length of another's.

All slots of a room are equally long, and a step attends to all of it. Knows no row and no model.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence

from playground.fast.job import Job, Seat
from playground.fast.seating import Seating
from playground.fast.slots import LONG, Shape, Slots, longer

_KEPT = 4  # slots that stay for whoever begins alike: the same prompt is often asked again
_KEPT_LONG = 1  # the same of each size of long ones
_SHARE = 8  # while nobody runs, no more than this part of the memory stays in use


class Rooms:
    """`memory` bounds the bytes of all slots."""

    def __init__(self, shape: Shape, memory: int) -> None:
        self.shape = shape
        self._memory = memory
        self._rooms: dict[int, Seating] = {}

    def bytes_for(self, jobs: Iterable[Job]) -> int:
        """What the sequences of these take once they are as long as they may become, the spare position included."""
        seats: dict[int, int] = {}
        longest: dict[int, int] = {}
        for job in jobs:
            size = _size(job.longest + 1)
            seats[size] = seats.get(size, 0) + job.seats
            longest[size] = max(longest.get(size, 0), longer(job.longest + 1))
        return sum(seats[size] * longest[size] for size in seats) * self.shape.position_bytes

    def take(self, seat: Seat, more: int = 1) -> Seating:
        """The room of this seat: its slot has place for what it holds, and for `more` tokens behind what it has read.

        What an earlier or a present sequence begins with need not be read; whoever has outgrown a room moves.
        """
        size = _size(max(len(seat.tokens), seat.cached + more) + 1)
        if seat.slot >= 0 and size <= seat.room:
            return self._rooms[seat.room]
        if size not in self._rooms:
            self._rooms[size] = Seating(self.shape, _KEPT if size == LONG else _KEPT_LONG)
        room = self._rooms[size]
        if seat.slot >= 0:
            self._move(seat, room)
        else:
            self._seat(seat, room, size)
        seat.room = size
        return room

    def leave(self, seat: Seat) -> None:
        if seat.slot >= 0:
            self._rooms[seat.room].leave(seat)

    def together(self, seats: Sequence[Seat]) -> Iterator[tuple[Seating, list[Seat]]]:
        """These seats by their rooms."""
        for size in sorted({seat.room for seat in seats}):
            yield self._rooms[size], [seat for seat in seats if seat.room == size]

    def rest(self) -> None:
        """Nobody runs: give back all but a few slots."""
        left = self._memory // _SHARE
        for size in sorted(self._rooms):
            left -= self._rooms[size].rest(left)

    @property
    def slots(self) -> list[Slots]:
        """The slots of all rooms."""
        return [room.slots for room in self._rooms.values()]

    @property
    def empty(self) -> bool:
        """Whether everybody has left."""
        return all(room.has_left(seat) for room in self._rooms.values() for seat in room.seats)

    def _seat(self, seat: Seat, room: Seating, size: int) -> None:
        alike = max((one for other in self._rooms.values() for one in other.seats), key=seat.agrees, default=None)
        same = 0 if alike is None else seat.agrees(alike)
        if alike is not None and same and alike.room == size and room.has_left(alike):
            room.replace(alike, seat)
        else:
            room.grow(same)
            room.claim(seat)
            if alike is not None and same:
                room.slots.copy(self._rooms[alike.room].slots, alike.slot, seat.slot, same)
        seat.cached = same

    def _move(self, seat: Seat, room: Seating) -> None:
        """Into another room, with all that was read; what it leaves behind stays readable there."""
        before, left = self._rooms[seat.room], copy.copy(seat)
        left.tokens = seat.tokens[: seat.cached]
        room.grow(seat.cached)
        room.claim(seat)
        before.stay(left)
        room.slots.copy(before.slots, left.slot, seat.slot, seat.cached)


def _size(positions: int) -> int:
    """The size of the room for so many: 1024, 2048, 4096 …"""
    size = LONG
    while size < positions:
        size *= 2
    return size
