"""The benchmark of the page counts what DevTools tell, and only that which reached the server."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")

from benchmarks.page import Round, Traffic, Visit, table


def ask(traffic: Traffic, name: str, path: str, head: int, *parts: int, kept: bool = False) -> None:
    traffic.begun({"requestId": name, "request": {"url": f"http://127.0.0.1:7860{path}"}})
    traffic.answered({"requestId": name, "response": {"fromDiskCache": kept, "encodedDataLength": head}})
    for part in parts:
        traffic.received({"requestId": name, "encodedDataLength": part})


def test_bytes_are_those_on_the_wire_by_whose_they_are() -> None:
    traffic = Traffic()
    ask(traffic, "page", "/", 100, 300)
    traffic.finished({"requestId": "page", "encodedDataLength": 400})
    ask(traffic, "theirs", "/assets/index.js", 50)
    traffic.finished({"requestId": "theirs", "encodedDataLength": 1050})
    ask(traffic, "kept", "/page/0123456789abcdef/page/main.js", 0, kept=True)
    traffic.finished({"requestId": "kept", "encodedDataLength": 0})
    traffic.begun({"requestId": "picture", "request": {"url": "data:image/png;base64,AA"}})
    ask(traffic, "beats", "/gradio_api/heartbeat/abc", 20)
    ask(traffic, "event", "/gradio_api/queue/join?", 7)
    assert traffic.open == ["http://127.0.0.1:7860/gradio_api/queue/join?"] and not traffic.quiet
    traffic.finished({"requestId": "event", "encodedDataLength": 7})
    ask(traffic, "left", "/gradio_api/queue/data?session_hash=abc", 10, 30)
    assert not traffic.open and not traffic.quiet  # something has come just now
    traffic.finished({"requestId": "left"})  # the page has read enough of it
    assert traffic.visit(0.5, 1.5) == Visit(gradio=1050, ours=447, requests=4, script=0.5, work=1.5)


def test_ratios_are_of_rounds_that_took_turns() -> None:
    def visited(ours: int, work: float) -> Round:
        return Round(Visit(0, ours, 80, 0.1, work), [Visit(0, ours, 10, 0.1, work), Visit(0, ours, 10, 0.1, 9.0)])

    here = [visited(1000, 1.0), visited(1000, 3.0), visited(1000, 1.0)]
    lines = table(here, [visited(4000, 2.0), visited(4000, 6.0), visited(4000, 4.0)])
    found = {line[:30].strip(): line[30:].split("  ") for line in lines[2:]}
    assert [part.strip() for part in found["first visit, kB of ours"] if part] == [
        "1 (1, 1)",
        "4 (4, 4)",
        "0.25 (0.25, 0.25)",
    ]
    assert [part.strip() for part in found["first visit, work, ms"] if part] == [
        "1000 (1000, 3000)",
        "4000 (2000, 6000)",
        "0.5 (0.25, 0.5)",
    ]
    assert found["first visit, kB of Gradio's"][-1].strip() == "0 (0, 0)"  # no share of nothing
    assert len(table(here)) == len(lines)
