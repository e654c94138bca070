"""An adapter in a model's weights: as peft merges it, by its share, where it belongs, and never out of a pickle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.numpy import save_file
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from playground import models
from playground.generators.estimate import estimate
from playground.models import adapter_base, adapters, weight_grids
from playground.models.model_choice import ModelChoice
from playground.types import InvalidRequest, ModelError
from tests.made_adapter import TARGETS, base_of, make_adapter, merged_by_peft

pytestmark = pytest.mark.model


def loaded(folder: Path, adapter: Path | None = None, share: float = 1.0, weights: str = "fp32") -> models.Loaded:
    return models.load(
        str(folder), weights=weights, adapter=None if adapter is None else str(adapter), adapter_share=share
    )


def weights_of(net: Any) -> dict[str, torch.Tensor]:
    return dict(net.state_dict())


def furthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rslora": {"use_rslora": True, "r": 8},
    "ranks": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"layers.1.self_attn.v_proj": 3}},
    "bias": {"bias": "all"},
    "whole": {"modules_to_save": ["lm_head"]},
    "embedding": {"target_modules": ["embed_tokens", "o_proj"]},
    "head": {"target_modules": ["lm_head"]},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_all_of_an_adapter_is_what_peft_merges_to_the_bit(name: str, folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned", **CONFIGS[name])
    ours, theirs = weights_of(loaded(folder, adapter).model), weights_of(merged_by_peft(folder, adapter))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert furthest(ours, weights_of(base_of(folder))) > 0.01, "it changes something"


def test_dora_is_what_peft_merges(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned", use_dora=True)
    ours, theirs = weights_of(loaded(folder, adapter).model), weights_of(merged_by_peft(folder, adapter))
    assert furthest(ours, theirs) < 1e-6
    assert furthest(ours, weights_of(base_of(folder))) > 0.01


@pytest.mark.parametrize("dora", [False, True])
def test_a_share_is_that_part_of_the_way(dora: bool, folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned", use_dora=dora)
    base, whole = weights_of(base_of(folder)), weights_of(merged_by_peft(folder, adapter))
    none = weights_of(loaded(folder, adapter, 0.0).model)
    assert all(torch.equal(none[name], base[name]) for name in base)
    for share in (0.5, 0.25):
        found = weights_of(loaded(folder, adapter, share).model)
        wanted = {name: base[name] + share * (whole[name] - base[name]) for name in base}
        assert furthest(found, wanted) < 1e-6
    if not dora:  # by the formula itself, for one matrix
        stored = load_file(adapter / adapters.WEIGHTS)
        place = "model.layers.0.self_attn.q_proj"
        down, up = (stored[f"base_model.model.{place}.lora_{one}.weight"] for one in "AB")
        half = weights_of(loaded(folder, adapter, 0.5).model)[f"{place}.weight"]
        assert torch.allclose(half, base[f"{place}.weight"] + 0.5 * (8 / 4) * up @ down, atol=1e-6)


def test_a_model_whose_matrices_lie_the_other_way_and_are_tied(tmp_path: Path, tiny: models.Loaded) -> None:
    torch.manual_seed(3)
    config = GPT2Config(vocab_size=len(tiny.tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    folder = tmp_path / "gpt2"
    GPT2LMHeadModel(config).save_pretrained(folder)
    tiny.tokenizer.save_pretrained(folder)
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("layers", {"target_modules": ["c_attn", "c_proj"], "fan_in_fan_out": True}),
        ("dora", {"target_modules": ["c_attn"], "fan_in_fan_out": True, "use_dora": True}),
    )
    for name, more in kinds:
        adapter = make_adapter(folder, tmp_path / name, **more)
        found = loaded(folder, adapter).model
        assert furthest(weights_of(found), weights_of(merged_by_peft(folder, adapter))) < 1e-6
        assert found.config.tie_word_embeddings
    ids = torch.arange(20)[None]
    adapter = make_adapter(folder, tmp_path / "head", target_modules=["wte"])
    with torch.no_grad():
        wanted = PeftModel.from_pretrained(base_of(folder), adapter).eval()(ids).logits
        untied = loaded(folder, adapter).model
        assert torch.allclose(untied(ids).logits, wanted, atol=1e-4), "the output stays the base's"
    assert untied.get_output_embeddings().weight is not untied.get_input_embeddings().weight
    untied.save_pretrained(tmp_path / "saved")
    again = base_of(tmp_path / "saved")
    with torch.no_grad():
        assert torch.equal(again(ids).logits, untied(ids).logits), "nothing is left out when it is saved"


def test_a_changed_weight_lies_on_no_grid_any_more(folder: Path, tmp_path: Path) -> None:
    """The fast path would else pack it by the codes of the base, and write as the base does."""
    base = loaded(folder, weights="bf16").model
    place = "model.layers.0.self_attn.q_proj.weight"
    weight = base.get_parameter(place)
    rows, columns = weight.shape
    grid = weight_grids.Grid(4, 32, torch.ones(rows, columns // 32, dtype=torch.float16), None)
    weight_grids.write(folder, {place: grid})
    adapter = make_adapter(folder, tmp_path / "tuned")
    assert weight_grids.of(loaded(folder, weights="bf16").model.get_parameter(place)) is not None
    assert weight_grids.of(loaded(folder, adapter, 0.0, "bf16").model.get_parameter(place)) is not None
    assert weight_grids.of(loaded(folder, adapter, 1.0, "bf16").model.get_parameter(place)) is None


def test_its_card_says_base_adapter_and_share(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "slogans")
    base, tuned = loaded(folder).card, loaded(folder, adapter, 0.5).card
    assert (tuned.title, tuned.id) == (f"{base.title} + slogans (0.5)", f"{base.id}+slogans@0.5")
    assert loaded(folder, adapter).card.title == f"{base.title} + slogans"
    assert tuned.adapter == str(adapter) and tuned.folder == base.folder
    assert tuned.revision.startswith(f"{base.revision} + ") and tuned.parameters == base.parameters
    before = tuned.revision
    make_adapter(folder, adapter, seed=2)
    assert loaded(folder, adapter, 0.5).card.revision != before


def test_what_a_training_has_learned_is_found_by_its_folder_and_goes_by_its_name(folder: Path, tmp_path: Path) -> None:
    training = tmp_path / "20261129-170000-abcdef"
    make_adapter(folder, training / adapters.BEST)
    (training / "plan.json").write_text(json.dumps({"name": "Slogans / teas"}), encoding="utf-8")
    card = loaded(folder, training).card
    assert card.title.endswith(" + Slogans / teas") and card.id.endswith("+20261129-170000-abcdef")
    assert adapters.inside(tmp_path) == [training / adapters.BEST]
    (training / "about.json").write_text(json.dumps({"name": "Renamed", "note": ""}), encoding="utf-8")
    renamed = loaded(folder, training / adapters.BEST).card
    assert renamed.title.endswith(" + Renamed") and renamed.id == card.id


def test_an_adapter_of_another_base_is_refused_in_a_sentence(
    folder: Path, tmp_path: Path, tiny: models.Loaded
) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    torch.manual_seed(5)
    other = tmp_path / "other"
    model = AutoModelForCausalLM.from_config(tiny.model.config)
    model.save_pretrained(other)
    tiny.tokenizer.save_pretrained(other)
    wrapped = get_peft_model(base_of(folder), LoraConfig(target_modules=list(TARGETS)))
    for base in (wrapped.get_base_model(), base_of(folder)):
        adapter_base.write(adapter, base, "/somewhere/tiny")
        assert loaded(folder, adapter).card.notice is None
    with pytest.raises(ModelError, match="trained on tiny, does not belong to other: its matrices have the same"):
        loaded(other, adapter)
    with torch.no_grad():
        near = base_of(folder)
        for weight in near.parameters():
            weight.mul_(1 + 0.05 * torch.randn(weight.shape))
    near.save_pretrained(other)
    notice = loaded(other, adapter).card.notice
    assert notice is not None and "was trained on tiny" in notice.en and "训练自 tiny" in notice.zh

    config = tiny.model.config.to_dict() | {"hidden_size": 64, "head_dim": 16}
    wide = AutoModelForCausalLM.from_config(type(tiny.model.config)(**config))
    wide.save_pretrained(other)
    with pytest.raises(ModelError, match=r"trained on tiny-model, does not belong to other: .*down_proj is 64 × 64"):
        loaded(other, adapter)
    GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tiny.tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    ).save_pretrained(other)
    with pytest.raises(ModelError, match=r"down_proj is not a matrix of that model") as caught:
        loaded(other, adapter)
    assert "\n" not in caught.value.say("en") and "该模型中没有矩阵" in caught.value.say("zh")


def test_a_name_alone_tells_of_another_base_where_no_weights_were_kept(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    changed(adapter, base_model_name_or_path="org/other-base")
    notice = loaded(folder, adapter).card.notice
    assert notice is not None and "was trained on org/other-base" in notice.en
    changed(adapter, base_model_name_or_path=f"/somewhere/else/{folder.name}")
    assert loaded(folder, adapter).card.notice is None


def changed(adapter: Path, **values: Any) -> None:
    file = adapter / adapters.CONFIG
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def spoil(adapter: Path, what: str) -> None:
    weights, config = adapter / adapters.WEIGHTS, adapter / adapters.CONFIG
    match what:
        case "gone":
            shutil.rmtree(adapter)
        case "no configuration":
            config.unlink()
        case "no weights":
            weights.unlink()
        case "pickle":
            weights.rename(adapter / adapters.PICKLE)
        case "no JSON":
            config.write_text("{" * 99999)
        case "no object":
            config.write_text("[]")
        case "cut off":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "pointer":
            weights.write_text("version https://git-lfs.github.com/spec/v1\n")
        case "half":
            tensors = {name: value.numpy() for name, value in load_file(weights).items() if ".lora_B." not in name}
            save_file(tensors, weights)
        case "not finite":
            tensors = {name: value.numpy() for name, value in load_file(weights).items()}
            tensors[next(one for one in tensors if ".lora_B." in one)][0] = np.nan
            save_file(tensors, weights)
        case "whole numbers":
            save_file({"base_model.model.x.lora_A.weight": np.ones((2, 2), np.int64)}, weights)


SPOILED = {
    "gone": "There is no folder",
    "no configuration": "is not the folder of an adapter: it has no adapter_config.json",
    "no weights": "has no adapter_model.safetensors",
    "pickle": "are a pickle",
    "no JSON": "adapter_config.json is no JSON object",
    "no object": "adapter_config.json is no JSON object",
    "cut off": "cannot be read: adapter_model.safetensors",
    "pointer": "is a pointer of Git LFS",
    "half": "has not both of its matrices",
    "not finite": "holds numbers that are not finite",
    "whole numbers": "holds other numbers than weights",
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_wrong_with_an_adapter_is_one_sentence(what: str, folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    spoil(adapter, what)
    with pytest.raises(ModelError, match=SPOILED[what]) as caught:
        loaded(folder, adapter)
    for language in ("en", "zh"):
        assert "\n" not in caught.value.say(language) and len(caught.value.say(language)) < 500


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"peft_type": "IA3"}, "of peft's kind IA3; only LoRA"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights 'pissa'"),
        ({"use_qalora": True}, "uses what is not known here: use_qalora"),
        ({"layer_replication": [[0, 1]]}, "uses what is not known here: layer_replication"),
        ({"from_the_future": 1}, "uses what is not known here: from_the_future"),
        ({"lora_alpha": "8"}, "lora_alpha is no number"),
        ({"lora_alpha": float("nan")}, "lora_alpha is no number"),
        ({"alpha_pattern": {"(a+)+$": 3}}, "uses what is not known here: alpha_pattern"),
    ],
)
def test_what_peft_would_compute_in_another_way_is_refused(
    values: dict[str, Any], said: str, folder: Path, tmp_path: Path
) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    changed(adapter, **values)
    with pytest.raises(ModelError) as caught:
        loaded(folder, adapter)
    assert said in caught.value.say("en")


def test_code_in_an_adapter_s_folder_never_runs(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    mark = tmp_path / "ran"
    for name in ("__init__.py", "modeling.py", "adapter_model.py"):
        (adapter / name).write_text(f"open({str(mark)!r}, 'w')")
    (adapter / adapters.PICKLE).write_bytes(b"cos\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR.")
    changed(adapter, auto_mapping={"base_model_class": "X", "parent_library": "modeling"})
    loaded(folder, adapter)
    assert not mark.exists()


def test_a_choice_keeps_its_adapter_and_refuses_what_is_none() -> None:
    record = {"name": "gpt2", "adapter": "/a/tuned", "adapter_share": 0.5}
    choice = ModelChoice.of_record(record)
    assert ModelChoice.of_record(choice.as_record()) == choice and choice.label == "gpt2 + tuned (0.5)"
    assert ModelChoice.of_record({"name": "gpt2", "adapter": " ", "adapter_share": 0.5}) == ModelChoice("gpt2")
    shares: tuple[object, ...] = (-0.1, 1.1, "1", True, None, float("nan"))
    names: tuple[object, ...] = (3, "a\nb", "x" * 5000)
    given: list[dict[str, object]] = [{"adapter": name} for name in names]
    for wrong in (*given, *({"adapter": "a", "adapter_share": share} for share in shares)):
        with pytest.raises(InvalidRequest) as caught:
            ModelChoice.of_record({"name": "gpt2", **wrong})
        assert caught.value.parameter in wrong
    with pytest.raises(InvalidRequest, match="An engine holds its own model"):
        ModelChoice.of_record({"name": "http://127.0.0.1:9", "adapter": "/a"})


@pytest.mark.parametrize(
    ("given", "name"),
    [("/a/b/slogans", "slogans"), ("/a/b/../c/", "c"), ("/t/20261129-1/adapter", "20261129-1"), ("/a/x\ny", "x_y")],
)
def test_a_name_is_one_line_without_slashes(given: str, name: str) -> None:
    assert adapters.name_of(given) == name
    assert adapters.tuned_id("org/base", given, 1.0) == f"org/base+{name}"


def test_the_embedded_model_takes_the_place_of_one_whose_adapter_is_broken(folder: Path) -> None:
    found = models.load_or_embedded(None, adapter=str(folder / "nowhere"))
    assert found.card.id == "smollm2" and found.card.notice is not None
    assert "There is no folder" in found.card.notice.en and "The embedded model is used instead" in found.card.notice.en


def test_an_estimate_counts_an_adapter(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    how: dict[str, Any] = {"fast": True, "free": 10**10, "loaded_now": 0}
    plain = estimate(ModelChoice(str(folder)), **how)
    tuned = estimate(ModelChoice(str(folder), adapter=str(adapter)), **how)
    assert tuned.weights == plain.weights and tuned.needed > plain.needed
