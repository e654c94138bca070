"""A figure with its spread, and what one measurement found: figures by name, reasons where there is none, a table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """The middle of several rounds, with the lowest and the highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Iterable[float]) -> Figure:
        numbers = list(rounds)
        return cls(statistics.median(numbers), min(numbers), max(numbers))

    def as_json(self) -> dict[str, float]:
        return {name: float(f"{getattr(self, name):.5g}") for name in self.__slots__}

    def __str__(self) -> str:
        return f"{self.median:.5g} ({self.low:.5g}, {self.high:.5g})"


@dataclass(slots=True)
class Findings:
    """`figures` holds None where a figure could not be measured; `notes` then says why, under the same name."""

    figures: dict[str, Figure | None] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    table: list[str] = field(default_factory=list)

    def found(self, name: str, rounds: Iterable[float]) -> None:
        self.figures[name] = Figure.of(rounds)

    def missing(self, names: Iterable[str], why: str) -> None:
        for name in names:
            if name not in self.figures:
                self.figures[name] = None
                self.notes[name] = why

    def add(self, other: Findings) -> None:
        self.figures.update(other.figures)
        self.notes.update(other.notes)
        self.table.extend(other.table)

    def __str__(self) -> str:
        lines = [*self.table, *(f"{name}: {found}" for name, found in self.figures.items() if found is not None)]
        return "\n".join([*lines, *(f"{name}: not measured. {why}" for name, why in self.notes.items())])


def share(numbers: Sequence[float], part: float) -> float:
    """The number that this part of all numbers does not exceed: 0.95 for p95. 0 where there are none."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
