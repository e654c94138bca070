"""The kinds of result a task can yield: the form that its text is held to, and what a finished text says.

Knows no task and no model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.parameters.grammar import quoted
from playground.tasks import keyword_runs
from playground.tasks.listing import Split
from playground.types import Language, Text

OutputKind = Literal["text", "list", "table", "json"]
_Unit = Literal["substring_words", "substring_chars", "substring_chunks"]

MAX_CELL = 120  # characters
MAX_ITEM = 160
MOST_EACH = 12  # rows of a table that has one for each item of a field
_WORDS = r"/[\p{L}\p{N}][\p{L}\p{N}'’-]*( [\p{L}\p{N}][\p{L}\p{N}'’-]*){0,2}/ & ~/of|of .+|.+ of/"
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_BETWEEN = re.compile(r"[\n,，、;；]")  # as a field of the kind list is read
_NO_RUN = re.compile(r"[()\[\]{}~\"\\]")
_INNER = r"[^\n，。！？；.!?]"  # a line of verse is one sentence at most, and has one Chinese comma within it
_FIRST = r"[\p{L}\p{N}\"'“‘《]"
_CLOSE = r"[。！？；.!?][\"'”’]?"
_VERSE = rf"{_FIRST}{_INNER}{{1,79}}(，{_INNER}{{1,39}})?(，|{_CLOSE})?"
_LAST_VERSE = rf"{_FIRST}{_INNER}{{0,78}}[^\n，。！？；.!?,](，{_INNER}{{0,38}}[^\n，。！？；.!?,])?({_CLOSE})?"
_WHOLE = r"/[\p{{L}}\p{{N}}]([^\n]{{0,{}}}[\p{{L}}\p{{N}}])?/"  # begins and ends with something to read


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name in the JSON, its heading, and the words that it is chosen from, if it is."""

    name: str
    label: Text
    choices: Mapping[Language, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """`within` names the field in whose text every item of a list, or every text of a record, must occur. `count` is
    how few and how many items or rows there may be; a list without it is not held to a form. `each` names the field
    whose every item has its row: the first column then holds the items. `labels` are the headings
    of a schema's properties. `lines` says how many lines of verse a text has, by the choice of a field."""

    kind: OutputKind
    split: Split = "lines"
    within: str | None = None
    count: tuple[int, int] | None = None
    columns: tuple[Column, ...] = ()
    schema: Mapping[str, Any] | None = None
    each: str | None = None
    labels: Mapping[str, Text] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def form(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The parameter that holds the text to this kind of result; none where any text will do."""
        if self.kind == "json" and self.schema is not None:
            if self.within is not None:
                return {"grammar": _record(self.schema["properties"], fields[self.within])}
            return {"json_schema": json.dumps(self.schema, ensure_ascii=False)}
        if self.kind == "table":
            return {"json_schema": json.dumps(self._rows(fields), ensure_ascii=False)}
        if self.kind == "list" and self.count is not None:
            return {"grammar": _lines(*self.count, fields[self.within] if self.within else None)}
        if verses := self.verses(fields):
            return {"regex": f"({_VERSE}\n){{{verses - 1}}}{_LAST_VERSE}"}
        return {}

    def verses(self, fields: Mapping[str, str]) -> int:
        """How many lines the text has; 0 where it may have any."""
        return next((counts.get(fields.get(name, ""), 0) for name, counts in self.lines.items()), 0)

    def finds_words(self, fields: Mapping[str, str]) -> bool:
        """Whether the field that texts are taken from has any: without, no text can have the form."""
        if self.within is None or not self.form(fields):
            return True
        source = _NO_RUN.sub("\n", fields[self.within])
        if _WITHOUT_SPACES.search(source) is not None:
            return keyword_runs.has_words(source) if self.kind == "list" else bool(re.search(r"[^\W_]", source))
        cells = map(_quotation, (self.schema or {}).get("properties", {}).values())
        longest = min((most for most in cells if most is not None), default=len(source))
        return any(word.isalnum() and len(word) <= longest for word in re.findall(r"\w+", source))

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

    def record(self, text: str) -> list[tuple[Text, Text]]:
        """The headings and values of a JSON object; none where it is not whole, or no object."""
        value = value_of(text)
        if not isinstance(value, dict):
            return []
        return [(self.labels.get(name, Text(name, name)), _shown(one)) for name, one in value.items()]

    def least(self, fields: Mapping[str, str]) -> int:
        """How many rows there must be at least."""
        return len(self._each(fields)) or (self.count or (1, 1))[0]

    def prose(self, text: str) -> str:
        """What a model wrote of its own: no keys of JSON, no cell that was given or chosen; a row of a table a line."""
        if self.kind == "json":
            return "\n".join(_strings(self._free(value_of(text))))
        if self.kind == "table":
            own = self.columns[1:] if self.each else self.columns
            free = [column.name for column in own if column.choices is None]
            return "\n".join(": ".join(row[name] for name in free) for row in self.table(text))
        return text

    def _free(self, value: Any) -> Any:
        """A value without the properties that were chosen from given words."""
        properties = self.schema.get("properties") if self.schema is not None else None
        if not (isinstance(value, dict) and isinstance(properties, Mapping)):
            return value
        return {name: one for name, one in value.items() if "enum" not in (properties.get(name) or ())}

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
    """The value that a text of JSON stands for; None where it is not whole, or holds half a character."""
    try:
        value = json.loads(text)
        _plain(value).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _shown(value: Any) -> Text:
    """A value for a reader: the parts of a list joined, a dash for nothing, and what else is no text as JSON has it."""
    parts = [_plain(one) for one in value] if isinstance(value, list) else ["—" if value is None else _plain(value)]
    return Text(", ".join(parts), "、".join(parts))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(least: int, most: int, source: str | None) -> str:
    """A numbered list; with `source`, of words or runs of words that stand in one line of it."""
    item, rules = rf"/[\p{{L}}\p{{N}}][^\n]{{0,{MAX_ITEM - 1}}}/", ""
    if source is not None and _WITHOUT_SPACES.search(source) is None:
        item, rules = f"SOURCE & {_WORDS}", _source(keyword_runs.content(source), "substring_words")
    elif source is not None:
        item, rules = f"SOURCE & /{keyword_runs.CHINESE}/", _source(source, "substring_chunks")
    numbered = [f"{quoted(('' if number == 1 else chr(10)) + f'{number}. ')} ITEM" for number in range(1, most + 1)]
    more = ""
    for line in reversed(numbered[least:]):
        more = f" ({line}{more})?"
    return f"start: {' '.join(numbered[:least])}{more}\nITEM: {item}{rules}"


def _record(properties: Mapping[str, Any], source: str) -> str:
    """An object of JSON whose texts stand in one line of `source`, or are null where they may be; what is no text
    follows its own schema."""
    # Of Chinese, characters: a name that the dictionary joins with what follows can be taken all the same.
    unit: _Unit = "substring_words" if _WITHOUT_SPACES.search(source) is None else "substring_chars"
    parts, rules = [], [_source(source, unit)]
    for number, (name, cell) in enumerate(properties.items()):
        key = ("{" if number == 0 else ", ") + f"{json.dumps(name, ensure_ascii=False)}: "
        parts.append(f"{quoted(key)} value_{number}")
        most = _quotation(cell)
        if most is not None:
            nothing = ' | "null"' if "null" in cell["type"] else ""
            rules.append(f"\nvalue_{number}: {quoted(chr(34))} TEXT_{number} {quoted(chr(34))}{nothing}")
            rules.append(f"\nTEXT_{number}: SOURCE & {_WHOLE.format(most - 2)}")
        else:
            rules.append(f"\nvalue_{number}: %json {json.dumps(cell, ensure_ascii=False)}")
    return f"start: {' '.join(parts)} {quoted('}')}{''.join(rules)}"


def _quotation(cell: Mapping[str, Any]) -> int | None:
    """The most characters of a property that is a text taken from the field; None of any other."""
    taken = "string" in cell.get("type", "") and "enum" not in cell and "const" not in cell
    return int(cell.get("maxLength", MAX_CELL)) if taken else None


def is_record(schema: Any) -> bool:
    """Whether a schema is an object of properties of which each has its own type and, if at all, a usable length."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return isinstance(properties, Mapping) and len(properties) > 0 and all(map(_is_cell, properties.values()))


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, Mapping) or type(cell.get("maxLength", MAX_CELL)) is not int:
        return False
    types = cell.get("type", "")
    named = all(isinstance(one, str) for one in types) if isinstance(types, list) else isinstance(types, str)
    return named and 2 <= cell.get("maxLength", MAX_CELL) <= MAX_ITEM


def _source(source: str, unit: _Unit) -> str:
    """The rule SOURCE that stands for any run of such units of this text; chunks are Chinese words.

    No run reaches over a bracket, a quotation mark or into another line, and nothing that counts as nesting is left.
    """
    lines = _NO_RUN.sub("\n", source)
    taken = keyword_runs.words(lines) if unit == "substring_chunks" else lines
    return f'\nSOURCE: %regex {{"{unit}": {json.dumps(taken, ensure_ascii=False)}}}'
