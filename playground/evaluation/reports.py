"""What was measured of a task: `presets/measured/<task>.yaml`, read strictly and written by `measure`.

One record for each model, language and path; beside the counts, how many texts somebody read and kept. Knows no model
and no page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from playground.evaluation.metrics import TaskMetrics
from playground.tasks import loader, schema
from playground.tasks.schema import Node
from playground.types import LANGUAGES, Language, Mode, Text
from playground.types import Path as DecodingPath

FOLDER = loader.FOLDER / "measured"
HEAD = "# Written by python -m playground measure; what the metrics mean: playground/evaluation/metrics.py.\n"
_MEANS = ("distinct_2", "length")


@dataclass(frozen=True, slots=True)
class Review:
    """How many of the `read` texts somebody would keep, by the `rule` that was read with."""

    read: int
    kept: int
    rule: str


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Metrics of one task with one model. `weights` is the number format that was read, `seconds` what it took.

    `review` is None until somebody has read the texts: counts of form do not tell good texts from bad ones.
    """

    model: str
    title: str
    language: Language
    mode: Mode
    path: DecodingPath
    weights: str
    seconds: float
    metrics: TaskMetrics
    review: Review | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What a newer report replaces."""
        return self.model, self.language, self.path


def load(task: str, folder: Path | None = None) -> tuple[TaskReport, ...]:
    """The reports of one task; none where nobody has measured. Raises SchemaError with file, line and key."""
    path = (folder or FOLDER) / f"{task}.yaml"
    return tuple(map(_report, schema.read(path).items())) if path.exists() else ()


def check(known: Sequence[str], folder: Path | None = None) -> None:
    """Reads every report of a folder; raises SchemaError where one is broken or its task is not among the `known`."""
    for path in sorted((folder or FOLDER).glob("*.yaml")):
        if path.stem not in known:
            raise schema.SchemaError(Text("there is no such task.", "没有这个任务。"), file=path.name)
        load(path.stem, folder)


def save(task: str, report: TaskReport, folder: Path | None = None) -> Path:
    """Puts the report in the place of an older one of the same model, language and path."""
    folder = folder or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    kept = {one.place: one for one in (*load(task, folder), report)}
    path = folder / f"{task}.yaml"
    records = [_record(kept[place]) for place in sorted(kept)]
    path.write_text(HEAD + yaml.safe_dump(records, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _record(report: TaskReport) -> dict[str, Any]:
    record = asdict(report)
    if report.review is None:
        del record["review"]
    return record


def _report(node: Node) -> TaskReport:
    names = [field.name for field in fields(TaskReport) if field.name != "review"]
    top = node.mapping(required=names, optional=("review",))
    return TaskReport(
        model=top["model"].text(),
        title=top["title"].text(),
        language=cast(Language, top["language"].one_of(LANGUAGES)),
        mode=cast(Mode, top["mode"].one_of(get_args(Mode))),
        path=cast(DecodingPath, top["path"].one_of(get_args(DecodingPath))),
        weights=top["weights"].text(),
        seconds=top["seconds"].number(0, 1e6),
        metrics=_metrics(top["metrics"]),
        review=_review(top["review"]) if "review" in top else None,
    )


def _review(node: Node) -> Review:
    entries = node.mapping(required=[field.name for field in fields(Review)])
    read = entries["read"].whole_number(1, 10**6)
    return Review(read, entries["kept"].whole_number(0, read), entries["rule"].text())


def _metrics(node: Node) -> TaskMetrics:
    names = [field.name for field in fields(TaskMetrics)]
    entries = node.mapping(required=names)
    means: dict[str, Any] = {name: entries[name].number(0, 1e6) for name in _MEANS}
    counts: dict[str, Any] = {name: entries[name].whole_number(0, 10**6) for name in names if name not in means}
    for name, count in counts.items():
        whole = {"copied": "lines", "identical": "pairs"}.get(name, "texts")
        if name not in ("lines", "pairs") and count > counts[whole]:
            raise entries[name].wrong(f"there are only {counts[whole]} {whole}.", f"{whole} 只有 {counts[whole]}。")
    return TaskMetrics(**counts, **means)
