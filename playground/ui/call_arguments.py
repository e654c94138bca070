"""In front of Gradio's app: calls by name whose endpoint or arguments do not exist are refused by those names.

Gradio would answer with a fault of its own. Knows no element; what the arguments are, api.py knows.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.types import InvalidRequest, Text
from playground.ui import api, routes, server_responses

_CALL = re.compile(rf".*{routes.API}/call/(v2/)?([^/]+)/?")


class CallArguments:
    """ASGI middleware; bodies are as short, and hold as few values, as the Guard lets them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = _CALL.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if called is None:
            await self._app(scope, receive, send)
            return
        message = await receive()  # the Guard gives a body in one piece
        body = message.get("body", b"")
        try:
            api.check_call(called[2], _named(body) if called[1] else {})
        except InvalidRequest as error:
            text = Text(error.say("en"), error.say("zh"))
            await server_responses.sentence(Headers(scope=scope), 400, text)(scope, receive, send)
            return
        unread: list[Message] = [message]

        async def again() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, again, send)


def _named(body: bytes) -> dict[str, Any]:
    """The arguments by their names; none where the body is no such thing, which Gradio will say."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}
