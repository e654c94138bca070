"""A YAML document whose every value knows its line, so that what is wrong in a preset can be pointed at.

Knows no task and no parameter. Only plain data is read: no tags, no aliases, nothing is ever constructed from a name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from playground.isolation import LimitExceeded, ResourceLimits, run_isolated
from playground.types import PlaygroundError, Text

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
_MAPPING, _SEQUENCE, _SCALAR = "mapping", "sequence", "scalar"
_READ, _OTHER, _UNREADABLE = "read", "other", "unreadable"
_LARGEST = 10**300  # a whole number; a longer one is no value of anything
_MOST = ResourceLimits(seconds=2.0, memory=2 * 10**8, output=4 * 10**6)  # for a text of a stranger


class SchemaError(PlaygroundError):
    """A preset cannot be read; `file`, `line` (from 1) and `key` say where."""

    def __init__(self, reason: Text, *, file: str, line: int | None = None, key: str = "") -> None:
        self.reason, self.file, self.line, self.key = reason, file, line, key
        en = file + (f", line {line}" if line else "") + (f", {key}" if key else "")
        zh = file + (f"，第 {line} 行" if line else "") + (f"，{key}" if key else "")
        super().__init__(Text(f"{en}: {reason.en}", f"{zh}：{reason.zh}"))


class _Loader(yaml.SafeLoader):
    """SafeLoader without tags, without aliases (a few of them could stand for millions of nodes), and not deep."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        problem = None
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases are not allowed"
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            problem = "tags are not allowed"
        elif isinstance(event, yaml.ScalarEvent) and any("\ud800" <= sign <= "\udfff" for sign in event.value):
            problem = "half a character (a lone surrogate)"
        elif self._depth >= MAX_DEPTH:
            problem = f"it is more than {MAX_DEPTH} levels deep"
        if problem is not None:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class Other:
    """A value of YAML that no preset takes, such as a date; it is shown as it was written."""

    def __init__(self, written: str) -> None:
        self._written = written

    def __repr__(self) -> str:
        return self._written


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document: where it stands, and readers that check its type (they raise SchemaError).

    `raw` is what `_plain` makes of YAML's own node: its kind, its line and what is in it, in lists that JSON can hold.
    """

    raw: Any
    file: str
    key: str = ""

    @property
    def line(self) -> int:
        return int(self.raw[1])

    def wrong(self, en: str, zh: str) -> SchemaError:
        return SchemaError(Text(en, zh), file=self.file, line=self.line, key=self.key)

    def _below(self, raw: Any, name: str) -> Node:
        return Node(raw, self.file, f"{self.key}.{name}" if self.key else name)

    def mapping(
        self, required: Collection[str] = (), optional: Collection[str] = (), *, anything: bool = False
    ) -> dict[str, Node]:
        """The entries by key. SchemaError where a key is missing, given twice, or unknown without `anything`."""
        if self.raw[0] != _MAPPING:
            raise self.wrong("it must be a mapping of keys to values.", "应为“键: 值”形式的映射。")
        entries: dict[str, Node] = {}
        for key, value in self.raw[2]:
            if key[0] != _SCALAR:
                raise self._below(key, "?").wrong("a key must be a word.", "键必须是一个词。")
            name = key[2]
            entry, at_key = self._below(value, name[:60]), self._below(key, name[:60])
            if name in entries:
                raise at_key.wrong("this key is given twice.", "这个键出现了两次。")
            if not anything and name not in required and name not in optional:
                allowed = sorted({*required, *optional})
                raise at_key.wrong(
                    f"this key is unknown; allowed are {', '.join(allowed)}.",
                    f"没有这个键；可用的键为 {'、'.join(allowed)}。",
                )
            entries[name] = entry
        for name in required:
            if name not in entries:
                raise self._below(self.raw, name).wrong("this key is missing.", "缺少这个键。")
        return entries

    def items(self) -> list[Node]:
        """The items of a list, each with its number from 1 as its key. SchemaError where it is no list."""
        if self.raw[0] != _SEQUENCE:
            raise self.wrong("it must be a list.", "应为列表。")
        return [self._below(raw, str(number)) for number, raw in enumerate(self.raw[2], start=1)]

    def value(self) -> Any:
        """The plain value behind this node, as YAML's safe rules read it. SchemaError where they cannot."""
        if self.raw[0] == _SEQUENCE:
            return [item.value() for item in self.items()]
        if self.raw[0] == _MAPPING:
            return {name: entry.value() for name, entry in self.mapping(anything=True).items()}
        _, _, written, kind, value = self.raw
        if kind == _UNREADABLE:
            raise self.wrong("this value cannot be read.", "无法读取这个值。")
        return Other(written) if kind == _OTHER else value

    def text(self, *, empty: bool = False) -> str:
        """A text. SchemaError where it is none, or blank without `empty`."""
        value = self.value()
        if not isinstance(value, str):
            raise self.wrong("it must be a text; put it in quotes.", "应为文本；请加上引号。")
        if not empty and not value.strip():
            raise self.wrong("it must not be empty.", "不能为空。")
        return value

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def whole_number(self, low: int, high: int) -> int:
        """A whole number; true and false are none. SchemaError outside of `low` to `high`."""
        value = self.value()
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(f"it must be a whole number from {low} to {high}.", f"应为 {low} 到 {high} 之间的整数。")
        return value

    def number(self, low: float, high: float) -> float:
        """A number; true and false are none. SchemaError outside of `low` to `high`."""
        value = self.value()
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong(f"it must be a number from {low:g} to {high:g}.", f"应为 {low:g} 到 {high:g} 之间的数。")
        return value

    def truth(self) -> bool:
        """True or false, as YAML's safe rules read it. SchemaError for anything else."""
        value = self.value()
        if not isinstance(value, bool):
            raise self.wrong("it must be true or false.", "应为 true 或 false。")
        return value

    def one_of(self, allowed: Collection[str]) -> str:
        """One of these texts. SchemaError, which lists them, for anything else."""
        value = self.value()
        if value not in allowed:
            raise self.wrong(f"it must be one of {', '.join(allowed)}.", f"应为以下之一：{'、'.join(allowed)}。")
        return str(value)

    def both_languages(self) -> Text:
        """A mapping with exactly the keys `en` and `zh`, each a text."""
        said = self.mapping(required=("en", "zh"))
        return Text(said["en"].text(), said["zh"].text())


