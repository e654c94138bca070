"""The stage that holds a text to a form: whatever would make the form impossible goes to −∞.

It reads off the ids before a position how far the text has come, so it can be asked about any position in any order,
and stepping back needs no word to it. Knows no row and no prompt.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from playground.parameters.grammar import LIMITS, grammar_of
from playground.sampling.sampler import Sampler
from playground.types import InvalidRequest, Refused, Text

_LONGEST = 1.0  # seconds of CPU time for the tokens that may come next: far beyond what `LIMITS` lets any of them take


class Form(Sampler):
    """Allows every token with which the text can still become whole, and the end of text only where it is."""

    binding = True

    def __init__(self, matcher: LLMatcher, prompt_length: int) -> None:
        self._matcher, self._start = matcher, prompt_length
        self._read: list[int] = []
        self._astray = False

    def processor(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """The scores [1, vocab] without the tokens that no text of this form has behind these ids [1, length]."""
        self._read_on(input_ids)
        if self._astray:
            return scores
        before = time.thread_time()
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        if time.thread_time() - before > _LONGEST:
            raise RuntimeError("the form takes too long for each token")
        if self._matcher.is_error():
            raise RuntimeError(f"the form: {self._matcher.get_error().splitlines()[0]}")
        allowed = np.zeros(scores.shape[-1], dtype=np.uint8)
        unpacked = np.unpackbits(bits, bitorder="little")[: len(allowed)]
        allowed[: len(unpacked)] = unpacked
        return scores.masked_fill(torch.from_numpy(allowed == 0).to(scores.device), -torch.inf)

    def whole(self, input_ids: Tensor) -> bool:
        """Whether the text may end behind these ids [1, length]."""
        self._read_on(input_ids)
        return not self._astray and bool(self._matcher.is_accepting())

    def _read_on(self, input_ids: Tensor) -> None:
        """Brings the matcher to the end of the answer [1, length] in `input_ids`.

        A text written under other settings may have left the form; then nothing more is said of it.
        """
        wanted = input_ids[0, self._start :].tolist()
        same = _same(self._read, wanted)
        if same < len(self._read):
            self._matcher.rollback(len(self._read) - same)
            del self._read[same:]
            self._astray = False
        if self._astray or len(wanted) == same:
            return
        fits = self._matcher.validate_tokens(wanted[same:])
        self._matcher.consume_tokens(wanted[same : same + fits])
        self._read += wanted[same : same + fits]
        self._astray = same + fits < len(wanted)


def form(
    json_schema: str,
    regex: str,
    one_of: Sequence[str],
    grammar: str,
    tokenizer: Any,
    eos_token_id: list[int],
    vocab_size: int,
    prompt_length: int,
    written: str,
) -> Form | None:
    """The stage for the one form that is asked for. `written` is what the text already holds of it.

    Raises Refused where this model's tokens cannot be held to a form, InvalidRequest where no text can have it.
    """
    asked = {"json_schema": json_schema, "regex": regex, "one_of": one_of, "grammar": grammar}
    rules = grammar_of(asked)
    if rules is None:
        return None
    name = next(name for name, value in asked.items() if value)
    if not eos_token_id:
        raise Refused(
            Text(f"{name}: this model has no end-of-text token.", f"{name}：此模型没有结束词元。"), parameter=name
        )
    vocabulary = _vocabulary(tokenizer, tuple(eos_token_id), vocab_size)
    if vocabulary is None:
        raise Refused(
            Text(f"{name} does not work with this model's tokenizer.", f"{name} 不适用于此模型的分词器。"),
            parameter=name,
        )
    matcher = _compiled(vocabulary, rules).deep_copy()
    before = vocabulary.tokenize_str(written) if written else []
    if matcher.validate_tokens(before) < len(before) or not matcher.consume_tokens(before):
        raise InvalidRequest(
            Text(f"{name}: the text so far does not have this form.", f"{name}：已有的文本不符合这种形式。"),
            Text("Empty it to go on freely.", "清空它即可自由续写。"),
            parameter=name,
        )
    trial = matcher.deep_copy()
    trial.compute_bitmask()
    if trial.is_error():
        raise InvalidRequest(
            Text(f"{name}: no text can have this form.", f"{name}：没有文本能符合这种形式。"), parameter=name
        )
    return Form(matcher, prompt_length)


def _same(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids both begin with."""
    if one == other[: len(one)]:
        return len(one)
    return next(at for at, pair in enumerate(zip(one, [*other, None], strict=False)) if pair[0] != pair[1])


@lru_cache(maxsize=8)
def _compiled(vocabulary: LLTokenizer, rules: str) -> LLMatcher:
    """The grammar at its beginning, to be copied: the rows of a request and those that come after share the work."""
    return LLMatcher(vocabulary, rules, log_level=0, limits=LIMITS)


@lru_cache(maxsize=4)
def _vocabulary(tokenizer: Any, eos: tuple[int, ...], size: int) -> LLTokenizer | None:
    """A third of a second for 49,000 tokens, so it is remembered. None for a tokenizer that is not written in Rust."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        return None
    return from_tokenizer(tokenizer, n_vocab=max(size, len(tokenizer)), eos_token=list(eos))
