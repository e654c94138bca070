"""From a file's bytes to its text: by its mark, as UTF-8 or as UTF-16; what else it may be is asked, never guessed."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping

from playground.tables.table import Choice, NeedsChoice, wrong
from playground.types import InvalidRequest, Text

ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be", "utf-32": "utf-32",
    "gb18030": "gb18030", "big5": "big5hkscs", "shift-jis": "cp932", "euc-jp": "euc_jp", "euc-kr": "cp949",
    "windows-1250": "cp1250", "windows-1251": "cp1251", "windows-1252": "cp1252", "windows-1253": "cp1253",
    "windows-1254": "cp1254", "windows-1255": "cp1255", "windows-1256": "cp1256", "koi8-r": "koi8_r",
    "iso-8859-1": "latin_1", "iso-8859-2": "iso8859_2", "iso-8859-15": "iso8859_15",
    "cp437": "cp437", "cp850": "cp850", "mac-roman": "mac_roman",
}  # fmt: skip
"""What may be said of a file, with Python's name for it."""

_BESIDES = {
    "ascii": "utf-8",
    "cp950": "big5hkscs",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""Encodings that another on offer holds whole, both by Python's name."""
_MARK_BROKEN = "playground_mark_broken"  # what decoding does with what is no character of UTF-16 or UTF-32
_OFFERED = ("gb18030", "windows-1252", "windows-1251", "shift-jis", "big5", "euc-kr", "windows-1250")
_MARKS = (  # the longer ones first: the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SIGNS = ',;\t\n"'  # what divides cells and rows
_ALONE = re.compile(rb'(?<!\0)[,;\t\n"](?!\0)')
_SAMPLE = 40  # characters of a line that shows what an encoding would make of a file
_ODD = frozenset(("Cn", "Co", "Cs"))  # of a character: unassigned, private, half of one
_WIDE = 0.02  # the share of odd characters that a text in UTF-16 may have
_BROKEN = 0.2  # bytes that are not UTF-8, for each character beyond ASCII that is, in a file that is meant as UTF-8


def decoded(data: bytes, encoding: str = "") -> str:
    """The text of a file; single bytes that are no text are left as lone surrogates, so that only their rows suffer.

    Raises NeedsChoice where it is not UTF-8 and says nothing of itself, and InvalidRequest where it is no text at all.
    """
    if encoding:
        return _as_said(data, encoding)
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        return _row_by_row(data, marked)
    if b"\0" in data:
        return _with_zeros(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = _row_by_row(data, "utf-8")
    if _is_meant(text):
        return text
    raise _question(data, line)


def _row_by_row(data: bytes, encoding: str) -> str:
    """The text in UTF-8, UTF-16 or UTF-32, with a lone surrogate for whatever is none."""
    return data.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else _MARK_BROKEN)


codecs.register_error(_MARK_BROKEN, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def _is_meant(text: str) -> bool:
    """Whether so much beyond ASCII is UTF-8 that the rest must be broken."""
    broken = sum("\udc80" <= sign <= "\udcff" for sign in text)
    return broken <= _BROKEN * sum(sign > "\x7f" and not "\udc80" <= sign <= "\udcff" for sign in text)


def _as_said(data: bytes, encoding: str) -> str:
    known = _known(encoding)
    if known is None:
        wrong(
            f"encoding: {encoding[:_SAMPLE]!r} is not known.",
            f"encoding：不支持 {encoding[:_SAMPLE]!r}。",
            Text(f"Known are {', '.join(ENCODINGS)}.", f"支持的有 {'、'.join(ENCODINGS)}。"),
        )
    try:
        if known.startswith("utf"):
            return _row_by_row(data, known).removeprefix("\ufeff")
        return data.decode(known).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong(
            f"Line {line} is not {encoding} text.",
            f"第 {line} 行不是 {encoding} 文本。",
            Text("Choose another encoding.", "请换一种编码。"),
        )


def _known(encoding: str) -> str | None:
    """Python's name of what is meant by any usual name of an encoding on offer; None of others."""
    name = re.sub(r"[\s_]+", "-", encoding.strip().lower()).removeprefix("x-")
    if name in ENCODINGS:
        return ENCODINGS[name]
    offered = {codecs.lookup(one).name: one for one in ENCODINGS.values()} | _BESIDES
    number = re.fullmatch(r"(?:windows|cp|ms|ibm)-?(\d{3,5})", name)
    for one in (name, name.replace("-", ""), *([f"cp{number[1]}"] if number else [])):
        try:
            found = codecs.lookup(one).name
        except (LookupError, ValueError):
            continue
        if found.removesuffix("-sig") in offered:
            return offered[found.removesuffix("-sig")]
    return None


def _with_zeros(data: bytes) -> str:
    """UTF-8 with zero bytes in single cells, or UTF-16: there every sign that divides cells has a zero beside it."""
    text = _row_by_row(data, "utf-8")
    alone = len(_ALONE.findall(data))
    wide = max(sum(map(_row_by_row(data, name).count, _SIGNS)) for name in ("utf-16-le", "utf-16-be"))
    return text if alone > wide and _is_meant(text) else _without_mark(data)


def _without_mark(data: bytes) -> str:
    """UTF-16 of either byte order. In the wrong order each line break is a character that there is not."""
    found = []
    for name in ("utf-16-le", "utf-16-be"):
        text = _row_by_row(data, name)
        odd = sum(map(_is_odd, text))
        if odd <= max(1, _WIDE * len(text)) and any(sign in text for sign in ",;\t\r\n"):
            found.append((odd, text))
    if not found:
        wrong(
            "The file is no text: it holds bytes that stand for nothing.",
            "该文件不是文本：其中含有不表示任何字符的字节。",
            Text("Save the table as CSV in UTF-8, or as XLSX.", "请把表格另存为 UTF-8 编码的 CSV 或 XLSX。"),
        )
    return min(found, key=lambda one: one[0])[1]


def _is_odd(sign: str) -> bool:
    return (sign < " " and sign not in "\t\r\n") or unicodedata.category(sign) in _ODD


def _question(data: bytes, line: int) -> InvalidRequest:
    """What the file looks like in each of the encodings that it may have, the likeliest first."""
    message = Text(
        f"Line {line} is not UTF-8 text, and nothing in the file says which encoding it has.",
        f"第 {line} 行不是 UTF-8 文本，文件也没有说明使用了哪种编码。",
    )
    raw = next(one for one in data.splitlines() if not one.isascii())
    choices = []
    for name in _OFFERED:
        try:
            data.decode(ENCODINGS[name])
        except UnicodeDecodeError:
            continue
        shown = _excerpt(raw.decode(ENCODINGS[name], "replace"))
        choices.append(Choice(name, Text(f"{name}: {shown}", f"{name}：{shown}")))
    if not choices:
        return InvalidRequest(message, Text("Save the file as UTF-8.", "请把文件另存为 UTF-8。"), parameter="file")
    if not _in_pairs(data):
        choices.sort(key=lambda one: one.value == "gb18030")
    return NeedsChoice(message, "encoding", choices)


def _excerpt(line: str) -> str:
    """The part of a line around its first character beyond ASCII."""
    first = next(at for at, sign in enumerate(line) if sign > "\x7f")
    begin = max(0, first - _SAMPLE // 2)
    return line[begin : begin + _SAMPLE].strip()


def _in_pairs(data: bytes) -> bool:
    """Whether bytes beyond ASCII stand two and two, as those of a common Chinese text do."""
    try:
        data.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True
