"""What a disk refuses to keep, as one sentence that names no path; the code that raises it logs the path.

Knows what no file is for.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from playground.types import PlaygroundError, Text

_FULL = Text("The server's disk is full; nothing of this was kept.", "服务器磁盘已满，这次的内容没有保存。")
_FULL_HINT = Text("Try again once there is room; your text stays here.", "请等有空间后再试，你的文字都在。")
_BROKEN = Text("What the server keeps cannot be read or written.", "服务器无法读取或写入保存的内容。")
_BROKEN_HINT = Text("Whoever runs it sees why in the terminal.", "运行它的人可以在终端中看到原因。")
FULL_HERE = Text(
    "No space is left on the disk. What was written stays; make room and run the same command again.",
    "磁盘空间不足。已写入的内容仍在；请腾出空间后重新运行同一命令。",
)


class DiskError(PlaygroundError):
    """Something could not be kept or read; `full` where the disk has no room."""

    def __init__(self, cause: BaseException) -> None:
        self.full = is_full(cause)
        super().__init__(*((_FULL, _FULL_HINT) if self.full else (_BROKEN, _BROKEN_HINT)))

    @property
    def text(self) -> Text:
        """The whole sentence."""
        return Text(self.say("en"), self.say("zh"))


def is_full(error: BaseException | None) -> bool:
    """Whether the error says that the disk, or this user's share of it, is full."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def can_write(place: Path) -> bool:
    """Whether a file can be written, found by opening it; one that was not there is not there afterwards.

    Raises OSError where only the disk is full.
    """
    try:
        if place.is_file():
            place.open("r+b").close()
        elif place.exists():  # such as /dev/stdout, which opening might hold up
            return not place.is_dir() and os.access(place, os.W_OK)
        else:
            place.open("xb").close()
            place.unlink()
    except (OSError, ValueError) as error:  # a ValueError where no file can have the name
        if is_full(error):
            raise
        return False
    return True
