"""A terminal of any encoding: what it cannot show is replaced and never fails, and JSON is ASCII where it is not UTF-8.

Knows no command.
"""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from playground.types import InvalidRequest, Text

_HANDLER = "playground_plain"
_PLAIN = {
    "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "−": "-", "–": "-", "—": "--", "×": "x", "·": "*",
    "…": "...", "∞": "inf", "‘": "'", "’": "'", "“": '"', "”": '"', "≠": "!=", "≈": "~", "\u00a0": " ", "\u202f": " ",
}  # fmt: skip
"""Signs of our own sentences for a terminal that has not got them."""


def prepare() -> None:
    """Whatever is printed from here on is written: with plainer signs, or as `\\u4f60`, where it must be."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream that somebody put in its place may have none
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def arguments(argv: Sequence[str] | None) -> list[str]:
    """The words of a command; one that the locale's encoding could not read is read again as UTF-8, if it is that."""
    return [_read_again(word) for word in (sys.argv[1:] if argv is None else argv)]


def _read_again(word: str) -> str:
    try:
        return word if word.isascii() else word.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        return word


def name_files(given: argparse.Namespace, names: Sequence[str]) -> None:
    """Gives the arguments that name files the form in which the system's encoding can say them."""
    for name in names:
        said = getattr(given, name, None)
        if isinstance(said, str):
            setattr(given, name, _system_name(said))


def _system_name(name: str) -> str:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return os.fsdecode(name.encode("utf-8", "surrogatepass"))
    return name


def print_json(value: Any) -> None:
    """One line of JSON, in escapes where the terminal is not UTF-8, so that nothing of it is lost."""
    print(json.dumps(value, ensure_ascii=not _is_utf8(sys.stdout)))


def read_input() -> str:
    """All of standard input, as UTF-8 or else in the terminal's encoding. Raises InvalidRequest where it is neither."""
    bytes_in = getattr(sys.stdin, "buffer", None)
    if bytes_in is None:  # somebody put a stream of texts in its place
        return sys.stdin.read()
    data = bytes_in.read()
    for encoding in ("utf-8-sig", sys.stdin.encoding):
        try:
            return data.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise InvalidRequest(
        Text(
            f"Standard input is neither UTF-8 nor {sys.stdin.encoding} text.",
            f"标准输入既不是 UTF-8 文本，也不是 {sys.stdin.encoding} 文本。",
        ),
        Text("Convert it to UTF-8.", "请转换为 UTF-8。"),
        parameter="prompt",
    )


def _is_utf8(stream: TextIO) -> bool:
    try:
        return codecs.lookup(stream.encoding).name == "utf-8"
    except (LookupError, TypeError):  # it says none
        return False


def _plainer(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode("ascii") for sign in signs)
    return plain, error.end


codecs.register_error(_HANDLER, _plainer)
