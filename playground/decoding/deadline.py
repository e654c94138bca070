"""The time that a request may take. Knows no request."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """Runs from `begin`, when a request leaves the waiting line: waiting for the lock and prefill count."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is the most that it may take; 0 for any."""
        self._seconds = seconds
        self._now = now
        self._began: float | None = None

    def begin(self) -> None:
        self._began = self._now() if self._began is None else self._began

    def expired(self) -> bool:
        return self._began is not None and 0 < self._seconds <= self._now() - self._began
