"""The kinds of result a task can yield: the form that its text is held to, and what a finished text says.

Knows no task and no model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.listing import Split
from playground.parameters.grammar import quoted
from playground.types import Text

OutputKind = Literal["text", "list", "table", "json"]

MAX_CELL = 80  # characters
MAX_ITEM = 160
_WORDS = r"/[\p{L}\p{N}][\p{L}\p{N}'’-]*( [\p{L}\p{N}][\p{L}\p{N}'’-]*){0,2}/"
_CHARACTERS = r"/[\p{L}\p{N}]{2,8}/"
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_BRACKETS = re.compile(r"[()\[\]{}~]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name in the JSON, and its heading."""

    name: str
    label: Text


@dataclass(frozen=True, slots=True)
class Output:
    """`within` names the field in whose text every item of a list must occur. `count` is how few and how many items or
    rows there may be; a list without it is not held to a form."""

    kind: OutputKind
    split: Split = "lines"
    within: str | None = None
    count: tuple[int, int] | None = None
    columns: tuple[Column, ...] = ()
    schema: Mapping[str, Any] | None = None

    def form(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The parameter that holds the text to this kind of result; none where any text will do."""
        if self.kind == "json":
            return {"json_schema": json.dumps(self.schema, ensure_ascii=False)}
        if self.kind == "table":
            return {"json_schema": json.dumps(self._rows(), ensure_ascii=False)}
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

    def _rows(self) -> dict[str, Any]:
        least, most = self.count or (1, 10)
        names = [column.name for column in self.columns]
        # A cell begins with something to read: an empty one is a way out that small models take.
        cell = {"type": "string", "pattern": rf"^[\p{{L}}\p{{N}}][^\"\\\n]{{0,{MAX_CELL - 1}}}$"}
        row = {
            "type": "object",
            "properties": dict.fromkeys(names, cell),
            "required": names,
            "additionalProperties": False,
        }
        return {"type": "array", "items": row, "minItems": least, "maxItems": most}


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
