"""`transformers serve`: what it takes of our parameters, nearly all of it inside `generation_config`. Tried in 5.23."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.parameters.engines.field import OMIT, Engine, Field, Write, if_set
from playground.parameters.parameter import Value
from playground.types import Text

_CONFIG = "generation_config"
_NEVER_BATCHED = Text("alone, one request at a time", "仅在单独运行、逐个请求时")


def _field(name: str, write: Write | None = None, **more: Any) -> Field:
    """It reads this mapping as a JSON text, which is made of it where the request is sent."""
    return Field(name=f"{_CONFIG}.{name}", write=write, **more)


def _same(*names: str) -> dict[str, Field]:
    return {name: _field(name) for name in names}


def _temperature(value: Value, _: Mapping[str, Value]) -> Any:
    return value or 1.0  # 0 is said by do_sample


def _biases(value: Value, _: Mapping[str, Value]) -> Any:
    """Its biases must be floats: integers end in an error of the server."""
    return [[[int(token)], float(bias)] for token, bias in value.items()] if value else OMIT


def _decay(value: Value, values: Mapping[str, Value]) -> Any:
    return [values["exponential_decay_start"], value] if value != 1 else OMIT


def _watermark(value: Value, values: Mapping[str, Value]) -> Any:
    if not value:
        return OMIT
    return {
        "greenlist_ratio": values["watermark_ratio"],
        "bias": values["watermark_bias"],
        "context_width": values["watermark_context_width"],
        "seeding_scheme": values["watermark_seeding"],
    }


def _at_least(value: Value, values: Mapping[str, Value]) -> Any:
    """The end of the text is not known on this side, but may not come before the last token."""
    return values["max_new_tokens"] if values["ignore_eos"] else value


def _beside(name: str) -> dict[str, Field]:
    """Parameters that another writes with itself."""
    return {one: _field(field, lambda *_: OMIT) for one, field in _WRITTEN_BESIDE.items() if field == name}


_WRITTEN_BESIDE = {
    "exponential_decay_start": "exponential_decay_length_penalty",
    "watermark_ratio": "watermarking_config",
    "watermark_bias": "watermarking_config",
    "watermark_context_width": "watermarking_config",
    "watermark_seeding": "watermarking_config",
    "ignore_eos": "min_new_tokens",
}

TRANSFORMERS_SERVE = Engine(
    name="transformers serve",
    title=Text("transformers serve", "transformers serve"),
    fields={
        "temperature": _field("temperature", _temperature),
        **_same("top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"),
        "top_h": _field("top_h", if_set),
        **_same(
            "repetition_penalty",
            "no_repeat_ngram_size",
            "encoder_repetition_penalty",
            "encoder_no_repeat_ngram_size",
        ),
        "bad_words_ids": _field("bad_words_ids", if_set),
        "logit_bias_ids": _field("sequence_bias", _biases),
        "suppress_tokens": _field("suppress_tokens", if_set),
        "begin_suppress_tokens": _field("begin_suppress_tokens", if_set),
        "max_new_tokens": _field("max_new_tokens"),
        "min_new_tokens": _field("min_new_tokens", _at_least),
        **_beside("min_new_tokens"),
        "stop": _field("stop_strings", if_set),
        "exponential_decay_factor": _field("exponential_decay_length_penalty", _decay),
        **_beside("exponential_decay_length_penalty"),
        "guidance_scale": _field("guidance_scale"),
        "watermark": _field("watermarking_config", _watermark),
        **_beside("watermarking_config"),
        "seed": Field(name="seed", write=lambda value, _: OMIT if value < 0 else value, note=_NEVER_BATCHED),
    },
    reasons={
        "order": Text(
            "transformers serve has one order, that of generate().", "transformers serve 只有 generate() 的顺序。"
        ),
        "presence_penalty": Text(
            "transformers serve ignores a presence penalty.", "transformers serve 会忽略存在惩罚。"
        ),
        "frequency_penalty": Text(
            "transformers serve turns a frequency penalty into another one, 1 + x as repetition penalty.",
            "transformers serve 会把频率惩罚变成另一种惩罚：以 1 + x 作为重复惩罚。",
        ),
        "json_schema": Text(
            "transformers serve ignores response_format.", "transformers serve 会忽略 response_format。"
        ),
        "num_beams": Text(
            "transformers serve does not stream a beam search.", "transformers serve 的束搜索不支持流式输出。"
        ),
        "negative_prompt": Text(
            "transformers serve takes no negative prompt over HTTP.", "transformers serve 不通过 HTTP 接收反向提示词。"
        ),
    },
    more=lambda values: {_CONFIG: {"do_sample": values["temperature"] != 0}},
)
