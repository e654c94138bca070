"""Who the owner of a server is, and the link by which a browser shows that it is the owner's.

On a page that other people can reach, that is who opened the link with the token that the terminal printed; on any
other page everybody, since only this machine can connect. Never an address: a tunnel comes from this machine itself,
and what a proxy adds can be forged. Knows no action that is the owner's; each handler asks here, on the server.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from playground.settings import Settings
from playground.types import PlaygroundError
from playground.ui import server_responses
from playground.ui.allowed_hosts import AllowedHosts, place_of
from playground.ui.login import Clock, LoginSessions, TooManyGuesses
from playground.ui.server_texts import OWNER_LINK_WRONG, OWNER_ONLY, TOO_MANY_TRIES
from playground.visitor import address_of

PATH = "/owner"  # below the root path; the token is its query, which no log line has
_NAME = "owner"
# What proxies and tunnels add: then the request comes from somewhere else, whatever address it has here. Whoever makes
# one of these up only loses by it.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


class Owner:
    """The owner of one server, from its start to its end. All methods may be called from any thread."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(32)  # 256 random bits, new with every start
        # A name or a path of its own means that a proxy shows the page to others.
        self.needs_link = bool(settings.public or settings.allowed_hosts or settings.root_path)
        self._sessions = LoginSessions(_NAME, self.token, clock)
        self._lock = threading.Lock()

    def is_owner(self, request: Any) -> bool:
        """Whether this request, starlette's or Gradio's, is the owner's."""
        asked = getattr(request, "request", None) or request
        if not isinstance(asked, Request):
            return False
        token = asked.cookies.get(cookie_name(asked.headers), "")
        with self._lock:
            if token and self._sessions.holds(token):
                return True
        return not self.needs_link and not any(name in asked.headers for name in _FORWARDED)

    def check(self, request: Any) -> None:
        """Raises PlaygroundError with the sentence for visitors where the request is not the owner's."""
        if not self.is_owner(request):
            raise PlaygroundError(OWNER_ONLY)

    def answer(self, scope: Scope, headers: Headers, hosts: AllowedHosts) -> Response:
        """What a browser gets that opens the link: the cookie, and the page without the token in its address."""
        given = Request(scope).query_params.get("token", "")
        try:
            with self._lock:
                session = self._sessions.open(_NAME, given, address_of((scope.get("client") or ("",))[0]))
        except TooManyGuesses as wait:
            more = {"Retry-After": str(wait.seconds)}
            return _private(server_responses.sentence(headers, 429, TOO_MANY_TRIES.filled(seconds=wait.seconds), more))
        if session is None:
            return _private(server_responses.sentence(headers, 403, OWNER_LINK_WRONG))
        answer = RedirectResponse("./", 303)
        secure = hosts.over_tls(scope["scheme"], headers)
        answer.set_cookie(cookie_name(headers), session, httponly=True, samesite="strict", secure=secure)
        return _private(answer)

    def close(self, headers: Headers, answer: Response) -> None:
        """This browser is the owner's no more; another one that opened the link is not touched."""
        name = cookie_name(headers)
        token = Request({"type": "http", "headers": headers.raw}).cookies.get(name)
        if token is not None:
            with self._lock:
                self._sessions.close(token)
            answer.delete_cookie(name)

    def link(self, page: str) -> str:
        """The link for a page at this address."""
        return f"{page.rstrip('/')}{PATH}?token={self.token}"


def cookie_name(headers: Headers) -> str:
    """By the port that the browser sees: it keeps one jar for all ports of a machine."""
    place = place_of(headers.get("host", ""))
    return f"playground-owner-{place[1] if place and place[1] else 'usual'}"


def _private(answer: Response) -> Response:
    """The address holds the token: it is kept nowhere and told to no other page."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer
