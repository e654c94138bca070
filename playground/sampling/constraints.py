"""Samplers that forbid or favour certain tokens: biases, bans, the length of the answer.

transformers' own processors where it has them; what they compute stays the same to the bit. Knows no row and no model.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import (
    ExponentialDecayLengthPenalty,
    MinNewTokensLengthLogitsProcessor,
    NoBadWordsLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
)

from playground.rendering.spellings import sequence_bias, spellings_of
from playground.sampling.candidates import Candidates
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, banned, explain_forbidden, same, score
from playground.types import InvalidRequest, Text

SURE = 1e30
"""The score of an end of text that no other token can outweigh, far enough from infinity to be divided."""
_SHOWN = 60  # characters of a text in a sentence


class _Forbids(Sampler):
    """Removes tokens by their ids."""

    def explain(self, io: StageIO) -> Text | None:
        return banned(io)

    def explain_removal(self, io: StageIO, token: int) -> Text:
        return explain_forbidden(io, token)


class _Ban(_Forbids):
    """Forbids the tokens `ids` [count] wherever `active` says so."""

    columns = ()
    ids: Tensor

    def active(self, length: int) -> bool:
        """Behind so many ids of prompt and answer."""
        return True

    def apply(self, candidates: Candidates) -> None:
        lengths = [len(ids) for ids in candidates.histories] or [0]
        none = self.ids[:0]
        banned = [self.of(row).ids if self.of(row).active(length) else none for row, length in enumerate(lengths)]
        candidates.edit(banned, lambda _: -math.inf)


class SuppressTokens(_Ban):
    """z = −∞ for the named tokens, everywhere."""

    def __init__(self, suppress_tokens: Sequence[int], device: torch.device) -> None:
        self.processor = SuppressTokensLogitsProcessor(suppress_tokens, device=device)
        self.ids = self.processor.suppress_tokens


class SuppressTokensAtBegin(_Ban):
    """z = −∞ for the named tokens, as the first token of the answer."""

    def __init__(self, begin_suppress_tokens: Sequence[int], begin_index: int, device: torch.device) -> None:
        self.processor = SuppressTokensAtBeginLogitsProcessor(begin_suppress_tokens, begin_index, device=device)
        self.ids = self.processor.begin_suppress_tokens

    def active(self, length: int) -> bool:
        return length == self.processor.begin_index


class IgnoreEos(SuppressTokens):
    """z = −∞ for every end of text."""

    def __init__(self, eos_token_id: Sequence[int], device: torch.device) -> None:
        super().__init__(eos_token_id, device)


class MinNewTokens(_Ban):
    """z = −∞ for every end of text until so many tokens are written."""

    def __init__(
        self, min_new_tokens: int, prompt_length_to_skip: int, eos_token_id: Sequence[int], device: torch.device
    ) -> None:
        self.processor = MinNewTokensLengthLogitsProcessor(
            prompt_length_to_skip, min_new_tokens, list(eos_token_id), device=device
        )
        self.ids = self.processor.eos_token_id

    def active(self, length: int) -> bool:
        return length - self.processor.prompt_length_to_skip < self.processor.min_new_tokens

    def explain(self, io: StageIO) -> Text:
        least = io.settings["min_new_tokens"]
        if io.written >= least:
            return Text(
                f"t = {io.written} ≥ {least}: nothing is forbidden", f"t = {io.written} ≥ {least}：不禁止任何词元"
            )
        found, words = banned(io), f"t = {io.written} < {least}"
        return Text(f"{words}: {found.en}", f"{words}：{found.zh}") if found else same(words)


class ExponentialDecay(Sampler):
    """The end of text becomes likelier with each token: z += |z| · (f^(t − start) − 1)."""

    def __init__(self, factor: float, start: int, eos_token_id: Sequence[int], input_ids_seq_length: int) -> None:
        self._own = ExponentialDecayLengthPenalty((start, factor), list(eos_token_id), input_ids_seq_length)

    def processor(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """transformers' own on scores [1, vocab]; makes the end certain where the power is too large for a float."""
        try:
            pulled = self._own(input_ids, scores)
        except OverflowError:
            pulled = scores.clone()
            pulled[:, self._own.eos_token_id] = SURE
        # An end of text that was forbidden stays so; one that became infinite is merely certain.
        pulled = pulled.nan_to_num(nan=SURE, posinf=SURE, neginf=-math.inf)
        return torch.where(torch.isneginf(scores), scores, pulled)

    def explain(self, io: StageIO) -> Text:
        start, factor = io.settings["exponential_decay_start"], io.settings["exponential_decay_factor"]
        token = io.example
        if token is None:
            return Text(f"t = {io.written} ≤ {start}: not yet", f"t = {io.written} ≤ {start}：尚未开始")
        before = float(io.entered[token])
        return io.equation(
            token, f"{score(before)} + {score(abs(before))} · ({factor:g}^({io.written} − {start}) − 1)"
        )


class LogitBias(Sampler):
    """z += bias for texts, in every way in which the vocabulary writes them, and for token ids; `sequence_bias` says
    what counts where several meet. Raises InvalidRequest where the vocabulary cannot write a text."""

    def __init__(
        self,
        logit_bias: Mapping[str, float],
        tokenizer: Any,
        vocab_size: int = sys.maxsize,
        logit_bias_ids: Mapping[str, float] | None = None,
    ) -> None:
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
        self.processor = SequenceBiasLogitsProcessor([[list(ids), bias] for ids, bias in biases.items()])

    def explain(self, io: StageIO) -> Text | None:
        token = io.example
        if token is None:
            return None
        more = float(io.left[token] - io.entered[token])
        return io.equation(token, f"{score(io.entered[token])} {'−' if more < 0 else '+'} {abs(more):.4g}")


class BadWords(_Forbids):
    """z = −∞ for the last token of each named sequence, where the others stand before it.

    Raises InvalidRequest where only the end of text is named, which transformers lets nobody forbid here.
    """

    def __init__(self, bad_words_ids: list[list[int]], eos_token_id: list[int]) -> None:
        if all(len(ids) == 1 and ids[0] in eos_token_id for ids in bad_words_ids):
            raise InvalidRequest(
                Text("bad_words_ids cannot forbid the end of text.", "bad_words_ids 不能禁止文本结束词元。"),
                Text("Use ignore_eos for that.", "请改用 ignore_eos。"),
                parameter="bad_words_ids",
            )
        self.processor = NoBadWordsLogitsProcessor(bad_words_ids, eos_token_id)
