"""What the page can ask of a finished run's logits and noise, and of the model without writing.

Plain functions to be called from worker threads; they take and give plain Python values. Knows no page. Loads torch
only when something is asked, so that importing this module costs nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from playground.generators import elsewhere
from playground.inspection_results import (
    Chance,
    Detection,
    Divergence,
    Draw,
    OwnFigures,
    PositionLogprobs,
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
    "OwnFigures",
    "PositionLogprobs",
    "ReadToken",
    "Reading",
    "Replayed",
    "RunnerUp",
    "StageBreakdown",
    "StageChange",
    "Token",
    "TokenOutcome",
    "alive",
    "available",
    "badges",
    "begin_run_ids_with",
    "beginning_of",
    "biased",
    "cannot_replay",
    "detect_watermark",
    "favourites",
    "fetch",
    "figures",
    "forget",
    "forget_next",
    "limit",
    "missing",
    "named",
    "new_run_id",
    "next_token",
    "prompt_logprobs",
    "read",
    "read_on",
    "replay",
    "replay_file",
    "seen",
    "seen_on",
    "stage_breakdown",
    "tells_vocabulary",
    "token_logprobs",
    "told",
    "unavailable",
    "write_trace",
    "written",
]


class _RunIds:
    """How the ids of this process begin: with a name, where several processes answer for one server."""

    beginning = ""


_RUN_IDS = _RunIds()
_PARTS = "."  # between the beginning and the rest, which has none


def begin_run_ids_with(name: str) -> None:
    """From now on every new id begins with this name, so that a question finds the process that keeps the run."""
    _RUN_IDS.beginning = f"{name}{_PARTS}" if name else ""


def beginning_of(run_id: str) -> str:
    """The name with which an id begins; "" where it has none."""
    return run_id.rpartition(_PARTS)[0]


def new_run_id() -> str:
    """An id that nobody can guess, for `Request.keep`."""
    return _RUN_IDS.beginning + secrets.token_urlsafe(18)


def limit(size: int) -> None:
    """How many bytes all kept runs may take together; what is over that is given up, oldest runs first."""
    _engine().RUN_STORE.set_limit(size)


def available(run_id: str) -> bool:
    """Whether this run's logits are still kept (while it streams they grow)."""
    there = elsewhere.RUNS.find(run_id)
    return bool(there.available(run_id) if there else _engine().RUN_STORE.get(run_id) is not None)


def unavailable(run_id: str, values: Mapping[str, Any]) -> Text:
    """Why a run's logits are not there, as a sentence for the reader; `values` are the run's."""
    if values["num_beams"] > 1:
        beams: Text = _engine().BEAMS
        return beams
    why: Text = _engine().RUN_STORE.lost(run_id).message
    return why


def forget(run_id: str) -> None:
    """Give up a run's logits now."""
    there = elsewhere.RUNS.drop(run_id)
    if there is None:
        _engine().RUN_STORE.forget(run_id)
    else:
        there.forget(run_id)


def stage_breakdown(
    run_id: str, row: int, position: int, values: Mapping[str, Any] | None = None, *, search: int | str | None = None
) -> StageBreakdown:
    """One position of a kept row, under the run's own values or others (all of them, as `validate()` returns).

    `search` asks for the outcome of one more token: an id, or a text whose first token is meant. Raises InvalidRequest
    where row, position or search make no sense, PlaygroundError where the run is not kept.
    """
    found: StageBreakdown = _runs(run_id).stage_breakdown(run_id, row, position, values, search)
    return found


def replay(run_id: str, row: int, values: Mapping[str, Any]) -> Replayed:
    """Decide every token of a kept row again under other values, with the same random draws and without the model.

    Raises Refused with the sentence of `cannot_replay` where that is impossible.
    """
    found: Replayed = _runs(run_id).replay(run_id, row, values)
    return found


def alive(run_id: str, row: int, values: Mapping[str, Any]) -> tuple[int, ...]:
    """How many candidates these values leave at each position of a kept row; known whoever drew its tokens.

    Raises as `replay`, but for other random draws.
    """
    found: tuple[int, ...] = _runs(run_id).alive(run_id, row, values)
    return found


def missing(run_id: str, row: int, position: int | None = None) -> int:
    """At how many positions of a row, or whether at one (1 or 0), the scores are still with its engine: they are asked
    for when they are wanted."""
    return 0 if elsewhere.RUNS.find(run_id) else int(_engine().missing(run_id, row, position))


def told(run_id: str, row: int) -> int:
    """Of how many tokens of a row that is kept here, from the first on, the scores are here."""
    return int(_engine().told(run_id, row))


