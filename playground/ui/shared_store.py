"""The store of this server, which the tabs share. Knows no tab and nothing of what is kept."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path

from playground.machine.data_folder import data_folder
from playground.machine.run_folder import RunFolder
from playground.settings import Settings
from playground.storage.database import FILE, Store

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def key_of(sent: Mapping[str, object]) -> str:
    """The key that a script sent; what no key can be is none, since SQLite takes not every text."""
    key = sent.get("key")
    return key if isinstance(key, str) and _KEY.fullmatch(key) else ""


class SharedStore:
    """Opened on the first use: a page on which nobody keeps anything writes no file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opening = threading.Lock()
        self._opened: Store | None = None

    @property
    def fleeting(self) -> bool:
        """Whether all of it ends with the server: a public page keeps nothing unless a folder is set."""
        return self._settings.public and not self._settings.data_folder

    @property
    def holds_something(self) -> bool:
        """Whether there is a file of it, open now or of an earlier start. Makes none."""
        if self._opened is not None:
            return True
        return not self.fleeting and (self.folder / FILE).is_file()

    @property
    def store(self) -> Store:
        with self._opening:
            if self._opened is None:
                self._opened = Store(self.folder, self._settings.limits)
            return self._opened

    def close(self) -> None:
        """Nothing is kept from now on."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()

    @property
    def folder(self) -> Path:
        """Where what is kept lies."""
        if not self.fleeting:
            return data_folder(self._settings.data_folder)
        return (self._settings.run_folder or RunFolder().path) / "kept"
