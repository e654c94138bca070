"""Gradio's queue of events with bounds: on what is open, on what waits to be read, and on how long it waits.

Gradio runs an event to its end whether or not anybody reads it, keeps every message until then, and takes any number of
events. Here a run that nobody reads ends, and so does one whose reader has gone; who has too much open is refused.
Knows no event and no element.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException
from gradio import queueing
from gradio.server_messages import ProcessCompletedMessage, UnexpectedErrorMessage
from gradio.utils import run_coro_in_background

from playground.settings import Limits
from playground.types import Language
from playground.ui import server_responses
from playground.ui.page_texts import NOT_READ, WORDS
from playground.ui.sessions import Sessions
from playground.visitor import address_of, is_own

UNREAD = 10.0  # seconds that a message waits for somebody to come and read
STALLED = 30.0  # the same where somebody has read already, whose connection may be slow
KEPT = 60.0  # seconds that messages of ended events are kept
MOST = 8_000_000  # characters that may wait for one session, about
MOST_IN_ALL = 64_000_000
SPARE = 256  # events that may wait for a slot, beside those that have one
_LOOK = 1.0  # seconds between looks at what waits


class AwakeClock:
    """Seconds in which this server could answer: a time in which its event loop was stuck is nobody's fault."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stuck = 0.0
        self._looked = clock()

    def __call__(self) -> float:
        return self._clock() - self._stuck

    def woke(self, after: float) -> None:
        """A look that was to come `after` seconds behind the one before it; what it came later does not count."""
        now = self._clock()
        self._stuck += max(0.0, now - self._looked - after)
        self._looked = now


