"""The scripts of the page and the data that they read, kept ready to be sent: as files that a browser keeps for good.

The address names their content: whatever changes in any of them changes the address of all. Knows no element.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import brotli
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.ui import routes, server_responses
from playground.ui.server_texts import NO_SUCH_PAGE

SCRIPTS = Path(__file__).parent / "scripts"
MAIN = "page/main.js"  # the module that runs before Gradio's
_KIND = b"text/javascript; charset=utf-8"
_KEEPS = b"public, max-age=31536000, immutable"
_PATH = re.compile(r"/page/[0-9a-f]{16}/(?P<name>[\w/]+\.js)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _PageFile:
    """One file, by content coding."""

    plain: bytes
    gzip: bytes
    br: bytes

    def best(self, accepted: str) -> tuple[bytes, bytes | None]:
        """What is sent to a browser that accepts these codings, and which of them it is."""
        for name, packed in ((b"br", self.br), (b"gzip", self.gzip)):
            if name.decode() in accepted:
                return packed, name
        return self.plain, None


@cache
def _packed(plain: bytes) -> _PageFile:
    return _PageFile(plain, gzip.compress(plain, 9, mtime=0), brotli.compress(plain, brotli.MODE_TEXT))


def scripts() -> dict[str, bytes]:
    """The modules as they lie in scripts/, by their paths below it."""
    return {path.relative_to(SCRIPTS).as_posix(): path.read_bytes() for path in sorted(SCRIPTS.rglob("*.js"))}


def data_module(value: Any) -> bytes:
    """A module that exports this plain data. As a text that is parsed: browsers read JSON faster than a program."""
    text = json.dumps(json.dumps(value, ensure_ascii=False, separators=(",", ":")), ensure_ascii=False)
    return f"export default JSON.parse({text});\n".encode()


class PageFiles:
    """The files of one page; `data` is what it makes of Python's facts, each a module playground/data/<name>.js.

    The modules in a folder named in `late` are not needed before a tab of this name is shown: a browser gets them once
    it has nothing else to do, so that the tab opens at once, also when the server is gone by then.
    """

    def __init__(self, data: Mapping[str, Any], late: Collection[str] = ()) -> None:
        self._late = tuple(f"{name}/" for name in late)
        self._plain = scripts() | {f"data/{name}.js": data_module(value) for name, value in data.items()}
        together = b"".join(name.encode() + b"\0" + self._plain[name] for name in sorted(self._plain))
        self._folder = f"page/{hashlib.sha256(together).hexdigest()[:16]}"

    def head(self) -> str:
        """For the document's head, in front of Gradio's own script: where modules are, and the first of them."""
        maps = json.dumps({"imports": {"playground/": f"./{self._folder}/"}})
        ahead = (name for name in self._plain if not name.startswith("data/examples/"))
        links = (self._link("prefetch" if name.startswith(self._late) else "modulepreload", name) for name in ahead)
        main = f'<script type="module" src="./{self._folder}/{MAIN}"></script>'
        return "\n".join((f'<script type="importmap">{maps}</script>', *links, main))

    def _link(self, rel: str, name: str) -> str:
        return f'<link rel="{rel}" href="./{self._folder}/{html.escape(name)}">'

    def find(self, path: str) -> _PageFile | None:
        """The file at this path of the server. A page of another version gets what there is now: it is better off."""
        match = _PATH.fullmatch(path)
        plain = self._plain.get(match["name"]) if match else None
        return None if plain is None else _packed(plain)


class ServedFiles:
    """ASGI middleware that answers for the files of a page."""

    def __init__(self, app: ASGIApp, files: PageFiles, root_path: str) -> None:
        self._app = app
        self._files = files
        self._root_path = routes.path_of(root_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(self._root_path)
        if scope["type"] != "http" or not path.startswith("/page/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        found = self._files.find(path)
        if found is None:
            await server_responses.sentence(headers, 404, NO_SUCH_PAGE)(scope, receive, send)
            return
        body, coding = found.best(headers.get("accept-encoding", ""))
        fields = [(b"content-type", _KIND), (b"content-length", str(len(body)).encode())]
        fields += [(b"cache-control", _KEEPS), (b"vary", b"Accept-Encoding")]
        if coding is not None:
            fields.append((b"content-encoding", coding))
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})
