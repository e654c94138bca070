"""From what a model wrote to the items of a clean list: no bullets, no quotes around, nothing twice.

Knows no task; the caller passes the lines that belong to the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

Split = Literal["lines", "commas"]

_BULLET = re.compile(r"^(?:[-*–—]+\s+|[•·●▪◦‣]+|\(?\d{1,2}[.)、．）:：](?!\d)|[①-⑳]|#+\s|\d{1,2}\s*\|)\s*")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』", "`": "`"}
_COMMAS = re.compile(r"[,，、;；]")
_LABEL = re.compile(r"\s*([^:：{}]{1,30}[:：])\s*(?:\{\{.*)?$")


def items(text: str, prompt_lines: Collection[str], split: Split = "lines", source: str | None = None) -> list[str]:
    """The items of `text`, in its order, each once (upper and lower case are the same).

    `prompt_lines` are the lines of the prompt's template: a line that begins with one of its labels ends the list,
    and copies of its own example lines are left out. With `source`, only items that occur in it stay.
    """
    known = None if source is None else source.casefold()
    found: dict[str, str] = {}
    for line in _own_lines(text, prompt_lines):
        parts = [part.strip().rstrip(".。") for part in _COMMAS.split(line)] if split == "commas" else [line]
        for item in map(bare, parts):
            key = item.casefold()
            if any(letter.isalnum() for letter in item) and (known is None or key in known):
                found.setdefault(key, item)
    return list(found.values())


def bare(item: str) -> str:
    """An item without bullet, numbering, bold marks, bars and quotes around it, and commas behind it."""
    before = None
    item = item.replace("**", "").strip()
    while item != before:
        before = item
        item = _BULLET.sub("", item).strip(" \t|").rstrip(",，、;；").strip()  # bars: a row of a Markdown table
        if len(item) >= 2 and _QUOTES.get(item[0]) == item[-1]:
            item = item[1:-1].strip()
    return item


def _own_lines(text: str, prompt_lines: Collection[str]) -> list[str]:
    """The lines before the model goes on with the prompt's next example. A label before the first item is taken off."""
    labels = tuple({match[1].casefold() for line in prompt_lines if (match := _LABEL.match(line))})
    copies = {bare(line).casefold() for line in prompt_lines if "{{" not in line}
    kept: list[str] = []
    for line in text.splitlines():
        if line.strip().casefold().startswith(labels):
            if kept:
                break
            line = re.split("[:：]", line, maxsplit=1)[1]
        own = bare(line)
        if own and own.casefold() not in copies:
            kept.append(own)
    return kept
