"""Lets requests of the API to it: bodies within bounds, and whatever the Guard refuses in the form that clients read.

Knows no field and no model.
"""

from __future__ import annotations

import json

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from playground.openai_api.api_error import INVALID, ApiError
from playground.openai_api.server import PREFIX, OpenAIServer
from playground.types import Text
from playground.ui import server_responses
from playground.ui.request_bodies import Refused, RequestBodies

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ApiDoor:
    """In front of one server's API; a body has `most` bytes at most."""

    def __init__(self, api: OpenAIServer, bodies: RequestBodies, most: int) -> None:
        self._api = api
        self._bodies = bodies
        self._most = most

    @property
    def has_keys(self) -> bool:
        """Whether a key takes the place of the page's password."""
        return self._api.keys.any

    def takes(self, path: str) -> bool:
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    async def answer(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        """A request that is for this server and no other site's."""
        scope = {**scope, "path": path}
        if scope["method"] != "POST":
            await self._api(scope, receive, send)
            return
        too_long = server_responses.unless_short(Headers(scope=scope), self._most)
        try:
            if too_long is not None:
                raise Refused(too_long)
            async with self._bodies.read(scope, receive) as body:
                await self._api(scope, body, send)
        except Refused as refused:
            if refused.response is not None:
                await in_shape(refused.response)(scope, receive, send)


def in_shape(refusal: Response) -> Response:
    """A refusal of the Guard as OpenAI's clients read it; a page or a redirect becomes a sentence too."""
    try:
        said = json.loads(bytes(refusal.body))
        sentence = Text(said["en"], said["zh"])
    except (ValueError, KeyError, TypeError):
        sentence = Text("Please log in first.", "请先登录。")
    status = refusal.status_code if refusal.status_code >= 400 else 401
    error = ApiError(status, sentence, kind=_KINDS.get(status, INVALID)).response()
    for name in ("retry-after", "connection"):
        if name in refusal.headers:
            error.headers[name] = refusal.headers[name]
    return error
