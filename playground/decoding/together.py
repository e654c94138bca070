"""The next token of several rows at once. Rows may differ in everything but the size of the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from playground.decoding.row import Row
from playground.types import Step


def advance(rows: Sequence[Row], raw: Tensor, unconditional: Tensor | None = None) -> list[Step]:
    """One Step a row, from scores [rows, vocab]; exactly what each row's own `advance` gives."""
    chosen = []
    for place, row in enumerate(rows):
        one = slice(place, place + 1)
        chosen.append(row.choose(raw[one], None if unconditional is None else unconditional[one]))
    return [row.settle(what) for row, what in zip(rows, chosen, strict=True)]
