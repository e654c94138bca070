"""CSV as it is found: any delimiter, blanks around quotation marks, cells of any length, `sep=;` on the first line.

Beyond RFC 4180. Python's csv module cannot skip the blank in `a, "b, c"` without removing blanks from other cells, and
cannot continue behind a broken row; so two regular expressions, which never backtrack, split the cells here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from playground.tables.table import Choice, NeedsChoice, Table, TableBuilder, TableLimits, line_of, no_rows, wrong
from playground.types import Text

DELIMITERS = ",;\t|"
NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "\\t": "\t", "none": "\x1f"}
"""Other ways to say a delimiter; "none" takes every line as one cell."""
_SPOKEN = {
    ",": Text("comma", "逗号"), ";": Text("semicolon", "分号"), "\t": Text("tab", "制表符"), "|": Text("pipe", "竖线"),
}  # fmt: skip
_SEP = re.compile(r'[ \t]*"?sep=([^\r\n"])"?[ \t,;|]*(?:\r\n|\n|\r|\Z)', re.IGNORECASE)  # what Excel writes and reads
_BREAK = re.compile(r"\r\n|\n|\r")
_SAMPLED = 50  # rows in which the delimiter is looked for
_SHOWN = 3  # cells that show what a delimiter makes of a row
_LENGTH = 24  # characters of each


@dataclass(frozen=True, slots=True)
class _Record:
    """One row of cells, and the line where it begins. Without cells it is broken, and `raw` is that line."""

    line: int
    cells: tuple[str, ...]
    raw: str = ""

    @property
    def empty(self) -> bool:
        return not self.raw and not any(cell.strip() for cell in self.cells)


def table(text: str, limits: TableLimits, *, delimiter: str = "", tabs: bool = False) -> Table:
    """The table of a CSV. `tabs` says that a tab is meant where there is one, as the ending .tsv does.

    Raises NeedsChoice where two delimiters are equally likely, and InvalidRequest where there are no rows or a limit is
    exceeded.
    """
    said = _SEP.match(text)
    begin = said.end() if said else 0
    chosen = _meant(delimiter) or (said[1] if said else "") or _told(text, begin, tabs)
    builder = TableBuilder(limits)
    found = (record for record in _records(text, chosen, begin) if not record.empty)
    head = next(found, None)
    if head is None:
        no_rows()
    if head.raw:
        wrong(
            f"Line {head.line}, the line of names, has a quotation mark that is not closed or not doubled.",
            f"第 {head.line} 行（列名所在行）有未闭合或未成对的引号。",
        )
    builder.head(head.cells)
    for record in found:
        place = line_of(record.line)
        if not record.raw:
            builder.row(record.cells, place)
            continue
        reason = Text(
            f"{place.en} has a quotation mark that is not closed or not doubled.",
            f"{place.zh}有未闭合或未成对的引号。",
        )
        builder.unreadable(record.raw, place, reason)
    return builder.table()


def _records(text: str, delimiter: str, begin: int = 0) -> Iterator[_Record]:
    """Every row from `begin` on. Of a broken one only its first line is given up, and reading goes on with the next.

    Behind a broken row a quotation mark in a cell without any around it is a mistake too: it may be what was to close
    that row. Before, it is a character like any other (`7" screen`).
    """
    mark = re.escape(delimiter)
    blank = "[ ]*+" if delimiter == "\t" else "[ \t]*+"
    opened = re.compile(f'{blank}"')
    quoted = re.compile(f'{blank}"([^"]*+(?:""[^"]*+)*+)"{blank}(?={mark}|[\r\n]|\\Z)')
    plain = re.compile(f"[^{mark}\r\n]*+")
    at, line, strict = begin, 1 + len(_BREAK.findall(text, 0, begin)), False
    while at < len(text):
        ending = _BREAK.search(text, at)
        stop, after = ending.span() if ending else (len(text), len(text))
        if text.find('"', at, stop) < 0:
            yield _Record(line, tuple(text[at:stop].split(delimiter)))
            at, line = after, line + 1
            continue
        cells, place, broken = [], at, False
        while not broken:
            within = opened.match(text, place)
            cell = quoted.match(text, place) if within else plain.match(text, place)
            if cell is None or (strict and not within and '"' in cell[0]):
                broken = True
                break
            cells.append(cell[1].replace('""', '"') if within else cell[0])
            place = cell.end()
            if text[place : place + 1] != delimiter:
                break
            place += 1
        if broken:
            yield _Record(line, (), text[at:stop])
            at, line, strict = after, line + 1, True
            continue
        yield _Record(line, tuple(cells))
        ending = _BREAK.match(text, place)
        after = ending.end() if ending else place
        line += len(_BREAK.findall(text, at, after))
        at = after


def _meant(delimiter: str) -> str:
    """The sign that is meant by what somebody said; "" where nothing was said."""
    said = NAMES.get(delimiter.strip().lower(), delimiter)
    if len(said) > 1 or said in ('"', "\r", "\n"):
        wrong(
            f"delimiter: {delimiter[:_LENGTH]!r} is not one character.",
            f"delimiter：{delimiter[:_LENGTH]!r} 不是单个字符。",
            Text(
                "Say comma, semicolon, tab, pipe, none, or the character.",
                "请写 comma、semicolon、tab、pipe、none 或该字符。",
            ),
        )
    return said


def _told(text: str, begin: int, tabs: bool) -> str:
    """The delimiter that the file uses: the one in its line of names, if the rows have as many cells.

    Raises NeedsChoice where that leaves several.
    """
    samples = {one: _sample(text, one, begin) for one in DELIMITERS}
    named = [one for one in DELIMITERS if samples[one] and len(samples[one][0].cells) > 1]
    if tabs and "\t" in named:
        return "\t"
    if not named:  # where every one of them breaks the line of names, that is said of the first in it
        return next((one for one in DELIMITERS if samples[one] and one in samples[one][0].raw), NAMES["none"])
    broken = {one: sum(bool(record.raw) for record in samples[one]) for one in named}
    named = [one for one in named if broken[one] == min(broken.values())]
    if len(named) == 1:
        return named[0]
    even = [one for one in named if len({len(record.cells) for record in samples[one] if not record.raw}) == 1]
    if len(even) == 1:
        return even[0]
    left = even or named
    choices = [Choice(one, _reading(one, samples[one])) for one in left]
    both = Text(" or ", "或")
    listed = Text(both.en.join(_SPOKEN[one].en for one in left), both.zh.join(_SPOKEN[one].zh for one in left))
    raise NeedsChoice(
        Text(f"The cells may be divided by {listed.en}.", f"单元格之间的分隔符可能是{listed.zh}。"),
        "delimiter",
        choices,
    )


def _sample(text: str, delimiter: str, begin: int) -> list[_Record]:
    return list(islice((record for record in _records(text, delimiter, begin) if not record.empty), _SAMPLED))


def _reading(delimiter: str, sample: Sequence[_Record]) -> Text:
    """What the names and the first row that is whole are under a delimiter."""
    whole = [record.cells for record in sample if not record.raw]
    rows = [" | ".join(cell.strip()[:_LENGTH] for cell in cells[:_SHOWN]) for cells in whole[:2]]
    name, shown = _SPOKEN[delimiter], " / ".join(rows)
    return Text(f"{name.en}: {shown}", f"{name.zh}：{shown}")