class Messages(asyncio.Queue[Any]):
    """One session's messages on their way to its reader, and how long the oldest of them waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.size = 0
        self.readers = 0  # that wait for a message
        self.was_read = False
        self.since = clock()  # the oldest one waits, or nothing has come
        self._clock = clock

    def _put(self, item: Any) -> None:
        if self.empty():
            self.since = self._clock()
        self.size += _size(item)
        super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        self.size -= _size(item)
        self.was_read, self.since = True, self._clock()
        return item

    async def get(self) -> Any:
        self.readers += 1
        try:
            return await super().get()
        finally:
            self.readers -= 1

    @property
    def unread(self) -> float:
        """Seconds since which messages wait, and none was taken."""
        return 0.0 if self.empty() else self._clock() - self.since

    @property
    def idle(self) -> float:
        """Seconds since which nobody waits for messages, and none have come."""
        return 0.0 if self.readers else self._clock() - self.since


class _GivenUp(Messages):
    """What is sent in place of messages that nobody came for in time."""


class _BySession(dict[str, Messages]):
    """Gradio's routes look here for a session's messages, and delete them when its reader leaves.

    A client that comes for messages that have been given up gets a refusal, and its stream ends.
    """

    def __contains__(self, session: object) -> bool:
        return True

    def __missing__(self, session: str) -> Messages:
        self[session] = gone = _GivenUp()
        sentence = NOT_READ.en
        gone.put_nowait(UnexpectedErrorMessage(message=sentence, session_not_found=True))
        gone.put_nowait(ProcessCompletedMessage(event_id="none", output={"error": sentence}, success=False))
        return gone

    def __delitem__(self, session: str) -> None:
        self.pop(session, None)


class _EventIds(dict[str, set[str]]):
    """The same for the events whose end a session has not received yet."""

    def __missing__(self, session: str) -> set[str]:
        return set()


class EventQueue(queueing.Queue):
    """`sessions` counts all who ask; `unheard` is called with a session that nobody listens for any more."""

    def __init__(
        self, *given: Any, limits: Limits, sessions: Sessions, unheard: Callable[[str], None], **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self.pending_messages_per_session: Any = _BySession()
        self.pending_event_ids_session = _EventIds()
        self.ANALYTICS_MAX_EVENTS = 0
        self._limits = limits
        self._sessions = sessions
        self._unheard = unheard
        self._clock = AwakeClock()
        self._tasks: dict[str, asyncio.Task[Any] | None] = {}

    def start(self) -> None:
        super().start()
        run_coro_in_background(self._watch)

    def compute_analytics_summary(self, records: Any) -> Any:
        """Nobody reads it, and Gradio would make a table of all events at the end of each."""
        return {}

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        if body.fn_index is not None and body.fn_index not in self.blocks.fns:
            raise HTTPException(404, "There is no such event.")
        session = body.session_hash = body.session_hash or uuid.uuid4().hex
        self._admit(session, _host(request), server_responses.language_of(request.headers))
        self._sessions.seen(session)
        if isinstance(self.pending_messages_per_session.get(session), _GivenUp | None):
            self.pending_messages_per_session[session] = Messages(self._clock)
        return await super().push(body, request, username)

    def _admit(self, session: str, host: str, language: Language) -> None:
        """HTTP 429 for a client with too much open. Visitors of a tunnel come from this machine, so its own addresses
        have no bound in common."""
        events, address = list(self.event_ids_to_events.values()), address_of(host)
        mine = sum(event.session_hash == session for event in events)
        there = 0 if is_own(host) else sum(address_of(_host(event.request)) == address for event in events)
        if mine >= self._limits.session_events or there >= self._limits.address_events:
            raise _refusal("open_many", language)
        if len(events) >= len(self.active_jobs) + SPARE:
            raise _refusal("open_many_in_all", language)

    async def process_events(self, events: list[Any], *given: Any) -> None:
        for event in events:
            self._tasks[event._id] = asyncio.current_task()
        try:
            await super().process_events(events, *given)
        finally:
            for event in events:
                self._tasks.pop(event._id, None)

    async def clean_events(self, *, session_hash: str | None = None, event_id: str | None = None) -> None:
        """The reader has gone. What runs for him ends at once, and not when it would have said something next."""
        running = [
            event
            for job in self.active_jobs
            for event in job or ()
            if event.session_hash == session_hash or event._id == event_id
        ]
        await super().clean_events(session_hash=session_hash, event_id=event_id)
        for event in running:
            task = self._tasks.get(event._id)
            if task is not None:
                task.cancel()
        if session_hash is not None:
            self._unheard(session_hash)

    async def _watch(self) -> None:
        while not self.stopped:
            await asyncio.sleep(_LOOK)
            self._clock.woke(_LOOK)
            await self.sweep()

    async def sweep(self) -> None:
        """Ends what nobody reads, gives up what nobody will read, and tells who has left."""
        busy = {event.session_hash for event in self.event_ids_to_events.values()}
        held = dict(self.pending_messages_per_session)
        in_all = sum(messages.size for messages in held.values())
        for session, messages in sorted(held.items(), key=lambda one: -one[1].unread):
            patience = (STALLED if messages.was_read else UNREAD) if session in busy else KEPT
            if messages.unread > patience or messages.size > MOST or (messages.unread and in_all > MOST_IN_ALL):
                in_all -= messages.size
                await self.clean_events(session_hash=session)
                self._forget(session)
            elif session not in busy and messages.empty() and messages.idle > KEPT:
                self._forget(session)
        await asyncio.to_thread(self._sessions.sweep, busy)

    def _forget(self, session: str) -> None:
        self.pending_messages_per_session.pop(session, None)
        self.pending_event_ids_session.pop(session, None)


def _refusal(word: str, language: Language) -> HTTPException:
    return HTTPException(429, WORDS[word].say(language), headers={"Retry-After": "5"})


def _size(value: Any) -> int:
    """Characters of a message's texts, about; what else is in it is small."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return 8 + sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return 8 + sum(map(_size, value))
    return _size(getattr(value, "output", None)) + 200 if hasattr(value, "event_id") else 8


def _host(request: Any) -> str:
    return request.client.host if request.client else ""
