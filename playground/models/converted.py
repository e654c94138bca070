"""Converted copies of GGUF files in the cache folder: whole or absent, built once however many starts there are.

Knows no torch: convert.py does the converting, and is imported only when there is something to convert.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from playground.amounts import bytes_text
from playground.machine.cache_folder import CACHE_VARIABLE, cache_root
from playground.types import ModelError, ProgressReport, Text

FORMAT = 1
"""Raise it when convert.py writes something else: older copies are then left aside, never mistaken for new ones."""

_MANIFEST = "manifest.json"
_HASHED = 1 << 29  # bytes of files that are read at every start; of larger ones, size and date are compared
_WAIT_S = 0.2


def folder(name: str, source: str) -> Path:
    """Where the copy of the file with this SHA-256, or another mark of what it holds, is or will be."""
    return cache_root() / "models" / f"{name}-{FORMAT}-{source[:12]}"


def is_there(copy: Path) -> bool:
    """Whether a copy was finished; `is_whole` says whether it is still as it was."""
    return (copy / _MANIFEST).is_file()


def is_whole(copy: Path, source: str) -> bool:
    """True if every file of a converted copy reads as it was written.

    Sizes alone would miss a flipped bit; hashing 270 MB at each start takes a third of a second.
    """
    try:
        manifest = json.loads((copy / _MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = manifest["files"]
        if manifest["source"] != source or manifest["format"] != FORMAT or not files:
            return False
        if any((copy / name).stat().st_size != entry["size"] for name, entry in files.items()):
            return False
        return all(_as_written(copy / name, entry) for name, entry in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def ensure(
    target: Path, source: str, make: Callable[[Path, ProgressReport], None], report: ProgressReport, size: int
) -> Path:
    """The folder of a whole copy, made by `make` in an empty folder first if there is none.

    The copy is built beside its place and moved there in one step, under a lock, so that what stands there is either
    complete or absent, whenever a start is interrupted and however many starts there are at once. Raises ModelError
    where the cache folder cannot be used or has less room than the copy's `size` in bytes.
    """
    if is_whole(target, source):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target, report):
            if not is_whole(target, source):
                _rebuild(target, source, make, report)
    except OSError as error:
        raise no_room(target.parent, size, error.strerror or str(error)) from error
    return target


def no_room(place: Path, needed: int, reason: str) -> ModelError:
    """The cache folder cannot be used, in one sentence."""
    return ModelError(
        Text(f"The cache folder {place} cannot be used: {reason}.", f"无法使用缓存文件夹 {place}：{reason}。"),
        Text(
            f"Free {bytes_text(needed)} there, or set {CACHE_VARIABLE} to another folder.",
            f"请在那里腾出 {bytes_text(needed)} 空间，或用 {CACHE_VARIABLE} 指定其他文件夹。",
        ),
    )


@contextmanager
def locked(target: Path, report: ProgressReport) -> Iterator[None]:
    """Hold the lock of a file or folder in the cache; says so when another start is at work.

    `report` is called while waiting, so that what it raises ends the wait.
    """
    lock = FileLock(target.parent / f"{target.name}.lock")
    wait = 0.0
    while True:
        try:
            lock.acquire(timeout=wait)
            break
        except Timeout:
            wait = _WAIT_S
            report(Text("Another start is preparing the model; waiting for it", "另一个进程正在准备模型，请稍候"), None)
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path) -> str:
    """Of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rebuild(target: Path, source: str, make: Callable[[Path, ProgressReport], None], report: ProgressReport) -> None:
    if target.exists():
        report(Text("The converted model is damaged; building it again", "转换后的模型已损坏，正在重新生成"), None)
        shutil.rmtree(target)
    for leftover in target.parent.glob(f"{target.name}.part-*"):  # of starts that were interrupted: the lock is ours
        shutil.rmtree(leftover)
    part = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        make(part, report)
        _write_manifest(part, source)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write_manifest(copy: Path, source: str) -> None:
    files = {path.name: _described(path) for path in sorted(copy.iterdir())}
    manifest = {"source": source, "format": FORMAT, "files": files}
    (copy / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _described(path: Path) -> dict[str, Any]:
    status = path.stat()
    if status.st_size > _HASHED:
        return {"size": status.st_size, "modified_ns": status.st_mtime_ns}
    return {"size": status.st_size, "sha256": sha256(path)}


def _as_written(path: Path, entry: dict[str, Any]) -> bool:
    if "sha256" in entry:
        return sha256(path) == entry["sha256"]
    return bool(path.stat().st_mtime_ns == entry["modified_ns"])