def _plain(raw: yaml.Node) -> list[Any]:
    """[mapping, line, [[key, value], …]], [sequence, line, [item, …]] or [scalar, line, written, kind, value]."""
    line = int(raw.start_mark.line) + 1
    if isinstance(raw, yaml.MappingNode):
        return [_MAPPING, line, [[_plain(key), _plain(value)] for key, value in raw.value]]
    if isinstance(raw, yaml.SequenceNode):
        return [_SEQUENCE, line, [_plain(item) for item in raw.value]]
    try:
        value = yaml.constructor.SafeConstructor().construct_object(raw)
    except (yaml.YAMLError, ValueError, OverflowError):
        return [_SCALAR, line, raw.value, _UNREADABLE, None]
    if isinstance(value, int) and abs(value) > _LARGEST:
        return [_SCALAR, line, raw.value, _UNREADABLE, None]
    if value is None or isinstance(value, str | bool | int | float):
        return [_SCALAR, line, raw.value, _READ, value]
    return [_SCALAR, line, raw.value, _OTHER, None]


def read(path: Path) -> Node:
    """The document in `path`. Raises SchemaError with the line where YAML itself is broken."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except OSError:
        raise SchemaError(Text("the file cannot be read.", "无法读取该文件。"), file=path.name) from None
    except UnicodeDecodeError:
        raise SchemaError(Text("the file is not UTF-8 text.", "该文件不是 UTF-8 文本。"), file=path.name) from None
    if len(data) > MAX_BYTES:
        raise SchemaError(
            Text(f"the file is larger than {MAX_BYTES // 1024} KB.", f"该文件超过 {MAX_BYTES // 1024} KB。"),
            file=path.name,
        )
    return parse(text, path.name)


def parse(text: str, file: str) -> Node:
    """The document in `text`; `file` is only what errors call it. For texts of our own: it may take long."""
    return Node(_read(text, file), file)


def parse_untrusted(text: str, file: str) -> Node:
    """`parse` for a visitor's text, in a worker process. Raises SchemaError, also where reading takes too long."""
    try:
        told = run_isolated("yaml", {"file": file}, text.encode("utf-8"), _MOST)
    except LimitExceeded:
        reason = Text("it takes too long to read; write it more plainly.", "读取时间过长，请写得简单一些。")
        raise SchemaError(reason, file=file) from None
    if "reason" in told:
        raise SchemaError(Text(*told["reason"]), file=file, line=told["line"])
    return Node(told["raw"], file)


def read_isolated(options: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """What the worker process does for `parse_untrusted`."""
    try:
        return {"raw": _read(data.decode("utf-8"), options["file"])}
    except SchemaError as error:
        return {"reason": [error.reason.en, error.reason.zh], "line": error.line}


def _read(text: str, file: str) -> Any:
    try:
        loader = _Loader(text)
        raw = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        reason = Text(f"this is not valid YAML: {error.problem}.", f"这不是有效的 YAML：{error.problem}。")
        raise SchemaError(reason, file=file, line=line) from None
    except yaml.reader.ReaderError as error:
        reason = Text("this character is not allowed.", "不允许使用这个字符。")
        raise SchemaError(reason, file=file, line=text.count("\n", 0, error.position) + 1) from None
    except (yaml.YAMLError, RecursionError):
        raise SchemaError(Text("this is not valid YAML.", "这不是有效的 YAML。"), file=file) from None
    except (ValueError, OverflowError):  # an escape or a version that stands for no number that there is
        reason = Text("this cannot be read.", "无法读取此处。")
        raise SchemaError(reason, file=file, line=loader.line + 1) from None
    if raw is None:
        raise SchemaError(Text("the file is empty.", "文件是空的。"), file=file)
    return _plain(raw)
