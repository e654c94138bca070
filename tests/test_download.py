"""Promises of a download: it is watched, goes on behind a break, and leaves no half file where it is given up."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import constants, file_download

from playground.models import download, hub_cache
from playground.models.download_progress import DownloadProgress
from playground.serving.model_switch import Cancelled
from playground.types import ModelError
from tests import fake_hub

NAME = "someone/large"
SIZE = 3_000_000


@dataclass
class Hub:
    """A hub on this machine and its cache; `asked` are the paths of what is asked for."""

    cache: Path
    asked: list[tuple[str, str | None]]
    breaks: dict[str, int]
    served: Path

    @property
    def left(self) -> list[str]:
        """Files of the cache that hold anything of the weights."""
        return [file.name for file in self.cache.rglob("*") if file.is_file() and file.stat().st_size > 100_000]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    served = tmp_path / "served"
    served.mkdir()
    (served / "config.json").write_text('{"model_type": "gpt2"}')
    (served / "model.safetensors").write_bytes(bytes(range(250)) * (SIZE // 250))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)
    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    breaks: dict[str, int] = {}
    with fake_hub.serving(NAME, served, breaks) as (address, asked):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        paths = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{repo_id}")
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "".join((address, *paths[1:])))
        yield Hub(tmp_path / "hub", asked, breaks, served)


def test_bytes_and_the_end_are_told_and_the_file_is_whole(hub: Hub) -> None:
    told: list[DownloadProgress] = []
    folder = download.fetch(NAME, told.append)
    assert (folder / "model.safetensors").read_bytes() == (hub.served / "model.safetensors").read_bytes()
    assert hub_cache.cached(NAME) == folder
    assert [one.done for one in told] == sorted(one.done for one in told) and len(told) > 20
    assert told[0].done == 0 and told[-1].done == told[-1].total == SIZE + len('{"model_type": "gpt2"}')
    middle = told[len(told) // 2]
    assert middle.rate is not None and middle.left is not None and middle.rate > 0


def test_one_that_is_given_up_leaves_nothing(hub: Hub) -> None:
    def progress(now: DownloadProgress) -> None:
        if now.done > SIZE // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        download.fetch(NAME, progress)
    assert hub_cache.cached(NAME) is None and hub.left == []
    download.fetch(NAME, lambda _: None)
    assert hub_cache.cached(NAME) is not None


def test_behind_a_break_it_goes_on_where_it_was(hub: Hub) -> None:
    hub.breaks["model.safetensors"] = 1_200_000
    with pytest.raises(ModelError, match="answered 500"):
        download.fetch(NAME, lambda _: None)
    assert hub_cache.cached(NAME) is None and all(name.endswith(".incomplete") for name in hub.left) and hub.left
    hub.breaks.clear()
    told: list[DownloadProgress] = []
    folder = download.fetch(NAME, told.append)
    assert (folder / "model.safetensors").read_bytes() == (hub.served / "model.safetensors").read_bytes()
    assert next(one.done for one in told if one.done) >= 1_000_000, "what had come was not fetched again"
    assert all(not name.endswith(".incomplete") for name in hub.left)


def test_a_file_that_arrives_otherwise_than_described_is_not_kept(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download._Download, "_wanted_hash", lambda *_: "0" * 64)
    with pytest.raises(ModelError, match="did not arrive as the hub describes it"):
        download.fetch(NAME, lambda _: None)
    assert hub_cache.cached(NAME) is None and hub.left == []


def test_without_room_it_does_not_begin_and_in_the_middle_it_leaves_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def progress(now: DownloadProgress) -> None:
        if now.done > SIZE // 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="There is no room on the disk for 'someone/large'"):
        download.fetch(NAME, progress)
    assert hub_cache.cached(NAME) is None and hub.left == []
    hub.asked.clear()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(ModelError, match="no room on the disk"):
        download.fetch(NAME, lambda _: None)
    assert not any("resolve" in path for path, _ in hub.asked)
