"""Promises of the embedded model's cache: what stands there is whole, whatever was interrupted or damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from playground.machine.cache_folder import CACHE_VARIABLE
from playground.models import convert, embedded
from playground.models.loading import quiet
from playground.types import ModelError, ProgressReport


class Counter:
    """Stands for convert.convert where a whole conversion would teach nothing; writes two small files."""

    def __init__(self) -> None:
        self.calls = 0
        self.interrupt = False
        self.seconds = 0.0

    def __call__(self, source: Path, target: Path, report: ProgressReport) -> None:
        self.calls += 1
        (target / "config.json").write_text("{}", encoding="utf-8")
        if self.interrupt:
            raise KeyboardInterrupt
        time.sleep(self.seconds)
        (target / "model.safetensors").write_bytes(bytes(range(256)) * 40)


@pytest.fixture
def converter(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter()
    monkeypatch.setattr(convert, "convert", counter)
    return counter


@pytest.mark.model
def test_the_package_is_located_and_never_imported() -> None:
    code = "import sys; from playground.models import embedded; "
    code += f"sys.exit(embedded.gguf_file() is None or {embedded.PACKAGE!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("model", ["tiny", pytest.param("embedded", marks=pytest.mark.long)])
def test_a_conversion_from_scratch_gives_the_same_files_and_reports_its_progress(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, model: str, tiny_gguf: Path
) -> None:
    if model == "tiny":
        monkeypatch.setattr(embedded, "gguf_file", lambda: tiny_gguf)
        monkeypatch.setattr(embedded, "GGUF_SHA256", hashlib.sha256(tiny_gguf.read_bytes()).hexdigest())
    shares: list[float] = []
    copy = embedded.ensure(lambda stage, share: shares.append(share or 0.0))
    assert embedded.is_whole(copy) and copy.is_relative_to(own_cache)
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    names = {path.name for path in copy.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "config.json", "manifest.json"} <= names
    assert "quantization_config" not in json.loads((copy / "config.json").read_text(encoding="utf-8"))
    shutil.rmtree(own_cache)  # 270 MB that no later test needs


def test_a_second_start_converts_nothing(converter: Counter) -> None:
    assert embedded.ensure(quiet) == embedded.ensure(quiet) == embedded.folder()
    assert converter.calls == 1


def cut(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def flip_one_bit(copy: Path) -> None:
    path = copy / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose_a_file(copy: Path) -> None:
    (copy / "config.json").unlink()


def lose_the_manifest(copy: Path) -> None:
    (copy / "manifest.json").unlink()


def spoil_the_manifest(copy: Path) -> None:
    (copy / "manifest.json").write_text('{"files": [1]}', encoding="utf-8")


def empty_the_manifest(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps({**manifest, "files": {}}), encoding="utf-8")


@pytest.mark.parametrize(
    "damage", [cut, flip_one_bit, lose_a_file, lose_the_manifest, spoil_the_manifest, empty_the_manifest]
)
def test_a_damaged_copy_is_noticed_and_built_again(converter: Counter, damage: Callable[[Path], None]) -> None:
    copy = embedded.ensure(quiet)
    damage(copy)
    said: list[str] = []
    embedded.ensure(lambda stage, share: said.append(stage.en))
    assert converter.calls == 2 and embedded.is_whole(copy)
    assert any("damaged" in words for words in said)


def test_an_interrupted_conversion_leaves_nothing_and_is_redone(converter: Counter) -> None:
    converter.interrupt = True
    with pytest.raises(KeyboardInterrupt):
        embedded.ensure(quiet)
    assert not list(embedded.folder().parent.glob(f"{embedded.folder().name}*[!k]"))
    converter.interrupt = False
    assert embedded.is_whole(embedded.ensure(quiet))


def test_what_a_killed_start_left_behind_is_swept_away(converter: Counter) -> None:
    leftover = embedded.folder().parent / f"{embedded.folder().name}.part-killed"
    leftover.mkdir(parents=True)
    (leftover / "model.safetensors").write_bytes(b"half")
    embedded.ensure(quiet)
    assert not leftover.exists()


def test_two_starts_at_once_convert_once_and_one_says_that_it_waits(converter: Counter) -> None:
    converter.seconds = 0.5
    said: list[str] = []
    starts = [
        threading.Thread(target=embedded.ensure, args=(lambda stage, share: said.append(stage.en),)) for _ in "ab"
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert converter.calls == 1 and any("waiting" in words for words in said)


def test_a_damaged_package_is_not_converted(
    converter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(embedded, "gguf_file", lambda: tmp_path / "wrong.gguf")
    with pytest.raises(ModelError, match="Install it again"):
        embedded.ensure(quiet)
    assert converter.calls == 0


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(ModelError, match=CACHE_VARIABLE):
        embedded.ensure(quiet)
