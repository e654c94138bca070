"""The ways in which a vocabulary writes a text: each token that is the text, and several that make it up.

Knows no request. A text is meant wherever it stands: with a space before it and without one.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from playground.rendering.detokenize import BYTE_SIGNS, Labels

Way = tuple[int, ...]
_BEFORE = ("\n", "(", ".")  # something that ends a word, so that a text behind it begins one without a space
_REMEMBERED = 512  # texts
_SPELLINGS: weakref.WeakKeyDictionary[Any, Spellings] = weakref.WeakKeyDictionary()


class Spellings:
    """The ways of one vocabulary, each text's remembered."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = weakref.proxy(tokenizer)  # so that a cache keyed by the tokenizer does not keep it alive
        self._labels = Labels(self._tokenizer)
        self.ways = lru_cache(_REMEMBERED)(self._ways)

    def _ways(self, text: str) -> tuple[Way, ...]:
        """Every way to write exactly this, the one that the tokenizer itself takes first."""
        found = dict.fromkeys([*self._taken(text), *self._single(text)])
        return tuple(way for way in found if way and self._writes(way, text))

    def _taken(self, text: str) -> Iterator[Way]:
        """As the tokenizer writes it alone, which may put a space before it, and behind something else."""
        yield self._ids(text)
        for before in _BEFORE:
            start, whole = self._ids(before), self._ids(before + text)
            if whole[: len(start)] == start:
                yield whole[len(start) :]

    def _single(self, text: str) -> Iterator[Way]:
        """Tokens whose entry can stand for the text, as the kinds of vocabularies write their entries."""
        data = text.encode()
        names = [text, text.replace(" ", "▁"), "".join(BYTE_SIGNS[byte] for byte in data), f"{text}</w>"]
        if len(data) == 1:
            names.append(f"<0x{data[0]:02X}>")
        for name in names:
            number = self._tokenizer.convert_tokens_to_ids(name)
            if isinstance(number, int) and self._tokenizer.convert_ids_to_tokens(number) == name:
                yield (number,)

    def _writes(self, way: Way, text: str) -> bool:
        """Whether these tokens are this text, bytes that are half a character included."""
        if len(way) == 1:
            return self._label(way[0]) == text
        before = self._ids(_BEFORE[0])
        return self._decoded([*before, *way]) == self._decoded(before) + text

    def _label(self, token: int) -> str:
        name = self._tokenizer.convert_ids_to_tokens(token)
        return " " * len(name) if name and not name.strip("▁") else self._labels[token]

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)
        return text

    def _ids(self, text: str) -> Way:
        return tuple(self._tokenizer(text, add_special_tokens=False).input_ids)


def forms(text: str) -> tuple[str, ...]:
    """The text as typed and, unless it begins with a space itself, behind a space."""
    return (text,) if text[0].isspace() else (text, " " + text)


def sequence_bias(
    texts: Mapping[str, float], numbers: Mapping[str, float], spellings: Spellings, size: int
) -> dict[Way, float]:
    """What is added to the last token of each sequence where the others stand before it.

    A text counts in every way to write it. Where it takes several tokens, a number above 0 counts for each of them once
    those before it stand, so that the text is begun and gone on with; one below 0 for the last, so that it is not
    finished, and words that begin alike stay free. Where several entries meet in one token, an id counts before a text,
    a text as typed before one behind a space, a whole text before the beginning of one, and of those the larger number.
    """
    whole: dict[Way, float] = {}
    parts: dict[Way, float] = {}
    pairs = [(form, bias, place) for text, bias in texts.items() for place, form in enumerate(forms(text))]
    for form, bias, _ in sorted(pairs, key=lambda pair: pair[2]):  # all as typed first
        for way in spellings.ways(form):
            if max(way) >= size:
                continue
            whole.setdefault(way, float(bias))
            for length in range(1, len(way) if bias > 0 else 0):
                parts[way[:length]] = max(parts.get(way[:length], 0.0), float(bias))
    return {**parts, **whole, **{(int(number),): float(bias) for number, bias in numbers.items()}}


def spellings_of(tokenizer: Any) -> Spellings:
    """The ways in which this tokenizer's vocabulary writes texts, kept as long as the tokenizer is."""
    if tokenizer not in _SPELLINGS:
        _SPELLINGS[tokenizer] = Spellings(tokenizer)
    return _SPELLINGS[tokenizer]


def biased_ways(
    tokenizer: Any, labels: Labels, values: Mapping[str, Any], rows: int | None = None
) -> dict[str, dict[str, list[list[tuple[int, str]]]]]:
    """For each text and each id that these values bias, every way to write it: the tokens with their ids and texts.

    Tokens from `rows` on have no place in the model.
    """
    spellings, size = spellings_of(tokenizer), len(tokenizer) if rows is None else rows
    texts = {text: [way for form in forms(text) for way in spellings.ways(form)] for text in values["logit_bias"]}
    ids = {number: [(int(number),)] for number in values["logit_bias_ids"]}
    return {
        name: {
            key: [[(one, labels[one]) for one in way] for way in ways if max(way) < size] for key, ways in found.items()
        }
        for name, found in (("logit_bias", texts), ("logit_bias_ids", ids))
        if found
    }


def breaker_ids(tokenizer: Any, breakers: Sequence[str]) -> frozenset[int]:
    """Every token whose text contains a breaker, and the last token of one that takes several."""
    return _breaker_ids(tokenizer, tuple(breakers))


@lru_cache(maxsize=8)
def _breaker_ids(tokenizer: Any, breakers: tuple[str, ...]) -> frozenset[int]:
    """Looking through a whole vocabulary takes a twentieth of a second; every row of every request asks."""
    texts = _vocabulary(tokenizer) if breakers else ()
    holding = {token for token, text in enumerate(texts) if any(breaker in text for breaker in breakers)}
    # A letter before it keeps tokenizers from adding a space of their own.
    ends = {tokenizer("a" + breaker, add_special_tokens=False).input_ids[-1] for breaker in breakers}
    return frozenset(holding | ends)


@lru_cache(maxsize=2)
def _vocabulary(tokenizer: Any) -> tuple[str, ...]:
    """The text of every token: a third of a second for 49,000, so it is remembered for the models in use."""
    return tuple(tokenizer.batch_decode([[token] for token in range(len(tokenizer))]))
