"""A table of texts as it was read: rows by their columns, and why some of them are refused. Knows no file format."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NoReturn

from playground.amounts import bytes_text
from playground.types import InvalidRequest, Text

MAX_COLUMNS = 200
_SHOWN = 60  # characters of a name in a sentence
_EXCERPT = 200  # characters that are kept of a cell that is too long, or of a line that cannot be read
_TEXT = 3  # characters of all cells, as a multiple of the bytes that a file may have: a sheet may say a text many times


@dataclass(frozen=True, slots=True)
class TableLimits:
    """What a file may hold: rows, bytes, and characters of one cell."""

    rows: int
    size: int
    cell: int


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by the names of their columns, counted from 1; every row has every column, "" where nothing stood.

    `refused` are the rows that cannot be used, each with its reason; what could be read of them stands in `rows`.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    refused: Mapping[int, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to read a file: the value that asks for it, and what the file looks like then."""

    value: str
    label: Text


class NeedsChoice(InvalidRequest):
    """A file can be read in several ways; `option` is what has to be said of it: "sheet", "delimiter" or "encoding"."""

    def __init__(self, message: Text, option: str, choices: Sequence[Choice]) -> None:
        super().__init__(message, Text("Choose one.", "请选择一种。"), parameter="file")
        self.option = option
        self.choices = tuple(choices)


