"""The line in which trainings wait: one at a time below each folder, whoever started them. Knows no torch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from playground.training.training_folder import TrainingFolder, all_folders

_LOOK = 0.25  # seconds between looks at those before it


@contextmanager
def turn(folder: TrainingFolder) -> Iterator[bool]:
    """Waits until no other training runs and none that was asked for earlier waits; while it lasts no other begins.

    False where it was asked to pause or to stop meanwhile. The state tells how many are before it.
    """
    root = folder.path.parent
    lock = FileLock(root / "turn.lock")
    told = -1
    while folder.wish() is None:
        ahead = waiting_before(folder)
        if not ahead:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                pass  # one runs
        if told != ahead + 1:
            told = ahead + 1
            folder.write_state(replace(folder.written_state(), phase="waiting", ahead=told))
        time.sleep(_LOOK)
    try:
        yield lock.is_locked
    finally:
        lock.release(force=True)


def waiting_before(folder: TrainingFolder) -> int:
    """How many wait that were asked for earlier."""
    mine = (folder.written_state().queued, folder.id)
    others = (one for one in all_folders(folder.path.parent) if one.id != folder.id)
    states = ((one, one.written_state()) for one in others)
    earlier = (one for one, state in states if state.phase == "waiting" and (state.queued, one.id) < mine)
    return sum(one.is_alive() for one in earlier)


def runs_now(root: Path) -> bool:
    """Whether a training runs below this folder."""
    try:
        with FileLock(root / "turn.lock", timeout=0):
            return False
    except (Timeout, OSError):
        return (root / "turn.lock").exists()
