"""Memory of the running batch: one slot of keys and values a row, all slots of one length.

A step reads the first so many slots, so rows that take part are arranged there. Knows no model and no row.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SHORTEST = 128  # positions; each doubling is another shape for the compiled steps
LONG = 1024  # positions from which on what attends to them takes longer than all else in a step of one row


@dataclass(frozen=True, slots=True)
class Shape:
    """What one position of one row holds: keys and values of `layers` layers, [heads, width] each."""

    layers: int
    heads: int
    width: int
    dtype: torch.dtype
    device: torch.device

    @property
    def position_bytes(self) -> int:
        return 2 * self.layers * self.heads * self.width * self.dtype.itemsize


class KVSlots:
    """The slots of one batch, in one piece of memory, for all layers."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.count = 0
        self.length = 0
        self._all = self._empty(0, 0)
        self._views: tuple[tuple[int, int, int], list[tuple[Tensor, Tensor]]] | None = None  # as asked for last

    def fit(self, count: int, length: int) -> None:
        """Room for so many slots of so many positions; what they hold stays. Never smaller than asked for."""
        length = padded_length(length)
        if count == self.count and length == self.length:
            return
        new = self._empty(count, length)
        rows, positions = min(count, self.count), min(length, self.length)
        new[:, :, :rows, :, :positions] = self._all[:, :, :rows, :, :positions]
        self._all, self.count, self.length, self._views = new, count, length, None

    def clear(self) -> None:
        self._all, self.count, self.length, self._views = self._empty(0, 0), 0, 0, None

    @property
    def memory(self) -> Tensor:
        """What everything lies in: another one after `fit` has changed anything."""
        return self._all

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._all.numel() * self._all.element_size()

    def bytes_of(self, count: int, length: int) -> int:
        """Bytes of so many slots of so many positions."""
        return count * padded_length(length) * self.shape.position_bytes

    def layers(self, first: int, count: int, length: int | None = None) -> list[tuple[Tensor, Tensor]]:
        """Keys and values [count, heads, length, width] of these slots in every layer, to be written into; of the
        first `length` positions, or of all."""
        asked = first, count, self.length if length is None else length
        if self._views is None or self._views[0] != asked:
            both = self._all[:, :, first : first + count, :, : asked[2]].unbind()
            self._views = asked, [(keys, values) for keys, values in both]
        return self._views[1]

    def swap(self, one: int, other: int, positions: int) -> None:
        """Two slots change places, as far as their first positions go."""
        self._all[:, :, [one, other], :, :positions] = self._all[:, :, [other, one], :, :positions]

    def copy(self, other: KVSlots, source: int, target: int, positions: int) -> None:
        """The first positions of a slot of `other`, which may be this, into one of these."""
        self._all[:, :, target, :, :positions] = other.memory[:, :, source, :, :positions]

    def _empty(self, count: int, length: int) -> Tensor:
        shape = self.shape
        # Zeros and not whatever lay in memory: what is masked is multiplied by 0, and 0 · NaN is NaN.
        return torch.zeros(
            (shape.layers, 2, count, shape.heads, length, shape.width), dtype=shape.dtype, device=shape.device
        )


def padded_length(length: int) -> int:
    """The length that slots take for so many positions: 128, 256, 512, 1024, 2048, 3072 …"""
    if length > LONG:
        return -(-length // LONG) * LONG
    rounded = SHORTEST
    while rounded < length:
        rounded *= 2
    return rounded
