"""Whoever sends very much, very slowly or not at all takes nobody else's place: bodies, values, connections, pages."""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from playground import parameters
from playground.ui import element, request_bodies, routes
from playground.ui.connections import BoundedProtocol, Connections
from playground.ui.event_queue import AwakeClock, Messages
from playground.ui.json_size import DEEPEST, MOST_VALUES, is_heavy
from playground.ui.request_bodies import Refused, RequestBodies
from playground.ui.static_pages import StaticPages
from tests.own_loop import in_own_loop
from tests.ui.test_routes import asked

API = routes.API
STRANGER = "203.0.113.7"
CALL = f"{API}/call/v2/generate"


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**given: Any) -> None:
        in_own_loop(functools.partial(test, **given))

    return run


@pytest.mark.parametrize("text", [
    "[" + "[]," * MOST_VALUES + "[]]",
    "[" + '"",' * MOST_VALUES + '""]',
    json.dumps({str(number): number for number in range(MOST_VALUES + 1)}),
    "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    '{"a":' * 100_000,
    '""' * 1_000_000 + "," * (MOST_VALUES + 1),  # no JSON at all
], ids=lambda text: text[:12])  # fmt: skip
def test_many_or_deep_values_are_seen_before_anything_parses_them(text: str) -> None:
    assert is_heavy(text) and is_heavy(text.encode())


@pytest.mark.parametrize("text", [
    json.dumps({"prompt": "[,{]" * 500_000}),
    json.dumps(['"[,{\\' * 1_000] * 100),
    '["' + '\\"' * 2_000_000,  # a string without an end
    "[" * DEEPEST + "]" * DEEPEST,
    json.dumps(list(range(MOST_VALUES - 1))),
    "[" * DEEPEST + "]" * 3_000_000 + "[" * (2 * DEEPEST),  # ends where no parser goes on
], ids=lambda text: text[:12])  # fmt: skip
def test_long_texts_are_few_values_whatever_stands_in_them(text: str) -> None:
    assert not is_heavy(text) and not is_heavy(text.encode())


def test_a_million_values_are_refused_in_a_sentence_and_the_largest_request_is_not(scripted: str) -> None:
    heavy = "[" + "[]," * 1_000_000 + "[]]"
    for path, body in (
        (CALL, f'{{"prompt":{heavy}}}'),
        (f"{API}/call/generate", f'{{"data":{heavy}}}'),
        (routes.JOIN, f'{{"fn_index":3,"session_hash":"heavy","data":[{heavy}]}}'),
        (f"{API}/run/predict", f'{{"fn_index":3,"session_hash":"heavy","data":[],"event_data":{heavy}}}'),
    ):
        status, text, _ = asked(scripted, "POST", path, body.encode(), Content_Type="application/json")
        assert status == 413 and f"{MOST_VALUES:,}" in json.loads(text)["detail"], path
    largest = {
        "prompt": "One [two], {three}, ".ljust(200_000),
        "logit_bias": {f"word{number}": 1 for number in range(parameters.parameter.MAX_ITEMS)},
        "bad_words_ids": [[7] * 16] * 512,
        "suppress_tokens": list(range(512)),
    }
    status, text, _ = asked(scripted, "POST", CALL, json.dumps(largest).encode(), Content_Type="application/json")
    assert status == 200 and "event_id" in text


def test_what_an_element_sends_in_a_text_is_bounded_as_well() -> None:
    assert element.decode("[" + "[]," * element.MOST_VALUES + "[]]") is None
    assert element.decode("[" * 5_000 + "]" * 5_000) is None
    assert element.decode('[{"a": [1, "[,"]}]') == [{"a": [1, "[,"]}]


def scope_of(length: int, host: str) -> Scope:
    return {"type": "http", "headers": [(b"content-length", str(length).encode())], "client": (host, 1)}


def sends(*pieces: bytes, ends: bool = True) -> Receive:
    """A body in these pieces; without its end it stays unfinished."""
    left = list(pieces)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left) or not ends}

    return receive