class TableBuilder:
    """Takes the line of names, then row after row. Raises InvalidRequest for what concerns the whole file."""

    def __init__(self, limits: TableLimits) -> None:
        self.limits = limits
        self._names: dict[str, None] = {}
        self._rows: list[dict[str, str]] = []
        self._refused: dict[int, Text] = {}
        self._characters = 0

    @property
    def names(self) -> list[str]:
        return list(self._names)

    def head(self, cells: Sequence[str]) -> None:
        """Takes the names of the columns; one without a name is called by its place.

        Raises InvalidRequest for too many columns, and for a name that is too long, no text, or given twice.
        """
        names = [cell.strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if len(names) > MAX_COLUMNS:
            wrong(
                f"There are more than {MAX_COLUMNS} columns.",
                f"列数超过 {MAX_COLUMNS}。",
                Text("Leave out those that are not needed.", "请去掉不需要的列。"),
            )
        given = set(names)
        names = [name or _unlike(f"column {place}", given) for place, name in enumerate(names, start=1)]
        for place, name in enumerate(names, start=1):
            if len(name) > self.limits.cell or not is_text(name):
                wrong(
                    f"The name of column {place} is too long or no text.",
                    f"第 {place} 列的列名过长或不是文本。",
                    Text("Give it a short name.", "请取一个简短的列名。"),
                )
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            wrong(
                f"Two columns are named {twice[:_SHOWN]!r}.",
                f"有两列同名：{twice[:_SHOWN]!r}。",
                Text("Give each its own name.", "请为每列取不同的名称。"),
            )
        self._names = dict.fromkeys(names)

    def row(self, cells: Sequence[str], place: Text, refusal: Text | None = None) -> None:
        """One row under the line of names. `place` names it in the file ("Line 7"); `refusal` is why it is refused."""
        names = list(self._names)
        if refusal is None and any(cell.strip() for cell in cells[len(names) :]):
            refusal = Text(
                f"{place.en} has more cells than there are columns ({len(names)}). "
                "Put a cell that holds a delimiter into quotation marks.",
                f"{place.zh}的单元格多于列数（{len(names)}）。含有分隔符的单元格请加引号。",
            )
        self._add(dict(zip(names, cells, strict=False)), place, refusal)

    def record(self, cells: Mapping[str, str], place: Text, refusal: Text | None = None) -> None:
        """One row with names of its own, which may be new."""
        if len(self._names) + sum(name not in self._names for name in cells) > MAX_COLUMNS:
            refusal = refusal or Text(
                f"{place.en} brings more names than the {MAX_COLUMNS} columns that a table may have.",
                f"{place.zh}带来的列名使表格超过 {MAX_COLUMNS} 列。",
            )
        elif all(is_text(name) and len(name) <= self.limits.cell for name in cells):
            self._names.update(dict.fromkeys(cells))
        else:
            refusal = refusal or Text(
                f"{place.en}: a name is too long, or no text.", f"{place.zh}：有名称过长或不是文本。"
            )
        self._add({name: cell for name, cell in cells.items() if name in self._names}, place, refusal)

    def unreadable(self, line: str, place: Text, reason: Text) -> None:
        """A refused row that cannot be split into cells: its beginning stands in the first column."""
        first = next(iter(self._names), None)
        self._add({} if first is None else {first: line}, place, reason)

    def table(self) -> Table:
        """All rows so far, each with every column. Raises InvalidRequest where there are no rows."""
        if not self._rows:
            no_rows()
        names = list(self._names)
        full = tuple({name: row.get(name, "") for name in names} for row in self._rows)
        return Table(tuple(names), full, self._refused)

    def _add(self, row: dict[str, str], place: Text, refusal: Text | None) -> None:
        number, limits = len(self._rows) + 1, self.limits
        if number > limits.rows:
            wrong(
                f"Row {number:,} is one too many: at most {limits.rows:,} rows are allowed.",
                f"第 {number:,} 行超出上限：最多允许 {limits.rows:,} 行。",
                Text("Split the file.", "请拆分文件。"),
            )
        refusal = refusal or self._problem(row, place)
        if refusal is not None:
            self._refused[number] = refusal
            row = {name: readable(cell[:_EXCERPT]) for name, cell in row.items()}
        self._rows.append(row)
        self._characters += sum(map(len, row.values()))
        if self._characters > _TEXT * limits.size:
            wrong(
                f"The cells hold more than {bytes_text(_TEXT * limits.size)} of text.",
                f"单元格中的文本超过 {bytes_text(_TEXT * limits.size)}。",
                Text("Split the file.", "请拆分文件。"),
            )

    def _problem(self, row: Mapping[str, str], place: Text) -> Text | None:
        for name, cell in row.items():
            shown = name[:_SHOWN]
            if len(cell) > self.limits.cell:
                return Text(
                    f"{place.en}: the cell under {shown!r} has more than {self.limits.cell:,} characters, "
                    "which is the most that is allowed.",
                    f"{place.zh}：{shown!r} 列的单元格超过上限 {self.limits.cell:,} 个字符。",
                )
            if not is_text(name) or not is_text(cell):
                shown = readable(shown)
                return Text(
                    f"{place.en}: the cell under {shown!r} holds bytes that are no text, or half a character "
                    "(a zero byte or a lone surrogate).",
                    f"{place.zh}：{shown!r} 列的单元格含有不是文本的字节或不完整的字符（零字节或孤立代理项）。",
                )
        return None


def _unlike(name: str, given: Collection[str]) -> str:
    """This name, or the next of its kind that no column has."""
    numbered = (f"{name} ({number})" for number in count(2))
    return name if name not in given else next(one for one in numbered if one not in given)


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8, and nothing in it is a zero."""
    if "\0" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def readable(text: str) -> str:
    """The text with a mark where it is no text."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def no_rows() -> NoReturn:
    """Raises InvalidRequest for a file without rows."""
    wrong(
        "The file has no rows.",
        "文件中没有数据行。",
        Text("The first line names the columns, the rows stand beneath it.", "第一行为列名，数据写在其下。"),
    )


def wrong(en: str, zh: str, hint: Text | None = None) -> NoReturn:
    """Raises InvalidRequest for the parameter `file`."""
    raise InvalidRequest(Text(en, zh), hint, parameter="file")


def line_of(number: int) -> Text:
    """A place in a file of lines."""
    return Text(f"Line {number:,}", f"文件第 {number:,} 行")
