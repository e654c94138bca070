"""A fair lock: many requests share one model, a forward pass at a time.

A plain `threading.Lock` lets the thread that has just released it take it again at once, and starves the others. Knows
no model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from types import TracebackType

_POLL_S = 0.1  # between checks whether the waiting chunk was halted


@dataclass(slots=True)
class _Waiter:
    """`start` is the time that its thread has used of the model, on the scale of those that use it all the time."""

    start: float
    thread: int
    chunk: bool
    called: threading.Event = field(default_factory=threading.Event)


class FairLock:
    """`with lock:` around a step; `with lock.chunk(halted):` around a chunk of a long prompt.

    Held for one forward pass only, never across a yield. Among the threads that step, the one that has used the model
    least goes next (start-time fair queueing, Goyal et al. 1996): a step over many rows and a long text counts for what
    it takes, and a new thread goes first. A step goes before a chunk until the steps have had as much time as the last
    chunk took: so long prompts take half of the model at most, however many are read, and are never starved.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._holder: _Waiter | None = None
        self._began = 0.0  # when the present turn began
        self._steps: list[_Waiter] = []  # the longest waiting first
        self._chunks: list[_Waiter] = []
        self._used: dict[int, float] = {}  # by thread, where it is more than `_least`
        self._least = 0.0  # what the last stepping thread had used: no thread counts as having used less
        self._chunk_s = 0.0  # what the last chunk took
        self._steps_s = 0.0  # what steps took while a chunk was waiting, since the last one
        self._ended = -inf  # when the last turn ended

    def __enter__(self) -> None:
        self._enter(None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hand_over()

    @contextmanager
    def chunk(self, halted: Callable[[], bool]) -> Iterator[bool]:
        """A turn behind the steps. Gives False, and no turn, where `halted` came true before it."""
        if not self._enter(halted):
            yield False
            return
        try:
            yield not halted()
        finally:
            self._hand_over()

    @property
    def quiet_s(self) -> float:
        """For how many seconds no turn has been held."""
        with self._guard:
            return 0.0 if self._holder is not None else self._clock() - self._ended

    @property
    def waiting(self) -> int:
        """How many threads wait for a turn now."""
        with self._guard:
            return len(self._steps) + len(self._chunks)

    def _enter(self, halted: Callable[[], bool] | None) -> bool:
        """Waits for a turn; it is a chunk's where `halted` is given. False where that came true first."""
        thread, line = threading.get_ident(), self._steps if halted is None else self._chunks
        with self._guard:
            waiter = _Waiter(self._used.get(thread, self._least), thread, halted is not None)
            if self._holder is None:
                self._begin(waiter)
                return True
            line.append(waiter)
        try:
            while not waiter.called.wait(None if halted is None else _POLL_S):
                if halted is not None and halted() and self._left(line, waiter):
                    return False
        except BaseException:  # an interrupt while waiting must not leave a turn that no thread takes
            if not self._left(line, waiter):
                self._hand_over()
            raise
        return True

    def _left(self, line: list[_Waiter], waiter: _Waiter) -> bool:
        """Leaves the line; False where the turn has come meanwhile."""
        with self._guard:
            if waiter not in line:
                return False
            line.remove(waiter)
            return True

    def _begin(self, waiter: _Waiter) -> None:
        self._holder, self._began = waiter, self._clock()
        if not waiter.chunk:
            self._least = waiter.start
            self._used = {thread: used for thread, used in self._used.items() if used > waiter.start}

    def _hand_over(self) -> None:
        with self._guard:
            holder = self._holder
            assert holder is not None
            self._ended = self._clock()
            took = self._ended - self._began
            if holder.chunk:
                self._chunk_s, self._steps_s = took, 0.0
            else:
                self._used[holder.thread] = holder.start + took
                self._steps_s += took if self._chunks else 0.0
            self._holder = upcoming = self._next()
            if upcoming is not None:
                self._begin(upcoming)
                upcoming.called.set()

    def _next(self) -> _Waiter | None:
        """The waiter that goes next, taken out of the line."""
        if self._chunks and (not self._steps or self._steps_s >= self._chunk_s):
            return self._chunks.pop(0)
        if not self._steps:
            return None
        least = min(self._steps, key=lambda one: one.start)
        self._steps.remove(least)
        return least
