"""A long text that grows section by section, and what of it is carried on to the next section within a budget.

The running summary is extractive: one sentence of each accepted section, its first unless the author wrote another. A
model of 135 million parameters that is asked to summarize makes things up; a sentence that stands in the text is true.
Knows no model, no store and no page: the caller passes the function that counts tokens.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.types import InvalidRequest, Language, Text

MOST_SECTIONS = 200
MOST_CHARACTERS = 30_000  # of one section
# Characters of each text of the head; `carried` is what the author wrote in the place of what would be carried.
HEAD: Mapping[str, int] = {
    "title": 200, "author": 200, "date": 60, "form": 100, "style": 300, "plan": 12_000, "heading": 200,
    "carried": 60_000,
}  # fmt: skip
MOST_NAME = 4096  # characters of a model's name, which may be a path
GIST = 300  # characters of a section's sentence in the running summary
ONE_LINE = ("title", "author", "date", "form", "style", "heading")
_FACTS = ("title", "author", "form", "style")
_LABELS: Mapping[str, Text] = {
    "title": Text("Title", "标题"),
    "author": Text("Author", "作者"),
    "form": Text("Form", "体裁"),
    "style": Text("Style", "风格"),
    "plan": Text("Plan", "大纲"),
    "summary": Text("So far", "前文提要"),
}
_PLAN, _SUMMARY = 3, 4  # the plan takes at most one part in three of the budget, the summary one in four
_STEPS = 50  # parts of the budget by which it is tried again where the whole has more tokens than its parts
_LONG_TOKEN = 16  # characters: of a text, only so many for each token of the budget are looked at
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？…])[”’」』）]*\s*|\n+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Count = Callable[[str], int]
"""The tokens of a text; none for an empty one."""


@dataclass(frozen=True, slots=True)
class Section:
    """One accepted section. `number` is its own for ever; `gist` is the author's sentence for the running summary.

    `model` and `revision` are of the model that wrote it, "" where its author did, or before they were kept.
    """

    number: int
    heading: str
    text: str
    gist: str = ""
    model: str = ""
    revision: str = ""

    @property
    def sentence(self) -> str:
        """What the running summary says of it."""
        return self.gist or _first_sentence(self.text)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text being written. `head` has every name of HEAD."""

    language: Language = "en"
    head: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()

    def says(self, name: str) -> str:
        return self.head.get(name, "").strip()


def checked_head(given: object) -> dict[str, str]:
    """The texts of a head from whatever a browser sent, and its language; InvalidRequest names what is too long."""
    found = given if isinstance(given, Mapping) else {}
    head = {name: _checked(found.get(name), name, most) for name, most in HEAD.items()}
    for name in ONE_LINE:
        head[name] = " ".join(head[name].split())
    return {**head, "language": "zh" if found.get("language") == "zh" else "en"}


def checked_section(given: Mapping[str, Any], number: int = 0) -> Section:
    """A section from whatever a browser sent; InvalidRequest where it is empty or too long."""
    text = _checked(given.get("text"), "text", MOST_CHARACTERS).strip()
    if not text:
        raise InvalidRequest(
            Text("The section is empty.", "这一节是空的。"),
            Text("Write something, or remove it.", "请写一些内容，或删除它。"),
            parameter="text",
        )
    heading = " ".join(_checked(given.get("heading"), "heading", HEAD["heading"]).split())
    gist = " ".join(_checked(given.get("gist"), "gist", GIST).split())
    model, revision = (_checked(given.get(name), name, MOST_NAME).strip() for name in ("model", "revision"))
    return Section(number, heading, text, gist, model, revision)


