"""From a file's bytes to its text: by its mark, as UTF-8 or as UTF-16; what else it may be is asked, never guessed."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping

from playground.tables.table import Choice, NeedsChoice, wrong
from playground.types import InvalidRequest, Text

ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
    "gb18030": "gb18030", "big5": "big5hkscs", "shift-jis": "cp932", "euc-jp": "euc_jp", "euc-kr": "cp949",
    "windows-1250": "cp1250", "windows-1251": "cp1251", "windows-1252": "cp1252", "windows-1253": "cp1253",
    "windows-1254": "cp1254", "windows-1255": "cp1255", "windows-1256": "cp1256", "koi8-r": "koi8_r",
    "iso-8859-1": "latin_1", "iso-8859-2": "iso8859_2", "iso-8859-15": "iso8859_15",
    "cp437": "cp437", "cp850": "cp850", "mac-roman": "mac_roman",
}  # fmt: skip
"""What may be said of a file, with Python's name for it."""

_OFFERED = ("gb18030", "windows-1252", "windows-1251", "shift-jis", "big5", "euc-kr", "windows-1250")
_MARKS = (  # the longer ones first: the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
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
        return data.decode(marked, "surrogateescape" if marked == "utf-8-sig" else "replace")
    if b"\0" in data:
        return _without_mark(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = data.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= sign <= "\udcff" for sign in text)
    if broken <= _BROKEN * sum(sign > "\x7f" and not "\udc80" <= sign <= "\udcff" for sign in text):
        return text
    raise _question(data, line)


def _as_said(data: bytes, encoding: str) -> str:
    known = ENCODINGS.get(encoding.strip().lower().replace("_", "-"))
    if known is None:
        wrong(
            f"encoding: {encoding[:_SAMPLE]!r} is not known.",
            f"encoding：不支持 {encoding[:_SAMPLE]!r}。",
            Text(f"Known are {', '.join(ENCODINGS)}.", f"支持的有 {'、'.join(ENCODINGS)}。"),
        )
    try:
        return data.decode(known).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong(
            f"Line {line} is not {encoding} text.",
            f"第 {line} 行不是 {encoding} 文本。",
            Text("Choose another encoding.", "请换一种编码。"),
        )


def _without_mark(data: bytes) -> str:
    """UTF-16 of either byte order. In the wrong order each line break is a character that there is not."""
    found = []
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        odd = sum(map(_is_odd, text))
        if odd <= _WIDE * len(text) and any(sign in text for sign in ",;\t\r\n"):
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
