"""How many tokens a model reads at most: by its table of positions, its configuration under any name, or its tokenizer.

Knows modules and configurations only; what is sent where is no matter of this.
"""

from __future__ import annotations

from typing import Any

from torch import nn

# The names under which configurations give the length; the first that is set counts. A sliding window is no limit.
# `model_max_length` comes first, since the models that set it (Command R, Baichuan) mean it as the limit.
NAMES = (
    "model_max_length",
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
    "seq_length",
    "max_target_positions",
    "n_ctx",
    "context_length",
)
# Tables of absolute positions, by the names that transformers gives them.
_TABLES = frozenset({"wpe", "position_embeddings", "positions_embed", "embed_positions"})
_ELSEWHERE = ("vision", "image", "visual", "audio")  # parts of a model that read no text
_FACTORS = frozenset({"linear", "dynamic", "yarn", "longrope", "llama3"})  # ways to stretch rotary positions
_SANE = 10**8  # tokenizers without a limit write 10³⁰
_UNKNOWN = 2048
_ENDLESS = 131_072  # for a state of one size, which has no limit: enough to be none, and still a number to show


def limit(model: Any, tokenizer: Any) -> tuple[int, bool]:
    """The context length in tokens, and whether the model itself cannot read more.

    Where it could (ALiBi, a recurrent state), the number is what its makers trained it on, or a default of ours.
    """
    config = model.config.get_text_config(decoder=True)
    table = _table(model)
    if table is not None:
        return table, True
    endless = bool(getattr(model, "_is_stateful", False))
    trained = "context_length" if endless else ""  # RWKV was trained on so many, and reads on
    names = [name for name in NAMES if trained not in (name, config.attribute_map.get(name))]
    told = next((found for name in names if (found := _count(getattr(config, name, None))) is not None), None)
    own = _count(getattr(tokenizer, "model_max_length", None))
    if told is not None:
        return _stretched(config, told, own), not _slopes(config)
    return own or (_ENDLESS if endless else _UNKNOWN), False


def _table(model: nn.Module) -> int | None:
    """How many positions the smallest table holds; None where positions are counted in another way."""
    held = [
        module.num_embeddings - _offset(module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding)
        and name.rpartition(".")[2] in _TABLES
        and not any(part in name for part in _ELSEWHERE)
    ]
    return min(held, default=None)


def _offset(table: nn.Embedding) -> int:
    """Rows before the first position: OPT's and BART's, or up to the padding's as in RoBERTa."""
    own = getattr(table, "offset", None)
    if isinstance(own, int):
        return own
    return 0 if table.padding_idx is None else table.padding_idx + 1


def _count(value: Any) -> int | None:
    sane = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _SANE
    return value if sane else None


def _slopes(config: Any) -> bool:
    """Whether attention decreases with the distance (ALiBi, arXiv 2108.12409), which has no last position."""
    return bool(getattr(config, "alibi", False)) or config.model_type == "bloom"


def _stretched(config: Any, told: int, own: int | None) -> int:
    """The configured length times the factor that scales rotary positions, unless it includes the factor already.

    Position interpolation is arXiv 2306.15595, YaRN arXiv 2309.00071, LongRoPE arXiv 2402.13753. As in other engines,
    the configured length counts as the original one where the configuration names none, unless the tokenizer's own
    limit (`own`) equals it. A length below the original one is taken as it is. Scalings of single kinds of layers are
    included in the configured length.
    """
    rope = getattr(config, "rope_parameters", None) or {}
    factor = rope.get("factor")
    if rope.get("rope_type") not in _FACTORS or not isinstance(factor, int | float):
        return told
    original = _count(rope.get("original_max_position_embeddings"))
    if told < (original or 0) or (original is None and own == told):
        return told
    return max(told, int((original or told) * factor))
