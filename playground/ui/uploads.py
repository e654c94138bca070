"""Files on their way from a browser, piece by piece over its own events: only the session that sends one can open it.

Gradio's own uploads lie in one folder for everybody, by the hash of what they hold, and anyone with a path opens it.
Here no file has a path that could be named, and none stays. Knows no table.
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground import visitor
from playground.settings import Limits
from playground.types import Busy, InvalidRequest, Text

AT_ONCE = 16  # files that may be on their way
_IDLE = 30.0  # seconds without a piece after which a file makes room for another
_NAME = 80  # characters of a name that are kept
_LOST = Text("The file did not arrive whole.", "文件没有上传完整。")
_AGAIN = Text("Choose the file again.", "请重新选择文件。")
_FULL = Text("Too many files are being sent right now.", "目前上传的文件太多。")
_SHARE = Text("As many files are being sent from your address as may be.", "你的地址正在上传的文件已达上限。")
_LATER = Text("Try again in a minute.", "请一分钟后重试。")


@dataclass(slots=True)
class _PartialUpload:
    at: object
    size: int
    whose: visitor.Visitor
    held: bytearray = field(default_factory=bytearray)
    moment: float = 0.0


class Uploads:
    """All sessions' files, one a session, in a share for each address. Methods may be called from any thread."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._arriving: dict[str, _PartialUpload] = {}
        self._lock = threading.Lock()

    def add(self, session: str, sent: Mapping[str, Any]) -> bytes | None:
        """Takes a piece: `at` names the file, `size` is its bytes, `from` the piece's place, `data` base64.

        The whole file with its last piece, None before. InvalidRequest where a piece does not follow the one before it.
        """
        piece = _bytes(sent.get("data"))
        with self._lock:
            one = self._file(session, sent)
            if piece is None or sent.get("from") != len(one.held) or len(one.held) + len(piece) > one.size:
                self._arriving.pop(session, None)
                raise InvalidRequest(_LOST, _AGAIN, parameter="file")
            one.held += piece
            one.moment = self._clock()
            if len(one.held) < one.size:
                return None
            del self._arriving[session]
            return bytes(one.held)

    def drop(self, session: str) -> None:
        with self._lock:
            self._arriving.pop(session, None)

    def _file(self, session: str, sent: Mapping[str, Any]) -> _PartialUpload:
        """The file that a piece belongs to; its first piece begins it."""
        at, size, known = sent.get("at"), sent.get("size"), self._arriving.get(session)
        if known is not None and known.at == at and known.size == size:
            return known
        if type(size) is not int or not 0 <= size <= self._limits.batch_bytes or sent.get("from") != 0:
            raise InvalidRequest(_LOST, _AGAIN, parameter="file")
        self._arriving.pop(session, None)
        whose = visitor.current()
        self._make_room(whose)
        self._arriving[session] = begun = _PartialUpload(at, size, whose)
        return begun

    def _make_room(self, whose: visitor.Visitor) -> None:
        old = self._clock() - _IDLE
        for session in [one for one, file in self._arriving.items() if file.moment < old]:
            del self._arriving[session]
        if len(self._arriving) >= AT_ONCE:
            raise Busy(_FULL, _LATER)
        if not whose.fits((file.whose for file in self._arriving.values()), self._limits.share(AT_ONCE)):
            raise Busy(_SHARE, _LATER)


@contextmanager
def as_file(content: bytes, name: object, parent: Path | None) -> Iterator[Path]:
    """A file of this content and, as far as a file can have it, of this name, below `parent` as long as it is read."""
    plain = re.sub(r"[^\w. ()-]", "_", name if isinstance(name, str) else "")[-_NAME:].strip(". ")
    with tempfile.TemporaryDirectory(prefix="file-", dir=parent) as folder:
        file = Path(folder) / (plain or "file")
        file.write_bytes(content)
        yield file


def _bytes(data: object) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None
