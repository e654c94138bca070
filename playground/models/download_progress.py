"""How far a download has come, and how fast it goes. Knows no hub, so that it costs nothing to import."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

_WINDOW_S = 8.0  # seconds over which the rate is taken


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """`done` of `total` bytes are here, some of them perhaps from an earlier try; `rate` in bytes per second and `left`
    in seconds, None while they are not known."""

    done: int
    total: int
    rate: float | None = None
    left: float | None = None


class DownloadRate:
    """The rate of one download over its last seconds. Used by one thread."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, int]] = deque()

    def at(self, done: int, total: int) -> DownloadProgress:
        """Of so many bytes so many are here now."""
        now = time.monotonic()
        self._moments.append((now, done))
        while now - self._moments[0][0] > _WINDOW_S and len(self._moments) > 2:
            self._moments.popleft()
        (then, before), rate = self._moments[0], None
        if now > then and done > before:
            rate = (done - before) / (now - then)
        left = None if not rate else max(0, total - done) / rate
        return DownloadProgress(min(done, total), total, rate, left)
