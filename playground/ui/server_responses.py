"""Answers that the server gives by itself, before Gradio's app: a sentence as JSON or as a small page.

Knows no rule; each sentence goes out in the language that the visitor's browser asks for, and in JSON in both.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from collections.abc import Mapping
from string import Template

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response

from playground.types import Language, Text
from playground.ui.element import asset
from playground.ui.page_texts import WORDS
from playground.ui.server_texts import LOG_IN, NO_LENGTH, PASSWORD, TOO_LONG, USER

# These pages have no script but the one that login.html brings; their style stands in them.
STATIC_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)


def language_of(headers: Headers) -> Language:
    """The first language that a browser asks for, as far as it is one of ours."""
    return "zh" if headers.get("accept-language", "").strip().lower().startswith("zh") else "en"


def is_page(headers: Headers) -> bool:
    """Whether a person looks at the answer, not a script."""
    return "text/html" in headers.get("accept", "")


def sentence(headers: Headers, status: int, text: Text, more: Mapping[str, str] | None = None) -> Response:
    """`detail` is what gradio_client and Gradio's page show of it."""
    language = language_of(headers)
    if not is_page(headers):
        said = {"detail": text.say(language), "en": text.en, "zh": text.zh}
        return JSONResponse(said, status, dict(more or {}))
    title = html.escape(WORDS["title"].say(language))
    body = f"<!doctype html><meta charset=utf-8><title>{title}</title><p>{html.escape(text.say(language))}</p>"
    return HTMLResponse(body, status, {**(more or {}), "Content-Security-Policy": STATIC_POLICY})


def unless_short(headers: Headers, most: int) -> Response | None:
    """Refuses a request whose body is too long, or whose length is not known."""
    given = headers.get("content-length", "")
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        return sentence(headers, 411, NO_LENGTH)
    if int(given) > most:
        return sentence(headers, 413, TOO_LONG.filled(size=f"{int(given):,}", most=f"{most:,}"))
    return None


def login_page(
    headers: Headers,
    status: int = 200,
    trouble: Text | None = None,
    name: str = "",
    more: Mapping[str, str] | None = None,
) -> Response:
    """The form that asks for the password, with what was wrong with the last try."""
    language = language_of(headers)
    shown = {
        "lang": "zh-CN" if language == "zh" else "en",
        "title": WORDS["title"].say(language),
        "action": "login",
        "user": USER.say(language),
        "password": PASSWORD.say(language),
        "go": LOG_IN.say(language),
        "name": name[:200],
    }
    filled = {place: html.escape(value) for place, value in shown.items()}
    said = "" if trouble is None else f'<p role="alert">{html.escape(trouble.say(language))}</p>'
    page = Template(asset("login.html")).substitute(filled, trouble=said)
    policy = f"{STATIC_POLICY}; {_login_script()}"
    return HTMLResponse(page, status, {**(more or {}), "Content-Security-Policy": policy})


@functools.cache
def _login_script() -> str:
    """The source of the login page's script, as a policy names it."""
    script = asset("login.html").partition("<script>")[2].partition("</script>")[0]
    return f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
