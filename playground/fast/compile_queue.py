"""Has groups of layers compiled by one process, one after the other, while nobody is answered.

The process starts with the first spec and ends when there is nothing left to do. Knows no layer: a spec is bytes.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LENGTH = struct.Struct(">QH")  # of a spec and of its library's path, in front of both
QUIET_S = 1.0  # so long nobody was answered before compiling goes on
PATIENCE_S = 180.0  # so long it waits in all; then it goes on beside the answers, at the lowest priority
_LOOK_S = 0.1
_LINGER_S = 5.0  # the next spec often comes soon, and a start costs seconds
IDLE = "--idle"  # the worker's only argument
log = logging.getLogger(__name__)

Done = Callable[[str | None], None]
"""Called with the reason where it failed."""


@dataclass(frozen=True, slots=True)
class _Order:
    spec: bytes
    library: Path
    quiet_s: Callable[[], float]
    done: Done


class CompileQueue:
    """All methods may be called from any thread, `done` is called from another one.

    With `idle` the worker gets what nobody else wants of the processors, else it is like any other program.
    """

    def __init__(self, *, idle: bool = True) -> None:
        self._idle = idle
        self._orders: deque[_Order] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, spec: bytes, library: Path, quiet_s: Callable[[], float], done: Done) -> None:
        """`quiet_s` tells for how many seconds nobody has been answered."""
        with self._changed:
            self._orders.append(_Order(spec, library, quiet_s, done))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="compile", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        process: _Process | None = None
        while True:
            with self._changed:
                if not self._orders:
                    self._changed.wait(_LINGER_S)
                if not self._orders:
                    self._thread = None
                    break
                order = self._orders.popleft()
            try:
                process = process or _Process(order.quiet_s, idle=self._idle)
                failed = process.compile(order)
            except (OSError, ValueError) as error:
                failed = f"{type(error).__name__}: {error}".splitlines()[0]
            if failed is not None and process is not None and not process.alive:
                process = None
            order.done(failed)
        if process is not None:
            process.end()


class _Process:
    """The worker. It is stopped, with the compilers that it has started, while somebody is answered."""

    def __init__(self, quiet_s: Callable[[], float], *, idle: bool) -> None:
        self._waited = 0.0
        self._rest(quiet_s)  # its start takes seconds of a processor
        self._process = subprocess.Popen(
            [sys.executable, "-m", "playground.fast.compile_worker", *([IDLE] if idle else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1"},
            process_group=0 if os.name == "posix" else None,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def compile(self, order: _Order) -> str | None:
        """The reason where it failed. Returns when the library is there."""
        assert self._process.stdin is not None
        path = str(order.library).encode()
        self._process.stdin.write(LENGTH.pack(len(order.spec), len(path)) + path + order.spec)
        self._process.stdin.flush()
        answer = self._answer(order.quiet_s)
        if not answer:
            return f"the compiler's process ended with {self._process.wait()}"
        error: str | None = json.loads(answer)["error"]
        return error

    def end(self) -> None:
        self._signal("SIGCONT")
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _answer(self, quiet_s: Callable[[], float]) -> bytes:
        """The worker's next line; nothing where it has ended."""
        if os.name != "posix":  # pipes cannot be waited for together with the time, nor processes be stopped
            assert self._process.stdout is not None
            return self._process.stdout.readline()
        stopped = False
        with selectors.DefaultSelector() as ready:
            assert self._process.stdout is not None
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while not ready.select(_LOOK_S):
                busy = quiet_s() < QUIET_S and self._waited < PATIENCE_S
                self._waited += _LOOK_S if busy else 0
                if busy != stopped:
                    self._signal("SIGSTOP" if busy else "SIGCONT")
                    stopped = busy
            return self._process.stdout.readline()

    def _rest(self, quiet_s: Callable[[], float]) -> None:
        while quiet_s() < QUIET_S and self._waited < PATIENCE_S:
            time.sleep(_LOOK_S)
            self._waited += _LOOK_S

    def _signal(self, name: str) -> None:
        if hasattr(signal, name) and self.alive:
            with suppress(OSError):
                os.killpg(self._process.pid, getattr(signal, name))


QUEUE = CompileQueue()
"""One for the whole program: however many models there are, one worker compiles."""
