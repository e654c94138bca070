"""MCP on the page's own port: who may use it, and its way to the model through the page's waiting line.

Knows no tool. The Guard has looked at host, origin and length before; a key stands here in place of the login.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.mcp_server.runner import Ask, Look
from playground.openai_api.keys import ApiKeys
from playground.run import Run
from playground.settings import Limits, Settings
from playground.types import Busy, Stopped, Text
from playground.ui import routes, server_responses
from playground.ui.model_host import ModelHost
from playground.ui.request_bodies import most_body
from playground.ui.request_queue import ReadQueue, RequestQueue
from playground.ui.run_stream import WaitState, stream_run
from playground.ui.server_texts import MCP_KEY, MCP_OFF, STOPPED
from playground.visitor import Visitor, address_of

if TYPE_CHECKING:
    from playground.mcp_server.server import McpServer

_EVERY = 0.5  # seconds between reports of progress
_LOOK = 0.1


class HostRunner:
    """A `mcp_server.runner.Runner` over the page's model; its runs wait in the same line as the page's."""

    def __init__(self, host: ModelHost, queue: RequestQueue) -> None:
        self._host = host
        self._queue = queue
        self._readings = ReadQueue()

    @property
    def limits(self) -> Limits:
        """What this server allows one visitor."""
        return self._host.settings.limits

    async def run(self, ask: Ask, cancelled: threading.Event, model: str = "") -> AsyncGenerator[Text | Run, None]:
        """As `stream_run`, with why nothing runs yet as a sentence."""
        async with aclosing(stream_run(ask, self._host, self._queue, cancelled, every=_EVERY, model=model)) as states:
            async for state in states:
                yield state.reason if isinstance(state, WaitState) else state

    async def look(self, look: Look, cancelled: threading.Event, model: str = "") -> Any:
        """Waits for the model and for a place among the readings, then reads in a thread."""
        while not self._host.wait(0) and not self._over(cancelled):
            await asyncio.sleep(_LOOK)
        return await asyncio.to_thread(self._read, look, cancelled, model)

    def _read(self, look: Look, cancelled: threading.Event, model: str) -> Any:
        with (
            self._readings.place(uuid.uuid4().hex) as place,  # another call of the same client takes no place away
            self._host.in_use(self._host.named(model)) as (generator, ends),
        ):

            def halted() -> bool:
                return place.over or ends.is_set() or self._over(cancelled)

            if halted():
                raise Stopped
            return look(generator, halted)

    def _over(self, cancelled: threading.Event) -> bool:
        if self._host.stopping.is_set():
            raise Busy(STOPPED)
        return cancelled.is_set()


class McpEndpoint:
    """ASGI middleware that answers at routes.MCP and hands on everything else. MCP's SDK takes more than half a second
    to import, so that waits for the first request that may use it."""

    def __init__(self, app: ASGIApp, settings: Settings, runner: HostRunner | None) -> None:
        self._app = app
        self._keys = ApiKeys.of(settings)
        self._root_path = routes.path_of(settings.root_path)
        self._runner = runner if settings.serves_mcp else None
        self._most_body = most_body(settings.limits)
        self._server: asyncio.Future[McpServer] | None = None
        self._running: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a call is being answered."""
        begun = self._server
        return begun is not None and begun.done() and begun.exception() is None and begun.result().busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                self._over.set()
                if self._running is not None:
                    await self._running
        elif scope["type"] == "http" and scope["path"].removeprefix(self._root_path) == routes.MCP:
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _begun(self, runner: HostRunner) -> McpServer:
        """The one server, which lasts until the web server ends."""
        if self._server is None:
            self._server = asyncio.get_running_loop().create_future()
            self._running = asyncio.create_task(self._run(runner, self._server))
        return await asyncio.shield(self._server)

    async def _run(self, runner: HostRunner, begun: asyncio.Future[McpServer]) -> None:
        try:
            server = await asyncio.to_thread(_made, runner, self._most_body)
            async with server.running():
                begun.set_result(server)
                await self._over.wait()
        except Exception as error:
            if begun.done():
                raise
            begun.set_exception(error)  # to whoever waits for it

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        key = self._keys.name_of(headers)
        if self._runner is None:
            await server_responses.sentence(headers, 403, MCP_OFF)(scope, receive, send)
        elif self._keys.any and key is None:
            more = {"WWW-Authenticate": "Bearer"}
            await server_responses.sentence(headers, 401, MCP_KEY, more)(scope, receive, send)
        elif scope["method"] not in ("POST", "DELETE"):  # nothing is ever said to a client that has not asked
            await Response(status_code=405, headers={"Allow": "POST, DELETE"})(scope, receive, send)
        else:
            address = address_of((scope.get("client") or ("",))[0])
            session = key or headers.get("mcp-session-id", "")
            server = await self._begun(self._runner)
            await server.answer(scope, receive, send, Visitor(session, address))


def _made(runner: HostRunner, most_body: int) -> McpServer:
    from playground.mcp_server.server import McpServer

    return McpServer(runner, most_body)
