"""The ASGI application of `/v1/*`: keys, paths, bodies, streams, and clients that leave.

Knows no Gradio: what streams a run through the server's own queue is handed in. Host names, origins and lengths of
bodies are looked at before.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import orjson
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from playground import visitor
from playground.inspection import inspect_api
from playground.openai_api import playground_routes
from playground.openai_api.answers import Answer
from playground.openai_api.api_error import INVALID, ApiError, bad, error_of, not_found
from playground.openai_api.fields import Endpoint
from playground.openai_api.keys import ApiKeys
from playground.openai_api.model_access import ModelAccess, ModelHost
from playground.openai_api.model_list import model_list, model_name, one_model
from playground.openai_api.request_body import Asked, read_body
from playground.run import Run
from playground.settings import Settings
from playground.types import Busy, Generator, ModelCard, PlaygroundError, Refused, Request, Text
from playground.visitor import Visitor, address_of

HONOURED = "X-Playground-Honoured"
"""The header that lists the fields of the body which act."""
PREFIX = "/v1"
_EVERY = 1 / 20  # seconds between two chunks of a stream, while few stream
_QUESTIONS = 4  # that are answered at a time, beside the runs
_STALLED = 30.0  # seconds in which a client must take what it was sent
_ENDPOINTS: dict[str, Endpoint] = {"/v1/chat/completions": "chat", "/v1/completions": "completions"}
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"),
           (b"x-accel-buffering", b"no")]  # fmt: skip
_DONE = b"data: [DONE]\n\n"
log = logging.getLogger(__name__)
Ask = Callable[[ModelCard], Request]
Held = tuple[Generator, threading.Event]
"""A model that stays loaded, and the event that is set once its runs must end early."""
Runs = Callable[[Ask, threading.Event, float, Held], AsyncGenerator[object, None]]
"""Streams a run of this model once it is its turn: other things until then, after it the Run as it grows. Raises
PlaygroundError."""


class Client:
    """Who waits for an answer: `gone` is set once nobody does. Each run of an answer has a stop switch of its own."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._run = threading.Event()

    def begin(self) -> threading.Event:
        """The stop switch of a new run."""
        self._run = threading.Event()
        if self.gone.is_set():
            self._run.set()
        return self._run

    def leave(self) -> None:
        """Nobody waits any more: what runs ends."""
        self.gone.set()
        self._run.set()


class Host(ModelHost, Protocol):
    """The server whose models are asked."""

    settings: Settings


