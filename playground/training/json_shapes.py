"""JSON of training data: conversations as `messages` or ShareGPT have them, pairs, or plain columns.

Knows files only as text. The first object that has a known shape says which shape all of them have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from playground.conversation import MOST_TURNS
from playground.tables import json_lines
from playground.tables.table import TableLimits, is_text, line_of, no_rows, wrong
from playground.types import Text

ROLES: Mapping[str, str] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatgpt": "assistant",
}  # fmt: skip
"""What the formats call who speaks."""
RESULT = "result"
"""The column of the text in results of a batch."""
_SHOWN = 40  # characters of a word of the file in a sentence
_BETWEEN = "\n\n"  # between messages of one speaker in a row, which become one turn


class _Entry(NamedTuple):
    """One object of the file, None where there is none; the text that it stands in, and its place in words."""

    value: Any
    text: str
    place: Text


class _Unusable(Exception):
    """Why one row cannot be used."""

    def __init__(self, en: str, zh: str) -> None:
        self.reason = Text(en, zh)
        super().__init__(en)


def rows(text: str, limits: TableLimits, *, whole: bool) -> dict[str, Any]:
    """Conversations or a table as plain data; `whole` says that the text is one JSON value and not one a line.

    Raises InvalidRequest where there are no rows, too many, or no JSON.
    """
    entries = list(_entries(text, limits, whole))
    if not entries:
        no_rows()
    first = next((one.value for one in entries if isinstance(one.value, dict)), {})
    if _talk_of(first) is not None:
        return _conversations(entries, limits)
    if _is_result(first):
        return _table([_result_cells(one) for one in entries], limits)
    return _table(entries, limits)


def _entries(text: str, limits: TableLimits, whole: bool) -> Iterator[_Entry]:
    if whole:
        try:
            value = _loaded(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, list):
            wrong(
                "The file is no list of JSON objects.",
                "该文件不是 JSON 对象的列表。",
                Text("Write [{…}, {…}], or one object a line as JSONL.", "请写成 [{…}, {…}]，或每行一个对象的 JSONL。"),
            )
        given: Iterable[_Entry] = (_Entry(one, _dumped(one), _entry(number)) for number, one in enumerate(value, 1))
    else:
        lines = enumerate(text.split("\n"), 1)
        given = (_Entry(_value(line), line, line_of(number)) for number, line in lines if line.strip())
    for number, entry in enumerate(given, 1):
        if number > limits.rows:
            wrong(
                f"Row {number:,} is one too many: at most {limits.rows:,} rows are allowed.",
                f"第 {number:,} 行超出上限：最多允许 {limits.rows:,} 行。",
                Text("Split the file.", "请拆分文件。"),
            )
        yield entry


def _entry(number: int) -> Text:
    return Text(f"Entry {number:,}", f"文件第 {number:,} 项")


def _loaded(text: str) -> Any:
    """Numbers as they are written: 3.10 is not 3.1."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(line: str) -> Any:
    try:
        return _loaded(line)
    except (ValueError, RecursionError):
        return None


def _table(entries: Iterable[_Entry], limits: TableLimits) -> dict[str, Any]:
    """Objects with a text under each name, through the reader that all tables in JSON go through."""
    table = json_lines.table_of(((one.text, one.place) for one in entries), limits)
    return {
        "columns": list(table.columns),
        "rows": [[row[name] for name in table.columns] for row in table.rows],
        "refused": {str(number): [reason.en, reason.zh] for number, reason in table.refused.items()},
    }


def _is_result(value: Mapping[str, Any]) -> bool:
    """Whether this is a line of the results that the tab Batch and `batch` write."""
    return isinstance(value.get("input"), dict) and isinstance(value.get("texts"), list) and "state" in value


def _result_cells(entry: _Entry) -> _Entry:
    """The input's columns, and the first text in one of its own."""
    value = entry.value
    if not (isinstance(value, dict) and _is_result(value)):
        return entry
    texts = value["texts"]
    return entry._replace(text=_dumped({**value["input"], RESULT: texts[0] if texts else ""}))


