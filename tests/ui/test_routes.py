"""Only what the product needs can be reached: every route of the running app is allowed, or off by name."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from playground.generators.scripted import ScriptedGenerator
from playground.settings import Settings
from playground.ui import routes
from playground.ui.model_host import ModelHost
from playground.ui.page import Page
from playground.ui.web_server import gradio_app
from tests.ui.served import FORKS

API = routes.API
# Gradio's routes that nobody needs here. A route that is in neither list makes the test below fail: look at it first.
OFF = {
    "/openapi.json", "/login", "/login/", "/logout", "/svelte/{path:path}", "/config/", "/manifest.json",
    "/pwa_icon", "/pwa_icon/{size}", "/monitoring", "/monitoring/summary", "/monitoring/{key}",
    *(f"{API}/{path}" for path in (
        "deep_link", "user", "user/", "login_check", "login_check/", "token", "token/", "app_id/", "dev/reload",
        "runs", "runs/", "info/", "openapi.json", "custom_component/{id}/{environment}/{type}/{file_name}",
        "proxy={url_path:path}", "file={path_or_url:path}", "file/{path:path}", "stream/{event_id}",
        "stream/{event_id}/close", "stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
        "stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
        "stream/{session_hash}/{run}/{component_id}/playlist-file", "reset/", "run/{api_name}/", "api/{api_name}",
        "api/{api_name}/", "call/v2/{api_name}/", "call/{api_name}/", "component_server", "component_server/",
        "queue/status", "upload", "upload_progress", "startup-events", "theme.css", "process_recording", "vibe-edit",
        "vibe-edit/", "undo-vibe-edit", "undo-vibe-edit/", "vibe-code", "vibe-code/", "vibe-starter-queries",
        "vibe-starter-queries/",
    )),
}  # fmt: skip


def listed(found: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path template, those of routers in routers too."""
    for one in found:
        inner = getattr(one, "effective_candidates", None)
        path = before + getattr(one, "path", "")
        if inner is not None:
            yield from listed(inner(), before)
        elif getattr(one, "routes", None):
            yield from listed(one.routes, path)
        else:
            assert getattr(one, "methods", None), f"what is {one!r}?"
            for method in one.methods:
                yield method, path


def filled(template: str) -> str:
    """A path that the template takes."""
    return re.sub(r"\{api_name\}", "predict", re.sub(r"\{(?!api_name)[^}]*\}", "x.js", template))


def of_the_app() -> list[tuple[str, str]]:
    settings = Settings()
    page = Page(ModelHost(settings, lambda *_: ScriptedGenerator(["One."])))
    return sorted(listed(gradio_app(page.blocks, settings).routes))


@pytest.fixture(scope="module")
def all_routes(starts_server: None) -> list[tuple[str, str]]:
    with ProcessPoolExecutor(1, FORKS) as other:  # Gradio leaves an event loop open behind an app that never runs
        return other.submit(of_the_app).result()


def asked(url: str, method: str, path: str, body: bytes = b"{}", **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of one request, sent as it is."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body if method == "POST" else None, named)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        text = "" if told.get("content-type", "").startswith("text/event-stream") else answer.read().decode()
        return answer.status, text, told
    finally:
        connection.close()


def test_every_route_of_the_app_is_allowed_or_off_by_name(all_routes: list[tuple[str, str]]) -> None:
    strangers = [
        f"{method} {path}" for method, path in all_routes if path not in OFF and not routes.find(method, filled(path))
    ]
    assert strangers == [], "new routes: allow them in playground/ui/routes.py or list them as off"
    known = {path for _, path in all_routes}
    assert OFF - known == set(), "these are no routes any more"
    assert [path for method, path in all_routes if path in OFF and routes.find(method, filled(path))] == []
    allowed = {path for method, path in all_routes if path not in OFF}
    assert {"/", "/config", f"{API}/queue/join", f"{API}/queue/data", f"{API}/call/{{api_name}}"} <= allowed


def test_each_route_that_is_off_answers_that_there_is_nothing(scripted: str, all_routes: list[tuple[str, str]]) -> None:
    for method, path in all_routes:
        if path in OFF:
            status, text, _ = asked(scripted, method, filled(path))
            assert status == 404, f"{method} {path}: {status} {text[:200]}"
    for path in ("/docs", "/redoc", "/.git/config", "/gradio_api/mcp/", "//", "/assets/../index.html", "/static/.x"):
        assert asked(scripted, "GET", path)[0] == 404, path
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECTX"):
        assert asked(scripted, method, "/config")[0] == 404, method


def test_no_address_is_fetched_for_a_visitor(scripted: str) -> None:
    seen: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        target = f"http://127.0.0.1:{listener.server_address[1]}/told"
        for path in (f"file={target}", f"proxy={target}", f"file/{target}", f"file={target.replace(':', '%3A')}"):
            for method in ("GET", "HEAD"):
                assert asked(scripted, method, f"{API}/{path}")[0] == 404
        named = {"path": target, "url": target, "meta": {"_type": "gradio.FileData"}}
        body = json.dumps({"data": [named], "session_hash": "s", "fn_index": 0}).encode()
        asked(scripted, "POST", f"{API}/run/predict", body, Content_Type="application/json")
        listener.shutdown()
    assert seen == []


def test_browsers_are_told_what_the_page_may_do(scripted: str) -> None:
    for path in ("/", "/config", f"{API}/info", f"{API}/file=x"):
        _, _, headers = asked(scripted, "GET", path)
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert "object-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_no_event_of_an_element_sets_off_two_listeners_that_repeat_it(scripted: str) -> None:
    """A listener with always_last that was asked again meanwhile has Gradio's page send the event to all listeners: two
    of them would set each other off for ever.
    """
    _, body, _ = asked(scripted, "GET", "/config")
    heard: dict[tuple[Any, ...], list[str]] = {}
    for one in json.loads(body)["dependencies"]:
        for target in one["targets"]:
            if target[0] is not None and target[1] not in ("load", "then"):
                heard.setdefault(tuple(target), []).append(one["trigger_mode"])
    assert len(heard) > 20
    assert {event: modes for event, modes in heard.items() if "always_last" in modes and len(modes) > 1} == {}
