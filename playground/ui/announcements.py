"""Tells every open page at once that the server has something new to say of itself, so that none has to ask for it.

It goes down the heartbeat, the one stream that a page keeps open, as a comment that every other reader skips. Knows
neither what is new nor how it is asked for (scripts/page/reach.js hears it).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from contextlib import suppress

from starlette.types import Message, Send

LINE = b": news\n\n"
_LOOK = 0.3  # seconds between looks at what may be new; only while a page is open


class Announcements:
    """All methods are called from the event loop of the server. `state` is cheap, and differs once there is news."""

    def __init__(self, state: Callable[[], Hashable]) -> None:
        self._state = state
        self._pages: set[_Heartbeat] = set()
        self._looking: asyncio.Task[None] | None = None

    def begin(self, send: Send) -> _Heartbeat:
        """A heartbeat through which its page is told, until `end`."""
        heartbeat = _Heartbeat(send)
        self._pages.add(heartbeat)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return heartbeat

    def end(self, heartbeat: _Heartbeat) -> None:
        """Its page has gone; with the last of them nobody looks any more."""
        self._pages.discard(heartbeat)
        if not self._pages and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        known = self._state()
        while True:
            await asyncio.sleep(_LOOK)
            now = self._state()
            if now != known:
                known = now
                for page in self._pages:  # none waits for another, whose browser may read slowly
                    page.telling = asyncio.create_task(page.tell())


class _Heartbeat:
    """One open stream; between its own messages there is room for a line of ours."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open = False
        self.telling: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def send(self, message: Message) -> None:
        async with self._turn:
            await self._send(message)
            self._open = message["type"] == "http.response.start" or bool(message.get("more_body"))

    async def tell(self) -> None:
        async with self._turn:
            if self._open:
                with suppress(OSError, RuntimeError):  # the page has just gone
                    await self._send({"type": "http.response.body", "body": LINE, "more_body": True})
