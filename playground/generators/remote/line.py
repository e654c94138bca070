"""The line before one engine: so many texts at a time, first come, first served. Runs on the engines' loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playground.types import Wait


class Line:
    """At most `at_once` texts run; a request has a ticket, and each of its texts a turn."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._free = asyncio.Semaphore(at_once)
        self._guard = threading.Lock()
        self._tickets: list[Line.Ticket] = []

    def ticket(self, texts: int) -> Line.Ticket:
        """A place behind everybody who is here; any thread may take one."""
        found = Line.Ticket(self, texts)
        with self._guard:
            self._tickets.append(found)
        return found

    @asynccontextmanager
    async def short(self) -> AsyncIterator[None]:
        """A turn for a question of one token, which is over before anybody counts it."""
        async with self._free:
            yield

    class Ticket:
        """One request's place."""

        def __init__(self, line: Line, texts: int) -> None:
            self._line = line
            self._texts = texts
            self._begun = False
            self._refused_until: float | None = None

        def place(self) -> Wait | None:
            """How many texts must end before this request begins, and the seconds that an engine without room asked
            to wait; None once it writes."""
            until = self._refused_until
            if until is not None:
                return Wait(1, max(0.0, until - time.monotonic()))
            if self._begun:
                return None
            with self._line._guard:
                before = self._line._tickets[: self._line._tickets.index(self)] if self in self._line._tickets else []
                ahead = sum(one._texts for one in before) - self._line.at_once + 1
            return Wait(ahead, None) if ahead > 0 else None

        def wait(self, seconds: float | None) -> None:
            """The engine has no room and is asked again after these seconds; None once that is over."""
            self._refused_until = None if seconds is None else time.monotonic() + seconds

        @asynccontextmanager
        async def turn(self) -> AsyncIterator[None]:
            """One text's turn."""
            async with self._line._free:
                self._begun = True
                try:
                    yield
                finally:
                    self._texts -= 1

        def leave(self) -> None:
            with self._line._guard:
                self._line._tickets.remove(self)
