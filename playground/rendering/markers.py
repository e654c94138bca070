"""Texts with markers in them, so that a rendered conversation shows who wrote which part of it.

A marker is a number that nobody can guess: no template trims, folds or escapes digits.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from playground.rendering.control import ControlTokens, Part

_DIGITS = 16
_COUNT = 6


class Markers:
    """`texts` are the given ones, each between two markers, with markers in place of the control tokens in it.

    `typed` is whether there are such tokens, or beginnings and ends of some at the edges.
    """

    def __init__(self, control: ControlTokens, given: Sequence[str]) -> None:
        self._number = str(secrets.randbelow(9 * 10**_DIGITS) + 10**_DIGITS)
        self._means: list[tuple[str, str]] = []  # what each marker stands for: the kind, and a text
        self._control = control
        self._edges: dict[int, set[int]] = {}  # by the place of a text: its first marker and its last one
        self.typed = False
        self.texts = [self._marked(at, text) for at, text in enumerate(given)]

    def missing(self, rendered: str) -> list[int]:
        """Which of the given texts, by their places, a template has left out, their beginning or their end."""
        there = {int(found[1]) for found in self._find(rendered)}
        return [at for at, edges in self._edges.items() if not edges <= there]

    def parts(self, rendered: str) -> tuple[Part, ...] | None:
        """Who wrote what; None where the markers are not as they were set."""
        parts: list[Part] = []
        typed, last = False, 0
        for found in self._find(rendered):
            if int(found[1]) >= len(self._means):  # cut, and followed by other digits
                return None
            kind, text = self._means[int(found[1])]
            parts.append(Part(rendered[last : found.start()], typed))
            if kind == "token":
                parts.append(Part(text, True))
            if typed is (kind == "begins") or (kind == "token" and not typed):
                return None
            typed = kind != "ends"
            last = found.end()
        parts.append(Part(rendered[last:], typed))
        return None if typed else tuple(_together(parts))

    def _find(self, rendered: str) -> list[re.Match[str]]:
        return list(re.finditer(rf"{self._number}(\d{{{_COUNT}}})", rendered))

    def _marked(self, at: int, text: str) -> str:
        core = text.strip()
        if not core:
            return text
        begins, first = text.index(core), len(self._means)
        pieces, last = [text[:begins], self._marker("begins")], 0
        for start, end in self._control.find(core):
            pieces += [core[last:start], self._marker("token", core[start:end])]
            last = end
            self.typed = True
        self.typed = self.typed or self._control.may_join(core)
        whole = "".join([*pieces, core[last:], self._marker("ends"), text[begins + len(core) :]])
        self._edges[at] = {first, len(self._means) - 1}
        return whole

    def _marker(self, kind: str, text: str = "") -> str:
        self._means.append((kind, text))
        return f"{self._number}{len(self._means) - 1:0{_COUNT}d}"


def _together(parts: Sequence[Part]) -> list[Part]:
    """Neighbours of the same writer as one part."""
    found: list[Part] = []
    for part in parts:
        if found and found[-1].typed == part.typed:
            found[-1] = Part(found[-1].text + part.text, part.typed)
        elif part.text:
            found.append(part)
    return found
