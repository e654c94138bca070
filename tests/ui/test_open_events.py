"""Who asks for very much takes nobody else's answer away, what nobody reads ends, and who has gone leaves nothing."""

from __future__ import annotations

import functools
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import pytest
from fastapi import HTTPException

from playground.settings import Limits
from playground.ui import event_queue
from playground.ui.event_queue import EventQueue, Messages
from playground.ui.sessions import Sessions
from tests.own_loop import in_own_loop
from tests.ui.conftest import Held, Open
from tests.ui.events import PageClient, screen
from tests.ui.served import forked

LONG = {"n": 1, "max_new_tokens": 400, "ignore_eos": True}
FREE = {"kind": "complete", "prompt": "One two three"}
VALUES: dict[str, Any] = {"read": {"text": "One two " * 200}, "knobs": LONG, "compose": FREE, "act": {"path": "fast"}}


@pytest.fixture(scope="module")
def slow(tiny_page: str) -> Iterator[str]:
    """A page that writes slowly, and soon loses patience with whoever does not read."""
    with forked(tiny_page, "--pause", "0.2", "--patience", "6") as url:
        PageClient(url).wait()
        yield url


class Reader:
    """A connection to a session's stream that is held open, and read by nobody but the kernel."""

    def __init__(self, page: PageClient) -> None:
        place = urlparse(page.url)
        self._socket = socket.create_connection((place.hostname, place.port))
        path = f"/gradio_api/queue/data?session_hash={page.session}"
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@pytest.mark.parametrize("count", [60, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["follow", "read", "generate"])
def test_any_number_of_open_requests_leaves_the_next_visitor_his_answer(slow: str, kind: str, count: int) -> None:
    page = PageClient(slow)
    element = {"follow": "batch", "read": "read", "generate": "act"}[kind]
    with ExitStack() as held:
        for _ in range(count):
            asking = page.other()
            for body in asking.body(element, kind, {"key": "k", "first": 1}, **VALUES):
                asking.post(body)
            held.enter_context(Reader(asking))
        assert page.seen()["used"] > 0


def test_a_session_with_very_much_open_is_refused_in_a_sentence_and_others_are_not(slow: str) -> None:
    page = PageClient(slow)
    body = page.program("One two three", "complete")
    page.post(body)
    with Reader(page):
        for _ in range(Limits().session_events - 1):
            page.post(body)
        with pytest.raises(urllib.error.HTTPError) as refused:
            page.post(body)
        with refused.value as error:
            assert error.code == 429 and "Too many of your requests are still open." in json.load(error)["detail"]
        assert page.other().seen()["used"] > 0


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Gradio's queue wants an event loop; a server has one."""

    @functools.wraps(test)
    def run(**given: Any) -> None:
        in_own_loop(functools.partial(test, **given))

    return run


def queue(unheard: Callable[[str], None] = lambda _: None) -> EventQueue:
    """A queue without a server."""
    limits, blocks = Limits(session_events=3, address_events=5), SimpleNamespace(fns={})
    found = EventQueue(True, 1, 1, None, blocks, limits=limits, sessions=Sessions(lambda _: None), unheard=unheard)
    found.active_jobs = [None] * 4
    return found


def opened(found: EventQueue, session: str, address: str) -> None:
    found._admit(session, address, "en")
    request: Any = SimpleNamespace(client=SimpleNamespace(host=address))
    event: Any = SimpleNamespace(session_hash=session, request=request)
    found.event_ids_to_events[str(len(found.event_ids_to_events))] = event


@in_a_loop
async def test_an_address_has_a_bound_that_sessions_share_but_not_this_machine() -> None:
    found = queue()
    for number in range(5):
        opened(found, f"s{number}", "10.0.0.7")
    with pytest.raises(HTTPException) as refused:
        opened(found, "s9", "10.0.0.7")
    assert refused.value.status_code == 429
    opened(found, "s9", "10.0.0.8")
    for number in range(20):
        opened(found, f"own{number}", "127.0.0.1")


@in_a_loop
async def test_even_sessions_of_many_addresses_have_a_bound_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_queue, "SPARE", 6)
    found = queue()
    for number in range(10):
        opened(found, f"s{number}", f"10.0.0.{number}")
    with pytest.raises(HTTPException, match="Too many people are using this page"):
        opened(found, "late", "10.0.1.1")


