"""The server's side of the worker processes: started where needed, one kept warm, killed when they take too much.

A worker is a fresh Python with few imports, never a fork of the server, and gets nothing of the server's environment
that it does not need: no access token, no password. Data goes to it as bytes and comes back as JSON.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from playground.isolation import worker
from playground.types import Busy, InvalidRequest, PlaygroundError, Text

log = logging.getLogger(__name__)
MOST = 2  # workers at a time for each kind of request: more would take the processors from the runs that somebody reads
_WARM = 2  # that wait for the next request
_REQUESTS = 500  # of one worker, before a fresh one takes its place
_QUEUE = 64  # requests that may wait for a worker
_PATIENCE = 10.0  # seconds that a request waits for one
_START = 60.0  # seconds that a start may take on a machine under load; it takes a tenth of a second on an idle one
_WALL = 4  # times the CPU time allowed, in seconds: a worker beside a busy model gets a share of a processor only
_GLANCE = 0.05  # seconds between looks at a worker's memory and CPU time
# What a worker needs of the server's environment to start at all.
_PASSED_ON = (
    "PATH",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "TEMP",
    "TMP",
    "TMPDIR",
    "TZ",
    "HOME",
    "USERPROFILE",
)
_WATCHES_MEMORY = sys.platform != "linux"


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """What one request may take: seconds of CPU time, bytes of memory beside the worker's own, bytes of its answer.

    `at_once` is how many of its kind are worked on at a time.
    """

    seconds: float
    memory: int
    output: int
    at_once: int = MOST


class LimitExceeded(PlaygroundError):
    """A request took more than it is allowed, or broke its worker; `what` is "time", "memory", "output" or "crash"."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(Text("This takes too much time or memory to read.", "读取它需要的时间或内存太多。"))


def run_isolated(task: str, options: Mapping[str, Any], data: bytes, limits: ResourceLimits) -> Any:
    """The JSON value that `worker.TASKS[task]` makes of these options and bytes, in a worker process.

    Raises LimitExceeded, what the task refuses as InvalidRequest, and Busy where no worker comes free in time.
    """
    header = {
        "task": task, "options": options, "size": len(data),
        "seconds": limits.seconds, "memory": limits.memory, "output": limits.output,
    }  # fmt: skip
    with _POOL.worker(task, limits.at_once) as chosen:
        answer = json.loads(chosen.ask(json.dumps(header).encode("ascii") + b"\n", data, limits))
    if "failed" in answer:
        log.warning("A worker process could not read a %s: %s", task, answer["failed"])
    if "exceeded" in answer or "failed" in answer:
        raise LimitExceeded(answer.get("exceeded", "crash"))
    if "refused" in answer:
        message, hint = (text and Text(*text) for text in answer["refused"]["told"])
        raise InvalidRequest(message, hint, parameter=answer["refused"]["parameter"])
    return answer["value"]


