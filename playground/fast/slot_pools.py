"""Pools of slots by the length of what they hold: a short text never attends over the length of another's.

All slots of a pool are equally long, and a step attends to all of it. Knows no row and no model.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence

from playground.fast.job import Job, SlotSequence
from playground.fast.kv_slots import LONG, KVSlots, Shape, padded_length
from playground.fast.slot_allocator import SlotAllocator

_KEPT = 4  # slots that stay for sequences with the same prefix: the same prompt is often sent again
_KEPT_LONG = 1  # the same of each size of long ones
_SHARE = 8  # while no row runs, no more than this part of the memory stays in use


class SlotPools:
    """`memory` bounds the bytes of all slots."""

    def __init__(self, shape: Shape, memory: int) -> None:
        self.shape = shape
        self._memory = memory
        self._pools: dict[int, SlotAllocator] = {}

    def bytes_for(self, jobs: Iterable[Job]) -> int:
        """What the sequences of these take once they are as long as they may become, the spare position included."""
        sequences: dict[int, int] = {}
        longest: dict[int, int] = {}
        for job in jobs:
            size = _size(job.longest + 1)
            sequences[size] = sequences.get(size, 0) + job.sequence_count
            longest[size] = max(longest.get(size, 0), padded_length(job.longest + 1))
        return sum(sequences[size] * longest[size] for size in sequences) * self.shape.position_bytes

    def reserve(self, sequence: SlotSequence, more: int = 1) -> SlotAllocator:
        """The pool of this sequence: its slot has space for its tokens, and for `more` tokens behind those read.

        A prefix shared with an earlier or a present sequence is not read again; a sequence too long for its pool moves.
        """
        size = _size(max(len(sequence.tokens), sequence.cached + more) + 1)
        if sequence.slot >= 0 and size <= sequence.pool:
            return self._pools[sequence.pool]
        if size not in self._pools:
            self._pools[size] = SlotAllocator(self.shape, _KEPT if size == LONG else _KEPT_LONG)
        pool = self._pools[size]
        if sequence.slot >= 0:
            self._move(sequence, pool)
        else:
            self._allocate(sequence, pool, size)
        sequence.pool = size
        return pool

    def release(self, sequence: SlotSequence) -> None:
        if sequence.slot >= 0:
            self._pools[sequence.pool].release(sequence)

    def by_pool(self, sequences: Sequence[SlotSequence]) -> Iterator[tuple[SlotAllocator, list[SlotSequence]]]:
        """These sequences by their pools."""
        for size in sorted({sequence.pool for sequence in sequences}):
            yield self._pools[size], [sequence for sequence in sequences if sequence.pool == size]

    def shrink(self) -> None:
        """No row runs: frees all but a few slots."""
        left = self._memory // _SHARE
        for size in sorted(self._pools):
            left -= self._pools[size].shrink(left)

    @property
    def slots(self) -> list[KVSlots]:
        """The slots of all pools."""
        return [pool.slots for pool in self._pools.values()]

    @property
    def empty(self) -> bool:
        """Whether every sequence was released."""
        return all(pool.is_released(sequence) for pool in self._pools.values() for sequence in pool.sequences)

    def _allocate(self, sequence: SlotSequence, pool: SlotAllocator, size: int) -> None:
        alike = max(
            (one for other in self._pools.values() for one in other.sequences), key=sequence.common_prefix, default=None
        )
        same = 0 if alike is None else sequence.common_prefix(alike)
        if alike is not None and same and alike.pool == size and pool.is_released(alike):
            pool.replace(alike, sequence)
        else:
            pool.grow(same)
            pool.allocate(sequence)
            if alike is not None and same:
                pool.slots.copy(self._pools[alike.pool].slots, alike.slot, sequence.slot, same)
        sequence.cached = same

    def _move(self, sequence: SlotSequence, pool: SlotAllocator) -> None:
        """Into another pool, with all that was read; its old slot stays readable."""
        before, left = self._pools[sequence.pool], copy.copy(sequence)
        left.tokens = sequence.tokens[: sequence.cached]
        pool.grow(sequence.cached)
        pool.allocate(sequence)
        before.keep_released(left)
        pool.slots.copy(before.slots, left.slot, sequence.slot, sequence.cached)


def _size(positions: int) -> int:
    """The size of the pool for so many: 1024, 2048, 4096 …"""
    size = LONG
    while size < positions:
        size *= 2
    return size
