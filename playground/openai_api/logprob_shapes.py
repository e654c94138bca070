"""Log-probabilities in the two forms that OpenAI's API has: a list of objects in chats, four lists in completions.

The likeliest tokens of a position are JSON already: of a whole vocabulary only the numbers differ from one position to
the next. Knows no model and no run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson

from playground.inspection_results import PositionLogprobs, TokenLogprob, TopTokens

IMPOSSIBLE = -9999.0  # what OpenAI's API says of a token that cannot come; JSON has no infinity


def chat_shape(positions: Sequence[PositionLogprobs], *, ids: bool) -> dict[str, Any]:
    """`choices[].logprobs` of a chat; `ids` writes tokens by their number."""
    content = [{**_entry(one.chosen, ids), "top_logprobs": _list(one.top, ids)} for one in positions]
    return {"content": content, "refusal": None}


def completion_shape(
    positions: Sequence[PositionLogprobs], offset: int, *, ids: bool, tops: bool
) -> tuple[dict[str, Any], int]:
    """`choices[].logprobs` of a completion whose first token stands at character `offset`, and where the next one
    would. `tops` is whether the likeliest tokens were asked for."""
    places = []
    pending = b""
    for one in positions:
        places.append(offset)
        pending += one.chosen.data
        whole, pending = _whole_characters(pending)
        offset += len(whole)
    shape = {
        "tokens": [token_text(one.chosen.token_id, one.chosen.data, ids) for one in positions],
        "token_logprobs": [_finite(one.chosen.logprob) for one in positions],
        "top_logprobs": [_top(one, ids) for one in positions] if tops else None,
        "text_offset": places,
    }
    return shape, offset


def token_text(token_id: int, data: bytes, ids: bool) -> str:
    """A token by itself; of one that is only a part of a character, its bytes as OpenAI's API writes them."""
    if ids:
        return f"token_id:{token_id}"
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


def _entry(token: TokenLogprob, ids: bool) -> dict[str, Any]:
    return {**_named(token.token_id, token.data, ids), "logprob": _finite(token.logprob)}


def _named(token_id: int, data: bytes, ids: bool) -> dict[str, Any]:
    return {"token": token_text(token_id, data, ids), "bytes": list(data), "id": token_id}


def _list(top: Sequence[TokenLogprob], ids: bool) -> orjson.Fragment | list[Any]:
    """The entries of a chat."""
    if not isinstance(top, TopTokens):
        return [_entry(one, ids) for one in top]
    begins = _remembered(top, ("entries", ids), partial(_entry_begins, ids=ids))
    return orjson.Fragment(b"[" + _after_each_other(begins, _numbers(top), b"}") + b"]")


def _entry_begins(token_id: int, data: bytes, *, ids: bool) -> bytes:
    """An entry up to its number, behind the end of the one before."""
    return b"}," + orjson.dumps(_named(token_id, data, ids))[:-1] + b',"logprob":'


def _top(one: PositionLogprobs, ids: bool) -> orjson.Fragment | dict[str, float | None] | None:
    """The object of a completion; of equal texts the likelier one stays."""
    if one.chosen.logprob is None:
        return None
    if not isinstance(one.top, TopTokens):
        few: dict[str, float | None] = {}
        for token in one.top:
            few.setdefault(token_text(token.token_id, token.data, ids), _finite(token.logprob))
        return few
    begins = _remembered(one.top, ("names", ids), partial(_name, ids=ids))
    found: dict[bytes, bytes] = {}
    deque(map(found.setdefault, begins, _numbers(one.top)), maxlen=0)
    return orjson.Fragment(b"{" + _after_each_other(list(found), list(found.values()), b"") + b"}")


def _name(token_id: int, data: bytes, *, ids: bool) -> bytes:
    return b"," + orjson.dumps(token_text(token_id, data, ids)) + b":"


def _after_each_other(begins: list[bytes], numbers: list[bytes], end: bytes) -> bytes:
    """Each number behind its beginning; the first of these has no end of another one before it."""
    pieces = [b""] * (2 * len(begins))
    pieces[::2], pieces[1::2] = begins, numbers
    return b"".join(pieces)[len(end) + 1 :] + (end if begins else b"")


def _remembered(top: TopTokens, key: tuple[str, bool], made: Callable[[int, bytes], bytes]) -> list[bytes]:
    """What stands before each number; the same for each position of a vocabulary."""
    known: dict[int, bytes] = top.data.prepared.setdefault(key, {})
    try:
        return [known[token_id] for token_id in top.token_ids]
    except KeyError:
        for token_id in top.token_ids:
            if token_id not in known:
                known[token_id] = made(token_id, top.data[token_id])
        return [known[token_id] for token_id in top.token_ids]


def _numbers(top: TopTokens) -> list[bytes]:
    """The log-probabilities as JSON."""
    told = top.logprobs
    if told and not told[-1] >= IMPOSSIBLE:
        told = [max(IMPOSSIBLE, one) for one in told]
    return orjson.dumps(told)[1:-1].split(b",") if told else []


def _finite(logprob: float | None) -> float | None:
    return None if logprob is None else max(IMPOSSIBLE, logprob)


def _whole_characters(data: bytes) -> tuple[str, bytes]:
    """What can be read of these bytes, and the beginning of a character at their end."""
    for cut in range(min(4, len(data) + 1)):
        try:
            return data[: len(data) - cut].decode("utf-8"), data[len(data) - cut :]
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace"), b""