def readable(text: str) -> str:
    """The text without control characters and halves of characters; line breaks are line feeds."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def typed(draft: Draft) -> str:
    """What its author typed, which shows the language of a text better than the chosen one does.

    Of the sections only the last, since an author who changes the language goes on in the new one.
    """
    names = ("title", "form", "style", "plan", "heading", "carried")
    return "\n".join([draft.says(name) for name in names] + [one.text for one in draft.sections[-1:]])


def prompt(draft: Draft, carried: str) -> str:
    """What the model continues: what is carried, and the heading of the section to come where there is one."""
    heading = draft.says("heading")
    parts = (carried.strip(), f"## {heading}" if heading else "")
    return "".join(f"{part}\n\n" for part in parts if part)


def carry(draft: Draft, budget: int, count: Count) -> str:
    """The head and the plan, the running summary, then the last passages word for word; `budget` tokens at most.

    Where it does not all fit, the plan keeps its beginning, and what was written its end: of the sections that the last
    passages do not show whole, the newest sentences stay in the summary.
    """
    room = budget
    while room > 0:
        text = _carried(draft, room, count)
        over = count(text) - budget
        if over <= 0:
            return text
        room -= max(over, budget // _STEPS)
    return tail(_carried(draft, 0, count), budget, count)


def tail(text: str, budget: int, count: Count) -> str:
    """The longest end of a text that has at most so many tokens: whole sentences, or a part where none fits whole."""
    if budget <= 0:
        return ""
    text = text.strip()[-budget * _LONG_TOKEN :]
    starts = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    fits = bisect_left(starts, True, key=lambda start: count(text[start:]) <= budget)
    if starts[fits] < len(text):
        return text[starts[fits] :].strip()
    return text[bisect_left(range(len(text)), True, key=lambda start: count(text[start:]) <= budget) :].strip()


def beginning(text: str, budget: int, count: Count) -> str:
    """The longest beginning of a text that has at most so many tokens, in whole sentences where one fits."""
    text = text.strip()[: max(0, budget) * _LONG_TOKEN]
    ends = [len(text), *(match.start() for match in reversed([*_SENTENCE.finditer(text)])), 0]
    fits = bisect_left(ends, True, key=lambda end: count(text[:end]) <= budget)
    if ends[fits]:
        return text[: ends[fits]].strip()
    cut = bisect_left(range(len(text)), True, key=lambda left: count(text[: len(text) - left]) <= budget)
    return text[: len(text) - cut].strip()


def _carried(draft: Draft, budget: int, count: Count) -> str:
    label = {name: text.say(draft.language) for name, text in _LABELS.items()}
    gap, join = ("：", "") if draft.language == "zh" else (": ", " ")
    lines = [f"{label[name]}{gap}{draft.says(name)}" for name in _FACTS if draft.says(name)]
    plan = beginning(draft.says("plan"), budget // _PLAN, count)
    if plan:
        lines.append(f"{label['plan']}{gap}{plan}")
    left = budget - count("\n".join(lines))
    sentences = [section.sentence for section in draft.sections]
    kept = min(budget // _SUMMARY, count(join.join(sentences[:-1]))) if len(sentences) > 1 else 0
    passages, older = _last_passages(draft.sections, left - kept, count)
    summary = tail(join.join(sentences[:older]), kept, count)
    if summary:
        lines.append(f"{label['summary']}{gap}{summary}")
    return "\n\n".join(part for part in ("\n".join(lines), passages) if part)


def _last_passages(sections: Sequence[Section], budget: int, count: Count) -> tuple[str, int]:
    """The end of what was written, and how many of the first sections it does not show whole."""
    blocks: list[str] = []
    for at in range(len(sections) - 1, -1, -1):
        block = _block(sections[at])
        if count("\n\n".join([block, *blocks])) > budget:
            left = budget - (count("\n\n".join(blocks)) if blocks else 0)
            part = tail(sections[at].text, left, count)
            return "\n\n".join([*([part] if part else []), *blocks]), at + 1
        blocks.insert(0, block)
    return "\n\n".join(blocks), 0


def _block(section: Section) -> str:
    return f"## {section.heading}\n\n{section.text}" if section.heading else section.text


def _first_sentence(text: str) -> str:
    line = text.strip().partition("\n")[0]
    match = _SENTENCE.search(line)
    return (line[: match.end()].strip() if match else line)[:GIST]


def _checked(given: object, name: str, most: int) -> str:
    text = readable(given) if isinstance(given, str) else ""
    if len(text) > most:
        raise InvalidRequest(
            Text(
                f"This has {len(text):,} characters; at most {most:,} are kept here.",
                f"这里有 {len(text):,} 个字符，最多保留 {most:,} 个。",
            ),
            Text("Shorten it.", "请缩短它。"),
            parameter=name,
        )
    return text
