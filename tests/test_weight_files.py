"""Files of weights: a model in parts is joined, and what is missing, cut off or another model's is said plainly."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from playground import models
from playground.models import embedded, gguf_header, sources, split_gguf
from playground.models.loading import quiet
from playground.types import ModelError
from tests.test_models import CHINESE, refusal


@pytest.fixture
def parts(tiny_gguf: Path, tmp_path: Path) -> list[Path]:
    """The same model in three files, as llama.cpp's gguf-split names and numbers them."""
    reader = gguf.GGUFReader(tiny_gguf)
    every = [tmp_path / f"tiny-{at:05}-of-00003.gguf" for at in (1, 2, 3)]
    shares = [reader.tensors[:1], reader.tensors[1:12], reader.tensors[12:]]
    for number, (place, share) in enumerate(zip(every, shares, strict=True)):
        writer = gguf.GGUFWriter(place, "llama")
        if number:  # the others say only which part they are
            writer.kv_data = [{}]
        for name, field in reader.fields.items() if number == 0 else ():
            if not name.startswith(("GGUF.", "general.architecture")):
                within = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
                writer.add_key_value(name, field.contents(), field.types[0], sub_type=within)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 3)
        writer.add_int32("split.tensors.count", len(reader.tensors))
        for one in share:
            writer.add_tensor(one.name, np.array(one.data), raw_dtype=one.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return every


def test_a_model_in_three_files_is_joined_once_and_is_the_same_model(
    tiny_gguf: Path, parts: list[Path], own_cache: Path
) -> None:
    shares: list[float | None] = []
    found = [sources.find(str(one), lambda stage, share: shares.append(share)) for one in (parts[1], parts[0].parent)]
    assert shares[0] == 0.0 and shares[-1] == 1.0 and shares.count(0.0) == 1  # once
    assert found[0].folder == found[1].folder and found[0].title == "tiny" and found[0].gguf == "tiny.gguf"
    joined, plain = (gguf.GGUFReader(path) for path in (found[0].folder / "tiny.gguf", tiny_gguf))
    assert {name: field.contents() for name, field in joined.fields.items() if not name.startswith("GGUF.")} == {
        name: field.contents() for name, field in plain.fields.items() if not name.startswith("GGUF.")
    }
    assert [one.name for one in joined.tensors] == [one.name for one in plain.tensors]
    assert all(np.array_equal(*pair) for pair in zip(
        (one.data for one in joined.tensors), (one.data for one in plain.tensors), strict=True
    ))  # fmt: skip
    loaded, whole = models.load(str(parts[2]), weights="fp32"), models.load(str(tiny_gguf), weights="fp32")
    theirs = whole.model.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in loaded.model.state_dict().items())
    assert loaded.card.title == "tiny" and loaded.card.id == str(parts[2])


def test_parts_that_are_not_there_are_named_with_what_to_do(parts: list[Path], own_cache: Path) -> None:
    parts[1].unlink()
    for name in (parts[0], parts[1], parts[0].parent):
        said = refusal(str(name)).say("en")
        assert "are 3 files, and 1 of them are not there: tiny-00002-of-00003.gguf" in said
        assert "Download the missing ones into the same folder" in said
    assert not own_cache.exists()


def test_a_part_under_another_name_says_which_part_it_is(parts: list[Path]) -> None:
    for number, part in enumerate(parts, start=1):
        other = part.with_name(f"mine{number}.gguf")
        part.rename(other)
        said = refusal(str(other)).say("en")
        assert f"is only part {number} of the 3 files of a model" in said and "-00003.gguf" in said
    assert "holds several GGUF files: mine1.gguf, mine2.gguf" in refusal(str(parts[0].parent)).say("en")


def test_parts_of_two_models_are_not_joined(parts: list[Path], own_cache: Path) -> None:
    shutil.copy(parts[0], parts[1])
    assert "'tiny-00002-of-00003.gguf' is not the part that its name says" in refusal(str(parts[0])).say("en")
    assert not list(own_cache.rglob("*.gguf"))


