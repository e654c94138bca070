"""The rows of one sheet as they stream by: what each cell shows, and which formulas were saved without a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from playground.tables.number_formats import shown
from playground.tables.workbook import Workbook
from playground.tables.xml_stream import Collected, RichText, stream

UNSAVED, ERROR, ASTRAY = "unsaved", "error", "astray"
"""Why a cell has no text: a formula without a value, an error such as #N/A, a shared string that there is not."""
Row = Callable[[int, dict[int, str], dict[str, list[str]]], None]
"""Called for each row with its number, its cells by column (from 1), and the names of cells without a text by why."""

_REFERENCE = re.compile(r"([A-Za-z]{1,3})\d*")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class RowReader:
    """Reads one sheet and calls `row` for each row that holds anything."""

    def __init__(self, book: Workbook, most_characters: int, row: Row) -> None:
        self._book, self._row = book, row
        self._number = self._column = 0
        self._cells: dict[int, str] = {}
        self._without: dict[str, list[str]] = {}
        self._kind = self._style = ""
        self._formula = self._in_value = self._in_text = False
        self._value = Collected(most_characters)
        self._rich = RichText(most_characters)

    def read(self, part: str) -> None:
        with self._book.opened(part) as file:
            stream(file, self._start, self._end, self._text)

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        if name == "c":
            found = _REFERENCE.match(given.get("r", ""))
            self._column = column_number(found[1]) if found else self._column + 1
            self._kind, self._style = given.get("t", ""), given.get("s", "0")
            self._formula = False
        elif name == "v":
            self._in_value = True
        elif name == "f":
            self._formula = True
        elif name == "is":
            self._in_text = True
        elif name == "row":
            number = given.get("r", "")
            self._number = int(number) if number.isdecimal() and len(number) < 20 else self._number + 1
            self._column = 0
            self._cells, self._without = {}, {}
        elif self._in_text:
            self._rich.start(name)

    def _text(self, piece: str) -> None:
        if self._in_value:
            self._value.add(piece)
        elif self._in_text:
            self._rich.add(piece)

    def _end(self, name: str) -> None:
        if name == "v":
            self._in_value = False
        elif name == "c":
            self._take_cell()
        elif name == "row":
            if self._without or any(map(str.strip, self._cells.values())):
                self._row(self._number, self._cells, self._without)
        elif name == "is":
            self._in_text = False
        elif self._in_text:
            self._rich.end(name)

    def _take_cell(self) -> None:
        value, rich = self._value.take(), self._rich.take()
        without = self._why_without(value)
        if without:
            name = f"{column_name(self._column)}{self._number}"
            self._without.setdefault(without, []).append(f"{name} ({value[:20]})" if without == ERROR else name)
            return
        text = unescaped(rich) if self._kind == "inlineStr" else self._shown(value) if value.strip() else ""
        if text:
            self._cells[self._column] = text

    def _why_without(self, value: str) -> str:
        if self._formula and self._kind != "str" and self._never_calculated(value):
            return UNSAVED
        if self._kind == "e" and value.strip():
            return ERROR
        known = value.strip().isdecimal() and len(value) < 12 and int(value) < len(self._book.strings)
        return ASTRAY if self._kind == "s" and value.strip() and not known else ""

    def _never_calculated(self, value: str) -> bool:
        """Programs that write files and calculate nothing save no value, or a 0 and that all is to be calculated."""
        return not value or (self._book.recalculates and value == "0")

    def _shown(self, value: str) -> str:
        match self._kind:
            case "s":
                return unescaped(self._book.strings[int(value)])
            case "str":
                return unescaped(value)
            case "b":
                return "FALSE" if value.strip() == "0" else "TRUE"
            case "d":
                return _iso(value, self._format)
            case _:
                return shown(value, self._format, since_1904=self._book.since_1904)

    @property
    def _format(self) -> str:
        style = int(self._style) if self._style.isdecimal() and len(self._style) < 7 else 0
        formats = self._book.formats
        return formats[style] if style < len(formats) else ""


def unescaped(text: str) -> str:
    """A string with its escapes (`_x000D_`) as the signs that they stand for, and every line break as one."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two escapes may be one sign
    return text.replace("\r\n", "\n").replace("\r", "\n")


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_name(number: int) -> str:
    """A for 1, AA for 27."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _iso(value: str, code: str) -> str:
    """A date that the file holds as ISO 8601, with as much of it as its format shows."""
    try:
        moment = datetime.fromisoformat(value.strip().removesuffix("Z"))
    except ValueError:
        return value
    since = (moment.replace(tzinfo=None) - datetime(1899, 12, 30)).total_seconds() / 86_400
    return shown(repr(since), code or "yyyy-mm-dd hh:mm:ss")
