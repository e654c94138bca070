"""OpenAI's list of messages as our request has it: a system prompt, turns, the message to answer, a begun answer.

Knows no model and no other field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.openai_api.api_error import ApiError, bad
from playground.types import Text, Turn

_GAP = "\n\n"  # between messages of one role that follow each other, and between parts of one message
_ROLES = ("system", "developer", "user", "assistant")
_EMPTY_FIELDS = ("tool_calls", "function_call", "audio", "refusal", "annotations", "reasoning_content")
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Messages:
    """A conversation. `begun` is the beginning of the answer, "" where there is none."""

    system: str
    turns: tuple[Turn, ...]
    prompt: str
    begun: str


def messages_of(given: object, *, continues: bool) -> Messages:
    """Raises ApiError, with the place, for what a conversation of ours cannot be."""
    if not isinstance(given, list) or not given:
        raise bad(
            Text("messages must be a list with at least one message.", "messages 应为至少含一条消息的列表。"),
            "messages",
        )
    if len(given) > _MOST:
        raise bad(Text(f"There are {len(given):,} messages; at most {_MOST:,} are allowed.",
                       f"共有 {len(given):,} 条消息，最多允许 {_MOST:,} 条。"), "messages")  # fmt: skip
    said = [_message(one, f"messages[{place}]") for place, one in enumerate(given)]
    begun = ""
    if continues:
        if said[-1][0] != "assistant":
            raise bad(
                Text("continue_final_message needs a last message of the assistant.",
                     "continue_final_message 要求最后一条消息来自 assistant。"),
                "continue_final_message",
            )  # fmt: skip
        begun = said.pop()[1]
    return _in_turns(_joined(said), begun)


def _joined(said: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Messages of one role that follow each other become one."""
    found: list[tuple[str, str]] = []
    for role, text in said:
        if found and found[-1][0] == role:
            found[-1] = (role, found[-1][1] + _GAP + text)
        else:
            found.append((role, text))
    return found


def _in_turns(said: list[tuple[str, str]], begun: str) -> Messages:
    system = said.pop(0)[1] if said and said[0][0] == "system" else ""
    for place, (role, _) in enumerate(said):
        if role == "system":
            raise bad(
                Text("System messages must come first.", "system 消息应放在最前面。"), "messages", "unsupported_value"
            )
        if role != ("user", "assistant")[place % 2]:  # joined, so only the first can be wrong
            raise bad(
                Text("The first message behind the system's must be the user's.",
                     "system 之后的第一条消息应来自 user。"), "messages", "unsupported_value",
            )  # fmt: skip
    if len(said) % 2 == 0:
        raise bad(
            Text("The last message must be the user's. To continue one of the assistant, set continue_final_message.",
                 "最后一条消息应来自 user。若要续写 assistant 的消息，请设置 continue_final_message。"), "messages",
        )  # fmt: skip
    turns: list[Turn] = [("user" if place % 2 == 0 else "assistant", text) for place, (_, text) in enumerate(said)]
    return Messages(system, tuple(turns[:-1]), turns[-1][1], begun)


def _message(given: Any, place: str) -> tuple[str, str]:
    """Role and text of one message; a developer's counts as the system's."""
    if not isinstance(given, Mapping):
        raise bad(Text(f"{place} must be an object.", f"{place} 应为对象。"), place)
    role = given.get("role")
    if role in ("tool", "function"):
        raise bad(
            Text(
                f"{place}: no tools are called here, so there is no message of role {role}.",
                f"{place}：此处不调用工具，因此没有 {role} 消息。",
            ),
            f"{place}.role",
            "unsupported_value",
        )
    if role not in _ROLES:
        raise bad(
            Text(
                f"{place}.role must be one of {', '.join(_ROLES)}.", f"{place}.role 应为以下之一：{'、'.join(_ROLES)}。"
            ),
            f"{place}.role",
        )
    for name, value in given.items():
        if name not in ("role", "content") and not (name in _EMPTY_FIELDS and value in (None, [], "")):
            shown = str(name)[:60]
            raise ApiError(
                400,
                Text(f"{place}: the field {shown!r} is not supported here.", f"{place}：此处不支持字段 {shown!r}。"),
                param=f"{place}.{shown}",
                code="unsupported_parameter",
            )
    return "system" if role == "developer" else str(role), _content(given.get("content"), f"{place}.content")


def _content(given: Any, place: str) -> str:
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise bad(Text(f"{place} must be a text or a list of parts.", f"{place} 应为文本或内容部分的列表。"), place)
    texts = []
    for number, part in enumerate(given):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind != "text" or not isinstance(part.get("text"), str):
            shown = str(kind)[:40]
            raise bad(
                Text(f"{place}[{number}] is of type {shown!r}; the models here read text only.",
                     f"{place}[{number}] 的类型为 {shown!r}，此处的模型只能读取文本。"),
                f"{place}[{number}].type", "unsupported_value",
            )  # fmt: skip
        texts.append(part["text"])
    return _GAP.join(texts)
