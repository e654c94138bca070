"""XLSX files written part by part, so that a test says exactly what stands in them, however odd."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def text(place: str, written: str) -> str:
    """A cell with its own string."""
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(written)}</t></is></c>'


def number(place: str, value: str, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def row(place: int | str, *cells: str) -> str:
    return f'<row r="{place}">{"".join(cells)}</row>'


HEAD = row(1, text("A1", "product"), text("B1", "note"))


def workbook(
    *rows: str,
    strings: str = "",
    formats: Sequence[str | int] = (),
    sheets: Mapping[str, str] | None = None,
    about: str = "",
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """A file with these rows on every sheet of `sheets`, which maps names to states; one visible sheet by itself.

    `strings` are the shared ones as XML, `formats` those of the styles 1, 2, … (a number is built in), `about` stands
    in the workbook before its sheets, `more` are parts that replace others.
    """
    states = sheets or {"Sheet": "visible"}
    names = "".join(
        f'<sheet name="{name}" sheetId="{at}" state="{state}" r:id="r{at}"/>'
        for at, (name, state) in enumerate(states.items(), start=1)
    )
    links = "".join(
        f'<Relationship Id="r{at}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(states) + 1)
    )
    links += f'<Relationship Id="s" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
    links += f'<Relationship Id="f" Type="{RELATIONS}/styles" Target="styles.xml"/>'
    first = f'<Relationship Id="w" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
    own = "".join(
        f'<numFmt numFmtId="{200 + at}" formatCode={quoteattr(one)}/>'
        for at, one in enumerate(formats)
        if isinstance(one, str)
    )
    styles = "".join(
        f'<xf numFmtId="{one if isinstance(one, int) else 200 + at}"/>'
        for at, one in enumerate(("General", *formats), -1)
    )
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}">{first}</Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{about}<sheets>{names}</sheets></workbook>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>',
    } | {f"xl/worksheets/sheet{at}.xml": sheet(*rows) for at in range(1, len(states) + 1)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in ({name: one.encode() for name, one in parts.items()} | dict(more or {})).items():
            file.writestr(name, data)
    return packed.getvalue()


def sheet(*rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
