"""Which loaded model answers a request, held while it does; and how long a request waits while none is loaded.

Knows no request and no server: what holds models is handed in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Protocol

from playground.openai_api.model_list import find
from playground.types import Busy, Generator, Stopped, Text

PATIENCE_S = 45.0
"""How long a request waits for a model that is being loaded. Clients try a 503 again for some seconds only, which is
less than a load takes; proxies give up a silent answer after 60 s. So it waits for less than that, then it is a 503."""
_LOOK_S = 0.1  # seconds between two looks at a model that loads
_TOO_MANY = Text("Too many requests wait for the model. Please try again.", "等待模型的请求过多，请重试。")


class ModelHost(Protocol):
    """What holds the models."""

    stopping: threading.Event

    @property
    def generator(self) -> Generator:
        """The current one; ModelError while there is none."""

    @property
    def generators(self) -> Sequence[Generator]:
        """All that are loaded, the current one first."""

    def wait(self, seconds: float) -> bool:
        """True once a run can begin, or none will."""

    def in_use(self, generator: Generator | None = None) -> AbstractContextManager[tuple[Generator, threading.Event]]:
        """This one, or the current one, is not unloaded while it lasts; the event is set once its runs must end."""


class ModelAccess:
    """The way to the models of one server for those who ask over the network; `waiting` of them may wait."""

    def __init__(self, host: ModelHost, waiting: int, patience: float = PATIENCE_S) -> None:
        self._host = host
        self._most = max(1, waiting)
        self._patience = patience
        self._waiting = 0

    @property
    def listed(self) -> Sequence[Generator]:
        """All that are loaded, the current one first. ModelError while none is: who polls the list learns from it
        whether the server is ready."""
        return self._host.generators or [self._host.generator]

    def named(self, name: str) -> Generator:
        """The loaded one of this name, not held. ApiError with 404 for another, ModelError while none is loaded."""
        return find(self.listed, name)

    @asynccontextmanager
    async def held(self, name: str, gone: Callable[[], bool]) -> AsyncIterator[tuple[Generator, threading.Event]]:
        """The loaded one of this name stays loaded while this lasts; the event is set once its run must end early.

        Waits while one is being loaded, or while runs must end before another one takes its place. Raises ApiError
        with 404 for another name, ModelError or Busy where it had to wait for too long, Stopped once `gone`.
        """
        await self._ready(gone)
        found = self.named(name)
        current = found is self._host.generator
        with self._host.in_use(None if current else found) as use:
            yield use

    async def _ready(self, gone: Callable[[], bool]) -> None:
        if self._host.wait(0):
            return
        if self._waiting >= self._most:
            raise Busy(_TOO_MANY)
        self._waiting += 1
        try:
            until = asyncio.get_running_loop().time() + self._patience
            while not self._host.wait(0) and asyncio.get_running_loop().time() < until:
                if gone() or self._host.stopping.is_set():
                    raise Stopped
                await asyncio.sleep(_LOOK_S)
        finally:
            self._waiting -= 1
