"""What a reasoning model thinks before it answers, told apart from the answer. Knows no model and no page."""

from __future__ import annotations

from dataclasses import dataclass

OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Told:
    """`thought` is "" where there is none; `thinks` while it has not come to its end."""

    thought: str
    answer: str
    thinks: bool = False


def opens(prompt: str) -> bool:
    """Whether a prompt ends with the beginning of a thought: some templates write it themselves."""
    return prompt.rstrip().endswith(OPEN)


def told_apart(text: str, *, opened: bool = False, whole: bool = True) -> Told:
    """A thought stands at the beginning or nowhere: further on, the tag is a word like any other.

    While a text grows (not `whole`), what could still become a tag is held back, so nothing shown is ever taken back.
    """
    begun = text.lstrip()
    if begun.startswith(OPEN):
        inner = begun.removeprefix(OPEN)
    elif opened:
        if not whole and OPEN.startswith(begun):
            return Told("", "", thinks=True)
        inner = text
    elif not whole and begun and OPEN.startswith(begun):
        return Told("", "")
    else:
        return Told("", text)
    thought, closed, answer = inner.partition(CLOSE)
    if closed:
        return Told(thought.strip(), answer.lstrip())
    held = 0 if whole else _held(thought)
    return Told(thought[: len(thought) - held].strip(), "", thinks=True)


def _held(text: str) -> int:
    """How many characters at the end could be the beginning of the closing tag."""
    return next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
