"""What goes wrong is one line in the terminal and one sentence for its visitor, however much of it he asks for."""

from __future__ import annotations

import http.client
import json
import logging
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from playground.ui import error_log, routes
from tests.ui.events import PageClient
from tests.ui.served import ROOT, SCRIPTED, Forked, free_port
from tests.ui.visitor import Visitor

MOST = 40_000  # bytes of log
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 10**400, "", "x", "\0", "\ud800", "k" * 5_000, "../../etc/passwd", [], [[]], [1], {},
    {"a": []}, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"__type__": "update"},
]  # fmt: skip
TEXTS = [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b'{"data": 7}', b"[" * 50_000]
RAW = [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01" * 50, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]


@pytest.fixture(scope="module")
def served(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forked, Path]]:
    folder = tmp_path_factory.mktemp("faults")
    server = Forked(SCRIPTED, free_port(), "--data-folder", str(folder / "data"), log=folder / "log")
    yield server, folder
    server.end()


def ask(url: str, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> str:
    """Whatever comes back, headers and all; of a stream only its beginning."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        streams = answer.headers.get_content_type() == "text/event-stream"
        told = answer.readline() if streams else answer.read()
        return f"{answer.status} {answer.headers}{told.decode(errors='replace')}"
    finally:
        connection.close()


def wishes(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies of /queue/join: every event of the page with odd values in its inputs and as its data."""
    draw = random.Random(0)
    for event in config["dependencies"]:
        odd = draw.choice(ODD)
        yield {"data": [odd] * len(event["inputs"]), "event_data": odd, "fn_index": event["id"]}
    for odd in ODD:
        yield {"data": [odd], "session_hash": odd, "fn_index": draw.choice([odd, 0, 3])}
    yield {"data": [1] * 80, "fn_index": 0, "trigger_id": "x"}


def malformed(url: str) -> Iterator[str]:
    """The answers to several hundred requests that make no sense, to every route that is open."""
    api = routes.API
    for path in ("run/predict", "queue/join", "call/generate", "call/v2/generate", "call/v2/none", "cancel"):
        for text in TEXTS:
            yield ask(url, "POST", f"{api}/{path}", text)
        yield ask(url, "POST", f"{api}/{path}", b"--x\r\n", "multipart/form-data; boundary=x")
    for path in ("/config?page=x&deep_link=../x", "/?page=%00&deep_link=x", "/assets/none.js", "/static/none",
                 f"{api}/info?page=x", f"{api}/queue/data", f"{api}/queue/data?session_hash=none",
                 f"{api}/call/generate/nobody", f"{api}/call/v2/none/nothing", "/theme.css?v=%ff", "/%00", "/%ff%fe",
                 "/favicon.ico/x", f"{api}/file=/etc/passwd", "/" + "x" * 5_000):  # fmt: skip
        for method in ("GET", "POST", "PUT"):
            yield ask(url, method, path)
    config = json.loads(ask(url, "GET", "/config").partition("\n\n")[2])
    for number, wish in enumerate(wishes(config)):
        whole = {"session_hash": f"odd{number}", **wish}
        yield ask(url, "POST", f"{api}/{'run/predict' if number % 3 else 'queue/join'}", json.dumps(whole).encode())
    for odd in ODD:
        given = {"prompt": odd, "top_p": odd, "task": odd}
        yield ask(url, "POST", f"{api}/call/v2/generate", json.dumps(given).encode())
    for text in RAW:
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port)) as raw:
            raw.sendall(text)
            yield raw.recv(1_000).decode(errors="replace")


def test_several_hundred_bad_requests_are_a_few_lines_and_no_answer_tells_of_this_machine(
    served: tuple[Forked, Path],
) -> None:
    server, folder = served
    before = (folder / "log").stat().st_size
    answers = list(malformed(server.url))
    assert len(answers) > 200
    for answer in answers:
        for secret in ("Traceback", str(ROOT), str(folder), "site-packages", "/tmp/", "/usr/"):
            assert secret not in answer, answer[:2_000]
    for number in range(0, 60, 3):  # what the streams of some of them say
        told = ask(server.url, "GET", f"{routes.API}/queue/data?session_hash=odd{number}")
        assert "Traceback" not in told and str(ROOT) not in told
    visitor = Visitor(server.url)
    assert b"complete" in visitor.call(prompt="Once", seed=0).read(), "and it still answers"
    written = (folder / "log").read_text(errors="replace")[before:]
    assert len(written) < MOST, written
    assert "Traceback (most recent call last)" not in written


def test_an_event_whose_data_name_a_file_does_not_make_gradio_look_for_it(served: tuple[Forked, Path]) -> None:
    server, folder = served
    page = PageClient(server.url).wait()
    file = {"path": "/etc/passwd", "url": "http://127.0.0.1:1/x", "meta": {"_type": "gradio.FileData"}}
    listeners = [one for one in page.config["dependencies"] if one["collects_event_data"] and one["queue"] is not False]
    assert listeners
    for listener in listeners:
        for raw in (file, {"head": file, "x": [file]}, [file]):
            values = {"data": ["{}"] * len(listener["inputs"]), "event_data": raw, "fn_index": listener["id"]}
            page.post({**values, "trigger_id": listener["targets"][0][0], "session_hash": page.session})
            assert [one["msg"] for one in page.read()].count("process_completed") == 1
    assert "cache folder" not in (folder / "log").read_text()


def test_a_damaged_store_is_a_sentence_for_the_visitor_and_a_path_for_the_terminal(
    served: tuple[Forked, Path], tmp_path: Path
) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir()
    (data / "playground.sqlite3").write_bytes(b"no database" * 1_000)
    server = Forked(SCRIPTED, free_port(), "--host", "0.0.0.0", "--data-folder", str(data), log=log)
    try:
        told = json.dumps(Visitor(server.url).props("write", "keep", {"head": {"title": "x"}}), ensure_ascii=False)
        opened = json.dumps(Visitor(server.url).send("batch", "opened", {"key": "k"}), ensure_ascii=False)
    finally:
        server.end()
    for answer in (told, opened):
        assert "terminal" in answer and "终端" in answer and str(data) not in answer
    assert str(data) in log.read_text()


def test_what_repeats_is_told_when_its_count_has_another_digit() -> None:
    lines: list[str] = []
    log = logging.Logger("test")
    log.addHandler(error_log.BriefLogHandler(lines.append))
    for number in range(1_234):
        log.error("a visitor sent %s", f"thing {number}\n\x1b[2J" + "x" * 1_000)
    assert [line.partition("(")[2] for line in lines] == ["", "10 times by now)\n", "100 times by now)\n",
                                                          "1000 times by now)\n"]  # fmt: skip
    assert all(line.count("\n") == 1 and "\x1b" not in line and len(line) < 400 for line in lines)


def test_a_fault_of_ours_shows_once_where_it_was() -> None:
    lines: list[str] = []
    log = logging.Logger("test")
    log.addHandler(error_log.BriefLogHandler(lines.append))
    for text in ("1,", "2,"):
        try:
            error_log.one_line(None)  # type: ignore[arg-type]
        except TypeError:
            log.exception("A handler failed")
        try:
            json.loads(text)
        except ValueError:
            log.exception("An event could not be read")
    ours, foreign = lines
    assert "TypeError" in ours and "error_log.py" in ours and 2 <= ours.count("\n") <= 4
    assert foreign.startswith("An event could not be read: JSONDecodeError") and foreign.count("\n") == 1