async def refused(reader: RequestBodies, scope: Scope, receive: Receive) -> int:
    """The status that this body is refused with; 200 for one that is taken."""
    try:
        async with reader.read(scope, receive):
            return 200
    except Refused as error:
        return error.response.status_code if error.response is not None else 0


@in_a_loop
async def test_a_body_that_stops_coming_or_only_trickles_is_given_up() -> None:
    reader = RequestBodies(4_000_000, patience=0.05)
    assert await refused(reader, scope_of(4_000_000, STRANGER), sends(b" " * 3_900_000, ends=False)) == 408
    assert await refused(reader, scope_of(10, STRANGER), sends(b"{", ends=False)) == 408

    async def trickles() -> Message:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b" ", "more_body": True}

    assert await refused(reader, scope_of(4_000_000, STRANGER), trickles) == 408
    assert await refused(reader, scope_of(2, STRANGER), sends(b"{", b"}")) == 200
    assert not reader._held


@in_a_loop
async def test_a_body_that_is_longer_than_it_was_said_to_be_is_refused() -> None:
    assert await refused(RequestBodies(1_000), scope_of(10, STRANGER), sends(b" " * 11, ends=False)) == 411


@in_a_loop
async def test_bytes_of_bodies_have_a_bound_for_an_address_and_in_all_and_small_ones_pass() -> None:
    reader, most = RequestBodies(200_000), 200_000
    whole = b" " * most
    async with AsyncExitStack() as held:
        for _ in range(request_bodies._PER_ADDRESS):
            await held.enter_async_context(reader.read(scope_of(most, STRANGER), sends(whole)))
        assert await refused(reader, scope_of(most, STRANGER), sends(whole)) == 429
        for number in range(request_bodies._IN_ALL - request_bodies._PER_ADDRESS):
            host = "127.0.0.1" if number % 2 else f"198.51.100.{number}"
            await held.enter_async_context(reader.read(scope_of(most, host), sends(whole)))
        assert await refused(reader, scope_of(most, "192.0.2.1"), sends(whole)) == 503
        assert await refused(reader, scope_of(2, STRANGER), sends(b"{}")) == 200
    assert not reader._held and await refused(reader, scope_of(most, STRANGER), sends(whole)) == 200


class Served:
    """A server of one app on a port of its own, in the test's loop."""

    def __init__(self, bounds: Connections, head_seconds: float, app: ASGIApp) -> None:
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
        config.load()
        self._state = ServerState()
        self._make = lambda: BoundedProtocol(
            config=config, server_state=self._state, app_state={}, bounds=bounds, head_seconds=head_seconds
        )
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Served:
        self._server = await asyncio.get_running_loop().create_server(self._make, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)

    async def connect(self, sent: bytes = b"") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        writer.write(sent)
        await asyncio.sleep(0.02)
        return reader


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Waits for the end for as long as it takes."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@in_a_loop
async def test_idle_connections_close_and_a_stream_stays_open() -> None:
    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await asyncio.Event().wait()

    bounds = Connections(8, 8)
    async with Served(bounds, 0.1, streams) as served:
        stream = await served.connect(GET)
        silent, unfinished = await served.connect(), await served.connect(GET[:-2])
        assert await is_closed(silent) and await is_closed(unfinished)
        assert b"200 OK" in await stream.readuntil(b"begun") and not stream.at_eof() and len(bounds) == 1


@in_a_loop
async def test_where_all_connections_are_idle_the_oldest_makes_room_and_where_none_is_the_new_one_goes() -> None:
    release = asyncio.Event()

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    bounds = Connections(3, 1)  # of which this machine's own have all
    async with Served(bounds, 60, waits) as served:
        idle = [await served.connect() for _ in range(3)]
        busy = [await served.connect(GET)]
        assert await is_closed(idle[0]) and len(bounds) == 3
        busy += [await served.connect(GET), await served.connect(GET)]
        assert await is_closed(idle[1]) and await is_closed(idle[2])
        assert await is_closed(await served.connect(GET))
        release.set()
        for reader in busy:
            assert b"200 OK" in await reader.readuntil(b"done")
        busy.append(await served.connect(GET))
        assert b"200 OK" in await busy[-1].readuntil(b"done")


