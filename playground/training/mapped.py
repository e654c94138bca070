"""Records and a mapping become examples: each row goes the way that a visitor's fields go on the tab Play.

So what is trained is what is sent there. Knows no tokenizer and no file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground import parameters
from playground.generate import check_text, check_texts
from playground.tasks import loader, user_task
from playground.training.example import Example
from playground.training.formats import Records, Talk
from playground.training.mapping import (
    ChatMapping,
    DataMapping,
    FreeMapping,
    TaskMapping,
    TextMapping,
    as_record,
    check_column,
)
from playground.types import InvalidRequest, PlaygroundError, Request, Text

EMPTY = Text("The text that is wanted is empty.", "目标文本为空。")
_CLOSING = frozenset(",.;:!?)]}%’”…\"'")  # what stands behind a word without a blank
_OPENING = frozenset("([{“‘/-–—")  # behind which no blank stands
_KINDS = {"columns": "columns", "pairs": "columns", "chat": "conversations", "text": "text"}
_KINDS_ZH = {"columns": "列", "pairs": "列", "chat": "对话", "text": "文本"}


@dataclass(frozen=True, slots=True)
class Mapped:
    """The examples in the order of their rows, and why rows gave none. `rows` counts all rows of the file."""

    examples: tuple[Example, ...]
    refused: Mapping[int, Text]
    rows: int


def mapped(records: Records, mapping: DataMapping) -> Mapped:
    """The examples of all rows. A row that cannot be used is refused with its reason, and the others go on.

    Raises InvalidRequest, naming the field, for what would fail in every row: a column that is not there, a task that
    does not exist, records that this mapping is not for.
    """
    make = _maker(records, mapping)
    found: list[Example] = []
    refused = dict(records.refused)
    for number, row in enumerate(records.rows, 1):
        if number in refused:
            continue
        try:
            found += list(make(number, row))
        except PlaygroundError as error:
            refused[number] = error.message
    return Mapped(tuple(found), dict(sorted(refused.items())), len(records.rows))


def examples(records: Records, mapping: DataMapping) -> list[Example]:
    """The examples of all rows that can be used. Raises InvalidRequest as `mapped` does, and where none can."""
    found = mapped(records, mapping)
    check_any(found)
    return list(found.examples)


def check_any(found: Mapped) -> None:
    """Raises InvalidRequest, with the first reason, where no row gave an example."""
    if found.examples:
        return
    if not found.rows:
        raise InvalidRequest(Text("The file has no rows.", "文件中没有数据行。"), parameter="file")
    number, reason = next(iter(found.refused.items()))
    raise InvalidRequest(
        Text(
            f"None of the rows can be used. Row {number:,}: {reason.en}",
            f"没有可用的数据行。第 {number:,} 行：{reason.zh}",
        ),
        parameter="file",
    )


_Maker = Callable[[int, Any], Iterator[Example]]


def _maker(records: Records, mapping: DataMapping) -> _Maker:
    if isinstance(mapping, TaskMapping):
        return _task_rows(records, mapping)
    if isinstance(mapping, FreeMapping):
        return _free_rows(records, mapping)
    if isinstance(mapping, ChatMapping):
        _check_kind(records, mapping, "chat")
        return _talk_rows(parameters.validate({}))
    return _text_rows(records, mapping)


def _check_kind(records: Records, mapping: DataMapping, *kinds: str) -> None:
    if records.kind not in kinds:
        asked = as_record(mapping)["kind"]
        raise InvalidRequest(
            Text(
                f"This file holds {_KINDS[records.kind]}, and a mapping of the kind {asked} is for {_KINDS[kinds[0]]}.",
                f"此文件的内容是{_KINDS_ZH[records.kind]}，而 {asked} 映射用于{_KINDS_ZH[kinds[0]]}。",
            ),
            parameter="mapping",
        )


def _task_rows(records: Records, mapping: TaskMapping) -> _Maker:
    _check_kind(records, mapping, "columns", "pairs")
    task = user_task.read(mapping.own) if mapping.own else loader.find(mapping.task)
    known = {one.name for one in task.fields}
    for name in (*mapping.columns, *mapping.fixed):
        if name not in known:
            task.checked_fields({name: ""}, mapping.language)  # says which fields there are
    for name, column in mapping.columns.items():
        check_column(records, column, name)
    check_column(records, mapping.answer, "answer")
    for one in task.fields:
        filled = one.name in mapping.columns or mapping.fixed.get(one.name, "").strip()
        if one.required and not one.choices and not filled:
            raise InvalidRequest(
                Text(f"No column fills {one.label.en}.", f"没有列对应“{one.label.zh}”。"),
                Text("Choose one of its columns.", "请选择一列。"),
                parameter=one.name,
            )

    def make(number: int, row: Mapping[str, str]) -> Iterator[Example]:
        given = {name: row[column] for name, column in mapping.columns.items() if row[column].strip()}
        request = task.request({**mapping.fixed, **given}, mapping.language, mapping.mode)
        yield _example(request, row[mapping.answer], number)

    return make


def _free_rows(records: Records, mapping: FreeMapping) -> _Maker:
    _check_kind(records, mapping, "columns", "pairs")
    texts = {"prompt": mapping.prompt, "system": mapping.system, "prefill": mapping.prefill}
    column_of = {name: mapping.columns.get(name, name) for name in user_task.variables(*texts.values())}
    for name, column in column_of.items():
        check_column(records, column, f"{{{{{name}}}}}")
    check_column(records, mapping.answer, "answer")
    if mapping.mode == "complete" and (mapping.system or mapping.prefill):
        raise InvalidRequest(
            Text(
                "A system prompt and the beginning of an answer belong to a chat.",
                "系统提示词和回答的开头只用于对话。",
            ),
            Text("Empty them, or choose chat.", "请清空它们，或选择对话。"),
            parameter="system" if mapping.system else "prefill",
        )
    values = parameters.validate({})

    def make(number: int, row: Mapping[str, str]) -> Iterator[Example]:
        values_of = {name: row[column] for name, column in column_of.items()}
        filled = user_task.filled(texts, values_of, "en", required=False)
        if not filled["prompt"].strip():
            raise InvalidRequest(Text("The prompt is empty.", "提示词为空。"), parameter="prompt")
        request = Request(filled["prompt"], values, mapping.mode, system=filled["system"], prefill=filled["prefill"])
        yield _example(request, row[mapping.answer], number)

    return make


def _talk_rows(values: Mapping[str, Any]) -> _Maker:
    def make(number: int, talk: Talk) -> Iterator[Example]:
        for place in talk.learned:
            before, prompt, answer = talk.turns[: place - 1], talk.turns[place - 1][1], talk.turns[place][1]
            yield _example(Request(prompt, values, "chat", system=talk.system, turns=before), answer, number)

    return make


def _text_rows(records: Records, mapping: TextMapping) -> _Maker:
    request = Request("", parameters.validate({}))
    if not mapping.column:
        _check_kind(records, mapping, "text")
        return lambda number, text: iter([_text(request, text, number, piece=True)])
    _check_kind(records, mapping, "columns", "pairs")
    check_column(records, mapping.column, "column")
    return lambda number, row: iter([_text(request, row[mapping.column].strip(), number, piece=False)])


def _text(request: Request, text: str, number: int, *, piece: bool) -> Example:
    if not text.strip():
        raise InvalidRequest(EMPTY, parameter="answer")
    check_text("answer", text.replace("\f", "\n"))
    return Example(request, text, number, piece)


def _example(request: Request, answer: str, number: int) -> Example:
    """The answer as it stands right behind its prompt."""
    check_texts(request)
    if not answer.strip():
        raise InvalidRequest(EMPTY, parameter="answer")
    check_text("answer", answer)
    before = request.prefill if request.mode == "chat" else request.prompt
    return Example(request, behind(before, answer), number)


def behind(before: str, answer: str) -> str:
    """The answer as a model goes on behind this text: with a blank between two words, and without what `before` ends
    with, where the answer says it once more. Behind nothing, and at its end, an answer has no blanks."""
    said = answer.strip()
    if not before.strip():
        return said
    last = before.rstrip().rsplit("\n", 1)[-1].strip()
    if said.startswith(last) and said != last and not last[-1].isalnum():  # no word that goes on
        said = said[len(last) :].lstrip()
    elif answer[:1].isspace():
        return answer.rstrip()
    end, first = before[-1], said[0]
    if end.isspace() or end in _OPENING or first in _CLOSING or _is_wide(end) or _is_wide(first):
        return said
    return f" {said}"


def _is_wide(sign: str) -> bool:
    """Whether a sign fills a square, as Chinese ones do: no blank stands beside it."""
    return unicodedata.east_asian_width(sign) in "WF"
