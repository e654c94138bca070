"""What is told while something runs is told once, arrives whole, and a run at a public page's caps is small."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from gradio_client import Client

from playground.settings import PUBLIC_LIMITS
from playground.ui.updates import Updates, changes
from tests.ui.events import PageClient, Screen, changed, screen
from tests.ui.served import forked

MOST = 1_000_000  # bytes of a run at these caps, on any of its ways
CAPS: dict[str, Any] = {"n": PUBLIC_LIMITS.candidates, "max_new_tokens": PUBLIC_LIMITS.max_new_tokens}
CAPS |= {"ignore_eos": True, "stop": [], "seed": 1}
CALL: dict[str, Any] = {"prompt": "One two", "path": "fast", **CAPS}
LEAST = 500  # tokens of a row: the tiny model's window holds 512 with the prompt

STATES: list[Any] = [
    {"rows": [{"text": "", "done": False}], "status": None},
    {"rows": [{"text": "The harbour at dawn", "done": False}], "status": None},
    {"rows": [{"text": "The harbour at dusk: 港口 \U0001f6a2", "done": False, "more": [1]}], "status": {"en": "a"}},
    {"rows": [{"text": "The harbour at dusk: 港口 \U0001f6a3 \ud800", "done": True, "more": [1, 2]}], "status": None},
    {"rows": [{"text": "short"}, {"text": "another"}], "status": None},
    {"rows": []},
    None,
    [1, 1.0, True, {"__proto__": "x"}],
]


def test_every_state_comes_of_the_one_before_it_and_its_changes() -> None:
    for old in STATES:
        for new in STATES:
            how = changes(old, new)
            assert (old if how is None else changed(old, json.loads(json.dumps(how)))) == new
            assert (how is None) == (old == new)


def test_an_update_holds_what_is_new_and_nothing_where_nothing_is() -> None:
    updates, shown = Updates(), Screen()
    text = "word " * 400
    sent = 0
    for end in range(0, len(text) + 1, 5):
        update = updates.of({"cards": {"request": text, "rows": [{"text": text[:end]}]}}, {"tokens": end})
        sent += len(json.dumps(update)) if end else 0
        shown.take(update)
    assert shown.shown == {"cards": {"request": text, "rows": [{"text": text}]}, "tokens": len(text)}
    assert sent < 50 * len(text)
    assert updates.of({"cards": {"request": text, "rows": [{"text": text}]}}) == {"feed": []}


@pytest.fixture(scope="module")
def answers(tiny_page: str) -> Iterator[dict[str, Any]]:
    """What a page that writes as much as a public one lets a visitor have it write answers to all who ask at once: the
    page on both paths, curl and a client. It tells of every step."""
    with forked(tiny_page, "--limit-candidates", "4", "--rows", "16", "--pause", "0.01") as url:
        page = PageClient(url).wait()
        asking: dict[str, Callable[[], Any]] = {
            "fast": partial(of_the_page, page.other(), "fast"),
            "exact": partial(of_the_page, page.other(), "exact"),
            "curl": partial(of_curl, url),
            "client": partial(of_a_client, url),
        }
        with ThreadPoolExecutor(len(asking)) as pool:
            found = {name: pool.submit(ask) for name, ask in asking.items()}
        yield {name: future.result() for name, future in found.items()}


def of_the_page(page: PageClient, path: str) -> bytes:
    compose = {"kind": "complete", "prompt": "One two"}
    for body in page.body("act", "generate", knobs=CAPS, compose=compose, act={"path": path}):
        page.post(body)
    with page.stream() as stream:
        return bytes(stream.read())


def of_curl(url: str) -> bytes:
    post = urllib.request.Request(
        f"{url}/gradio_api/call/v2/generate", json.dumps(CALL).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(post) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{url}/gradio_api/call/generate/{event}") as stream:
        return bytes(stream.read())


def of_a_client(url: str) -> list[Any]:
    client = Client(url, verbose=False)
    got = list(client.submit(**CALL, api_name="/generate"))
    client.close()
    return got


@pytest.mark.parametrize("path", ["fast", "exact"])
def test_a_run_at_the_caps_of_a_public_page_is_told_in_a_megabyte(answers: dict[str, Any], path: str) -> None:
    raw = answers[path]
    messages = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: ")]
    found = screen(messages)
    assert found.shown["cards"]["error"] is None
    rows = found.shown["cards"]["rows"]
    assert len(rows) == 4 and len(messages) > 20
    assert all(row["tokens"] > LEAST for row in rows), [(row["tokens"], row["finish"]) for row in rows]
    tokens: dict[int, list[Any]] = {}
    for to, news in found.all:
        for part in news["value"]["rows"] if to == "tokens" else ():
            assert part["from"] == len(tokens.setdefault(part["row"], [])), "told twice, or a gap"
            tokens[part["row"]] += part["tokens"]
    assert [len(tokens[place]) for place in range(4)] == [row["tokens"] for row in rows]
    assert "".join(token[1] for token in tokens[0] if not token[7]) == rows[0]["text"]
    assert len(raw) < MOST, f"{len(raw)} bytes in {len(messages)} messages"


def test_a_call_at_these_caps_is_told_in_a_megabyte_to_curl_and_to_a_client(answers: dict[str, Any]) -> None:
    raw, got = answers["curl"], answers["client"]
    *updates, last, again = [json.loads(line[6:])[0] for line in raw.splitlines() if line.startswith(b"data: [")]
    assert last == again and len(raw) < MOST, f"{len(raw)} bytes"
    assert len(json.dumps(got)) < MOST
    for told, end in ((updates, last), (got[:-1], got[-1])):
        assert all(len(one["token_ids"]) > LEAST for one in end["candidates"]) and len(end["candidates"]) == 4
        assert len(told) > 20 and sum(len(one["token_ids"]) for update in told for one in update["candidates"]) <= 2048
    assert got[-1].keys() == last.keys()
