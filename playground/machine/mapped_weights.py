"""How the pages of weight files that lie in memory go back to the system: whatever reads them again gets them again.

Weights are mapped from their file and not read, so the system could take their pages, but does so only once memory is
short. After the fast path has packed them nearly nobody reads them. Knows no model. Does nothing but on Linux.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_MAPS = Path("/proc/self/smaps")
_FILES: set[str] = set()  # as the system calls them; what is not mapped any more does no harm
_DONTNEED = 4  # madvise(2)
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+\s*(.*)")


def note(folder: Path) -> None:
    """The weights in this folder are mapped."""
    _FILES.update(str(file.resolve()) for file in folder.glob("*.safetensors"))


def release() -> None:
    """Gives back the pages of all weight files that nobody has written to; what was written lies in memory alone."""
    if sys.platform != "linux" or not _FILES:
        return
    library = ctypes.CDLL(None)
    with suppress(OSError):  # a system may show no maps
        with _MAPS.open(encoding="utf-8", errors="replace") as lines:
            clean = list(_clean(lines))
        for start, end in clean:
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)


def mapped_bytes() -> int:
    """Bytes of weight files that are mapped now, in memory or not; 0 where the system does not say."""
    found = 0
    with suppress(OSError), Path("/proc/self/maps").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            head = _HEAD.match(line)
            if head and head[4] in _FILES:
                found += int(head[2], 16) - int(head[1], 16)
    return found


def _clean(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where the weight files lie whose pages are all as in the file, and of which some are in memory."""
    place, resident = None, False
    for line in lines:
        if head := _HEAD.match(line):
            place = (int(head[1], 16), int(head[2], 16)) if head[4] in _FILES else None
            resident = False
        elif place is not None:
            name, _, value = line.partition(":")
            if name == "Rss":
                resident = value.split()[0] != "0"
            elif name == "Anonymous" and value.split()[0] == "0" and resident:
                yield place