class _Worker:
    """One process. It answers one request at a time; `usable` is whether it may be asked again."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        package = str(Path(worker.__file__).resolve().parents[2])
        given = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(one).is_absolute()]
        path = os.pathsep.join([package, *given])
        environment |= {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "MALLOC_ARENA_MAX": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", worker.__name__],  # -P: nothing is imported from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._asked = 0
        self._last = False
        self._exceeded = ""
        with self._watched(ResourceLimits(_START, sys.maxsize, 0), _START):
            ready = self._output.readline() == worker.READY
        if not ready:
            self.end()
            raise LimitExceeded("crash")

    @property
    def usable(self) -> bool:
        return not self._last and self._asked < _REQUESTS and self._process.poll() is None

    @property
    def _output(self) -> Any:
        return self._process.stdout

    def ask(self, header: bytes, data: bytes, limits: ResourceLimits) -> bytes:
        """The answer's JSON. Raises LimitExceeded, and the process is gone then."""
        self._asked += 1
        self._last = True  # unless all of this goes well
        with self._watched(limits, limits.seconds * _WALL):
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(header)
                self._process.stdin.write(data)
                self._process.stdin.flush()
                about = json.loads(self._output.readline() or b"null")
                answer: bytes = b"" if about is None else self._output.read(min(about["size"], limits.output + 1))
            except OSError:  # it ended while it was written to
                about, answer = None, b""
        if about is None or len(answer) != about["size"]:
            self.end()
            raise LimitExceeded(self._exceeded or self._cause(about))
        self._last = bool(about["last"])
        return answer

    def end(self) -> None:
        """Kills the process, if it still runs, and waits for its end."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not written yet has no reader any more
                    pipe.close()
        self._process.wait()

    def disown(self) -> None:
        """In a fork of the server: the process belongs to the parent, which alone may wait for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.returncode = 0

    def _cause(self, about: Mapping[str, Any] | None) -> str:
        if about is not None and len(about) == 2 and self._process.poll() is None:
            return "output"
        return "time" if self._process.wait() == -getattr(signal, "SIGXCPU", 0) else "crash"

    @contextmanager
    def _watched(self, limits: ResourceLimits, wall: float) -> Iterator[None]:
        """Meanwhile the process is killed once `wall` seconds are over, or, where the system does not see to it, once
        it has taken more memory or CPU time than allowed."""
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over, limits, wall), name="worker watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join()

    def _watch(self, over: threading.Event, limits: ResourceLimits, wall: float) -> None:
        if not _WATCHES_MEMORY:
            if not over.wait(wall):
                self._stop("time")
            return
        until = time.monotonic() + wall
        try:
            process = psutil.Process(self._process.pid)
            memory, cpu = process.memory_info().rss + limits.memory, sum(process.cpu_times()[:2]) + limits.seconds
            while not over.wait(_GLANCE):
                if process.memory_info().rss > memory:
                    self._stop("memory")
                elif time.monotonic() > until or sum(process.cpu_times()[:2]) > cpu:
                    self._stop("time")
        except psutil.Error:  # it has ended by itself
            return

    def _stop(self, why: str) -> None:
        self._exceeded = self._exceeded or why
        self._process.kill()


class _Pool:
    """The workers that wait, and how many work for each kind of request."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._idle: list[_Worker] = []
        self._places: dict[str, threading.Semaphore] = {}
        self._waiting = 0

    @contextmanager
    def worker(self, kind: str, at_once: int = MOST) -> Iterator[_Worker]:
        """One that works for nobody else meanwhile. Raises Busy."""
        with self._place(kind, at_once):
            chosen = self._take()
            try:
                yield chosen
            finally:
                self._put(chosen)

    @contextmanager
    def _place(self, kind: str, at_once: int) -> Iterator[None]:
        with self._guard:
            places = self._places.setdefault(kind, threading.Semaphore(at_once))
            found = places.acquire(blocking=False)
            if not found and self._waiting >= _QUEUE:
                raise _busy()
            self._waiting += not found
        if not found:
            try:
                found = places.acquire(timeout=_PATIENCE)
            finally:
                with self._guard:
                    self._waiting -= 1
        if not found:
            raise _busy()
        try:
            yield
        finally:
            places.release()

    def _take(self) -> _Worker:
        with self._guard:
            idle = self._idle.pop() if self._idle else None
        if idle is not None and not idle.usable:
            idle.end()
            idle = None
        return idle or _Worker()

    def _put(self, used: _Worker) -> None:
        with self._guard:
            kept = used.usable and len(self._idle) < _WARM
            if kept:
                self._idle.append(used)
        if not kept:
            used.end()

    def close(self) -> None:
        """Ends the workers that wait."""
        with self._guard:
            idle, self._idle = self._idle, []
        for one in idle:
            one.end()

    def forget(self) -> None:
        """In a fork of this process: begins anew, without the parent's workers and without its locks."""
        for one in self._idle:
            one.disown()
        self.__init__()  # type: ignore[misc]


def _busy() -> Busy:
    return Busy(
        Text("Too much is being read right now.", "现在正在读取的内容太多。"),
        Text("Try again in a moment.", "请稍后再试。"),
    )


_POOL = _Pool()
atexit.register(_POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.forget)
