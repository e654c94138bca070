"""How long loading a model took here last time, so that the page can say how long it will take. Knows no model."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

from playground.machine.cache_folder import cache_root

_MOST = 50  # models; those that were loaded longest ago are forgotten


def _file() -> Path:
    return cache_root() / "load_times.json"


def expected(name: str) -> float | None:
    """Seconds that this model took last time; None where it is not known."""
    found = _read().get(name)
    return found if isinstance(found, int | float) and math.isfinite(found) and found > 0 else None


def remember(name: str, seconds: float) -> None:
    """Best effort: a cache folder that cannot be written to is no reason to fail."""
    known = _read()
    known.pop(name, None)
    known[name] = round(seconds, 1)
    kept = dict(list(known.items())[-_MOST:])
    with suppress(OSError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        part = _file().with_suffix(".part")
        part.write_text(json.dumps(kept), encoding="utf-8")
        part.replace(_file())


def _read() -> dict[str, object]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
