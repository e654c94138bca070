"""What the worker process does with a file's bytes: checks their kind, and makes a table of them.

`parse` is plain code without a process; `read` is the same for a worker, with JSON on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from playground.tables import delimited, json_lines, spreadsheet
from playground.tables.encodings import decoded
from playground.tables.table import Choice, NeedsChoice, Table, TableLimits, wrong
from playground.types import Text

SHEETS = (".xlsx", ".xlsm")
LINES = (".jsonl", ".ndjson")
KINDS = (".csv", ".tsv", *SHEETS, *LINES)
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP = b"PK\x03\x04"
_OTHER = {b"%PDF": "PDF", b"\x1f\x8b": "gzip", b"\x89PNG": "PNG", b"SQLite": "SQLite", b"PAR1": "Parquet"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file that does not show it by itself; "" leaves it to the file."""

    sheet: str = ""
    delimiter: str = ""
    encoding: str = ""


def parse(kind: str, data: bytes, reading: Reading, limits: TableLimits) -> Table:
    """The table in a file of this kind, one of KINDS. Raises InvalidRequest, or NeedsChoice where it can be read in
    several ways."""
    if data.startswith(_OLE):
        wrong(
            "The file is an old XLS, or an XLSX with a password.",
            "该文件是旧式 XLS，或是带密码的 XLSX。",
            Text("Save it as XLSX without a password, or as CSV.", "请另存为不带密码的 XLSX 或 CSV。"),
        )
    other = next((name for mark, name in _OTHER.items() if data.startswith(mark)), None)
    if other is not None:
        wrong(
            f"The file is a {other} file, whatever its name says.",
            f"无论文件名如何，该文件是 {other} 文件。",
            Text("Save the table as CSV, XLSX or JSONL.", "请把表格另存为 CSV、XLSX 或 JSONL。"),
        )
    if kind in SHEETS or data.startswith(_ZIP):
        return spreadsheet.table(data, limits, reading.sheet)
    if reading.sheet:
        wrong(
            "sheet: only an XLSX has sheets.", "sheet：只有 XLSX 才有工作表。",
            Text("Leave it out for this file.", "对此文件请去掉它。"),
        )  # fmt: skip
    if reading.delimiter and kind in LINES:
        wrong(
            "delimiter: only a CSV has one.", "delimiter：只有 CSV 才有分隔符。",
            Text("Leave it out for this file.", "对此文件请去掉它。"),
        )  # fmt: skip
    text = decoded(data, reading.encoding)
    if kind in LINES:
        return json_lines.table(text, limits)
    return delimited.table(text, limits, delimiter=reading.delimiter, tabs=kind == ".tsv")


def read(options: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """`parse` in a worker process."""
    try:
        found = parse(options["kind"], data, Reading(**options["reading"]), TableLimits(**options["limits"]))
    except NeedsChoice as question:
        return asked(question)
    return {
        "columns": list(found.columns),
        "rows": [[row[name] for name in found.columns] for row in found.rows],
        "refused": {str(number): [reason.en, reason.zh] for number, reason in found.refused.items()},
    }


def asked(question: NeedsChoice) -> dict[str, Any]:
    """A question about a file as plain data, which `raise_question` raises again."""
    choices = [[one.value, one.label.en, one.label.zh] for one in question.choices]
    return {"option": question.option, "choices": choices, "message": [question.message.en, question.message.zh]}


def raise_question(answer: Mapping[str, Any]) -> None:
    """Raises NeedsChoice where an answer is a question."""
    if "option" in answer:
        choices = [Choice(value, Text(en, zh)) for value, en, zh in answer["choices"]]
        raise NeedsChoice(Text(*answer["message"]), answer["option"], choices)


def options(kind: str, reading: Reading, limits: TableLimits) -> dict[str, Any]:
    """What `read` gets beside the bytes, as plain data."""
    return {"kind": kind, "reading": asdict(reading), "limits": asdict(limits)}


def from_answer(answer: Mapping[str, Any]) -> Table:
    """The table that `read` answered; raises NeedsChoice where it answered with a question."""
    raise_question(answer)
    columns = answer["columns"]
    rows = tuple(dict(zip(columns, cells, strict=True)) for cells in answer["rows"])
    return Table(tuple(columns), rows, {int(number): Text(*reason) for number, reason in answer["refused"].items()})
