"""An XLSX file's parts: its sheets, the strings that they share, and the formats of their numbers.

After ECMA-376, part 1. Knows nothing of rows.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO

from playground.amounts import bytes_text
from playground.tables.number_formats import BUILT_IN
from playground.tables.table import wrong
from playground.tables.xml_stream import BrokenXml, RichText, stream
from playground.types import Text

_UNPACKED = 20  # a file may unpack to so many times the size that it may have
_YES = ("1", "true", "on")
_BROKEN = (
    zipfile.BadZipFile, zlib.error, BrokenXml, KeyError, IndexError, ValueError, StopIteration, EOFError,
)  # fmt: skip
_SAVE_AGAIN = Text("Save it again, or as CSV.", "请重新保存，或另存为 CSV。")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet with cells; `part` is its place in the file."""

    name: str
    part: str
    hidden: bool


class Workbook:
    """The file opened: what it says of itself is read at once, strings and formats once somebody asks.

    What is packed says its size before it is unpacked, and zipfile reads no more of it than that. Raises InvalidRequest
    where that size is more than `_UNPACKED` times `most_bytes`.
    """

    def __init__(self, file: IO[bytes], most_bytes: int, most_characters: int) -> None:
        self._zip = zipfile.ZipFile(file)
        self._most = most_characters
        if sum(part.file_size for part in self._zip.infolist()) > _UNPACKED * most_bytes:
            wrong(
                f"The sheet unpacks to more than {bytes_text(_UNPACKED * most_bytes)}.",
                f"该表格解压后超过 {bytes_text(_UNPACKED * most_bytes)}。",
                Text("Save what is needed as CSV.", "请把需要的部分另存为 CSV。"),
            )
        self.since_1904 = False
        self.recalculates = False
        """Whether formulas are to be calculated when the file is opened, so that a saved 0 may stand for nothing."""
        self.sheets: list[Sheet] = []
        main = next(part for kind, part, _ in self._related("") if kind == "officeDocument")
        self._targets = {id: (kind, part) for kind, part, id in self._related(main)}
        self._read(main, self._about)

    def _about(self, name: str, given: Mapping[str, str]) -> None:
        match name:
            case "workbookPr":
                self.since_1904 = given.get("date1904", "") in _YES
            case "calcPr":
                self.recalculates = given.get("fullCalcOnLoad", "") in _YES
            case "sheet":
                id = next((value for key, value in given.items() if key.endswith("}id")), "")
                kind, part = self._targets.get(id, ("", ""))
                if kind == "worksheet" and part in self._zip.NameToInfo:
                    self.sheets.append(Sheet(given.get("name", ""), part, given.get("state", "visible") != "visible"))

    @contextmanager
    def opened(self, part: str) -> Iterator[IO[bytes]]:
        with self._zip.open(part) as file:
            yield file

    @cached_property
    def strings(self) -> list[str]:
        """The strings that cells name by number; each ends one character beyond what a cell may have."""
        found: list[str] = []
        text = RichText(self._most)

        def end(name: str) -> None:
            text.end(name)
            if name == "si":
                found.append(text.take())

        part = self._part("sharedStrings")
        if part is not None:
            with self.opened(part) as file:
                stream(file, lambda name, _: text.start(name), end, text.add)
        return found

    @cached_property
    def formats(self) -> list[str]:
        """The format of numbers by the number of a cell's style."""
        own: dict[str, str] = {}
        found: list[str] = []
        within = ""

        def start(name: str, given: Mapping[str, str]) -> None:
            nonlocal within
            if name == "numFmt":
                own[given.get("numFmtId", "")] = given.get("formatCode", "")
            elif name in ("cellXfs", "cellStyleXfs", "dxfs"):
                within = name
            elif name == "xf" and within == "cellXfs":
                number = given.get("numFmtId", "0")
                known = BUILT_IN.get(int(number), "") if number.isdecimal() and len(number) < 5 else ""
                found.append(own.get(number, known))

        part = self._part("styles")
        if part is not None:
            self._read(part, start)
        return found

    def _part(self, kind: str) -> str | None:
        return next(
            (part for one, part in self._targets.values() if one == kind and part in self._zip.NameToInfo), None
        )

    def _related(self, part: str) -> list[tuple[str, str, str]]:
        """What a part names as belonging to it: the kind, the place in the file and the id of each."""
        folder, name = posixpath.split(part)
        found: list[tuple[str, str, str]] = []

        def start(name: str, given: Mapping[str, str]) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                place = posixpath.normpath(posixpath.join("/", folder, given.get("Target", ""))).lstrip("/")
                found.append((given.get("Type", "").rpartition("/")[2], place, given.get("Id", "")))

        self._read(posixpath.join(folder, "_rels", f"{name}.rels"), start)
        return found

    def _read(self, part: str, start: Callable[[str, Mapping[str, str]], None]) -> None:
        with self.opened(part) as file:
            stream(file, start)


@contextmanager
def explained() -> Iterator[None]:
    """Turns every error that shows a file to be no XLSX, broken or encrypted into InvalidRequest."""
    try:
        yield
    except RuntimeError as error:  # zipfile's word for a part that is encrypted
        if "encrypt" not in str(error) and "password" not in str(error):
            if isinstance(error, NotImplementedError):  # a way of packing that zipfile does not know
                wrong("The file is no valid XLSX.", "该文件不是有效的 XLSX。", _SAVE_AGAIN)
            raise
        wrong(
            "The file is protected with a password.", "该文件设有密码。", Text("Save it without.", "请取消密码后保存。")
        )
    except _BROKEN:
        wrong("The file is no valid XLSX.", "该文件不是有效的 XLSX。", _SAVE_AGAIN)
