"""Which tokens of a tokenizer steer a model, where they stand in a text, and who wrote them.

Knows no request. A prompt is a list of parts: what a template wrote may steer, what was typed is text.
"""

from __future__ import annotations

import re
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
    """The control tokens of one tokenizer; `template` is the source of its chat template."""

    def __init__(self, tokenizer: Any, template: str = "") -> None:
        added = tokenizer.added_tokens_decoder
        special = set(tokenizer.all_special_tokens)
        self._special = special | {token.content for token in added.values() if token.special}
        steering = {number: token.content for number, token in added.items() if _steers(token, self._special, template)}
        self._ids = {name: number for number, name in steering.items()}
        self._pattern = any_of(self._ids)
        self._heads = {name[:size] for name in self._ids for size in range(1, len(name))}
        self._tails = {name[size:] for name in self._ids for size in range(1, len(name))}
        self._longest = max(map(len, self._ids), default=0)

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(self._ids.values())

    def id_of(self, name: str) -> int | None:
        return self._ids.get(name)

    def is_special(self, name: str) -> bool:
        """Whether a decoded text leaves this token out."""
        return name in self._special

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where control tokens stand in a text, as a tokenizer takes them: from the left, the longest first."""
        return [found.span() for found in self._pattern.finditer(text)]

    def may_join(self, text: str) -> bool:
        """Whether a control token could form of one edge of this text and what stands beside it."""
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


def _steers(token: Any, special: set[str], template: str) -> bool:
    name = token.content
    if not name.strip():
        return False
    known = name in special or name in thinking.marks()
    return known or bool(_STEERS.fullmatch(name)) or (len(name) > 2 and not name.isalnum() and name in template)


def any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these, the longest that stands somewhere; nothing where there are none."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
