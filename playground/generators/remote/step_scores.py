"""The scores of single steps, asked of an engine: of whatever token would follow given ones.

Several questions run side by side, in the same line as the texts. Knows no kind of engine.
"""

from __future__ import annotations

import concurrent.futures
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from torch import Tensor

from playground.generators.remote import failures
from playground.generators.remote.adapter import Adapter
from playground.generators.remote.http_client import EngineClient, begin
from playground.generators.remote.line import Line
from playground.types import Stopped

AT_ONCE = 2  # more do not make a small machine faster, and a large one is left to those who write
_LOOK = 0.05  # seconds between looks whether anybody still waits
Call = tuple[str, dict[str, Any]]


class StepScores:
    """One engine's; a `ScoreSource` of the run store."""

    def __init__(self, client: EngineClient, adapter: Adapter, line: Line) -> None:
        self._client = client
        self._adapter = adapter
        self._line = line

    def __call__(
        self, prompts: Iterable[Sequence[int]], halted: Callable[[], bool] = lambda: False
    ) -> Iterator[Tensor]:
        """Behind each of these token ids, in their order, the log-probabilities [1, vocab] of the next token.

        Raises EngineError, and Stopped soon after `halted` is true.
        """
        for answer in self.answers((self._adapter.score_call(ids) for ids in prompts), halted):
            scores = self._adapter.scores(dict(answer))
            if bool(scores.isnan().any()):
                raise failures.unreadable(self._client.host)
            yield scores

    def answers(self, calls: Iterable[Call], halted: Callable[[], bool]) -> Iterator[Mapping[str, Any]]:
        """What the engine answers to each, in their order. Raises as a call of this object."""
        left, running = iter(calls), deque[Future[dict[str, Any]]]()
        try:
            while True:
                running.extend(begin(self._ask(call)) for call in itertools.islice(left, AT_ONCE - len(running)))
                if not running:
                    return
                yield _waited(running[0], halted)
                running.popleft()
        finally:
            for one in running:
                one.cancel()

    async def _ask(self, call: Call) -> dict[str, Any]:
        async with self._line.short():
            return await self._client.ask_until_room(*call)


def _waited(asked: Future[dict[str, Any]], halted: Callable[[], bool]) -> Mapping[str, Any]:
    while True:
        if halted():
            raise Stopped
        try:
            return asked.result(_LOOK)
        except concurrent.futures.TimeoutError:
            if asked.done():  # it is the answer that timed out
                raise
