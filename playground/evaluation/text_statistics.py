"""Numbers for a whole text: how surprising, how varied, how repetitive. Plain Python; knows no model."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variety:
    """Of one sequence: distinct-1, -2, -3 (shares of n-grams that differ) and the repetition rate, all in [0, 1].

    None where the sequence is too short.
    """

    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    repetition: float | None


def perplexity(logprobs: Iterable[float | None]) -> float | None:
    """exp(−mean ln p), from natural log-probabilities (Jelinek et al. 1977); None where there are none."""
    known = [value for value in logprobs if value is not None]
    if not known:
        return None
    mean = -math.fsum(known) / len(known)
    return math.exp(mean) if mean < 700 else math.inf


def mean_entropy_bits(nats: Iterable[float | None]) -> float | None:
    """The mean in bits of Shannon entropies given in nats; None where there are none."""
    known = [value for value in nats if value is not None]
    return math.fsum(known) / len(known) / math.log(2) if known else None


def share_of_singles(alive: Iterable[int | None]) -> float | None:
    """The share of steps that left one candidate, from the candidates alive after the chain."""
    known = [value for value in alive if value is not None]
    return sum(value <= 1 for value in known) / len(known) if known else None


def distinct(items: Sequence[Hashable], n: int) -> float | None:
    """distinct-n (arXiv 1510.03055): different n-grams divided by all n-grams; None where there are none."""
    grams = [tuple(items[at : at + n]) for at in range(len(items) - n + 1)]
    return len(set(grams)) / len(grams) if grams else None


def repetition_rate(items: Sequence[Hashable], n: int = 4) -> float | None:
    """The share of items, in [0, 1], that belong to an n-gram which occurred earlier in the sequence.

    seq-rep-n (arXiv 1908.04319) counts n-grams instead and is 1 − distinct-n. None for fewer than `n` items.
    """
    if len(items) < n:
        return None
    seen: set[tuple[Hashable, ...]] = set()
    repeated = [False] * len(items)
    for at in range(len(items) - n + 1):
        gram = tuple(items[at : at + n])
        if gram in seen:
            repeated[at : at + n] = [True] * n
        seen.add(gram)
    return sum(repeated) / len(items)


def variety(items: Sequence[Hashable]) -> Variety:
    """Of token ids, of words, or of a text's characters."""
    return Variety(distinct(items, 1), distinct(items, 2), distinct(items, 3), repetition_rate(items))


def characters(text: str) -> list[str]:
    """The characters of a text that count as its words where words have no gaps between them."""
    return [character for character in text if not character.isspace()]


def is_chinese(text: str) -> bool:
    """Whether at least a third of the text are Chinese characters; then statistics count characters, not tokens."""
    written = characters(text)
    han = sum("\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf" for character in written)
    return bool(written) and han * 3 >= len(written)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A loop in a sequence: it begins at `start` (from 0) and repeats every `period` items, `times` times."""

    start: int
    period: int
    times: int


def cycle(items: Sequence[Hashable], least: int = 3, length: int = 12) -> Cycle | None:
    """The loop that a sequence ends in: at least `least` rounds that cover at least `length` items; else None."""
    count = len(items)
    for period in range(1, count // least + 1):
        start = count - period
        while start > 0 and items[start - 1] == items[start - 1 + period]:
            start -= 1
        times = (count - start) // period
        if times >= least and count - start >= length:
            return Cycle(start, period, times)
    return None


LONGEST_PERIOD = 256
"""Items: a longer passage that comes back is a repeat that nobody would call a loop, and looking for it takes long."""


def longest_cycle(items: Sequence[Hashable], least: int = 3, length: int = 12) -> Cycle | None:
    """The loop that covers most of a sequence, wherever it stands: at least `least` rounds and `length` items."""
    count, best, covered = len(items), None, 0
    for period in range(1, min(count // least, LONGEST_PERIOD) + 1):
        start = 0
        for at in range(count - period + 1):
            if at < count - period and items[at] == items[at + period]:
                continue
            size = at - start + period
            if at > start and size >= max(length, least * period) and size > covered:
                best, covered = Cycle(start, period, size // period), size
            start = at + 1
    return best
