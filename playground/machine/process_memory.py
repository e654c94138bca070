"""How much memory this process has for itself: what it wrote, and the weight files that it maps, in memory or not.

The resident size would count mapped files by the pages that happen to lie in memory, which changes by itself. Where the
system does not tell them apart it is the resident size all the same.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from playground.machine import mapped_weights


def own_bytes() -> int:
    """Bytes."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024 + mapped_weights.mapped_bytes()
    return int(psutil.Process().memory_info().rss)
