"""One model's chat template: what it takes, and a conversation rendered by it, with who wrote which part.

What a template takes is found out by trying it once, never by a model's name. Knows no token id.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from transformers import PreTrainedTokenizerBase

from playground.rendering.control import ControlTokens, Part
from playground.rendering.markers import Markers
from playground.rendering.templates import Failure, render
from playground.types import Refused, Text

Role = Literal["system", "user", "assistant"]
Message = tuple[Role, str]
_DEFAULT = "default"
_HINT = Text("Use complete mode, or another model.", "请改用续写模式或其他模型。")
_DROPPED = Text("it leaves out what was written", "它漏掉了所写的内容")
_USER, _ASSISTANT, _NEXT, _SYSTEM = ("qone", "qtwo", "qthree", "qfour")  # what is tried; a word of each, found again
_KEY = "qkey"  # beside the text in a part that is tried: who writes it, writes the part's source and not its text
_WHOLE_LIST = re.compile(r"\[\s*\{")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a template takes. `lists` are the roles whose content it wants as a list of parts.

    `system` is whether it knows a system prompt, `turns` why it takes no earlier turns, `forgets` whether it takes them
    and leaves them out. `header` is what it writes between its own beginning of an answer and the answer, `behind` what
    it writes behind one, last or followed. `written` are the conversations that were tried, as it wrote them.
    """

    lists: frozenset[Role] = frozenset()
    system: bool = True
    turns: Text | None = None
    forgets: bool = False
    header: str = ""
    behind: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


class Conversation(NamedTuple):
    """A rendered conversation up to where the answer begins.

    `joined` is whether its system prompt had to be joined to a message, `forgets` whether earlier turns are left out.
    """

    parts: tuple[Part, ...]
    joined: bool = False
    forgets: bool = False


