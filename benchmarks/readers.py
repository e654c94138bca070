"""Readers of a generator's Steps, who look now and then as the page does, and know when each token was made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from playground.types import Generator, Request

_COMPILING = "compile"  # the threads in which a net compiles its steps
_STEPPING = "running-batch"  # the thread that steps everybody's rows
_WARM_ROUNDS = 8
_PACE = 1 / 50  # seconds between looks


class Reader(threading.Thread):
    """`began` and `times` are seconds of the clock that all processes of a machine share (on Linux time.monotonic() and
    time.perf_counter() are one)."""

    def __init__(self, generator: Generator, request: Request) -> None:
        super().__init__(daemon=True)
        self.began = 0.0
        self.times: list[float] = []
        self.tokens: list[int] = []
        self._generator = generator
        self._request = request
        self._left = threading.Event()
        self._failure: BaseException | None = None

    def run(self) -> None:
        self.began = time.monotonic()
        try:
            told = self._generator.open(self._request, self._left)
            while not told.over:
                for at, step in told.poll():
                    if step.token_id is not None:
                        self.times.append(at)
                        self.tokens.append(step.token_id)
                time.sleep(_PACE)
        except Exception as error:  # noqa: BLE001 - raised again by `finish`, in the thread that waits
            self._failure = error

    def leave(self) -> None:
        """Stop reading at the next token."""
        self._left.set()

    def finish(self) -> None:
        """Waits for the end; raises what ended it."""
        self.join()
        if self._failure is not None:
            raise self._failure

    def wait_for(self, count: int) -> None:
        """Waits until so many tokens have come, or the end."""
        while self.is_alive() and len(self.times) < count:
            time.sleep(0.002)

    @property
    def rate(self) -> float:
        """Tokens/s after the first token: the time of the prompt is left out."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    @property
    def gaps(self) -> list[float]:
        return [after - before for before, after in zip(self.times, self.times[1:], strict=False)]

    @property
    def wait(self) -> float:
        """Seconds to the first token."""
        return self.times[0] - self.began


def read(generator: Generator, requests: Sequence[Request]) -> list[Reader]:
    """All requests at once, to their end."""
    readers = [Reader(generator, request) for request in requests]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.finish()
    return readers


def dismiss(readers: Sequence[Reader]) -> None:
    """All stop reading; comes back when nothing of them runs any more."""
    for reader in readers:
        reader.leave()
    for reader in readers:
        reader.finish()
    for thread in threading.enumerate():
        if thread.name == _STEPPING:
            thread.join()


def total(readers: Sequence[Reader]) -> float:
    """Tokens/s of all together, from the first who asked to the last token: prompts are part of it."""
    tokens = sum(len(reader.times) for reader in readers)
    return tokens / (max(reader.times[-1] for reader in readers) - min(reader.began for reader in readers))


def warm(work: Callable[[], object]) -> None:
    """Does the work until no shape of step is compiled for it any more: before, steps take the slow way."""
    for _ in range(_WARM_ROUNDS):
        work()
        compiling = [thread for thread in threading.enumerate() if thread.name == _COMPILING]
        if not compiling:
            return
        for thread in compiling:
            thread.join()
