"""A table of texts out of a file, by way of a worker process, and results into CSV or JSONL beside their inputs.

Knows no task, no model and no page. A file may come from anybody: reading it is bounded, and nothing in it is ever run.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playground.amounts import bytes_text
from playground.isolation import LimitExceeded, ResourceLimits, run_isolated
from playground.settings import Limits
from playground.tables import table_reader as tables
from playground.tables.table import Choice, NeedsChoice, Table, TableLimits, wrong
from playground.tables.table_reader import KINDS, Reading
from playground.types import Text

__all__ = ["Choice", "NeedsChoice", "Reading", "Result", "Table", "as_csv", "as_jsonl", "read", "record"]

# What a spreadsheet takes for the beginning of a formula, also as full-width letters; see OWASP, "CSV Injection".
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
DONE, FAILED = "done", "failed"  # what becomes of a row
REFUSED: Literal["refused"] = "refused"
RESULT, STATE, REASON, SEED, REMARK = "result", "state", "reason", "seed", "remark"
MODEL, REVISION = "model", "revision"
_SHOWN = 60  # characters of a file's name in a sentence
_ANSWER = 16  # bytes of a table as JSON, as a multiple of the bytes that a file may have


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row; `number` counts from 1. `texts` is one for each candidate, `reason` why one failed.

    `remark` is what is to be known of a row that is done. A row that could not be read is "refused". `model` and its
    `revision` wrote the texts; "" where there are none, or it was not kept.
    """

    number: int
    input: Mapping[str, str]
    state: str
    texts: tuple[str, ...] = ()
    reason: Text | None = None
    seed: int | None = None
    remark: Text | None = None
    model: str = ""
    revision: str = ""


def read(path: Path, limits: Limits, reading: Reading | None = None) -> Table:
    """The table in a file, read in a worker process; the ending of its name says its kind.

    Rows are counted from 1 without the line of names; empty ones are left out and not counted. A row that cannot be
    used is among `refused` with its reason, and the others go on. Raises NeedsChoice where the file can be read in
    several ways and `reading` does not say which, and InvalidRequest where it cannot be read.
    """
    shown = path.name[-_SHOWN:]
    kind = path.suffix.lower()
    if kind not in KINDS:
        wrong(
            f"{shown!r} is no CSV, XLSX or JSONL file.",
            f"{shown!r} 不是 CSV、XLSX 或 JSONL 文件。",
            Text("Save the table as one of them.", "请把表格另存为其中一种格式。"),
        )
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= limits.batch_bytes else b""
    except OSError:
        wrong(f"{shown!r} cannot be read.", f"无法读取 {shown!r}。")
    if size > limits.batch_bytes:
        wrong(
            f"The file has {bytes_text(size)}; at most {bytes_text(limits.batch_bytes)} are allowed.",
            f"文件大小为 {bytes_text(size)}，最多允许 {bytes_text(limits.batch_bytes)}。",
            Text("Split it.", "请拆分文件。"),
        )
    allowed = TableLimits(limits.batch_rows, limits.batch_bytes, limits.batch_cell)
    most = ResourceLimits(limits.reading_seconds, limits.reading_memory, _ANSWER * limits.batch_bytes)
    try:
        return tables.from_answer(
            run_isolated("table", tables.options(kind, reading or Reading(), allowed), data, most)
        )
    except LimitExceeded:
        memory = bytes_text(limits.reading_memory)
        wrong(
            f"Reading this file takes more than {limits.reading_seconds:g} s or {memory} of memory.",
            f"读取此文件需要超过 {limits.reading_seconds:g} 秒或 {memory} 内存。",
            Text("Save what is needed of it as a new CSV file.", "请把需要的部分另存为新的 CSV 文件。"),
        )


def as_jsonl(results: Iterable[Result], language: str = "en") -> Iterator[str]:
    """One JSON object a line, exactly as it was: nothing is neutralized here."""
    for result in results:
        yield json.dumps(record(result, language), ensure_ascii=False) + "\n"


def record(result: Result, language: str = "en") -> dict[str, Any]:
    """One result as plain data, as a line of the JSONL file holds it; reason and remark in this language."""
    return {
        "row": result.number,
        "input": dict(result.input),
        STATE: result.state,
        "texts": list(result.texts),
        SEED: result.seed,
        MODEL: result.model or None,
        REVISION: result.revision or None,
        REASON: None if result.reason is None else result.reason.say(language),
        REMARK: None if result.remark is None else result.remark.say(language),
    }


def as_csv(
    columns: Sequence[str], results: Iterable[Result], candidates: int = 1, language: str = "en"
) -> Iterator[str]:
    """The lines of a CSV file for a spreadsheet: the inputs, then `candidates` texts, state, reason, seed, model,
    revision and remark.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it; JSONL has it as it was.
    """
    texts = [RESULT] if candidates == 1 else [f"{RESULT} {number}" for number in range(1, candidates + 1)]
    taken = set(columns)
    names = [*columns, *(_free(name, taken) for name in (*texts, STATE, REASON, SEED, MODEL, REVISION, REMARK))]
    yield "\ufeff" + _line(names)  # the mark without which Excel reads UTF-8 as something else
    for result in results:
        written = [*result.texts[:candidates], *[""] * (candidates - len(result.texts))]
        reason, remark = ("" if text is None else text.say(language) for text in (result.reason, result.remark))
        seed = "" if result.seed is None else str(result.seed)
        given, by = (result.input.get(name, "") for name in columns), (result.model, result.revision)
        yield _line([*given, *written, result.state, reason, seed, *by, remark])


def harmless(cell: str) -> str:
    """The cell as text, also for a spreadsheet that runs what looks like a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow([harmless(cell) for cell in cells])
    return written.getvalue()


def _free(name: str, taken: set[str]) -> str:
    """This name, or the next of its kind that no column has."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    taken.add(found)
    return found
