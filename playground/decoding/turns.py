"""A fair lock: many requests share one model, a forward pass at a time.

A plain `threading.Lock` lets the thread that has just released it take it again at once, and starves the others. Knows
no model.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

_GLANCE_S = 0.1  # between looks at whether whoever waits still wants its turn


class Turns:
    """`with turns:` around a step; `with turns.chunk(halted):` around a chunk of a long prompt.

    Held for one forward pass only, never across a yield. Within each kind whoever waited longest goes next. A step goes
    before a chunk, which takes many times as long, until those who step have had as much time as the last chunk took:
    so a long prompt takes half of the model at most, however many are read, and is never starved.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._taken = False
        self._steps: deque[threading.Event] = deque()
        self._chunks: deque[threading.Event] = deque()
        self._began = 0.0  # when the present turn began
        self._reads = False  # whether it is a chunk's
        self._chunk_s = 0.0  # what the last chunk took
        self._steps_s = 0.0  # what steps took while a chunk was waiting, since the last one

    def __enter__(self) -> None:
        self._enter(self._steps, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    @contextmanager
    def chunk(self, halted: Callable[[], bool]) -> Iterator[bool]:
        """A turn behind those who step. Gives False, and no turn, where `halted` came true before it."""
        if not self._enter(self._chunks, halted):
            yield False
            return
        try:
            yield not halted()
        finally:
            self._pass_on()

    @property
    def waiting(self) -> int:
        """How many wait for a turn now."""
        with self._guard:
            return len(self._steps) + len(self._chunks)

    def _enter(self, line: deque[threading.Event], halted: Callable[[], bool] | None) -> bool:
        with self._guard:
            if not self._taken:
                self._begin(line is self._chunks)
                return True
            mine = threading.Event()
            line.append(mine)
        try:
            while not mine.wait(None if halted is None else _GLANCE_S):
                if halted is not None and halted() and self._left(line, mine):
                    return False
        except BaseException:  # an interrupt while waiting must not leave a turn that nobody takes
            if not self._left(line, mine):
                self._pass_on()
            raise
        return True

    def _left(self, line: deque[threading.Event], mine: threading.Event) -> bool:
        """Leaves the line; False where the turn has come meanwhile."""
        with self._guard:
            if mine not in line:
                return False
            line.remove(mine)
            return True

    def _begin(self, reads: bool) -> None:
        self._taken, self._reads, self._began = True, reads, self._clock()

    def _pass_on(self) -> None:
        with self._guard:
            took = self._clock() - self._began
            if self._reads:
                self._chunk_s, self._steps_s = took, 0.0
            elif self._chunks:
                self._steps_s += took
            reads = bool(self._chunks) and (not self._steps or self._steps_s >= self._chunk_s)
            line = self._chunks if reads else self._steps
            if line:
                self._begin(reads)
                line.popleft().set()
            else:
                self._taken = False
