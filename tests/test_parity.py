"""On the exact path a seed writes the token ids that `model.generate()` writes after `torch.manual_seed(seed)`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers

from playground import models
from playground.decoding import beam_model, prefill
from playground.generators.local import LocalGenerator
from playground.types import Refused, Step
from tests import reference

PROMPT = "Write a slogan for a coffee shop called the morning light:"

# Enough of the embedded model for every run: a cut-off, the penalties, guidance and greedy; the rest is in test-long.
SHORT: list[dict[str, Any]] = [
    {"temperature": 0.8, "top_p": 0.9},
    {"temperature": 1.0, "top_p": 0.9, "no_repeat_ngram_size": 2, "repetition_penalty": 1.2},
    {"guidance_scale": 1.5, "negative_prompt": "A very sad text about rain."},
    {"temperature": 0.0, "repetition_penalty": 1.2},
]


def combination(number: int) -> dict[str, Any]:
    """Two to five native samplers at once, the same ones for the same number."""
    chance = random.Random(number)
    chosen: dict[str, Any] = {}
    for piece in chance.sample(reference.PIECES, chance.randint(2, 5)):
        chosen.update(piece)
    return chosen


def assert_equal(loaded: models.Loaded, values: Mapping[str, Any], seed: int, tokens: int, mode: str) -> None:
    generator = LocalGenerator(loaded)
    asked = reference.request(PROMPT, {**values, "seed": seed, "max_new_tokens": tokens}, mode=mode)
    ours = reference.written(generator, asked)
    assert ours == reference.generated(loaded, asked, generator.render(asked).token_ids)
    assert 1 <= len(ours[0]) <= tokens


@pytest.mark.parametrize("values", reference.SINGLE, ids=str)
def test_each_native_sampler_alone_writes_what_generate_writes(tiny: models.Loaded, values: dict[str, Any]) -> None:
    assert_equal(tiny, values, seed=7, tokens=24, mode="complete")


@pytest.mark.parametrize("number", range(50))
def test_random_combinations_write_what_generate_writes(tiny: models.Loaded, number: int) -> None:
    assert_equal(tiny, combination(number), seed=1000 + number, tokens=20, mode="chat")


@pytest.mark.parametrize("values", reference.SINGLE[::4], ids=str)
def test_the_same_holds_in_bf16(tiny_bf16: models.Loaded, values: dict[str, Any]) -> None:
    assert_equal(tiny_bf16, values, seed=7, tokens=24, mode="complete")


@pytest.mark.model
@pytest.mark.parametrize("loaded", ["fp32", "bf16"], indirect=True)
@pytest.mark.parametrize("values", SHORT, ids=str)
def test_the_embedded_model_writes_what_generate_writes(loaded: models.Loaded, values: dict[str, Any]) -> None:
    assert_equal(loaded, values, seed=11, tokens=10, mode="chat")


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("loaded", ["fp32", "bf16"], indirect=True)
@pytest.mark.parametrize("values", reference.SINGLE, ids=str)
def test_each_native_sampler_on_the_embedded_model(loaded: models.Loaded, values: dict[str, Any]) -> None:
    assert_equal(loaded, values, seed=23, tokens=48, mode="chat")


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("loaded", ["fp32", "bf16"], indirect=True)
@pytest.mark.parametrize("number", range(50))
def test_random_combinations_on_the_embedded_model(loaded: models.Loaded, number: int) -> None:
    assert_equal(loaded, combination(number), seed=2000 + number, tokens=48, mode="complete")


COMPANY: list[dict[str, Any]] = [
    {"temperature": 0.9, "top_p": 0.95},
    {"repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "min_p": 0.02},
    {"guidance_scale": 1.4, "xtc_probability": 0.5},
    {"mirostat_tau": 4.0, "dry_multiplier": 0.8},
    {"banned_phrases": ["e", "th"], "temperature": 1.3},
]


def assert_company_changes_nothing(loaded: models.Loaded, values: Mapping[str, Any], tokens: int) -> None:
    generator = LocalGenerator(loaded)
    asked = {**values, "seed": 40, "max_new_tokens": tokens}
    together = reference.written(generator, reference.request(PROMPT, {**asked, "n": 4}))
    for row, tokens_of_row in enumerate(together):
        alone = reference.written(generator, reference.request(PROMPT, {**asked, "seed": 40 + row}))
        assert alone == [tokens_of_row]


@pytest.mark.parametrize("values", COMPANY, ids=str)
def test_each_of_several_candidates_equals_its_own_solo_run(tiny: models.Loaded, values: dict[str, Any]) -> None:
    assert_company_changes_nothing(tiny, values, tokens=30)


@pytest.mark.model
def test_candidates_of_the_embedded_model_equal_their_solo_runs_in_fp32(loaded: models.Loaded) -> None:
    assert_company_changes_nothing(loaded, COMPANY[0], tokens=10)


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("values", COMPANY, ids=str)
def test_company_on_the_embedded_model(loaded: models.Loaded, values: dict[str, Any]) -> None:
    assert_company_changes_nothing(loaded, values, tokens=48)


SMALL: dict[str, Any] = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
LAYERS: dict[str, Any] = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 32, **SMALL}
HEADS: dict[str, Any] = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, **LAYERS}

# Learned positions, ALiBi, sliding windows, experts, and memories that are not keys and values.
ARCHITECTURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "gpt2": (transformers.GPT2Config, {"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 256, **SMALL}),
    "gptj": (
        transformers.GPTJConfig,
        {"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 256, "rotary_dim": 8, **SMALL},
    ),
    "bloom": (transformers.BloomConfig, {"n_layer": 2, "n_head": 2, "hidden_size": 32, **SMALL}),
    "gemma3": (
        transformers.Gemma3TextConfig,
        {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"], **HEADS},
    ),
    "lfm2": (transformers.Lfm2Config, {"layer_types": ["conv", "full_attention"], **HEADS}),
    "mamba": (transformers.MambaConfig, LAYERS),
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest, tiny: models.Loaded) -> models.Loaded:
    """A tiny random model of another kind, its output head scaled up as the tiny model's is."""
    config, fields = ARCHITECTURES[request.param]
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config(vocab_size=len(tiny.tokenizer), **fields)).eval()
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(20)
    return models.Loaded(model, tiny.tokenizer, replace(tiny.card, title=request.param, context=256))


