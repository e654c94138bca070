"""How often a seed's text changes on the fast path, against the exact path and beside others.

Three texts for every request: beside fifteen others, alone, and on the exact path alone, where it ends as soon as it
differs. All shapes of step are compiled before. Run by `python -m benchmarks.long`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import asked
from benchmarks.readers import read, warm
from benchmarks.speed import SESSIONS, fast
from playground import models
from playground.generators.local import LocalGenerator
from playground.types import Path, Request

SAME = -1


@dataclass(frozen=True, slots=True)
class Changes:
    """For every text the token at which it parted, counted from 0, or SAME."""

    tokens: int
    alone: Sequence[int]  # the fast path alone against the exact path
    company: Sequence[int]  # the fast path beside others against itself alone

    def share(self, parted: Sequence[int]) -> float:
        return sum(one != SAME for one in parted) / len(parted)

    def table(self) -> list[str]:
        lines = [f"{len(self.alone)} texts of {self.tokens} tokens, fast path"]
        for name, parted in (("alone against exact", self.alone), ("beside others against alone", self.company)):
            where = [one for one in parted if one != SAME]
            middle = f", half of them before token {statistics.median(where):.0f}" if where else ""
            lines.append(f"  {name:<28}{len(where)} changed ({self.share(parted):.1%}){middle}")
        return lines


def changes(loaded: models.Loaded, texts: int, tokens: int, tell: Callable[[str], None] = lambda _: None) -> Changes:
    """`loaded` is what the exact path runs on: bf16, as the page has it."""
    generator = fast(loaded)
    requests = [_request(number, tokens) for number in range(texts)]
    uncounted = range(asked.WARM * SESSIONS, (asked.WARM + 1) * SESSIONS)
    warm(lambda: read(generator, [_request(number, tokens) for number in uncounted]))
    warm(lambda: read(generator, [_request(uncounted[0], tokens)]))
    together: list[list[int]] = []
    for first in range(0, texts, SESSIONS):
        group = [*requests[first : first + SESSIONS], *requests[:SESSIONS]][:SESSIONS]  # the last is filled up
        together += [reader.tokens for reader in read(generator, group)]
        tell(f"{len(together)} beside others")
    alone, company = [], []
    for number, request in enumerate(requests):
        own = read(generator, [request])[0].tokens
        company.append(parting(own, together[number]))
        alone.append(_parting_from_exact(generator, _request(number, tokens, "exact"), own))
        tell(f"{number + 1} of {texts} alone")
    return Changes(tokens, alone, company)


def parting(one: Sequence[int], other: Sequence[int]) -> int:
    """The first token in which two texts differ, an early end included; SAME where there is none."""
    if list(one) == list(other):
        return SAME
    pairs = zip(one, other, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _parting_from_exact(generator: LocalGenerator, request: Request, own: Sequence[int]) -> int:
    steps, place = generator.stream(request), 0
    try:
        for step in steps:
            if step.token_id is not None:
                if place >= len(own) or step.token_id != own[place]:
                    return place
                place += 1
    finally:
        getattr(steps, "close", lambda: None)()
    return SAME if place == len(own) else place


def _request(number: int, tokens: int, path: Path = "fast") -> Request:
    """Texts of all settings; each sixteen begin another round of prompts and seeds."""
    return asked.request(asked.arguments(number % SESSIONS, tokens, number // SESSIONS), path)
