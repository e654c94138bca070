"""A public page forgets: what it kept for a while is gone with it, whoever ends it; runs are told, batches pause."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from gradio import networking, tunneling

from playground.machine.run_folder import LOCK, RunFolder
from playground.settings import Settings
from playground.types import PlaygroundError
from playground.ui import public_link
from tests.ui.served import SCRIPTED, Forked, free_port
from tests.ui.visitor import Visitor

STORE = "kept/playground.sqlite3"
Start = Callable[..., Forked]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the servers of a test have their folders."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "base"))
    return tmp_path / "base"


@pytest.fixture
def start(starts_server: None) -> Iterator[Start]:
    started: list[Forked] = []

    def start(*flags: str) -> Forked:
        started.append(Forked(SCRIPTED, free_port(), "--host", "0.0.0.0", *flags))
        return started[-1]

    yield start
    for one in started:
        one.end(kill=True)


def ended(server: Forked, *signals: int) -> int | None:
    """Its exit code after these signals."""
    pid = server.process.pid
    for number in signals:
        with suppress(ProcessLookupError):  # it may have ended by now
            os.kill(pid, number)
        time.sleep(0.2)
    server._process.join(60)
    return server._process.exitcode


def draft(url: str) -> str:
    told = Visitor(url).props("write", "keep", {"head": {"title": "Harbour", "language": "en"}})
    return str(told["draft"]["key"])


def folders(base: Path) -> set[str]:
    return {folder.name for folder in base.iterdir() if (folder / LOCK).exists()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_runs_with_their_text_and_removes_what_was_kept(base: Path, start: Start, number: int) -> None:
    held = base.with_name("seeds")  # a text goes no further than its first words
    held.write_text("all")
    server = start("--hold", str(held))
    draft(server.url)
    (folder,) = base.iterdir()
    assert (folder / STORE).exists() and folder.stat().st_mode & 0o077 == 0
    stream = Visitor(server.url).call(prompt="Once", seed=0, max_new_tokens=500)
    while b"Night" not in stream.readline():
        pass
    assert ended(server, number) == 0
    name, data = stream.read().decode().strip().split("\n\n")[-1].split("\n")
    (told,) = json.loads(data.removeprefix("data: "))
    (text,) = told["candidates"]
    assert name == "event: complete" and text["finish_reason"] == "stopped" and text["text"].startswith("Night")
    assert "being stopped" in told["remarks"][-1]["en"] and "停止" in told["remarks"][-1]["zh"]
    assert list(base.iterdir()) == []


def test_what_a_crash_left_is_removed_by_the_next_start_and_nothing_of_who_runs(base: Path, start: Start) -> None:
    crashed, running = start(), start()
    assert draft(crashed.url) and draft(running.url)
    of_both = folders(base)
    crashed.end(kill=True)
    assert folders(base) == of_both and len(of_both) == 2
    last = start()
    draft(last.url)
    left = folders(base)
    assert len(left) == 2 and len(left & of_both) == 1, "the crashed one's is gone, the running one's is not"
    assert Visitor(running.url).props("write", "keep", {"head": {"title": "x"}})["draft"]["key"]
    assert ended(last, signal.SIGTERM) == 0
    assert folders(base) == left & of_both


def test_a_second_signal_ends_it_at_once(base: Path, start: Start, tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.write_text("all")
    server = start("--hold", str(held))
    visitor = Visitor(server.url)
    stream = visitor.call(prompt="Once", seed=0, mode="complete")
    assert stream.readline()
    assert ended(server, signal.SIGTERM, signal.SIGTERM) in (0, 128 + signal.SIGTERM)
    assert list(base.iterdir()) == []


def test_a_folder_that_is_not_ours_or_not_left_over_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / LOCK).touch()
    (tmp_path / "playground-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "playground-other").mkdir()
    first = RunFolder(tmp_path)
    second = RunFolder(tmp_path)
    assert first.path.exists() and second.path.exists()
    assert (tmp_path / "elsewhere" / LOCK).exists() and (tmp_path / "playground-other").exists()
    first.remove()
    first.remove()
    assert not first.path.exists() and second.path.exists()
    second.remove()
    with pytest.raises(PlaygroundError, match="No folder can be made"):
        RunFolder(tmp_path / "elsewhere" / LOCK)


def test_the_tunnels_certificate_lies_in_the_servers_folder_and_not_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, working = tmp_path / "frpc", tmp_path / "working"
    program.write_text("#!/bin/sh\necho start proxy success: http://lamp.example\nexec sleep 300\n")
    program.chmod(0o755)
    working.mkdir()
    monkeypatch.chdir(working)
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(program))

    class Told(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'[{"host": "127.0.0.1", "port": 7000, "root_ca": "a certificate"}]')

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        monkeypatch.setattr(networking, "GRADIO_API_SERVER", f"http://127.0.0.1:{service.server_address[1]}")
        link = public_link.open_link(Settings(share=True, run_folder=tmp_path / "run"))
        service.shutdown()
    running = [tunnel.proc for tunnel in tunneling.CURRENT_TUNNELS]
    public_link.close()
    for process in running:
        assert process.wait(30) != 0, "the tunnel's program has ended"
        process.stdout.close()
        process.stderr.close()
    tunneling.CURRENT_TUNNELS.clear()
    assert link == "https://lamp.example"
    assert list(working.iterdir()) == []
    assert (tmp_path / "run" / "tunnel" / "certificate.pem").read_text() == "a certificate"
