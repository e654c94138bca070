"""How old something kept is, in days of its store: no clock that jumps makes anything older than it is.

A day has passed where the steady clock of a running program says so, and the wall clock does not say that somebody has
counted it already. Between two programs only the wall clock knows; of it a start believes one day at most, whatever it
shows. So a store that is opened once a week grows a day older each time, and nothing is dropped by one look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

DAY = 86_400.0
_NEARLY = 0.9 * DAY  # clocks differ a little


def _steady() -> float:
    """Seconds that go on while a machine sleeps, where the system can say so."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True, slots=True)
class AgeClock:
    """Seconds: `wall` of the calendar, which anybody may set, and `steady`, which only goes on."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = _steady


def at_start(then: float, now: float) -> int:
    """Days to count when a store is opened; `then` is the wall clock when the last one was counted."""
    return 1 if now - then >= DAY else 0


def while_open(steady: float, then: float, now: float) -> int:
    """Days to count after so many steady seconds; `then` as above."""
    days = int(steady // DAY)
    return days if now < then else min(days, int((now - then) // _NEARLY))
