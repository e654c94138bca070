"""A draft as a file: it opens again, holds every word, and nothing but text and headings."""

from __future__ import annotations

import io
import zipfile

import docx
from docx.oxml.ns import qn

from playground.storage.document_export import as_docx, as_markdown, as_text, file_name
from playground.storage.draft import Draft, Section

HOSTILE = "<script>alert(1)</script> # not a heading {{x}} & \x00\x0b\ud800[link](http://a.b) *bold*"
DRAFT = Draft(
    "en",
    {"title": "The Keeper <b>", "author": "A. Bird", "date": "May 2026", "plan": "a secret"},
    (
        Section(1, "灯塔", "第一段。\n第二行。\n\n第二段。"),
        Section(2, "", f"{HOSTILE}\n\n# line\n1. one\n- two\n\x0cThe end."),
        Section(5, "Dawn", "Light."),
    ),
)


def test_a_docx_opens_again_with_headings_and_paragraphs() -> None:
    document = docx.Document(io.BytesIO(as_docx(DRAFT)))
    told = [(one.style.name, one.text) for one in document.paragraphs if one.style is not None]
    assert told[:2] == [("Title", "The Keeper <b>"), ("Subtitle", "A. Bird · May 2026")]
    assert told[2:5] == [("Heading 1", "灯塔"), ("Normal", "第一段。\n第二行。"), ("Normal", "第二段。")]
    assert told[5][1] == HOSTILE.replace("\x00\x0b\ud800", "")
    assert told[6:] == [("Normal", "# line\n1. one\n- two\nThe end."), ("Heading 1", "Dawn"), ("Normal", "Light.")]
    assert (document.core_properties.title, document.core_properties.author) == ("The Keeper <b>", "A. Bird")


def test_a_paragraph_of_a_docx_goes_the_way_its_text_does() -> None:
    draft = Draft("en", {"title": "12: שלום World"}, (Section(1, "Dawn", "«قهوة» Blue.\n\nIn English, with שלום."),))
    paragraphs = docx.Document(io.BytesIO(as_docx(draft))).paragraphs
    ways = [(one._p.pPr is not None and one._p.pPr.find(qn("w:bidi")) is not None) for one in paragraphs]
    assert ways == [True, False, True, False]
    assert [run.font.rtl for one in paragraphs for run in one.runs] == [True, None, True, None]


def test_a_docx_holds_nothing_but_text_and_headings() -> None:
    with zipfile.ZipFile(io.BytesIO(as_docx(DRAFT))) as file:
        names = file.namelist()
        everything = b"".join(file.read(name) for name in names)
    assert not [name for name in names if "thumbnail" in name or "media" in name or "vba" in name.lower()]
    assert b"python-docx" not in everything and b"a secret" not in everything and b"TargetMode" not in everything


def test_markdown_shows_the_text_as_it_stands() -> None:
    markdown = as_markdown(DRAFT)
    assert markdown.startswith("# The Keeper \\<b>\n\n*A. Bird · May 2026*\n\n## 灯塔\n\n第一段。  \n第二行。\n\n")
    assert "\\<script>" in markdown and "\\[link\\](http" in markdown and "\\*bold\\*" in markdown
    assert "\n\\# line  \n1\\. one  \n\\- two" in markdown and markdown.endswith("\n\n## Dawn\n\nLight.\n")
    assert not set(markdown) & set("\x00\x0b\x0c\ud800")


def test_plain_text_is_plain() -> None:
    text = as_text(DRAFT)
    assert text.startswith("The Keeper <b>\n==============\n\nA. Bird · May 2026\n\n\n灯塔\n\n第一段。\n第二行。\n\n")
    assert text.endswith("\n\n\nDawn\n\nLight.\n") and "\x00" not in text


def test_an_empty_head_leaves_no_gap() -> None:
    bare = Draft("en", {}, (Section(1, "", "Only this."),))
    assert as_markdown(bare) == as_text(bare) == "Only this.\n"
    assert [one.text for one in docx.Document(io.BytesIO(as_docx(bare))).paragraphs] == ["Only this."]


def test_a_file_s_name_is_the_title_and_leads_nowhere_else() -> None:
    assert file_name(DRAFT, "md") == "The Keeper b.md"
    assert file_name(Draft("zh", {"title": "../守灯人/…\\"}), "docx") == "守灯人.docx"
    assert file_name(Draft("en", {"title": "???"}), "txt") == "draft.txt"
