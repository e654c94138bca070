"""Reads the bodies of requests before anything parses them, and bounds them: their time, their bytes, their values.

Knows no route and no element. Called from the event loop alone. Bodies of visitors of a tunnel all come from this
machine, so its own addresses have no bound in common.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from playground.settings import Limits
from playground.types import Text
from playground.ui import server_responses
from playground.ui.json_size import MOST_VALUES, is_heavy
from playground.ui.server_texts import BODIES_IN_ALL, BODIES_OF_ADDRESS, NO_LENGTH, TOO_MANY_VALUES, TOO_SLOW
from playground.visitor import address_of, is_own

SMALL = 100_000  # bytes of a body that is read however much the others hold: the bound on connections bounds these
_PER_ADDRESS, _IN_ALL = 4, 16  # longest bodies that may be held at a time
PATIENCE = 20.0  # seconds in which a body must end or bring STEP bytes
STEP = 100_000
_QUICK = 20_000  # bytes that are looked at in the event loop; longer ones in a thread
_LEAST = 4_000_000  # bytes that any event may have: what a page's elements hold is small beside its texts
_PER_CHARACTER = 12  # bytes of a character of the prompt, as JSON writes it at worst


def most_body(limits: Limits) -> int:
    """Bytes of the longest body that is taken."""
    return max(_LEAST, _PER_CHARACTER * limits.prompt_characters)


class Refused(Exception):
    """`response` says why a body is not taken; None where the sender has gone."""

    def __init__(self, response: Response | None) -> None:
        super().__init__("a body was refused")
        self.response = response


class RequestBodies:
    """Those of one server; the longest has `most` bytes, which its Content-Length was checked for."""

    def __init__(self, most: int, patience: float = PATIENCE) -> None:
        self._per_address, self._in_all = _PER_ADDRESS * most, _IN_ALL * most
        self._patience = patience
        self._held: Counter[str] = Counter()  # bytes by address, of bodies that are not small

    @asynccontextmanager
    async def read(self, scope: Scope, receive: Receive, *, json: bool = True) -> AsyncIterator[Receive]:
        """What gives the body once more, in one piece; its bytes count until the end of the block. Raises Refused."""
        headers = Headers(scope=scope)
        host = (scope.get("client") or ("",))[0]
        address = address_of(host)
        announced = int(headers.get("content-length", "0"))
        body = bytearray()
        counted = 0
        try:
            async for piece in self._pieces(headers, receive):
                body += piece
                if len(body) > announced:  # it was sent in chunks, whatever its Content-Length says
                    raise _refused(headers, 411, NO_LENGTH, {"Connection": "close"})
                if announced > SMALL:
                    self._held[address] += len(piece)
                    counted += len(piece)
                    self._check(headers, host, address)
            whole = bytes(body)
            body.clear()
            if json and await self._is_heavy(whole):
                raise Refused(server_responses.sentence(headers, 413, TOO_MANY_VALUES.filled(most=f"{MOST_VALUES:,}")))
            yield _again(whole, receive)
        finally:
            self._held[address] -= counted
            if not self._held[address]:
                del self._held[address]

    async def _pieces(self, headers: Headers, receive: Receive) -> AsyncIterator[bytes]:
        until, since, more = time.monotonic() + self._patience, 0, True
        while more:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise _refused(headers, 408, TOO_SLOW, {"Connection": "close"}) from None
            if message["type"] == "http.disconnect":
                raise Refused(None)
            piece = message.get("body", b"")
            since += len(piece)
            if since >= STEP:
                until, since = time.monotonic() + self._patience, 0
            more = message.get("more_body", False)
            yield piece

    def _check(self, headers: Headers, host: str, address: str) -> None:
        more = {"Connection": "close", "Retry-After": "5"}
        if not is_own(host) and self._held[address] > self._per_address:
            raise _refused(headers, 429, BODIES_OF_ADDRESS, more)
        if self._held.total() > self._in_all:
            raise _refused(headers, 503, BODIES_IN_ALL, more)

    async def _is_heavy(self, body: bytes) -> bool:
        return is_heavy(body) if len(body) <= _QUICK else await asyncio.to_thread(is_heavy, body)


def _refused(headers: Headers, status: int, text: Text, more: dict[str, str]) -> Refused:
    return Refused(server_responses.sentence(headers, status, text, more))


def _again(body: bytes, receive: Receive) -> Receive:
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return unread.pop() if unread else await receive()

    return again
