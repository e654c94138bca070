"""Tiny random models of every kind that transformers counts among causal language models.

Sizes go by the names that configurations share; what a family asks for besides stands in OWN. Knows no generator.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

ALL = tuple(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
BOTH_WAYS = tuple(
    name for name in ALL if any(one.name == "is_decoder" for one in dataclasses.fields(CONFIG_MAPPING[name]))
)
"""Types that are encoders unless their configuration says `is_decoder`, as all of ours do that do not say otherwise."""
CONTEXT = 64
VOCABULARY = 320
LARGEST = 3_000_000  # parameters; beyond them something was left as large as its makers had it
_TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "decoder_start_token_id": 1}

_SIZES: list[tuple[int, str]] = [
    (1, "n_group topk_group attn_layer_offset"),
    (
        2,
        "num_hidden_layers n_layer n_layers num_layers decoder_layers encoder_layers num_blocks "
        "num_encoder_layers num_decoder_layers depth num_key_value_heads num_kv_heads kv_n_heads "
        "swa_num_key_value_heads num_experts_per_tok moe_topk moe_k moe_top_k top_k_experts attn_layer_period "
        "index_topk_blocks n_layers_per_attn_res_block",
    ),
    (
        4,
        "num_attention_heads n_head n_heads num_heads decoder_attention_heads encoder_attention_heads "
        "attention_heads num_encoder_attention_heads num_decoder_attention_heads swa_num_attention_heads "
        "index_n_heads num_experts linear_num_key_heads linear_num_value_heads linear_num_heads "
        "n_routed_experts num_local_experts moe_num_experts n_mamba_heads rotary_dim num_buckets",
    ),
    (
        8,
        "head_dim global_head_dim swa_head_dim d_head attention_head_size v_head_dim qk_rope_head_dim "
        "qk_nope_head_dim dim_head kv_channels index_head_dim linear_key_head_dim linear_value_head_dim "
        "mamba_head_dim mamba_d_head linear_head_dim state_size mamba_d_state ssm_state_size mamba_n_heads "
        "mamba_num_heads index_topk d_rel lsh_attn_chunk_length local_attn_chunk_length adapter_rank "
        "shape_embed_dim pronunciation_embed_dim rel_extent",
    ),
    (
        16,
        "kv_lora_rank q_lora_rank o_lora_rank laurel_rank hidden_size_per_layer_input sliding_window "
        "window_size attention_window_size local_attention sliding_window_size router_hidden_size "
        "attention_chunk_size",
    ),
    (
        32,
        "hidden_size d_model n_embd emb_dim embedding_dim attention_hidden_size lru_width word_embed_proj_dim "
        "embedding_size input_embedding_size output_embedding_size backbone_hidden_size "
        "cross_attention_hidden_size out_hidden_size adapter_in_dim hidden_size_global",
    ),
    (
        64,
        "intermediate_size n_inner ffn_dim decoder_ffn_dim encoder_ffn_dim dff dim_ff d_inner "
        "feed_forward_size ffn_hidden_size expert_ffn_hidden_size moe_intermediate_size "
        "shared_intermediate_size intermediate_size_mlp dense_intermediate_size "
        "shared_expert_intermediate_size moe_shared_expert_intermediate_size mamba_d_ssm "
        "prefix_dense_intermediate_size shared_experts_intermediate_size pronunciation_vocab_size "
        "shape_vocab_size encoder_hash_byte_group_vocab ngram_vocab_size_base",
    ),
    (
        CONTEXT,
        "max_position_embeddings n_positions n_ctx max_seq_len max_target_positions context_length "
        "max_source_positions",
    ),
    (VOCABULARY, "vocab_size vocab_size_per_layer_input decoder_vocab_size unpadded_vocab_size audio_vocab_size"),
]
_SPREAD = ("initializer_range", "init_std", "embed_init_std", "initializer_factor", "embedding_initializer_range")
SIZES: dict[str, Any] = {name: size for size, names in _SIZES for name in names.split()} | _TOKENS
# Weights as large as trained ones are: with those that one begins a training with, no token hears of another.
SIZES |= dict.fromkeys(_SPREAD, 0.3)

_SHARED = ["linear_attention", "hybrid"] * 2
_HYBRID = ["linear_attention", "full_attention"]
_WINDOWED = ["sliding_attention", "full_attention"]
_DOTS3_SLIDING = {
    "swa_num_attention_heads": 4,
    "swa_num_key_value_heads": 4,
    "swa_q_lora_rank": 16,
    "swa_kv_lora_rank": 16,
    "swa_head_dim": 16,
    "swa_qk_nope_head_dim": 8,
    "swa_v_head_dim": 8,
}

_INDEXED = {
    "indexer_n_heads": 4,
    "indexer_kv_heads": 1,
    "indexer_head_dim": 8,
    "indexer_budget": 8,
    "indexer_compress_ratio": 2,
}

# What a family needs besides. None leaves a field to its configuration class.
OWN: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [1]},
    "blt": {"encoder_hash_byte_group_size": [3]},
    "cohere_compass_text": {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 10000.0}}},
    "dbrx": {"attn_config": {"rope_theta": 10000.0, "clip_qkv": 8.0}},
    "dots1": {"n_shared_experts": 1},
    "dots3_note": {
        "audio_config": {"adapter_input_size": 32, "adapter_out_dim": 32},
        "vision_config": {"adapter_out_dim": 32},
        "text_config": _DOTS3_SLIDING,
    },
    "dots3_note_text": _DOTS3_SLIDING,
    "gemma3n_text": {"layer_types": _WINDOWED * 2, "num_hidden_layers": 4, "num_kv_shared_layers": 2},
    "gemma4_assistant": {"text_config": {"hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": 0}},
    "gemma4_unified": {"vision_config": {"mm_embed_dim": 32, "mm_posemb_size": 64, "patch_size": 4}},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "granitemoehybrid": {"layer_types": _HYBRID},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "mamba2": {"num_heads": 8, "n_groups": 2},
    "moshi": {"sliding_window": CONTEXT},  # beyond its window one pass and single steps are two things
    "qwen4_exp": {"text_config": _INDEXED},
    "qwen4_exp_text": _INDEXED,
    "recurrent_gemma": {"block_types": ["recurrent", "attention"]},
    "reformer": {
        "attn_layers": ["local", "lsh"],
        "axial_pos_shape": [8, 8],
        "axial_pos_embds_dim": [16, 16],
    },
    "xlstm": {"hidden_size": 128, "embedding_dim": 128},
    "xmod": {"default_language": "en_XX"},
    "zamba": {"attention_hidden_size": None, "num_hidden_layers": 4, "layers_block_type": _SHARED},
    "zamba2": {"num_hidden_layers": 4, "layers_block_type": _SHARED},
    "zaya": {"num_experts_per_tok": 1},
}


def config(name: str, **changes: Any) -> Any:
    """A small configuration of this model type."""
    kind = CONFIG_MAPPING[name]
    return kind(**{**_fields(kind, name), **changes})


def model(name: str, **changes: Any) -> Any:
    """A random model of this type with at most LARGEST parameters, the same one for the same arguments."""
    settings = config(name, **changes)
    with torch.device("meta"):
        size = sum(tensor.numel() for tensor in AutoModelForCausalLM.from_config(settings).parameters())
    assert size <= LARGEST, f"{name} has {size:,} parameters"
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(settings).eval()


def tokenizer() -> Any:
    """Bytes behind the special tokens, and a few pairs of letters, as many tokens as the models have."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = ["<pad>", "<bos>", "<eos>", *letters]
    merges = [(first, second) for first in "aeioust" for second in "bcdlmnrx"][: VOCABULARY - len(names)]
    names += ["".join(pair) for pair in merges]
    made = Tokenizer(BPE(vocab={name: place for place, name in enumerate(names)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", model_max_length=10**30
    )


def save(name: str, folder: Path, **changes: Any) -> Path:
    """The random model of this type as its makers would give it out; without weights where this machine has no code
    for it. Raises nothing else than what `config` raises."""
    settings = config(name, **changes)
    settings.architectures = [_class(name)]
    try:
        model(name, **changes).save_pretrained(folder)
    except (ImportError, AttributeError, ValueError):
        save_file({}, folder / "model.safetensors")
    settings.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def _class(name: str) -> str:
    found = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[name]
    return found if isinstance(found, str) else found[0]


def _fields(kind: Any, name: str) -> dict[str, Any]:
    """The small values of the fields that this configuration class has, and of those inside it."""
    own = OWN.get(name, {})
    known = {field.name for field in dataclasses.fields(kind)}
    given: dict[str, Any] = {field: size for field, size in SIZES.items() if field in known}
    if "kv_lora_rank" in given:  # heads share a latent, not keys
        given["num_key_value_heads"] = given["num_attention_heads"]
    for part, spec in kind.sub_configs_defaults.items():
        inner = CONFIG_MAPPING[spec.model_type] if spec.config_class is AutoConfig else spec.config_class
        more = own.get(part, {})
        given[part] = {**_fields(inner, spec.model_type), "model_type": spec.model_type, **more}
    given |= _kinds_of_layers(kind, known, given) | ({"is_decoder": True} if "is_decoder" in known else {})
    given |= {field: value for field, value in own.items() if field not in kind.sub_configs_defaults}
    return {field: value for field, value in given.items() if value is not None}


def _kinds_of_layers(kind: Any, known: set[str], given: dict[str, Any]) -> dict[str, Any]:
    """One layer of every kind that this class has by default, where it has several."""
    try:
        usual = kind()
    except Exception:  # noqa: BLE001 - some classes have no values by default that fit together
        return {}
    fields = known & {"layer_types", "mlp_layer_types"}
    layers = {name: list(dict.fromkeys(getattr(usual, name) or ())) for name in sorted(fields)}
    layers = {name: kinds for name, kinds in layers.items() if kinds}
    if max(map(len, layers.values()), default=1) == 1:
        return {}
    count = max(given.get("num_hidden_layers", 2), *map(len, layers.values()))
    return {name: (kinds + kinds[-1:] * count)[:count] for name, kinds in layers.items()} | {"num_hidden_layers": count}
