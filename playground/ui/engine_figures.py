"""Figures that an engine did not send with a run: they are asked for once the run is over, and the page says so.

Knows no layout and no session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from playground import visitor
from playground.inspection import inspect_api
from playground.run import Candidate
from playground.types import PlaygroundError, Stopped, Text
from playground.ui.page_texts import bilingual
from playground.ui.tokens import Value
from playground.ui.viewed_runs import ViewedRun
from playground.visitor import Visitor

PART = 128
"""Tokens of a text after which the badges are told of what is here: about a minute of a small machine's engine."""
MOST = 1024
"""Tokens of a text that are asked about without anybody's wish."""
_TEXTS = (1, 4)  # that are asked about at a time: of one session, and of one address, which may be a school's
_LOOK = 0.1  # seconds between looks whether it is a text's turn
ASKING = Text("Asking the engine for this token's probabilities …", "正在向引擎查询此词元的概率……")
_PROGRESS = Text(
    "Asking the engine for the probabilities of {count:token|tokens}: {done} are here.",
    "正在向引擎查询 {count} 个词元的概率：已有 {done} 个。",
)
_TOO_LONG = Text(
    "Unknown here: what-if needs the probabilities of {count:token|tokens} more from the engine, and the first "
    "{most} of a text are asked for. Badges tell of these. Each token can be opened by itself; --engine-figures all "
    "sends them with the text.",
    "此处未知：假设重放还需要向引擎查询 {count} 个词元的概率，而只查询前 {most} 个，徽标也只统计这些词元。"
    "可逐个打开词元；--engine-figures all 会随文本给出。",
)


class _Turns:
    """Which visitors' texts are being asked about."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: list[Visitor] = []

    @contextmanager
    def turn(self, halted: Callable[[], bool]) -> Iterator[None]:
        """Waits until a text of the visitor who asks may be asked about. Raises Stopped once `halted`."""
        asks = visitor.current()
        while not self._taken(asks):
            if halted():
                raise Stopped
            time.sleep(_LOOK)
        try:
            yield
        finally:
            with self._guard:
                self._held.remove(asks)

    def _taken(self, asks: Visitor) -> bool:
        with self._guard:
            fits = asks.fits(self._held, _TEXTS)
            if fits:
                self._held.append(asks)
            return fits


_TURNS = _Turns()


def missing(viewed: ViewedRun) -> int:
    """At how many tokens of the row that is looked at the engine has not told its figures."""
    return inspect_api.missing(viewed.keep, viewed.row)


def told_later(viewed: ViewedRun) -> Value:
    """The tokens of the viewed row whose figures an engine told when the browser had them already."""
    row, candidate = viewed.row, viewed.run.candidates[viewed.row]
    with viewed.telling:
        found = viewed.feed.again(row, list(candidate.steps))
    return found or {"row": row, "from": len(candidate.token_ids), "tokens": [], "done": True}


def whole(viewed: ViewedRun) -> bool:
    """Whether every number of the viewed row is here."""
    kept = viewed.run.finished and inspect_api.available(viewed.keep)
    return kept and not missing(viewed)


def told(viewed: ViewedRun) -> int | None:
    """Of how many tokens of the viewed row the badges can tell: None for all, else those of the parts that are here."""
    if whole(viewed):
        return None
    if not (viewed.run.finished and inspect_api.available(viewed.keep)):
        return 0
    return inspect_api.told(viewed.keep, viewed.row) // PART * PART


def lacking(viewed: ViewedRun) -> Text | None:
    """Why what-if is not there yet, or not at all; None where nothing is missing."""
    count = missing(viewed)
    if not count:
        return None
    if inspect_api.told(viewed.keep, viewed.row) >= MOST:
        return _TOO_LONG.filled(count=count, most=MOST)
    tokens = len(viewed.run.candidates[viewed.row].token_ids)
    return _PROGRESS.filled(count=min(tokens, MOST), done=min(tokens - count, MOST))


def asked(viewed: ViewedRun, halted: Callable[[], bool]) -> Iterator[tuple[Value, bool]]:
    """Asks for what the viewed row lacks, part by part; meanwhile what stands in a replay's place, and whether another
    part is here. One text of a visitor after the other.

    What cannot be had is left: whoever asks for it later is told why.
    """
    row = viewed.row
    if not missing(viewed) or inspect_api.told(viewed.keep, row) >= MOST:
        return
    yield _said(viewed), False
    try:
        with _TURNS.turn(halted):
            while missing(viewed) and (here := inspect_api.told(viewed.keep, row)) < MOST:
                stop = min((here // PART + 1) * PART, MOST)
                for left in inspect_api.fetch(viewed.keep, row, halted, stop):
                    if left:
                        yield _said(viewed), False
                if missing(viewed):
                    yield _said(viewed), True
        if not missing(viewed):
            _fill(viewed.run.candidates[row], viewed.keep, row)
    except PlaygroundError:
        return


def _said(viewed: ViewedRun) -> Value:
    sentence = bilingual(lacking(viewed))
    return {"run": viewed.name, "row": viewed.row, "first": None, "would": {}, "sentence": sentence}


def _fill(candidate: Candidate, keep: str, row: int) -> None:
    """The tokens' own figures, which only the whole vocabulary tells: rank and entropy."""
    told = iter(inspect_api.figures(keep, row))
    for place, step in enumerate(candidate.steps):
        if step.token_id is not None and (one := next(told, None)) is not None:
            candidate.steps[place] = replace(step, logprob=one.logprob, rank=one.rank, entropy_nats=one.entropy_nats)
