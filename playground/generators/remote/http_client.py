"""Requests to one engine: one connection pool, run by one event loop for all engines of this process.

Redirects are not followed and no proxy of the environment is used, so that a key goes to its own engine only. Nothing
of a request or an answer is logged. Knows no engine's fields.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

import httpx

from playground.generators.remote import failures
from playground.generators.remote.address import Address, Timeouts
from playground.generators.remote.event_stream import LONGEST, Unreadable, events, parsed

T = TypeVar("T")
_BUSY = (429, 502, 503)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0  # seconds between two tries
_SAID = 64 * 1024  # bytes of a refusal that are read


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The loop that all engines' requests run on, in a thread of its own."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="engines", daemon=True).start()
    return loop


def begin(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Starts it on the loop."""
    return asyncio.run_coroutine_threadsafe(work, event_loop())


class Patience:
    """How long an engine without room is asked again, and one that may be starting again; with growing pauses."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._pause = _FIRST_PAUSE
        self._end, self._restarted = (self._loop.time() + one for one in (timeouts.patience, timeouts.restart))

    async def after(
        self, error: failures.EngineError, waiting: Callable[[float | None], None] = lambda _: None
    ) -> None:
        """Waits after this failure; raises it where that takes too long. `waiting` is told the seconds, then None."""
        wanted, end = self._pause, self._restarted
        if isinstance(error, failures.EngineOverloaded):
            wanted, end = max(wanted, min(error.after or 0.0, _LONGEST_PAUSE)), self._end
        if self._loop.time() + wanted > end:
            raise error
        waiting(wanted)
        await asyncio.sleep(wanted)
        waiting(None)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class EngineClient:
    """Speaks with one engine. What fails is raised as EngineError, a sentence without the key."""

    def __init__(self, address: Address) -> None:
        self._client: httpx.AsyncClient | None = None
        self.address = address
        self._tls = address.tls()

    @property
    def host(self) -> str:
        return self.address.host

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object that a GET answers with, for a thread that may wait."""
        return begin(self.ask("GET", path)).result()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return begin(self.ask("POST", path, body)).result()

    def close(self) -> None:
        """Closes every connection; what is asked later opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            begin(client.aclose()).result()

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One question, one JSON object. Raises EngineError."""
        async with self._sent(method, path, body) as response:
            whole = await self._whole(response, LONGEST)
            try:
                return parsed(whole)
            except Unreadable:
                raise failures.answers_otherwise(self.host) from None

    async def stream(
        self, path: str, body: Mapping[str, Any], waiting: Callable[[float | None], None] = lambda _: None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a streamed answer; closing it closes the connection, and the engine stops.

        An engine without room is asked again until the first event, with growing pauses; `waiting` is told the seconds
        of each pause, and None at its end. Raises EngineError.
        """
        patience, begun = Patience(self.address.timeouts), False
        while True:
            try:
                async with self._sent("POST", path, body) as response:
                    async for event in self._events(response):
                        begun = True
                        yield event
                    return
            except (failures.EngineOverloaded, failures.EngineAway) as error:
                if begun:
                    raise
                await patience.after(error, waiting)

    async def ask_until_room(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One question that does no harm if it is asked again, as an engine without room is. Raises EngineError."""
        patience = Patience(self.address.timeouts)
        while True:
            try:
                return await self.ask("POST", path, body)
            except failures.EngineOverloaded as error:
                await patience.after(error)

    async def _events(self, response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        try:
            async for event in events(self._timed(response)):
                yield event
        except Unreadable:
            raise failures.unreadable(self.host) from None

    async def _timed(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The pieces of an answer, each within its time. Raises EngineError."""
        timeouts = self.address.timeouts
        limit, chunks = timeouts.first, response.aiter_bytes()
        while True:
            try:
                async with asyncio.timeout(limit):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise failures.too_slow(self.host, limit) from None
            except (httpx.HTTPError, httpx.StreamError):
                raise failures.broke_off(self.host) from None
            limit = timeouts.between
            yield chunk

    @contextlib.asynccontextmanager
    async def _sent(self, method: str, path: str, body: Mapping[str, Any] | None) -> AsyncIterator[httpx.Response]:
        """The answer's head has come and says that all is well. Raises EngineError otherwise."""
        response = await self._answer(method, path, body)
        try:
            if response.status_code != 200:
                raise await self._reason(response)
            yield response
        finally:
            await response.aclose()

    async def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """The head of the answer. A connection that the engine had closed meanwhile is opened anew, once."""
        timeouts, client = self.address.timeouts, self._made()
        for again in (True, False):
            try:
                request = client.build_request(method, self.address.base + path, json=body)
                async with asyncio.timeout(timeouts.first):
                    return await client.send(request, stream=True)
            except httpx.ConnectTimeout:
                raise failures.unreachable(self.host) from None
            except (httpx.TimeoutException, TimeoutError):
                raise failures.too_slow(self.host, timeouts.first) from None
            except httpx.ConnectError as error:
                if "CERTIFICATE" in str(error).upper() or "SSL" in str(error).upper():
                    raise failures.bad_certificate(self.host) from None
                raise failures.unreachable(self.host) from None
            except httpx.InvalidURL:
                raise failures.no_address(self.address.base) from None
            except httpx.HTTPError:
                if not again:
                    raise failures.broke_off(self.host) from None
        raise AssertionError("the second try returns or raises")

    async def _reason(self, response: httpx.Response) -> failures.EngineError:
        status = response.status_code
        if 300 <= status < 400:
            return failures.redirected(self.host)
        if status in (401, 403):
            return failures.needs_key(self.host)
        if status in _BUSY:
            return failures.EngineOverloaded(self.host, _seconds(response.headers.get("retry-after")))
        answer: dict[str, Any] | None = None
        with contextlib.suppress(Unreadable, failures.EngineError):
            answer = parsed(await self._whole(response, _SAID))
        said = "" if answer is None else _said(answer)
        found = failures.refused(self.host, status, self._without_key(said))
        found.answer = answer
        return found

    async def _whole(self, response: httpx.Response, most: int) -> bytes:
        pieces, size = [], 0
        async for chunk in self._timed(response):
            pieces.append(chunk)
            size += len(chunk)
            if size > most:
                raise failures.unreadable(self.host)
        return b"".join(pieces)

    def _without_key(self, said: str) -> str:
        key = self.address.key
        return failures.shortened(said.replace(key, "***") if key else said)

    def _made(self) -> httpx.AsyncClient:
        """Made on the loop that uses it."""
        if self._client is None:
            timeouts = self.address.timeouts  # reading has its own, which differ from answer to answer
            self._client = httpx.AsyncClient(
                verify=self._tls,
                headers=self.address.headers(),
                follow_redirects=False,
                trust_env=False,
                timeout=httpx.Timeout(None, connect=timeouts.connect, write=timeouts.between),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
            )
        return self._client


def _said(answer: Mapping[str, Any]) -> str:
    """The words of an error, in OpenAI's shape or FastAPI's."""
    error = answer.get("error", answer)
    found = error.get("message") or error.get("detail") if isinstance(error, Mapping) else error
    return found if isinstance(found, str) else ""


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:  # a date
        return None
