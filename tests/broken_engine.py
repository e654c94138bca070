"""A small HTTP server that answers as an engine in whatever way a test wants, in threads of this process."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODELS = {"object": "list", "data": [{"id": "acme/model-1", "object": "model", "max_model_len": 4096}]}

Answer = Callable[["Handler", Mapping[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """One request; `server.script` decides about every POST and GET by its path."""

    server: Scripted

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}"))

    def _answer(self, body: Mapping[str, Any]) -> None:
        self.server.seen.append((self.path, dict(self.headers), dict(body)))
        answer = self.server.script.get(self.path)
        if answer is None:
            self.json({"error": {"message": "no such thing"}}, 404)
            return
        answer(self, body)

    def json(self, value: Any, status: int = 200, **headers: str) -> None:
        self.raw(json.dumps(value).encode(), "application/json", status, **headers)

    def raw(self, data: bytes, kind: str = "text/html", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def events(self, lines: Sequence[bytes]) -> None:
        """Server-sent events up to the last of these lines; then the connection is closed."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for line in lines:
            self.wfile.write(b"data: " + line + b"\n\n")
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


class Scripted(ThreadingHTTPServer):
    """`script` maps a path to what answers it; `seen` holds each request's path, headers and body."""

    daemon_threads = True

    def __init__(self, script: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = dict(script)
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@dataclass
class Talk:
    """What an OpenAI-compatible server says to a streamed request; probes of one token are always answered."""

    lines: Sequence[bytes] = ()
    first: list[Answer] = field(default_factory=list)  # what is answered before that, one request each

    def __call__(self, handler: Handler, body: Mapping[str, Any]) -> None:
        if not body.get("stream"):
            handler.json({"choices": [{"text": "A", "message": {"content": "A"}, "finish_reason": "length"}]})
        elif self.first:
            self.first.pop(0)(handler, body)
        else:
            handler.events(self.lines)


def chunk(text: str, finish: str | None = None, **more: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "text": text, "finish_reason": finish, **more}]}).encode()


@contextmanager
def engine_that(
    says: Talk | None = None, certificate: tuple[Path, Path] | None = None, **script: Answer
) -> Iterator[Scripted]:
    """A server; `script` names paths with _ for /. Where it `says` something, it is an OpenAI-compatible one."""
    paths: dict[str, Answer] = {"/" + path.replace("_", "/"): answer for path, answer in script.items()}
    if says is not None:
        paths = {"/v1/models": lambda handler, _: handler.json(MODELS), "/v1/completions": says, **paths}
    server = Scripted(paths)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
