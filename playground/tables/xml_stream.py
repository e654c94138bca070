"""XML of strangers as a stream of events: no document type, so no entities and nothing to fetch; texts are cut off.

Knows no format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO
from xml.parsers import expat

_CHUNK = 1 << 16


class BrokenXml(Exception):
    """What was read is no XML, or more than XML."""


def stream(
    file: IO[bytes],
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] = lambda name: None,
    text: Callable[[str], None] = lambda data: None,
) -> None:
    """Calls these as elements and texts come. Elements lose their namespaces; attributes keep theirs, as `uri}id`."""
    locals_: dict[str, str] = {}

    def local(name: str) -> str:
        found = locals_.get(name)
        if found is None:
            found = locals_[name] = name.rpartition("}")[2]
        return found

    def refuse(*_: object) -> None:
        raise BrokenXml("a document type")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, given: start(local(name), given)
    parser.EndElementHandler = lambda name: end(local(name))
    parser.CharacterDataHandler = text
    try:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise BrokenXml(str(error)) from None


class Collected:
    """A text that comes in pieces, of which no more is kept than one character beyond `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        if self._size <= self._most:
            self._pieces.append(piece[: self._most + 1 - self._size])
            self._size += len(piece)

    def take(self) -> str:
        """The text so far; the next begins empty."""
        found = "".join(self._pieces)
        self._pieces, self._size = [], 0
        return found


class RichText:
    """The text of an element with runs in it: what its `t` hold, without the readings that stand over it (`rPh`)."""

    def __init__(self, most: int) -> None:
        self._text = Collected(most)
        self._readings = 0
        self._within = False

    def start(self, name: str) -> None:
        if name == "rPh":
            self._readings += 1
        elif name == "t":
            self._within = not self._readings

    def end(self, name: str) -> None:
        if name == "rPh":
            self._readings -= 1
        elif name == "t":
            self._within = False

    def add(self, piece: str) -> None:
        if self._within:
            self._text.add(piece)

    def take(self) -> str:
        return self._text.take()
