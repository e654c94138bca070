"""In front of the replicas: picks the one that a question about a run must go to, and says why a stream breaks.

Knows no Ray: `Forward` brings a request to a replica. A replica that is lost before its first byte is silently replaced
by another one; after it, the answer ends with an error in the form that clients read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Message

from playground.inspection import inspect_api
from playground.openai_api.api_error import ApiError
from playground.openai_api.server import PREFIX
from playground.settings import Settings
from playground.types import Text
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.api_door import in_shape
from playground.ui.json_size import is_heavy
from playground.ui.request_bodies import most_body
from playground.ui.server_responses import sentence
from playground.ui.server_texts import HOST_REFUSED, ORIGIN_REFUSED, TOO_LONG, TOO_MANY_VALUES

Forward = Callable[[dict[str, Any], bytes, str], AsyncGenerator[Message, None]]
"""Scope and body to a replica, to the named one where the name is not ""; its answer as ASGI messages.

Raises ReplicaLost where the replica ends before its answer does, and AllBusy where no replica takes it.
"""
TRIES = 3  # replicas that are asked before the first byte
_STREAM = "text/event-stream"
_LOST = Text(
    "The machine that wrote this has failed; what was written is kept. Please send the request again.",
    "生成此文本的机器出现故障；已写出的内容仍保留。请重新发送请求。",
)
_NONE_LEFT = Text("No machine could answer. Please send the request again.", "没有机器能够应答，请重新发送请求。")
_ALL_BUSY = Text("All machines are busy. Please try again.", "所有机器都在忙，请重试。")
_NOT_HERE = Text("This server answers the API below /v1 only.", "此服务器只应答 /v1 之下的 API。")
_RETRY_S = 5
log = logging.getLogger(__name__)


class ReplicaLost(Exception):
    """The replica of a request ended while it answered."""


class AllBusy(Exception):
    """Every replica has as many requests as it takes, and as many wait."""


class Gateway:
    """One gateway. Any number of them may stand beside each other: none remembers anything."""

    def __init__(self, settings: Settings, forward: Forward) -> None:
        self._forward = forward
        self._hosts = AllowedHosts(settings)
        self._most_body = most_body(settings.limits)

    async def answer(self, scope: dict[str, Any], body: bytes) -> Response:
        """The answer to one request, whatever comes of it."""
        refusal = self._unfit(Headers(scope=scope), scope["path"], body)
        if refusal is not None:
            return refusal
        messages = self._tried(scope, body, replica_of(body))
        try:
            start = await anext(messages)
        except ReplicaLost:
            return _failed(502, _NONE_LEFT)
        except AllBusy:
            return _failed(503, _ALL_BUSY)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start.get("headers", [])}
        if headers.get("content-type", "").startswith(_STREAM):
            return StreamingResponse(_streamed(messages), start["status"], headers)
        try:
            async with aclosing(messages):
                whole = b"".join([message.get("body", b"") async for message in messages])
        except ReplicaLost:
            return _failed(502, _LOST)
        return Response(whole, start["status"], headers)

    def _unfit(self, headers: Headers, path: str, body: bytes) -> Response | None:
        """What the page's Guard refuses, too: other servers' names, other sites' pages, bodies beyond all bounds."""
        host, origin = headers.get("host", ""), headers.get("origin")
        refusal = None
        if not self._hosts.accepts(host):
            refusal = sentence(headers, 421, HOST_REFUSED.filled(host=host[:100] if host.isprintable() else "?"))
        elif origin is not None and not self._hosts.trusts(origin, host):
            refusal = sentence(headers, 403, ORIGIN_REFUSED.filled(origin=origin[:100]))
        elif len(body) > self._most_body:
            refusal = sentence(headers, 413, TOO_LONG.filled(size=f"{len(body):,}", most=f"{self._most_body:,}"))
        elif is_heavy(body):
            refusal = sentence(headers, 413, TOO_MANY_VALUES)
        elif path != PREFIX and not path.startswith(f"{PREFIX}/"):
            refusal = sentence(headers, 404, _NOT_HERE)
        return None if refusal is None else in_shape(refusal)

    async def _tried(self, scope: dict[str, Any], body: bytes, replica: str) -> AsyncGenerator[Message, None]:
        """The messages of the first replica that begins to answer."""
        for tries in range(TRIES):
            began = False
            try:
                async with aclosing(self._forward(scope, body, replica)) as messages:
                    async for message in messages:
                        began = True
                        yield message
                return
            except ReplicaLost:
                log.warning("A replica was lost %s", "while it answered" if began else "before it answered")
                if began or tries == TRIES - 1:
                    raise


async def _streamed(messages: AsyncGenerator[Message, None]) -> AsyncIterator[bytes]:
    """The bodies; if the replica is lost, a last event says so."""
    async with aclosing(messages):
        try:
            async for message in messages:
                if message.get("body"):
                    yield message["body"]
        except ReplicaLost:
            yield ApiError(502, _LOST, kind="server_error", code="replica_lost").event()
            yield b"data: [DONE]\n\n"


def replica_of(body: bytes) -> str:
    """The replica that keeps the run which a body asks about; "" where it asks about none."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return ""  # the replica says what is wrong with it
    run = given.get("run_id") if isinstance(given, dict) else None
    return inspect_api.beginning_of(run) if isinstance(run, str) else ""


def _failed(status: int, text: Text) -> Response:
    code = "overloaded" if status == 503 else "replica_lost"
    return ApiError(status, text, kind="server_error", code=code, retry=_RETRY_S).response()
