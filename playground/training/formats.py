"""Files of training data: tables, conversations and plain text become records. Knows no task and no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from playground.amounts import bytes_text
from playground.isolation import LimitExceeded, ResourceLimits, run_isolated
from playground.tables import table_reader
from playground.tables.rows import Reading
from playground.tables.table import TableLimits, no_rows, wrong
from playground.training.file_reader import KINDS
from playground.types import Text, Turn

__all__ = ["KINDS", "MOST", "Kind", "Records", "Talk", "pair_of", "read"]

Kind = Literal["columns", "chat", "pairs", "text"]

MOST = TableLimits(rows=200_000, size=200_000_000, cell=500_000)
"""What a file of training data may hold. It is its owner's own: the bounds keep a mistake from filling the memory."""
_READING = ResourceLimits(seconds=120.0, memory=4 * 10**9, output=4 * MOST.size)
_SHOWN = 60  # characters of a file's name in a sentence
# Columns whose meaning is known by their names: those of the prompt, and the column of the answer.
_PAIRS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("instruction", "input"), "output"),
    (("instruction",), "output"),
    (("instruction",), "response"),
    (("prompt",), "completion"),
    (("prompt",), "response"),
    (("question",), "answer"),
)


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation. It begins with a message, its turns alternate, and `learned` names the turns (from 0) whose
    answers are to be learned."""

    system: str
    turns: tuple[Turn, ...]
    learned: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """What a file holds, row by row, counted from 1. `refused` are the rows that cannot be used, with the reason.

    "columns" and "pairs" (columns of a known meaning, as Alpaca has them) have rows of texts by column, "chat" has
    conversations, "text" has the pieces of one long text, which together are that text.
    """

    kind: Kind
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str] | Talk | str, ...]
    refused: Mapping[int, Text] = field(default_factory=dict)


def read(path: Path, reading: Reading | None = None, most: TableLimits = MOST) -> Records:
    """The records in a file, read in a worker process; the ending of its name says its kind, one of KINDS.

    Raises NeedsChoice where the file can be read in several ways and `reading` does not say which, and InvalidRequest
    where it cannot be read or has no rows.
    """
    shown, kind = path.name[-_SHOWN:], path.suffix.lower()
    if kind not in KINDS:
        wrong(
            f"{shown!r} is no CSV, XLSX, JSONL, JSON, TXT or Markdown file.",
            f"{shown!r} 不是 CSV、XLSX、JSONL、JSON、TXT 或 Markdown 文件。",
            Text("Save the data as one of them.", "请把数据另存为其中一种格式。"),
        )
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= most.size else b""
    except OSError:
        wrong(f"{shown!r} cannot be read.", f"无法读取 {shown!r}。")
    if size > most.size:
        wrong(
            f"The file has {bytes_text(size)}; at most {bytes_text(most.size)} are allowed.",
            f"文件大小为 {bytes_text(size)}，最多允许 {bytes_text(most.size)}。",
            Text("Split it.", "请拆分文件。"),
        )
    options = table_reader.options(kind, reading or Reading(), most)
    try:
        return _records(run_isolated("training", options, data, _READING))
    except LimitExceeded:
        memory = bytes_text(_READING.memory)
        wrong(
            f"Reading this file takes more than {_READING.seconds:g} s or {memory} of memory.",
            f"读取此文件需要超过 {_READING.seconds:g} 秒或 {memory} 内存。",
            Text("Save what is needed of it as a new file.", "请把需要的部分另存为新文件。"),
        )


def pair_of(columns: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
    """The columns of the prompt and the column of the answer, where the names of these columns say so."""
    by_name = {name.strip().lower(): name for name in columns}
    for asked, answer in _PAIRS:
        if answer in by_name and all(name in by_name for name in asked):
            return tuple(by_name[name] for name in asked), by_name[answer]
    return None


def _records(answer: Mapping[str, Any]) -> Records:
    table_reader.raise_question(answer)
    refused = {int(number): Text(*reason) for number, reason in answer["refused"].items()}
    if "pieces" in answer:
        if not answer["pieces"]:
            no_text()
        return Records("text", (), tuple(answer["pieces"]), refused)
    if "talks" in answer:
        return Records("chat", (), tuple(map(_talk, answer["talks"])), refused)
    table = table_reader.from_answer(answer)
    if not table.rows:
        no_rows()
    return Records("columns" if pair_of(table.columns) is None else "pairs", table.columns, table.rows, table.refused)


def _talk(given: Mapping[str, Any]) -> Talk:
    turns = tuple(cast(Turn, (role, text)) for role, text in given["turns"])
    return Talk(given["system"], turns, tuple(given["learned"]))


def no_text() -> None:
    """Raises InvalidRequest for a text file without text."""
    wrong("The file has no text.", "文件中没有文本。", Text("Choose another one.", "请换一个文件。"))
