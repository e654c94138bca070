"""Logging in and out over HTTP: two routes, the cookie, and the page for visitors who have not logged in.

Takes the place of Gradio's own, whose logout ends everybody's session and whose token can be read by scripts.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from python_multipart.exceptions import FormParserError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope

from playground.settings import Settings
from playground.types import Text
from playground.ui import server_responses
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.login import LoginSessions, TooManyGuesses
from playground.ui.owner import Owner
from playground.ui.request_bodies import Refused, RequestBodies
from playground.ui.server_texts import BAD_REQUEST, NOT_LOGGED_IN, OTHER_SITE, TOO_MANY_GUESSES, WRONG
from playground.visitor import address_of

LOGIN, LOGOUT = "/login", "/logout"
# What a form can be wrong in, as its parsers say it.
_UNREADABLE = (HTTPException, MultiPartException, FormParserError, ClientDisconnect, LookupError, ValueError)
_FORM_BYTES = 16_000  # of a name and a password
_OWN = ("same-origin", "none")  # Sec-Fetch-Site of a request that no other site made


class LoginRoutes:
    """Those of one server with a password."""

    def __init__(
        self, settings: Settings, password: str, hosts: AllowedHosts, bodies: RequestBodies, owner: Owner
    ) -> None:
        self._logins = LoginSessions(settings.user, password)
        self._hosts = hosts
        self._bodies = bodies
        self._owner = owner
        self._cookie = f"playground-{settings.port}"  # a browser keeps one jar for all ports of a machine

    async def answer(self, scope: Scope, receive: Receive, headers: Headers, path: str) -> Response | None:
        """What these routes answer; None for a request of somebody who has logged in."""
        token = Request(scope).cookies.get(self._cookie, "")
        method = scope["method"]
        if path == LOGIN and method == "POST":
            return server_responses.unless_short(headers, _FORM_BYTES) or await self._open(scope, receive, headers)
        if path == LOGOUT and method in ("GET", "POST"):
            return self._close(token, headers)
        if self._logins.holds(token):
            return RedirectResponse("./", 303) if path == LOGIN else None
        if path in ("/", LOGIN) and method in ("GET", "HEAD"):
            return server_responses.login_page(headers)
        return server_responses.sentence(headers, 401, NOT_LOGGED_IN)

    def _close(self, token: str, headers: Headers) -> Response:
        referer = urlsplit(headers.get("referer", "")).netloc
        if headers.get("sec-fetch-site", "none") not in _OWN or (referer and not self._hosts.accepts(referer)):
            return server_responses.sentence(headers, 403, OTHER_SITE)
        self._logins.close(token)
        gone = RedirectResponse("./", 303)
        gone.delete_cookie(self._cookie)
        self._owner.close(headers, gone)
        return gone

    async def _open(self, scope: Scope, receive: Receive, headers: Headers) -> Response:
        """A token for the right name and password. A person gets pages, `gradio_client` the answers that it knows."""
        try:
            async with (
                self._bodies.read(scope, receive, json=False) as body,
                Request(scope, body).form(max_files=0, max_fields=10) as form,
            ):
                name, password = (str(form.get(field, "")) for field in ("username", "password"))
        except Refused as refused:
            return refused.response or server_responses.sentence(headers, 400, BAD_REQUEST)
        except _UNREADABLE:
            return server_responses.sentence(headers, 400, BAD_REQUEST)
        try:
            token = self._logins.open(name, password, address_of((scope.get("client") or ("",))[0]))
        except TooManyGuesses as wait:
            text, more = TOO_MANY_GUESSES.filled(seconds=wait.seconds), {"Retry-After": str(wait.seconds)}
            return _refused(headers, 429, text, name, more)
        if token is None:
            return _refused(headers, 400, WRONG, name, {})
        answer = RedirectResponse("./", 303) if server_responses.is_page(headers) else Response('{"success":true}')
        secure = self._hosts.over_tls(scope["scheme"], headers)
        answer.set_cookie(self._cookie, token, httponly=True, samesite="lax", secure=secure)
        return answer


def _refused(headers: Headers, status: int, text: Text, name: str, more: dict[str, str]) -> Response:
    if server_responses.is_page(headers):
        return server_responses.login_page(headers, status, text, name, more)
    return server_responses.sentence(headers, status, text, more)
