"""Bounds on connections: how many are open, in all and of one address, and how long one may be silent.

A connection costs a file descriptor, of which a process has few: without a bound some hundred idle ones shut everybody
out. Knows no request. Called from the event loop alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from playground.visitor import address_of, is_own

if sys.platform != "win32":  # which has no such bound
    import resource

BACKLOG = 128  # connections that are accepted before any of them is counted
HEAD_SECONDS = 20.0  # for the head of a request to come, from the first byte of silence on
_READING_SECONDS = 60.0  # in which a reader must take the 64 KB that wait for him
_RESERVE = 2 * BACKLOG  # descriptors for files, worker processes, and connections that are about to be refused
_MOST, _PER_ADDRESS = 4_000, 256  # an address may be a whole school's
_DESCRIPTORS = 16_384


def raise_descriptors() -> int:
    """Asks for as many open files as the system lets this process have; how many those are."""
    if sys.platform == "win32":
        return _DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    infinite = resource.RLIM_INFINITY
    wanted = _DESCRIPTORS if hard == infinite else min(hard, _DESCRIPTORS)
    if soft != infinite and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has another bound of its own
            return soft
        return wanted
    return _DESCRIPTORS if soft == infinite else soft


class Connections:
    """Those of one server. Where no more may be open, the one that has been idle for longest makes room for a new one;
    where none is idle, the new one is refused. Visitors of a tunnel all come from this machine, so its own addresses
    have only the bound of all."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most, self._per_address = most, per_address
        self._open: dict[BoundedProtocol, str] = {}  # in the order of their last request
        self._by_address: Counter[str] = Counter()

    @classmethod
    def within(cls, descriptors: int) -> Connections:
        """As many as this number of open files leaves room for."""
        most = min(_MOST, max(descriptors - _RESERVE, descriptors // 4))
        return cls(most, min(_PER_ADDRESS, max(1, most // 4)))

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: BoundedProtocol, host: str) -> bool:
        """Whether this new connection may stay."""
        address = "" if is_own(host) else address_of(host)
        if address and self._by_address[address] >= self._per_address and not self._make_room(address):
            return False
        if len(self._open) >= self._most and not self._make_room():
            return False
        self._open[connection] = address
        self._by_address[address] += 1
        return True

    def answered(self, connection: BoundedProtocol) -> None:
        """A request of it has ended: of the idle ones it is the last to be closed."""
        if connection in self._open:
            self._open[connection] = self._open.pop(connection)

    def remove(self, connection: BoundedProtocol) -> None:
        address = self._open.pop(connection, None)
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _make_room(self, address: str | None = None) -> bool:
        for connection, its in self._open.items():
            if connection.is_idle and address in (None, its):
                self.remove(connection)
                connection.close_now()
                return True
        return False


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with bounds. uvicorn waits for ever for the first request's head, and for the rest of one."""

    def __init__(self, *given: Any, bounds: Connections, head_seconds: float = HEAD_SECONDS, **more: Any) -> None:
        super().__init__(*given, **more)
        self._bounds = bounds
        self._head_seconds = head_seconds
        self._due: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def close_now(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._bounds.admit(self, self.client[0] if self.client else ""):
            self._expect_head()
        else:
            self.close_now()

    def connection_lost(self, exc: Exception | None) -> None:
        self._bounds.remove(self)
        for timer in (self._due, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._bounds.answered(self)
        super().on_response_complete()
        self._expect_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(_READING_SECONDS, self.close_now)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def _expect_head(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = self.loop.call_later(self._head_seconds, self._head_is_due)

    def _head_is_due(self) -> None:
        """Once a request is being answered it has all the time it needs; its body is bounded elsewhere."""
        if self.is_idle:
            self.close_now()
