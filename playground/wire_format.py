"""Our own records as JSON and back: Steps, Requests and what an inspection finds, as one Playground sends them another.

A record is an object of its fields, a tuple or a set a list, and a number that JSON does not have a text ("-inf").
Knows no server and no generator.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping, Sequence, Set
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

VERSION = 1
"""Of the form and of the questions that another Playground may be asked; a server that knows another one says so."""


class Malformed(ValueError):
    """JSON that is not the record it should be."""


def encode(value: object) -> Any:
    """A record, or plain values that hold some, as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: encode(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(one) for key, one in value.items()}
    if isinstance(value, Set):
        return sorted(encode(one) for one in value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [encode(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def decode(kind: type[T] | Any, given: object) -> T:
    """A value of this type, from what `encode` made of one. Fields that are missing take their defaults; fields that
    this version does not know are left out. Raises Malformed."""
    try:
        return cast(T, _value(kind, given))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Malformed(f"no {getattr(kind, '__name__', kind)}: {str(error)[:200]}") from None


def _value(kind: Any, given: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return given
    if origin in (types.UnionType, Union):
        return _one_of(inner, given)
    if origin is Literal:
        if given not in inner:
            raise ValueError(f"{given!r}")
        return given
    if dataclasses.is_dataclass(kind):
        return _record(kind, given)
    if origin is not None and issubclass(origin, Mapping):
        return {_key(inner[0], key): _value(inner[1], one) for key, one in _checked(given, Mapping).items()}
    if origin is not None and issubclass(origin, tuple | list | frozenset):
        return _several(origin, inner, _checked(given, list | tuple))
    return _plain(kind, given)


def _one_of(kinds: Sequence[Any], given: Any) -> Any:
    """The first of several types that the value is of."""
    if given is None and type(None) in kinds:
        return None
    for kind in kinds:
        if kind is not type(None):
            try:
                return _value(kind, given)
            except (TypeError, ValueError):
                continue
    raise TypeError(f"{type(given).__name__}")


def _record(kind: Any, given: Any) -> Any:
    hints, fields = _hints(kind), _checked(given, Mapping)
    known = {name: _value(hint, fields[name]) for name, hint in hints.items() if name in fields}
    return kind(**known)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in dataclasses.fields(kind)}


def _several(origin: Any, inner: Sequence[Any], given: Sequence[Any]) -> Any:
    if origin is tuple and not (len(inner) == 2 and inner[1] is Ellipsis):
        return tuple(_value(kind, one) for kind, one in zip(inner, given, strict=True))
    return origin(_value(inner[0], one) for one in given)


def _key(kind: Any, given: str) -> Any:
    return int(given) if kind is int else given


def _checked(given: Any, kind: Any) -> Any:
    if not isinstance(given, kind):
        raise TypeError(type(given).__name__)
    return given


def _plain(kind: Any, given: Any) -> Any:
    """A number, a text or a truth value, strictly of its type: 1 is a float, true is no number."""
    if kind is float and isinstance(given, int | float | str) and not isinstance(given, bool):
        return float(given)
    if type(given) is not kind:
        raise TypeError(type(given).__name__)
    return given