def test_an_address_has_its_share_of_connections() -> None:
    class Busy:
        is_idle = False

    bounds = Connections(10, 3)
    mine: list[Any] = [Busy() for _ in range(4)]
    assert [bounds.admit(one, STRANGER) for one in mine] == [True, True, True, False]
    other: Any = Busy()
    assert bounds.admit(other, "198.51.100.1")
    bounds.remove(mine[0])
    assert bounds.admit(mine[3], STRANGER) and len(bounds) == 4


def test_the_server_takes_the_descriptors_it_may_have_and_keeps_some_for_its_files() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1000)); "
        "from playground.ui.connections import Connections, raise_descriptors as more; "
        "print(more(), resource.getrlimit(resource.RLIMIT_NOFILE)[0], Connections.within(more())._most)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["1000", "1000", "744"]


@in_a_loop
async def test_a_page_is_made_once_and_names_the_place_where_it_is_seen() -> None:
    made: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        made.append(scope)
        host = dict(scope["headers"])[b"host"].decode()
        await PlainTextResponse(f'<a {"é" * 90_000}{{"root":"http://{host}/below"}}')(scope, receive, send)

    async def got(pages: StaticPages, path: str, **named: str) -> bytes:
        pieces: list[bytes] = []

        async def take(message: Message) -> None:
            pieces.append(message.get("body", b""))
            assert path.endswith(".css") or len(pieces[-1]) <= 65_536, "a slow reader holds no more than this"

        headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
        scope = {"type": "http", "method": "GET", "path": path, "scheme": "http", "headers": headers}
        await pages(scope, sends(), take)
        return b"".join(pieces)

    pages = StaticPages(app, "/below", "")
    plain = await got(pages, "/below/config", host="127.0.0.1:9")
    assert plain.endswith(b'{"root":"http://127.0.0.1:9/below"}')
    packed = await got(pages, "/below/config", host="play.test", x_forwarded_proto="https", accept_encoding="gzip, br")
    assert gzip.decompress(packed) == plain.replace(b"http://127.0.0.1:9", b"https://play.test")
    assert b"play.test:80" not in await got(pages, "/config", host="a", x_forwarded_host="play.test:80")
    assert b"root" not in await got(pages, "/config", host="a\"b<c")
    for _ in range(5):
        await got(pages, "/config", host="localhost")
    assert len(made) == 2
    await got(pages, "/assets/other.css", host="localhost")
    assert len(made) == 3


def test_the_page_that_is_kept_is_the_page(scripted: str) -> None:
    own = f"http://{urlsplit(scripted).netloc}"
    for path in ("/config", "/"):
        status, text, headers = asked(scripted, "GET", path)
        assert status == 200 and f'"root":"{own}"' in text.replace('": "', '":"') and "origin.invalid" not in text
        packed = urllib.request.Request(f"{scripted}{path}", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(packed) as answer:
            assert answer.headers["content-encoding"] == "gzip" and gzip.decompress(answer.read()).decode() == text
        assert asked(scripted, "HEAD", path)[2]["content-length"] == headers["content-length"]


def test_a_time_in_which_the_server_was_stuck_is_nobodys_silence() -> None:
    now = 0.0
    clock = AwakeClock(lambda: now)
    messages = Messages(clock)
    messages._put("waits")
    now = 1.0
    clock.woke(1.0)
    assert messages.unread == 1.0
    now = 40.0  # the next look was to come at 2
    clock.woke(1.0)
    assert messages.unread == 2.0
    now = 41.0
    clock.woke(1.0)
    assert messages.unread == 3.0
