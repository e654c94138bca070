"""Every session's runs as far as one can still look inside them, and which of them is open on its page.

Knows no question and no layout; a session is only a name here, and finds its own runs alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.inspection import inspect_api
from playground.run import Run
from playground.types import Text
from playground.ui.page_texts import TEXT_ONLY
from playground.ui.tokens import TokenFeed, Value

MOST_SESSIONS = 200  # the cards of a session that is pushed out stay; only the look inside is gone
MOST_RUNS = 40  # of one session
MOST_BYTES_EACH = 64_000_000  # of one session, beside its newest run, which has the bounds of a request
MOST_BYTES = 256_000_000  # of all sessions together
_STEP = 3_000  # bytes of a step with its likeliest tokens, about


@dataclass(slots=True)
class ViewedRun:
    """One run, what a card needs to be asked again, and what its browser has of the tokens."""

    name: str
    run: Run
    asked: Mapping[str, Any]
    target: Any
    base: str
    feed: TokenFeed
    row: int = 0
    telling: threading.Lock = field(default_factory=threading.Lock)
    shown: dict[int, Value] = field(default_factory=dict)
    turned: Mapping[str, Any] | None = None  # knobs that were turned while an engine was asked

    @property
    def keep(self) -> str:
        return self.run.request.keep

    @property
    def size(self) -> int:
        """Bytes that it takes here, about; its kept numbers have a bound of their own."""
        return _STEP * sum(len(candidate.steps) for candidate in self.run.candidates) + 2 * _characters(self.asked)


def _characters(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_characters, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_characters, value))
    return len(value) if isinstance(value, str) else 8


class ViewedRuns:
    """All sessions' runs, oldest first, within bounds of bytes for each session and for all."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], ViewedRun] = {}
        self._newest: dict[str, str] = {}  # by session, the one that ran last at the end
        self._open: dict[str, str] = {}
        self._looked: dict[str, float] = {}  # by session, when its page sent the newest look
        self._lock = threading.Lock()

    def add(self, session: str, viewed: ViewedRun) -> None:
        """A session's newest run, which is open from now on; what there is no room for is given up, oldest first."""
        with self._lock:
            self._runs[session, viewed.name] = viewed
            self._newest.pop(session, None)
            self._newest[session] = self._open[session] = viewed.name
            given_up = self._make_room(session)
        for one in given_up:
            inspect_api.forget(one.keep)

    def open(self, session: str) -> ViewedRun | None:
        """The run that this session looks at."""
        return self.find(session, self._open.get(session))

    def find(self, session: str, name: object) -> ViewedRun | None:
        return self._runs.get((session, name)) if isinstance(name, str) else None

    def select(self, session: str, name: str | None, sent: object = None) -> bool:
        """Look at another of the session's runs, or at none. False where a look that was `sent` later came before it:
        events that follow each other quickly are handled side by side."""
        with self._lock:
            if not self.is_newest(session, sent):
                return False
            if isinstance(sent, int | float):
                self._looked[session] = sent
            if name is None:
                self._open.pop(session, None)
            elif (session, name) in self._runs:
                self._open[session] = name
        return True

    def is_newest(self, session: str, sent: object) -> bool:
        """Whether no look came that was sent later; one that does not say when it was sent is taken for the newest."""
        return not isinstance(sent, int | float) or sent >= self._looked.get(session, sent)

    def leave(self, session: str) -> None:
        with self._lock:
            given_up = self._drop(session)
        for one in given_up:
            inspect_api.forget(one.keep)

    def _drop(self, session: str) -> list[ViewedRun]:
        self._newest.pop(session, None)
        self._open.pop(session, None)
        self._looked.pop(session, None)
        return [self._runs.pop(key) for key in [key for key in self._runs if key[0] == session]]

    def shrink(self, session: str) -> None:
        """A run of this session has ended: it is as large now as it will be."""
        with self._lock:
            given_up = self._make_room(session)
        for one in given_up:
            inspect_api.forget(one.keep)

    def _make_room(self, session: str) -> list[ViewedRun]:
        """The session's newest run stays. Of its others the oldest go, then those of all, and at last even the newest
        of those who have run nothing for longest."""
        dropped: list[ViewedRun] = []
        while len(self._newest) > MOST_SESSIONS:
            dropped += self._drop(next(iter(self._newest)))
        newest = [(one, name) for one, name in self._newest.items() if one != session]
        stays = (session, self._newest.get(session, ""))
        own = [key for key in self._runs if key[0] == session and key != stays]
        dropped += self._drop_runs(own[: max(0, len(own) + 1 - MOST_RUNS)])
        own = [key for key in own if key in self._runs]
        dropped += self._drop_runs(own, sum(self._runs[key].size for key in own) - MOST_BYTES_EACH)
        older = [key for key in self._runs if key != stays and key not in newest]
        in_all = sum(one.size for one in self._runs.values())
        return dropped + self._drop_runs([*older, *newest], in_all - MOST_BYTES)

    def _drop_runs(self, keys: Sequence[tuple[str, str]], size: float = math.inf) -> list[ViewedRun]:
        """These, as long as so many bytes are too many."""
        dropped: list[ViewedRun] = []
        for key in keys:
            if size <= 0:
                break
            dropped.append(self._runs.pop(key))
            size -= dropped[-1].size
        return dropped


def gone(viewed: ViewedRun) -> Text | None:
    """Why a run with probabilities cannot be asked any more; None where it can, or where it never had any."""
    candidates = viewed.run.candidates
    if any(one.text for one in candidates) and not any(one.token_ids for one in candidates):
        return TEXT_ONLY
    had_any = any(step.logprob is not None for candidate in candidates for step in candidate.steps[:1])
    if inspect_api.available(viewed.keep) or not (had_any or viewed.run.request.values["num_beams"] > 1):
        return None
    return inspect_api.unavailable(viewed.keep, viewed.run.request.values)
