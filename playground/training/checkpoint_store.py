"""Checkpoints of a training: written beside their place and moved there whole, so that each that is found is good.

Knows nothing of what is in one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "checkpoint-"
_PART = "part-"
_OLD = ".old"


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the latest step; None where there is none."""
    found = [(step_of(path), path) for path in _all(folder)]
    return max(found)[1] if found else None


def step_of(checkpoint: Path) -> int:
    """The step after which it was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


@contextmanager
def new_checkpoint(folder: Path, step: int) -> Iterator[Path]:
    """A folder to write into; once that is done it takes its place, and older ones are removed.

    Where writing fails, what was written is removed and the older ones stay.
    """
    clear_parts(folder)
    part = folder / f"{_PART}{step}"
    try:
        part.mkdir(parents=True)
        yield part
        _flush(part)
        place = folder / f"{_PREFIX}{step}"
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
        _flush_folder(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    for other in _all(folder):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def replaced(place: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of the one that is there once that is done."""
    part, old = place.with_name(place.name + ".part"), place.with_name(place.name + _OLD)
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        _flush(part)
        put_back(place)
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        part.rename(place)
    except BaseException:
        put_back(place)
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def forget_progress(folder: Path) -> None:
    """Nobody resumes it any more: of the last checkpoint only the weights stay."""
    found = newest_checkpoint(folder)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        if found is not None:
            (found / name).unlink(missing_ok=True)


def put_back(place: Path) -> None:
    """Where a crash came between the two moves of `replaced`, the former folder is put in its place again."""
    old = place.with_name(place.name + _OLD)
    if old.exists() and not place.exists():
        old.rename(place)


def clear_parts(folder: Path) -> None:
    """Removes what a crash left half written."""
    for part in folder.glob(f"{_PART}*"):
        shutil.rmtree(part, ignore_errors=True)


def _all(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdecimal()]


def _flush(folder: Path) -> None:
    """Everything in it lies on the disk afterwards. Raises OSError."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    with suppress(OSError, AttributeError):  # some systems cannot open a folder
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
