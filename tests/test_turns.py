"""Turns on the model: whoever waited longest goes next."""

from __future__ import annotations

import threading
import time

import pytest

from playground.decoding.turns import Turns


def wait_for(count: int, turns: Turns) -> None:
    """Until this many threads stand in the line."""
    while len(turns._waiting) < count:
        time.sleep(0.001)


def test_the_line_is_served_in_order() -> None:
    turns, served = Turns(), []

    def come(number: int) -> None:
        with turns:
            served.append(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(5)]
    with turns:
        for count, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(count, turns)
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]


def test_who_comes_back_at_once_waits_behind_who_was_there() -> None:
    turns, served = Turns(), []

    def come() -> None:
        with turns:
            served.append("other")

    other = threading.Thread(target=come)
    with turns:
        other.start()
        wait_for(1, turns)
    with turns:
        served.append("again")
    other.join()
    assert served == ["other", "again"]


def test_a_step_that_fails_gives_its_turn_away() -> None:
    turns = Turns()
    with pytest.raises(ValueError), turns:
        raise ValueError
    with turns:
        pass
