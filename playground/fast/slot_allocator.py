"""Gives sequences the slots of one pool. A released sequence stays readable until its slot is needed.

The next one may share its prefix. Knows no row and no model.
"""

from __future__ import annotations

from playground.fast.job import SlotSequence
from playground.fast.kv_slots import KVSlots, Shape


class SlotAllocator:
    """`allocate` gives a sequence a slot, `release` frees it. `kept` slots of released sequences are not given away
    while another slot is free."""

    def __init__(self, shape: Shape, kept: int) -> None:
        self.slots = KVSlots(shape)
        self._kept = kept
        self._by_slot: list[SlotSequence] = []  # by slot
        self._released: list[SlotSequence] = []  # those of them that were released, the longest ago first

    @property
    def sequences(self) -> list[SlotSequence]:
        """All that can be read, released ones too."""
        return list(self._by_slot)

    def is_released(self, sequence: SlotSequence) -> bool:
        return sequence in self._released

    def allocate(self, sequence: SlotSequence) -> None:
        """A slot for this sequence, with whatever content it has."""
        if len(self._released) > self._kept:
            self.replace(self._released[0], sequence)
        else:
            self.slots.fit(max(self.slots.count, len(self._by_slot) + 1), max(self.slots.length, 1))
            self._by_slot.append(sequence)
            sequence.slot = len(self._by_slot) - 1

    def replace(self, released: SlotSequence, sequence: SlotSequence) -> None:
        """The slot of a released one, with what it has read."""
        self._released.remove(released)
        self._by_slot[released.slot] = sequence
        sequence.slot, released.slot = released.slot, -1

    def keep_released(self, left: SlotSequence) -> None:
        """Keeps what a moved sequence has read in its old slot, as a released one."""
        self._by_slot[left.slot] = left
        self._released.append(left)

    def release(self, sequence: SlotSequence) -> None:
        if sequence.slot >= 0 and self._by_slot[sequence.slot] is sequence and sequence not in self._released:
            self._released.append(sequence)

    def arrange(self, sequences: list[SlotSequence], count: int) -> None:
        """These sequences in the first slots, in this order, and space for `count` slots."""
        self.slots.fit(max(self.slots.count, count), max(self.slots.length, 1))
        for slot, sequence in enumerate(sequences):
            if sequence.slot != slot:
                other = self._by_slot[slot]
                self.slots.swap(slot, sequence.slot, max(sequence.cached, other.cached))
                self._by_slot[slot], self._by_slot[sequence.slot] = sequence, other
                sequence.slot, other.slot = slot, sequence.slot

    def grow(self, positions: int) -> None:
        """Room for so many positions, and one more that no sequence reads."""
        if positions + 1 > self.slots.length:
            self.slots.fit(max(self.slots.count, len(self._by_slot)), positions + 1)

    def shrink(self, most: int) -> int:
        """No row runs: frees all but the slots released last, of so many bytes at most. Gives the bytes kept."""
        newest = self._released[::-1][: self._kept]
        longest = [
            max((sequence.cached for sequence in newest[:count]), default=0) + 1 for count in range(len(newest) + 1)
        ]
        count = max(one for one in range(len(newest) + 1) if one == 0 or self.slots.bytes_of(one, longest[one]) <= most)
        kept = newest[:count]
        self.arrange(kept, count)
        self._by_slot, self._released = kept[:], kept[::-1]
        if not kept:
            self.slots.clear()
            return 0
        self.slots.fit(count, longest[count])
        return self.slots.size
