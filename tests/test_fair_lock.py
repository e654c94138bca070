"""The fair lock: the thread that waited longest goes next, and a step goes before a chunk of a long prompt."""

from __future__ import annotations

import threading
import time

import pytest

from playground.decoding.fair_lock import FairLock


def wait_for(count: int, lock: FairLock) -> None:
    """Until this many threads stand in the line."""
    while lock.waiting < count:
        time.sleep(0.001)


def test_the_line_is_served_in_order() -> None:
    lock, served = FairLock(), []

    def come(number: int) -> None:
        with lock:
            served.append(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(5)]
    with lock:
        for count, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(count, lock)
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]


def test_who_comes_back_at_once_waits_behind_who_was_there() -> None:
    lock, served = FairLock(), []

    def come() -> None:
        with lock:
            served.append("other")

    other = threading.Thread(target=come)
    with lock:
        other.start()
        wait_for(1, lock)
    with lock:
        served.append("again")
    other.join()
    assert served == ["other", "again"]


def test_a_step_that_fails_gives_its_turn_away() -> None:
    lock = FairLock()
    with pytest.raises(ValueError), lock:
        raise ValueError
    with lock:
        pass


def test_steps_and_chunks_share_the_model_by_time_and_neither_is_starved() -> None:
    """Ten steps of 1 s and three chunks of 4 s, all waiting: four steps to a chunk."""
    now = [0.0]
    lock, served = FairLock(lambda: now[0]), []

    def step() -> None:
        with lock:
            served.append("step")
            now[0] += 1

    def chunk() -> None:
        with lock.chunk(lambda: False) as acquired:
            assert acquired
            served.append("chunk")
            now[0] += 4

    threads = [threading.Thread(target=work) for work in (*[chunk] * 3, *[step] * 10)]
    with lock:
        for count, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(count, lock)
    for thread in threads:
        thread.join()
    assert served == ["chunk", *["step"] * 4, "chunk", *["step"] * 4, "chunk", *["step"] * 2]


def test_whoever_takes_long_steps_waits_for_those_who_take_short_ones() -> None:
    """A search of 4 s a step beside two who take 1 s: each gets as much time as the others."""
    now, left = [0.0], {"a": 3, "b": 12, "c": 12}
    lock, served = FairLock(lambda: now[0]), []

    def work(name: str, seconds: float) -> None:
        while left[name]:
            with lock:
                served.append(name)
                now[0] += seconds
                left[name] -= 1
                wait_for(sum(count > 0 for other, count in left.items() if other != name), lock)

    threads = [threading.Thread(target=work, args=given) for given in (("a", 4.0), ("b", 1.0), ("c", 1.0))]
    with lock:
        for count, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(count, lock)
    for thread in threads:
        thread.join()
    assert "".join(served) == "abcbcbcbcabcbcbcbcabcbcbcbc"


def test_whoever_comes_anew_goes_first_and_nobody_catches_up_on_a_time_before() -> None:
    now = [0.0]
    lock, served = FairLock(lambda: now[0]), []

    def step(name: str, seconds: float) -> None:
        with lock:
            served.append(name)
            now[0] += seconds

    step("long", 100)  # alone: that was nobody's time but its own
    waiting = threading.Thread(target=step, args=("new", 1))
    with lock:
        waiting.start()
        wait_for(1, lock)
        now[0] += 1
    step("long", 1)
    waiting.join()
    assert served == ["long", "new", "long"]


def test_who_is_halted_while_waiting_leaves_the_line_and_takes_no_turn() -> None:
    lock, halted, got = FairLock(), threading.Event(), []

    def chunk() -> None:
        with lock.chunk(halted.is_set) as acquired:
            got.append(acquired)

    waiting = threading.Thread(target=chunk)
    with lock:
        waiting.start()
        wait_for(1, lock)
        halted.set()
        waiting.join()
        assert got == [False] and lock.waiting == 0
    with lock:
        pass
    with lock.chunk(halted.is_set) as acquired:
        assert not acquired
    with lock:
        pass
