"""Several turns: which may be sent, and which of the oldest no longer fit into the window.

Knows no model: the caller passes what renders a request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

from playground.types import InvalidRequest, Refused, Rendered, Request, Text, Turn

MOST_TURNS = 400
_EXCHANGE = 2  # a message and its answer go together: many templates refuse any other order
_ROLES = ("user", "assistant")
_SHAPE = Text(
    'turns must be a list of ["user", text] and ["assistant", text] in turns; the message behind them is the prompt.',
    'turns 应为 ["user", 文本] 与 ["assistant", 文本] 交替的列表，其后的消息是提示词。',
)


def turns_of(given: object) -> tuple[Turn, ...]:
    """Turns as a browser, a file or a client sent them; InvalidRequest where they are none."""
    if not isinstance(given, list | tuple):
        raise _wrong(_SHAPE)
    if len(given) > MOST_TURNS:
        raise _wrong(
            Text(f"There are {len(given):,} turns; at most {MOST_TURNS} are allowed.",
                 f"共有 {len(given)} 轮，最多允许 {MOST_TURNS} 轮。")
        )  # fmt: skip
    if len(given) % _EXCHANGE:
        raise _wrong(_SHAPE)
    found: list[Turn] = []
    for place, one in enumerate(given):
        wanted = _ROLES[place % _EXCHANGE]
        if not isinstance(one, list | tuple) or len(one) != 2 or one[0] != wanted or not isinstance(one[1], str):
            raise _wrong(_SHAPE)
        found.append(("user" if place % _EXCHANGE == 0 else "assistant", one[1]))
    return tuple(found)


def _wrong(reason: Text) -> InvalidRequest:
    return InvalidRequest(reason, parameter="turns")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request with as many turns as fit, and how many of the oldest were left out."""

    request: Request
    left_out: int


def characters(request: Request) -> int:
    """How much there is to read before the answer, counted without a model."""
    said = (text for _, text in request.turns)
    texts = (request.prompt, request.system, request.prefill, request.values["negative_prompt"], *said)
    return sum(len(text) for text in texts)


def fitted(request: Request, render: Callable[[Request], Rendered], most_characters: int) -> Fitted:
    """Leaves out whole exchanges, the oldest first, until the answer has room; the system prompt always stays.

    The answer's room is what it may be long, and at most half of the window, so that a generous limit does not cost
    the whole conversation. More than `most_characters` is not even rendered, as long as there is a turn to leave out.
    """
    exchanges = len(request.turns) // _EXCHANGE

    def without(count: int) -> Request:
        return replace(request, turns=request.turns[count * _EXCHANGE :])

    def fits(count: int) -> bool:
        rendered = render(without(count))
        room = min(request.values["max_new_tokens"], rendered.context // 2)
        return len(rendered.token_ids) + room <= rendered.context

    # The more is left out, the more fits. Where even the message alone is too long, that is refused elsewhere.
    counts = range(exchanges)
    least = bisect_left(counts, True, key=lambda count: characters(without(count)) <= most_characters)
    left_out = least
    if least < exchanges and not fits(least):
        left_out = bisect_left(counts, True, lo=least + 1, key=fits)
    return Fitted(without(left_out), left_out * _EXCHANGE)


def check_left_out(found: Fitted, shown: int) -> None:
    """Raises Refused where more turns are left out than the `shown` oldest ones that the page has announced."""
    if found.left_out > shown:
        raise Refused(
            LEFT_OUT.filled(count=found.left_out),
            Text("Generate once more to go on without them.", "再次生成即会省略它们继续。"),
            parameter="turns",
        )


LEFT_OUT = Text(
    "The first {count:turn no longer fits|turns no longer fit} and will be left out.",
    "最早的 {count} 轮已放不下，将被省略。",
)
