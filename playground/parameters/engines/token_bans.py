"""Bans of single tokens, as engines write them that only know a bias. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.parameters.engines.field import Write
from playground.parameters.parameter import MOST_BIAS, Value
from playground.types import Refused, Text

BAN_NOTE = Text(
    f"by a bias of −{MOST_BIAS}, which leaves the token a probability of practically 0",
    f"通过 −{MOST_BIAS} 的偏置实现，词元的概率实际上为 0",
)


def banned_by_bias(value: Value, _: Mapping[str, Value]) -> Any:
    """`{"17": -100}` for token 17."""
    return {str(token): -MOST_BIAS for token in value}


def single_ids(engine: str, value: Value) -> list[int]:
    """The tokens of a list of one-token sequences. Raises Refused for a longer one, which a bias cannot ban."""
    if any(len(sequence) > 1 for sequence in value):
        title = parameters.title_of("bad_words_ids")
        raise Refused(
            Text(
                f"{title.en}: {engine} bans single tokens only, not a sequence of several.",
                f"{title.zh}：{engine} 只能禁用单个词元，不能禁用由多个词元组成的序列。",
            ),
            Text("Leave the longer ones out.", "请去掉较长的序列。"),
            parameter="bad_words_ids",
        )
    return [token for sequence in value for token in sequence]


def single_ids_by_bias(engine: str) -> Write:
    """The same for a list of one-token sequences."""
    return lambda value, values: banned_by_bias(single_ids(engine, value), values)
