"""From a request to a growing Run: waits for the model and for a place in the queue, then streams at a readable pace.

The page and the API both come through here. Knows no element. Whatever takes long runs in a thread, and between two
looks nothing does, so that any number of streams leaves room for the next visitor.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext
from dataclasses import dataclass

from playground import visitor
from playground.generate import Gathering
from playground.run import Run
from playground.serving.pool_texts import ENDED_BY_SWITCH, ENDED_WAITING
from playground.types import Busy, Generator, ModelCard, Request, Text, Wait
from playground.ui.model_host import ModelHost
from playground.ui.page_texts import IN_QUEUE, IN_QUEUE_ABOUT, MINUTES, SECONDS, WAITS
from playground.ui.request_queue import RequestQueue
from playground.ui.server_texts import STOPPED, STOPPING

PACE = 1 / 15  # seconds between updates: quick to the eye
_GLANCES = 12  # at whether the end has come, between two updates
_FEW = 4  # streams at this pace; more share its updates, so that they leave the model its processor
_SLOWEST = 0.4
_FIRST = 1 / 50  # seconds between looks for the first token, which somebody waits for
_LOOK = 0.3  # seconds between looks at a model that loads or a queue that moves


Held = tuple[Generator, threading.Event]


@dataclass(frozen=True, slots=True)
class WaitState:
    """Nothing runs yet, because of this."""

    reason: Text


async def stream_run(
    ask: Callable[[ModelCard], Request],
    host: ModelHost,
    queue: RequestQueue,
    cancelled: threading.Event,
    *,
    every: float = PACE,
    model: str = "",
    held: Held | None = None,
) -> AsyncGenerator[WaitState | Run, None]:
    """Yields a WaitState until it is this request's turn, then its Run, growing, and once more when it has ended.

    An update comes `every` so many seconds, while few stream. `ask` makes the request once the model is known, the
    loaded one that goes by `model` or the current one, which is not unloaded before the end; or it is the one that the
    caller has `held`. Raises PlaygroundError before anything runs. Ends without a Run where it was cancelled while
    waiting.
    """
    # Nobody waits for the model either without a place.
    place = None if held is not None or host.wait(0) else queue.join(None, visitor.current())
    try:
        async for waiting in _until(lambda: None if held else _loading(host), host, cancelled):
            yield waiting
    finally:
        if place is not None:
            queue.leave(place)
    if cancelled.is_set():
        return
    with nullcontext(held) if held is not None else host.in_use(host.named(model)) as (generator, ends):
        request = await asyncio.to_thread(ask, generator.card)
        ticket = queue.join(request, visitor.current())
        try:
            async for waiting in _until(lambda: _ahead(queue.wait(ticket)), host, cancelled, ends):
                yield waiting
            if cancelled.is_set():
                return
            gathering = await asyncio.to_thread(Gathering, request, generator, host.settings.limits, cancelled)
            ticket.run = gathering.run
            ticket.waits = gathering.wait() is not None
            async for waiting in _until(lambda: _ahead(gathering.wait()), host, cancelled, ends):
                yield waiting
            if ticket.waits and cancelled.is_set():
                return
            ticket.waits = False
            yield gathering.run
            while not gathering.over:
                _end_early(gathering, host, cancelled, ends)
                await _rest(pace(len(queue), every) if gathering.begun else _FIRST, gathering)
                if gathering.poll():
                    yield gathering.run
        finally:
            cancelled.set()
            queue.leave(ticket)


def api_runs(
    host: ModelHost, queue: RequestQueue
) -> Callable[[Callable[[ModelCard], Request], threading.Event, float, Held], AsyncGenerator[object, None]]:
    """How the API's runs come into this queue, each on the model that it holds."""

    def runs(
        ask: Callable[[ModelCard], Request], cancelled: threading.Event, every: float, held: Held
    ) -> AsyncGenerator[object, None]:
        return stream_run(ask, host, queue, cancelled, every=every, held=held)

    return runs


def _end_early(gathering: Gathering, host: ModelHost, cancelled: threading.Event, ends: threading.Event) -> None:
    """Has a run end whose server ends, or whose model makes room for another, and says why."""
    if not cancelled.is_set() and (host.stopping.is_set() or ends.is_set()):
        cancelled.set()
        gathering.run.notice = STOPPING if host.stopping.is_set() else ENDED_BY_SWITCH


def _over(host: ModelHost, cancelled: threading.Event) -> bool:
    """Whether this wait is over: it was stopped, or nothing begins any more, which Busy says."""
    if host.stopping.is_set():
        raise Busy(STOPPED)
    return cancelled.is_set()


async def _until(
    tell: Callable[[], Text | None], host: ModelHost, cancelled: threading.Event, ends: threading.Event | None = None
) -> AsyncGenerator[WaitState, None]:
    """Why nothing runs yet, each reason once, until there is none any more or it was cancelled."""
    sent = None
    while (reason := tell()) is not None and not _over(host, cancelled):
        if ends is not None and ends.is_set():
            raise Busy(ENDED_WAITING)
        if reason != sent:
            sent = reason
            yield WaitState(reason)
        await asyncio.sleep(_LOOK)


def _loading(host: ModelHost) -> Text | None:
    return None if host.wait(0) else WAITS.filled(stage=host.stage())


def _ahead(wait: Wait | None) -> Text | None:
    return None if wait is None else queue_position(wait)


async def _rest(seconds: float, gathering: Gathering) -> None:
    """So long at most: an end is sent at once."""
    for _ in range(_GLANCES):
        if gathering.ended:
            return
        await asyncio.sleep(seconds / _GLANCES)


def pace(streams: int, every: float = PACE) -> float:
    """Seconds between two updates of each of so many streams."""
    return min(_SLOWEST, every * max(1.0, streams / _FEW))


def queue_position(wait: Wait) -> Text:
    """The place in the queue as a sentence, with the time where it is known."""
    if wait.seconds is None:
        return IN_QUEUE.filled(ahead=wait.ahead)
    whole = max(1, round(wait.seconds))
    time = SECONDS.filled(count=whole) if whole < 100 else MINUTES.filled(count=round(whole / 60))
    return Text(
        IN_QUEUE_ABOUT.en.format(ahead=wait.ahead, time=time.en),
        IN_QUEUE_ABOUT.zh.format(ahead=wait.ahead, time=time.zh),
    )
