"""What the page can ask of a finished run's logits and noise, and of the model without writing.

Plain functions to be called from worker threads; they take and give plain Python values. Knows no page. Loads torch
only when something is asked, so that importing this module costs nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from playground.inspection_results import (
    Chance,
    Detection,
    Divergence,
    Draw,
    Reading,
    ReadToken,
    Replayed,
    RunnerUp,
    StageBreakdown,
    StageChange,
    Token,
    TokenOutcome,
)
from playground.settings import Limits
from playground.types import Generator, Request, Text

__all__ = [
    "Chance",
    "Detection",
    "Divergence",
    "Draw",
    "ReadToken",
    "Reading",
    "Replayed",
    "RunnerUp",
    "StageBreakdown",
    "StageChange",
    "Token",
    "TokenOutcome",
    "available",
    "badges",
    "biased",
    "cannot_replay",
    "detect_watermark",
    "favourites",
    "forget",
    "forget_next",
    "limit",
    "named",
    "new_run_id",
    "next_token",
    "read",
    "read_on",
    "replay",
    "replay_file",
    "seen",
    "seen_on",
    "stage_breakdown",
    "unavailable",
    "write_trace",
    "written",
]


def new_run_id() -> str:
    """An id that nobody can guess, for `Request.keep`."""
    return secrets.token_urlsafe(18)


def limit(size: int) -> None:
    """How many bytes all kept runs may take together; what is over that is given up, oldest runs first."""
    _engine().RUN_STORE.set_limit(size)


def available(run_id: str) -> bool:
    """Whether this run's logits are still kept (while it streams they grow)."""
    return bool(_engine().RUN_STORE.get(run_id) is not None)


def unavailable(values: Mapping[str, Any] | None = None) -> Text:
    """Why a run's logits are not there, as a sentence for the reader; `values` are the run's, where they are known."""
    beams = values is not None and values["num_beams"] > 1
    sentence: Text = _engine().BEAMS if beams else _engine().GONE
    return sentence


def forget(run_id: str) -> None:
    """Give up a run's logits now."""
    _engine().RUN_STORE.forget(run_id)


def stage_breakdown(
    run_id: str, row: int, position: int, values: Mapping[str, Any] | None = None, *, search: int | str | None = None
) -> StageBreakdown:
    """One position of a kept row, under the run's own values or others (all of them, as `validate()` returns).

    `search` asks for the outcome of one more token: an id, or a text whose first token is meant. Raises InvalidRequest
    where row, position or search make no sense, PlaygroundError where the run is not kept.
    """
    found: StageBreakdown = _engine().stage_breakdown(run_id, row, position, values, search)
    return found


def replay(run_id: str, row: int, values: Mapping[str, Any]) -> Replayed:
    """Decide every token of a kept row again under other values, with the same random draws and without the model.

    Raises Refused with the sentence of `cannot_replay` where that is impossible.
    """
    found: Replayed = _engine().replay(run_id, row, values)
    return found


def cannot_replay(old: Mapping[str, Any], new: Mapping[str, Any]) -> Text | None:
    """Why a run under `old` values cannot be replayed under `new` ones without the model; None where it can."""
    why: Text | None = _engine().cannot_replay(old, new)
    return why


def named(run_id: str, token_id: int) -> Token:
    """A token of a kept run's vocabulary, as it is shown by itself."""
    found: Token = _engine().named(run_id, token_id)
    return found


