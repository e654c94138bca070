"""What a server's memory is, and who holds it: `python -m benchmarks.memory`.

The server is the app itself, asked over HTTP. The table of owners is read in this process, which loads the same things
one after the other.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any

import psutil
from gradio_client import Client

from benchmarks import asked
from benchmarks.clients import Clients
from benchmarks.figure import Findings
from benchmarks.scale import FULL, Scale
from benchmarks.server import ROOM, App, app
from benchmarks.speed import SESSIONS

MB = 1e6
ALLOWED = {"--kept-memory": 256_000_000, "--kv-memory": 256_000_000}  # what is to be left out of the figures
_ROUNDS = 3


def server(scale: Scale = FULL) -> Findings:
    """Resident memory of the ready server, after ten answers, under sixteen sessions, and some time after them."""
    findings = Findings()
    flags = [part for name, size in ALLOWED.items() for part in (name, str(size))]
    with app(*ROOM, *flags) as opened:
        _answers(opened, scale, 1)  # the first waits for the model
        opened.rest()
        ready = opened.memory
        _answers(opened, scale, 10)
        opened.rest()
        answered = opened.memory
        most = _loaded(opened, scale)
        opened.rest()
        after = opened.memory
    findings.table.append("resident memory of the server and what it has started, MB")
    for name, size in (
        ("ready", ready), ("after ten answers", answered), (f"under {SESSIONS} sessions", most), ("after them", after),
    ):  # fmt: skip
        findings.table.append(f"  {name:<22}{size / MB:8.0f}")
    allowed = sum(ALLOWED.values())
    findings.found("memory_ready_mb", [ready / MB])
    findings.found("memory_loaded_mb", [max(ready, most - allowed) / MB])
    findings.found("memory_after_ratio", [after / answered])
    return findings


def _answers(opened: App, scale: Scale, count: int) -> None:
    client = Client(opened.url, verbose=False)
    for number in range(count):
        client.predict(api_name="/generate", path="fast", **asked.arguments(0, scale.served_16, number, **asked.ONE))


def _loaded(opened: App, scale: Scale) -> int:
    """The most that was seen between requests of sixteen sessions at once."""
    most = 0
    with Clients(opened.url, SESSIONS) as clients:
        for number in range(_ROUNDS):
            clients.ask([asked.arguments(at, scale.served_16, number) | {"path": "fast"} for at in range(SESSIONS)])
            most = max(most, opened.memory)
    return most


def owners() -> list[str]:
    """Lines of a table: what each part adds to this process."""
    found: list[str] = []
    before = _own()

    def part(name: str, work: Callable[[], Any]) -> Any:
        nonlocal before
        made = work()
        gc.collect()
        _trim()
        now = _own()
        found.append(f"  {name:<44}{(now - before) / MB:8.0f}{now / MB:8.0f}")
        before = now
        return made

    part("Python", lambda: None)
    part("Gradio, FastAPI, pandas and the page", lambda: __import__("playground.ui.serve"))
    part("torch", lambda: __import__("torch"))
    part("transformers and the engine", lambda: __import__("playground.generators.local"))
    from playground.generators.local import LocalGenerator
    from playground.models import load_or_embedded

    loaded = part("weights in bf16, mapped from their file", lambda: load_or_embedded(None))
    generator = part("generator", lambda: LocalGenerator(loaded))
    part("weights in 4 bits, the reading of all weights", generator.pack)
    return found


def _own() -> int:
    return int(psutil.Process().memory_info().rss)


def _trim() -> None:
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    print("\n".join(["what each part adds, and the sum, MB", *owners()]))
    print(server())