def test_other_architectures_keep_the_same_promises(architecture: models.Loaded) -> None:
    assert_equal(architecture, {"top_p": 0.9}, seed=3, tokens=15, mode="complete")
    assert_company_changes_nothing(architecture, {"banned_phrases": ["e", " s"]}, tokens=15)
    guided = {"guidance_scale": 1.5, "negative_prompt": "sad"}
    if architecture.card.title == "mamba":
        with pytest.raises(Refused, match="Guidance scale"):
            assert_equal(architecture, guided, seed=3, tokens=15, mode="complete")
    else:
        assert_equal(architecture, guided, seed=3, tokens=15, mode="complete")


def test_other_architectures_read_prompts_in_chunks_too(
    architecture: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and beams, with the text that a prompt read whole has; where they cannot, they read it whole."""
    for module in (prefill, beam_model):
        monkeypatch.setattr(module, "sizes", lambda _: prefill.Sizes(6, 5))
    assert_equal(architecture, {"top_p": 0.9}, seed=3, tokens=15, mode="complete")
    assert_equal(architecture, {"num_beams": 3}, seed=3, tokens=8, mode="complete")
    assert_company_changes_nothing(architecture, {"banned_phrases": ["e", " s"]}, tokens=15)
    assert prefill._CONTINUES[architecture.model]


def taken_in_turns(streams: list[Iterator[Step]]) -> list[list[int | None]]:
    """One Step of each stream after the other, until all have ended."""
    found: list[list[int | None]] = [[] for _ in streams]
    going = dict(enumerate(streams))
    while going:
        for number, stream in list(going.items()):
            step = next(stream, None)
            if step is None:
                del going[number]
            else:
                found[number].append(step.token_id)
    return found


@pytest.mark.model
def test_two_sessions_in_turns_write_what_each_writes_alone(load_embedded: Callable[[str], models.Loaded]) -> None:
    generator = LocalGenerator(load_embedded("bf16"))
    asked = [
        reference.request("A poem about rain:", {"seed": 1, "max_new_tokens": 8}),
        reference.request("Three fruits are", {"seed": 2, "max_new_tokens": 8, "xtc_probability": 0.5}),
    ]
    alone = [[step.token_id for step in generator.stream(one)] for one in asked]
    assert taken_in_turns([generator.stream(one) for one in asked]) == alone


def test_sampling_leaves_the_random_numbers_of_the_process_alone(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    values = {"n": 2, "xtc_probability": 0.5, "watermark": True, "banned_phrases": ["a"], "max_new_tokens": 20}
    values["seed"] = 3
    first = reference.written(generator, reference.request(PROMPT, values))
    torch.manual_seed(99)
    with reference.untouched():
        assert reference.written(generator, reference.request(PROMPT, values)) == first