def test_a_disk_without_room_for_the_joined_file_is_said_before_it_is_full(
    parts: list[Path], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(10, 9, 1)
    monkeypatch.setattr(split_gguf.shutil, "disk_usage", lambda _: usage)
    said = refusal(str(parts[0])).say("en")
    assert "PLAYGROUND_CACHE" in said and "gguf-split --merge" in said and re.search(r"needs [\d.,]+ [kMG]?B in ", said)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def pointer(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def nonsense(path: Path) -> None:
    path.write_bytes(b"<html>404</html>" * 100)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(cut, "is cut off"), (pointer, "a pointer of Git LFS"), (empty, "is cut off"), (nonsense, "is damaged, or not")],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_said_in_our_own_words(
    folder: Path, tiny_gguf: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(folder / "model.safetensors")
    whole = shutil.copy(tiny_gguf, folder.parent / "other.gguf")
    spoil(Path(whole))
    for name in (folder, whole):
        error = refusal(str(name))
        assert said in error.say("en") and CHINESE.search(error.say("zh"))
        assert "deserializ" not in error.say("en") and "reshape" not in error.say("en")


def change(folder: Path, **fields: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")


def test_weights_of_other_sizes_than_the_configuration_s_are_said_with_both(folder: Path) -> None:
    change(folder, intermediate_size=100)
    said = refusal(str(folder)).say("en")
    assert "layers.0.mlp.down_proj.weight is 32 × 64 in the files, and the configuration asks for 32 × 100" in said
    assert "5 more differ" in said and "Take config.json and the weights from the same model" in said
    assert "ignore_mismatched" not in said


def test_more_layers_than_the_configuration_counts_are_said(folder: Path) -> None:
    change(folder, num_hidden_layers=1)
    said = refusal(str(folder)).say("en")
    assert "they hold model.layers.1." in said and "for which it has no layer" in said


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"hidden_act": "nonsense"}, "nonsense"),
        ({"num_hidden_layers": -1}, "configuration"),
        ({"rope_parameters": {"rope_type": "nope"}}, "nope"),
        ({"dtype": "float99"}, "float99"),
    ],
)
def test_what_no_model_can_be_built_of_is_said_of_the_configuration(
    folder: Path, fields: dict[str, Any], named: str
) -> None:
    change(folder, **fields)
    error = refusal(str(folder))
    assert "configuration" in error.say("en") and named in error.say("en") and CHINESE.search(error.say("zh"))
    assert str(error.message.en).endswith(".") and "damaged" not in error.say("en")


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"])
def test_a_file_beside_the_weights_that_cannot_be_read_is_named(folder: Path, file: str) -> None:
    for spoil, said in ((pointer, f"{file} of "), (nonsense, f"{file} of "), (empty, f"{file} of ")):
        spoil(folder / file)
        assert said in refusal(str(folder)).say("en"), spoil
    (folder / file).write_text("[" * 100_000, encoding="utf-8")
    assert f"{file} of " in refusal(str(folder)).say("en")


def test_files_that_are_not_there_are_named(folder: Path) -> None:
    for file in folder.glob("*token*"):
        file.unlink()
    assert "has no tokenizer" in refusal(str(folder)).say("en")
    (folder / "config.json").unlink()
    assert "has weights and no config.json" in refusal(str(folder)).say("en")


def test_shards_that_are_not_there_are_named(folder: Path, tiny: models.Loaded) -> None:
    (folder / "model.safetensors").unlink()
    tiny.model.save_pretrained(folder, max_shard_size="4MB")
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert models.load(str(folder)).card.parameters == tiny.card.parameters
    shards[-1].unlink()
    said = refusal(str(folder)).say("en")
    assert f"are {len(shards)} files, and 1 of them are not there: {shards[-1].name}" in said
    (folder / "model.safetensors.index.json").write_text("{", encoding="utf-8")
    assert "model.safetensors.index.json" in refusal(str(folder)).say("en")
    index = {"weight_map": {"a": "../model.safetensors", "b": "/etc/passwd"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert "model.safetensors.index.json" in refusal(str(folder)).say("en")


def test_the_head_of_a_file_tells_its_length_and_its_part(tiny_gguf: Path, parts: list[Path], tmp_path: Path) -> None:
    for path, part in ((tiny_gguf, None), *((one, (at, 3)) for at, one in enumerate(parts, start=1))):
        head = gguf_header.read(path)
        assert head is not None and head.part == part
        assert head.size <= path.stat().st_size < head.size + 32  # a file may end with its padding
    source = embedded.gguf_file()
    assert source is not None
    packed = gguf_header.read(source)
    assert packed is not None and packed.size == source.stat().st_size and packed.part is None
    data = tiny_gguf.read_bytes()
    for spoiled in (b"GGUF", data[:100], data[:8] + b"\xff" * 16 + data[24:], b"GGUF\3\0\0\0" + b"\xff" * 200):
        (tmp_path / "x").write_bytes(spoiled)
        with pytest.raises(ValueError, match="damaged"):
            gguf_header.read(tmp_path / "x")
    (tmp_path / "x").write_bytes(b"GGUF\x01\0\0\0" + data[8:])
    assert gguf_header.read(tmp_path / "x") is None


def test_the_files_of_one_model_are_told_from_those_of_several(tmp_path: Path) -> None:
    one = [tmp_path / f"a-{at:05}-of-00002.gguf" for at in (1, 2)]
    assert split_gguf.is_one_model(one) and split_gguf.is_one_model(one[1:])
    assert not split_gguf.is_one_model([*one, tmp_path / "b.gguf"]) and not split_gguf.is_one_model([])
    assert split_gguf.stem(one[0]) == "a" and split_gguf.stem(tmp_path / "b.gguf") == "b"
    (tmp_path / "whole-00001-of-00001.gguf").touch()
    assert split_gguf.whole(tmp_path / "whole-00001-of-00001.gguf", quiet).name == "whole-00001-of-00001.gguf"
    with pytest.raises(ModelError, match="There is no file"):
        sources.find(str(tmp_path / "none-00001-of-00002.gguf"), quiet)
