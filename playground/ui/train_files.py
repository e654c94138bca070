"""Files of training data on their way from a browser to a training: kept until it begins, and read once.

Knows no mapping and no model. A file lies in the server's own folder under a key; its own name is only shown.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from playground.machine.disk import DiskError
from playground.tables.rows import Reading
from playground.training import formats
from playground.training.formats import Records
from playground.training.plan import stored_name
from playground.types import InvalidRequest, Text

MOST = 8  # files that are kept: those of the newest forms
_LONGEST = 200  # characters of an answer: the name of a sheet has 31
_NAME = 120  # characters of a file's own name that are kept
_READINGS = tuple(one.name for one in fields(Reading))
_GONE = Text("The server does not have this file any more.", "服务器上已没有此文件。")
_AGAIN = Text("Choose the file again.", "请重新选择文件。")


@dataclass(slots=True)
class StagedFile:
    """A file on this machine under its own `name`; `reading` is how it is read, `records` what it holds."""

    key: str
    name: str
    path: Path
    size: int
    reading: Mapping[str, str]
    records: Records


class StagedFiles:
    """The newest files, below `parent` (a temporary folder of the system's where it is None). For any thread."""

    def __init__(self, parent: Path | None) -> None:
        self._parent = parent
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: OrderedDict[str, StagedFile] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, content: bytes, name: str, sent: Mapping[str, Any]) -> StagedFile:
        """Reads the file that was sent, as `sent` says it is to be read, and keeps it.

        Raises NeedsChoice where that has to be said, InvalidRequest where it cannot be read, and DiskError.
        """
        own = "".join(sign if sign.isprintable() else " " for sign in name)[-_NAME:].strip() or "file"
        key = secrets.token_urlsafe(12)
        reading = {one: said for one in _READINGS if isinstance(said := sent.get(one), str) and len(said) <= _LONGEST}
        place = self._place() / key
        path = place / stored_name("data", own)
        try:
            place.mkdir()
            path.write_bytes(content)
        except OSError as error:
            raise DiskError(error) from error
        try:
            records = formats.read(path, Reading(**reading))
        except InvalidRequest:
            _remove(path)
            raise
        made = StagedFile(key, own, path, len(content), reading, records)
        with self._lock:
            self._files[key] = made
            while len(self._files) > MOST:
                _, old = self._files.popitem(last=False)
                _remove(old.path)
        return made

    def find(self, key: object, parameter: str = "data") -> StagedFile:
        """The file that was kept under this key. Raises InvalidRequest where there is none."""
        with self._lock:
            found = self._files.get(key) if isinstance(key, str) else None
            if found is not None:
                self._files.move_to_end(found.key)
        if found is None:
            raise InvalidRequest(_GONE, _AGAIN, parameter=parameter)
        return found

    def close(self) -> None:
        """Nothing is kept from now on."""
        with self._lock:
            self._files.clear()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _place(self) -> Path:
        with self._lock:
            if self._folder is None:
                try:
                    self._folder = tempfile.TemporaryDirectory(prefix="train-", dir=self._parent)
                except OSError as error:
                    raise DiskError(error) from error
            return Path(self._folder.name)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
