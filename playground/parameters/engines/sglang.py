"""SGLang's OpenAI-compatible server: what it takes of our parameters. Read in the code of 0.5.23, not run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.parameters.engines.field import OMIT, Engine, Field, if_set, response_format
from playground.parameters.engines.token_bans import BAN_NOTE, banned_by_bias, single_ids_by_bias
from playground.parameters.parameter import Value
from playground.types import Refused, Text

SEED_NEEDS = Text(
    "SGLang ignores a seed unless it is started with --enable-deterministic-inference.",
    "除非以 --enable-deterministic-inference 启动，否则 SGLang 会忽略种子。",
)


def _of_the_answer(value: Value, values: Mapping[str, Value]) -> Any:
    """Its penalty sees what was written, never the prompt. Raises Refused where the prompt is meant too."""
    if value != 1 and values["repetition_penalty_scope"] != "output":
        title, scope = parameters.title_of("repetition_penalty"), parameters.title_of("repetition_penalty_scope")
        raise Refused(
            Text(f"{title.en}: SGLang looks at the answer only.", f"{title.zh}：SGLang 只看回答中的词元。"),
            Text(f"Set {scope.en} to answer only.", f"请将{scope.zh}设为“仅回答”。"),
            parameter="repetition_penalty",
        )
    return value


SGLANG = Engine(
    name="SGLang",
    title=Text("SGLang", "SGLang"),
    fields={
        "temperature": Field(name="temperature"),
        "top_k": Field(name="top_k", off=-1),
        "top_p": Field(name="top_p", low=0.0, above_low=True),
        "min_p": Field(name="min_p"),
        "repetition_penalty": Field(name="repetition_penalty", high=2.0, write=_of_the_answer),
        "repetition_penalty_scope": Field(
            name="repetition_penalty", write=lambda *_: OMIT, note=Text("answer only", "仅回答")
        ),
        "presence_penalty": Field(name="presence_penalty", low=-2.0, high=2.0),
        "frequency_penalty": Field(name="frequency_penalty", low=-2.0, high=2.0),
        "bad_words_ids": Field(name="logit_bias", write=single_ids_by_bias("SGLang"), note=BAN_NOTE),
        "logit_bias_ids": Field(name="logit_bias", write=lambda value, _: dict(value)),
        "suppress_tokens": Field(name="logit_bias", write=banned_by_bias, note=BAN_NOTE),
        "ignore_eos": Field(name="ignore_eos"),
        "json_schema": Field(name="response_format", write=response_format),
        "regex": Field(name="regex", write=if_set),
        "one_of": Field(name="regex", write=lambda value, _: "|".join(map(re.escape, value)) if value else OMIT),
        "max_new_tokens": Field(name="max_tokens"),
        "min_new_tokens": Field(name="min_tokens"),
        "stop": Field(name="stop"),
        "seed": Field(name="seed", write=lambda value, _: OMIT if value < 0 else value, note=SEED_NEEDS),
    },
    reasons={
        "order": Text(
            "SGLang has an order of its own: penalties, temperature, then top_k, top_p and min_p.",
            "SGLang 按自己的顺序执行：惩罚，温度，再 top_k、top_p 与 min_p。",
        ),
        "grammar": Text(
            "SGLang reads grammars as EBNF, not in the Lark dialect used here.",
            "SGLang 使用 EBNF 语法，而不是这里的 Lark 写法。",
        ),
        "num_beams": Text("SGLang does not stream a beam search.", "SGLang 的束搜索不支持流式输出。"),
    },
)
