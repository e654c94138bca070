"""Many real sessions on one page, for a bounded time: `python -m benchmarks.load --sessions 1,4,16,64 --seconds 20`.

Starts the app, or takes `--url` of one that runs here. Also four readers beside one job of sixteen rows. Clients and
server share this machine's cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import asked
from benchmarks.clients import Answer, Clients
from benchmarks.figure import Findings, share
from benchmarks.server import ROOM, App, app
from playground.types import Path

READERS = 4
JOB: dict[str, Any] = {"n": 16, **asked.ONE}
_LENGTH = 96  # tokens of an answer
_POINTS = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Load:
    """What so many sessions saw. `growth` is in bytes, from rest to rest; None for a server that is not ours."""

    sessions: int
    answers: Sequence[Answer]
    growth: int | None

    @property
    def rate(self) -> float:
        """Tokens/s of all, from the first request to the last token."""
        came = [answer for answer in self.answers if answer.updates]
        if not came:
            return 0.0
        last = max(answer.updates[-1][0] for answer in came)
        return sum(answer.tokens for answer in came) / (last - min(answer.began for answer in self.answers))

    @property
    def waits(self) -> list[float]:
        return [answer.wait for answer in self.answers if answer.wait is not None]

    @property
    def gaps(self) -> list[float]:
        return [gap for answer in self.answers for gap in answer.gaps]

    @property
    def errors(self) -> list[str]:
        return [answer.error for answer in self.answers if answer.error]


def load(url: str, sessions: int, seconds: float, opened: App | None = None, path: Path = "fast") -> Load:
    """So many sessions, each asking again when it has its answer."""
    before = _resting(opened)
    with Clients(url, sessions) as clients:
        answers = clients.ask([_request(session, 0, path) for session in range(sessions)], seconds)
    after = _resting(opened)
    return Load(sessions, answers, None if before is None or after is None else after - before)


def beside(url: str, seconds: float) -> tuple[Load, Load]:
    """What four readers see alone, and beside one job of sixteen rows that runs all the while."""
    with Clients(url, READERS + 1) as clients:
        readers = [_request(session, 1, "fast") for session in range(READERS)]
        alone = clients.ask(readers, seconds)
        job = {**_request(READERS, 2, "fast"), **JOB, "max_new_tokens": 1024}
        with_job = clients.ask([*readers, job], seconds)
    kept = [answer for answer in with_job if answer.session < READERS]
    return Load(READERS, alone, None), Load(READERS, kept, None)


def fairness(alone: Load, company: Load) -> Findings:
    findings = Findings()
    findings.table += [heading(f"{READERS} readers"), line("alone", alone), line("beside 16 rows", company)]
    findings.found("fairness_gap_ratio", [share(company.gaps, 0.95) / share(alone.gaps, 0.95)])
    return findings


def heading(first: str) -> str:
    return f"{first:<16}{'tokens/s':>9}{'answers':>9}{'errors':>8}{'first, s':>20}{'gap, ms':>18}{'memory, MiB':>13}"


def line(name: str, found: Load) -> str:
    waits = "/".join(f"{share(found.waits, point):.2f}" for point in _POINTS)
    gaps = "/".join(f"{share(found.gaps, point) * 1000:.0f}" for point in _POINTS)
    grown = "" if found.growth is None else f"{found.growth / 2**20:+.0f}"
    numbers = f"{found.rate:>9.1f}{len(found.answers):>9}{len(found.errors):>8}"
    return f"{name:<16}{numbers}{waits:>20}{gaps:>18}{grown:>13}"


def _request(session: int, number: int, path: Path) -> dict[str, Any]:
    return {**asked.arguments(session, _LENGTH, number), "path": path}


def _resting(opened: App | None) -> int | None:
    if opened is None:
        return None
    opened.rest()
    return opened.memory


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--sessions", default="1,4,16,64")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--url")
    parser.add_argument("--path", choices=("exact", "fast"), default="fast")
    given = parser.parse_args()
    counts = [int(count) for count in given.sessions.split(",")]
    with ExitStack() as stack:
        opened = None if given.url else stack.enter_context(app(*ROOM))
        url = given.url or (opened.url if opened else "")
        load(url, max(counts), given.seconds, opened, given.path)  # warms up; not counted
        print(heading("sessions"), flush=True)
        errors = set()
        for count in counts:
            found = load(url, count, given.seconds, opened, given.path)
            print(line(str(count), found), flush=True)
            errors.update(found.errors)
        print("p50/p95/p99; a gap lies between two updates that bring tokens; memory from rest to rest")
        print(*(f"error: {error}" for error in sorted(errors)), sep="\n")
        print(fairness(*beside(url, given.seconds)))


if __name__ == "__main__":
    _main()