def _talk_of(value: Mapping[str, Any]) -> list[Any] | None:
    """The messages of an object that is a conversation."""
    for name in ("messages", "conversations", "conversation"):
        if isinstance(value.get(name), list):
            return list(value[name])
    prompt, completion = value.get("prompt"), value.get("completion")
    if isinstance(prompt, list) and isinstance(completion, list):
        unlearned = [{**one, "weight": "0"} if isinstance(one, dict) else one for one in prompt]
        return [*unlearned, *completion]
    return None


def _conversations(entries: Iterable[_Entry], limits: TableLimits) -> dict[str, Any]:
    found, refused = [], {}
    for number, (value, _, place) in enumerate(entries, 1):
        try:
            talk = _talk_of(value) if isinstance(value, dict) else None
            if talk is None:
                raise _Unusable("this is no conversation", "不是对话")
            system = value.get("system") or value.get("system_prompt")
            found.append(_turns(talk, system if isinstance(system, str) else "", limits))
        except _Unusable as problem:
            reason = problem.reason
            refused[str(number)] = [f"{place.en}: {reason.en}.", f"{place.zh}：{reason.zh}。"]
            found.append({"system": "", "turns": [], "learned": []})
    return {"talks": found, "refused": refused}


def _turns(talk: list[Any], system: str, limits: TableLimits) -> dict[str, Any]:
    """One conversation: the system prompt, turns that alternate, and the numbers of those that are learned."""
    said: list[tuple[str, str, bool]] = [("system", system, False)] if system.strip() else []
    for message in talk:
        role, text, learned = _message(message)
        if len(text) > limits.cell or not is_text(text):
            raise _Unusable("a message is too long, or no text", "有消息过长或不是文本")
        if said and said[-1][0] == role:
            _, before, also = said[-1]
            said[-1] = (role, f"{before}{_BETWEEN}{text}" if before and text else before or text, learned or also)
        else:
            said.append((role, text, learned))
    systems = [text for role, text, _ in said if role == "system"]
    turns = [one for one in said if one[0] != "system"]
    if len(systems) > 1 or (systems and said[0][0] != "system"):
        raise _Unusable("a system prompt stands between other messages", "系统提示词位于其他消息之间")
    if not turns or turns[0][0] != "user":
        raise _Unusable("it does not begin with a message of the user", "对话不是以用户消息开始")
    if turns[-1][0] == "user":  # nobody answers it, so nothing of it is learned
        turns.pop()
    if len(turns) > MOST_TURNS:
        raise _Unusable(f"it has more than {MOST_TURNS} turns", f"超过 {MOST_TURNS} 轮")
    wanted = [at for at, (role, text, counts) in enumerate(turns) if role == "assistant" and counts and text.strip()]
    if not wanted:
        raise _Unusable("it has no answer to learn", "没有可学习的回答")
    return {
        "system": systems[0] if systems else "",
        "turns": [[role, text] for role, text, _ in turns],
        "learned": wanted,
    }


def _message(message: Any) -> tuple[str, str, bool]:
    """Who speaks, what is said, and whether it may be learned (OpenAI's `weight` 0 says that it may not)."""
    if not isinstance(message, dict):
        raise _Unusable("a message is no JSON object", "有消息不是 JSON 对象")
    named = message.get("role", message.get("from"))
    role = ROLES.get(named.strip().lower()) if isinstance(named, str) else None
    if role is None:
        shown = str(named)[:_SHOWN]
        raise _Unusable(f"nobody here speaks as {shown!r}", f"不支持角色 {shown!r}")
    if message.get("tool_calls") or message.get("function_call"):
        raise _Unusable("it calls a tool, which is not trained here", "其中调用了工具，这里不训练工具调用")
    content = message.get("content", message.get("value", message.get("text")))
    if isinstance(content, list):
        parts = [one.get("text") if isinstance(one, dict) else one for one in content]
        texts = [one for one in parts if isinstance(one, str)]
        content = "".join(texts) if len(texts) == len(parts) else None
    if not isinstance(content, str):
        raise _Unusable("a message has no text", "有消息没有文本")
    return role, content, str(message.get("weight", "1")) not in ("0", "0.0")
