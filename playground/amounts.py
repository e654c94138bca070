"""Amounts as a person reads them: "1 token" and "2 tokens", bytes as "12.3 GB". Knows nothing that is counted.

assets/page.js follows the same two rules.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_UNITS = ("B", "kB", "MB", "GB", "TB")


def counted(number: object, one: str, many: str) -> str:
    """A number and the word for what it counts: `one` behind 1, else `many`."""
    shown = f"{number:,}" if isinstance(number, int) else str(number)
    return f"{shown} {one if shown == '1' else many}"


class Place:
    """A value in a sentence; as `{count:token|tokens}` it is followed by the word that fits it."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __format__(self, spec: str) -> str:
        one, bar, many = spec.partition("|")
        return counted(self._value, one, many) if bar else format(self._value, spec)


def bytes_text(count: float) -> str:
    """A size in units of 1000: whole kilobytes, one decimal below 10 MB and from 1 GB on where it is not 0."""
    size, step = Decimal(repr(count)), 0
    while size >= 1000 and step < len(_UNITS) - 1:
        size, step = size / 1000, step + 1
    finer = step > 2 or (step == 2 and size < 10)
    shown = size.quantize(Decimal("0.1" if finer else "1"), ROUND_HALF_UP)
    return f"{shown:,}".removesuffix(".0") + f" {_UNITS[step]}"
