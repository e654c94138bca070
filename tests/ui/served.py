"""Servers of ours for the browser tests, each in a process of its own.

Most are forked off one process that has imported what all of them need: torch, transformers and Gradio take ten seconds
of a processor, and there are some thirty servers.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPTED = "tests.ui.scripted_page"

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "playground.ui.serve", "playground.inspection.run_queries", "playground.training.process", "peft",
        "tests.tiny", __name__,
    ]
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Forked:
    """`python -m module --port PORT flags…`, without its imports. Environment and folder are those of the tests."""

    def __init__(self, module: str, port: int, *flags: str, log: Path | None = None) -> None:
        """What it says goes into `log`, where there is one."""
        self.url = f"http://127.0.0.1:{port}"
        self._process = begun(module, "--port", str(port), *flags, log=log)
        wait_for(self.url, lambda: self._process.exitcode is not None)

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def end(self, *, kill: bool = False) -> None:
        """`kill` as a crash would: nothing is tidied up."""
        (self._process.kill if kill else self._process.terminate)()
        self._process.join()


def begun(module: str, *flags: str, log: Path | None = None) -> BaseProcess:
    """`python -m module flags…` without its imports, as it has just begun."""
    process = FORKS.Process(target=_run, args=(module, flags, dict(os.environ), log), daemon=True)
    process.start()
    return process


def _run(module: str, flags: tuple[str, ...], environment: dict[str, str], log: Path | None) -> None:
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background ignore it
    if log is not None:
        with log.open("ab") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
    sys.argv = [module, *flags]
    runpy.run_module(module, run_name="__main__")


@contextmanager
def forked(module: str, *flags: str) -> Iterator[str]:
    """The address of such a server, once it answers."""
    server = Forked(module, free_port(), *flags)
    try:
        yield server.url
    finally:
        server.end()


@contextmanager
def started(*command: str, **environment: str) -> Iterator[str]:
    """The same for a Python of its own, whose imports read this environment."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {**os.environ, **environment}
    with subprocess.Popen([sys.executable, *command, "--port", str(port)], cwd=ROOT, env=settings) as process:
        try:
            wait_for(url, lambda: process.poll() is not None)
            yield url
        finally:
            process.terminate()


def wait_for(url: str, ended: Callable[[], bool]) -> None:
    for _ in range(1200):
        assert not ended(), "the server ended before it answered"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not answer")