class ChatTemplate:
    """The template that a tokenizer brings along, which writes the date of `now`. May be called from any thread."""

    def __init__(self, tokenizer: Any, title: str, now: float | None = None) -> None:
        self._tokenizer = tokenizer
        self._title = title
        self._now = now
        self._trying = threading.Lock()

    @property
    def source(self) -> str:
        """The template itself; "" where there is none, or none that may be chosen."""
        given = getattr(self._tokenizer, "chat_template", None)
        if isinstance(given, Mapping):
            given = given.get(_DEFAULT)
        return given if isinstance(given, str) else ""

    @property
    def abilities(self) -> Abilities:
        """Raises Refused where the template cannot be used at all."""
        with self._trying:
            found = self._tried
        if isinstance(found, Text):
            raise self._refusal(found)
        return found

    @property
    def written(self) -> tuple[str, ...]:
        """Conversations as the template writes them, with words in them that nobody types; none where it fails."""
        try:
            return self.abilities.written
        except Refused:
            return ()

    def render(self, messages: Sequence[Message], control: ControlTokens) -> Conversation:
        """The conversation as the template writes it, before the answer. Raises Refused with the template's reason."""
        takes = self.abilities
        system = messages[0][0] == "system"
        if takes.turns is not None and len(messages) - system > 1:
            raise self._refusal(takes.turns)
        found = self._render(messages, takes, control) if takes.system or not system else None
        slow = isinstance(found, Failure) and found.limit
        if system and not slow and not isinstance(found, Conversation):  # it knows no system prompt, or not here
            again = self._render(join(messages, last=takes.forgets), takes, control)
            found = again._replace(joined=True) if isinstance(again, Conversation) else found or again
        if not isinstance(found, Conversation):
            raise self._refusal(self._reason(found or Failure(_DROPPED)))
        return found

    def _render(self, messages: Sequence[Message], takes: Abilities, control: ControlTokens) -> Conversation | Failure:
        """Renders twice: as it stands, and with markers that show who wrote what. Where the template changes its output
        because of the markers, the first result counts as long as nobody typed a control token."""
        markers = Markers(control, [text for _, text in messages])
        marked = [(role, text) for (role, _), text in zip(messages, markers.texts, strict=True)]
        plain, with_marks = self._run([_said(messages, takes.lists), _said(marked, takes.lists)])
        if isinstance(plain, Failure):
            return plain
        whole = Conversation((Part(plain, False),))
        if isinstance(with_marks, Failure):
            return with_marks if markers.typed else whole
        missing = [at for at in markers.missing(with_marks) if messages[at][1].strip() not in plain]
        if any(messages[at][0] == "system" or at == len(messages) - 1 for at in missing):
            return Failure(_DROPPED)
        parts = markers.parts(with_marks)
        if parts is None and markers.typed:
            return Failure(_DROPPED)
        if parts is None or not (markers.typed or "".join(part.text for part in parts) == plain):
            return whole._replace(forgets=bool(missing))
        return Conversation(parts, forgets=bool(missing))

    @cached_property
    def _tried(self) -> Abilities | Text:
        """What the template takes, or why it cannot be used; tried with words that are found again."""
        named = getattr(self._tokenizer, "chat_template", None)
        if isinstance(named, Mapping) and _DEFAULT not in named:
            listed = ", ".join(map(str, named))
            return Text(
                f"{self._title} has several chat templates, and none is called “{_DEFAULT}”: {listed}.",
                f"{self._title} 有多个对话模板，但没有名为“{_DEFAULT}”的：{listed}。",
            )
        found = Abilities()
        one: Message = ("user", _USER)
        text = failed = self._try(found, one)
        if isinstance(failed, Failure) and not failed.limit:
            found = replace(found, lists=frozenset[Role]({"user"}))
            text = self._try(found, one, dumps=failed.reason != _DROPPED)
        if isinstance(text, Failure):
            return self._reason(failed if isinstance(failed, Failure) else text)
        found = replace(found, written=(text,))
        return self._with_system(self._with_turns(found))

    def _with_turns(self, found: Abilities) -> Abilities:
        talk: Sequence[Message] = (("user", _USER), ("assistant", _ASSISTANT), ("user", _NEXT))
        failed = self._try(found, *talk)
        lists = replace(found, lists=found.lists | {"assistant"})
        if isinstance(failed, Failure):
            if failed.limit:
                return replace(found, turns=self._reason(failed))
            if isinstance(self._try(lists, *talk, dumps=failed.reason != _DROPPED), Failure):
                forgets = not isinstance(self._try(found, *talk, wanted=(_NEXT,)), Failure)
                return replace(found, turns=None if forgets else self._reason(failed), forgets=forgets)
            found = lists
        begun, last, followed = self._run(
            [_said(talk[:1], found.lists), _said(talk[:2], found.lists), _said(talk, found.lists)],
            ends=(True, False, False),
        )
        written = tuple(text for text in (begun, last, followed) if isinstance(text, str))
        behind = tuple(_between(text, _ASSISTANT, _NEXT) for text in (last, followed) if isinstance(text, str))
        header = ""
        if isinstance(begun, str) and isinstance(last, str) and last.startswith(begun):
            header = last[len(begun) :].partition(_ASSISTANT)[0]
        return replace(found, header=header, behind=behind, written=(*found.written, *written))

    def _with_system(self, found: Abilities) -> Abilities:
        both: Sequence[Message] = (("system", _SYSTEM), ("user", _USER))
        text = self._try(found, *both)
        if isinstance(text, Failure) and not text.limit:
            lists = replace(found, lists=found.lists | {"system"})
            text = self._try(lists, *both, dumps=text.reason != _DROPPED)
            found = found if isinstance(text, Failure) else lists
        if isinstance(text, Failure):
            return replace(found, system=False)
        return replace(found, written=(*found.written, text))

    def _try(
        self, takes: Abilities, *messages: Message, wanted: Sequence[str] = (), dumps: bool = False
    ) -> str | Failure:
        """The text where all that was said, or all that is `wanted`, is found again; else the reason.

        A list of parts whose source is written instead of its text is not found: unless that is JSON, of each part, or
        of the whole list where `dumps` is set.
        """
        given = _said(messages, takes.lists)
        for part in (part for message in given if isinstance(message["content"], list) for part in message["content"]):
            part[_KEY] = _KEY
        (text,) = self._run([given])
        if isinstance(text, Failure):
            return text
        words = wanted or [word for _, word in messages]
        dumped = _KEY in text and not (f'"{_KEY}"' in text and (dumps or _WHOLE_LIST.search(text) is None))
        return Failure(_DROPPED) if dumped or not all(word in text for word in words) else text

    def _run(self, each: Sequence[list[dict[str, Any]]], ends: Sequence[bool] | None = None) -> list[str | Failure]:
        """Each conversation rendered; `ends` says which of them end where an answer begins (all, unless given)."""
        opens = [True] * len(each) if ends is None else list(ends)
        own = self._own()
        if own is not None:
            return [_in_process(own, messages, begins) for messages, begins in zip(each, opens, strict=True)]
        pairs = zip(each, opens, strict=True)
        given = [{"messages": messages, "add_generation_prompt": begins} for messages, begins in pairs]
        shared = {"tools": None, "documents": None, **_texts_only(self._tokenizer.special_tokens_map)}
        return render(self.source, given, shared, self._now)

    def _own(self) -> Callable[..., Any] | None:
        """The tokenizer's own way to write a conversation, where it brings code for that, which its owner allowed."""
        usual = PreTrainedTokenizerBase.apply_chat_template
        return self._tokenizer.apply_chat_template if type(self._tokenizer).apply_chat_template is not usual else None

    def _reason(self, failure: Failure) -> Text:
        reason = failure.reason
        if failure.own:
            return Text(
                f"{self._title}'s chat template refuses this conversation: {reason.en}.",
                f"{self._title} 的对话模板不接受这段对话：{reason.zh}。",
            )
        return Text(
            f"{self._title}'s chat template cannot be used: {reason.en}.",
            f"{self._title} 的对话模板无法使用：{reason.zh}。",
        )

    def _refusal(self, reason: Text) -> Refused:
        return Refused(reason, _HINT, parameter="mode")


def join(messages: Sequence[Message], *, last: bool = False) -> list[Message]:
    """The system text in front of the first message, as the makers of templates without a system prompt advise; in
    front of the `last` one where a template writes no other."""
    (_, system), *others = messages
    at = len(others) - 1 if last else 0
    role, text = others[at]
    others[at] = (role, f"{system}\n\n{text}" if text else system)
    return others


def _said(messages: Sequence[Message], lists: frozenset[Role]) -> list[dict[str, Any]]:
    return [
        {"role": role, "content": [{"type": "text", "text": text}] if role in lists else text}
        for role, text in messages
    ]


def _texts_only(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
        for name, value in given.items()
    }


def _between(text: str, first: str, second: str) -> str:
    return text.partition(first)[2].partition(second)[0]


def _in_process(render: Callable[..., Any], messages: list[dict[str, Any]], begins: bool) -> str | Failure:
    try:
        return str(render(messages, tokenize=False, add_generation_prompt=begins))
    except Exception as error:  # noqa: BLE001 - a model's own code may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return Failure(Text(reason, reason))


