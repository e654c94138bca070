"""Examples as batches of tensors: padded, or packed into rows in which none sees another; and in which order.

Knows no model. A token that is not learned, and the first of each example, which has nothing before it, has the label
that the loss leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import Sampler

from playground.training.example import Encoded

IGNORED = -100  # the label that torch's cross entropy leaves out

Row = tuple[Encoded, ...]
"""What stands in one row of a batch: one example, or several that are packed."""


def rows_of(examples: Sequence[Encoded], longest: int, *, packed: bool) -> list[Row]:
    """Each example as a row; where they are `packed`, several in a row of at most `longest` tokens.

    Each goes into the first row with room, the longest first, which leaves few rows with holes.
    """
    if not packed:
        return [(one,) for one in examples]
    rows: list[list[Encoded]] = []
    room: list[int] = []
    for one in sorted(examples, key=lambda each: (-len(each.ids), each.row)):
        place = next((at for at, left in enumerate(room) if left >= len(one.ids)), None)
        if place is None:
            rows.append([])
            room.append(longest)
            place = len(rows) - 1
        rows[place].append(one)
        room[place] -= len(one.ids)
    return [tuple(row) for row in rows]


class Collator:
    """Makes a batch of rows. `padding` is the id that fills up; nothing reads it."""

    def __init__(self, padding: int, *, packed: bool) -> None:
        self._padding = padding
        self._packed = packed

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        """`input_ids` and `labels` [rows, length], and `attention_mask` of the same shape; where they are packed
        `position_ids` instead, which begin anew with each example and with what fills up."""
        length = max(sum(len(one.ids) for one in row) for row in rows)
        ids = torch.full((len(rows), length), self._padding, dtype=torch.long)
        labels = torch.full((len(rows), length), IGNORED, dtype=torch.long)
        seen = torch.zeros((len(rows), length), dtype=torch.long)
        places = torch.zeros((len(rows), length), dtype=torch.long)
        for number, row in enumerate(rows):
            at = 0
            for one in row:
                end = at + len(one.ids)
                ids[number, at:end] = torch.tensor(one.ids)
                labels[number, at:end] = torch.tensor(labels_of(one))
                seen[number, at:end] = 1
                places[number, at:end] = torch.arange(len(one.ids))
                at = end
            places[number, at:] = torch.arange(length - at)
        if self._packed:
            return {"input_ids": ids, "labels": labels, "position_ids": places}
        return {"input_ids": ids, "labels": labels, "attention_mask": seen}


def labels_of(one: Encoded) -> list[int]:
    """Its ids where they are learned, else the label that is left out."""
    found = [token if learned else IGNORED for token, learned in zip(one.ids, one.learned, strict=True)]
    return [IGNORED, *found[1:]]


class ShuffledOrder(Sampler[int]):
    """Places from 0 on in an order that follows from seed and epoch alone, whatever else is drawn."""

    def __init__(self, count: int, seed: int) -> None:
        self._count = count
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The order of this epoch, from 0, is given next."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        yield from order_of_epoch(self._count, self._seed, self._epoch)

    def __len__(self) -> int:
        return self._count


def order_of_epoch(count: int, seed: int, epoch: int) -> list[int]:
    """The places from 0 to `count`, shuffled."""
    drawn = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    found: list[int] = torch.randperm(count, generator=drawn).tolist()
    return found