def test_a_run_that_nobody_reads_ends_and_frees_its_rows(tiny_page: str, stream: Open) -> None:
    """To its end a run would take longer than `wait` does."""
    long = {**LONG, "n": 3, "max_new_tokens": 480}
    with forked(tiny_page, "--pause", "0.2", "--patience", "4", "--rows", "3") as url:
        unread = PageClient(url).wait().other()
        (body,) = unread.body("act", "generate", **{**VALUES, "knobs": long})
        unread.post(body)
        stream(url, n=3, max_new_tokens=2).wait(b"complete")
        left = stream(url, **long)
        left.wait(b"generating")
        left.close()
        stream(url, n=3, max_new_tokens=2).wait(b"complete")


def test_who_comes_too_late_is_told_so(slow: str) -> None:
    with urllib.request.urlopen(f"{slow}/gradio_api/call/generate/{'0' * 32}") as answer:
        told = answer.read().decode()
    assert told.count("event: error") == 2 and "Nobody read this for a while" in told


@pytest.mark.usefixtures("starts_server")
def test_what_a_reader_left_ends_though_it_has_nothing_to_say(hold: Held, stream: Open) -> None:
    """A text that is held goes no further than its first words, as one whose prompt is long being read."""
    hold(7)
    with forked("tests.ui.scripted_page", "--slow", "--limit-running", "1", "--hold", str(hold.file)) as url:
        left = stream(url, seed=7, path="exact")
        left.wait(b"generating")
        left.close()
        stream(url, seed=1, path="exact").wait(b"complete")


@in_a_loop
async def test_messages_that_nobody_takes_end_their_session_and_are_given_up() -> None:
    moment = [0.0]
    unheard: list[str] = []

    def held(text: str, *, read: bool) -> Messages:
        messages = Messages(lambda: moment[0])
        if read:
            messages.put_nowait("old")
            messages.get_nowait()
        messages.put_nowait({"output": text})
        return messages

    found = queue(unheard.append)
    for name in ("never", "slow", "full"):
        opened(found, name, "10.0.0.7")
    found.pending_messages_per_session.update(
        never=held("a", read=False), slow=held("a", read=True), full=held("a" * event_queue.MOST, read=True)
    )
    left = []
    for after in (0.0, event_queue.UNREAD + 1, event_queue.STALLED + 1):
        moment[0] = after
        await found.sweep()
        left.append(set(found.pending_messages_per_session))
    assert left == [{"never", "slow"}, {"slow"}, set()]
    assert unheard == ["full", "never", "slow"]


@in_a_loop
async def test_messages_of_all_sessions_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_queue, "MOST_IN_ALL", 1000)

    found = queue()
    for number in range(8):
        messages = Messages(lambda: 0.0)
        messages.put_nowait("x" * 200)
        messages.since = -1.0 - number
        found.pending_messages_per_session[f"s{number}"] = messages
    await found.sweep()
    assert list(found.pending_messages_per_session) == ["s0", "s1", "s2", "s3", "s4"]


def test_a_session_has_left_once_its_page_is_closed_or_it_has_long_been_silent() -> None:
    moment = [0.0]
    left: list[str] = []
    sessions = Sessions(left.append, clock=lambda: moment[0])
    for name in ("silent", "busy", "open"):
        sessions.seen(name)
    with sessions.present("open"):
        moment[0] = 100.0
        sessions.sweep({"busy"})
        assert left == ["silent"]
        sessions.seen("silent")
    moment[0] = 150.0
    sessions.sweep(set())
    assert left == ["silent", "busy"]
    moment[0] = 170.0
    sessions.sweep(set())
    assert sorted(left) == ["busy", "open", "silent", "silent"] and len(sessions) == 0


def test_what_was_kept_for_a_session_without_a_page_is_given_up(slow: str) -> None:
    page = PageClient(slow)
    told = page.ask("act", "generate", **{**VALUES, "knobs": {"n": 1, "max_new_tokens": 3}})
    run = screen(told).shown["cards"]["run"]
    assert tokens_of(page, run)
    for _ in range(20):
        time.sleep(8)
        if not tokens_of(page, run):
            return
    pytest.fail("it is kept for ever")


def tokens_of(page: PageClient, run: str) -> Any:
    return screen(page.ask("cards", "look", {"run": run, "row": 0})).shown["tokens"]["value"]["rows"]
