"""Tokens a second, from when the first and the last of them came. Knows no run."""

from __future__ import annotations


def token_rate(
    count: int, first: float | None, last: float | None, *, rows: int = 1, at_once: bool = False
) -> float | None:
    """Tokens after the first of each row by the time since the first, so that the time of the prompt is left out.

    Where all of them come `at_once`, as of a beam search, nothing but the whole time says how fast they were. `first`
    and `last` are seconds since the run began; None where no time has passed.
    """
    if first is None or last is None:
        return None
    span = last if at_once else last - first
    return (count - (0 if at_once else rows)) / span if span > 0 else None
