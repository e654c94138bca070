"""One long text in pieces that together are that text: cut at headings and between paragraphs. Knows no file format."""

from __future__ import annotations

import re
from collections.abc import Iterator

TARGET = 1200  # characters after which a piece ends with its paragraph
MOST = 2400  # characters of a piece: a longer paragraph is cut, at the end of a line or a sentence where it has one
_HEADING = re.compile(
    r"#{1,6}\s+\S|(?:chapter|part|book|section|act|scene|letter)\s+(?:\d+|[ivxlc]+)\b|第[\d零〇一二三四五六七八九十百千]+[章回节卷部幕]",
    re.IGNORECASE,
)
_CUTS = ("\n", ".!?。！？", " ，")  # where a long paragraph may be cut, the best first
_PARAGRAPH = re.compile(r".+?(?:\n[ \t]*(?:\n[ \t]*)+|\Z)", re.DOTALL)


def pieces(text: str) -> list[str]:
    """The text in pieces of about `TARGET` characters; joined they are the text. None holds blanks alone."""
    found: list[str] = []
    for paragraph in _paragraphs(text):
        heading = _HEADING.match(paragraph.lstrip()) is not None
        if found and not found[-1].strip():
            found[-1] += paragraph
        elif not found or heading or len(found[-1]) >= TARGET or len(found[-1]) + len(paragraph) > MOST:
            found.append(paragraph)
        else:
            found[-1] += paragraph
    if len(found) > 1 and not found[-1].strip():
        found[-2:] = [found[-2] + found[-1]]
    return found if text.strip() else []


def _paragraphs(text: str) -> Iterator[str]:
    for found in _PARAGRAPH.finditer(text):
        paragraph = found[0]
        while len(paragraph) > MOST:
            ends = (max(paragraph.rfind(sign, MOST // 2, MOST) for sign in signs) + 1 for signs in _CUTS)
            end = next((one for one in ends if one), MOST)
            yield paragraph[:end]
            paragraph = paragraph[end:]
        yield paragraph
