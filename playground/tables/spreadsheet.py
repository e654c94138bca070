"""XLSX: which sheet is meant, and its rows as they stand there, however far apart.

openpyxl yields every row that is missing, python-calamine makes a place for every cell up to the last one, and neither
gives both a formula without a saved value and a number's format. So the XML (ECMA-376) is read here, as it streams.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from playground.tables.sheet_rows import ERROR, UNSAVED, RowReader, column_name
from playground.tables.table import Choice, NeedsChoice, Table, TableBuilder, TableLimits, no_rows, wrong
from playground.tables.workbook import Sheet, Workbook, explained
from playground.types import Text

_SHOWN = 60  # characters of a sheet's name in a sentence
_LISTED = 30  # sheets in a question
_CALCULATE = Text(
    "Open the file in a spreadsheet program, save it, and send it again.",
    "请用电子表格程序打开文件并保存，然后重新上传。",
)


def table(data: bytes, limits: TableLimits, sheet: str = "") -> Table:
    """The table of one sheet: the one named, else the only one that is not hidden.

    Raises NeedsChoice where there are several, and InvalidRequest where the file cannot be read.
    """
    builder = TableBuilder(limits)
    with explained():
        book = Workbook(io.BytesIO(data), limits.size, limits.cell)
        RowReader(book, limits.cell, _Rows(builder).take).read(_meant(book.sheets, sheet).part)
    return builder.table()


def _meant(sheets: Sequence[Sheet], name: str) -> Sheet:
    if name:
        exact = [one for one in sheets if one.name == name]
        found = exact or [one for one in sheets if one.name.strip().casefold() == name.strip().casefold()]
        if found:
            return found[0]
    visible = [one for one in sheets if not one.hidden]
    if len(visible) == 1 and not name:
        return visible[0]
    if not sheets:
        no_rows()
    offered = (visible or sheets)[:_LISTED]
    listed = ", ".join(one.name[:_SHOWN] for one in offered)
    shown = name[:_SHOWN]
    if name:
        message = Text(
            f"The file has no sheet {shown!r}; it has {listed}.", f"文件中没有工作表 {shown!r}；有 {listed}。"
        )
    elif visible:
        message = Text(f"The file has several sheets: {listed}.", f"文件有多个工作表：{listed}。")
    else:
        message = Text(f"All sheets of the file are hidden: {listed}.", f"文件的所有工作表都已隐藏：{listed}。")
    raise NeedsChoice(message, "sheet", [Choice(one.name, Text(one.name, one.name)) for one in offered])


def _reason(why: str, listed: str) -> Text:
    """Why cells have no text, by their names."""
    if why == UNSAVED:
        en, zh = f"The formula in {listed} was saved without its value.", f"{listed} 中的公式没有保存结果。"
        return Text(f"{en} {_CALCULATE.en}", f"{zh}{_CALCULATE.zh}")
    if why == ERROR:
        return Text(
            f"The sheet shows an error in {listed}. Mend the formula, or write a text.",
            f"{listed} 显示为错误值。请修正公式或填写文本。",
        )
    return Text(f"The text of {listed} is not in the file. Save it again.", f"文件中没有 {listed} 的文本。请重新保存。")


class _Rows:
    """Takes a sheet's rows: the first names the columns, the others become rows of the table."""

    def __init__(self, builder: TableBuilder) -> None:
        self._builder = builder
        self._width = 0

    def take(self, number: int, cells: Mapping[int, str], without: Mapping[str, Sequence[str]]) -> None:
        last = max((column for column, text in cells.items() if text.strip()), default=0)
        if not self._width:
            for why, places in without.items():
                reason = _reason(why, places[0])
                wrong(f"A column has no name. {reason.en}", f"有一列没有列名。{reason.zh}")
            self._builder.head([cells.get(place, "") for place in range(1, last + 1)])
            self._width = last
            return
        refusal = None
        if without:
            why, places = next(iter(without.items()))
            refusal = _reason(why, ", ".join(places[:5]) + (" …" if len(places) > 5 else ""))
        elif last > self._width:
            place = f"{column_name(last)}{number}"
            refusal = Text(
                f"The cell {place} stands beside the columns, which end at {column_name(self._width)}.",
                f"单元格 {place} 位于各列之外（最后一列为 {column_name(self._width)}）。",
            )
        row = [cells.get(place, "") for place in range(1, self._width + 1)]
        self._builder.row(row, Text(f"Row {number:,}", f"表格第 {number:,} 行"), refusal)
