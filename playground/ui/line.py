"""Who may run now and who waits: the line before the model, and the stop switch of every session.

Knows no model and no page. Gradio's own queue is not used for this: it frees a place before a run has really ended.
"""

from __future__ import annotations

import threading

from playground.settings import Limits
from playground.types import Busy
from playground.ui.words import LINE_FULL, TRY_AGAIN

_Ticket = object


class Line:
    """First come, first served; the first `running` tickets may run."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tickets: list[_Ticket] = []
        self._moved = threading.Condition()

    def join(self) -> _Ticket:
        """A place in the line, to be given back with `leave`; Busy when the line is full."""
        with self._moved:
            if len(self._tickets) >= self._limits.running + self._limits.waiting:
                raise Busy(LINE_FULL, TRY_AGAIN)
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
