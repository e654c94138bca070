"""Which column is what: of a task's fields, of a prompt's variables, or of conversations and texts.

Plain data, and checks of what a file or a browser says of it. Knows no tokenizer and no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from playground.training.formats import Records, pair_of
from playground.types import LANGUAGES, InvalidRequest, Language, Mode, Text


@dataclass(frozen=True, slots=True)
class TaskMapping:
    """Columns fill the fields of a task (`columns`: field to column), and `answer` is the column of the wanted text.

    `fixed` holds the fields that are the same in all rows. `own` is the YAML of a person's own task; "" for a preset.
    """

    task: str
    language: Language
    mode: Mode
    columns: Mapping[str, str]
    answer: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    own: str = ""


@dataclass(frozen=True, slots=True)
class FreeMapping:
    """A prompt of one's own with `{{variables}}`, and `answer`, the column of the wanted text.

    A variable takes its text from the column that `columns` names for it, else from the column of its own name.
    `system` and `prefill` (chat alone) may hold variables too.
    """

    prompt: str
    answer: str
    system: str = ""
    mode: Mode = "chat"
    prefill: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatMapping:
    """Each answer of a conversation is learned, with the turns before it as Play sends them."""


@dataclass(frozen=True, slots=True)
class TextMapping:
    """Text to be continued: a text file, or the texts in `column`."""

    column: str = ""


DataMapping = TaskMapping | FreeMapping | ChatMapping | TextMapping
KINDS: Mapping[str, type[DataMapping]] = {
    "task": TaskMapping,
    "free": FreeMapping,
    "chat": ChatMapping,
    "text": TextMapping,
}
_TEXT_COLUMN = "text"
_SHOWN = 60  # characters of a name in a sentence


def as_record(mapping: DataMapping) -> dict[str, Any]:
    """The mapping as plain data, as `of_record` reads it again."""
    kind = next(name for name, one in KINDS.items() if isinstance(mapping, one))
    return {"kind": kind, **asdict(mapping)}


def of_record(given: object) -> DataMapping:
    """A mapping from what a browser, a file or a flag said. Raises InvalidRequest that names the field."""
    if not isinstance(given, Mapping):
        raise _wrong("mapping", "The mapping must be an object.", "映射应为对象。")
    found = given.get("kind")
    if not isinstance(found, str) or found not in KINDS:
        listed = ", ".join(KINDS)
        raise _wrong("kind", f"The kind of a mapping is one of {listed}.", f"映射的类型应为以下之一：{listed}。")
    values = {name: value for name, value in given.items() if name != "kind"}
    known = {one.name: one for one in fields(KINDS[found])}
    for name, value in values.items():
        if name not in known:
            shown = str(name)[:_SHOWN]
            raise _wrong(shown, f"A mapping of a {found} has no {shown!r}.", f"{found} 映射没有 {shown!r}。")
        _check(name, value)
    if found in ("task", "free"):
        for name in ("task", "prompt", "answer"):
            if name in known and not values.get(name):
                raise _wrong(name, _MISSING[name].en, _MISSING[name].zh)
    if found == "task":
        values = {"language": "en", "mode": "chat", "columns": {}, **values}
    return KINDS[found](**values)


_MISSING: Mapping[str, Text] = {
    "task": Text("No task is named.", "没有指定任务。"),
    "prompt": Text("The prompt is empty.", "提示词为空。"),
    "answer": Text("No column is named for the text that is wanted.", "没有指定目标文本所在的列。"),
}


def _check(name: str, value: object) -> None:
    if name in ("columns", "fixed"):
        if not isinstance(value, Mapping) or not all(isinstance(one, str) for pair in value.items() for one in pair):
            raise _wrong(name, f"{name} must be texts by name.", f"{name} 应为“名称: 文本”。")
    elif name == "language":
        if value not in LANGUAGES:
            raise _wrong(name, "language must be en or zh.", "language 应为 en 或 zh。")
    elif name == "mode":
        if value not in ("chat", "complete"):
            raise _wrong(name, "mode must be chat or complete.", "mode 应为 chat 或 complete。")
    elif not isinstance(value, str):
        raise _wrong(name, f"{name} must be a text.", f"{name} 应为文本。")


def suggested(records: Records, mode: Mode = "chat") -> DataMapping | None:
    """What the file itself says; None where its columns may mean anything. `mode` is what the model is asked in."""
    if records.kind == "chat":
        return ChatMapping()
    if records.kind == "text":
        return TextMapping()
    pair = pair_of(records.columns)
    if pair is None:
        return TextMapping(_TEXT_COLUMN) if records.columns == (_TEXT_COLUMN,) else None
    asked, answer = pair
    # Numbered variables: a column may have a name that no variable can have.
    columns = {f"text_{number}": column for number, column in enumerate(asked, 1)}
    prompt = "\n".join(f"{{{{{name}}}}}" for name in columns)
    system = next((name for name in records.columns if name.strip().lower() == "system"), None)
    if system is None or mode == "complete":
        return FreeMapping(prompt, answer, mode=mode, columns=columns)
    return FreeMapping(prompt, answer, "{{system}}", mode, columns={**columns, "system": system})


def check_column(records: Records, column: str, parameter: str) -> None:
    """Raises InvalidRequest, naming the columns that there are, where the file has no such column."""
    if column in records.columns:
        return
    shown = column[:_SHOWN]
    if not records.columns:
        raise _wrong(parameter, f"This file has no columns, so no {shown!r}.", f"此文件没有列，也就没有 {shown!r}。")
    raise InvalidRequest(
        Text(f"The file has no column {shown!r}.", f"文件中没有 {shown!r} 列。"),
        Text(f"Its columns are {', '.join(records.columns)}.", f"文件的列有 {'、'.join(records.columns)}。"),
        parameter=parameter,
    )


def _wrong(parameter: str, en: str, zh: str) -> InvalidRequest:
    return InvalidRequest(Text(en, zh), parameter=parameter)
