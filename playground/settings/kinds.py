"""The kinds of values that a setting may have: how one is read from a flag or a variable, and how it is written there.

Knows no setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from playground.types import Text

T = TypeVar("T")

MOST = 10**15  # of any number: beyond that databases and queues lose count
MOST_BYTES = 2**60
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_WRITTEN = ("GiB", "GB", "MiB", "MB", "KiB", "KB", "B")
_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?", re.IGNORECASE)


class NotAllowed(ValueError):
    """A text that is no value of its kind. `allowed` is a noun phrase: "a whole number from 1 on"."""

    def __init__(self, allowed: Text) -> None:
        super().__init__(allowed.en)
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What a setting's values are. `many`: the flag may be repeated, and a variable separates by commas."""

    many: ClassVar[bool] = False
    switch: ClassVar[bool] = False

    def read(self, text: str) -> T:
        """The value of a text that is not empty. Raises NotAllowed."""
        raise NotImplementedError

    def show(self, value: T) -> str:
        """The value as `read` takes it."""
        return str(value)

    @property
    def allowed(self) -> Text:
        """What `read` takes, as a noun phrase."""
        raise NotImplementedError

    @property
    def metavar(self) -> str:
        """What stands for the value in the help."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class TextKind(Kind[str]):
    """Any text: a name, a folder. Opening it shows whether it is a good one."""

    placeholder: str = "TEXT"

    def read(self, text: str) -> str:
        return text

    @property
    def allowed(self) -> Text:
        return Text("a text", "文本")

    @property
    def metavar(self) -> str:
        return self.placeholder


@dataclass(frozen=True, slots=True)
class SwitchKind(Kind[bool]):
    """On or off. The flag alone means on."""

    switch: ClassVar[bool] = True
    _words: ClassVar[Mapping[str, bool]] = {
        "true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False,
    }  # fmt: skip

    def read(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in self._words:
            raise NotAllowed(self.allowed)
        return self._words[word]

    def show(self, value: bool) -> str:
        return "true" if value else "false"

    @property
    def allowed(self) -> Text:
        return Text("true or false", "true 或 false")

    @property
    def metavar(self) -> str:
        return "true|false"


@dataclass(frozen=True, slots=True)
class ChoiceKind(Kind[T]):
    """One of a few words."""

    choices: tuple[T, ...]

    def read(self, text: str) -> T:
        for choice in self.choices:
            if choice == text.strip():
                return choice
        raise NotAllowed(self.allowed)

    @property
    def allowed(self) -> Text:
        words = [str(choice) for choice in self.choices]
        return Text(f"one of {', '.join(words)}", f"以下之一：{'、'.join(words)}")

    @property
    def metavar(self) -> str:
        return "|".join(str(choice) for choice in self.choices)


@dataclass(frozen=True, slots=True)
class WholeKind(Kind[int]):
    """A whole number from `low` to `high`, both included."""

    low: int = 1
    high: int | None = None
    unit: str = "N"

    def read(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:  # also for thousands of digits
            raise NotAllowed(self.allowed) from None
        if self.high is None and number > MOST:
            raise NotAllowed(WholeKind(self.low, MOST).allowed)
        if number < self.low or (self.high is not None and number > self.high):
            raise NotAllowed(self.allowed)
        return number

    @property
    def allowed(self) -> Text:
        if self.high is None:
            return Text(f"a whole number from {self.low} on", f"不小于 {self.low} 的整数")
        return Text(f"a whole number from {self.low} to {self.high}", f"{self.low} 到 {self.high} 之间的整数")

    @property
    def metavar(self) -> str:
        return self.unit


@dataclass(frozen=True, slots=True)
class SecondsKind(Kind[float]):
    """A number of seconds from `low` on."""

    low: float = 0.0

    def read(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise NotAllowed(self.allowed) from None
        if not self.low <= number <= MOST:  # neither is NaN
            raise NotAllowed(self.allowed)
        return number

    def show(self, value: float) -> str:
        return f"{value:g}"

    @property
    def allowed(self) -> Text:
        return Text(f"a number of seconds from {self.low:g} on", f"不小于 {self.low:g} 的秒数")

    @property
    def metavar(self) -> str:
        return "SECONDS"


@dataclass(frozen=True, slots=True)
class ShareKind(Kind[float]):
    """A number from 0 to 1, both included."""

    def read(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise NotAllowed(self.allowed) from None
        if not 0 <= number <= 1:  # neither is NaN
            raise NotAllowed(self.allowed)
        return number

    def show(self, value: float) -> str:
        return f"{value:g}"

    @property
    def allowed(self) -> Text:
        return Text("a number from 0 to 1", "0 到 1 之间的数")

    @property
    def metavar(self) -> str:
        return "0..1"


@dataclass(frozen=True, slots=True)
class SizeKind(Kind[int]):
    """A number of bytes from `low` on, written like 8GiB, 150MB or 1024."""

    low: int = 0
    example: str = "2GiB"

    def read(self, text: str) -> int:
        size = parse_bytes(text)
        if not self.low <= size <= MOST_BYTES:
            raise NotAllowed(self.allowed)
        return size

    def show(self, value: int) -> str:
        fits = (unit for unit in _WRITTEN if value and value % _UNITS[unit.upper()] == 0)
        best = min(fits, key=lambda unit: value // _UNITS[unit.upper()], default="")
        return f"{value // _UNITS[best.upper()]}{best}"

    @property
    def allowed(self) -> Text:
        least = self.show(self.low)
        span = Text(f" from {least} on,", f"不小于 {least} 的") if self.low > 1 else Text("", "")
        return Text(f"a size{span.en} like 8GiB or 500MB", f"{span.zh}大小，例如 8GiB 或 500MB")

    @property
    def metavar(self) -> str:
        return self.example


@dataclass(frozen=True, slots=True)
class MemoryKind(Kind[dict[str | int, int]]):
    """Bytes of each device, written like cpu=8GiB,0=20GiB: "cpu" or the number of a GPU."""

    def read(self, text: str) -> dict[str | int, int]:
        try:
            return parse_max_memory(text) or {}
        except NotAllowed:
            raise NotAllowed(self.allowed) from None

    def show(self, value: Mapping[str | int, int]) -> str:
        return ",".join(f"{device}={SizeKind().show(size)}" for device, size in value.items())

    @property
    def allowed(self) -> Text:
        return Text(
            "a size for cpu or the number of a GPU, like cpu=8GiB,0=20GiB",
            "cpu 或显卡编号及其大小，例如 cpu=8GiB,0=20GiB",
        )

    @property
    def metavar(self) -> str:
        return "cpu=8GiB,0=20GiB"


@dataclass(frozen=True, slots=True)
class HostNamesKind(Kind[tuple[str, ...]]):
    """Names of hosts as browsers send them, without a port; a whole address is read too."""

    many: ClassVar[bool] = True

    def read(self, text: str) -> tuple[str, ...]:
        return tuple(self._name(part) for part in text.split(","))

    def show(self, value: tuple[str, ...]) -> str:
        return ",".join(value)

    def _name(self, given: str) -> str:
        name = given.strip().lower().rpartition("://")[2].partition("/")[0].rpartition("@")[2].rstrip(".")
        name = re.sub(r":\d+$", "", name) if name.count(":") == 1 else name.strip("[]")
        if not re.fullmatch(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+", name):
            raise NotAllowed(self.allowed)
        return name

    @property
    def allowed(self) -> Text:
        return Text("a name like play.example.org", "主机名，例如 play.example.org")

    @property
    def metavar(self) -> str:
        return "NAME"


@dataclass(frozen=True, slots=True)
class AddressesKind(Kind[tuple[str, ...]]):
    """Addresses of engines."""

    many: ClassVar[bool] = True

    def read(self, text: str) -> tuple[str, ...]:
        found = tuple(part.strip() for part in text.split(","))
        if not all(is_address(one) for one in found):
            raise NotAllowed(self.allowed)
        return found

    def show(self, value: tuple[str, ...]) -> str:
        return ",".join(value)

    @property
    def allowed(self) -> Text:
        return Text("a URL like http://127.0.0.1:8080", "网址，例如 http://127.0.0.1:8080")

    @property
    def metavar(self) -> str:
        return "URL"


def is_address(text: str) -> bool:
    """Whether this is written as the address of an engine is. Opening it shows whether it is a good one."""
    return _ADDRESS.fullmatch(text) is not None


def parse_bytes(text: str) -> int:
    """`8GiB`, `150MB` or a plain number of bytes, as accelerate's max_memory means them. Raises NotAllowed."""
    match = re.fullmatch(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([A-Za-z]*)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise NotAllowed(SizeKind().allowed)
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_max_memory(text: str | None) -> dict[str | int, int] | None:
    """`cpu=8GiB,0=20GiB` as {"cpu": 8589934592, 0: 21474836480}; None for nothing. Raises NotAllowed."""
    if not text:
        return None
    budget: dict[str | int, int] = {}
    for part in text.split(","):
        device, _, size = (piece.strip() for piece in part.partition("="))
        if not re.fullmatch(r"cpu|[0-9]{1,4}", device):
            raise NotAllowed(MemoryKind().allowed)
        budget[device if device == "cpu" else int(device)] = SizeKind().read(size)
    return budget
