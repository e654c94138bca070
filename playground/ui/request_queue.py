"""Who may run now and who waits: the queue before the model, the stop switch of every session, the places for reading.

Knows no model and no page. Gradio's own queue is not used for this: it frees a place before a run has really ended.
Nothing but a place of a ReadQueue ever waits here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean

from playground.run import Run
from playground.settings import ROWS, Limits
from playground.types import Busy, Request, ShareTaken, Text, Wait
from playground.ui.page_texts import QUEUE_FULL, QUEUE_SHARE, QUEUE_SHARE_HINT, READ_QUEUE_FULL, TRY_AGAIN
from playground.visitor import Visitor
from playground.waiting import wait_before

_LOOK = 0.3  # seconds between looks at a place that is taken
_AT_ONCE, _WAITING = 2, 8  # readings of a ReadQueue
READ_PLACES = 3 * (_AT_ONCE + _WAITING)  # of a ReadQueue at most: each session's newest, and two that make way for it


class Ticket:
    """One request's place. `run` is what became of it; `waits` says that the running batch has no room for it yet."""

    def __init__(self, request: Request | None, visitor: Visitor) -> None:
        self.visitor = visitor
        self.fast = request is not None and request.path == "fast"
        self.waits = False
        self.begun = False  # it has one of the places that run, on the exact path
        self.run: Run | None = None
        self._tokens = 0 if request is None else int(request.values["max_new_tokens"])

    @property
    def left(self) -> int:
        """Tokens that its longest row may still write."""
        if self.run is None:
            return self._tokens
        rows = [self._tokens - row.generated for row in self.run.candidates if row.finish_reason is None]
        return max(rows, default=0)

    @property
    def token_s(self) -> float | None:
        """Seconds that a token of each of its rows takes, where it has written some."""
        speeds = [] if self.run is None else [row.tokens_per_second for row in self.run.candidates]
        known = [speed for speed in speeds if speed]
        return 1 / fmean(known) if known else None


class RequestQueue:
    """First come, first served; `running` tickets of the exact path may run at a time. Where there are shares, the last
    of these places is for a visitor who has none.

    On the fast path the running batch, of `rows` rows at most, lets in whom it has room for; here those only count.
    """

    def __init__(self, limits: Limits, full: Text = QUEUE_FULL, *, rows: int = ROWS) -> None:
        self._limits = limits
        self._full = full
        self._rows = rows
        self._tickets: list[Ticket] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many run or wait."""
        return len(self._tickets)

    def join(self, request: Request | None = None, visitor: Visitor | None = None) -> Ticket:
        """A place in the queue, to be given back with `leave`; Busy when the queue or the visitor's share is full."""
        ticket = Ticket(request, visitor or Visitor())
        with self._lock:
            alike = [other for other in self._tickets if other.fast == ticket.fast]
            at_once = self._rows if ticket.fast else self._limits.running
            known = sum(other.waits for other in alike)
            if known >= max(1, self._limits.waiting) or len(alike) >= at_once + self._limits.waiting:
                raise Busy(self._full, TRY_AGAIN)
            share = self._limits.share(at_once + self._limits.waiting)
            if not ticket.visitor.fits([other.visitor for other in alike], share):
                raise ShareTaken(QUEUE_SHARE, QUEUE_SHARE_HINT)
            self._tickets.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        with self._lock:
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    def wait(self, ticket: Ticket) -> Wait | None:
        """Who must end before this ticket may run, and how long that takes at most; None when it may."""
        if ticket.fast:
            return None
        with self._lock:
            exact = [other for other in self._tickets if not other.fast]
            playing = self._playing(exact)
        waiting = [other for other in exact if not other.begun]
        if ticket not in waiting:
            return None
        ahead, tokens = wait_before(ticket, waiting, playing, lambda some: len(some) <= self._limits.running)
        known = [one.token_s for one in playing if one.token_s is not None]
        return Wait(ahead, tokens * fmean(known) if known else None)

    def _playing(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Those of the exact path that may run, with those let in now."""
        running, limits = self._limits.running, self._limits
        shared = min(limits.session_share, limits.address_share) < 100
        most = max(1, running - 1) if shared else running
        playing = [one for one in tickets if one.begun]
        for one in tickets:
            if len(playing) >= running:
                break
            if not one.begun and one.visitor.fits([other.visitor for other in playing], (most, most)):
                one.begun = True
                playing.append(one)
        return playing


class StopSwitches:
    """One stop switch a session: its newest run's. A new run of the same session stops the one before."""

    def __init__(self) -> None:
        self._switches: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, session: str) -> threading.Event:
        switch = threading.Event()
        with self._lock:
            before = self._switches.get(session)
            self._switches[session] = switch
        if before is not None:
            before.set()
        return switch

    def stop(self, session: str) -> None:
        with self._lock:
            switch = self._switches.get(session)
        if switch is not None:
            switch.set()

    def end(self, session: str, switch: threading.Event) -> None:
        """The run is over, or its reader has gone: in both cases nothing of it may go on."""
        switch.set()
        with self._lock:
            if self._switches.get(session) is switch:
                del self._switches[session]


class ReadPlace:
    """One reading's place: whether it was stopped, and whether a newer reading of its session wants to begin."""

    def __init__(self) -> None:
        self.stopped = False
        self.replaced = False

    @property
    def over(self) -> bool:
        return self.stopped or self.replaced


class ReadQueue:
    """Places for readings, which no run waits for: one at a time a session, the newest; a few on the whole server."""

    def __init__(self, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._queue = RequestQueue(Limits(running=at_once, waiting=waiting), READ_QUEUE_FULL)
        self._newest: dict[str, ReadPlace] = {}
        self._taken: set[str] = set()
        self._moved = threading.Condition()

    @contextmanager
    def place(self, session: str) -> Iterator[ReadPlace]:
        """Waits for a place, and for the end of this session's reading before; Busy where too many wait.

        A place that is `over` already was stopped while it waited, and must not begin.
        """
        place, ticket, taken = ReadPlace(), None, False
        with self._moved:
            before = self._newest.get(session)
            self._newest[session] = place
        if before is not None:
            before.replaced = True
        try:
            while not (place.over or taken):
                taken = self._take(session)
            if taken:
                ticket = self._queue.join()
            while ticket and not place.over and self._queue.wait(ticket):
                self._rest()
            yield place
        finally:
            if ticket:
                self._queue.leave(ticket)
            self._rise(session, place, taken)

    def stop(self, session: str) -> None:
        with self._moved:
            place = self._newest.get(session)
        if place is not None:
            place.stopped = True

    def _rest(self) -> None:
        """Until somebody rises, or for a moment."""
        with self._moved:
            self._moved.wait(_LOOK)

    def _take(self, session: str) -> bool:
        with self._moved:
            free = self._moved.wait_for(lambda: session not in self._taken, _LOOK)
            if free:
                self._taken.add(session)
            return free

    def _rise(self, session: str, place: ReadPlace, taken: bool) -> None:
        with self._moved:
            if taken:
                self._taken.discard(session)
            if self._newest.get(session) is place:
                del self._newest[session]
            self._moved.notify_all()
