"""Another Playground as an engine: its runs come with all that their Steps hold, and its kept runs are asked there.

The other side keeps the logits and answers every question about them, so nothing of a vocabulary travels: a run of 200
tokens would be tens of megabytes, and replaying it here would need that model's tokenizer and its random numbers too.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from playground import parameters, wire_format
from playground.decoding.step_stream import StepStream
from playground.generators import elsewhere
from playground.generators.checks import check_request, check_room
from playground.generators.remote import failures
from playground.generators.remote.adapter import EngineFacts
from playground.generators.remote.http_client import EngineClient, begin
from playground.generators.remote.playground_questions import PlaygroundQuestions, RemoteRun, body_of, own_error
from playground.parameters.inert import check_combination
from playground.types import FastPath, ModelCard, Path, Rendered, Request, Step, Text, Wait

KIND = "playground"
_RUNS = "/v1/playground/runs"
_LOOK = 0.01  # seconds between looks whether a request is still wanted
_SOON = 1.0  # seconds after which a run that has not begun is said to wait


def recognised(client: EngineClient, model: str | None) -> RemotePlayground | None:
    """The generator where a Playground answers; None where something else does. Raises EngineError."""
    try:
        listed = client.get("/v1/models").get("data")
    except failures.EngineRefusal:
        return None
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    version = entries[0].get("playground") if entries else None
    if not isinstance(version, Mapping):
        return None
    if version.get("version") != wire_format.VERSION:
        raise failures.EngineError(
            Text(
                f"The Playground at {client.host} speaks another version of these questions.",
                f"{client.host} 上的 Playground 使用不同的接口版本。",
            ),
            Text("Bring both to one version.", "请使用同一版本。"),
        )
    found = next((one for one in entries if model is None or model in (one.get("id"), one.get("title"))), None)
    if found is None:
        raise failures.other_model(client.host, str(model), [str(one.get("id")) for one in entries])
    return RemotePlayground(client, str(found.get("id")))


class RemotePlayground:
    """One model that a Playground at one address holds. It is asked by its name, whichever is the current one there, so
    that nothing is answered by another than the card tells of."""

    knows_tokens = True
    own_draws = True  # they are drawn there by the same program, and replayed there
    slots = 1
    sample_here = False
    lacks: Mapping[str, Text] = {}

    def __init__(self, client: EngineClient, model: str) -> None:
        self.client = client
        self.model = model
        self.reader = PlaygroundQuestions(client, model)
        told = self.reader.ask("card")
        self.name = f"Playground ({client.host})"
        self.parameters = frozenset(parameters.by_name()) & frozenset(_of(list[str], told, "parameters", client))
        self.paths: frozenset[Path] = _of(frozenset[Path], told, "paths", client)
        self.fast: FastPath = _of(FastPath, told, "fast", client)
        self.card: ModelCard = replace(_of(ModelCard, told, "card", client), folder=None)
        self.traces: bool = _of(bool, told, "traces", client)
        self.reader.tells = _of(bool, told, "tells_vocabulary", client)

    @property
    def facts(self) -> EngineFacts:
        return EngineFacts(KIND, "Playground", str(wire_format.VERSION), self.card, model=self.card.id)

    def close(self) -> None:
        """Closes the connections to the other side."""
        self.client.close()

    def render(self, request: Request) -> Rendered:
        """The prompt as the model there reads it. Raises its refusals, or EngineError."""
        check_request(request, self.card, self.paths)
        return self.reader.decoded(Rendered, "render", request=body_of(request))

    def stream(self, request: Request) -> Iterator[Step]:
        """Steps of all candidates. What can be told before is refused by this call, before the first Step."""
        return self.open(request, threading.Event()).steps()

    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        """The same for a reader who never waits; no thread of its own."""
        rendered = self.render(request)
        check_room(rendered, self.card.title)
        check_combination(request.values)
        stream = StepStream(cancelled)
        run = _Run(self, request, stream)
        stream.place = run.place
        begin(run.forward())
        return stream


class _Run:
    """One request on its way: asked for there, its Steps put into the stream here."""

    def __init__(self, generator: RemotePlayground, request: Request, stream: StepStream) -> None:
        self._generator = generator
        self._request = request
        self._stream = stream
        self._since: float | None = time.monotonic()

    def place(self) -> Wait | None:
        """Its place in the line there is not known, only that it has not begun."""
        since = self._since
        return None if since is None or time.monotonic() - since < _SOON else Wait(1, None)

    async def forward(self) -> None:
        """Until it is over, or nobody wants it any more: then the connection is closed, and the run ends there."""
        if self._stream.cancelled.is_set():
            self._stream.end()
            return
        reading = asyncio.ensure_future(self._read())
        while not reading.done() and not self._stream.cancelled.is_set():
            await asyncio.wait([reading], timeout=_LOOK)
        reading.cancel()
        (found,) = await asyncio.gather(reading, return_exceptions=True)
        self._since = None
        self._stream.end(own_error(found) if isinstance(found, Exception) else None)

    async def _read(self) -> None:
        client = self._generator.client
        body = {
            "version": wire_format.VERSION,
            "model": self._generator.model,
            "request": {**body_of(self._request), "keep": bool(self._request.keep)},
        }
        running = set(range(self._request.values["n"]))
        async with aclosing(client.stream(_RUNS, body)) as events:
            async for event in events:
                self._since = None
                if "error" in event:
                    raise own_error(failures.refused(client.host, 500, ""), event)
                if self._request.keep and event.get("run"):
                    there = RemoteRun(self._generator.reader, str(event["run"]))
                    elsewhere.RUNS.add(self._request.keep, there)
                try:
                    steps: list[Step] = wire_format.decode(list[Step], event.get("steps", []))
                except wire_format.Malformed:
                    raise failures.unreadable(client.host) from None
                for step in steps:
                    self._stream.put(step)
                    running -= {step.row} if step.finish is not None else set()
        if running:
            raise failures.broke_off(client.host)


def _of(kind: Any, told: Any, name: str, client: EngineClient) -> Any:
    try:
        return wire_format.decode(kind, told[name])
    except (wire_format.Malformed, KeyError, TypeError):
        raise failures.unreadable(client.host) from None
