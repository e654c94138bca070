"""Counts over what a model wrote for a task: its form, its subject, its own words, loops and identical texts.

Plain counts over texts; only a person can judge what reads well. Knows no model and no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from playground.evaluation.text_statistics import characters, cycle, distinct, is_chinese, repetition_rate
from playground.tasks.listing import bare
from playground.tasks.task import PLACE, Task
from playground.types import Language

SIDE_BY_SIDE = 4  # candidates that a person sees side by side: no two of them should be the same
LEAST_ITEMS = 3
TOO_OFTEN = 0.3  # a text of which so much stood in it before reads as a loop, wherever it ends

_PIECE = re.compile(r"\n+|(?<=[.!?])\s+|(?<=[。！？])")
_WORD = re.compile(r"[^\W\d_]{3,}")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_SAYS_NOTHING = re.compile(
    r"about|after|also|and|are|been|before|but|can|could|does|for|from|had|has|have|her|him|his|how|its|more|not|one|our"
    r"|out|should|that|the|their|them|then|there|they|this|was|were|what|when|which|who|will|with|would|you|your"
)


@dataclass(frozen=True, slots=True)
class GeneratedTexts:
    """The texts of one run, in the order of their seeds, and the fields that they were written for."""

    fields: Mapping[str, str]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskMetrics:
    """Counts of texts; `copied` is of `lines`, `identical` of `pairs` among each four that stand side by side.

    `distinct_2` and `length` are means; the length is in words, of a Chinese task in characters.
    """

    texts: int
    form: int
    named: int
    language: int
    empty: int
    loops: int
    lines: int
    copied: int
    pairs: int
    identical: int
    distinct_2: float
    length: float


def task_metrics(task: Task, language: Language, written: Sequence[GeneratedTexts]) -> TaskMetrics:
    """What all these texts come to."""
    all_texts = [task.output.prose(text) for run in written for text in run.texts]
    lines = [line for text in all_texts for line in pieces(text)]
    shots = shot_pieces(task, language)
    pairs = [pair for run in written for four in _side_by_side(run.texts) for pair in combinations(four, 2)]
    units = [_units(text, language) for text in all_texts]
    varied = [share for share in (distinct(one, 2) for one in units) if share is not None]
    return TaskMetrics(
        texts=len(all_texts),
        form=sum(has_its_form(task, text, run.fields) for run in written for text in run.texts),
        named=sum(names_a_field(task, text, run.fields) for run in written for text in run.texts),
        language=sum(bool(text.strip()) and is_chinese(text) == (language == "zh") for text in all_texts),
        empty=sum(not text.strip() for text in all_texts),
        loops=sum(map(loops, units)),
        lines=len(lines),
        copied=sum(line in shots for line in lines),
        pairs=len(pairs),
        identical=sum(one.strip().casefold() == other.strip().casefold() for one, other in pairs),
        distinct_2=round(fmean(varied), 3) if varied else 0.0,
        length=round(fmean(map(len, units)), 1) if units else 0.0,
    )


def has_its_form(task: Task, text: str, fields: Mapping[str, str]) -> bool:
    """Whether a list has items, a table its rows, JSON is whole, and a text has its lines and ends before the prompt's
    next example."""
    found = task.clean(text, fields)
    if task.output.kind == "list":
        return len(found) >= LEAST_ITEMS
    if task.output.kind == "table":
        return len(found) >= task.output.least(fields)
    if task.output.kind == "json":
        return task.value(text, fields) is not None
    verses = task.output.verses(fields)
    if verses and len(text.strip().split("\n")) != verses:
        return False
    return bool(found) and not any(line.startswith(tuple(_labels(task))) for line in text.strip().splitlines()[1:])


def names_a_field(task: Task, text: str, fields: Mapping[str, str]) -> bool:
    """Whether a word occurs that somebody filled in; a choice is ours and does not count."""
    typed = [fields.get(field.name, "") for field in task.fields if field.choices is None]
    prose = task.output.prose(text).casefold()
    return any(word in prose for value in typed for word in telling_words(value))


def telling_words(value: str) -> set[str]:
    """The words that a text about `value` would use: of Chinese every two characters, else words of three letters."""
    found = {word for word in _WORD.findall(_HAN.sub(" ", value.casefold())) if not _SAYS_NOTHING.fullmatch(word)}
    for run in _HAN.findall(value):
        found.update(run[at : at + 2] for at in range(max(1, len(run) - 1)))
    return found


def pieces(text: str) -> list[str]:
    """Lines and sentences as they are compared: bare, in small letters."""
    return [piece for piece in (bare(part).casefold() for part in _PIECE.split(text)) if piece]


def shot_pieces(task: Task, language: Language) -> set[str]:
    """The lines and sentences of the worked examples in a prompt, with and without the label before them."""
    found: set[str] = set()
    for line in task.prompts[language].shots.splitlines():
        found.update(pieces(line))
        found.update(pieces(re.split("[:：]", line, maxsplit=1)[-1]))
        found.update(pieces(task.output.prose(line)))
    return found


def loops(units: Sequence[str]) -> bool:
    """Whether a text, as words or characters, ends in a loop or says too much of itself again."""
    return cycle(units) is not None or (repetition_rate(units) or 0.0) >= TOO_OFTEN


def _side_by_side(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (texts[at : at + SIDE_BY_SIDE] for at in range(0, len(texts), SIDE_BY_SIDE))


def _units(text: str, language: Language) -> list[str]:
    return characters(text) if language == "zh" else text.split()


def _labels(task: Task) -> Iterator[str]:
    """What stands before a field in the prompts, such as "Product:"."""
    for prompts in task.prompts.values():
        yield from _before_places(f"{prompts.user}\n{prompts.complete}".splitlines())


def _before_places(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        place = PLACE.search(line)
        if place is not None and line[: place.start()].strip().endswith((":", "：")):
            yield line[: place.start()].strip()
