"""Our own records as JSON and back: Steps, Requests and what an inspection finds, as one Playground sends them another.

A record is an object of its fields, a tuple or a set a list, bytes a text in base64, and a number that JSON does not
have a text ("-inf"). Log-probabilities of a whole vocabulary are bytes, little-endian float32 in the order of the token
ids. Knows no server and no generator.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import math
import types
from collections.abc import Mapping, Sequence, Set
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from playground.inspection_results import PositionLogprobs, TokenData, TokenLogprob, TopTokens

T = TypeVar("T")

VERSION = 2
"""Of the form and of the questions that another Playground may be asked; a server that knows another one says so."""


class Malformed(ValueError):
    """JSON that is not the record it should be."""


@dataclasses.dataclass(frozen=True, slots=True)
class WholeLogprobs:
    """Positions of a text with the log-probabilities of all tokens: `token_ids` stand there, and `scores` are
    little-endian float32 [vocab] each, none for a first token, which nothing stands before.

    `vocabulary` is the name of the tokens' bytes: those of all of them joined, with the length of each as little-endian
    uint32. Both are empty where who asks has them already.
    """

    token_ids: tuple[int, ...]
    scores: tuple[bytes, ...]
    vocabulary: str
    lengths: bytes = b""
    joined: bytes = b""


def whole_logprobs(positions: Sequence[PositionLogprobs], known: Sequence[str]) -> WholeLogprobs | None:
    """These positions as such a record, for who knows the vocabularies of these names; None where one does not tell of
    all tokens."""
    tops = [one.top for one in positions if one.chosen.logprob is not None or one.top]
    whole = [one for one in tops if isinstance(one, TopTokens) and one.whole]
    if not whole or len(whole) < len(tops):
        return None
    name, lengths, joined = _vocabulary(whole[0].data, len(whole[0]))
    told = () if name in known else (lengths, joined)
    scores = tuple(packed(one.top) if isinstance(one.top, TopTokens) else b"" for one in positions)
    return WholeLogprobs(tuple(one.chosen.token_id for one in positions), scores, name, *told)


def packed(top: TopTokens) -> bytes:
    """The log-probabilities of all tokens, by their ids: little-endian float32."""
    found = np.empty(len(top), dtype="<f4")
    found[top.token_ids] = top.logprobs
    return found.tobytes()


def vocabulary_of(given: WholeLogprobs) -> TokenData:
    """The vocabulary that comes with such a record. Raises Malformed."""
    lengths = np.frombuffer(given.lengths, dtype="<u4").astype(np.int64) if len(given.lengths) % 4 == 0 else np.empty(0)
    if not len(lengths) or int(lengths.sum()) != len(given.joined):
        raise Malformed("no vocabulary")
    ends = np.cumsum(lengths)
    pieces = [given.joined[begin:end] for begin, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]
    found = TokenData(pieces.__getitem__)
    found.prepared[_SIZE] = len(pieces)
    return found


def positions_of(given: WholeLogprobs, data: TokenData) -> list[PositionLogprobs]:
    """The positions again, with the bytes of this vocabulary. Raises Malformed."""
    size = data.prepared[_SIZE]
    if len(given.scores) != len(given.token_ids):
        raise Malformed("no scores")
    return [_position(*one, data, size) for one in zip(given.token_ids, given.scores, strict=True)]


def _position(token_id: int, scores: bytes, data: TokenData, size: int) -> PositionLogprobs:
    if not 0 <= token_id < size or len(scores) not in (0, 4 * size):
        raise Malformed("no scores")
    if not scores:
        return PositionLogprobs(TokenLogprob(token_id, data[token_id], None))
    logprobs = np.frombuffer(scores, dtype="<f4")
    order = np.argsort(-logprobs, kind="stable")
    own = float(logprobs[token_id])
    chosen = TokenLogprob(token_id, data[token_id], None if math.isnan(own) else own)
    return PositionLogprobs(chosen, TopTokens(order.tolist(), logprobs[order].tolist(), data, whole=True))


_SIZE = "size of the vocabulary"


def _vocabulary(data: TokenData, size: int) -> tuple[str, bytes, bytes]:
    """Name, lengths and bytes of the first `size` tokens; remembered, since it is asked for with every answer."""
    key = ("vocabulary on the wire", size)
    if key not in data.prepared:
        pieces = [data[token_id] for token_id in range(size)]
        lengths, joined = np.array([len(one) for one in pieces], dtype="<u4").tobytes(), b"".join(pieces)
        data.prepared[key] = hashlib.sha256(lengths + joined).hexdigest(), lengths, joined
    found: tuple[str, bytes, bytes] = data.prepared[key]
    return found


def encode(value: object) -> Any:
    """A record, or plain values that hold some, as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: encode(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(one) for key, one in value.items()}
    if isinstance(value, Set):
        return sorted(encode(one) for one in value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
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
    if origin is Sequence:
        return tuple(_value(inner[0], one) for one in _checked(given, list))
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
    """A number, a text, bytes or a truth value, strictly of its type: 1 is a float, true is no number."""
    if kind is float and isinstance(given, int | float | str) and not isinstance(given, bool):
        return float(given)
    if kind is bytes and isinstance(given, str):
        return base64.b64decode(given, validate=True)
    if type(given) is not kind:
        raise TypeError(type(given).__name__)
    return given
