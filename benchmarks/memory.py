"""What a server's memory is: `python -m benchmarks.memory`. The server is the app itself, asked over HTTP.

Who holds it: `python -m benchmarks.owners`.
"""

from __future__ import annotations

import threading

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
_GLANCE_S = 0.1


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
    """The most that was seen while sixteen sessions ask at once."""
    seen, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(_GLANCE_S):
            seen.append(opened.memory)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with Clients(opened.url, SESSIONS) as clients:
            for number in range(_ROUNDS):
                clients.ask([asked.arguments(at, scale.served_16, number) | {"path": "fast"} for at in range(SESSIONS)])
    finally:
        over.set()
        looking.join()
    return max(seen)


if __name__ == "__main__":
    print(server())
