"""Every question of `inspection/` asked of another Playground: of a run that it keeps, and of its model.

The functions have the names and arguments of `run_queries.py` and `reading.py`, in whose place they answer.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from playground import wire_format
from playground.generators.remote import failures
from playground.generators.remote.http_client import EngineClient, begin
from playground.inspection_results import (
    Detection,
    PositionLogprobs,
    Reading,
    Replayed,
    StageBreakdown,
    Token,
    TokenData,
)
from playground.settings import Limits
from playground.types import (
    Busy,
    Generator,
    InvalidRequest,
    ModelError,
    PlaygroundError,
    Refused,
    Request,
    ShareTaken,
    Stopped,
    Text,
)

PATH = "/v1/playground/"
_VOCABULARIES = 4  # that are remembered: another one comes only with another model
_MANY, _POSITIONS = 1_000, 32  # of so many tokens, positions that one answer tells: it has a bound
_LOOK = 0.05  # seconds between looks whether anybody still waits for an answer
_KINDS: Mapping[str, type[PlaygroundError]] = {
    one.__name__: one for one in (InvalidRequest, Refused, ModelError, Busy, ShareTaken, PlaygroundError)
}
_FIELDS = ("prompt", "system", "prefill", "mode", "path", "turns", "special_tokens", "written", "watched", "trace")
Halted = Callable[[], bool]


def body_of(request: Request) -> dict[str, Any]:
    """A Request as the other side takes it."""
    fields = {name: wire_format.encode(getattr(request, name)) for name in _FIELDS}
    return {**fields, "values": wire_format.encode(request.values)}


def own_error(error: Exception, event: Mapping[str, Any] | None = None) -> Exception:
    """The error that the other side raised, where an answer or an event tells; else this one."""
    answer = event if event is not None else getattr(error, "answer", None)
    said = answer.get("error") if isinstance(answer, Mapping) else None
    own = said.get("playground") if isinstance(said, Mapping) else None
    try:
        if isinstance(own, Mapping):
            message: Text = wire_format.decode(Text, own["message"])
            hint: Text | None = wire_format.decode(Text | None, own.get("hint"))
            kind = _KINDS.get(str(own.get("kind")), PlaygroundError)
            parameter = own.get("parameter")
            if issubclass(kind, InvalidRequest):
                return kind(message, hint, parameter=parameter if isinstance(parameter, str) else None)
            return kind(message, hint)
        if isinstance(said, Mapping) and isinstance(said.get("message"), str):
            zh = said.get("message_zh")
            return PlaygroundError(Text(said["message"][:500], str(zh or said["message"])[:500]))
    except (wire_format.Malformed, KeyError):
        pass
    return error


class PlaygroundQuestions:
    """What can be asked of one Playground's model. `tells` is whether it has a vocabulary to look at."""

    def __init__(self, client: EngineClient, model: str) -> None:
        self._client = client
        self._model = model
        self._vocabularies: dict[str, TokenData] = {}
        self.tells = False

    def ask(self, question: str, *, halted: Halted = lambda: False, **arguments: Any) -> Any:
        """The answer as JSON. Raises the other side's error, or EngineError; Stopped soon after `halted`."""
        body = self._body({name: wire_format.encode(one) for name, one in arguments.items()})
        asked = begin(self._client.ask("POST", PATH + question, body))
        try:
            while True:
                try:
                    return asked.result(_LOOK)["answer"]
                except concurrent.futures.TimeoutError:
                    if asked.done():  # it is the answer that timed out
                        raise
                    if halted():
                        asked.cancel()
                        raise Stopped from None
        except failures.EngineError as error:
            raise own_error(error) from None
        except KeyError:
            raise failures.unreadable(self._client.host) from None

    def decoded(self, kind: Any, question: str, *, halted: Halted = lambda: False, **arguments: Any) -> Any:
        """The answer as a record of this kind. Raises as `ask`, and EngineError where it is none."""
        try:
            return wire_format.decode(kind, self.ask(question, halted=halted, **arguments))
        except wire_format.Malformed:
            raise failures.unreadable(self._client.host) from None

    def leave(self, question: str, **arguments: Any) -> None:
        """Told, and not waited for; whether it arrives is nobody's worry."""
        begin(self._client.ask("POST", PATH + question, self._body(arguments)))

    def _body(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What is asked of a run that is kept names no model: it can be answered once that is gone."""
        named = {} if "run_id" in arguments else {"model": self._model}
        return {"version": wire_format.VERSION, **named, **arguments}

    def tells_vocabulary(self, generator: Generator) -> bool:
        """As `reading.tells_vocabulary`."""
        return self.tells

    def next_token(
        self,
        generator: Generator,
        request: Request,
        values: Mapping[str, Any] | None,
        session: str,
        search: int | str | None,
        limits: Limits | None,
        halted: Halted,
    ) -> StageBreakdown:
        """As `reading.next_token`."""
        asked = {"request": body_of(request), "session": session, **_given(values=values, search=search)}
        found: StageBreakdown = self.decoded(StageBreakdown, "next_token", halted=halted, **asked)
        return found

    def forget_next(self, session: str) -> None:
        """As `reading.forget_next`."""
        self.leave("forget_next", session=session)

    def written(self, generator: Generator, token_id: int) -> str | None:
        """As `reading.written`."""
        found: str | None = self.decoded(str | None, "written", token_id=token_id)
        return found

    def biased(self, generator: Generator, values: Mapping[str, Any]) -> dict[str, Any]:
        """As `reading.biased`."""
        kind = dict[str, dict[str, list[list[tuple[int, str]]]]]
        found: dict[str, Any] = self.decoded(kind, "biased", values=values)
        return found

    def read(
        self, generator: Generator, prompt: str, text: str, limits: Limits | None, halted: Halted, acts: bool
    ) -> Iterator[Reading]:
        """The whole reading at once: it does not grow on the way."""
        yield self.decoded(Reading, "read", halted=halted, prompt=prompt, text=text, acts=acts)

    def seen(self, generator: Generator, request: Request, limits: Limits | None, halted: Halted) -> Iterator[Reading]:
        """The prompt at once."""
        yield self.decoded(Reading, "seen", halted=halted, request=body_of(request))

    def detect_watermark(
        self,
        generator: Generator,
        text: str,
        values: Mapping[str, Any],
        limits: Limits | None,
        halted: Halted,
        acts: bool,
    ) -> Detection:
        """As `reading.detect_watermark`."""
        found: Detection = self.decoded(
            Detection, "detect_watermark", halted=halted, text=text, values=values, acts=acts
        )
        return found

    def prompt_logprobs(
        self, generator: Generator, request: Request, count: int, limits: Limits | None, halted: Halted
    ) -> list[PositionLogprobs]:
        """As `reading.prompt_logprobs`."""
        return self.logprobs("prompt_logprobs", halted=halted, request=body_of(request), count=count)

    def logprobs(self, question: str, **arguments: Any) -> list[PositionLogprobs]:
        """The positions that a question is answered with. A vocabulary whose log-probabilities come whole is sent once.
        Raises PlaygroundError, as `decoded` does."""
        kind = list[PositionLogprobs] | wire_format.WholeLogprobs
        found: Any = self.decoded(kind, question, known=list(self._vocabularies), **arguments)
        if not isinstance(found, wire_format.WholeLogprobs):
            return list(found)
        try:
            data = self._vocabularies.get(found.vocabulary)
            if data is None:
                data = wire_format.vocabulary_of(found)
                if len(self._vocabularies) >= _VOCABULARIES:
                    self._vocabularies.clear()
                self._vocabularies[found.vocabulary] = data
            return wire_format.positions_of(found, data)
        except wire_format.Malformed:
            raise failures.unreadable(self._client.host) from None


class RemoteRun:
    """A run that another Playground keeps under `there`; here it goes by an id of its own."""

    def __init__(self, questions: PlaygroundQuestions, there: str) -> None:
        self._questions = questions
        self._there = there

    def stage_breakdown(
        self, run_id: str, row: int, position: int, values: Mapping[str, Any] | None, search: int | str | None
    ) -> StageBreakdown:
        """As `run_queries.stage_breakdown`."""
        asked = _given(values=values, search=search)
        found: StageBreakdown = self._decoded(StageBreakdown, "stage_breakdown", row=row, position=position, **asked)
        return found

    def replay(self, run_id: str, row: int, values: Mapping[str, Any]) -> Replayed:
        """As `run_queries.replay`."""
        found: Replayed = self._decoded(Replayed, "replay", row=row, values=values)
        return found

    def alive(self, run_id: str, row: int, values: Mapping[str, Any]) -> tuple[int, ...]:
        """As `run_queries.alive`."""
        found: tuple[int, ...] = self._decoded(tuple[int, ...], "alive", row=row, values=values)
        return found

    def badges(self, run_id: str, row: int, values: Mapping[str, Any] | None = None) -> dict[str, Text]:
        """As `run_queries.badges`."""
        found: dict[str, Text] = self._decoded(dict[str, Text], "badges", row=row, **_given(values=values))
        return found

    def named(self, run_id: str, token_id: int) -> Token:
        """As `run_queries.named`."""
        found: Token = self._decoded(Token, "named", token_id=token_id)
        return found

    def favourites(self, run_id: str, row: int) -> tuple[tuple[int, ...], frozenset[int]]:
        """As `run_queries.favourites`."""
        kind = tuple[tuple[int, ...], frozenset[int]]
        found: tuple[tuple[int, ...], frozenset[int]] = self._decoded(kind, "favourites", row=row)
        return found

    def of_run(self, run_id: str, row: int, start: int, stop: int, count: int) -> list[PositionLogprobs]:
        """As `token_logprobs.of_run`."""
        piece = _POSITIONS if count > _MANY else max(1, stop - start)
        found: list[PositionLogprobs] = []
        for first in range(start, stop, piece):
            asked = {"row": row, "start": first, "stop": min(first + piece, stop), "count": count}
            found += self._questions.logprobs("token_logprobs", run_id=self._there, **asked)
        return found

    def available(self, run_id: str) -> bool:
        """False too where nobody answers."""
        try:
            return bool(self._decoded(bool, "available"))
        except PlaygroundError:
            return False

    def forget(self, run_id: str) -> None:
        """Gives it up there."""
        self._questions.leave("forget", run_id=self._there)

    def _decoded(self, kind: Any, question: str, **arguments: Any) -> Any:
        return self._questions.decoded(kind, question, run_id=self._there, **arguments)


def _given(**arguments: Any) -> dict[str, Any]:
    """Without those that are None, for which the other side has its own default."""
    return {name: one for name, one in arguments.items() if one is not None}
