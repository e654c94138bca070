"""The kinds of result a task can yield: the form that its text is held to, and what a finished text says.

Knows no task and no model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.listing import Split
from playground.parameters.grammar import quoted
from playground.types import Language, Text

OutputKind = Literal["text", "list", "table", "json"]

MAX_CELL = 120  # characters
MAX_ITEM = 160
MOST_EACH = 12  # rows of a table that has one for each item of a field
_WORDS = r"/[\p{L}\p{N}][\p{L}\p{N}'’-]*( [\p{L}\p{N}][\p{L}\p{N}'’-]*){0,2}/"
_CHARACTERS = r"/[\p{L}\p{N}]{2,8}/"
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_BETWEEN = re.compile(r"[\n,，、;；]")  # as a field of the kind list is read
_BRACKETS = re.compile(r"[()\[\]{}~]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name in the JSON, its heading, and the words that it is chosen from, if it is."""

    name: str
    label: Text
    choices: Mapping[Language, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """`within` names the field in whose text every item of a list must occur. `count` is how few and how many items or
    rows there may be; a list without it is not held to a form. `each` names the field whose every item has its row:
    the first column then holds the items."""

    kind: OutputKind
    split: Split = "lines"
    within: str | None = None
    count: tuple[int, int] | None = None
    columns: tuple[Column, ...] = ()
    schema: Mapping[str, Any] | None = None
    each: str | None = None

    def form(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The parameter that holds the text to this kind of result; none where any text will do."""
        if self.kind == "json":
            return {"json_schema": json.dumps(self.schema, ensure_ascii=False)}
        if self.kind == "table":
            return {"json_schema": json.dumps(self._rows(fields), ensure_ascii=False)}
        if self.kind == "list" and self.count is not None:
            return {"grammar": _lines(*self.count, fields[self.within] if self.within else None)}
        return {}

    def table(self, text: str) -> list[dict[str, str]]:
        """The rows that are whole, as far as the text goes."""
        decoder, rows = json.JSONDecoder(), []
        place = text.find("{")
        while place >= 0:
            try:
                row, place = decoder.raw_decode(text, place)
            except (ValueError, RecursionError):
                break
            rows.append({column.name: str(row.get(column.name, "")) for column in self.columns})
            place = text.find("{", place)
        return rows

    def least(self, fields: Mapping[str, str]) -> int:
        """How many rows there must be at least."""
        return len(self._each(fields)) or (self.count or (1, 1))[0]

    def prose(self, text: str) -> str:
        """What a model wrote of its own: no keys of JSON, no cell that was given or chosen; a row of a table a line."""
        if self.kind == "json":
            return "\n".join(_strings(value_of(text)))
        if self.kind == "table":
            own = self.columns[1:] if self.each else self.columns
            free = [column.name for column in own if column.choices is None]
            return "\n".join(": ".join(row[name] for name in free) for row in self.table(text))
        return text

    def _rows(self, fields: Mapping[str, str]) -> dict[str, Any]:
        least, most = self.count or (1, 10)
        free = {column.name: _cell(column) for column in self.columns}
        rows = [_row({**free, self.columns[0].name: {"const": item}}) for item in self._each(fields)]
        if rows:
            return {"type": "array", "prefixItems": rows, "items": False, "minItems": len(rows)}
        return {"type": "array", "items": _row(free), "minItems": least, "maxItems": most}

    def _each(self, fields: Mapping[str, str]) -> list[str]:
        given = _BETWEEN.split(fields.get(self.each, "")) if self.each else []
        return list(dict.fromkeys(item.strip() for item in given if item.strip()))[:MOST_EACH]


def _row(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": cells, "required": list(cells), "additionalProperties": False}


def _cell(column: Column) -> dict[str, Any]:
    """A cell begins with something to read: an empty one is a way out that small models take."""
    if column.choices is not None:  # the prompt's language decides between the two
        return {"enum": [choice for choices in column.choices.values() for choice in choices]}
    return {"type": "string", "pattern": rf"^[\p{{L}}\p{{N}}][^\"\\\n]{{0,{MAX_CELL - 1}}}$"}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def value_of(text: str) -> Any:
    """The value that a text of JSON stands for; None where it is not whole."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lines(least: int, most: int, source: str | None) -> str:
    """A numbered list; with `source`, of words or runs of words that stand in one line of it."""
    item = rf"/[\p{{L}}\p{{N}}][^\n]{{0,{MAX_ITEM - 1}}}/"
    if source is not None:
        spaced = _WITHOUT_SPACES.search(source) is None
        # No item reaches over a bracket or into another line, and nothing that counts as nesting is left.
        plain = _BRACKETS.sub("\n", source)
        unit = "substring_words" if spaced else "substring_chars"
        item = f'SOURCE & {_WORDS if spaced else _CHARACTERS}\nSOURCE: %regex {{"{unit}": {quoted(plain)}}}'
    numbered = [f"{quoted(('' if number == 1 else chr(10)) + f'{number}. ')} ITEM" for number in range(1, most + 1)]
    more = ""
    for line in reversed(numbered[least:]):
        more = f" ({line}{more})?"
    return f"start: {' '.join(numbered[:least])}{more}\nITEM: {item}"
