"""Who sits in which slot. A sequence that has left stays readable until its slot is needed: the next may begin alike.

Knows no row and no model.
"""

from __future__ import annotations

from playground.fast.job import Seat
from playground.fast.slots import Shape, Slots, longer

_KEPT = 4  # slots that stay while nobody runs: the same prompt is often asked again


class Seating:
    """`take` gives a seat its slot, with what another slot has read of the same beginning; `leave` frees it."""

    def __init__(self, shape: Shape) -> None:
        self.slots = Slots(shape)
        self._sitting: list[Seat] = []  # by slot
        self._gone: list[Seat] = []  # those of them that have left, the longest gone first

    def bytes_for(self, seats: int, longest: int) -> int:
        """What so many sequences of this length take, the spare position included."""
        return seats * longer(longest + 1) * self.slots.shape.position_bytes

    def take(self, seat: Seat) -> None:
        """A slot for this seat, if it has none. What an earlier or a present sequence begins with need not be read."""
        if seat.slot >= 0:
            return
        alike = max(self._sitting, key=seat.agrees, default=None)
        same = 0 if alike is None else seat.agrees(alike)
        if alike is not None and same and alike in self._gone:
            self._gone.remove(alike)
            self._sit(seat, alike.slot)
        elif len(self._gone) > _KEPT:
            self._sit(seat, self._gone.pop(0).slot)
        else:
            self._sitting.append(seat)
            self._sit(seat, len(self._sitting) - 1)
            self.slots.fit(max(self.slots.count, len(self._sitting)), max(self.slots.length, 1))
        if alike is not None and same and alike.slot != seat.slot:
            self.slots.copy(alike.slot, seat.slot, same)
        seat.cached = same

    def leave(self, seat: Seat) -> None:
        if seat.slot >= 0 and self._sitting[seat.slot] is seat and seat not in self._gone:
            self._gone.append(seat)

    def arrange(self, seats: list[Seat], count: int) -> None:
        """These seats in the first slots, in this order, and room for `count` slots."""
        self.slots.fit(max(self.slots.count, count), max(self.slots.length, 1))
        for slot, seat in enumerate(seats):
            if seat.slot != slot:
                other = self._sitting[slot]
                self.slots.swap(slot, seat.slot, max(seat.cached, other.cached))
                self._sitting[slot], self._sitting[seat.slot] = seat, other
                seat.slot, other.slot = slot, seat.slot

    def grow(self, positions: int) -> None:
        """Room for so many positions, and one more that nobody reads."""
        if positions + 1 > self.slots.length:
            self.slots.fit(max(self.slots.count, len(self._sitting)), positions + 1)

    def rest(self) -> None:
        """Nobody runs: give back all but a few slots."""
        for seat in self._sitting[_KEPT:]:
            self._gone.remove(seat)
        del self._sitting[_KEPT:]
        if self._sitting:
            self.slots.fit(len(self._sitting), max(seat.cached for seat in self._sitting) + 1)

    def _sit(self, seat: Seat, slot: int) -> None:
        seat.slot = slot
        self._sitting[slot] = seat
