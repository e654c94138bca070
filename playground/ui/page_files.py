"""The scripts of the page and the data that they read, kept ready to be sent: as files that a browser keeps for good.

The address names their content: whatever changes in any of them changes the address of all. Knows no element.
"""

from __future__ import annotations

import gzip
import hashlib
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

from playground.ui import routes, script_bundle, server_responses
from playground.ui.server_texts import NO_SUCH_PAGE

SCRIPTS = Path(__file__).parent / "scripts"
MAIN = "page/main.js"  # the module that runs before Gradio's
_KIND = b"text/javascript; charset=utf-8"
_KEEPS = b"public, max-age=31536000, immutable"
_QUALITY = 10  # of 11: a third of the time for two hundredths more
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
    br = brotli.compress(plain, brotli.MODE_TEXT, quality=_QUALITY)
    return _PageFile(plain, gzip.compress(plain, 9, mtime=0), br)


def scripts() -> dict[str, str]:
    """The modules as they lie in scripts/, by their paths below it."""
    paths = sorted(SCRIPTS.rglob("*.js"))
    return {path.relative_to(SCRIPTS).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def data_module(value: Any) -> str:
    """A module that exports this plain data. As a text that is parsed: browsers read JSON faster than a program."""
    text = json.dumps(json.dumps(value, ensure_ascii=False, separators=(",", ":")), ensure_ascii=False)
    return f"export default JSON.parse({text});\n"


class PageFiles:
    """The files of one page; `data` is what it makes of Python's facts, each a module playground/data/<name>.js.

    The modules in a folder named in `late` are not needed before a tab of this name is shown: a browser gets them once
    it has nothing else to do, so that the tab opens at once, also when the server is gone by then. Data below a folder
    are files of their own, which are loaded when they are asked for.
    """

    def __init__(self, data: Mapping[str, Any], late: Collection[str] = ()) -> None:
        made = {f"data/{name}.js": data_module(value) for name, value in data.items()}
        alone = {path: code for path, code in made.items() if path.count("/") > 1}
        modules = scripts() | {path: code for path, code in made.items() if path not in alone}
        self._late = [f"{folder}.js" for folder in late]
        files = script_bundle.bundles(modules, late, MAIN)
        self._plain = {path: script_bundle.separate(path, code) for path, code in modules.items()} | alone | files
        together = "\0".join(part for name in sorted(self._plain) for part in (name, self._plain[name]))
        self._folder = f"page/{hashlib.sha256(together.encode()).hexdigest()[:16]}"

    def head(self) -> str:
        """For the document's head, in front of Gradio's own script: where modules are, and the first of them."""
        maps = json.dumps({"imports": {script_bundle.FOR_ALL: f"./{self._folder}/"}})
        links = (f'<link rel="prefetch" href="./{self._folder}/{name}">' for name in self._late)
        main = f'<script type="module" src="./{self._folder}/{script_bundle.START}"></script>'
        return "\n".join((f'<script type="importmap">{maps}</script>', main, *links))

    def find(self, path: str) -> _PageFile | None:
        """The file at this path of the server. A page of another version gets what there is now: it is better off."""
        match = _PATH.fullmatch(path)
        plain = self._plain.get(match["name"]) if match else None
        return None if plain is None else _packed(plain.encode())


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
