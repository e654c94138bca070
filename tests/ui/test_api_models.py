"""Promises of `/v1/*` and MCP where several models are loaded, or none yet: which one answers, and who waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest

from playground import generate, wire_format
from playground.models.model_choice import ModelChoice
from playground.openai_api.model_access import ModelAccess
from playground.openai_api.server import OpenAIServer
from playground.run import Run
from playground.settings import Limits, Settings
from playground.types import Generator, InvalidRequest, ModelError, ProgressReport
from playground.ui.mcp_endpoint import HostRunner
from playground.ui.model_host import ModelHost
from playground.ui.request_queue import RequestQueue
from playground.ui.run_stream import api_runs
from tests.own_loop import in_own_loop
from tests.ui.test_model_switching import WAIT, Named, switched


class Server:
    """A server of scripts under names of models; one whose name begins with "late" is not loaded before `gate`."""

    def __init__(self, first: str = "one") -> None:
        self.gate = threading.Event()
        self.host = ModelHost(Settings(model=first), self._open)
        self.host.start()
        self.api = OpenAIServer(self.host, api_runs(self.host, RequestQueue(Limits())))

    def _open(self, settings: Settings, report: ProgressReport) -> Generator:
        name = settings.model or ""
        assert not name.startswith("late") or self.gate.wait(WAIT)
        return Named(name, 0.02)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.api), base_url="http://here") as client:
            yield client


@pytest.fixture
def server() -> Server:
    """It holds "one" and "two", of which "two" is current."""
    made = Server()
    assert made.host.pool.wait(WAIT)
    switched(made.host, "two")
    return made


def test_every_loaded_model_is_listed_and_answers_by_its_name(server: Server) -> None:
    async def ask() -> None:
        async with server.client() as client:
            listed = (await client.get("/v1/models")).json()["data"]
            assert [one["id"] for one in listed] == ["two", "one"], "the current one first"
            assert (await client.get("/v1/models/one")).json()["revision"] == "r-one"
            for name, writer in (("one", "one"), ("two", "two"), ("default", "two"), ("", "two")):
                body = {"model": name, "prompt": "Once", "max_tokens": 100}
                answer = (await client.post("/v1/completions", json=body)).json()
                assert answer["model"] == writer and answer["choices"][0]["text"]
            refused = await client.post("/v1/completions", json={"model": "three", "prompt": "Once"})
            assert refused.status_code == 404 and refused.json()["error"]["code"] == "model_not_found"
            assert "'two', 'one' are" in refused.json()["error"]["message"]
            card = await client.post("/v1/playground/card", json={"version": wire_format.VERSION, "model": "one"})
            assert card.json()["answer"]["card"]["id"] == "one"

    in_own_loop(ask)


def test_a_model_that_answers_is_not_unloaded_meanwhile(server: Server) -> None:
    switched(server.host, "long")
    switched(server.host, "one")

    async def ask() -> None:
        async with server.client() as client:
            body = {"model": "long", "prompt": "Once", "max_tokens": 500, "seed": 1}
            answering = asyncio.ensure_future(client.post("/v1/completions", json=body))
            while not any(one.busy for one in server.host.pool.entries()):
                await asyncio.sleep(0.01)
            with pytest.raises(ModelError, match="being written"):
                server.host.pool.unload("long")
            server.host.pool.models.end_runs()
            assert (await answering).status_code == 200
        assert not any(one.busy for one in server.host.pool.entries())

    in_own_loop(ask)


def test_a_request_waits_while_the_model_loads_and_the_list_says_that_it_does() -> None:
    server = Server("late")

    async def ask() -> None:
        async with server.client() as client:
            listed = await client.get("/v1/models")
            assert (listed.status_code, listed.headers["Retry-After"]) == (503, "5")
            answering = asyncio.ensure_future(client.post("/v1/completions", json={"prompt": "Once"}))
            await asyncio.sleep(0.2)
            assert not answering.done()
            server.gate.set()
            answer = await answering
            assert answer.status_code == 200 and answer.json()["model"] == "late"

    in_own_loop(ask)


def test_who_has_waited_too_long_for_a_model_is_told_when_to_come_again() -> None:
    server = Server("late")
    server.api._models = ModelAccess(server.host, waiting=1, patience=0.2)

    async def ask() -> None:
        async with server.client() as client:
            bodies = [{"prompt": "Once"}, {"prompt": "Once"}]
            answers = await asyncio.gather(*(client.post("/v1/completions", json=body) for body in bodies))
            told = sorted((one.status_code, one.json()["error"]["code"], one.headers["Retry-After"]) for one in answers)
            assert told == [(503, "model_not_loaded", "5"), (503, "overloaded", "5")]

    in_own_loop(ask)
    server.gate.set()
    assert server.host.pool.wait(WAIT)


def test_an_agent_may_name_a_loaded_model(server: Server) -> None:
    runner = HostRunner(server.host, RequestQueue(Limits()))

    async def written(model: str) -> str:
        run = None
        async for state in runner.run(lambda _: generate.build("A", {"max_new_tokens": 5}), threading.Event(), model):
            run = state if isinstance(state, Run) else run
        assert run is not None and run.finished
        return run.model

    assert [in_own_loop(partial(written, name)) for name in ("", "one", "two")] == ["two", "one", "two"]
    with pytest.raises(InvalidRequest, match="three is not loaded") as caught:
        in_own_loop(lambda: written("three"))
    assert caught.value.parameter == "model" and "two, one" in caught.value.say("en")
    read = in_own_loop(lambda: runner.look(lambda generator, _: generator.card.id, threading.Event(), "one"))
    assert read == "one" and ModelChoice("one") in [entry.choice for entry in server.host.pool.entries()]
