"""A folder of one running program: nobody else's, and gone with it, at the latest when the next one starts.

The system releases the lock in it when the process ends; so a folder without a lock was left over by a crash.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from playground.types import PlaygroundError, Text

PREFIX = "playground-"
LOCK = "running.lock"
_TRIES = 5


class RunFolder:
    """A folder that only its owner can read; it exists, as `path`, until `remove`.

    Raises PlaygroundError where no folder can be made.
    """

    def __init__(self, base: Path | None = None) -> None:
        """Below `base`, or the system's folder for temporary files; what others left there is removed first."""
        base = base or Path(tempfile.gettempdir())
        why = "?"
        for _ in range(_TRIES):
            try:
                base.mkdir(parents=True, exist_ok=True)
                remove_left_over(base)
                self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            except OSError as error:
                why = error.strerror or type(error).__name__
                break
            self._lock = FileLock(self.path / LOCK)
            # Another start may take it for a leftover between these two; then there is nothing to lose but the try.
            with suppress(OSError, Timeout):
                self._lock.acquire(timeout=0)
                if (self.path / LOCK).exists():
                    return
        raise PlaygroundError(
            Text(f"No folder can be made in {base}: {why}.", f"无法在 {base} 中建立文件夹：{why}。"),
            Text("Name another with TMPDIR.", "请用 TMPDIR 指定其他位置。"),
        )

    def remove(self) -> None:
        """All of it. May be called twice, and from any thread."""
        self._lock.release(force=True)
        shutil.rmtree(self.path, ignore_errors=True)


def remove_left_over(base: Path) -> None:
    """Removes the folders of programs that ended without doing so."""
    for folder in base.glob(f"{PREFIX}*"):
        lock = folder / LOCK
        with suppress(OSError, Timeout):
            if not _is_ours(folder) or not stat.S_ISREG(lock.lstat().st_mode):
                continue
            with FileLock(lock, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """A real folder of this user: anybody may put a link or a folder of that name beside it."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
