"""The next token before any run: each session's prompt that is looked at, and what the knobs make of it as they move.

Knows no layout. A session is only a name here, and each sees its own prompt alone.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from playground import generate, parameters
from playground.conversation import fitted
from playground.generators.checks import without_lacking
from playground.inspection import inspect_api
from playground.types import PlaygroundError, Request, Stopped, Text
from playground.ui import compose_form, waterfall
from playground.ui.model_host import ModelHost
from playground.ui.page_texts import BEAMS_NEXT, ENGINE_DRAWS, FIRST_OF_MANY, NEXT_EXACT, NO_SEED, UNEXPECTED, bilingual
from playground.ui.request_queue import ReadQueue
from playground.ui.tokens import Value

_MOST_SESSIONS = 64  # a session that is pushed out presses the button again
_SEARCH = 200  # characters of a token that is asked about
log = logging.getLogger(__name__)
Form = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChosenToken:
    """A run that is to begin with a chosen token: the request as it was looked at, and what the token writes.

    `part` is what is to be remembered of its task.
    """

    request: Request
    part: Mapping[str, Any]
    text: str


@dataclass(slots=True)
class _Preview:
    name: str
    request: Request
    part: Mapping[str, Any]
    search: str | None = None
    begins: dict[int, str] = field(default_factory=dict)
    value: Value = field(default_factory=dict)


def _values(look: _Preview, knobs: Form) -> dict[str, Any]:
    return compose_form.with_task_form(parameters.validate(knobs), {"task": look.request.task, **look.part})


class NextTokenPreview:
    """All sessions' looks. Methods may be called from any thread; None means that there is nothing new to show."""

    def __init__(self, host: ModelHost) -> None:
        self._host = host
        self._queue = ReadQueue(at_once=2, waiting=6)
        self._looks: dict[str, _Preview] = {}
        self._lock = threading.Lock()

    def look(self, form: Form, knobs: Form, session: str, act: Form | None = None) -> Value | None:
        """The next token after what is filled in now: one model pass. `act` holds the path that was chosen."""
        name = uuid.uuid4().hex[:12]
        try:
            request = compose_form.on_path(checked_request(form, knobs, self._host), act, self._host.generator)
            look = _Preview(name, request, compose_form.task_part(form))
            value = self._shown(look, request.values, session)
        except PlaygroundError as error:
            return self._refused(name, session, error)
        except Exception:  # the last edge before the browser: the terminal gets the traceback, the visitor a sentence
            log.exception("A look at the next token failed")
            return self._refused(name, session, PlaygroundError(UNEXPECTED))
        if value is not None:
            self._keep(session, look)
        return value

    def update(self, knobs: Form, session: str) -> Value | None:
        """The same prompt under the knobs as they are now, without the model."""
        look = self._looks.get(session)
        if look is None:
            return None
        try:
            value = self._shown(look, _values(look, knobs), session)
        except PlaygroundError as error:
            return waterfall.with_error(look.value, error) | {"live": True}
        return None if value is None else value | {"live": True}

    def ask(self, where: Form, knobs: Form, session: str) -> Value | None:
        """The same with the outcome of one more token."""
        look = self._find(where, session)
        if look is None:
            return None
        before, look.search = look.search, str(where.get("text", ""))[:_SEARCH]
        try:
            return self._shown(look, _values(look, knobs), session)
        except PlaygroundError as error:
            look.search = before
            return waterfall.with_error(look.value, error)

    def stale(self, form: Form, knobs: Form, session: str) -> bool | None:
        """Whether the prompt is another one than the one looked at; None where nothing is looked at."""
        look = self._looks.get(session)
        if look is None:
            return None
        try:
            return _prompt(checked_request(form, knobs, self._host)) != _prompt(look.request)
        except PlaygroundError:
            return True

    def start(self, where: Form, session: str) -> ChosenToken | None:
        """What it takes to begin an answer with one of the alternatives; None where there is no such alternative.

        The panel closes with it.
        """
        look = self._find(where, session)
        token_id = where.get("token_id")
        if look is None or type(token_id) is not int or token_id not in look.begins:
            return None
        self.close(session)
        return ChosenToken(look.request, look.part, look.begins[token_id])

    def close(self, session: str) -> None:
        """The panel or the tab was closed: a prompt is read no further, and what was kept for it is given up."""
        self._queue.stop(session)
        self._forget(session)

    def _forget(self, session: str) -> None:
        with self._lock:
            known = self._looks.pop(session, None)
        if known is not None:
            inspect_api.forget_next(session)

    def _refused(self, name: str, session: str, error: PlaygroundError) -> Value:
        self._forget(session)
        return waterfall.refused_value(name, 0, 0, error)

    def _keep(self, session: str, look: _Preview) -> None:
        with self._lock:
            self._looks.pop(session, None)
            self._looks[session] = look
            while len(self._looks) > _MOST_SESSIONS:
                self._looks.pop(next(iter(self._looks)))

    def _find(self, where: Form, session: str) -> _Preview | None:
        """The look that an event of the page names; all of it comes from a browser."""
        look = self._looks.get(session)
        return look if look is not None and where.get("run") == look.name else None

    def _shown(self, look: _Preview, values: Mapping[str, Any], session: str) -> Value | None:
        with self._host.in_use() as (generator, ends), self._queue.place(session) as place:
            if place.over:
                return None
            if inspect_api.tells_vocabulary(generator):  # what the engine would refuse is not shown as if it acted
                asked, _ = without_lacking(replace(look.request, values=values), generator)
                generate.check_generator(asked, generator)
                values = asked.values
            try:
                found = inspect_api.next_token(
                    generator,
                    look.request,
                    values,
                    session=session,
                    search=look.search,
                    limits=self._host.settings.limits,
                    halted=lambda: place.over or self._host.stopping.is_set() or ends.is_set(),
                )
            except Stopped:
                return None
        note = _note(values, found, look.request) if generator.own_draws else _engine_note(values)
        if values["num_beams"] > 1:
            found = replace(found, draw=None)
        ids = [outcome.token.token_id for outcome in found.outcomes]
        writes = {token_id: inspect_api.written(generator, token_id) for token_id in ids}
        look.begins = {token_id: text for token_id, text in writes.items() if text}
        value = waterfall.waterfall_value(look.name, 0, found, search=look.search)
        outcomes = [{**outcome, "begins": outcome["id"] in look.begins} for outcome in value["outcomes"]]
        look.value = {**value, "outcomes": outcomes, "note": bilingual(note)}
        return look.value


def checked_request(form: Form, knobs: Form, host: ModelHost) -> Request:
    """What the form asks for, within this server's limits, with the turns that fit.

    Raises PlaygroundError, also while the model loads.
    """
    request = compose_form.request_of(form, knobs, host.generator.card)
    generate.checked(request)
    limits = host.settings.limits
    if request.turns:
        request = fitted(request, host.generator.render, limits.prompt_characters).request
    generate.check_limits(request, limits)
    return request


def _prompt(request: Request) -> tuple[object, ...]:
    return request.prompt, request.system, request.prefill, request.mode, request.turns, request.special_tokens


def _engine_note(values: Mapping[str, Any]) -> Text | None:
    """At temperature 0 nothing is drawn, so it is the very token that the engine takes."""
    return None if values["temperature"] == 0 else ENGINE_DRAWS


def _note(values: Mapping[str, Any], found: inspect_api.StageBreakdown, request: Request) -> Text | None:
    if values["num_beams"] > 1:
        return BEAMS_NEXT
    if found.draw is None:
        return NO_SEED
    if request.path == "fast":
        return NEXT_EXACT
    return FIRST_OF_MANY if values["n"] > 1 and not found.greedy else None
