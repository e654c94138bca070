"""When this program's memory goes back to the system, and what the C library keeps of it for later allocations.

glibc keeps freed memory, in up to eight arenas a processor, since the next request might want it: after sixteen streams
that was more than the model. Knows nothing of what is allocated; elsewhere than on Linux with glibc it does nothing.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playground.machine import mapped_weights

_ARENA_MAX = -8  # mallopt(3)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_SMALL, _LARGE = 1 << 18, 1 << 25  # bytes; the latter is glibc's own upper bound
_ARENAS = 2  # numbers are crunched in one or two threads; the others allocate little
_REST_S = 2.0  # a trim takes some milliseconds, so it waits until nothing more is given back


def _library() -> Any:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None  # musl has no such thing


_C = _library()


def limit_arenas() -> None:
    """Few arenas instead of eight a processor. Holds for those that are not there yet, so it is called first of all."""
    if _C is not None:
        _C.mallopt(_ARENA_MAX, _ARENAS)


@contextmanager
def apart() -> Iterator[None]:
    """What is allocated while it lasts, weights above all, lies apart from the heap, so that all of it goes back to the
    system once it is freed; in the heap, small blocks that stay would keep holes of it.

    Afterwards large blocks come from the heap again, as glibc itself has it once it has seen one freed: mapping anew
    what every forward pass takes for a moment would cost time.
    """
    if _C is not None:
        _C.mallopt(_MMAP_THRESHOLD, _SMALL)
    try:
        yield
    finally:
        if _C is not None:
            _C.mallopt(_MMAP_THRESHOLD, _LARGE)
            _C.mallopt(_TRIM_THRESHOLD, 2 * _LARGE)


def trim() -> None:
    """Gives back to the system what is free now."""
    if _C is not None:
        _C.malloc_trim(0)


class _Later:
    """One thread that gives memory back once nobody has asked for it for a while."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked = 0.0

    def ask(self) -> None:
        with self._guard:
            self._asked = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="trim", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._guard:
                left = self._asked + _REST_S - time.monotonic()
                if left <= 0:
                    self._thread = None
                    break
            time.sleep(left)
        trim()
        mapped_weights.release()


_LATER = _Later()


def trim_soon() -> None:
    """The same in a moment, once for all who ask: something large has been let go of."""
    if _C is not None:
        _LATER.ask()
