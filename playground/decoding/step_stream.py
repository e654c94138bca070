"""Steps on their way from the thread that makes them to their reader, who may wait for the next or only look.

Knows no model and no row.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from playground.machine.allocator import trim_soon
from playground.types import Step, Wait


class StepStream:
    """`put` and `end` belong to the thread that makes Steps, all else to one reader. Any thread may set `cancelled`.

    `place` gives how long the request still waits for its turn; None once it has begun.
    """

    def __init__(self, cancelled: threading.Event | None = None) -> None:
        self.cancelled = cancelled or threading.Event()
        self.over = False
        self.ended = False  # nothing more will come; what has come may still be waiting for its reader
        self.place: Callable[[], Wait | None] = lambda: None
        self._queue: queue.SimpleQueue[tuple[float, Step] | BaseException | None] = queue.SimpleQueue()
        self._failed: BaseException | None = None

    def put(self, step: Step) -> None:
        self._queue.put((time.perf_counter(), step))

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will come."""
        self._queue.put(error)
        self.ended = True

    def poll(self) -> list[tuple[float, Step]]:
        """What has come since, each with its time (`time.perf_counter`). Never waits.

        An error that ended the Steps is raised once all of them are taken; then, and after the last one, it is `over`.
        """
        found: list[tuple[float, Step]] = []
        while not self.over and self._failed is None and not self._queue.empty():
            one = self._queue.get()
            if isinstance(one, tuple):
                found.append(one)
            elif one is None:
                self.over = True
            else:
                self._failed = one
        if self._failed is not None and not found:
            self.over = True
            raise self._failed
        return found

    def steps(self) -> Iterator[Step]:
        """The same for a reader who waits. Closing it cancels."""
        try:
            while (one := self._queue.get()) is not None:
                if isinstance(one, BaseException):
                    raise one
                yield one[1]
        finally:
            self.cancelled.set()


def from_iterator(steps: Iterator[Step], cancelled: threading.Event) -> StepStream:
    """These Steps, taken by a thread of their own; it closes them within one Step of being cancelled."""
    stream = StepStream(cancelled)
    threading.Thread(target=_forward, args=(steps, stream), name="pump", daemon=True).start()
    return stream


def _forward(steps: Iterator[Step], stream: StepStream) -> None:
    failed: BaseException | None = None
    try:
        for step in steps:
            stream.put(step)
            if stream.cancelled.is_set():
                break
        close = getattr(steps, "close", None)
        if close is not None:
            close()
    except BaseException as error:  # noqa: BLE001 - handed on to the reader, who raises it
        failed = error
    stream.end(failed)
    trim_soon()
