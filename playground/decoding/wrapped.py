"""transformers' own processors where a parameter's value needs another shape, or where theirs fall over an edge.

What they compute stays bit-identical wherever `generate()` computes anything. Knows no request and no model.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import (
    ExponentialDecayLengthPenalty,
    LogitsProcessor,
    NoBadWordsLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    WatermarkLogitsProcessor,
)

from playground.decoding.spellings import Spellings, sequence_bias
from playground.types import InvalidRequest, Text

COLDEST = 1e-5
"""Below this a division would make scores infinite; the most likely token is long certain by then."""

SURE = 1e30
"""The score of an end of text that no other token can outweigh, far enough from infinity to be divided."""


def temperature_warper(temperature: float) -> LogitsProcessor:
    return TemperatureLogitsWarper(max(temperature, COLDEST))


class ExponentialDecay(ExponentialDecayLengthPenalty):
    """Takes two numbers in place of a tuple, and makes the end certain where the power is too large for a float."""

    def __init__(self, factor: float, start: int, eos_token_id: list[int], input_ids_seq_length: int) -> None:
        super().__init__((start, factor), eos_token_id, input_ids_seq_length)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        try:
            pulled: Tensor = super().__call__(input_ids, scores)
        except OverflowError:
            pulled = scores.clone()
            pulled[:, self.eos_token_id] = SURE
        # An end of text that was forbidden stays so; one that became infinite is merely certain.
        pulled = pulled.nan_to_num(nan=SURE, posinf=SURE, neginf=-math.inf)
        return torch.where(torch.isneginf(scores), scores, pulled)


class Watermark(WatermarkLogitsProcessor):
    """Survives a step at which self hash finds no green token: transformers then indexes with a list of floats."""

    def _score_rejection_sampling(self, input_seq: Tensor, scores: Tensor) -> Tensor:
        found: Tensor = super()._score_rejection_sampling(input_seq, scores)
        return found.long()


_SHOWN = 60  # characters of a text in a sentence
_SPELLINGS: WeakKeyDictionary[Any, Spellings] = WeakKeyDictionary()


def spellings_of(tokenizer: Any) -> Spellings:
    """The ways in which this tokenizer's vocabulary writes texts, kept as long as the tokenizer is."""
    if tokenizer not in _SPELLINGS:
        _SPELLINGS[tokenizer] = Spellings(tokenizer)
    return _SPELLINGS[tokenizer]


def logit_bias(
    logit_bias: Mapping[str, float],
    tokenizer: Any,
    vocab_size: int = sys.maxsize,
    logit_bias_ids: Mapping[str, float] | None = None,
) -> LogitsProcessor:
    """Texts in every way the vocabulary writes them, and token ids; `sequence_bias` says what meets where."""
    biases = sequence_bias(logit_bias, logit_bias_ids or {}, spellings_of(tokenizer), vocab_size)
    for text, bias in logit_bias.items():
        if not sequence_bias({text: bias}, {}, spellings_of(tokenizer), vocab_size):
            raise InvalidRequest(
                Text(
                    f"logit_bias: the model has no tokens for {text[:_SHOWN]!r}.",
                    f"logit_bias：模型没有与 {text[:_SHOWN]!r} 对应的词元。",
                ),
                Text("Leave it out.", "请删去它。"),
                parameter="logit_bias",
            )
    return SequenceBiasLogitsProcessor([[list(ids), bias] for ids, bias in biases.items()])


def bad_words(bad_words_ids: list[list[int]], eos_token_id: list[int]) -> LogitsProcessor:
    """transformers lets nobody forbid the end of text here; a list that would then be empty is told, not dropped."""
    if all(len(ids) == 1 and ids[0] in eos_token_id for ids in bad_words_ids):
        raise InvalidRequest(
            Text("bad_words_ids cannot forbid the end of text.", "bad_words_ids 不能禁止文本结束词元。"),
            Text("Use ignore_eos for that.", "请改用 ignore_eos。"),
            parameter="bad_words_ids",
        )
    return NoBadWordsLogitsProcessor(bad_words_ids, eos_token_id)


def ignore_eos(eos_token_id: list[int], device: torch.device) -> LogitsProcessor:
    return SuppressTokensLogitsProcessor(eos_token_id, device=device)
