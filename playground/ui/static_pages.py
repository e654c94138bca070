"""The page, its configuration and its theme, made once and served as bytes: Gradio makes a megabyte for each request.

Only the origin differs, which the first two name in their texts: they are kept in parts around it, plain and
compressed. A browser that has them asks whether they are still the same. Knows no element. Which Host headers are
taken, the Guard knows.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
import zlib
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.ui import document, routes, server_responses
from playground.ui.server_texts import BAD_REQUEST

PATHS = ("/", "/config", "/theme.css")
_HOST = "origin.invalid"  # stands for the origin while a page is made
# What needs no escape, neither in JSON nor in HTML.
_ORIGIN = re.compile(r"https?://([\w.%-]+|\[[\w.:%]+\])(:\d{1,5})?", re.ASCII)
_ASKS = b"no-cache"  # kept, but never shown before the server was asked
_KEEPS = b"public, max-age=31536000, immutable"
_PIECE = 65_536  # bytes that are handed on before the reader has taken those before
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_GZIP_END = b"\x03\x00"  # an empty last block of deflate


@dataclass(frozen=True, slots=True)
class _CompressedPage:
    """One answer: its parts, between which the origin stands, and the same parts as pieces of one deflate stream.

    `digest` is that of the parts: of a page without an origin, the SHA-256 of what is sent.
    """

    kind: bytes
    plain: list[bytes]
    packed: list[bytes]
    digest: str

    def tag(self, origin: bytes) -> bytes:
        """The same for all codings of one page at one origin, so it is a weak one."""
        return b'W/"%s"' % hashlib.sha256(self.digest.encode() + origin).hexdigest()[:32].encode()

    def is_named(self, query: bytes) -> bool:
        """Whether the address says which content it means, and it is this: then it is the same for good."""
        return len(self.plain) == 1 and query == b"v=" + self.digest.encode()


class StaticPages:
    """ASGI middleware; `app` makes each page at its first request. `head` is put in front of Gradio's own script.

    Nothing is kept by browsers where not `kept`, as where a password stands before the page.
    """

    def __init__(self, app: ASGIApp, root_path: str, head: str, *, kept: bool = True) -> None:
        self._app = app
        self._kept = kept
        self._root_path = routes.path_of(root_path)
        self._head = head.encode()
        self._made: dict[str, _CompressedPage] = {}
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        path = (scope["path"].removeprefix(self._root_path) or "/") if reads else ""
        made = await self._page(scope) if path in PATHS else None
        if made is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = _origin(scope, headers)
        if origin is None:
            await server_responses.sentence(headers, 400, BAD_REQUEST)(scope, receive, send)
            return
        fields = [(b"etag", made.tag(origin)), (b"vary", b"Accept-Encoding")]
        if self._kept:
            named = made.is_named(scope.get("query_string", b""))
            fields.append((b"cache-control", _KEEPS if named else _ASKS))
        if _has(headers, made.tag(origin)):
            await send({"type": "http.response.start", "status": 304, "headers": fields})
            await send({"type": "http.response.body", "body": b""})
            return
        packs = "gzip" in headers.get("accept-encoding", "")
        parts = _gzip(made, origin) if packs else _between(made.plain, origin)
        fields += [(b"content-type", made.kind), (b"content-length", str(sum(map(len, parts))).encode())]
        if packs:
            fields.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        for part in parts if scope["method"] == "GET" else ():
            for at in range(0, len(part), _PIECE):  # so that a slow reader has no megabyte of his own waiting here
                await send({"type": "http.response.body", "body": part[at : at + _PIECE], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _page(self, scope: Scope) -> _CompressedPage | None:
        path = scope["path"]
        async with self._making:
            if path not in self._made:
                answer = await self._answer(scope)
                if answer is None:
                    return None
                kind, body = answer
                if path == "/":
                    body = document.ours(body, self._head)
                self._made[path] = await asyncio.to_thread(_made, kind, body)
        return self._made[path]

    async def _answer(self, scope: Scope) -> tuple[bytes, bytes] | None:
        """Content type and body of what the app says to a request with nothing but a Host; None for a failure."""
        status, kind, body = 0, b"", bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def take(message: Message) -> None:
            nonlocal status, kind
            if message["type"] == "http.response.start":
                status, kind = message["status"], dict(message["headers"]).get(b"content-type", b"")
            else:
                body.extend(message.get("body", b""))

        bare = {"method": "GET", "query_string": b"", "scheme": "http", "headers": [(b"host", _HOST.encode())]}
        await self._app({**scope, **bare}, receive, take)
        return (kind, bytes(body)) if status == 200 else None


def _origin(scope: Scope, headers: Headers) -> bytes | None:
    """Where the browser sees the page, as Gradio finds it out; None where it cannot be written into a page."""
    host = headers.get("x-forwarded-host", "").split(",")[0].strip() or headers.get("host", "")
    forwarded = headers.get("x-forwarded-proto", "").split(",")[0].strip()
    scheme = "https" if forwarded == "https" else scope["scheme"]
    usual = ":443" if scheme == "https" else ":80"
    origin = f"{scheme}://{host.lower().removesuffix(usual)}"
    return origin.encode() if _ORIGIN.fullmatch(origin) else None


def _has(headers: Headers, tag: bytes) -> bool:
    """Whether the browser has what this tag stands for (RFC 9110: strong or weak is the same here)."""
    named = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
    return tag.decode().removeprefix("W/") in named or "*" in named


def _made(kind: bytes, body: bytes) -> _CompressedPage:
    plain = body.split(f"http://{_HOST}".encode())
    digest = hashlib.sha256(body).hexdigest()
    return _CompressedPage(kind, plain, [_packed(part, 9) for part in plain], digest)


def _packed(part: bytes, level: int) -> bytes:
    """A part of a raw deflate stream that refers to nothing outside of itself, and ends at a whole byte."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)


def _gzip(made: _CompressedPage, origin: bytes) -> list[bytes]:
    """RFC 1952: deflate's blocks one after the other, then the checksum and the length of what they hold."""
    checksum = length = 0
    for part in _between(made.plain, origin):
        checksum, length = zlib.crc32(part, checksum), length + len(part)
    end = struct.pack("<II", checksum, length & 0xFFFFFFFF)
    return [_GZIP_HEADER, *_between(made.packed, _packed(origin, 0)), _GZIP_END + end]


def _between(parts: list[bytes], origin: bytes) -> list[bytes]:
    """The parts with the origin between any two of them."""
    return [piece for part in parts for piece in (origin, part)][1:]
