"""The lines of a streamed answer as JSON objects. Knows no engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import orjson

LONGEST = 64 * 2**20  # bytes of one line: the log-probabilities of 500,000 tokens
_DONE = b"[DONE]"


class Unreadable(ValueError):
    """The stream holds something that is no event."""


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The objects behind `data:`, up to `[DONE]` or the end. Raises Unreadable.

    Comments, other fields and empty lines are passed over, as the format asks.
    """
    rest: list[bytes] = []
    size = 0
    async for chunk in chunks:
        *lines, last = chunk.split(b"\n")
        for line in lines:
            whole = b"".join([*rest, line])
            rest, size = [], 0
            if (data := _data(whole)) is not None:
                if data == _DONE:
                    return
                yield parsed(data)
        rest.append(last)
        size += len(last)
        if size > LONGEST:
            raise Unreadable
    if (data := _data(b"".join(rest))) is not None and data != _DONE:
        yield parsed(data)


def parsed(data: bytes) -> dict[str, Any]:
    """One JSON object. NaN and infinities, which are no JSON, are read as Python's servers write them."""
    try:
        found = orjson.loads(data)
    except ValueError:
        try:
            found = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Unreadable from None
    if not isinstance(found, dict):
        raise Unreadable
    return found


def _data(line: bytes) -> bytes | None:
    """What an event's line carries; None for a line without any."""
    line = line.strip(b"\r")
    name, _, value = line.partition(b":")
    if name == b"error":  # llama.cpp puts a failure in mid-stream behind a name of its own
        return b'{"error":' + value + b"}"
    return value.strip() or None if name == b"data" else None
