"""GGUF files converted tensor by tensor: bit for bit what transformers makes of them, tied as the file means it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from playground import models
from playground.fast import formats
from playground.fast.fuse import pack
from playground.kernels import build
from playground.models import convert, converted, gguf_copies, weight_grids
from playground.models.gguf_tensors import GgufTensors
from playground.models.loading import quiet
from playground.types import ProgressReport
from tests.tiny import LAYERS, Kind, write_gguf

pytestmark = pytest.mark.model
MIXED = {
    "attn_q": Kind.Q4_K, "attn_k": Kind.Q4_K, "attn_v": Kind.Q6_K, "attn_output": Kind.Q5_0, "ffn_gate": Kind.Q4_K,
    "ffn_up": Kind.Q4_K, "ffn_down": Kind.Q6_K, "token_embd": Kind.Q5_0, "output": Kind.Q8_0,
}  # fmt: skip
STEPS = [Kind.Q4_0, Kind.Q4_K, Kind.Q5_0, Kind.Q5_1, Kind.Q5_K, Kind.Q6_K, Kind.Q8_0]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 in the types of a Q4_K_M file, with its embedding a second time as the matrix of its output."""
    place = tmp_path_factory.mktemp("gguf") / "mixed.gguf"
    write_gguf(place, "qwen2", MIXED, width=256, output="same")
    return place


def by_transformers(file: Path) -> dict[str, torch.Tensor]:
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    return {name: tensor.to(torch.bfloat16) for name, tensor in model.state_dict().items()}


def ours(file: Path, target: Path) -> dict[str, torch.Tensor]:
    assert convert.reads(file)
    convert.convert(file, target, quiet)
    return load_file(target / convert.WEIGHTS)


