"""One setting as a record that its attribute carries: what flags, variables, help and docs/settings.md say of it.

Knows no particular setting.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from playground.settings.kinds import Kind, NotAllowed
from playground.types import PlaygroundError, Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

APP = "app.py"
_PREFIX = "PLAYGROUND_"
_KEY = "setting"  # in a field's metadata
_LONGEST = 60  # characters of a value in a sentence

GROUPS: Mapping[str, Text] = {
    "model": Text("Model", "模型"),
    "engines": Text("Engines", "引擎"),
    "address": Text("Address", "地址"),
    "access": Text("Access", "访问"),
    "engine": Text("Paths and memory", "路径与内存"),
    "storage": Text("Storage", "存储"),
    "limits": Text("Limits", "限制"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One setting. `records` fills `name` from the attribute, and from it `flag` and `variable` where they are empty.

    `flag` or `variable` is None where there is none. `public` is the default on a page that other people can reach,
    where it is another one. `unset` says in words what an empty default means. `programs` are app.py and the commands
    of `python -m playground` that take it. `needs` names the setting without which this one has no effect. A `secret`
    is never shown.
    """

    kind: Kind[T]
    group: str
    help: Text
    default: T | None = None
    public: T | None = None
    name: str = ""
    flag: str | None = ""
    variable: str | None = ""
    unset: Text | None = None
    programs: tuple[str, ...] = (APP,)
    needs: str | None = None
    secret: bool = False

    def value(self) -> T:
        """A dataclass's attribute that always has a value, and this record as metadata."""
        if self.default is None:
            raise TypeError("a setting without a default is optional")
        found: T = self._attribute()
        return found

    def optional(self) -> T | None:
        """A dataclass's attribute that is None where none is given, and this record as metadata."""
        found: T | None = self._attribute()
        return found

    def _attribute(self) -> Any:
        return dataclasses.field(default=self.default, repr=not self.secret, metadata={_KEY: self})

    @property
    def plain_name(self) -> str:
        """Its name in sentences: the flag without its dashes."""
        return (self.flag or self.name).lstrip("-")

    @property
    def key(self) -> str:
        """Under this name argparse keeps what was given."""
        return self.plain_name.replace("-", "_")

    def read(self, text: str, variable: str | None = None) -> T:
        """The value of what the flag says, or that variable. Raises PlaygroundError, one sentence."""
        try:
            return self.kind.read(text)
        except NotAllowed as error:
            name, shown = self.plain_name, self._shown(text)
            raise PlaygroundError(
                Text(f"{name} is {shown}, not {error.allowed.en}.", f"{name} 为 {shown}，应为{error.allowed.zh}。"),
                None if variable is None else Text(f"Change {variable}.", f"请修改 {variable}。"),
            ) from None

    def default_text(self, default: T | None) -> Text:
        """A default in words."""
        if self.unset is not None and not default:
            return self.unset
        shown = "" if default is None else self.kind.show(default)
        return Text(shown, shown)

    def _shown(self, text: str) -> str:
        if self.secret:
            return "***"
        short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        return short if short.isprintable() and " " not in short else repr(short)


def records(settings: type[DataclassInstance] | DataclassInstance) -> tuple[Setting[Any], ...]:
    """The settings of a dataclass, in its order; an attribute without a record is not the owner's to choose."""
    return tuple(_named(one.name, one.metadata[_KEY]) for one in dataclasses.fields(settings) if _KEY in one.metadata)


def _named(name: str, record: Setting[Any]) -> Setting[Any]:
    flag = "--" + name.replace("_", "-") if record.flag == "" else record.flag
    variable = _PREFIX + (flag or name).lstrip("-").replace("-", "_").upper()
    return dataclasses.replace(
        record,
        name=name,
        flag=flag,
        variable=variable if record.variable == "" else record.variable,
        public=record.default if record.public is None else record.public,
    )
