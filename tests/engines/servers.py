"""Engines that tests start themselves, on the embedded model, in processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.models import embedded

PATIENCE = 240.0  # seconds until a server must answer


@contextmanager
def transformers_serve() -> Iterator[str]:
    """The URL of `transformers serve`, pinned to the embedded model's converted copy. In float32: bfloat16's sums end
    otherwise on each kind of processor, so that a greedy text does too."""
    folder, port = embedded.ensure(lambda *_: None), free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder), "--dtype", "float32"]
    with running([*command, "--host", "127.0.0.1", "--port", str(port)], f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def playground_server() -> Iterator[str]:
    """The URL of a Playground with the embedded model, which has OpenAI's API."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "app.py", "--port", str(port), "--data-folder", data]
        with running(command, f"http://127.0.0.1:{port}", "/v1/models") as url:
            yield url


@contextmanager
def running(command: list[str], url: str, health: str = "/health") -> Iterator[str]:
    """A server, from the moment that it answers at this path to the end of the block."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while not answers(f"{url}{health}"):
            assert process.poll() is None, f"{command[0]} ended before it answered"
            assert time.monotonic() < end, f"{command[0]} did not answer"
            time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
