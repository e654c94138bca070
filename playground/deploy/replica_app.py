"""One replica: the model on its own devices and the API over it, answering requests that arrive as plain values.

Knows no Ray and no network. A request is its scope and its body; an answer is a stream of ASGI messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

from starlette.types import Message

from playground.inspection import inspect_api
from playground.openai_api.server import OpenAIServer
from playground.settings import Settings
from playground.ui.model_host import ModelHost, OpenGenerator, open_local
from playground.ui.request_queue import RequestQueue
from playground.ui.run_stream import api_runs

_AHEAD = 64  # messages of an answer that may wait for whoever reads them
_FOREVER = 10.0**6
log = logging.getLogger(__name__)


class ReplicaApp:
    """A model and its API. Runs get names that begin with `name`, so that a question finds the replica of its run."""

    def __init__(self, settings: Settings, name: str, opener: OpenGenerator = open_local) -> None:
        inspect_api.begin_run_ids_with(name)
        self._host = ModelHost(settings, opener)
        queue = RequestQueue(settings.limits, rows=settings.rows)
        self._api = OpenAIServer(self._host, api_runs(self._host, queue))

    def load(self) -> None:
        """Returns once the model is loaded; raises ModelError with the reason where it cannot be."""
        self._host.start()
        self._host.wait(_FOREVER)
        log.info("Loaded %s", self._host.generator.card.id)

    def stop(self) -> None:
        """Running texts end with what is written and say so; nothing new begins."""
        self._host.stopping.set()

    async def answer(self, scope: Mapping[str, Any], body: bytes) -> AsyncGenerator[Message, None]:
        """The ASGI messages of the answer. Closing the generator ends the run, as a client does that leaves."""
        messages: asyncio.Queue[Message | None] = asyncio.Queue(_AHEAD)
        unread, gone = [body], asyncio.Event()

        async def receive() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def run() -> None:
            try:
                await self._api(dict(scope), receive, messages.put)
            finally:
                await messages.put(None)

        task = asyncio.create_task(run())
        try:
            while (message := await messages.get()) is not None:
                yield message
        finally:
            gone.set()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
