"""The page: which elements stand where, and which event of which element is answered by whom.

Knows no sampling and no model; what an event does is written in play.py.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from playground.machine.data_folder import TRAININGS
from playground.ui import api, card_updates, compose_form, tokens, waterfall
from playground.ui.batch_tab import BatchTab
from playground.ui.blocks import Blocks
from playground.ui.element import Element, data_of, element
from playground.ui.knobs import KnobPanel, panel_update
from playground.ui.model_host import ModelHost
from playground.ui.model_tab import ModelTab
from playground.ui.next_token_preview import NextTokenPreview
from playground.ui.owner import Owner
from playground.ui.page_texts import WORDS
from playground.ui.play import OWN_PRESET, Play
from playground.ui.read_tab import ReadTab, build_prompt_tokens
from playground.ui.reader import Reader
from playground.ui.request_queue import RequestQueue, StopSwitches
from playground.ui.run_view import RunView
from playground.ui.shared_store import SharedStore
from playground.ui.task_knobs import TaskKnobs
from playground.ui.train_tab import TrainTab
from playground.ui.updates import Updates, pieces_only
from playground.ui.user_tasks import UserTasks
from playground.ui.write_tab import WriteTab

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# Light work beside a run: it must not wait in line behind one.
_LIGHT: dict[str, Any] = {**_PRIVATE, "concurrency_limit": None, "trigger_mode": "always_last"}
_STOP: dict[str, Any] = {**_PRIVATE, "queue": False, "trigger_mode": "multiple"}
# The same for events that bring data of their own: always_last repeats what waited with the data of the first one.
_EVENT: dict[str, Any] = {**_LIGHT, "trigger_mode": "multiple"}
# A run keeps its own line; Gradio's would free a place before the model has let go.
_RUN: dict[str, Any] = {**_PRIVATE, "concurrency_limit": None, "trigger_mode": "multiple"}


Streaming = Callable[..., AsyncGenerator[Any, None]]


def _streamed(begin: Callable[..., AsyncGenerator[Any, None] | None]) -> Streaming:
    """A handler that yields all of what `begin` opens and, however it ends, closes it at once."""

    @functools.wraps(begin)
    async def handler(*given: Any) -> AsyncGenerator[Any, None]:
        opened = begin(*given)
        if opened is not None:
            async with aclosing(opened) as updates:
                async for one in updates:
                    yield one

    return handler


class Page:
    """The elements by name, and the wires between them."""

    def __init__(self, host: ModelHost, owner: Owner | None = None) -> None:
        queue, switches = RequestQueue(host.settings.limits, rows=host.settings.rows), StopSwitches()
        self._host, self.queue = host, queue
        owner = owner or Owner(host.settings)
        self._run_view = RunView(host.settings.limits.max_new_tokens)
        self._preview, self._reader = NextTokenPreview(host), Reader(host)
        self._shared = store = SharedStore(host.settings)
        self._model = ModelTab(host, owner, lambda: store.folder / TRAININGS)
        self.news = self._model.news
        self._read, self._batch = ReadTab(self._reader), BatchTab(host, queue, store)
        self._write = WriteTab(host, queue, store)
        self._train = TrainTab(host, owner, store)
        self._user_tasks = UserTasks()
        self._play = Play(host, queue, switches, self._run_view)
        self._knobs = TaskKnobs(self._play, self._preview)
        with Blocks(
            title=WORDS["title"].en,
            analytics_enabled=False,
            fill_width=True,
            limits=host.settings.limits,
            left=self._give_up,
            unheard=self._stop_all,
        ) as self.blocks:
            self._layout()
            self._wire()
            api.add(self.blocks, host, queue)
            self.blocks.unload(self._left)

    def stop(self, seconds: float) -> None:
        """The server ends: batches pause, within so many seconds."""
        self._batch.stop(seconds)

    def close(self) -> None:
        """Nothing more is kept."""
        self._train.close()
        self._shared.close()

    def _layout(self) -> None:
        self.feed = Element(None, html_template="", elem_id="feed", visible="hidden")  # see stream.js
        first = compose_form.first_form()
        values, act = self._play.task_values(first), {"path": self._host.settings.path}
        element("keys", None, folder="page")
        self.header = element("header", self._host.status(), folder="page")
        with gr.Row(elem_id="play"):
            with gr.Column(elem_id="composer", scale=3):
                with gr.Column(elem_id="desk"):
                    self.compose = element("compose", first, folder="compose", answered=0)
                    self._user_tasks.layout()
                    self.talk = element("talk", None, folder="talk")
                    self.seen = element("seen", {}, folder="play")
                    self.prompt_tokens = build_prompt_tokens()
                    most = self._host.settings.limits.candidates
                    self.act = element("act", act, folder="play", most=most)
                    self.cards = element("cards", None, folder="cards")
                    self.diagnosis = element("diagnosis", [], folder="cards")
                    self.tokens = tokens.build()
                with gr.Column(elem_id="dock"):
                    element("dock_head", None, folder="play")
                    self.next = waterfall.build(elem_id="next", scope="next", ahead=True)
                    self.waterfall = waterfall.build()
                    self.curve = tokens.build_curve()
            with gr.Column(elem_id="side", scale=2):
                self.drawer = element("drawer", None, folder="play")
                self.panel = KnobPanel(
                    values,
                    inert=self._play.inert_reasons(values, act),
                    presets=self._knobs.presets(first),
                    active_preset=OWN_PRESET,
                    preset_values=values,
                )
        self._read.layout()
        self._write.layout()
        self._batch.layout()
        self._train.layout()
        self._model.layout()

    def _wire(self) -> None:
        self.blocks.load(self._model.status, None, self.header, **_LIGHT)
        self.header.ask(self._model.status, None, self.header, **_LIGHT)
        self.header.wake(lambda: None, None, None, **_EVENT)  # see stream.js
        written = self.feed
        knobs = [self.panel, self.act]
        runs = [
            self.act.generate(self._generate, [self.compose, *knobs], written, **_RUN),
            self.cards.again(self._again, knobs, written, **_RUN),
            self.waterfall.branch(self._branch, knobs, written, **_RUN),
            self.tokens.diverge(self._branch, knobs, written, **_RUN),
            self.next.branch(self._begin, [self.compose, *knobs], written, **_RUN),
            self.talk.speak(self._speak, knobs, written, **_RUN),
        ]
        looks = [
            self.tokens.look(self._turned_to, None, None, **_EVENT),
            self.cards.look(self._opened, None, [self.feed, self.waterfall], **_EVENT),
            self.tokens.missed(self._opened, None, [self.feed, self.waterfall], **_EVENT),
        ]
        for event in (*runs, *looks):
            event.then(self._written, [self.panel], [self.panel, self.diagnosis, self.tokens, self.feed], **_LIGHT)
        for view in (self.tokens, self.curve, self.waterfall):
            view.pick(self._inside, self.panel, self.waterfall, **_EVENT)
        self.waterfall.ask(self._ask, self.panel, self.waterfall, **_EVENT)
        self.waterfall.close(self._inside_closed, None, None, **_EVENT)
        # One listener: of two that take turns with always_last, Gradio's page sets off each when the other has ended.
        self.panel.input(self._turned, knobs, [self.panel, self.waterfall, self.tokens, self.next], **_LIGHT)
        self.act.stop(self._stop, None, None, **_STOP)
        self.compose.look(self._look, [self.compose, self.panel], [self.seen, self.next], **_LIGHT)
        given = [self.panel, self.next]
        set_anew = [
            self.compose.pick(self._knobs.pick, [self.compose, *knobs], [*given, self.compose], **_LIGHT),
            self.panel.preset(self._knobs.preset, [self.compose, *knobs], given, **_EVENT),
        ]
        for event in set_anew:  # knobs that nobody turned: what they would do in the run that is looked at
            event.then(self._knobs_told, self.panel, [self.panel, self.tokens], **_LIGHT)
        self.act.path(self._knobs.turned, knobs, self.panel, **_LIGHT)
        self._user_tasks.wire(self.compose, self.panel, _EVENT)
        self._wire_readings()

    def _wire_readings(self) -> None:
        """What the model reads without writing: the next token, the prompt, any text."""
        self.act.look(self._next, [self.compose, self.panel, self.act], self.next, **_LIGHT)
        self.next.ask(self._next_asked, self.panel, self.next, **_EVENT)
        self.next.close(self._next_closed, None, None, **_LIGHT)
        self.seen.read(self._prompt_read, [self.compose, self.panel], self.feed, **_EVENT)
        self.prompt_tokens.stop(self._reading_stopped, None, None, **_STOP)
        self._read.wire(self.panel, self.feed, _LIGHT, _STOP)
        self._write.wire(self.panel, self.act, self.feed, _EVENT, _RUN, _STOP)
        self._batch.wire(self.panel, self.act, self.feed, _EVENT)
        self._train.wire(_EVENT)
        self._model.wire(self.header, _EVENT)

    @_streamed
    def _generate(self, filled: dict[str, Any], knobs: dict[str, Any], act: Any, request: gr.Request) -> Any:
        session = request.session_hash or ""
        return self._with_tokens(self._play.generate(filled, knobs, session, act), session)

    @_streamed
    def _again(self, knobs: dict[str, Any], act: Any, event: gr.EventData, request: gr.Request) -> Any:
        session = request.session_hash or ""
        return self._with_tokens(self._play.rerun(data_of(event), knobs, session, act), session)

    @_streamed
    def _branch(self, knobs: dict[str, Any], act: Any, event: gr.EventData, request: gr.Request) -> Any:
        """Goes on from one token of the newest run with another in its place; the run itself stays on its card."""
        session = request.session_hash or ""
        sent = self._run_view.branch(session, data_of(event))
        if sent is None:
            return None
        updates = self._play.rerun(sent, knobs, session, act)
        return self._with_tokens(updates, session, talk="talk" in sent["target"])

    @_streamed
    def _begin(
        self, filled: dict[str, Any], knobs: dict[str, Any], act: Any, event: gr.EventData, request: gr.Request
    ) -> Any:
        """A run of the prompt that was looked at, beginning with one of the alternatives."""
        session, talk = request.session_hash or "", filled.get("kind") == "talk"
        start = self._preview.start(data_of(event), session)
        if start is None:
            return None
        updates = self._play.generate_from_token(start, knobs, session, act, {"talk": None} if talk else None)
        return self._with_tokens(updates, session, talk=talk)

    @_streamed
    def _speak(self, knobs: dict[str, Any], act: Any, event: gr.EventData, request: gr.Request) -> Any:
        session = request.session_hash or ""
        return self._with_tokens(self._play.answer(data_of(event), knobs, session, act), session, talk=True)

    async def _with_tokens(
        self, cards: AsyncGenerator[card_updates.CardUpdate, None], session: str, *, talk: bool = False
    ) -> AsyncGenerator[Any, None]:
        """The updates for the cards or the conversation, and beside each what is new of the tokens."""
        updates, place = Updates(), "talk" if talk else "cards"
        async with aclosing(cards) as card_states:
            async for one in card_states:
                value = await asyncio.to_thread(self._run_view.tokens, session, one["run"]) if one["rows"] else None
                yield updates.of({place: one}, {} if value is None else {"tokens": tokens.piece(value)})

    def _written(self, knobs: dict[str, Any], request: gr.Request) -> Iterator[Any]:
        """A run has ended, or another is looked at: what each knob did in it, what there is to say, what knobs turned
        meanwhile would change, and its figures. Nothing is sent where the session looks elsewhere by now."""
        session, same = request.session_hash or "", gr.skip()
        for said, more in self._run_view.asking(session):
            knobs = dict(self._run_view.turned(session) or knobs)
            badges = panel_update(badges=self._run_view.badges(session, knobs)) if more else same
            yield [badges, same, gr.update(replay=said), same]
        looking = self._run_view.viewed(session)
        knobs = dict(self._run_view.turned(session) or knobs)
        badges, findings = self._run_view.badges(session, knobs), self._run_view.findings(session)
        replay, figures = self._run_view.replay(session, knobs), self._run_view.figures(session)
        if self._run_view.viewed(session) != looking:
            yield [same] * 4
            return
        new = pieces_only({"tokens": tokens.piece(figures)}) if figures else same
        yield [panel_update(badges=badges), findings, gr.update(replay=replay), new]

    def _turned_to(self, event: gr.EventData, request: gr.Request) -> None:
        """Another candidate of the same run is looked at."""
        self._run_view.select_row(request.session_hash or "", data_of(event))

    def _opened(self, event: gr.EventData, request: gr.Request) -> Any:
        """Another version of a card is looked at, and with it the run that wrote it."""
        value = self._run_view.open(request.session_hash or "", data_of(event))
        return (pieces_only({"tokens": tokens.piece(value)}), {}) if value else (gr.skip(), gr.skip())

    def _inside(self, knobs: dict[str, Any], event: gr.EventData, request: gr.Request) -> Iterator[Any]:
        session, where = request.session_hash or "", data_of(event)
        if (asks := self._run_view.asks(session, where)) is not None:
            yield asks
        yield self._now(session, self._run_view.breakdown(session, where), knobs)

    def _now(self, session: str, value: dict[str, Any], knobs: dict[str, Any]) -> dict[str, Any]:
        """The inside of a token under the knobs as they are, where they are others than its run's."""
        now = self._run_view.follow(session, knobs) if "stages" in value else None
        if now is None or not now.get("turned"):
            return value
        return {**now, "live": False, "error": value["error"]}

    def _inside_closed(self, request: gr.Request) -> None:
        self._run_view.close(request.session_hash or "")

    def _ask(self, knobs: dict[str, Any], event: gr.EventData, request: gr.Request) -> Any:
        session, asked = request.session_hash or "", data_of(event)
        found = self._run_view.breakdown(session, asked, search=str(asked.get("text", ""))[:200])
        return self._now(session, found, knobs)

    def _turned(self, knobs: dict[str, Any], act: Any, request: gr.Request) -> Iterator[Any]:
        """A knob was turned: the inside of a token, the next token, the text and the badges follow."""
        session, same = request.session_hash or "", gr.skip()
        inside, ahead = self._run_view.follow(session, knobs), self._preview.update(knobs, session)
        yield [
            self._knobs.turned(knobs, act),
            same if inside is None else inside,
            same,
            same if ahead is None else ahead,
        ]
        yield [same, same, self._replay(knobs, request), same]
        yield [self._badges(knobs, request), same, same, same]

    def _replay(self, knobs: dict[str, Any], request: gr.Request) -> Any:
        return gr.update(replay=self._run_view.replay(request.session_hash or "", knobs))

    def _badges(self, knobs: dict[str, Any], request: gr.Request) -> Any:
        session = request.session_hash or ""
        if self._run_view.viewed(session) is None:
            return gr.skip()
        return panel_update(badges=self._run_view.badges(session, knobs))

    def _knobs_told(self, knobs: dict[str, Any], request: gr.Request) -> Any:
        return self._badges(knobs, request), self._replay(knobs, request)

    def _stop(self, request: gr.Request) -> None:
        self._play.stop(request.session_hash or "")

    def _left(self, request: gr.Request) -> None:
        """The tab was closed."""
        self._give_up(request.session_hash or "")

    def _stop_all(self, session: str) -> None:
        """Nobody listens for this session any more: whatever it runs ends."""
        self._play.stop(session)
        self._reader.stop(session)
        self._preview.close(session)
        self._write.stop(session)

    def _give_up(self, session: str) -> None:
        """The session is over: besides, what was kept for it is given up."""
        self._stop_all(session)
        self._run_view.leave(session)
        self._batch.left(session)
        self._train.left(session)

    def _look(self, filled: dict[str, Any], knobs: dict[str, Any], request: gr.Request) -> Any:
        stale = self._preview.stale(filled, knobs, request.session_hash or "")
        # Which asking this answers: the page hears of it where the same stands, and knows where it is of an older text.
        looked = filled.get("looked")
        seen = {**self._play.look(filled, knobs), "looked": looked if type(looked) is int else 0}
        return seen, gr.skip() if stale is None else gr.update(stale=stale)

    def _next(self, filled: dict[str, Any], knobs: dict[str, Any], act: Any, request: gr.Request) -> Any:
        value = self._preview.look(filled, knobs, request.session_hash or "", act)
        return gr.skip() if value is None else gr.update(value=value, stale=False)

    def _next_asked(self, knobs: dict[str, Any], event: gr.EventData, request: gr.Request) -> Any:
        value = self._preview.ask(data_of(event), knobs, request.session_hash or "")
        return gr.skip() if value is None else value

    def _next_closed(self, request: gr.Request) -> None:
        self._preview.close(request.session_hash or "")

    def _prompt_read(self, filled: dict[str, Any], knobs: dict[str, Any], request: gr.Request) -> Iterator[Any]:
        for update in self._reader.seen(filled, knobs, request.session_hash or ""):
            yield pieces_only({"seen-tokens": tokens.piece(**update)})

    def _reading_stopped(self, request: gr.Request) -> None:
        self._reader.stop(request.session_hash or "")
