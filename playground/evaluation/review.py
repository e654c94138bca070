"""The texts of a measurement that somebody reads, one by one, and what was decided of each: kept or not.

They stand in `presets/measured/texts/<task>.yaml`, so that a decision can be checked; the counts go into the report.
Knows no model, no page and no terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from playground.evaluation import reports
from playground.evaluation.metrics import GeneratedTexts
from playground.evaluation.reports import Review, TaskReport
from playground.tasks import schema
from playground.tasks.schema import Node
from playground.types import LANGUAGES, Language
from playground.types import Path as DecodingPath

TO_READ = 3  # texts of each task, language and model
RULE = (
    "Kept if one would use it as it stands: it does what the task asks with what the fields say, in their language, "
    "about the right person, and makes sense."
)
HEAD = "# Written by python -m playground measure; kept or not is decided by a reader: measure --read.\n"


@dataclass(frozen=True, slots=True)
class TextToRead:
    """A text and the fields it was written for. `kept` is None until somebody has read it."""

    fields: Mapping[str, str]
    text: str
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class TextsToRead:
    """Those of one report, in the order in which they are read."""

    model: str
    language: Language
    path: DecodingPath
    texts: tuple[TextToRead, ...]

    @property
    def place(self) -> tuple[str, str, str]:
        """The report that they belong to."""
        return self.model, self.language, self.path

    def review(self, rule: str) -> Review | None:
        """The counts for the report; None where nothing was read."""
        read = [one.kept for one in self.texts if one.kept is not None]
        return Review(len(read), sum(read), rule) if read else None


def chosen(report: TaskReport, written: Sequence[GeneratedTexts]) -> TextsToRead:
    """The texts of a measurement to be read: the first of each run, then the second of each, and so on."""
    rounds = zip_longest(*([TextToRead(run.fields, text) for text in run.texts] for run in written))
    texts = [one for found in rounds for one in found if one is not None]
    return TextsToRead(report.model, report.language, report.path, tuple(texts[:TO_READ]))


def load(task: str, folder: Path | None = None) -> tuple[TextsToRead, ...]:
    """The texts of one task; none where nobody has measured. Raises SchemaError with file, line and key."""
    path = _file(task, folder)
    return tuple(map(_texts_to_read, schema.read(path).items())) if path.exists() else ()


def save(task: str, found: TextsToRead, folder: Path | None = None) -> None:
    """Puts them in the place of older ones of the same report, without touching that."""
    path = _file(task, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {one.place: one for one in (*load(task, folder), found)}
    records = [_record(known[place]) for place in sorted(known)]
    text = yaml.safe_dump(records, sort_keys=False, allow_unicode=True, width=120)
    path.write_text(HEAD + text, encoding="utf-8")


def decide(
    task: str, found: TextsToRead, kept: Iterable[bool | None], rule: str = RULE, folder: Path | None = None
) -> TaskReport | None:
    """Keeps what was decided of each text, and the counts in the report, which is returned where there is one."""
    texts = tuple(replace(one, kept=decision) for one, decision in zip(found.texts, kept, strict=True))
    read = replace(found, texts=texts)
    save(task, read, folder)
    for report in reports.load(task, folder):
        if report.place == read.place:
            reports.save(task, replace(report, review=read.review(rule)), folder)
            return replace(report, review=read.review(rule))
    return None


def total(found: Iterable[TaskReport], model: str, language: Language) -> Review | None:
    """What was read of a model in a language over all tasks; None where nobody has read any of it."""
    read = list(_reviews(found, model, language))
    if not read:
        return None
    return Review(sum(one.read for one in read), sum(one.kept for one in read), read[0].rule)


def _reviews(found: Iterable[TaskReport], model: str, language: Language) -> Iterator[Review]:
    for report in found:
        if report.review is not None and (report.model, report.language) == (model, language):
            yield report.review


def _file(task: str, folder: Path | None) -> Path:
    return (folder or reports.FOLDER) / "texts" / f"{task}.yaml"


def _record(found: TextsToRead) -> dict[str, Any]:
    return {**asdict(found), "texts": [asdict(one) for one in found.texts]}


def _texts_to_read(node: Node) -> TextsToRead:
    top = node.mapping(required=[field.name for field in fields(TextsToRead)])
    return TextsToRead(
        model=top["model"].text(),
        language=cast(Language, top["language"].one_of(LANGUAGES)),
        path=cast(DecodingPath, top["path"].one_of(get_args(DecodingPath))),
        texts=tuple(map(_text_to_read, top["texts"].items())),
    )


def _text_to_read(node: Node) -> TextToRead:
    top = node.mapping(required=("fields", "text", "kept"))
    given = {name: value.text(empty=True) for name, value in top["fields"].mapping(anything=True).items()}
    kept = None if top["kept"].value() is None else top["kept"].truth()
    return TextToRead(given, top["text"].text(empty=True), kept)
