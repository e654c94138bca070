"""How long a line is: who must end before somebody's turn comes, counted in steps of those in play.

Knows no clock, no request and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Waiter(Protocol):
    """A request that runs or waits."""

    @property
    def left(self) -> int:
        """Steps it may still take, at most."""


T = TypeVar("T", bound=Waiter)


def turn(mine: T, waiting: Sequence[T], playing: Sequence[T], fits: Callable[[Sequence[T]], bool]) -> tuple[int, int]:
    """How many must end before `mine` begins, and how many steps that takes at most.

    Those who wait begin in their order, each as soon as it fits beside those in play then.
    """
    ends = [(one.left, one) for one in playing]
    ended = now = 0
    for one in waiting:
        while ends and not fits([*(other for _, other in ends), one]):
            first = min(ends, key=lambda end: end[0])
            ends.remove(first)
            ended, now = ended + 1, first[0]
        if one is mine:
            break
        ends.append((now + one.left, one))
    return ended, now