def figures(run_id: str, row: int) -> list[OwnFigures]:
    """What the model thought of each token of a finished row that is kept here. Raises as `replay`."""
    found: list[OwnFigures] = _engine().figures(run_id, row)
    return found


def fetch(
    run_id: str, row: int, halted: Callable[[], bool] = lambda: False, stop: int | None = None
) -> Iterator[int]:
    """Asks for all of them, or those of the first `stop` tokens; again and again says how many are left. Raises
    PlaygroundError where they cannot be had, Stopped soon after `halted` is true."""
    yield from _engine().fetch(run_id, row, halted, stop)


def cannot_replay(old: Mapping[str, Any], new: Mapping[str, Any]) -> Text | None:
    """Why a run under `old` values cannot be replayed under `new` ones without the model; None where it can."""
    why: Text | None = _engine().cannot_replay(old, new)
    return why


def named(run_id: str, token_id: int) -> Token:
    """A token of a kept run's vocabulary, as it is shown by itself."""
    found: Token = _runs(run_id).named(run_id, token_id)
    return found


def favourites(run_id: str, row: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """The model's most likely token at every position of a finished row, and the tokens that its prompt holds."""
    found: tuple[tuple[int, ...], frozenset[int]] = _runs(run_id).favourites(run_id, row)
    return found


def badges(
    run_id: str, row: int, values: Mapping[str, Any] | None = None, stop: int | None = None
) -> dict[str, Text]:
    """For every knob that differs from neutral and acts on the scores: what it did in this row, in a few words.

    With `values` that are not the run's: what it would do at each place of the text as it stands. With `stop`, of its
    first tokens only, of a run that is kept here. Raises Refused and InvalidRequest as `replay`.
    """
    only = {} if stop is None else {"stop": stop}
    found: dict[str, Text] = _runs(run_id).badges(run_id, row, values, **only)
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
    found: StageBreakdown = _reader(generator).next_token(generator, request, values, session, search, limits, halted)
    return found


def forget_next(session: str) -> None:
    """Give up what was remembered of this session's last prompt."""
    _reader().forget_next(session)


def written(generator: Generator, token_id: int) -> str | None:
    """The text that a token writes wherever it stands; None for special tokens and for parts of a character."""
    text: str | None = _reader(generator).written(generator, token_id)
    return text


def biased(generator: Generator, values: Mapping[str, Any]) -> dict[str, dict[str, list[list[tuple[int, str]]]]]:
    """By parameter, for each text or id that these values bias: the ways to write it, each token's id and text."""
    found: dict[str, dict[str, list[list[tuple[int, str]]]]] = _reader(generator).biased(generator, values)
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
    yield from _reader(generator).read(generator, prompt, text, limits, halted, acts)


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
    yield from _reader(generator).seen(generator, request, limits, halted)


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
    found: Detection = _reader(generator).detect_watermark(generator, text, values, limits, halted, acts)
    return found


def tells_vocabulary(generator: Generator) -> bool:
    """Whether it tells the scores of a whole vocabulary, for a prompt as for what it writes."""
    return bool(_reader(generator).tells_vocabulary(generator))


def token_logprobs(run_id: str, row: int, start: int, stop: int, count: int) -> list[PositionLogprobs]:
    """Of a kept row, while it grows too: the tokens from `start` up to `stop`, each with the `count` likeliest there.

    Raises as `stage_breakdown`.
    """
    there = elsewhere.RUNS.find(run_id)
    found: list[PositionLogprobs] = (there or _logprobs()).of_run(run_id, row, start, stop, count)
    return found


def prompt_logprobs(
    generator: Generator,
    request: Request,
    count: int,
    limits: Limits | None = None,
    halted: Callable[[], bool] = lambda: False,
) -> list[PositionLogprobs]:
    """The same of the tokens of a request's prompt; the first has no number. Raises as `seen_on`."""
    found: list[PositionLogprobs] = _reader(generator).prompt_logprobs(generator, request, count, limits, halted)
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


def _runs(run_id: str) -> Any:
    """What answers for this run: another server that keeps it, or this one."""
    return elsewhere.RUNS.find(run_id) or _engine()


def _logprobs() -> ModuleType:
    """Loads torch, on the first question."""
    from playground.inspection import token_logprobs

    return token_logprobs


def _reader(generator: Generator | None = None) -> Any:
    """What answers for this generator. For one on this machine, loads torch on the first question."""
    there = None if generator is None else elsewhere.reader_of(generator)
    if there is not None:
        return there
    from playground.inspection import reading

    return reading
