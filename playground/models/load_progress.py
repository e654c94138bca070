"""How far transformers has come with putting weights in their places, told through the hook of its progress bars.

The hook is one for the whole program, so it is set only while the one load runs that holds the program's state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging as transformers_logging

from playground.types import ProgressReport, Text

_EVERY = 64  # parts between two reports, where there are many


@contextmanager
def told(stage: Text, first: float, last: float, report: ProgressReport) -> Iterator[None]:
    """Reports `stage` with a share that grows from `first` to `last`. What `report` raises ends the load."""

    def bar(_: Callable[..., Any], given: tuple[Any, ...], options: dict[str, Any]) -> Any:
        parts = given[0] if given else options.get("iterable", ())
        return _Bar(parts, options.get("total"), lambda share: report(stage, first + share * (last - first)))

    before = transformers_logging.set_tqdm_hook(bar)
    try:
        yield
    finally:
        transformers_logging.set_tqdm_hook(before)


class _Bar:
    """In the place of a progress bar: draws nothing."""

    def __init__(self, parts: Iterable[Any] | None, total: int | None, tell: Callable[[float], None]) -> None:
        self._parts = () if parts is None else parts
        self._total = total or (len(self._parts) if isinstance(self._parts, Sized) else 0)
        self._tell, self._done = tell, 0

    def __iter__(self) -> Iterator[Any]:
        for part in self._parts:
            yield part
            self.update()

    def update(self, count: int = 1) -> None:
        before, self._done = self._done, self._done + count
        step = max(1, self._total // _EVERY)
        if self._total and before // step != self._done // step:
            self._tell(min(1.0, self._done / self._total))

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is drawn, so there is nothing to take away."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None
