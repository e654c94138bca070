"""The ASGI application in front of Gradio's: it decides of every request whether it gets there.

In this order: is it for this server (Host), from its own page (Origin), for something that the page needs (routes), of
a bearable length, from somebody who has logged in where there is a password. Knows no event and no element.
"""

from __future__ import annotations

import logging
import threading

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.machine import disk
from playground.openai_api.server import OpenAIServer
from playground.settings import Settings
from playground.ui import routes, server_responses
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.api_door import ApiDoor, in_shape
from playground.ui.error_log import is_ours
from playground.ui.login_routes import LoginRoutes
from playground.ui.page_texts import UNEXPECTED
from playground.ui.request_bodies import Refused, RequestBodies, most_body
from playground.ui.server_texts import (
    BAD_REQUEST,
    HOST_REFUSED,
    NO_SUCH_PAGE,
    ORIGIN_REFUSED,
    OTHER_SITE,
    STOPPED,
)

log = logging.getLogger(__name__)
# Names of other hosts that Gradio would believe.
_UNTRUSTED = (b"x-gradio-server", b"x-forwarded-host", b"origin")
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors "
)
# What a document is made of: a browser goes by the policy of the document.
_PARTS = ("text/javascript", "application/javascript", "text/css", "text/event-stream", "font/", "image/")


class Guard:
    """One server's checks; `app` is Gradio's, `api` what answers programs of OpenAI's API beside it."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        hosts: AllowedHosts,
        stopping: threading.Event,
        api: OpenAIServer | None = None,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._stopping = stopping
        self._most_body = most_body(settings.limits)
        self._bodies = RequestBodies(self._most_body)
        self._api = None if api is None else ApiDoor(api, self._bodies, self._most_body)
        self._login = LoginRoutes(settings, settings.password, hosts, self._bodies) if settings.password else None
        self._root_path = routes.path_of(settings.root_path)
        self._policy = _POLICY + " ".join(("'self'", *settings.framed_by))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, self._with_headers(send))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        scope = {**scope, "headers": self._trusted(headers)}
        method = scope["method"]
        path = scope["path"].removeprefix(self._root_path) or "/"
        refusal = self._strange(scope, headers)
        api = self._api if self._api is not None and self._api.takes(path) else None
        by_key = path == routes.MCP or (api is not None and api.has_keys)  # who looks at the key himself
        if refusal is None and self._login is not None and not by_key:
            refusal = await self._login.answer(scope, receive, headers, path)
        if api is not None:
            if refusal is None:
                await api.answer(scope, receive, send, path)
                return
            refusal = in_shape(refusal)
        if refusal is None:
            refusal = self._unfit(scope, headers, path)
        if refusal is not None:
            if refusal.status_code >= 400:
                log.info(f"Refused with {refusal.status_code}: %s %s", method, path[:80])
            await refusal(scope, receive, send)
        elif method == "POST":
            await self._with_body(scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._bodies.read(scope, receive) as body:
                await self._pass_on(scope, body, send)
        except Refused as refused:
            if refused.response is not None:
                log.info(f"Refused with {refused.response.status_code}: POST %s", scope["path"][:80])
                await refused.response(scope, receive, send)

    def _strange(self, scope: Scope, headers: Headers) -> Response | None:
        """Whether it is for another server, or from another site's page."""
        named = headers.getlist("host")
        host = named[0] if len(named) == 1 else ""
        if not self._hosts.accepts(host):
            shown = host[:100] if host.isprintable() and host else "?"
            return server_responses.sentence(headers, 421, HOST_REFUSED.filled(host=shown))
        origin = headers.get("origin")
        if origin is not None and not self._hosts.trusts(origin, host):
            return server_responses.sentence(headers, 403, ORIGIN_REFUSED.filled(origin=origin[:100]))
        changes = scope["method"] not in ("GET", "HEAD")
        if changes and origin is None and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return server_responses.sentence(headers, 403, OTHER_SITE)
        return None

    def _unfit(self, scope: Scope, headers: Headers, path: str) -> Response | None:
        """Whether it is for nothing that is offered, too long, or comes while the server stops."""
        route = routes.find(scope["method"], path)
        if route is None:
            return server_responses.sentence(headers, 404, NO_SUCH_PAGE)
        if scope["method"] != "POST":
            return None
        if self._stopping.is_set() and route.starts:
            return server_responses.sentence(headers, 409, STOPPED)  # of 503 Gradio's page says something of its own
        return server_responses.unless_short(headers, self._most_body)

    def _trusted(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """What Gradio may see: it would take its own address from some, and echo a foreign Origin as allowed."""
        forwarded = headers.get("x-forwarded-host", "").split(",")[0].strip()
        untrusted = set(_UNTRUSTED)
        if forwarded and self._hosts.accepts(forwarded):
            untrusted.remove(b"x-forwarded-host")
        return [(name, value) for name, value in headers.raw if name not in untrusted]

    def _with_headers(self, send: Send) -> Send:
        """Adds to every answer what browsers should know of it."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                if not headers.get("content-type", "").startswith(_PARTS):
                    headers.setdefault("Content-Security-Policy", self._policy)
                if self._login is not None:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return sent

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets Gradio answer. What it fails at becomes one sentence, and its details stay in the terminal."""
        held: list[Message] = []  # an answer of 500, until it is known why
        began = False

        async def sent(message: Message) -> None:
            nonlocal began
            if held or (message["type"] == "http.response.start" and message["status"] == 500):
                held.append(message)
                return
            began = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            log.error("A request failed: %s %s", scope["method"], scope["path"][:80], exc_info=error)
            if not began:
                await self._failure(scope, error)(scope, receive, send)
            return
        for message in held:
            await send(message)

    def _failure(self, scope: Scope, fault: Exception) -> Response:
        headers = Headers(scope=scope)
        if disk.is_full(fault):
            return server_responses.sentence(headers, 507, disk.DiskError(fault).text)
        if is_ours(fault.__traceback__):
            return server_responses.sentence(headers, 500, UNEXPECTED)
        return server_responses.sentence(headers, 400, BAD_REQUEST)
