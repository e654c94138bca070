"""What happens on Play: one method an event. Each takes what the elements hold and returns what they should show.

Knows no layout and no Gradio component; a session is only a name here, so sessions cannot see each other.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from playground import conversation, generate, parameters
from playground.evaluation import fitness, recommend
from playground.generators.checks import honoured, lacking, without_lacking
from playground.inspection import inspect_api
from playground.parameters.inert import inert
from playground.run import Run
from playground.tasks import knob_presets
from playground.tasks.loader import Task
from playground.types import Generator, ModelCard, PlaygroundError, Rendered, Request, Text
from playground.ui import card_updates, compose_form, written_by
from playground.ui.card_updates import CardUpdate
from playground.ui.model_host import ModelHost
from playground.ui.next_token_preview import ChosenToken
from playground.ui.page_texts import UNCOUNTED, UNEXPECTED, bilingual
from playground.ui.request_queue import RequestQueue, StopSwitches
from playground.ui.run_stream import WaitState, stream_run
from playground.ui.run_view import RunView

OWN_PRESET = "own"  # the task's own values, in the panel's list of presets
NO_PRESETS = ("seed", "n", "max_new_tokens")  # what a preset of knobs is not about
_NAMED = 8  # control tokens that were typed, in a sentence
SHOWN = 6_000  # characters of a prompt shown at each end; a whole book would only slow the browser
log = logging.getLogger(__name__)
Form = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeftKnobs:
    """Knobs that were left for another place or a reload: the preset they began with, its values, and theirs."""

    preset: str
    preset_values: dict[str, Any]
    values: dict[str, Any]


class Play:
    """The events of the Play page over one Host."""

    def __init__(self, host: ModelHost, queue: RequestQueue, switches: StopSwitches, run_view: RunView) -> None:
        self._host = host
        self._run_view = run_view
        self._queue = queue
        self._switches = switches

    def generate(
        self, form: Form, knobs: Form, session: str, act: Form | None = None
    ) -> AsyncGenerator[CardUpdate, None]:
        """The updates of a whole new run. `act` holds the path that was chosen, here and below."""

        def ask(card: ModelCard) -> Request:
            return self._with_id(compose_form.request_of(form, knobs, card), act, card)

        return self._card_updates(ask, session, part=compose_form.task_part(form))

    def rerun(self, sent: Form, knobs: Form, session: str, act: Form | None = None) -> AsyncGenerator[CardUpdate, None]:
        """The updates of one card that is regenerated or continued."""

        def ask(card: ModelCard) -> Request:
            return self._with_id(compose_form.rerun_request(sent, knobs, card), act, card)

        before = sent.get("request") or {}
        base = sent.get("text", "") if sent.get("action") == "continue" else ""
        parted = card_updates.branch_point(sent)
        return self._card_updates(ask, session, before=before, target=sent.get("target"), base=base, parted=parted)

    def answer(
        self, sent: Form, knobs: Form, session: str, act: Form | None = None
    ) -> AsyncGenerator[CardUpdate, None]:
        """The updates of one answer in a conversation. `left_out` is how many old turns the page said will not fit."""

        def ask(card: ModelCard) -> Request:
            generator = self._host.with_card(card)
            request = compose_form.on_path(compose_form.turn_request(sent, knobs, card), act, generator)
            found, left_out = self._fitted(request, generator), sent.get("left_out")
            conversation.check_left_out(found, left_out if type(left_out) is int else 0)
            return replace(found.request, keep=inspect_api.new_run_id())

        asked = {name: sent.get(name) for name in ("system", "turns")} | {"prompt": sent.get("message"), "mode": "chat"}
        base = str(sent.get("prefill") or "")
        return self._card_updates(ask, session, before=asked, target={"talk": sent.get("talk")}, base=base)

    def generate_from_token(
        self, start: ChosenToken, knobs: Form, session: str, act: Form | None = None, target: Form | None = None
    ) -> AsyncGenerator[CardUpdate, None]:
        """The updates of a whole new run whose texts begin with a chosen token."""
        asked = compose_form.card_request(start.request, start.part)

        def ask(card: ModelCard) -> Request:
            request = replace(start.request, values=parameters.validate(knobs))
            request = compose_form.in_task_form(request, asked)
            return self._with_id(replace(request, prefill=request.prefill + start.text, written=start.text), act, card)

        base = start.text
        if target is not None:  # a turn shows the whole answer, a card what was written of it
            asked, base = {**asked, "prefill": ""}, start.request.prefill + start.text
        return self._card_updates(ask, session, before=asked, target=target, base=base)

    def _with_id(self, request: Request, act: Form | None, card: ModelCard) -> Request:
        """The request on its path, with the turns that fit, to be kept under a new id."""
        generator = self._host.with_card(card)
        if request.turns:
            request = self._fitted(request, generator).request
        return replace(compose_form.on_path(request, act, generator), keep=inspect_api.new_run_id())

    def _fitted(self, request: Request, generator: Generator) -> conversation.Fitted:
        """With the turns that fit into the model's window and this server's limits."""
        most = self._host.settings.limits.prompt_characters
        return conversation.fitted(generate.checked(request), generator.render, most)

    async def _card_updates(
        self,
        ask: Callable[[ModelCard], Request],
        session: str,
        *,
        part: Form | None = None,
        before: Form | None = None,
        target: Any = None,
        base: str = "",
        parted: CardUpdate | None = None,
    ) -> AsyncGenerator[CardUpdate, None]:
        """Every state of an answer as an update; an error is an update too, so that nothing on the page is lost."""
        name = uuid.uuid4().hex[:12]
        switch = self._switches.begin(session)
        run: Run | None = None
        task: Task | None = None
        asked: Form = {}
        try:
            async with aclosing(stream_run(ask, self._host, self._queue, switch)) as states:
                async for state in states:
                    if isinstance(state, WaitState):
                        yield card_updates.waiting_update(name, state.reason)
                        continue
                    if run is None:
                        given = compose_form.card_request(state.request, part or {}) if before is None else before
                        asked = written_by.signed(state, given, base)
                        task = await asyncio.to_thread(compose_form.task_asked, asked)
                        await asyncio.to_thread(self._run_view.add, session, name, state, asked, target, base)
                    run = state
                    yield card_updates.run_update(
                        name, run, run.card or self._host.generator.card, asked, target, base, parted, task
                    )
            if run is None:  # stopped before its turn came
                yield card_updates.card_update("done", name)
        except PlaygroundError as error:
            yield card_updates.refused_update(name, error)
        except Exception:  # the last edge before the browser: the terminal gets the traceback, the visitor a sentence
            log.exception("A run failed")
            yield card_updates.refused_update(name, PlaygroundError(UNEXPECTED))
        finally:
            self._switches.end(session, switch)

    def stop(self, session: str) -> None:
        self._switches.stop(session)

    def look(self, form: Form, knobs: Form) -> dict[str, Any]:
        """What the model would see now, its tokens against the window, and whether it falls short of the task."""
        generator = self._host.loaded
        if generator is None:
            return {}
        return {**self._seen(form, knobs, generator), "remark": bilingual(_remark(form, generator.card))}

    def _seen(self, form: Form, knobs: Form, generator: Generator) -> dict[str, Any]:
        """Says nothing of what is not filled in."""
        mode = compose_form.mode_of(form, generator.card)
        try:
            request = compose_form.request_of(form, knobs, generator.card)
            mode = request.mode  # a task without a chat form is continued
            generate.check_texts(request)
            if not (request.prompt.strip() or request.prefill.strip() or request.turns):
                return {"used": 0, "context": generator.card.context, "mode": mode, "text": ""}
            if request.prompt.strip() or request.prefill.strip():
                request = generate.checked(request)
            request, _ = without_lacking(request, generator)
            limits = self._host.settings.limits
            found = conversation.fitted(request, generator.render, limits.prompt_characters)
            generate.check_limits(found.request, limits)
            rendered = generator.render(found.request)
        except PlaygroundError as error:
            return {"reason": {"en": error.say("en"), "zh": error.say("zh")}, "mode": mode}
        if not generator.knows_tokens:
            return {"uncounted": bilingual(UNCOUNTED), "mode": mode, **_shortened(rendered)}
        used, asked = len(rendered.token_ids), request.values["max_new_tokens"]
        return {
            "used": used,
            "context": rendered.context,
            "over": used >= rendered.context,
            "left_out": found.left_out,
            "warning": bilingual(_warning(used, asked, rendered.context)),
            "mode": mode,
            "as_text": list(rendered.as_text[:_NAMED]),
            "notice": bilingual(rendered.notice),
            **_shortened(rendered),
        }

    def inert_reasons(self, knobs: Form, act: Form | None = None) -> dict[str, Text]:
        """Knobs without effect under these values on the chosen path, each with the reason."""
        generator = self._host.loaded
        try:
            values = parameters.validate(knobs)
            path = compose_form.path_of(values, act, generator)
            reasons = inert(values, path=path, on_gpu=generator is not None and generator.card.on_gpu)
            return reasons if generator is None else reasons | lacking(generator)
        except PlaygroundError:
            return {}  # the panel itself says what is wrong with a value; reasons come back once it is mended

    def biased_tokens(self, knobs: Form) -> dict[str, Any]:
        """The tokens that biased texts and ids are, for the chips beside their knobs."""
        generator = self._host.loaded
        try:
            return {} if generator is None else inspect_api.biased(generator, parameters.validate(knobs))
        except PlaygroundError:
            return {}  # the panel itself says what is wrong with a value

    def preset(self, chosen: str, form: Form) -> dict[str, Any]:
        """The values of a knob preset; the model's own come from the card of what is loaded."""
        if chosen == OWN_PRESET:
            return self.task_values(form)
        generator = self._host.loaded
        defaults = generator.card.generation_defaults if generator else {}
        return self._honoured(parameters.validate(knob_presets.values(chosen, defaults)))

    def task_values(self, form: Form) -> dict[str, Any]:
        """The knobs as the chosen task wants them."""
        generator = self._host.loaded
        return self._honoured(compose_form.preset_values(form, generator.card if generator else None))

    def _honoured(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values that no visitor chose, neutral where they would be refused; the knob itself says what is lacking."""
        generator = self._host.loaded
        return values if generator is None else honoured(values, generator)

    def left_values(self, form: Form) -> LeftKnobs | None:
        """The knobs as the page kept them (form_kept.js) of an earlier visit; None where nothing was kept.

        A knob that is no longer valid has the value of its preset, and a preset that is no longer there is the task's.
        """
        left = form.get("restored")
        if not isinstance(left, Mapping):
            return None
        knobs, preset = left.get("knobs"), str(left.get("preset", ""))
        kept = parameters.valid_ones(knobs if isinstance(knobs, Mapping) else {})
        try:
            values = self.preset(preset, form)
        except PlaygroundError:
            preset, values = OWN_PRESET, self.task_values(form)
        if preset != OWN_PRESET:
            values = {**values, **{name: kept[name] for name in NO_PRESETS if name in kept}}
        return LeftKnobs(preset, values, {**values, **kept})

    def untouched(self, form: Form, knobs: Form) -> bool:
        """True while the knobs are as the task sets them in one of its languages and forms."""
        shaped = {name: value for name, value in knobs.items() if name != "seed"}
        return any(
            {**self._honoured(values), "seed": None} == {**shaped, "seed": None}
            for values in compose_form.task_values_of_all_forms(form)
        )


def _remark(form: Form, card: ModelCard) -> Text | None:
    """Whether the model falls short of what is chosen; an own task that cannot be read is reported elsewhere."""
    try:
        task = compose_form.task_of(form)
    except PlaygroundError:
        return None
    if task is not None:
        # what was read and kept the form says itself
        return recommend.beforehand(task, compose_form.language_of(form), card, own=bool(form.get("own")), read=False)
    language = fitness.language_of(compose_form.typed(form)) or compose_form.language_of(form)
    if form.get("kind") == "complete":  # often one to try a knob on: how well the model writes does not matter there
        return recommend.not_made(language, card)
    return recommend.in_general(language, card)


def _warning(used: int, asked: int, context: int) -> Text | None:
    if used >= context:
        return Text(
            f"The prompt has {used:,} tokens; the model reads at most {context:,}. Shorten it.",
            f"提示词有 {used:,} 个词元，模型最多读 {context:,} 个。请缩短它。",
        )
    if used + asked > context:
        return Text(
            f"Room for {context - used:,} of the {asked:,} new tokens asked for; the text will end there.",
            f"只剩 {context - used:,} 个词元的空间（要求 {asked:,} 个），文本会在那里结束。",
        )
    return None


def _shortened(rendered: Rendered) -> dict[str, Any]:
    """The text, or its two ends, and where control tokens act in them, counted as a browser counts (UTF-16)."""
    text, length = rendered.text, len(rendered.text)
    if length <= 2 * SHOWN:
        return {"text": text, "controls": _within(rendered, 0, length)}
    return {
        "text": text[:SHOWN],
        "controls": _within(rendered, 0, SHOWN),
        "cut": length - 2 * SHOWN,
        "tail": text[-SHOWN:],
        "tail_controls": _within(rendered, length - SHOWN, length),
    }


def _within(rendered: Rendered, start: int, stop: int) -> list[list[int]]:
    found, place, before = [], start, 0
    for begins, ends in rendered.controls:
        if start <= begins and ends <= stop:
            before += _utf16(rendered.text[place:begins])
            size = _utf16(rendered.text[begins:ends])
            found.append([before, before + size])
            place, before = ends, before + size
    return found


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
