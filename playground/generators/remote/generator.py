"""An engine behind a URL as a generator: renders through it, and runs each candidate as a request of its own.

Texts of one engine are written at most as many at a time as it has slots; the others wait in line. Knows no page and no
kind of engine.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, cast

from playground import thinking
from playground.decoding.failures import why
from playground.decoding.row import Setting, effect
from playground.decoding.run_store import RUN_STORE, StoredRun
from playground.decoding.step_stream import StepStream
from playground.generators.checks import check_ids, check_request, check_room, rows_seeds
from playground.generators.remote import failures, sample_here
from playground.generators.remote.adapter import Adapter, EngineFacts, ReadingAdapter, RowRequest
from playground.generators.remote.engine_reader import EngineReader
from playground.generators.remote.http_client import EngineClient, begin
from playground.generators.remote.line import Line
from playground.generators.remote.row_writer import SHOWN, RowWriter
from playground.generators.remote.step_scores import StepScores
from playground.parameters.inert import check_combination
from playground.rendering.detokenize import Labels
from playground.rendering.spellings import biased_ways
from playground.thinking import opened_after
from playground.types import FastPath, FinishReason, ModelCard, Path, Rendered, Request, Step, Text

FRESH_SEED = -1
Figures = Literal["later", "all", "top"]
LOOK = 0.05  # seconds between looks whether a request is still wanted; hundreds may wait in line
_AFTER_END = 4  # events that are still read behind the last token, so that the connection can be used again
DEFAULT_SLOTS = 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a request became before anything was asked of the engine. `values` are those that have an effect."""

    request: Request
    rendered: Rendered
    setting: Setting | None
    most: int
    at_most: FinishReason
    seeds: tuple[int, ...]
    stored: StoredRun | None
    thinks: str | None
    visible: Mapping[int, str]


