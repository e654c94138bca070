"""Who may run now and who waits: the line before the model, the stop switch of every session, the places for reading.

Knows no model and no page. Gradio's own queue is not used for this: it frees a place before a run has really ended.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playground.settings import Limits
from playground.types import Busy, Text
from playground.ui.words import DESK_FULL, LINE_FULL, TRY_AGAIN

_Ticket = object
_LOOK = 0.3  # seconds between looks at a place that is taken


class Line:
    """First come, first served; the first `running` tickets may run."""

    def __init__(self, limits: Limits, full: Text = LINE_FULL) -> None:
        self._limits = limits
        self._full = full
        self._tickets: list[_Ticket] = []
        self._moved = threading.Condition()

    def join(self) -> _Ticket:
        """A place in the line, to be given back with `leave`; Busy when the line is full."""
        with self._moved:
            if len(self._tickets) >= self._limits.running + self._limits.waiting:
                raise Busy(self._full, TRY_AGAIN)
            ticket = object()
            self._tickets.append(ticket)
            return ticket

    def leave(self, ticket: _Ticket) -> None:
        with self._moved:
            if ticket in self._tickets:
                self._tickets.remove(ticket)
                self._moved.notify_all()

    def ahead(self, ticket: _Ticket, wait: float = 0.0) -> int:
        """How many must end before this ticket may run: 0 when it may. Looks again after `wait` seconds or a move."""
        with self._moved:
            if wait and self._ahead(ticket) > 0:
                self._moved.wait(wait)
            return self._ahead(ticket)

    def _ahead(self, ticket: _Ticket) -> int:
        return max(0, self._tickets.index(ticket) - self._limits.running + 1)


class Switches:
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


class Seat:
    """One reading's place: whether it was stopped, and whether a newer reading of its session wants to begin."""

    def __init__(self) -> None:
        self.stopped = False
        self.replaced = False

    @property
    def over(self) -> bool:
        return self.stopped or self.replaced


class Desk:
    """Places for readings, which no run waits for: one at a time a session, the newest; a few on the whole server."""

    def __init__(self, at_once: int = 2, waiting: int = 8) -> None:
        self._line = Line(Limits(running=at_once, waiting=waiting), DESK_FULL)
        self._newest: dict[str, Seat] = {}
        self._taken: set[str] = set()
        self._moved = threading.Condition()

    @contextmanager
    def seat(self, session: str) -> Iterator[Seat]:
        """Waits for a place, and for the end of this session's reading before; Busy where too many wait.

        Whoever is `over` already when he gets here was stopped while he waited, and must not begin.
        """
        mine, ticket, taken = Seat(), None, False
        with self._moved:
            before = self._newest.get(session)
            self._newest[session] = mine
        if before is not None:
            before.replaced = True
        try:
            while not (mine.over or taken):
                taken = self._take(session)
            if taken:
                ticket = self._line.join()
            while ticket and not mine.over and self._line.ahead(ticket, _LOOK):
                pass
            yield mine
        finally:
            if ticket:
                self._line.leave(ticket)
            self._rise(session, mine, taken)

    def stop(self, session: str) -> None:
        with self._moved:
            mine = self._newest.get(session)
        if mine is not None:
            mine.stopped = True

    def _take(self, session: str) -> bool:
        with self._moved:
            free = self._moved.wait_for(lambda: session not in self._taken, _LOOK)
            if free:
                self._taken.add(session)
            return free

    def _rise(self, session: str, mine: Seat, taken: bool) -> None:
        with self._moved:
            if taken:
                self._taken.discard(session)
            if self._newest.get(session) is mine:
                del self._newest[session]
            self._moved.notify_all()