class OpenAIServer:
    """The API of one server."""

    def __init__(self, host: Host, runs: Runs) -> None:
        self._host = host
        self._runs = runs
        self._models = ModelAccess(host, host.settings.limits.waiting)
        self.keys = ApiKeys.of(host.settings)
        self._open = 0
        self._questions = asyncio.Semaphore(_QUESTIONS)
        self._asked = 0

    @property
    def busy(self) -> bool:
        """Whether something is still being answered."""
        return self._open > 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers any request below `/v1`, whatever comes of it."""
        headers = Headers(scope=scope)
        self._open += 1
        try:
            self.keys.check(headers)
            visitor.answer_to(self._visitor(scope, headers))
            response = await self._answer(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the last edge before a client, which gets a sentence
            response = error_of(error).response()
        finally:
            self._open -= 1
        if response is not None:
            await response(scope, receive, send)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """A place for a question, which may take a pass of the model; Busy where too many wait."""
        if self._asked >= _QUESTIONS + self._host.settings.limits.waiting:
            raise Busy(_TOO_MANY)
        self._asked += 1
        try:
            async with self._questions:
                yield
        finally:
            self._asked -= 1

    def _visitor(self, scope: Scope, headers: Headers) -> Visitor:
        """A key counts as one session, whatever address it comes from."""
        host = (scope.get("client") or ("",))[0]
        return Visitor(self.keys.name_of(headers) or "", address_of(host))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        method, path = scope["method"], scope["path"].rstrip("/")
        if method in ("GET", "HEAD"):
            if path == f"{PREFIX}/models":
                return JSONResponse(model_list([one.card for one in self._models.listed]))
            if path.startswith(f"{PREFIX}/models/"):
                return JSONResponse(one_model(self._models.listed, path.removeprefix(f"{PREFIX}/models/")))
        elif method == "POST" and path in _ENDPOINTS:
            body = await asyncio.to_thread(_parsed, await _body(receive))
            return await self._complete(body, _ENDPOINTS[path], receive, send)
        elif method == "POST" and path.startswith(f"{playground_routes.PREFIX}/"):
            return await self._playground(path, receive, send)
        raise not_found(path)

    async def _complete(self, body: object, endpoint: Endpoint, receive: Receive, send: Send) -> Response | None:
        asked = await asyncio.to_thread(read_body, body, endpoint, self._host.settings)
        headers = {HONOURED: ", ".join(asked.honoured)}
        client = Client()
        async with _watched(receive, client), self._models.held(asked.model, client.gone.is_set) as held:
            asked = self._on_path(asked, held[0])
            _check_able(asked, held[0])
            try:
                if asked.stream:
                    await self._stream(asked, held, client, headers, send)
                    return None
                answer = Answer(asked, model_name(held[0].card))
                async for whole in self._growing(answer, asked, held, client):
                    if whole is None:
                        await asyncio.to_thread(answer.gather)
                return await asyncio.to_thread(lambda: _response(answer.whole(), headers))
            except PlaygroundError as error:
                raise error_of(error, asked.names) from None

    def _on_path(self, asked: Asked, generator: Generator) -> Asked:
        """On the path that was asked for, or the server's own where the model has it and the request can take it."""
        wanted = self._host.settings.path
        beams = asked.request.values["num_beams"] > 1
        if asked.path is not None or wanted not in generator.paths or beams:
            return asked
        return replace(asked, request=replace(asked.request, path=wanted))

    async def _stream(self, asked: Asked, held: Held, client: Client, headers: dict[str, str], send: Send) -> None:
        """The answer as events. What is refused before the first token is an answer of its own: it is raised."""
        answer, began = Answer(asked, model_name(held[0].card)), False
        said = [*_STREAM, *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())]
        try:
            async with aclosing(self._growing(answer, asked, held, client)) as growing:
                async for whole in growing:
                    if not began:
                        await send({"type": "http.response.start", "status": 200, "headers": said})
                        began = True
                    chunks = answer.chunks() if whole is None else [whole]
                    data = await asyncio.to_thread(_events, chunks)
                    if data:
                        await _sent(send, data, client)
            if asked.usage:
                await _sent(send, _event(answer.usage_chunk()), client)
        except Exception as error:
            if not began:
                raise
            await _sent(send, error_of(error, asked.names).event(), client)
        await _sent(send, _DONE, client, more=False)

    async def _growing(
        self, answer: Answer, asked: Asked, held: Held, client: Client
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        """Each prompt's run as it grows, one run behind the other: None where `answer` has news of its run, a whole
        chunk where nothing grows. Raises ApiError where a run fails."""
        limits, place, (generator, ends) = self._host.settings.limits, 0, held

        def halted() -> bool:
            return client.gone.is_set() or ends.is_set()

        for prompt in asked.prompts:
            keep = inspect_api.new_run_id() if asked.looks_inside else ""
            request = replace(asked.request, prompt=prompt, keep=keep)
            echoed = []
            if asked.echo and (asked.top is not None or asked.only_reads):
                async with self._asking():
                    echoed = await asyncio.to_thread(
                        inspect_api.prompt_logprobs, generator, request, asked.top or 0, limits, halted
                    )
            if asked.only_reads:
                yield answer.chunk_of(answer.only_prompt(prompt, echoed, len(echoed), place))
                place += 1
                continue
            run: Run | None = None
            try:
                ask = partial(_asked, request)
                async with aclosing(self._runs(ask, client.begin(), _EVERY, held)) as states:
                    async for state in states:
                        if isinstance(state, Run):
                            if run is None:
                                run = state
                                answer.begin(run, place, prompt, echoed)
                            yield None
            finally:
                if keep and not (asked.details and asked.details.keep):
                    await asyncio.to_thread(inspect_api.forget, keep)
            if run is None or (client.gone.is_set() and not run.finished):
                return
            answer.end()
            self._check_end(run)
            place += len(run.candidates)

    def _check_end(self, run: Run) -> None:
        """Raises ApiError where not one of the texts came to an end of its own."""
        if self._host.stopping.is_set() and any(one.finish_reason == "stopped" for one in run.candidates):
            raise error_of(Busy(run.notice or _STOPPED))
        if all(one.finish_reason == "error" for one in run.candidates):
            reason = run.error or run.candidates[0].reason or _STOPPED
            raise ApiError(500, reason, kind="server_error", code="generation_failed")

    async def _playground(self, path: str, receive: Receive, send: Send) -> Response | None:
        body = await asyncio.to_thread(_parsed, await _body(receive))
        name, body = playground_routes.model_of(body)
        client = Client()
        limits, public = self._host.settings.limits, self._host.settings.public
        async with _watched(receive, client), self._models.held(name, client.gone.is_set) as held:
            generator, ends = held
            if path != f"{playground_routes.PREFIX}/runs":

                def halted() -> bool:
                    return client.gone.is_set() or ends.is_set()

                ask = playground_routes.question(path, body, generator, limits, halted, public=public)
                async with self._asking():
                    return await asyncio.to_thread(lambda: _response(ask()))
            request = await asyncio.to_thread(playground_routes.request_of, body)
            if request.keep or request.trace:
                _check_tells(generator, "keep" if request.keep else "trace")
            await self._steps(request, held, client, send)
        return None

    async def _steps(self, request: Request, held: Held, client: Client, send: Send) -> None:
        """A run as the Steps that its generator gave, for another Playground."""
        sent = playground_routes.SentSteps()
        async with aclosing(self._runs(partial(_asked, request), client.begin(), _EVERY, held)) as states:
            async for state in states:
                if not isinstance(state, Run):
                    continue
                if not sent.began:
                    sent.began = True
                    await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
                    await _sent(send, _event(playground_routes.begun(state)), client)
                new = sent.news(state)
                if new:
                    await _sent(send, _event({"steps": new}), client)
        if sent.began:
            await _sent(send, _DONE, client, more=False)


_TOO_MANY = Text("Too many questions wait here. Please try again.", "等待回答的请求过多，请重试。")
_STOPPED = Text("The server is stopping.", "服务器正在停止。")


def _asked(request: Request, card: ModelCard) -> Request:
    """The request as it is: its model was known before."""
    return request


def _check_able(asked: Asked, generator: Generator) -> None:
    """What needs the scores of a whole vocabulary is refused by name where there are none."""
    if asked.request.values["num_beams"] > 1 and asked.looks_inside:
        raise bad(
            Text("A beam search keeps no scores of single tokens; set num_beams to 1.",
                 "束搜索不保留单个词元的分数；请将 num_beams 设为 1。"), "num_beams", "unsupported_value",
        )  # fmt: skip
    if asked.top is not None or asked.only_reads:
        _check_tells(generator, "logprobs")
    elif asked.details is not None and (asked.looks_inside or asked.details.trace):
        _check_tells(generator, "playground")


def _check_tells(generator: Generator, field: str) -> None:
    if not inspect_api.tells_vocabulary(generator):
        raise Refused(
            Text(
                f"{generator.name} tells no probabilities of a whole vocabulary.",
                f"{generator.name} 不提供整个词表的概率。",
            ),
            parameter=field,
        )


@asynccontextmanager
async def _watched(receive: Receive, client: Client) -> AsyncIterator[None]:
    """Has `client` leave once it has gone, and in the end."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        client.leave()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        client.leave()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _sent(send: Send, data: bytes, client: Client, *, more: bool = True) -> None:
    """A client that takes nothing for long is given up, so that it holds no place in the line."""
    try:
        async with asyncio.timeout(_STALLED):
            await send({"type": "http.response.body", "body": data, "more_body": more})
    except TimeoutError:
        client.leave()
        raise


def _events(values: Iterable[dict[str, Any]]) -> bytes:
    """To be called in a thread: a whole vocabulary makes megabytes of them."""
    return b"".join(map(_event, values))


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + _json(value) + b"\n\n"


def _response(value: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(_json(value), media_type="application/json", headers=headers)


def _json(value: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a character of UTF-16, which JSON may hold and UTF-8 may not: it came with the request
        return orjson.dumps(_readable(value))


def _readable(value: Any) -> Any:
    """The same with a question mark for each half character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_readable(name): _readable(one) for name, one in value.items()}
    return [_readable(one) for one in value] if isinstance(value, list | tuple) else value


async def _body(receive: Receive) -> bytes:
    """Whoever stands before this has bounded it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


def _parsed(body: bytes) -> object:
    def no_number(name: str) -> None:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(body.decode("utf-8"), parse_constant=no_number)
    except (ValueError, RecursionError):
        raise ApiError(
            400,
            Text("The body is not JSON in UTF-8.", "请求体不是 UTF-8 编码的 JSON。"),
            kind=INVALID,
            code="invalid_json",
        ) from None
