"""How far a download has come. Knows no hub, so that it costs nothing to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """`done` of `total` bytes are here, some of them perhaps from an earlier try; `rate` in bytes per second and `left`
    in seconds, None while they are not known."""

    done: int
    total: int
    rate: float | None = None
    left: float | None = None
