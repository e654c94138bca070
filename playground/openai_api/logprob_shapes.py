"""Log-probabilities in the two forms that OpenAI's API has: a list of objects in chats, four lists in completions.

Knows no model and no run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.inspection_results import PositionLogprobs, TokenLogprob

IMPOSSIBLE = -9999.0  # what OpenAI's API says of a token that cannot come; JSON has no infinity


def chat_shape(positions: Sequence[PositionLogprobs], *, ids: bool) -> dict[str, Any]:
    """`choices[].logprobs` of a chat; `ids` writes tokens by their number."""
    content = [
        {**_entry(one.chosen, ids), "top_logprobs": [_entry(token, ids) for token in one.top]} for one in positions
    ]
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
        pending += bytes(one.chosen.data)
        whole, pending = _whole_characters(pending)
        offset += len(whole)
    shape = {
        "tokens": [token_text(one.chosen, ids) for one in positions],
        "token_logprobs": [_finite(one.chosen.logprob) for one in positions],
        "top_logprobs": [_top(one, ids) for one in positions] if tops else None,
        "text_offset": places,
    }
    return shape, offset


def token_text(token: TokenLogprob, ids: bool) -> str:
    """A token by itself; of one that is only a part of a character, its bytes as OpenAI's API writes them."""
    if ids:
        return f"token_id:{token.token_id}"
    data = bytes(token.data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


def _entry(token: TokenLogprob, ids: bool) -> dict[str, Any]:
    return {
        "token": token_text(token, ids),
        "logprob": _finite(token.logprob),
        "bytes": list(token.data),
        "id": token.token_id,
    }


def _top(one: PositionLogprobs, ids: bool) -> dict[str, float | None] | None:
    if one.chosen.logprob is None:
        return None
    found: dict[str, float | None] = {}
    for token in one.top:
        found.setdefault(token_text(token, ids), _finite(token.logprob))  # of equal texts the likelier one stays
    return found


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
