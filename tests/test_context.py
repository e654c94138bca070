"""The context length is found under any name, and is what the model can really hold."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from transformers import PreTrainedConfig

from playground.models import context

ENDLESS = 10**30  # what tokenizers without a limit write
HEADS: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def limit(config: Any, own: int = ENDLESS) -> tuple[int, bool]:
    model = torch.nn.Module()
    model.config = config
    return context.limit(model, SimpleNamespace(model_max_length=own))


@pytest.mark.parametrize("name", context.NAMES)
def test_the_length_is_found_under_each_name(name: str) -> None:
    assert limit(PreTrainedConfig(**{name: 777})) == (777, True)
    assert limit(PreTrainedConfig(**{name: 777}), own=512) == (777, True)


def test_what_is_no_length_is_passed_over() -> None:
    assert limit(PreTrainedConfig(max_position_embeddings=-1, n_positions=None, seq_length=640)) == (640, True)
    assert limit(PreTrainedConfig(max_position_embeddings=True, sliding_window=64), own=900) == (900, False)
    assert limit(PreTrainedConfig(max_position_embeddings=10**12)) == (2048, False)


def test_the_length_stands_in_the_text_s_part_of_a_configuration() -> None:
    text = transformers.Gemma3TextConfig(max_position_embeddings=321)
    assert limit(transformers.Gemma3Config(text_config=text.to_dict())) == (321, True)


def rope(kind: str, told: int = 1000, factor: float | None = 4.0, original: int | None = None) -> Any:
    scaled = {"rope_type": kind, "rope_theta": 10000.0, "factor": factor, "original_max_position_embeddings": original}
    extra = {"low_freq_factor": 1.0, "high_freq_factor": 4.0} if kind == "llama3" else {}
    scaled = {name: value for name, value in {**scaled, **extra}.items() if value is not None}
    return transformers.LlamaConfig(max_position_embeddings=told, rope_parameters=scaled)


@pytest.mark.parametrize(
    ("config", "own", "wanted"),
    [
        (rope("default", factor=None), ENDLESS, 1000),
        (rope("linear"), ENDLESS, 4000),
        (rope("linear"), 4000, 4000),
        (rope("linear"), 1000, 1000),  # the tokenizer says that all is told
        (rope("dynamic"), ENDLESS, 4000),
        (rope("dynamic", factor=2.5), ENDLESS, 2500),
        (rope("yarn"), ENDLESS, 4000),
        (rope("yarn", original=1000), ENDLESS, 4000),
        (rope("yarn", told=4000, original=1000), ENDLESS, 4000),
        (rope("yarn", told=9000, original=1000), ENDLESS, 9000),
        (rope("yarn", told=500, original=1000), ENDLESS, 500),
        (rope("llama3", told=16_000, factor=8.0, original=1000), ENDLESS, 16_000),
        (rope("llama3", told=2000, factor=8.0, original=1000), ENDLESS, 8000),
    ],
)
def test_scaled_positions_reach_further_unless_what_is_told_includes_it(config: Any, own: int, wanted: int) -> None:
    assert limit(config, own) == (wanted, True)


def test_scalings_of_single_kinds_of_layers_are_included_in_what_is_told() -> None:
    each = {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}}
    each["sliding_attention"] = {"rope_type": "default", "rope_theta": 1e4}
    assert limit(transformers.Gemma3TextConfig(max_position_embeddings=4096, rope_parameters=each)) == (4096, True)


def test_attention_that_fades_with_the_distance_ends_nowhere() -> None:
    assert limit(transformers.BloomConfig(seq_length=700)) == (700, False)
    assert limit(transformers.BloomConfig(), own=1024) == (1024, False)
    assert limit(transformers.FalconConfig(alibi=True, max_position_embeddings=500)) == (500, False)
    assert limit(transformers.FalconConfig(alibi=False, max_position_embeddings=500)) == (500, True)


@pytest.mark.parametrize(
    ("kind", "fields", "wanted"),
    [
        ("OPTConfig", {"max_position_embeddings": 100, "ffn_dim": 32, "word_embed_proj_dim": 32}, 100),
        ("RobertaConfig", {"max_position_embeddings": 514, "pad_token_id": 1, "is_decoder": True}, 512),
        ("BertConfig", {"max_position_embeddings": 512, "is_decoder": True}, 512),
    ],
)
def test_a_table_of_positions_holds_what_it_holds(kind: str, fields: dict[str, Any], wanted: int) -> None:
    config = getattr(transformers, kind)(vocab_size=99, **HEADS, **fields)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    assert context.limit(model, SimpleNamespace(model_max_length=ENDLESS)) == (wanted, True)


@pytest.mark.parametrize("kind", ["MambaConfig", "RwkvConfig"])
def test_a_state_of_one_size_has_no_limit(kind: str) -> None:
    config = getattr(transformers, kind)(vocab_size=99, hidden_size=32, num_hidden_layers=1)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    assert context.limit(model, SimpleNamespace(model_max_length=ENDLESS)) == (131_072, False)
    assert context.limit(model, SimpleNamespace(model_max_length=5000)) == (5000, False)
