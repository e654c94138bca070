"""Figures that an engine did not send with a run: they are asked for once the run is over, and the page says so.

Knows no layout and no session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from playground.inspection import inspect_api
from playground.run import Candidate
from playground.types import PlaygroundError, Text
from playground.ui.page_texts import bilingual
from playground.ui.tokens import Value
from playground.ui.viewed_runs import ViewedRun

MOST = 128
"""Tokens of a text that are asked about without anybody's wish: about a minute of a small machine's engine."""
ASKING = Text("Asking the engine for this token's probabilities …", "正在向引擎查询此词元的概率……")
_PROGRESS = Text(
    "Asking the engine for the probabilities of {count:token|tokens}: {done} are here.",
    "正在向引擎查询 {count} 个词元的概率：已有 {done} 个。",
)
_TOO_LONG = Text(
    "Unknown here: what-if needs the probabilities of {count:token|tokens} from the engine, and at most {most} are "
    "asked for. Each token can be opened by itself; --engine-figures all sends them with the text.",
    "此处未知：假设重放需要向引擎查询 {count} 个词元的概率，最多查询 {most} 个。"
    "可逐个打开词元；--engine-figures all 会随文本给出。",
)


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


def lacking(viewed: ViewedRun) -> Text | None:
    """Why what-if is not there yet, or not at all; None where nothing is missing."""
    count = missing(viewed)
    if not count:
        return None
    tokens = len(viewed.run.candidates[viewed.row].token_ids)
    if count > MOST:
        return _TOO_LONG.filled(count=count, most=MOST)
    return _PROGRESS.filled(count=tokens, done=tokens - count)


def asked(viewed: ViewedRun, halted: Callable[[], bool]) -> Iterator[Value]:
    """Asks for what the viewed row lacks, where that is not too much; meanwhile what stands in a replay's place.

    What cannot be had is left: whoever asks for it later is told why.
    """
    if not 0 < missing(viewed) <= MOST:
        return
    row = viewed.row
    yield _said(viewed)
    try:
        for left in inspect_api.fetch(viewed.keep, row, halted):
            if left:
                yield _said(viewed)
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