def settings(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return found


def test_every_tensor_is_bit_for_bit_what_transformers_makes_of_it(mixed: Path, tmp_path: Path) -> None:
    found, wanted = ours(mixed, tmp_path), by_transformers(mixed)
    assert wanted.keys() - found.keys() == {"lm_head.weight"}
    assert torch.equal(found["model.embed_tokens.weight"], wanted["lm_head.weight"]), "the finer of the two roundings"
    assert not torch.equal(wanted["model.embed_tokens.weight"], wanted["lm_head.weight"])
    for name in found.keys() - {"model.embed_tokens.weight"}:
        assert torch.equal(found[name], wanted[name]), name


def test_two_roundings_of_one_matrix_are_one_and_two_matrices_stay_two(tmp_path: Path, mixed: Path) -> None:
    apart, alone = tmp_path / "apart.gguf", tmp_path / "alone.gguf"
    write_gguf(apart, "qwen2", MIXED, width=256, output="other")
    write_gguf(alone, "qwen2")
    tied = {}
    for file in (mixed, apart, alone):
        folder = tmp_path / f"{file.stem}-copy"
        folder.mkdir()
        found = ours(file, folder)
        tied[file.stem] = settings(folder)["tie_word_embeddings"], "lm_head.weight" in found
    assert tied == {"mixed": (True, False), "apart": (False, True), "alone": (True, False)}


def test_a_file_in_fp32_is_tied_as_well_and_its_copy_loads_as_one_matrix(mixed: Path, own_cache: Path) -> None:
    for weights in ("fp32", "bf16"):
        loaded = models.load(str(mixed), weights=weights)
        assert loaded.model.lm_head.weight is loaded.model.model.embed_tokens.weight, weights
        assert loaded.card.parameters == sum(one.numel() for one in loaded.model.parameters())


def test_a_file_in_fp32_has_its_own_values_and_is_read_without_transformers_reader(
    mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = AutoModelForCausalLM.from_pretrained(
        mixed.parent, gguf_file=mixed.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    ).state_dict()
    words = AutoTokenizer.from_pretrained(mixed.parent, gguf_file=mixed.name)
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", None)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", None)
    loaded = models.load(str(mixed), weights="fp32")
    found = loaded.model.state_dict()
    assert found.keys() == wanted.keys() and loaded.card.dtype == "fp32"
    wanted["model.embed_tokens.weight"] = wanted["lm_head.weight"]  # the finer of two roundings of one matrix
    for name, tensor in found.items():
        assert torch.equal(tensor, wanted[name]), name
    assert loaded.tokenizer.get_vocab() == words.get_vocab()


def test_the_shares_that_are_told_only_grow(tiny_gguf: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    convert.convert(tiny_gguf, tmp_path, lambda stage, share: shares.append(share or 0.0))
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0 and len(shares) > 20


def test_a_family_with_tensors_of_its_own_is_left_to_transformers(tiny_gguf: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / "other.gguf"
    spoiled.write_bytes(tiny_gguf.read_bytes().replace(b"llama", b"bloom"))
    assert convert.reads(tiny_gguf) and not convert.reads(spoiled)


# Copies of files that somebody named


def test_a_named_file_is_converted_once_and_again_when_it_has_changed(
    mixed: Path, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(mixed.read_bytes())
    made: list[Path] = []
    once = convert.convert

    def counted(source: Path, target: Path, report: ProgressReport) -> None:
        made.append(source)
        once(source, target, report)

    monkeypatch.setattr(convert, "convert", counted)
    first, second = (models.load(str(file), weights="bf16") for _ in "ab")
    assert made == [file] and first.card.folder == second.card.folder
    before = Path(str(first.card.folder))
    assert before.is_relative_to(own_cache)
    assert (first.card.id, first.card.title, first.card.revision) == (str(file), "mine", "local file")
    os.utime(file, ns=(1, 1))
    third = models.load(str(file), weights="bf16")
    assert len(made) == 2 and not before.exists() and Path(str(third.card.folder)).exists()


@pytest.mark.parametrize("lacks", ["room", "folder"])
def test_without_room_for_a_copy_the_file_itself_is_loaded(
    mixed: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    if lacks == "room":
        monkeypatch.setattr(gguf_copies, "_free", lambda: 1000)
    else:
        own_cache.write_text("in the way", encoding="utf-8")
    loaded = models.load(str(mixed), weights="bf16")
    assert loaded.card.folder == str(mixed.parent) and not (own_cache / "models").exists()


# Grids


@pytest.mark.parametrize("kind", STEPS, ids=lambda kind: kind.name)
def test_the_codes_of_a_grid_give_the_values_of_the_file(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / "one.gguf"
    write_gguf(file, "qwen2", {"ffn_up": kind}, width=256)
    with file.open("rb") as opened:
        tensors = GgufTensors(opened, file)
        grid, exact = tensors.grid("blk.0.ffn_up.weight"), tensors.whole("blk.0.ffn_up.weight")
    assert grid is not None
    weight = exact.bfloat16()
    scale, low = grid.scale.float()[..., None], None if grid.low is None else grid.low.float()[..., None]
    codes = formats._codes(weight, scale, low).round()
    assert codes.min() >= (0 if grid.bits == 4 else -128) and codes.max() <= (15 if grid.bits == 4 else 127)
    back = (codes * scale + (0 if low is None else low)).view(exact.shape)
    torch.testing.assert_close(back, exact, rtol=2**-10, atol=2**-10 * float(exact.abs().max()))


@pytest.mark.skipif(not build.available(), reason="no compiler, or neither AVX2 nor AVX-512, on this machine")
@torch.inference_mode()
def test_a_model_is_packed_in_the_codes_of_its_file(mixed: Path, own_cache: Path) -> None:
    loaded = models.load(str(mixed), weights="bf16")
    layer = loaded.model.model.layers[LAYERS - 1]
    assert weight_grids.of(layer.mlp.gate_proj.weight) is not None
    x, attention = torch.randn(3, 256).bfloat16(), layer.self_attn
    wanted = [nn.functional.linear(x.float(), attention.o_proj.weight.float())]
    wanted += [attention.v_proj.bias.float() + nn.functional.linear(x.float(), attention.v_proj.weight.float())]
    pack(loaded.model, formats.auto)
    kinds = [type(one).__name__ for one in layer.modules()]
    assert "Int8GroupsLinear" in kinds and "Int4Linear" in kinds and "Int8Linear" not in kinds
    q, k, v = attention.q_proj(x), attention.k_proj(x), attention.v_proj(x)
    assert q.shape[-1] == 256 and k.shape[-1] == 128
    for found, exact in zip((attention.o_proj(x), v), wanted, strict=True):
        assert float((found.float() - exact).norm() / exact.norm()) < 0.005


def test_matrices_with_other_steps_are_one_in_eight_bits_and_a_matrix_without_leaves_none() -> None:
    four = weight_grids.Grid(4, 32, torch.ones(2, 4).half(), -torch.ones(2, 4).half())
    six = weight_grids.Grid(8, 16, torch.ones(1, 8).half() / 2, None)
    both = weight_grids.joined([four, six])
    assert both is not None and both.low is not None and (both.bits, both.group) == (8, 16)
    assert both.scale.tolist() == [[1.0] * 8] * 2 + [[0.5] * 8] and both.low.tolist() == [[-1.0] * 8] * 2 + [[0.0] * 8]
    assert weight_grids.joined([four, None]) is None and weight_grids.joined([four]) is four


def test_grids_that_fit_no_weight_are_left_aside(tmp_path: Path) -> None:
    first, second = nn.Linear(64, 32, bias=False), nn.Linear(32, 32, bias=False)
    wrong = weight_grids.Grid(4, 32, torch.ones(32, 3).half(), None)
    right = weight_grids.Grid(8, 16, torch.ones(32, 2).half(), None)
    weight_grids.write(tmp_path, {"0.weight": wrong, "1.weight": right})
    weight_grids.attach(nn.Sequential(first, second), tmp_path)
    assert weight_grids.of(first.weight) is None and weight_grids.of(second.weight) is not None
    (tmp_path / weight_grids.FILE).write_bytes(b"no file of tensors")
    weight_grids.attach(nn.Linear(2, 2), tmp_path)


def test_the_embedded_model_s_grid_is_seen_in_its_values_so_that_none_is_kept(tiny_gguf: Path, tmp_path: Path) -> None:
    convert.convert(tiny_gguf, tmp_path, quiet)
    assert not (tmp_path / weight_grids.FILE).exists()
    with safe_open(tmp_path / convert.WEIGHTS, framework="pt") as stored:
        assert formats.on_a_grid(stored.get_tensor("model.layers.0.mlp.up_proj.weight"))
    assert converted.FORMAT == 1
