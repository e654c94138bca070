"""Every session's runs as far as one can still look inside them, and which of them is open on its page.

Knows no question and no layout; a session is only a name here, and finds its own runs alone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground import xray
from playground.types import Run
from playground.ui.tokens import Feed, Value

MOST_SESSIONS = 200  # whoever is pushed out can still read his cards; only the look inside is gone
MOST_RUNS = 40  # of one session
MOST_STEPS = 100_000  # of all sessions together: about 200 MB


@dataclass(slots=True)
class Watched:
    """One run, what a card needs to be asked again, and what its browser has of the tokens."""

    name: str
    run: Run
    asked: Mapping[str, Any]
    target: Any
    base: str
    feed: Feed
    row: int = 0
    shown: dict[int, Value] = field(default_factory=dict)

    @property
    def keep(self) -> str:
        return self.run.request.keep

    @property
    def steps(self) -> int:
        return sum(len(candidate.steps) for candidate in self.run.candidates)


class Watching:
    """All sessions' runs, oldest first. A session's newest run stays as long as the session does."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Watched] = {}
        self._newest: dict[str, str] = {}  # by session, the one that ran last at the end
        self._open: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, session: str, watched: Watched) -> None:
        """A session's newest run, which is open from now on; what there is no room for is given up, oldest first."""
        with self._lock:
            self._runs[session, watched.name] = watched
            self._newest.pop(session, None)
            self._newest[session] = self._open[session] = watched.name
            given_up = self._make_room(session)
        for one in given_up:
            xray.forget(one.keep)

    def open(self, session: str) -> Watched | None:
        """The run that this session looks at."""
        return self.find(session, self._open.get(session))

    def find(self, session: str, name: object) -> Watched | None:
        return self._runs.get((session, name)) if isinstance(name, str) else None

    def turn(self, session: str, name: str | None) -> None:
        """Look at another of the session's runs, or at none."""
        with self._lock:
            if name is None:
                self._open.pop(session, None)
            elif (session, name) in self._runs:
                self._open[session] = name

    def leave(self, session: str) -> None:
        with self._lock:
            given_up = self._drop(session)
        for one in given_up:
            xray.forget(one.keep)

    def _drop(self, session: str) -> list[Watched]:
        self._newest.pop(session, None)
        self._open.pop(session, None)
        return [self._runs.pop(key) for key in [key for key in self._runs if key[0] == session]]

    def _make_room(self, session: str) -> list[Watched]:
        dropped: list[Watched] = []
        while len(self._newest) > MOST_SESSIONS:
            dropped += self._drop(next(iter(self._newest)))
        own = [key for key in self._runs if key[0] == session]
        older = [key for key in self._runs if self._newest[key[0]] != key[1]]
        steps = sum(one.steps for one in self._runs.values())
        for key in dict.fromkeys((*own[:-MOST_RUNS], *older)):
            if key not in own[:-MOST_RUNS] and steps <= MOST_STEPS:
                break
            steps -= self._runs[key].steps
            dropped.append(self._runs.pop(key))
        return dropped
