"""The registry's parameters as fields of llama.cpp's /completion: names, neutral values, and what cannot be said there.

Knows no connection.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.generators.remote.engine_tokenizer import EngineTokenizer
from playground.rendering.spellings import forms
from playground.types import Refused, Text

# Our stages as llama.cpp's samplers; what has no sampler there is done before all of them or not at all.
_SAMPLERS: Mapping[str, str] = {
    "repetition_penalty": "penalties",
    "frequency_penalty": "penalties",
    "presence_penalty": "penalties",
    "dry": "dry",
    "top_n_sigma": "top_n_sigma",
    "top_k": "top_k",
    "typical_p": "typ_p",
    "top_p": "top_p",
    "min_p": "min_p",
    "xtc": "xtc",
    "temperature": "temperature",
    "dynatemp": "temperature",
}

HONOURED = frozenset({
    "temperature", "dynatemp_low", "dynatemp_high", "dynatemp_exponent",
    "top_k", "top_p", "min_p", "typical_p", "top_n_sigma", "xtc_probability", "xtc_threshold", "min_tokens_to_keep",
    "mirostat_tau", "mirostat_eta", "adaptive_target", "adaptive_decay",
    "repetition_penalty", "repetition_penalty_range", "presence_penalty", "frequency_penalty",
    "dry_multiplier", "dry_base", "dry_allowed_length", "dry_range", "dry_breakers",
    "logit_bias", "logit_bias_ids", "suppress_tokens", "ignore_eos",
    "json_schema", "one_of", "grammar",
    "max_new_tokens", "stop", "max_time", "n", "seed", "order",
})  # fmt: skip


def fields(values: Mapping[str, Any], tokenizer: EngineTokenizer | None, context: int) -> dict[str, Any]:
    """Every sampling field, neutral ones too: what is left out would be the server's own choice.

    `tokenizer` is needed for biased texts only. `context` in tokens stands for a window over the whole text.
    """
    low, high = values["dynatemp_low"], values["dynatemp_high"]
    dynamic = high != 0
    mirostat = values["mirostat_tau"] != 0
    return {
        "temperature": (low + high) / 2 if dynamic else values["temperature"],
        "dynatemp_range": abs(high - low) / 2 if dynamic else 0.0,
        "dynatemp_exponent": values["dynatemp_exponent"],
        "top_k": values["top_k"],
        "top_p": values["top_p"],
        "min_p": values["min_p"],
        "typical_p": values["typical_p"],
        "top_n_sigma": values["top_n_sigma"] or -1.0,
        "xtc_probability": values["xtc_probability"],
        "xtc_threshold": values["xtc_threshold"],
        "min_keep": values["min_tokens_to_keep"],
        "mirostat": 2 if mirostat else 0,
        "mirostat_tau": values["mirostat_tau"] if mirostat else 5.0,
        "mirostat_eta": values["mirostat_eta"],
        "adaptive_target": values["adaptive_target"] or -1.0,
        "adaptive_decay": values["adaptive_decay"],
        "repeat_penalty": values["repetition_penalty"],
        "repeat_last_n": values["repetition_penalty_range"] or context,
        "presence_penalty": values["presence_penalty"],
        "frequency_penalty": values["frequency_penalty"],
        "dry_multiplier": values["dry_multiplier"],
        "dry_base": values["dry_base"],
        "dry_allowed_length": values["dry_allowed_length"],
        "dry_penalty_last_n": values["dry_range"] or context,
        "dry_sequence_breakers": values["dry_breakers"],
        "logit_bias": _biases(values, tokenizer),
        "ignore_eos": values["ignore_eos"],
        "samplers": samplers(values),
        **_form(values),
    }


def samplers(values: Mapping[str, Any]) -> list[str]:
    """The order of the stages in llama.cpp's names."""
    found = list(dict.fromkeys(_SAMPLERS[one] for one in parameters.stages(values["order"]) if one in _SAMPLERS))
    return [*found, "adaptive_p"] if values["adaptive_target"] else found


_SEVERAL = Text(
    "{title}: {text} takes several tokens, and llama.cpp biases single ones only.",
    "{title}：{text} 由多个词元组成，而 llama.cpp 只能调整单个词元。",
)


def check(values: Mapping[str, Any], tokenizer: EngineTokenizer) -> None:
    """Raises Refused for what the fields cannot say, by the parameter's name."""
    for text in values["logit_bias"]:
        if not _single(text, tokenizer):
            raise Refused(
                _SEVERAL.filled(title=parameters.title_of("logit_bias"), text=repr(text)),
                Text("Name a shorter text, or token ids.", "请使用更短的文本，或直接给出词元编号。"),
                parameter="logit_bias",
            )


def _biases(values: Mapping[str, Any], tokenizer: EngineTokenizer | None) -> list[list[Any]]:
    """Pairs of a token id and what is added to its score; false rules it out."""
    found: dict[int, Any] = {}
    for text, bias in values["logit_bias"].items():
        for token_id in _single(text, tokenizer):
            found.setdefault(token_id, float(bias))
    found.update((int(number), float(bias)) for number, bias in values["logit_bias_ids"].items())
    found.update((number, False) for number in values["suppress_tokens"])
    return [[number, bias] for number, bias in found.items()]


def _single(text: str, tokenizer: EngineTokenizer | None) -> list[int]:
    """The tokens that write a text by themselves, with a space before it or without one."""
    ways = [] if tokenizer is None else [tokenizer.encode(form) for form in forms(text)]
    return [way[0] for way in ways if len(way) == 1]


def _form(values: Mapping[str, Any]) -> dict[str, Any]:
    if values["json_schema"]:
        return {"json_schema": json.loads(values["json_schema"])}
    if values["one_of"]:
        return {"grammar": "root ::= " + " | ".join(_quoted(one) for one in values["one_of"])}
    return {"grammar": values["grammar"]}


def _quoted(text: str) -> str:
    """A text as GBNF writes it."""
    signs = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(signs.get(sign, sign) for sign in text) + '"'
