"""How one parameter is written in a request to another engine. Knows no parameter and no engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from playground.parameters.parameter import Parameter, Value
from playground.types import Text

OMIT: Final = object()
"""What `write` returns where nothing belongs in the request: the engine then does nothing of the kind."""

Write = Callable[[Value, Mapping[str, Value]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter's place in an engine's request.

    `name` is the field; a dot leads into a mapping, and two parameters that share a name have their mappings or lists
    joined there. `low` and `high` are what the engine takes, where that is less than what is taken here; `above_low`
    excludes `low` itself. `off` is what the engine writes for the neutral value, where that differs. `write` gets a
    value that is allowed and all values beside it, and returns what the field holds, or OMIT. `note` says in which way
    the engine's definition differs from ours.
    """

    name: str
    low: float | None = None
    high: float | None = None
    above_low: bool = False
    off: Any = None
    write: Write | None = None
    note: Text | None = None

    def takes(self, parameter: Parameter, value: Value) -> bool:
        """Whether the engine takes this number; the neutral value always has a form there."""
        if parameter.is_neutral(value) or isinstance(value, bool) or not isinstance(value, int | float):
            return True
        if self.low is not None and (value < self.low or (self.above_low and value == self.low)):
            return False
        return self.high is None or value <= self.high

    def range_text(self) -> Text | None:
        """The engine's own limits in words; None where it takes all that is taken here."""
        low = None if self.low is None else f"{self.low:g}"
        high = None if self.high is None else f"{self.high:g}"
        if low is not None and high is not None:
            return Text(
                f"{'above' if self.above_low else 'from'} {low} to {high}",
                f"{'大于' if self.above_low else '不小于'} {low}、不大于 {high}",
            )
        if low is not None:
            return Text(
                f"{'above' if self.above_low else 'from'} {low}", f"{'大于' if self.above_low else '不小于'} {low}"
            )
        return None if high is None else Text(f"up to {high}", f"不大于 {high}")

    def written(self, parameter: Parameter, value: Value, values: Mapping[str, Value]) -> Any:
        """What the request holds for this value, or OMIT."""
        if self.off is not None and parameter.is_neutral(value):
            return self.off
        return value if self.write is None else self.write(value, values)


def same(*names: str, note: Text | None = None) -> dict[str, Field]:
    """Parameters that have there the same name, range and neutral value as here."""
    return {name: Field(name=name, note=note) for name in names}


def if_set(value: Value, _: Mapping[str, Value]) -> Any:
    """For fields that an engine only takes when they say something."""
    return value if value else OMIT


def parsed(value: Value, _: Mapping[str, Value]) -> Any:
    """A JSON text as the data it holds."""
    return json.loads(value) if value else OMIT


def response_format(value: Value, _: Mapping[str, Value]) -> Any:
    """A JSON schema as OpenAI's API has it."""
    return {"type": "json_schema", "json_schema": {"name": "form", "schema": json.loads(value)}} if value else OMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What an engine has of our parameters, `fields` by name, and in plain words why it lacks others (`reasons`).

    What stands in neither is lacked without more to say. `more` gives what a request holds besides: switches
    that have no parameter here. `title` is how a sentence calls the engine.
    """

    name: str
    title: Text
    fields: Mapping[str, Field]
    reasons: Mapping[str, Text]
    more: Callable[[Mapping[str, Value]], Mapping[str, Any]] = lambda _: {}