def favourites(run_id: str, row: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """The model's most likely token at every position of a finished row, and the tokens that its prompt holds."""
    found: tuple[tuple[int, ...], frozenset[int]] = _engine().favourites(run_id, row)
    return found


def badges(run_id: str, row: int, values: Mapping[str, Any] | None = None) -> dict[str, Text]:
    """For every knob that differs from neutral and acts on the scores: what it did in this row, in a few words.

    With `values` that are not the run's: what it would do at each place of the text as it stands. Raises Refused and
    InvalidRequest as `replay`.
    """
    found: dict[str, Text] = _engine().badges(run_id, row, values)
    return found


def next_token(
    generator: Generator,
    request: Request,
    values: Mapping[str, Any] | None = None,
    *,
    session: str = "",
    search: int | str | None = None,
    limits: Limits | None = None,
    halted: Callable[[], bool] = lambda: False,
) -> StageBreakdown:
    """The next token after this request's prompt, before any run: the prompt is read, and remembered for the session.

    `values` defaults to the request's; with other values and the same prompt no model pass is made. `draw` is None
    where the seed is -1, unless temperature is 0. Raises Stopped soon after `halted` is true.
    """
    found: StageBreakdown = _reader().next_token(generator, request, values, session, search, limits, halted)
    return found


def forget_next(session: str) -> None:
    """Give up what was remembered of this session's last prompt."""
    _reader().forget_next(session)


def written(generator: Generator, token_id: int) -> str | None:
    """The text that a token writes wherever it stands; None for special tokens and for parts of a character."""
    text: str | None = _reader().written(generator, token_id)
    return text


def biased(generator: Generator, values: Mapping[str, Any]) -> dict[str, dict[str, list[list[tuple[int, str]]]]]:
    """By parameter, for each text or id that these values bias: the ways to write it, each token's id and text."""
    found: dict[str, dict[str, list[list[tuple[int, str]]]]] = _reader().biased(generator, values)
    return found


def read(generator: Generator, prompt: str, text: str, limits: Limits | None = None) -> Reading:
    """Any text as the model reads it, behind a prompt that may be empty: one model pass, nothing is generated."""
    return list(read_on(generator, prompt, text, limits))[-1]


def read_on(
    generator: Generator,
    prompt: str,
    text: str,
    limits: Limits | None = None,
    halted: Callable[[], bool] = lambda: False,
    *,
    acts: bool = False,
) -> Iterator[Reading]:
    """The same while it grows, piece by piece; between two pieces others have their turn. Control tokens in the two
    texts are ordinary text unless they are to act. Raises Stopped soon after `halted` is true."""
    yield from _reader().read(generator, prompt, text, limits, halted, acts)


def seen(generator: Generator, request: Request, limits: Limits | None = None) -> Reading:
    """What the model saw: the rendered prompt of this request as tokens, all of them read."""
    return list(seen_on(generator, request, limits))[-1]


def seen_on(
    generator: Generator,
    request: Request,
    limits: Limits | None = None,
    halted: Callable[[], bool] = lambda: False,
) -> Iterator[Reading]:
    """The same while it grows, as `read_on`."""
    yield from _reader().seen(generator, request, limits, halted)


def detect_watermark(
    generator: Generator,
    text: str,
    values: Mapping[str, Any],
    limits: Limits | None = None,
    halted: Callable[[], bool] = lambda: False,
    *,
    acts: bool = False,
) -> Detection:
    """Whether a text carries the watermark of these values; `acts` as in `read_on`. Raises InvalidRequest where it is
    too short to tell, and Stopped soon after `halted` is true."""
    found: Detection = _reader().detect_watermark(generator, text, values, limits, halted, acts)
    return found


def write_trace(run_id: str, file: str, header: Mapping[str, Any]) -> None:
    """A kept run as JSON lines, its logits beside it; docs/trace.md says what stands where.

    Raises PlaygroundError where the run is not kept or the file cannot be written.
    """
    _files().write(file, run_id, header)


def replay_file(file: str, row: int, given: Mapping[str, Any]) -> Replayed:
    """As `replay`, from a file of `write_trace`; `given` are the values that are to be others than the run's.

    Raises PlaygroundError where the file is missing, damaged or no trace.
    """
    found: Replayed = _files().replay(file, row, given)
    return found


def _files() -> ModuleType:
    """Loads torch, on the first question."""
    from playground.inspection import trace_file

    return trace_file


def _engine() -> ModuleType:
    """Loads torch, on the first question."""
    from playground.inspection import run_queries

    return run_queries


def _reader() -> ModuleType:
    """Loads torch, on the first question."""
    from playground.inspection import reading

    return reading
