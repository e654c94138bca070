"""What is told while something runs is told once, arrives whole, and a run at a public page's caps is small."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
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
def capped() -> Iterator[PageClient]:
    """A page that writes as much as a public one lets a visitor have it write, and tells of every step."""
    with forked("tests.ui.tiny_page", "--limit-candidates", "4", "--rows", "4", "--pause", "0.01") as url:
        yield PageClient(url).wait()


@pytest.mark.parametrize("path", ["fast", "exact"])
def test_a_run_at_the_caps_of_a_public_page_is_told_in_a_megabyte(capped: PageClient, path: str) -> None:
    compose = {"kind": "complete", "prompt": "One two"}
    for body in capped.body("act", "generate", knobs=CAPS, compose=compose, act={"path": path}):
        capped.post(body)
    with capped.stream() as stream:
        raw = stream.read()
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


def test_a_call_at_these_caps_is_told_in_a_megabyte_to_curl_and_to_a_client(capped: PageClient) -> None:
    given = {"prompt": "One two", "path": "fast", **CAPS}
    post = urllib.request.Request(
        f"{capped.url}/gradio_api/call/v2/generate", json.dumps(given).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(post) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{capped.url}/gradio_api/call/generate/{event}") as stream:
        raw = stream.read()
    *updates, last, again = [json.loads(line[6:])[0] for line in raw.splitlines() if line.startswith(b"data: [")]
    assert last == again and all(len(one["token_ids"]) > LEAST for one in last["candidates"])
    assert sum(len(one["token_ids"]) for update in updates for one in update["candidates"]) <= 2048
    assert len(raw) < MOST, f"{len(raw)} bytes"
    client = Client(capped.url, verbose=False)
    got = list(client.submit(**given, api_name="/generate"))
    assert got[-1]["candidates"] == last["candidates"] and len(json.dumps(got)) < MOST
    client.close()
