"""A table of texts in a file and out of it: CSV, XLSX or JSONL in, CSV or JSONL out with results beside the inputs.

Knows no task, no model and no page. A file may come from anybody: it is bounded, and nothing in it is ever run.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from playground.types import InvalidRequest, Text

KINDS = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson")
MOST_COLUMNS = 200
DELIMITERS = ",;\t"
_UNPACKED = 20  # a sheet may unpack to so many times the size that a file may have
# What a spreadsheet takes for the beginning of a formula, also as full-width letters; see OWASP, "CSV Injection".
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
RESULT, STATE, REASON, SEED, REMARK = "result", "state", "reason", "seed", "remark"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by the names of their columns; every row has every column, "" where nothing stood."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row; `number` counts from 1. `reason` is why it failed, `texts` one for each candidate.

    `remark` is what is to be known of a row that is done.
    """

    number: int
    input: Mapping[str, str]
    state: str
    texts: tuple[str, ...] = ()
    reason: Text | None = None
    seed: int | None = None
    remark: Text | None = None


def read(path: Path, *, most_rows: int, most_bytes: int) -> Table:
    """The table in a file, its kind told by the ending of its name. InvalidRequest names the row that is wrong.

    Rows are counted from 1 without the line of names; empty ones are left out and not counted.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        _wrong(
            f"{path.name[-60:]!r} is no CSV, XLSX or JSONL file.",
            f"{path.name[-60:]!r} 不是 CSV、XLSX 或 JSONL 文件。",
            Text("Save the table as one of them.", "请把表格另存为其中一种格式。"),
        )
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= most_bytes else b""
    except OSError:
        _wrong(f"{path.name[-60:]!r} cannot be read.", f"无法读取 {path.name[-60:]!r}。")
    if size > most_bytes:
        _wrong(
            f"The file has {_megabytes(size)}; at most {_megabytes(most_bytes)} are allowed.",
            f"文件大小为 {_megabytes(size)}，最多允许 {_megabytes(most_bytes)}。",
            Text("Split it.", "请拆分文件。"),
        )
    if kind == ".xlsx":
        return _table(_sheet(io.BytesIO(data), most_bytes), most_rows)
    text = _decoded(data)
    return _objects(text, most_rows) if kind in (".jsonl", ".ndjson") else _table(_separated(text), most_rows)


def as_jsonl(results: Iterable[Result], language: str = "en") -> Iterator[str]:
    """One JSON object a line, exactly as it was: nothing is neutralized here."""
    for result in results:
        yield json.dumps(record(result, language), ensure_ascii=False) + "\n"


def record(result: Result, language: str = "en") -> dict[str, Any]:
    return {
        "row": result.number,
        "input": dict(result.input),
        STATE: result.state,
        "texts": list(result.texts),
        SEED: result.seed,
        REASON: None if result.reason is None else result.reason.say(language),
        REMARK: None if result.remark is None else result.remark.say(language),
    }


def as_csv(
    columns: Sequence[str], results: Iterable[Result], candidates: int = 1, language: str = "en"
) -> Iterator[str]:
    """The lines of a CSV file for a spreadsheet: the inputs, then `candidates` texts, state, reason, seed and remark.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it; JSONL has it as it was.
    """
    texts = [RESULT] if candidates == 1 else [f"{RESULT} {number}" for number in range(1, candidates + 1)]
    taken = set(columns)
    names = [*columns, *(_free(name, taken) for name in (*texts, STATE, REASON, SEED, REMARK))]
    yield "\ufeff" + _line(names)  # the mark without which Excel reads UTF-8 as something else
    for result in results:
        written = [*result.texts[:candidates], *[""] * (candidates - len(result.texts))]
        reason, remark = ("" if text is None else text.say(language) for text in (result.reason, result.remark))
        seed = "" if result.seed is None else str(result.seed)
        yield _line([*(result.input.get(name, "") for name in columns), *written, result.state, reason, seed, remark])


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


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _wrong(
            f"Line {line} is not UTF-8 text.",
            f"第 {line} 行不是 UTF-8 文本。",
            Text("Save the file as UTF-8.", "请把文件另存为 UTF-8。"),
        )


def _separated(text: str) -> Iterator[Sequence[str]]:
    """The rows of a CSV; the delimiter is the one that splits the line of names into the most."""
    head = io.StringIO(text.lstrip("\r\n"), newline="")
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader(_rewound(head), delimiter=one), [])))
    reader = csv.reader(_rewound(head), delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            place = Text(f"Row {number}", f"第 {number} 行") if number else Text("The line of names", "列名所在行")
            _wrong(
                f"{place.en} is no valid CSV: {error}.",
                f"{place.zh}不是有效的 CSV：{error}。",
                Text("Look for a quotation mark that is not closed or not doubled.", "请检查未闭合或未成对的引号。"),
            )
        yield cells
        number += any(cell.strip() for cell in cells)


def _rewound(text: io.StringIO) -> io.StringIO:
    text.seek(0)
    return text


def _sheet(file: BinaryIO, most_bytes: int) -> Iterator[Sequence[str]]:
    """The rows of the first sheet. Of a formula only the value that was saved with it is seen.

    What is packed says its size before it is unpacked, and zipfile reads no more of it than that; expat, which reads
    the XML, ends entities that grow.
    """
    broken = Text("The file is no valid XLSX.", "该文件不是有效的 XLSX。")
    again = Text("Save it again, or as CSV.", "请重新保存，或另存为 CSV。")
    try:
        with zipfile.ZipFile(file) as packed:
            if sum(part.file_size for part in packed.infolist()) > _UNPACKED * most_bytes:
                _wrong(
                    f"The sheet unpacks to more than {_megabytes(_UNPACKED * most_bytes)}.",
                    f"该表格解压后超过 {_megabytes(_UNPACKED * most_bytes)}。",
                    Text("Save what is needed as CSV.", "请把需要的部分另存为 CSV。"),
                )
        with closing(openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book:
            if not book.worksheets:
                raise InvalidRequest(broken, again, parameter="file")
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what it says of its own size may be anything
            for cells in sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True):
                yield [_cell(value) for value in cells]
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, EOFError) as error:
        raise InvalidRequest(broken, again, parameter="file") from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _table(lines: Iterator[Sequence[str]], most_rows: int) -> Table:
    """The first line that is not empty names the columns, each by its own name."""
    filled = (cells for cells in lines if any(cell.strip() for cell in cells))
    names = [name.strip() for name in next(filled, ())]
    while names and not names[-1]:
        names.pop()
    names = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    if not names:
        _empty()
    _check_columns(names)
    rows = []
    for number, cells in enumerate(filled, start=1):
        _check_count(number, most_rows)
        if any(cell.strip() for cell in cells[len(names) :]):
            _wrong(
                f"Row {number} has more cells than there are columns ({len(names)}).",
                f"第 {number} 行的单元格多于列数（{len(names)}）。",
                Text("Put a cell that holds a delimiter into quotation marks.", "含有分隔符的单元格请加引号。"),
            )
        row = dict(zip(names, [*cells, *[""] * len(names)], strict=False))
        rows.append(_checked(row, number))
    return _filled(names, rows)


def _objects(text: str, most_rows: int) -> Table:
    names: dict[str, None] = {}
    rows: list[dict[str, str]] = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        number = len(rows) + 1
        _check_count(number, most_rows)
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            _wrong(
                f"Row {number} is no JSON object.",
                f"第 {number} 行不是 JSON 对象。",
                Text('Write one a line, like {"product": "Blue Moon"}.', '每行写一个，如 {"product": "月亮咖啡"}。'),
            )
        names.update(dict.fromkeys(found))
        _check_columns(list(names))
        rows.append(_checked({name: _plain(name, value, number) for name, value in found.items()}, number))
    return _filled(list(names), [{name: row.get(name, "") for name in names} for row in rows])


def _plain(name: str, value: Any, number: int) -> str:
    if isinstance(value, list | dict):
        shown = name[:60]
        _wrong(
            f"Row {number}: {shown!r} holds a list or an object.",
            f"第 {number} 行：{shown!r} 是列表或对象。",
            Text("Write a text or a number.", "请写成文本或数字。"),
        )
    return "" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)


def _checked(row: dict[str, str], number: int) -> dict[str, str]:
    for name, cell in row.items():
        try:
            f"{name}{cell}".encode()
        except UnicodeEncodeError:
            _wrong(
                f"Row {number} holds half a character (a lone surrogate).",
                f"第 {number} 行含有不完整的字符（孤立代理项）。",
                Text("Write that place anew.", "请重新输入该处。"),
            )
    return row


def _check_count(number: int, most_rows: int) -> None:
    if number > most_rows:
        _wrong(
            f"Row {number:,} is one too many: at most {most_rows:,} rows are allowed.",
            f"第 {number:,} 行超出上限：最多允许 {most_rows:,} 行。",
            Text("Split the file.", "请拆分文件。"),
        )


def _check_columns(names: Sequence[str]) -> None:
    if len(names) > MOST_COLUMNS:
        _wrong(
            f"There are more than {MOST_COLUMNS} columns.",
            f"列数超过 {MOST_COLUMNS}。",
            Text("Leave out those that are not needed.", "请去掉不需要的列。"),
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        _wrong(
            f"Two columns are named {twice[:60]!r}.",
            f"有两列同名：{twice[:60]!r}。",
            Text("Give each its own name.", "请为每列取不同的名称。"),
        )


def _filled(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Table:
    if not rows:
        _empty()
    return Table(tuple(names), tuple(rows))


def _empty() -> NoReturn:
    _wrong(
        "The file has no rows.",
        "文件中没有数据行。",
        Text("The first line names the columns, the rows stand beneath it.", "第一行为列名，数据写在其下。"),
    )


def _wrong(en: str, zh: str, hint: Text | None = None) -> NoReturn:
    raise InvalidRequest(Text(en, zh), hint, parameter="file")


def _megabytes(size: int) -> str:
    return f"{size / 10**6:,.1f} MB"
