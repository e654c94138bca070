"""How long a line is, on made-up requests: who must end first, and how many steps that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.waiting import wait_before


@dataclass(eq=False)
class Asked:
    left: int
    rows: int = 1


def fits(some: Sequence[Asked]) -> bool:
    return sum(one.rows for one in some) <= 4


def test_the_next_one_waits_for_the_first_end_and_the_one_behind_for_the_second() -> None:
    playing = [Asked(30), Asked(10), Asked(50), Asked(20)]
    next_one, behind = Asked(5), Asked(5)
    assert wait_before(next_one, [next_one, behind], playing, fits) == (1, 10)
    assert wait_before(behind, [next_one, behind], playing, fits) == (2, 15)  # the next one itself has ended by then


def test_who_needs_much_room_waits_for_as_many_ends_as_that_takes() -> None:
    playing = [Asked(30), Asked(10), Asked(50), Asked(20)]
    large = Asked(9, rows=3)
    assert wait_before(large, [large], playing, fits) == (3, 30)


def test_who_fits_waits_for_nobody() -> None:
    mine = Asked(9)
    assert wait_before(mine, [mine], [Asked(3)], fits) == (0, 0)
    too_large = Asked(9, rows=9)
    assert wait_before(too_large, [too_large], [Asked(3)], fits) == (1, 3), "alone it may try"
