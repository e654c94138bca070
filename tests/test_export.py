"""What was learned leaves in three formats, each read by the program that it is for; a card tells of it and no data."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
import yaml
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from playground import models
from playground.machine.disk import DiskError
from playground.models import adapters, embedded
from playground.models.model_choice import ModelChoice
from playground.training import export, export_gguf, pre_tokenizers
from playground.training.model_card import Learned, card_files, public_name
from playground.types import InvalidRequest, ModelError
from tests.llama_cpp_server import llama_cpp_server
from tests.made_adapter import base_of, make_adapter, merged_by_peft

pytestmark = pytest.mark.model
TEXT = "The ferry is late, it's 2026.\n\n  So what? 你好 123"


def logits(net: Any, count: int = 12) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = net(torch.arange(3, 3 + count)[None]).logits
    return found


def test_an_adapter_loads_in_peft_itself(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    (adapter / "optimizer.pt").write_bytes(b"of no use to others")
    target = export.export_adapter(str(adapter), tmp_path / "out" / "mine", embedded.ID, {"README.md": "# Card"})
    assert sorted(one.name for one in target.iterdir()) == ["README.md", adapters.CONFIG, adapters.WEIGHTS]
    assert json.loads((target / adapters.CONFIG).read_text())["base_model_name_or_path"] == embedded.HUB_ID
    assert torch.equal(logits(merged_by_peft(folder, target)), logits(merged_by_peft(folder, adapter)))


def test_merged_weights_load_in_plain_transformers(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    choice = ModelChoice(str(folder), "fp32", adapter=str(adapter))
    target = export.export_merged(choice, tmp_path / "merged")
    assert torch.equal(logits(base_of(target)), logits(merged_by_peft(folder, adapter)))
    assert not list(target.glob("*.bin")) and (target / "model.safetensors").is_file()
    ours, theirs = (AutoTokenizer.from_pretrained(one) for one in (folder, target))
    assert ours(TEXT).input_ids == theirs(TEXT).input_ids
    half = export.export_merged(ModelChoice(str(folder), adapter=str(adapter)), tmp_path / "half")
    assert AutoModelForCausalLM.from_pretrained(half).dtype == torch.bfloat16


def test_what_is_there_already_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(folder, tmp_path / "tuned")
    before = sorted(tmp_path.iterdir())
    for act in (
        lambda: export.export_adapter(str(adapter), folder, "x"),
        lambda: export.export_merged(ModelChoice(str(folder)), folder),
        lambda: export_gguf.export_gguf(folder, adapter, "x"),
    ):
        with pytest.raises(InvalidRequest, match="There is something at"):
            act()
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_leaves_nothing_half_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", full)
    monkeypatch.setattr(export_gguf, "_write_tensors", full)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DiskError, match="disk is full"):
        export.export_merged(ModelChoice(str(folder)), tmp_path / "merged")
    with pytest.raises(DiskError, match="disk is full"):
        export_gguf.export_gguf(folder, tmp_path / "model.gguf", "x")
    assert sorted(tmp_path.iterdir()) == before


SIZES: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256,
}  # fmt: skip
KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "llama": (LlamaConfig, LlamaForCausalLM, {"tie_word_embeddings": False}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {"tie_word_embeddings": True}),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, {"tie_word_embeddings": False, "head_dim": 32}),
}


def random_model(kind: str, place: Path, tokenizer: Any) -> Path:
    """A small model of this kind whose next token is as sure as that of a real one."""
    config, model, more = KINDS[kind]
    torch.manual_seed(2)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    made = model(config(vocab_size=len(tokenizer), **SIZES, **more, **ends))
    with torch.no_grad():
        for weight in made.parameters():
            if weight.dim() == 2:
                weight.mul_(4)
            else:  # of norms and biases, so that each has a value of its own
                weight.add_(0.2 * torch.randn(weight.shape))
    made.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.mark.parametrize("kind", KINDS)
def test_a_gguf_file_is_read_by_llama_cpp_as_it_was_trained(kind: str, tmp_path: Path, tiny: models.Loaded) -> None:
    """The same tokens, and the same figures for the next one."""
    base = random_model(kind, tmp_path / "base", tiny.tokenizer)
    adapter = make_adapter(base, tmp_path / "tuned", size=0.5)
    merged = export.export_merged(ModelChoice(str(base), "fp32", adapter=str(adapter)), tmp_path / "merged")
    file = export_gguf.export_gguf(merged, tmp_path / "tuned.gguf", "Tuned", "fp32")
    assert [one.name for one in tmp_path.iterdir() if "part" in one.name] == []
    ids = AutoTokenizer.from_pretrained(base)(TEXT, add_special_tokens=False).input_ids  # of this kind of model
    with torch.no_grad():
        scores = merged_by_peft(base, adapter)(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
    with llama_cpp_server(context=256, model=file) as url:
        assert httpx.post(f"{url}/tokenize", json={"content": TEXT}).json()["tokens"] == ids
        body = {"prompt": ids, "n_predict": 1, "n_probs": 20, "temperature": 0, "cache_prompt": False}
        answer = httpx.post(f"{url}/completion", json=body, timeout=60).json()
    found = {one["id"]: one["logprob"] for one in answer["completion_probabilities"][0]["top_logprobs"]}
    assert max(found, key=lambda one: found[one]) == int(scores.argmax())
    for id, logprob in found.items():
        assert logprob == pytest.approx(float(scores[id]), abs=0.05), id


@pytest.mark.parametrize("numbers", ["bf16", "q8_0"])
def test_smaller_numbers_are_smaller_files_that_hold_the_weights(
    numbers: str, tmp_path: Path, tiny: models.Loaded
) -> None:
    import gguf

    base = random_model("llama", tmp_path / "base", tiny.tokenizer)
    file = export_gguf.export_gguf(base, tmp_path / "small.gguf", "Small", numbers)
    assert file.stat().st_size < 0.6 * (base / "model.safetensors").stat().st_size + 2_000_000
    stored = {one.name: one for one in gguf.GGUFReader(file).tensors}["token_embd.weight"]
    read = torch.from_numpy(gguf.quants.dequantize(stored.data, stored.tensor_type))
    wanted = base_of(base).get_input_embeddings().weight.detach()
    assert float((read - wanted).abs().max()) < 0.02 * float(wanted.abs().max())


def test_what_gguf_is_not_written_for_is_said_with_what_else_to_run(folder: Path, tmp_path: Path) -> None:
    config = folder / "config.json"
    before = json.loads(config.read_text())
    for change, said in (
        ({"model_type": "gpt2"}, "it is of the kind gpt2, and GGUF is written for llama, qwen2, qwen3 here"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "its positions are stretched"),
    ):
        config.write_text(json.dumps(before | change))
        with pytest.raises(ModelError, match=re.escape(said)) as caught:
            export_gguf.export_gguf(folder, tmp_path / "x.gguf", "Tuned")
        assert "convert_hf_to_gguf.py" in caught.value.say("en") and "convert_hf_to_gguf.py" in caught.value.say("zh")
    config.write_text(json.dumps(before))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"] = {"type": "Whitespace"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match="its tokenizer is none that is known by name here"):
        export_gguf.export_gguf(folder, tmp_path / "x.gguf", "Tuned")
    assert not list(tmp_path.glob("x.gguf*"))


def test_pre_tokenizers_are_known_by_what_they_do(tiny: models.Loaded) -> None:
    own = tiny.tokenizer.backend_tokenizer
    assert pre_tokenizers.name_of(own) == "gpt-2"
    before = own.pre_tokenizer
    try:
        for name, known in pre_tokenizers.KNOWN.items():
            own.pre_tokenizer = known
            assert pre_tokenizers.name_of(own) == name
    finally:
        own.pre_tokenizer = before


LEARNED = Learned(
    name="Tea | <b>slogans</b>",
    base=embedded.ID,
    settings={"method": "lora", "rank": 16, "learning_rate": 2e-4},
    metrics=[
        *({"step": step, "loss": 3 / step} for step in range(1, 11)),
        {"step": 5, "validation_loss": 1.5, "token_accuracy": 0.61, "perplexity": 4.48},
        {"step": 10, "validation_loss": 1.25, "token_accuracy": 0.72, "perplexity": 3.49},
    ],
    best_step=10,
    data={"rows": 240, "tokens": 12_345, "languages": {"en": 200, "zh": 40}, "cut_rows": ["secret row"]},
)


@pytest.mark.parametrize("form", ["adapter", "merged", "gguf"])
def test_a_card_tells_base_settings_figures_licence_and_no_data(form: Any) -> None:
    files = card_files(LEARNED, form)
    card = files["README.md"]
    _, head, body = card.split("---\n", 2)
    facts = yaml.safe_load(head)
    assert (facts["base_model"], facts["license"], facts["language"]) == (embedded.HUB_ID, "apache-2.0", ["en", "zh"])
    assert facts["library_name"] == {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}[form]
    said_there = ("12,345", "LoRA rank · LoRA 秩 | 16", "10 ★ | 1.25 | 0.72 | 3.49", "Apache-2.0", "许可证")
    for said in (*said_there, "curves.svg"):
        assert said in body, said
    assert "secret" not in card and "<b>" not in body
    assert files["curves.svg"].count("<polyline") == 2 and "<script" not in files["curves.svg"]


def test_a_card_of_an_unknown_base_and_without_figures_says_so() -> None:
    files = card_files(Learned("x", "/srv/own/my-model", {}, []), "merged")
    assert list(files) == ["README.md"]
    card = files["README.md"]
    assert "/srv/own" not in card and "my-model" in card and "licence is not known here" in card
    assert "Nothing was measured on texts kept apart." in card and "license" not in card.split("---\n")[1]


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("smollm2", embedded.HUB_ID),
        ("qwen2.5-coder-0.5b", "Qwen/Qwen2.5-Coder-0.5B-Instruct"),
        ("org/model", "org/model"),
        ("/srv/own/model", "model"),
        ("gpt2", "gpt2"),
    ],
)
def test_a_base_goes_by_its_public_name(base: str, name: str) -> None:
    assert public_name(base) == name
