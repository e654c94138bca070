"""Who sits in which slot of one room. A sequence that has left stays readable until its slot is needed.

The next may begin alike. Knows no row and no model.
"""

from __future__ import annotations

from playground.fast.job import Seat
from playground.fast.slots import Shape, Slots


class Seating:
    """`claim` gives a seat a slot, `leave` frees it. `kept` slots of sequences that have left are not given away while
    there is another."""

    def __init__(self, shape: Shape, kept: int) -> None:
        self.slots = Slots(shape)
        self._kept = kept
        self._sitting: list[Seat] = []  # by slot
        self._gone: list[Seat] = []  # those of them that have left, the longest gone first

    @property
    def seats(self) -> list[Seat]:
        """All that can be read, those that have left too."""
        return list(self._sitting)

    def has_left(self, seat: Seat) -> bool:
        return seat in self._gone

    def claim(self, seat: Seat) -> None:
        """A slot for this seat, with whatever lies there."""
        if len(self._gone) > self._kept:
            self.replace(self._gone[0], seat)
        else:
            self.slots.fit(max(self.slots.count, len(self._sitting) + 1), max(self.slots.length, 1))
            self._sitting.append(seat)
            seat.slot = len(self._sitting) - 1

    def replace(self, gone: Seat, seat: Seat) -> None:
        """The slot of one that has left, with what it has read."""
        self._gone.remove(gone)
        self._sitting[gone.slot] = seat
        seat.slot, gone.slot = gone.slot, -1

    def stay(self, left: Seat) -> None:
        """In the slot of a sequence that moves stays what it has read, as one that has left."""
        self._sitting[left.slot] = left
        self._gone.append(left)

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

    def rest(self, most: int) -> int:
        """Nobody runs: give back all but the slots that left last, of so many bytes at most. Gives the bytes kept."""
        newest = self._gone[::-1][: self._kept]
        longest = [max((seat.cached for seat in newest[:count]), default=0) + 1 for count in range(len(newest) + 1)]
        count = max(one for one in range(len(newest) + 1) if one == 0 or self.slots.bytes_of(one, longest[one]) <= most)
        kept = newest[:count]
        self.arrange(kept, count)
        self._sitting, self._gone = kept[:], kept[::-1]
        if not kept:
            self.slots.clear()
            return 0
        self.slots.fit(count, longest[count])
        return self.slots.size
