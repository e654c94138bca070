"""Separates what a reasoning model thinks from its answer. Knows no model and no page.

Each family marks its thoughts in its own way: with a pair of tags, or as messages on channels beside the final one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

OPEN, CLOSE = "<think>", "</think>"

# What opens a thought and what closes it, as the families write it.
TAGS: Mapping[str, str] = {
    OPEN: CLOSE,
    "[THINK]": "[/THINK]",
    "<seed:think>": "</seed:think>",
    "<mm:think>": "</mm:think>",
    "<longcat_think>": "</longcat_think>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "◁think▷": "◁/think▷",
    "<|think|>": "<|/think|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|thought_begin|>": "<|thought_end|>",
    "<|THINK_START|>": "<|THINK_END|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
    "<|channel>": "<channel|>",
    "<unused94>": "<unused95>",
}
# Around an answer, where a thought came before it.
_WRAPPERS: Mapping[str, str] = {
    "<answer>": "</answer>",
    "<response>": "</response>",
    "<|begin_of_solution|>": "<|end_of_solution|>",
    "<|START_RESPONSE|>": "<|END_RESPONSE|>",
}
_TITLED = ("<|channel>", "<unused94>")  # these name the thought in its first line
_TITLE = "thought\n"

# The messages of one answer on channels, as gpt-oss writes them; the answer is what stands on the final one.
CHANNEL, MESSAGE, END, START = "<|channel|>", "<|message|>", "<|end|>", "<|start|>"
CHANNEL_MARKS = (CHANNEL, MESSAGE, END, START, "<|constrain|>")
_FINAL = "final"
_TO_FINAL = f"{END}{START}assistant{CHANNEL}{_FINAL}{MESSAGE}"
_MESSAGE = re.compile(
    rf"(?:{re.escape(START)}assistant)?[^<]*{re.escape(CHANNEL)}(?P<name>\w*)(?P<more>(?:(?!{re.escape(MESSAGE)}).)*)"
    rf"{re.escape(MESSAGE)}",
    re.DOTALL,
)
_MESSAGE_ENDS = (END, START, "<|return|>", "<|call|>")


@dataclass(frozen=True, slots=True)
class ParsedReasoning:
    """`thought` is "" where there is none; `thinks` while it has not come to its end. `open` is what it began with,
    `close` what would end it."""

    thought: str
    answer: str
    thinks: bool = False
    open: str = field(default="", compare=False)
    close: str = field(default="", compare=False)


def opens(prompt: str) -> str:
    """What a prompt ends with where that begins a thought, as some templates write it themselves; else ""."""
    end = prompt.rstrip()
    found = next((tag for tag in TAGS if end.endswith(tag)), "")
    if not found and (channel := end.rfind(CHANNEL)) >= 0:
        begun = _MESSAGE.fullmatch(end[channel:])
        if begun is not None and begun["name"] != _FINAL:
            return begun[0]
    if not found:
        titled = end.removesuffix(_TITLE.strip())
        found = next((tag for tag in _TITLED if titled != end and titled.endswith(tag)), "")
    return found


def split_reasoning(text: str, *, opened: bool | str = "", whole: bool = True) -> ParsedReasoning:
    """Thoughts stand at the beginning, one behind the other, or nowhere: further on, a tag is a word like any other.

    `opened` is what the prompt has opened a thought with; True is the usual tag. While a text grows (not `whole`), what
    could still become a tag is held back, so nothing shown is ever taken back.
    """
    return _apart(text, opened, whole)[0]


def answer_begins(text: str, opened: bool | str = "") -> tuple[int, bool]:
    """From which place on a growing text may be the answer, and whether it is for certain."""
    parsed, rest = _apart(text, opened, whole=False)
    return len(text) - len(rest), bool(parsed.answer)


def opened_after(begun: str, opened: bool | str) -> str:
    """What a thought is open with once the answer has begun with this text; "" where it is in none."""
    if not begun.strip():
        return OPEN if opened is True else opened or ""
    parsed = split_reasoning(begun, opened=opened, whole=False)
    return parsed.open if parsed.thinks else ""


def answer_alone(text: str, opened: str = "") -> str:
    """A whole text without what was thought in it. `opened` is what the model's prompts open a thought with: a text
    that closes it began inside."""
    parsed = split_reasoning(text)
    if parsed.answer != text:
        return parsed.answer
    closes = TAGS.get(opened, _TO_FINAL)
    return split_reasoning(text, opened=opened).answer if opened and closes in text else text


def frame(text: str, opened: str = "") -> list[tuple[int, int]]:
    """Where the marks of thoughts stand in the beginning of an answer: there, and only there, a model writes them."""
    if opened.startswith(CHANNEL) or text.lstrip().startswith((CHANNEL, START)):
        pattern = "|".join(re.escape(mark) for mark in CHANNEL_MARKS)
        return [found.span() for found in re.finditer(pattern, text)]
    found: list[tuple[int, int]] = []
    place = 0
    while True:
        start = len(text) - len(text[place:].lstrip())
        tag = next((tag for tag in TAGS if text.startswith(tag, start)), "")
        found += [(start, start + len(tag))] if tag else []
        close = TAGS.get(tag or opened, "")
        ends = text.find(close, place) if close else -1
        if ends < 0:
            return found
        place, opened = ends + len(close), ""
        found.append((ends, place))


def marks() -> Iterator[str]:
    """All marks that separate a thought from an answer; to be seen in a text even where it is a special token."""
    yield from TAGS
    yield from TAGS.values()


def _apart(text: str, opened: bool | str, whole: bool) -> tuple[ParsedReasoning, str]:
    """A text split into thought and answer, and the part of it behind all thoughts and their marks."""
    opened = OPEN if opened is True else opened or ""
    thoughts: list[str] = []
    rest, last, wrapped, ends = text, ParsedReasoning("", ""), False, set[str]()
    while (found := _thought(rest, opened, whole)) is not None:
        thoughts.append(found.thought)
        if found.thinks:
            return ParsedReasoning(_paragraphs(thoughts), "", True, found.open, found.close), ""
        rest, last, opened = found.answer.lstrip(), found, ""
        ends.update(_MESSAGE_ENDS if found.open == f"{CHANNEL}{_FINAL}{MESSAGE}" else ())
        wrapper = "" if wrapped else next((begins for begins in _WRAPPERS if rest.startswith(begins)), "")
        if wrapper:
            rest, wrapped = rest.removeprefix(wrapper).lstrip(), True
            ends.add(_WRAPPERS[wrapper])
    answer = rest
    if not whole and _may_begin(rest, (*_WRAPPERS,) if thoughts and not wrapped else ()):
        answer = ""
    closed = [at for mark in ends if (at := answer.find(mark)) >= 0]
    if closed or (ends and not whole):
        answer = answer[: min(closed, default=len(answer) - max(_held(answer, mark) for mark in ends))]
    return ParsedReasoning(_paragraphs(thoughts), answer, open=last.open, close=last.close), rest


def _thought(text: str, opened: str, whole: bool) -> ParsedReasoning | None:
    """The first thought of a text, with whatever stands behind it as `answer`; None where it begins with none."""
    begun = text.lstrip()
    if opened.startswith(CHANNEL) or begun.startswith((CHANNEL, START)):
        return _on_channels(opened + text if opened.startswith(CHANNEL) else begun, whole)
    tag = next((tag for tag in TAGS if begun.startswith(tag)), "")
    if tag:
        return _between(tag, begun.removeprefix(tag), whole)
    if opened and not whole and _may_begin(text):
        return ParsedReasoning("", "", True, opened, TAGS[opened])
    return _between(opened, text, whole) if opened else None


def _may_begin(text: str, others: Iterable[str] = ()) -> bool:
    """Whether a text could still begin with a mark of a thought, or with one of these, once it has grown."""
    begun = text.lstrip()
    return any(mark.startswith(begun) for mark in (*TAGS, CHANNEL, START, *others))


def _between(tag: str, inner: str, whole: bool) -> ParsedReasoning:
    close = TAGS[tag]
    thought, closed, behind = inner.partition(close)
    if not closed and not whole:
        thought = thought[: len(thought) - _held(thought, close)]
    if tag in _TITLED:
        if not closed and not whole and _TITLE.startswith(thought):
            thought = ""
        thought = thought.removeprefix(_TITLE)
    return ParsedReasoning(thought.strip(), behind, not closed, tag, close)


def _on_channels(text: str, whole: bool) -> ParsedReasoning | None:
    """Messages one after the other; whatever does not stand on the final channel is thought. None without any."""
    thoughts: list[str] = []
    place, header = 0, ""
    while (message := _MESSAGE.match(text, place)) is not None:
        ends = [at for mark in _MESSAGE_ENDS if (at := text.find(mark, message.end())) >= 0]
        inner = text[message.end() : min(ends, default=len(text))]
        if not ends and not whole:
            inner = inner[: len(inner) - max(_held(inner, mark) for mark in _MESSAGE_ENDS)]
        header = f"{CHANNEL}{message['name']}{MESSAGE}"
        if message["name"] == _FINAL:
            return ParsedReasoning(_paragraphs(thoughts), text[message.end() :], open=header, close=_TO_FINAL)
        thoughts.append(inner.strip())
        if not ends:
            break
        place = min(ends)
        place += len(END) if text.startswith(END, place) else 0
        if any(text[place:].lstrip().startswith(tag) for tag in TAGS):  # it goes on in another way
            return ParsedReasoning(_paragraphs(thoughts), text[place:], open=header, close=_TO_FINAL)
    if whole and not thoughts:  # no message at all
        return None
    return ParsedReasoning(_paragraphs(thoughts), "", True, header or f"{CHANNEL}analysis{MESSAGE}", _TO_FINAL)


def _paragraphs(texts: list[str]) -> str:
    return "\n\n".join(text for text in texts if text)


def _held(text: str, mark: str) -> int:
    """How many characters at the end could be the beginning of this mark."""
    return next((size for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size])), 0)
