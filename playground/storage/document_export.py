"""A draft as a file: Markdown, plain text, or DOCX, where each paragraph goes the way its text does.

The DOCX holds headings and paragraphs and nothing else: no macro, no link, no picture. Knows no page and no folder.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence

import docx
from docx.oxml import OxmlElement

from playground.storage.draft import Draft, readable

KINDS = ("md", "docx", "txt")
_RULE = 40  # characters of the line under a title in plain text, at most
_PARAGRAPHS = re.compile(r"\n\s*\n")
_MARKUP = re.compile(r"^(\s*)(#{1,6}(?=\s)|>|[-+*](?=\s)|\d+(?=[.)]\s)|={3,}|-{3,}|`{3})", re.MULTILINE)
_THUMBNAIL = "thumbnail"


def file_name(draft: Draft, kind: str) -> str:
    """The title with this ending; what a file's name cannot hold is left out."""
    name = re.sub(r"[^\w\- ]+", "", readable(draft.says("title"))).strip()[:60].strip()
    return f"{name or 'draft'}.{kind}"


def as_markdown(draft: Draft) -> str:
    """Headings are Markdown's; what the text holds is text, so that no line of it becomes a heading or markup."""
    title, byline = _title(draft), _byline(draft)
    parts = [f"# {_escaped(title)}" if title else "", f"*{_escaped(byline)}*" if byline else ""]
    for section in draft.sections:
        parts.append(f"## {_escaped(section.heading)}" if section.heading else "")
        parts.extend(_escaped(one).replace("\n", "  \n") for one in _paragraphs(section.text))
    return "\n\n".join(part for part in parts if part) + "\n"


def as_text(draft: Draft) -> str:
    """Plain text: the title underlined, headings on lines of their own, an empty line between paragraphs."""
    title, byline = _title(draft), _byline(draft)
    parts = [f"{title}\n{'=' * min(_RULE, len(title))}" if title else "", byline]
    for section in draft.sections:
        parts.append(f"\n{section.heading}" if section.heading else "")
        parts.extend(_paragraphs(section.text))
    return "\n\n".join(part for part in parts if part) + "\n"


def as_docx(draft: Draft) -> bytes:
    """A document of styled headings and paragraphs; a line break within a paragraph stays one."""
    document = docx.Document()
    _strip(document)
    title, byline = _title(draft), _byline(draft)
    document.core_properties.title = title[:255]
    document.core_properties.author = readable(draft.says("author"))[:255]
    if title:
        document.add_paragraph(title, style="Title")
    if byline:
        document.add_paragraph(byline, style="Subtitle")
    for section in draft.sections:
        if section.heading:
            document.add_heading(readable(section.heading), level=1)
        for one in _paragraphs(section.text):
            document.add_paragraph(one)
    for paragraph in document.paragraphs:
        if _runs_left(paragraph.text):
            paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
            for run in paragraph.runs:
                run.font.rtl = True
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _strip(document: docx.document.Document) -> None:
    """Takes away what python-docx's own template says about itself, and its picture of an empty page."""
    properties = document.core_properties
    properties.comments, properties.last_modified_by, properties.keywords = "", "", ""
    package = document.part.package
    for name in [name for name, relation in package.rels.items() if relation.reltype.endswith(_THUMBNAIL)]:
        del package.rels[name]


def _runs_left(text: str) -> bool:
    """Whether the first letter that has a direction is written from right to left (Unicode's bidi algorithm, P2)."""
    ways = (unicodedata.bidirectional(sign) for sign in text)
    return next((way for way in ways if way in ("L", "R", "AL")), "L") != "L"


def _title(draft: Draft) -> str:
    return readable(draft.says("title"))


def _byline(draft: Draft) -> str:
    return " · ".join(readable(draft.says(name)) for name in ("author", "date") if draft.says(name))


def _paragraphs(text: str) -> Sequence[str]:
    return [one.strip() for one in _PARAGRAPHS.split(readable(text)) if one.strip()]


def _escaped(text: str) -> str:
    """Text that Markdown shows as it stands: no tag, no link, no emphasis, no beginning of a heading or a list."""
    text = re.sub(r"([\\`*_\[\]<])", r"\\\1", readable(text))
    return _MARKUP.sub(lambda found: f"{found[1]}{_before(found[2])}", text)


def _before(mark: str) -> str:
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"
