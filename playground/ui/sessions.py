"""Which sessions are there: those whose page is open, and those that have just asked for something.

A page keeps a connection open (Gradio's heartbeat) that ends with its tab; a program need not.
What was kept for a session that has gone is given up. Knows no event and no element.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from playground.ui.announcements import Announcements

GRACE = 60.0  # seconds that a session without a page may be silent
_HEARTBEAT = re.compile(r".*/heartbeat/([^/]+)/?")


class Sessions:
    """All methods may be called from any thread; `left` is called outside the lock, once for each that has gone."""

    def __init__(self, left: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._left = left
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def seen(self, session: str) -> None:
        """It asks for something."""
        with self._lock:
            self._seen[session] = self._clock()

    @contextmanager
    def present(self, session: str) -> Iterator[None]:
        """Its page is open, for as long as this is."""
        with self._lock:
            self._open[session] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[session] -= 1
                if not self._open[session]:
                    del self._open[session]
            if session in self._seen:
                self.seen(session)

    def sweep(self, busy: Collection[str]) -> None:
        """A session without a page, without a run and long without a request has left."""
        with self._lock:
            old = self._clock() - GRACE
            gone = [one for one, at in self._seen.items() if at < old and one not in self._open and one not in busy]
            for session in gone:
                del self._seen[session]
        for session in gone:
            self._left(session)


class Presence:
    """ASGI middleware that tells Sessions of every open page, and every open page of what is new."""

    def __init__(self, app: Any, sessions: Sessions, announcements: Announcements) -> None:
        self._app = app
        self._sessions = sessions
        self._announcements = announcements

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        found = _HEARTBEAT.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        heartbeat = self._announcements.begin(send)
        try:
            with self._sessions.present(found[1]):
                await self._app(scope, receive, heartbeat.send)
        finally:
            self._announcements.end(heartbeat)
