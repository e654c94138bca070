"""The app as its owner starts it, in a process of its own; and how long its second start takes to the first token:
`python -m benchmarks.server`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from gradio_client import Client

from benchmarks import asked
from benchmarks.figure import Figure, Findings
from benchmarks.machine import ROOT
from benchmarks.scale import FULL, Scale
from playground.settings import Limits, Settings, records
from playground.types import Path as GenerationPath

ROOM = ("--limit-running", "96", "--limit-waiting", "96")  # for more sessions than one page usually has
_PATIENCE = 600.0
_IDLE = 0.05  # of one core
_IDLE_S = 5


@dataclass(frozen=True, slots=True)
class App:
    """`began` is when the process was started, in seconds of time.monotonic()."""

    url: str
    began: float
    process: psutil.Process

    @property
    def memory(self) -> int:
        """Bytes that the server and what it started hold."""
        return sum(one.memory_info().rss for one in self._family())

    def rest(self) -> None:
        """Waits until it has done nothing for some seconds: what is compiled in the background, which begins a moment
        after an answer, is ready then, and memory is given back."""
        until, idle = time.monotonic() + _PATIENCE, 0
        before = self._worked()
        while time.monotonic() < until and idle < _IDLE_S:
            time.sleep(1.0)
            now = self._worked()
            idle = idle + 1 if now - before < _IDLE else 0
            before = now

    def _worked(self) -> float:
        return sum(sum(one.cpu_times()[:2]) for one in self._family())

    def _family(self) -> list[psutil.Process]:
        return [self.process, *(one for one in self.process.children(recursive=True) if one.is_running())]


@contextmanager
def app(*flags: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> Iterator[App]:
    """The page of the checkout in `folder` with these flags and variables, ended on the way out. Gives it as soon as
    its port answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), *flags]
    own = {**_environment(), **(environment or {})}
    began = time.monotonic()
    with subprocess.Popen(command, cwd=folder, env=own, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process, began)
            yield App(f"http://127.0.0.1:{port}", began, psutil.Process(process.pid))
        finally:
            process.terminate()


def first_token(path: GenerationPath) -> float:
    """Seconds from the start of the process to the first token that a client sees."""
    with app() as opened:
        job = Client(opened.url, verbose=False).submit(
            api_name="/generate", path=path, **asked.arguments(0, 8, **asked.ONE)
        )
        while not job.done() or job.outputs():
            if any(one["token_ids"] for update in job.outputs() for one in update["candidates"]):
                return time.monotonic() - opened.began
            time.sleep(0.005)
        raise RuntimeError(f"no token came: {job.exception()}")


def second_start(scale: Scale = FULL) -> Findings:
    """The first start is not counted: it may convert the model, and fills the caches on disk."""
    findings = Findings()
    first_token("fast")
    seconds: dict[GenerationPath, list[float]] = {"fast": [], "exact": []}
    for _ in range(scale.starts):
        for path, found in seconds.items():
            found.append(first_token(path))
    findings.table.append("seconds from a second start to the first token over HTTP")
    findings.table += [f"  {path:<12}{Figure.of(found)}" for path, found in seconds.items()]
    findings.found("second_start_s", seconds["fast"])
    findings.found("second_start_exact_s", seconds["exact"])
    return findings


def _environment() -> dict[str, str]:
    """Ours, less the variables that set the server's address, model, limits and the like."""
    chosen = {one.variable for one in (*records(Settings), *records(Limits))}
    return {name: value for name, value in os.environ.items() if name not in chosen}


def _wait_for(port: int, process: subprocess.Popen[bytes], began: float) -> None:
    while time.monotonic() - began < _PATIENCE:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with {process.returncode} before it answered")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the app did not answer")


if __name__ == "__main__":
    print(second_start())
