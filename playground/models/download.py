"""Downloading a model's files from the hub so that it can be watched, ended and resumed.

The hub's client begins a broken file anew, so large files are fetched here, each beside its place in the client's own
cache under a name that says it is not whole, and moved there once it is. The client does the rest.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock
from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_url, snapshot_download
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers
from tqdm.auto import tqdm

from playground.amounts import bytes_text
from playground.machine import disk
from playground.models import failures, hub_cache
from playground.models.download_progress import DownloadProgress, DownloadRate
from playground.types import ModelError, Text

_LARGE = 1_000_000  # bytes: smaller files are left to the hub's client
_SPARE = 100_000_000  # bytes of disk that a download leaves free
_PART = ".playground.incomplete"
log = logging.getLogger(__name__)

Progress = Callable[[DownloadProgress], None]


def fetch(name: str, progress: Progress, *, code: bool = False) -> Path:
    """Downloads a hub model into the hub's cache and returns its folder. HF_TOKEN is used if it is set.

    What `progress` raises ends it, and then nothing of a file that is not whole stays. Where the network breaks, what
    came stays, and the next call goes on behind it. Raises ModelError for all that the hub, network or disk refuse.
    """
    try:
        with failures.explained(name):
            return _Download(name, progress, code).run()
    except OSError as error:
        raise _no_room(name, 0) if disk.is_full(error) else failures.no_network(name) from None


def fetch_file(name: str, file: str, place: Path, size: int, tell: Callable[[int], None]) -> None:
    """One file of a repository, to a place of its own; behind what came of it before. `tell` hears how much is here.

    What came stays, also where `tell` raises. Raises ModelError for all that the hub, network or disk refuse.
    """
    done = place.stat().st_size if place.exists() else 0
    if done > size:
        place.unlink()
        done = 0

    def more(count: int) -> None:
        nonlocal done
        done = max(0, done + count)
        tell(done)

    more(0)
    if done == size:
        return
    try:
        with failures.explained(name):
            url = hf_hub_url(name, file, endpoint=constants.ENDPOINT)
            _append(url, place, size, more)
    except OSError as error:
        raise _no_room(name, size) if disk.is_full(error) else failures.no_network(name) from None


def _append(url: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
    """What is missing of a file, behind what is there."""
    before = part.stat().st_size if part.exists() else 0
    with part.open("ab") as opened:
        http_get(
            url,
            opened,
            resume_size=before,
            headers=build_hf_headers(),
            expected_size=size,
            tqdm_class=_bar(tell),
        )


class _Download:
    def __init__(self, name: str, progress: Progress, code: bool) -> None:
        found = HfApi(endpoint=constants.ENDPOINT).model_info(name, files_metadata=True, timeout=20)
        files = {file.rfilename: file for file in found.siblings or []}
        self._name, self._progress = name, progress
        self._wanted = hub_cache.choose(list(files), code)
        if not any(hub_cache.is_weights(file) for file in self._wanted):
            raise failures.no_weights(name)
        self._sizes = {file: files[file].size or 0 for file in self._wanted}
        hashes = {file: files[file].lfs for file in self._wanted}
        self._hashes = {file: lfs.sha256 for file, lfs in hashes.items() if lfs is not None}
        self._commit = found.sha or "main"
        self._folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
        self._done, self._total = 0, sum(self._sizes.values())
        self._rate = DownloadRate()

    def run(self) -> Path:
        blobs = self._folder / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        self._check_room(blobs)
        self._tell(0)
        for file in self._wanted:
            if self._sizes[file] >= _LARGE:
                self._file(file, blobs)
        patterns = [glob.escape(file) for file in self._wanted]
        small = snapshot_download(
            self._name, endpoint=constants.ENDPOINT, allow_patterns=patterns, tqdm_class=_bar(self._tell), max_workers=2
        )
        self._done = self._total
        self._tell(0)
        return Path(small)

    def _check_room(self, blobs: Path) -> None:
        here = sum(part.stat().st_size for part in blobs.iterdir() if part.is_file())
        needed = self._total - here + _SPARE
        if needed > shutil.disk_usage(blobs).free:
            raise _no_room(self._name, self._total)

    def _file(self, file: str, blobs: Path) -> None:
        url = hf_hub_url(self._name, file, revision=self._commit, endpoint=constants.ENDPOINT)
        etag = get_hf_file_metadata(url).etag
        if etag is None or "/" in etag:
            return  # the client knows what to do with it
        whole, part = blobs / etag, blobs / f"{etag}{_PART}"
        with FileLock(blobs / f"{etag}{_PART}.lock"):
            if whole.exists():
                self._count(self._sizes[file])
                return
            try:
                self._part(url, file, part)
                part.replace(whole)
            except ModelError:  # it was given up, or is not what the hub describes
                part.unlink(missing_ok=True)
                raise
            except OSError as error:
                if disk.is_full(error):
                    part.unlink(missing_ok=True)
                    raise _no_room(self._name, self._sizes[file]) from None
                raise

    def _part(self, url: str, file: str, part: Path) -> None:
        before = part.stat().st_size if part.exists() else 0
        if before > self._sizes[file]:
            part.unlink()
            before = 0
        self._done += before
        _append(url, part, self._sizes[file], self._tell)
        if (wanted := self._wanted_hash(file)) is not None and _sha256(part) != wanted:
            raise failures.broken(self._name, f"{file} did not arrive as the hub describes it")

    def _wanted_hash(self, file: str) -> str | None:
        return self._hashes.get(file)

    def _count(self, size: int) -> None:
        self._done += size
        self._tell(0)

    def _tell(self, more: int) -> None:
        """So many bytes more are here."""
        self._done = max(0, self._done + more)
        self._progress(self._rate.at(self._done, self._total))


def _bar(tell: Callable[[int], None]) -> type[tqdm]:
    """A progress bar that draws nothing and hands on the bytes that came."""

    class Bar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            self._bytes = options.get("unit") == "B"
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            if self._bytes:
                tell(int(n or 0))

    return Bar


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _no_room(name: str, size: int) -> ModelError:
    needs = Text(f" ({bytes_text(size)})", f"（{bytes_text(size)}）") if size else Text("", "")
    return ModelError(
        Text(f"There is no room on the disk for {name!r}{needs.en}.", f"磁盘空间不足，无法下载 {name!r}{needs.zh}。"),
        Text(
            "Free some, or set HF_HOME to a folder on another disk.",
            "请腾出空间，或用 HF_HOME 指定其他磁盘上的文件夹。",
        ),
    )
