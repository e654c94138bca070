"""A model hub on this machine that serves one folder under one id, and answers 401 or 403 for others, as the hub does.

Knows just enough of the hub's HTTP to be asked by huggingface_hub.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GATED = "someone/gated"


class Handler(BaseHTTPRequestHandler):
    folder: Path
    name: str
    asked: list[tuple[str, str | None]]
    breaks: dict[str, int]  # of a file: bytes after which the connection breaks, once; later it is not given

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        """The test's output is no place for an access log."""

    def _answer(self, body: bool) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        path = self.path.partition("?")[0]
        if path.startswith(f"/api/models/{self.name}"):
            if "/tree/" in path:
                self._send(json.dumps([self._file(file) for file in self._names()]).encode(), body)
            else:
                siblings = [{"rfilename": file, "size": (self.folder / file).stat().st_size} for file in self._names()]
                self._send(json.dumps({"id": self.name, "sha": COMMIT, "siblings": siblings}).encode(), body)
        elif path.startswith(f"/{self.name}/resolve/"):
            self._resolve(path.rpartition("/")[2], body)
        elif GATED in path:
            self._send(b"{}", body, 403, {"X-Error-Code": "GatedRepo"})
        else:
            self._send(b"{}", body, 401, {"X-Error-Code": "RepoNotFound"})

    def _resolve(self, name: str, body: bool) -> None:
        """A file, or the part of it that was asked for."""
        data = (self.folder / name).read_bytes()
        wanted = (self.headers.get("Range") or "").removeprefix("bytes=").removesuffix("-")
        start = int(wanted or 0)
        left = self.breaks.get(name) if body else None
        if left == 0:
            self._send(b"{}", body, 500)
            return
        part = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        etag = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
        if left is not None:
            self.breaks[name] = 0
        self._send(data[start:], body, 206 if start else 200, {**part, **etag}, left)

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def _file(self, name: str) -> dict[str, object]:
        data = (self.folder / name).read_bytes()
        return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}

    def _send(
        self,
        data: bytes,
        body: bool,
        status: int = 200,
        headers: dict[str, str] | None = None,
        most: int | None = None,
    ) -> None:
        self.send_response(status)
        extra = {
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Content-Type": "application/json",
        }
        for name, value in {**extra, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data[:most])


@contextmanager
def serving(
    name: str, folder: Path, breaks: dict[str, int] | None = None
) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """The address of a hub with one model, and the list of what was asked: (path, Authorization header)."""
    asked: list[tuple[str, str | None]] = []
    known = {"folder": folder, "name": name, "asked": asked, "breaks": {} if breaks is None else breaks}
    handler = type("Serving", (Handler,), known)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