class RemoteGenerator:
    """One engine. With `sample_here` it gives the scores of one step at a time, and our own chain draws from them.

    `figures` says when a run that is kept has the log-probabilities of the whole vocabulary: they come with each token,
    which takes time ("all"), are asked for when somebody looks inside ("later"), or not at all ("top").
    `at_once` bounds the texts that are written at a time; None leaves it to the engine's slots.
    """

    traces = False

    def __init__(
        self,
        client: EngineClient,
        adapter: Adapter,
        *,
        sample_here: bool = False,
        figures: Figures = "later",
        at_once: int | None = None,
    ) -> None:
        self.client = client
        self.adapter = adapter
        self.sample_here = sample_here
        self._figures: Figures = "all" if sample_here else figures
        self._keeps = adapter.scores_all and self._figures != "top"
        if sample_here:
            sample_here_check(adapter)
        self.paths: frozenset[Path] = frozenset({"exact"})
        self.fast = FastPath(why_not=Text("An engine behind a URL has one path only.", "远程引擎只有一条路径。"))
        self._line = Line(at_once or adapter.facts.slots or DEFAULT_SLOTS)

    @property
    def facts(self) -> EngineFacts:
        return self.adapter.facts

    @property
    def name(self) -> str:
        return self.facts.title

    @property
    def card(self) -> ModelCard:
        return self.facts.card

    @property
    def parameters(self) -> frozenset[str]:
        return sample_here.HONOURED if self.sample_here else self.adapter.parameters

    @property
    def lacks(self) -> Mapping[str, Text]:
        """Why it does not honour the other parameters, each in a sentence."""
        return sample_here.LACKS if self.sample_here else self.adapter.lacks

    @property
    def knows_tokens(self) -> bool:
        """Whether it tells the tokens of a text, not the text alone."""
        return self.adapter.tokenizer is not None

    @property
    def slots(self) -> int:
        return self._line.at_once

    @property
    def own_draws(self) -> bool:
        """Whether tokens are drawn with this program's random numbers, so that a run can be replayed."""
        return self.sample_here

    @cached_property
    def score_source(self) -> StepScores:
        """Who tells the scores of single steps."""
        return StepScores(self.client, self.adapter, self._line)

    @cached_property
    def vocabulary(self) -> EngineReader | None:
        """What reads texts with this engine's scores; None where its tokens or their figures are not known here."""
        if self.adapter.tokenizer is None:
            return None
        return EngineReader(self, cast(ReadingAdapter, self.adapter))

    def biased(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As a model on this machine tells it, by the engine's tokenizer; nothing where that is not known here."""
        return {} if self.adapter.tokenizer is None else biased_ways(self.adapter.tokenizer, self.labels, values)

    def setting(self, request: Request, rendered: Rendered, cancelled: threading.Event | None = None) -> Setting:
        """What our own chain needs of a request, where the engine's tokens are known here."""
        values, greedy = effect(request.values, has_eos=True)
        chat = request.mode == "chat"
        thinks = opened_after(request.prefill, rendered.thinks) if chat else None
        halted, tokenizer = cancelled or threading.Event(), self.adapter.tokenizer
        found = sample_here.setting(request, values, greedy, rendered, tokenizer, self.labels, halted, thinks)
        return replace(found, visible=self._thought_marks if chat else {})

    def close(self) -> None:
        """Closes the connections to the engine."""
        self.client.close()

    def render(self, request: Request) -> Rendered:
        """What the engine will read. Raises Refused or InvalidRequest where it cannot."""
        check_request(request, self.card, self.paths)
        return self.adapter.render(request)

    def stream(self, request: Request) -> Iterator[Step]:
        """Steps of all candidates. Whatever can be refused is refused by this call, before the first Step."""
        return self.open(request, threading.Event()).steps()

    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        """The same for a reader who never waits; no thread of its own."""
        prepared = self._prepared(request, cancelled)
        stream = StepStream(cancelled)
        ticket = self._line.ticket(len(prepared.seeds))
        stream.place = ticket.place
        begin(self._run(prepared, stream, ticket))
        return stream

    def _prepared(self, request: Request, cancelled: threading.Event) -> Prepared:
        rendered = self.render(request)
        check_room(rendered, self.card.title)
        check_combination(request.values)
        if request.values["seed"] == FRESH_SEED:
            request = replace(request, values={**request.values, "seed": secrets.randbits(31)})
        values, _ = effect(request.values, has_eos=True)
        tokenizer = self.adapter.tokenizer
        if tokenizer is not None:
            check_ids(values, len(tokenizer))
        if not self.sample_here:
            self.adapter.check(request)
        room = rendered.context - len(rendered.token_ids)
        most = min(values["max_new_tokens"], room)
        seeds = tuple(rows_seeds(request.values["seed"], values["n"]))
        chat = request.mode == "chat"
        visible = self._thought_marks if chat else {}
        thinks = opened_after(request.prefill, rendered.thinks) if chat else None
        setting = None if tokenizer is None else self.setting(request, rendered, cancelled)
        stored = None
        if request.keep and setting is not None and self._keeps:
            stored = RUN_STORE.open(request.keep, request.values, setting, seeds)
            stored.own_draws = self.own_draws
            stored.source = self.score_source
        elif request.keep and setting is not None:
            RUN_STORE.withhold(request.keep, _likeliest_only(self.adapter))
        at_most: FinishReason = "length" if most == values["max_new_tokens"] else "context"
        return Prepared(request, rendered, setting, most, at_most, seeds, stored, thinks, visible)

    async def _run(self, prepared: Prepared, stream: StepStream, ticket: Line.Ticket) -> None:
        """All rows side by side, until they are over or nobody wants them any more."""
        rows = [asyncio.ensure_future(self._row(prepared, row, stream, ticket)) for row in range(len(prepared.seeds))]
        error: BaseException | None = None
        try:
            while not all(row.done() for row in rows):
                if stream.cancelled.is_set():
                    break
                await asyncio.wait(rows, timeout=LOOK)
        except BaseException as failed:  # noqa: BLE001 - handed on to the reader, who raises it
            error = failed
        for row in rows:
            row.cancel()
        for found in await asyncio.gather(*rows, return_exceptions=True):
            if isinstance(found, Exception):
                error = found
        ticket.leave()
        if prepared.stored is not None:
            prepared.stored.close()
        stream.end(error)

    async def _row(self, prepared: Prepared, row: int, stream: StepStream, ticket: Line.Ticket) -> None:
        if stream.cancelled.is_set():
            return
        async with ticket.turn():
            if self.sample_here:
                await sample_here.run(self.client, self.adapter, prepared, row, stream)
                return
            writer = self._writer(prepared, row)
            try:
                async with asyncio.timeout(prepared.request.values["max_time"] or None):
                    await self._written(prepared, row, writer, stream, ticket)
            except TimeoutError:
                if writer.finish is None:
                    stream.put(writer.end("time"))
            except Exception as error:  # noqa: BLE001 - one row's failure is its own; its text stays
                if writer.finish is None:
                    stream.put(writer.end("error", why(error)))

    async def _written(
        self, prepared: Prepared, row: int, writer: RowWriter, stream: StepStream, ticket: Line.Ticket
    ) -> None:
        """The engine writes one text; ends once it has an end. Raises EngineError."""
        whole = prepared.stored is not None and self._figures == "all"
        top = SHOWN if prepared.request.watched and not whole else 0
        asked = RowRequest(prepared.request, prepared.rendered, prepared.seeds[row], prepared.most, top, whole)
        reader = self.adapter.reader(asked)
        more, last = 0, None
        try:
            async with aclosing(self.client.stream(*self.adapter.call(asked), waiting=ticket.wait)) as events:
                async for event in events:
                    more += last is not None
                    for step in writer.take_all(reader.read(event)):
                        if step.finish is None:
                            stream.put(step)
                        else:
                            last = step
                    if writer.stopped or more > _AFTER_END:
                        return
        finally:
            if last is not None:  # behind the end an engine tells how many tokens it has counted
                stream.put(replace(last, usage=reader.usage))
        if writer.finish is None:
            raise failures.broke_off(self.client.host)

    def _writer(self, prepared: Prepared, row: int) -> RowWriter:
        return RowWriter(
            row,
            prepared.request.values,
            self.adapter.tokenizer,
            prepared.rendered.token_ids,
            most=prepared.most,
            at_most=prepared.at_most,
            visible=prepared.visible,
            thinks=prepared.thinks,
            stored=None if prepared.stored is None else prepared.stored.rows[row],
        )

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.adapter.tokenizer)

    @cached_property
    def _thought_marks(self) -> Mapping[int, str]:
        """Special tokens that a chat shows all the same."""
        if self.adapter.tokenizer is None:
            return {}
        marks = {*thinking.marks(), *thinking.CHANNEL_MARKS}
        special: Mapping[int, str] = getattr(self.adapter.tokenizer, "special", {})
        return {number: name for number, name in special.items() if name in marks}


def _likeliest_only(adapter: Adapter) -> Text:
    """Why there is no look inside a text."""
    name = adapter.facts.title
    en, zh = "Start Playground with --engine-figures later.", "请用 --engine-figures later 启动 Playground。"
    if not adapter.scores_all:
        en = "Start the engine so that it tells all: vLLM with --max-logprobs -1."
        zh = "请让引擎给出全部概率：vLLM 用 --max-logprobs -1 启动。"
    return Text(
        f"{name} tells the likeliest candidates only; what the knobs did to the others is unknown here. {en}",
        f"{name} 只给出最可能的候选，采样器对其余候选的作用在此未知。{zh}",
    )


def sample_here_check(adapter: Adapter) -> None:
    """Raises EngineError where the engine does not give what drawing here needs."""
    if adapter.tokenizer is None or not adapter.scores_all:
        raise failures.EngineError(
            Text(
                f"{adapter.facts.title} does not give the probabilities of its whole vocabulary, so tokens cannot be "
                "drawn here.",
                f"{adapter.facts.title} 不提供整个词表的概率，因此无法在此处抽取词元。",
            ),
            Text("Let the engine draw them.", "请让引擎自行抽取。"),
        )
