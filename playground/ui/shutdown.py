"""When the server is to end: a first Ctrl-C or SIGTERM asks for it in order, a second ends it at once.

Knows no server. What the program wrote for itself is removed in either case.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from playground.leave import leave
from playground.machine.run_folder import RunFolder

LONGEST = 30.0  # seconds from the first signal to the end, whatever hangs
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
_LOOK = 0.05


class Shutdown:
    """A context in which signals are noted; its end removes the folder."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._asked = False  # no Event: setting one in a signal's handler can wait for its own lock
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Shutdown:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *why: object) -> None:
        self._folder.remove()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, going: Callable[[], bool]) -> None:
        """Returns once the end was asked for, or nothing is going any more; from then on it comes within LONGEST."""
        while not self._asked and going():
            time.sleep(_LOOK)
        late = threading.Timer(LONGEST, self._leave, [1])
        late.daemon = True
        late.start()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._leave(128 + number)
        self._asked = True

    def _leave(self, code: int) -> None:
        self._folder.remove()
        leave(code)
