"""Real clients in a process of their own: every session asks over HTTP with gradio_client, and its updates are timed.

`Clients` starts that process and talks to it in lines of JSON. Times are seconds of time.monotonic(), within 5 ms.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from gradio_client import Client

from benchmarks.machine import ROOT

_LOOK = 0.005


@dataclass(slots=True)
class Answer:
    """One request's answer: `updates` are (when, tokens of all its candidates by then)."""

    session: int
    began: float
    updates: list[tuple[float, int]] = field(default_factory=list)
    error: str = ""

    @property
    def tokens(self) -> int:
        return self.updates[-1][1] if self.updates else 0

    @property
    def wait(self) -> float | None:
        """Seconds to the first token; None where none came."""
        return self.updates[0][0] - self.began if self.updates else None

    @property
    def gaps(self) -> list[float]:
        """Seconds between updates that brought something: what a reader sees as the gap between tokens."""
        return [after[0] - before[0] for before, after in zip(self.updates, self.updates[1:], strict=False)]


class Clients:
    """`count` sessions on one page, each connected before anything is asked."""

    def __init__(self, url: str, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.clients", url, str(count)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._hear()

    def ask(self, requests: Sequence[dict[str, Any]], seconds: float = 0.0) -> list[Answer]:
        """One request a session, all at once, to their ends.

        With `seconds` a session that has its answer asks again, and what still runs when the time is up is cancelled.
        """
        assert self._process.stdin is not None
        print(json.dumps({"requests": list(requests), "seconds": seconds}), file=self._process.stdin, flush=True)
        return [Answer(**answer) for answer in self._hear()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()  # closes its input, which ends it

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the clients ended with {self._process.wait()}")
        return json.loads(line)


class _Session:
    """One client and what it asks; every request after the first has another seed."""

    def __init__(self, number: int, client: Client) -> None:
        self.number = number
        self._client = client
        self._job: Any = None
        self._seen = 0
        self._tokens = 0

    def ask(self, request: dict[str, Any], again: int) -> Answer:
        self._seen = self._tokens = 0
        given = {**request, "seed": request["seed"] + 100_000 * again}
        self._job = self._client.submit(api_name="/generate", **given)
        return Answer(self.number, time.monotonic())

    def look(self, answer: Answer) -> bool:
        """Writes down what has come; True once the answer has ended."""
        ended = self._job.done()
        updates = self._job.outputs()
        for update in updates[self._seen :]:
            self._tokens = _tokens(self._tokens, update["candidates"])
            if self._tokens > answer.tokens:
                answer.updates.append((time.monotonic(), self._tokens))
        self._seen = len(updates)
        if ended and self._job.exception() is not None:
            answer.error = str(self._job.exception())
        return bool(ended)

    def leave(self) -> None:
        self._job.cancel()


def _tokens(before: int, candidates: Sequence[dict[str, Any]]) -> int:
    """Tokens of all candidates after an update: it brings what is new, and the last one everything."""
    if any("text" in one for one in candidates):
        return sum(len(one["token_ids"]) for one in candidates)
    return before + sum(len(one["token_ids"]) - one["retract_ids"] for one in candidates)


def _drive(sessions: Sequence[_Session], requests: Sequence[dict[str, Any]], seconds: float) -> list[Answer]:
    until = time.monotonic() + seconds
    asking = list(zip(sessions, requests, strict=False))
    running = [(session, request, session.ask(request, 0), 0) for session, request in asking]
    answers = [answer for _, _, answer, _ in running]
    while running:
        time.sleep(_LOOK)
        still = []
        for session, request, answer, again in running:
            late = seconds > 0 and time.monotonic() >= until
            if not session.look(answer):
                if late:
                    session.leave()
                else:
                    still.append((session, request, answer, again))
            elif seconds and not late and not answer.error:
                still.append((session, request, session.ask(request, again + 1), again + 1))
                answers.append(still[-1][2])
        running = still
    return answers


def _main(url: str, count: int) -> None:
    sessions = [_Session(number, Client(url, verbose=False)) for number in range(count)]
    print(json.dumps(count), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answers = _drive(sessions, asked["requests"], asked["seconds"])
        print(json.dumps([
            {"session": one.session, "began": one.began, "updates": one.updates, "error": one.error} for one in answers
        ]), flush=True)  # fmt: skip


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
