"""Which tokens of a tokenizer steer a model, where they stand in a text, and who wrote them.

Knows no request. A prompt is a list of parts: what a template wrote may steer, what was typed is text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from playground import thinking
from playground.types import Refused, Text

# Added tokens that are no special ones and steer all the same, by how they look. Words, runs of blanks and the tags of
# HTML are added to some vocabularies too, and are text like any other.
_STEERS = re.compile(
    r"<\|.*>|<.*\|>|<｜.*｜>|<<.*>>|\[/?[A-Z][A-Z_]*\]|</?[\w:]+[_:][\w:]*>|</?(?:think|tool|start|end|turn|eos|bos)\w*>"
)


class Unreadable(Refused):
    """A text holds this token, which the model cannot read, or its tokenizer not as text."""

    def __init__(self, token: str, message: Text, hint: Text | None = None, *, parameter: str) -> None:
        super().__init__(message, hint, parameter=parameter)
        self.token = token


class Part(NamedTuple):
    """A piece of a prompt. Of what was typed, the spans that `acts` names may steer all the same."""

    text: str
    typed: bool
    acts: tuple[tuple[int, int], ...] = ()


class Marked(NamedTuple):
    """A prompt's text, where control tokens act in it, where they are text, and where none may form between two parts.

    All are spans or places in `text`.
    """

    text: str
    acting: tuple[tuple[int, int], ...]
    inert: tuple[tuple[int, int], ...]
    seams: tuple[int, ...]


class ControlTokens:
    """The control tokens of one tokenizer; `template` is the source of its chat template, `written` what it wrote when
    it was tried. Whoever uses the tokenizer holds `lock`: it cannot be used by two threads at once."""

    def __init__(self, tokenizer: Any, template: str = "", written: Iterable[str] = ()) -> None:
        self.lock = threading.Lock()
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder
        self._special = _special(tokenizer)
        put_together = {one for text in written for one in self._encoded(text)["input_ids"]}
        steering = {
            number: token
            for number, token in added.items()
            if _steers(token.content, self._special, template) or (number in put_together and _is_mark(token.content))
        }
        self._ids = {token.content: number for number, token in steering.items()}
        self._pattern = any_of(self._ids)
        self._heads = {name[:size] for name in self._ids for size in range(1, len(name))}
        self._tails = {name[size:] for name in self._ids for size in range(1, len(name))}
        self._longest = max(map(len, self._ids), default=0)
        self._fast = bool(getattr(tokenizer, "is_fast", False))
        self.normalizes = _normalizes(tokenizer, steering.values())
        self._folded = re.compile(self._pattern.pattern, re.IGNORECASE) if self.normalizes else self._pattern
        unknown = getattr(tokenizer, "unk_token_id", None)
        self.steering = self.ids - {unknown}

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(self._ids.values())

    def id_of(self, name: str) -> int | None:
        return self._ids.get(name)

    def is_special(self, name: str) -> bool:
        """Whether a decoded text leaves this token out."""
        return name in self._special

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where control tokens stand in a text, as a tokenizer takes them: from the left, the longest first.

        Also where its normalizer makes one of other characters (capitals, wide letters, a blank of no width).
        """
        found = [match.span() for match in self._pattern.finditer(text)]
        if not self.normalizes or not text:
            return found
        others = [span for span in self._made(text) if not any(_overlap(span, one) for one in found)]
        return sorted(found + others)

    def may_join(self, text: str) -> bool:
        """Whether a control token could form of one edge of this text and what stands beside it."""
        if self.normalizes and not (text[:1] + text[-1:]).isalnum():
            return True
        sizes = range(1, min(self._longest, len(text)) + 1)
        return any(text[-size:] in self._heads or text[:size] in self._tails for size in sizes)

    def mark(self, parts: Sequence[Part]) -> Marked:
        """Who wrote which control token of a prompt."""
        text = "".join(part.text for part in parts)
        acting: list[tuple[int, int]] = []
        inert: list[tuple[int, int]] = []
        seams, start = [], 0
        for part in parts:
            for begins, ends in self.find(part.text):
                acts = not part.typed or (begins, ends) in part.acts
                (acting if acts else inert).append((start + begins, start + ends))
            start += len(part.text)
            seams.append(start)
        crossed = (seam for begins, ends in self.find(text) for seam in seams if begins < seam < ends)
        return Marked(text, tuple(acting), tuple(inert), tuple(dict.fromkeys(crossed)))

    def _made(self, text: str) -> list[tuple[int, int]]:
        """The spans that the tokenizer itself reads as control tokens. A tokenizer in Python gives no offsets and may
        ignore case, so there a pattern that ignores case finds them."""
        if not self._fast:
            return [match.span() for match in self._folded.finditer(text)]
        encoded = self._encoded(text, return_offsets_mapping=True)
        pairs = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        # Of the unknown token only what the pattern finds: any unknown character becomes it.
        spans = ((begins, ends) for number, (begins, ends) in pairs if number in self.steering and begins < ends)
        return list(dict.fromkeys(spans))

    def _encoded(self, text: str, **more: Any) -> Any:
        with self.lock:
            return self._tokenizer(text, add_special_tokens=False, verbose=False, **more)


def undecided(tokenizer: Any, template: str) -> bool:
    """Whether there are added tokens of which only the template's output can show whether they are control tokens."""
    special = _special(tokenizer)
    names = (token.content for token in tokenizer.added_tokens_decoder.values())
    return any(_is_mark(name) and not _steers(name, special, template) for name in names)


def _special(tokenizer: Any) -> set[str]:
    added = tokenizer.added_tokens_decoder.values()
    return set(tokenizer.all_special_tokens) | {token.content for token in added if token.special}


def _steers(name: str, special: set[str], template: str) -> bool:
    if not name.strip():
        return False
    known = name in special or name in thinking.marks()
    return known or bool(_STEERS.fullmatch(name)) or (_is_mark(name) and name in template)


def _is_mark(name: str) -> bool:
    """Whether a token that a template writes may steer by its looks: words and runs of blanks are text everywhere."""
    return len(name) > 2 and bool(name.strip()) and not name.isalnum()


def _normalizes(tokenizer: Any, steering: Iterable[Any]) -> bool:
    """Whether other characters than its own may become a control token."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not getattr(tokenizer, "is_fast", False) or backend is None:
        return bool(getattr(tokenizer, "do_lower_case", False))
    if backend.normalizer is None:
        return False
    if any(token.normalized for token in steering):
        return True
    # A model that looks pieces up finds a token's name in normalized text too; merges lead to no such name.
    looks_up = type(backend.model).__name__ != "BPE" or bool(getattr(backend.model, "ignore_merges", False))
    return looks_up and any(backend.model.token_to_id(token.content) is not None for token in steering)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these, the longest that stands somewhere; nothing where there are none."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
