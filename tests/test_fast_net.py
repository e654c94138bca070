"""A net over slots gives what transformers' own forward pass gives: every family, ragged rows, eager and compiled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers

from playground import models
from playground.decoding import prefill
from playground.decoding.fair_lock import FairLock
from playground.fast import formats, layer_groups
from playground.fast.compiled_layers import Variant, library_of
from playground.fast.formats import int4, int8
from playground.fast.kv_slots import KVSlots
from playground.fast.net import Net, why_not

SMALL: dict[str, Any] = {
    "vocab_size": 99, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "pad_token_id": None, "bos_token_id": 1,
    "eos_token_id": 2,
}  # fmt: skip
OLD: dict[str, Any] = {
    "vocab_size": 99, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
NARROW = {"sliding_window": 6}  # shorter than the texts below, so that the window matters
MIXED = {**NARROW, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL)),
    "mistral": lambda: transformers.MistralForCausalLM(transformers.MistralConfig(**SMALL, **NARROW)),
    "qwen2": lambda: transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**SMALL)),
    "qwen3": lambda: transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**SMALL)),
    "gemma": lambda: transformers.GemmaForCausalLM(transformers.GemmaConfig(**SMALL)),
    "gemma2": lambda: transformers.Gemma2ForCausalLM(transformers.Gemma2Config(**SMALL, **MIXED)),
    "gemma3": lambda: transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**SMALL, **MIXED)),
    "gpt2": lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(**OLD)),
    "gptj": lambda: transformers.GPTJForCausalLM(transformers.GPTJConfig(**OLD, rotary_dim=4)),
}
LENGTHS = (5, 11, 1)  # of the three prompts
STEPS = 5
HERE = any(shutil.which(compiler) for compiler in ("g++", "clang++"))


def model_of(family: str) -> Any:
    torch.manual_seed(1)
    return FAMILIES[family]().eval()


@torch.inference_mode()
def furthest(model: Any, net: Net, steps: int = STEPS) -> float:
    """The largest difference in logits between ragged rows over slots and one whole forward pass."""
    ids = torch.randint(3, 99, (len(LENGTHS), 20))
    want = model(ids).logits
    slots = KVSlots(net.shape)
    slots.fit(len(LENGTHS), 32)
    read = torch.tensor(LENGTHS)[:, None] - 1
    for start in range(0, max(LENGTHS) - 1, 4):  # in pieces, as between other rows' steps
        places = torch.arange(start, start + 4).expand(len(LENGTHS), -1)
        net.prefill(slots, 0, ids[:, start : start + 4], torch.where(places < read, places, slots.length - 1))
    every, positions, worst = torch.arange(len(LENGTHS)), torch.tensor(LENGTHS) - 1, 0.0
    for _ in range(steps):
        got = net.step(slots, ids[every, positions], positions)
        worst = max(worst, float((got - want[every, positions]).abs().max()))
        positions = positions + 1
    return worst


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_what_its_own_forward_pass_gives(family: str) -> None:
    model = model_of(family)
    assert why_not(model) is None
    assert furthest(model, Net(model, compiles=False)) < 1e-5
    assert furthest(model, Net(model, formats.dense, compiles=False)) < 1e-5, "with its matrices fused"


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_several_tokens_of_one_row_are_checked_as_one_forward_pass_reads_them(family: str) -> None:
    model = model_of(family)
    ids = torch.randint(3, 99, (1, 12))
    for net in (Net(model, compiles=False), Net(model, formats.dense, compiles=False)):
        slots = KVSlots(net.shape)
        slots.fit(2, 32)
        net.prefill(slots, 0, torch.stack([ids[0, 5:10], ids[0, :5]]), torch.arange(5).expand(2, -1))
        net.verify(slots, 1, torch.tensor([8, 9, 10, 11]), 5)  # a guess that was wrong is read over
        got = net.verify(slots, 1, ids[0, 5:], 5)
        assert float((got - model(ids).logits[0, 5:]).abs().max()) < 1e-5


def test_a_family_that_nobody_has_tried_stays_on_the_exact_path() -> None:
    config = transformers.BloomConfig(vocab_size=99, hidden_size=32, n_layer=2, n_head=4)
    reason = why_not(transformers.BloomForCausalLM(config))
    assert reason is not None and "bloom" in reason.en and "bloom" in reason.zh


@pytest.mark.parametrize("scaling", [{"rope_type": "dynamic", "factor": 2.0}, {
    "rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2.0] * 4, "factor": 2.0,
}])  # fmt: skip
def test_positions_that_are_scaled_by_the_length_of_a_text_stay_on_the_exact_path(scaling: dict[str, Any]) -> None:
    """Rows of a step differ in length, and a chunk of a prompt is shorter than all of it."""
    config = transformers.LlamaConfig(**SMALL, rope_parameters={"rope_theta": 1e4, **scaling})
    model = transformers.LlamaForCausalLM(config)
    reason = why_not(model)
    assert reason is not None and "positions" in reason.en
    assert prefill.continues(model, torch.ones((1, 200), dtype=torch.long), FairLock())
    assert not prefill.continues(model, torch.ones((1, 257), dtype=torch.long), FairLock())


def test_layers_that_are_packed_differently_share_no_compiled_code(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_groups, "MOST_LAYERS", 1)
    made: list[int] = []

    def make(weight: torch.Tensor, bias: torch.Tensor | None, grid: object) -> torch.nn.Module:
        made.append(1)
        return (int8 if 2 < len(made) <= 4 else int4)(weight, bias)

    net = Net(tiny.model, make)
    first, second = net._model.base_model.layers
    assert first._run is not second._run
    named = {library_of([one], net._model.config, Variant(several=True, long=False)) for one in (first, second)}
    assert len(named) == 2
    twin = Net(tiny.model, int4)
    assert len({wrapper._run for wrapper in twin._model.base_model.layers}) == 1
