"""One JSON object a line: each is a row, and a line that is none is refused by its number alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from playground.tables.table import Table, TableBuilder, TableLimits, line_of
from playground.types import Text

_SHOWN = 60  # characters of a name in a sentence


def table(text: str, limits: TableLimits) -> Table:
    """The table of a text with one JSON object on each line; a line that is none becomes a refused row."""
    lines = ((line, line_of(number)) for number, line in enumerate(text.split("\n"), start=1))
    return table_of(((line, place) for line, place in lines if line.strip()), limits)


def table_of(lines: Iterable[tuple[str, Text]], limits: TableLimits) -> Table:
    """The same of objects that stand in other places than lines of a text; each comes with its place."""
    builder = TableBuilder(limits)
    for line, place in lines:
        _add(builder, line, place)
    return builder.table()


def _add(builder: TableBuilder, line: str, place: Text) -> None:
    try:
        # A number is taken as it is written: 3.10 is not 3.1, and what is too large for a number is still a text.
        pairs = json.loads(line, object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, _Pairs):
        reason = Text(
            f'{place.en} is no JSON object. Write one a line, like {{"product": "Blue Moon"}}.',
            f'{place.zh}不是 JSON 对象。每行写一个，如 {{"product": "月亮咖啡"}}。',
        )
        builder.unreadable(line, place, reason)
        return
    cells: dict[str, str] = {}
    refusal = None
    for name, value in pairs:
        shown = name[:_SHOWN]
        if isinstance(value, list):  # _Pairs is one
            refusal = Text(
                f"{place.en}: {shown!r} holds a list or an object. Write a text or a number.",
                f"{place.zh}：{shown!r} 是列表或对象。请写成文本或数字。",
            )
        if name in cells:
            refusal = Text(f"{place.en}: {shown!r} stands there twice.", f"{place.zh}：{shown!r} 出现了两次。")
        cells[name] = "" if isinstance(value, list) else _plain(value)
    builder.record(cells, place, refusal)


class _Pairs(list[tuple[str, Any]]):
    """An object with all that it says, also where it says a name twice."""


def _plain(value: Any) -> str:
    return "" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)
