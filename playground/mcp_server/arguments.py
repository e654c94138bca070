"""Reads the arguments of a call, which may be anything, by hand: each mistake is one sentence that names it.

Knows no tool.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from playground.mcp_server.mcp_texts import DID_YOU_MEAN, KINDS, MISSING, NO_ARGUMENT, THERE_ARE, WRONG_KIND
from playground.types import LANGUAGES, InvalidRequest, Language, Text

_SHOWN = 60  # characters of a name that somebody sent


class Arguments:
    """Those of one call of `tool`, which knows the names `known`. Raises InvalidRequest for any other name."""

    def __init__(self, tool: str, given: Mapping[str, Any], known: Collection[str]) -> None:
        self._tool = tool
        self._given = given
        for name in given:
            if name not in known:
                said = NO_ARGUMENT.filled(tool=tool, name=repr(name[:_SHOWN]))
                raise InvalidRequest(said, near(name, known), parameter=name[:_SHOWN])

    @property
    def language(self) -> Language:
        """English unless another of ours is asked for; the task says what is wrong with any else."""
        return language_of(self._given)

    def raw(self, name: str, default: Any = None) -> Any:
        """What was given, unchecked; null counts as not given."""
        found = self._given.get(name)
        return default if found is None else found

    def needed(self, name: str) -> str:
        """A text that must be there, here and below; raises InvalidRequest for anything else."""
        if self.raw(name) is None:
            raise InvalidRequest(MISSING.filled(tool=self._tool, name=name), parameter=name)
        return self.text(name)

    def text(self, name: str, default: str = "") -> str:
        """A text, or the default."""
        found = self.raw(name, default)
        return found if isinstance(found, str) else self._wrong(name, KINDS["text"])

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        found = self.raw(name, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self._wrong(name, KINDS["texts"])
        return list(found)

    def object(self, name: str) -> dict[str, Any]:
        """An object, its values unchecked."""
        found = self.raw(name, {})
        return dict(found) if isinstance(found, dict) else self._wrong(name, KINDS["object"])

    def switch(self, name: str, default: bool) -> bool:
        """True or false."""
        found = self.raw(name, default)
        return found if isinstance(found, bool) else self._wrong(name, KINDS["switch"])

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number, both ends included."""
        found = self.raw(name, default)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            self._wrong(name, KINDS["whole"].filled(low=low, high=f"{high:,}"))
        return int(found)

    def _wrong(self, name: str, kind: Text) -> Any:
        raise InvalidRequest(WRONG_KIND.filled(name=name, kind=kind), parameter=name)


def near(name: str, known: Collection[str]) -> Text:
    """What was probably meant, or all there is."""
    found = difflib.get_close_matches(name, known, n=1)
    if found:
        return DID_YOU_MEAN.filled(near=found[0])
    return THERE_ARE.filled(names=Text(", ".join(known), "、".join(known)))


def language_of(given: Mapping[str, Any]) -> Language:
    """The language that these arguments ask for, or English."""
    return next((one for one in LANGUAGES if given.get("language") == one), LANGUAGES[0])
