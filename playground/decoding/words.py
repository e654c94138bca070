"""The visible text of one row: stop strings end it, banned phrases send it back, and nothing shows too early.

Matches text, not tokens, so any tokenization of a phrase is found. In a chat, stop strings act on the answer alone and
not inside its thoughts. Needs no torch and knows no sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from playground.rendering.detokenize import Detokenizer
from playground.thinking import answer_begins


class Written(NamedTuple):
    """What one token did: text to show now, whether a stop string ended the row, or a phrase and where it began."""

    text: str
    stopped: bool = False
    phrase: str = ""
    began: int = -1


class Matcher:
    """Finds the first of several texts, and how much of an ending could still become one of them."""

    def __init__(self, texts: Sequence[str], *, fold: bool = False) -> None:
        self._fold = fold
        self._texts = [(self._folded(text), text) for text in dict.fromkeys(texts) if text]

    def first(self, text: str, start: int = 0) -> tuple[int, str] | None:
        """The leftmost match at or after `start`: its place, and the text that matched (the longest one there)."""
        folded = self._folded(text)
        found = [(folded.find(wanted, start), -len(wanted), original) for wanted, original in self._texts]
        found = [match for match in found if match[0] >= 0]
        if not found:
            return None
        place, _, original = min(found)
        return place, original

    def held(self, text: str, start: int = 0) -> int:
        """Where the part begins that has to wait; the length of the text when nothing has to."""
        folded = self._folded(text)
        for place in range(start, len(text)):
            ending = folded[place:]
            if any(wanted.startswith(ending) for wanted, _ in self._texts):
                return place
        return len(text)

    def _folded(self, text: str) -> str:
        return "".join(map(_fold, text)) if self._fold else text


def _fold(character: str) -> str:
    """Case-insensitive without changing the length, so that places in the folded text are places in the text."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character


class Writer:
    """Grows the visible text of a row token by token, and can take tokens back.

    `thinks` is what the prompt of a chat has opened a thought with, "" for none; None where nothing is a thought.
    """

    def __init__(
        self,
        detokenizer: Detokenizer,
        stop: Sequence[str] = (),
        banned: Sequence[str] = (),
        thinks: str | None = None,
    ) -> None:
        self._detokenizer = detokenizer
        self._stop = Matcher(stop)
        self._banned = Matcher(banned, fold=True)
        self._starts: list[int] = []  # length of the text before each token
        self._states: list[tuple[int, str, int]] = [(0, "", 0)]
        self._thinks = thinks if stop else None
        self._shown = ""  # only as long as it is not known where the answer begins
        self._answer: tuple[int, int] | None = None  # where it begins, and after how many tokens that was known

    def push(self, token_id: int) -> Written:
        """One more token. When it completes a banned phrase nothing is shown: take back and push another."""
        shown, tail, allowed = self._states[-1]
        self._starts.append(shown + len(tail))
        tail += self._detokenizer.push(token_id)
        cleared = max(0, allowed - shown)  # a phrase that was let through is not found again
        phrase, stop = self._banned.first(tail, cleared), self._stop.first(tail, self._stops(tail)[0])
        if phrase is not None and (stop is None or phrase[0] < stop[0]):
            self._states.append((shown, tail, allowed))
            return Written("", phrase=phrase[1], began=self._token_at(shown + phrase[0]))
        if stop is not None:
            self._states.append((shown + stop[0], "", allowed))
            return Written(tail[: stop[0]], stopped=True)
        return Written(self._release(shown, tail, allowed))

    def let_through(self) -> Written:
        """Accept the phrase that the last push found."""
        shown, tail, allowed = self._states.pop()
        match = self._banned.first(tail, max(0, allowed - shown))
        if match is not None:
            allowed = shown + match[0] + 1
        if self._banned.first(tail, max(0, allowed - shown)) is not None:  # another in the same text goes with it
            allowed = shown + len(tail)
        stop = self._stop.first(tail, self._stops(tail)[0])
        if stop is not None:
            self._states.append((shown + stop[0], "", allowed))
            return Written(tail[: stop[0]], stopped=True)
        return Written(self._release(shown, tail, allowed))

    def finish(self) -> str:
        """The text still held, when no token follows."""
        _, tail, _ = self._states[-1]
        rest = tail + self._detokenizer.flush()
        stop = self._stop.first(rest, self._stops(rest)[0])
        return rest if stop is None else rest[: stop[0]]

    def truncate(self, count: int) -> None:
        """Take back all but the first `count` tokens."""
        self._detokenizer.truncate(count)
        del self._starts[count:]
        del self._states[count + 1 :]
        self._shown = self._shown[: self._states[-1][0]]
        self._answer = None if self._answer is not None and count < self._answer[1] else self._answer

    @property
    def first_held(self) -> int:
        """The token that the earliest held text began in: no later match can reach further back."""
        shown, tail, _ = self._states[-1]
        return self._token_at(shown) if tail else len(self._starts)

    def _token_at(self, place: int) -> int:
        """The token whose piece holds the character at `place`: the last one that starts at or before it."""
        for token in range(len(self._starts) - 1, -1, -1):
            if self._starts[token] <= place:
                return token
        return 0

    def _release(self, shown: int, tail: str, allowed: int) -> str:
        begins, sure = self._stops(tail)
        stops = self._stop.held(tail, begins) if sure else begins
        ready = min(self._banned.held(tail, max(0, allowed - shown)), stops)
        self._states.append((shown + ready, tail[ready:], allowed))
        if self._thinks is not None and self._answer is None:
            self._shown += tail[:ready]
        return tail[:ready]

    def _stops(self, tail: str) -> tuple[int, bool]:
        """From which place of the tail on a stop string ends the text, and whether that is for certain."""
        if self._thinks is None:
            return 0, True
        shown = self._states[-1][0]
        if self._answer is None:
            begins, sure = answer_begins(self._shown + tail, self._thinks)
            if not sure:
                return max(0, begins - shown), False
            self._answer = begins, len(self._starts)
        return max(0, self._answer[0] - shown), True
