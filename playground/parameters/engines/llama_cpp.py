"""llama.cpp's server at its own `/completion`: what it takes of our parameters. Tried with xllamacpp 2026.10."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.parameters.engines.field import OMIT, Engine, Field, parsed, same
from playground.parameters.engines.token_bans import single_ids
from playground.parameters.grammar import lark
from playground.parameters.parameter import Value
from playground.types import Refused, Text

_ALL_TOKENS = 1_000_000
"""More than any text has: its windows end at 0 ("off") and take no "all"."""
_SEEDS = 2**32 - 1  # of 32 bits, and the largest means "any"
_NEVER_WRITTEN = "\ufdd0"  # a noncharacter: no text has it, and an empty list of breakers is refused
_NAMES = {
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
    "dynatemp": "temperature",
    "temperature": "temperature",
}
_PROMPT_TOO = Text("counts the tokens of the prompt too", "也计入提示词中的词元")
_OWN_CHAIN = Text("refused beside a penalty, which it would leave out", "不能与惩罚同用，否则惩罚会被略过")
_LEFT_OUT = ("repetition_penalty", "presence_penalty", "frequency_penalty", "dry_multiplier", "dynatemp_high")
_GUIDANCE = Text("only in a build with llguidance; others refuse it", "仅限带有 llguidance 的构建；其他构建会拒绝")
_NEWLINE = Text("also where it removes a line break or the end of the text", "即使会去掉换行或文本结束也照样执行")


def _samplers(order: Value, values: Mapping[str, Value]) -> Any:
    """Its list of samplers in our order. It holds every one that we have there too, for one that is left out is off.

    Both temperatures are one sampler there, which stands where the one stands that acts.
    """
    idle = "temperature" if values["dynatemp_high"] else "dynatemp"
    names = dict.fromkeys(_NAMES[stage] for stage in parameters.stages(order) if stage in _NAMES and stage != idle)
    return [*names, *(["adaptive_p"] if values["adaptive_target"] else [])]


def _middle(value: Value, values: Mapping[str, Value]) -> Any:
    """Its dynamic temperature is a middle and a range around it, ours has two ends."""
    high, low = values["dynatemp_high"], values["dynatemp_low"]
    return (high + low) / 2 if high else value


def _half_range(high: Value, values: Mapping[str, Value]) -> Any:
    low = values["dynatemp_low"]
    if high and high < low:
        title = parameters.title_of("dynatemp_high")
        raise Refused(
            Text(
                f"{title.en} is below the low end; llama.cpp cannot turn the range round.",
                f"{title.zh}小于下限；llama.cpp 无法反转范围。",
            ),
            Text(f"Raise it to {low:g} at least.", f"请至少调到 {low:g}。"),
            parameter="dynatemp_high",
        )
    return (high - low) / 2 if high else 0.0


def _alone(tau: Value, values: Mapping[str, Value]) -> Any:
    """With Mirostat it runs biases and temperature and nothing else, and says nothing of that."""
    known = parameters.by_name()
    for name in _LEFT_OUT if tau else ():
        if not known[name].is_neutral(values[name]):
            title, mirostat = known[name].title, known["mirostat_tau"].label
            raise Refused(
                Text(
                    f"{title.en}: with Mirostat, llama.cpp leaves it out.",
                    f"{title.zh}：使用 Mirostat 时，llama.cpp 会略过它。",
                ),
                Text(f"Set it back to neutral, or {mirostat.en} to 0.", f"请将其调回中性值，或将{mirostat.zh}设为 0。"),
                parameter=name,
            )
    return tau


def _window(value: Value, _: Mapping[str, Value]) -> Any:
    return value or _ALL_TOKENS


def _choice(value: Value, _: Mapping[str, Value]) -> Any:
    """In its own grammar language, which every build reads."""
    return "root ::= " + " | ".join(json.dumps(text, ensure_ascii=False) for text in value) if value else OMIT


def _guided(name: str) -> Any:
    def write(value: Value, _: Mapping[str, Value]) -> Any:
        return f"%llguidance {{}}\n{lark(name, value)}" if value else OMIT

    return write


LLAMA_CPP = Engine(
    name="llama.cpp",
    title=Text("llama.cpp", "llama.cpp"),
    fields={
        "temperature": Field(name="temperature", write=_middle),
        "dynatemp_high": Field(name="dynatemp_range", write=_half_range),
        "dynatemp_low": Field(name="dynatemp_range", write=lambda *_: OMIT),
        **same("dynatemp_exponent", "top_k", "top_p", "min_p", "typical_p"),
        "top_n_sigma": Field(name="top_n_sigma", off=-1.0),
        "xtc_probability": Field(name="xtc_probability", note=_NEWLINE),
        "xtc_threshold": Field(name="xtc_threshold"),
        "min_tokens_to_keep": Field(name="min_keep", off=0, note=Text("not by top_k", "对 top_k 无效")),
        "mirostat_tau": Field(name="mirostat_tau", write=_alone, note=_OWN_CHAIN),
        "mirostat_eta": Field(name="mirostat_eta"),
        "adaptive_target": Field(name="adaptive_target", off=-1.0),
        **same("adaptive_decay"),
        "repetition_penalty": Field(name="repeat_penalty"),
        "repetition_penalty_range": Field(
            name="repeat_last_n", write=_window, note=Text("bounds presence and frequency too", "也限制存在与频率惩罚")
        ),
        **same("presence_penalty", "frequency_penalty", note=_PROMPT_TOO),
        **same("dry_multiplier", "dry_base", "dry_allowed_length"),
        "dry_range": Field(name="dry_penalty_last_n", write=_window),
        "dry_breakers": Field(name="dry_sequence_breakers", write=lambda value, _: list(value) or [_NEVER_WRITTEN]),
        "bad_words_ids": Field(
            name="logit_bias", write=lambda value, _: [[token, False] for token in single_ids("llama.cpp", value)]
        ),
        "logit_bias_ids": Field(
            name="logit_bias", write=lambda value, _: [[int(token), bias] for token, bias in value.items()]
        ),
        "suppress_tokens": Field(name="logit_bias", write=lambda value, _: [[token, False] for token in value]),
        "ignore_eos": Field(name="ignore_eos"),
        "json_schema": Field(name="json_schema", write=parsed),
        "regex": Field(name="grammar", write=_guided("regex"), note=_GUIDANCE),
        "one_of": Field(name="grammar", write=_choice),
        "grammar": Field(name="grammar", write=_guided("grammar"), note=_GUIDANCE),
        "max_new_tokens": Field(name="n_predict"),
        "stop": Field(name="stop"),
        "seed": Field(name="seed", off=-1, write=lambda value, _: value % _SEEDS),
        "order": Field(name="samplers", write=_samplers),
    },
    reasons={
        "banned_phrases": Text("llama.cpp never steps back in a text.", "llama.cpp 不会在文字中回退。"),
        "begin_suppress_tokens": Text(
            "llama.cpp bans a token for the whole text, not for its beginning only.",
            "llama.cpp 只能在整段文字中禁用词元，不能只在开头禁用。",
        ),
    },
    more=lambda values: {"mirostat": 2 if values["mirostat_tau"] else 0},
)
