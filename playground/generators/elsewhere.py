"""Where a run's logits are kept when another server keeps them, and who answers for a generator that is one.

So that every question about a run or a model has one way in, wherever the answer is. Knows no server and no torch.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

MOST = 4_000  # runs that are remembered: an id and a reference each


class _Runs:
    """By the id of a run who answers for it: an object with the functions of `inspection/run_queries.py`."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Any] = OrderedDict()
        self._guard = threading.Lock()

    def add(self, run_id: str, answers: Any) -> None:
        with self._guard:
            self._runs[run_id] = answers
            while len(self._runs) > MOST:
                self._runs.popitem(last=False)

    def find(self, run_id: str) -> Any | None:
        with self._guard:
            return self._runs.get(run_id)

    def drop(self, run_id: str) -> Any | None:
        with self._guard:
            return self._runs.pop(run_id, None)


RUNS = _Runs()
"""The runs of this process that other servers keep."""


def reader_of(generator: object) -> Any | None:
    """What answers for this generator in the place of `inspection/reading.py`; None for one on this machine."""
    return getattr(generator, "reader", None)
