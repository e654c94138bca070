"""Promises of replicas and of what stands before them, without Ray: tests/engines/ray.sh drives the whole."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.responses import Response, StreamingResponse
from starlette.types import Message

from playground.decoding.step_stream import StepStream
from playground.deploy import scale
from playground.deploy.gateway import AllBusy, Gateway, ReplicaLost, replica_of
from playground.deploy.replica_app import ReplicaApp
from playground.generators.remote.playground_questions import own_error
from playground.generators.scripted import ScriptedGenerator
from playground.inspection import inspect_api
from playground.settings import Settings, server_parser
from playground.types import PlaygroundError, Request
from tests.own_loop import in_own_loop

TEXT = "Night Ferry: morning magic in every cup."
EVENT = b'data: {"choices": []}\n\n'
MANIFESTS = Path(__file__).parent.parent / "docs" / "kubernetes"


def http(path: str = "/v1/completions", **headers: str) -> dict[str, Any]:
    sent = {"host": "127.0.0.1:7860", "content-type": "application/json", **headers}
    listed = [(name.encode(), value.encode()) for name, value in sent.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": listed, "query_string": b"", "client": None}


class Replicas:
    """A `Forward` that plays one list of messages after the other; an exception among them is raised there."""

    def __init__(self, *answers: list[Any]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, _: dict[str, Any], __: bytes, replica: str) -> AsyncGenerator[Message, None]:
        self.asked.append(replica)
        for message in self._answers.pop(0):
            if isinstance(message, Exception):
                raise message
            yield message


def start(kind: str) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]}


def piece(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


def answered(replicas: Replicas, sent: dict[str, Any] | None = None, body: bytes = b"{}") -> tuple[Response, bytes]:
    async def main() -> tuple[Response, bytes]:
        found = await Gateway(Settings(), replicas).answer(sent or http(), body)
        if isinstance(found, StreamingResponse):
            return found, b"".join([bytes(one) async for one in found.body_iterator])  # type: ignore[arg-type]
        return found, bytes(found.body)

    return in_own_loop(main)


def test_a_stream_whose_replica_is_lost_ends_with_the_reason_and_keeps_what_was_written() -> None:
    response, body = answered(Replicas([start("text/event-stream"), piece(EVENT), ReplicaLost()]))
    assert response.status_code == 200 and body.startswith(EVENT) and body.endswith(b"data: [DONE]\n\n")
    error = json.loads(body.split(b"\n\n")[1].removeprefix(b"data: "))["error"]
    assert error["code"] == "replica_lost" and "what was written is kept" in error["message"]
    there = own_error(RuntimeError(), {"error": error})  # as a page before it says it
    assert isinstance(there, PlaygroundError) and there.say("zh") == error["message_zh"]


def test_a_replica_lost_before_its_first_byte_is_replaced_by_another() -> None:
    replicas = Replicas([ReplicaLost()], [ReplicaLost()], [start("application/json"), piece(b'{"ok": 1}')])
    response, body = answered(replicas)
    assert (response.status_code, body, len(replicas.asked)) == (200, b'{"ok": 1}', 3)
    response, body = answered(Replicas(*[[ReplicaLost()]] * 3))
    assert response.status_code == 502 and json.loads(body)["error"]["code"] == "replica_lost"


def test_a_whole_answer_is_sent_whole_or_not_at_all() -> None:
    response, body = answered(Replicas([start("application/json"), piece(b'{"ha'), ReplicaLost()]))
    assert response.status_code == 502 and "failed" in json.loads(body)["error"]["message"]


def test_where_all_are_busy_a_client_is_told_when_to_come_again() -> None:
    response, body = answered(Replicas([AllBusy()]))
    assert response.status_code == 503 and response.headers["retry-after"] == "5"
    assert json.loads(body)["error"]["code"] == "overloaded"


def test_what_the_pages_guard_refuses_is_refused_in_the_form_that_clients_read() -> None:
    for sent, body, status in (
        (http(host="evil.example"), b"{}", 421),
        (http(origin="https://evil.example"), b"{}", 403),
        (http(), b"x" * 4_000_001, 413),
        (http(), b"[" * 100 + b"]" * 100, 413),
        (http("/gradio_api/info"), b"{}", 404),
    ):
        replicas = Replicas()
        response, said = answered(replicas, sent, body)
        assert response.status_code == status and json.loads(said)["error"]["message"] and replicas.asked == []


@pytest.fixture
def _plain_ids() -> Iterator[None]:
    yield
    inspect_api.begin_run_ids_with("")


@pytest.mark.usefixtures("_plain_ids")
def test_a_question_goes_to_the_replica_whose_run_it_is_about() -> None:
    inspect_api.begin_run_ids_with("r2")
    run = inspect_api.new_run_id()
    body = json.dumps({"version": 2, "run_id": run, "row": 0}).encode()
    replicas = Replicas([start("application/json"), piece(b"{}")])
    answered(replicas, http("/v1/playground/replay"), body)
    assert replicas.asked == ["r2"] and inspect_api.new_run_id() != run
    inspect_api.begin_run_ids_with("")
    for other in (
        b"{}",
        b"no JSON",
        b'{"run_id": 7}',
        b"[1]",
        json.dumps({"run_id": inspect_api.new_run_id()}).encode(),
    ):
        assert replica_of(other) == ""


class Held(ScriptedGenerator):
    """Stands still before its end until it is cancelled; says that it was."""

    ended = threading.Event()

    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        threading.Thread(target=self._watch, args=(cancelled,), daemon=True).start()
        return super().open(request, cancelled)

    def _watch(self, cancelled: threading.Event) -> None:
        if cancelled.wait(60):
            self.ended.set()


@pytest.mark.usefixtures("_plain_ids")
def test_a_replica_answers_and_ends_a_run_whose_reader_leaves() -> None:
    generator = Held([TEXT], delay=0.02)
    replica = ReplicaApp(Settings(path="exact"), "r1", lambda *_: generator)
    replica.load()
    body = {"prompt": "x", "max_tokens": 50}

    async def main() -> None:
        messages = [one async for one in replica.answer(http(), json.dumps(body).encode())]
        assert messages[0]["status"] == 200
        assert json.loads(messages[1]["body"])["choices"][0]["text"] == TEXT
        generator.ended.clear()
        async with aclosing(replica.answer(http(), json.dumps({**body, "stream": True}).encode())) as answer:
            assert (await anext(answer))["status"] == 200
            assert b"choices" in (await anext(answer))["body"]
        assert await asyncio.to_thread(generator.ended.wait, 30)

    in_own_loop(main)


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_manifests_are_yaml_that_kubernetes_could_read(path: Path) -> None:
    documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert documents
    for one in documents:
        assert {"apiVersion", "kind", "metadata", "spec"} <= one.keys() and one["metadata"]["name"]
        for container in containers(one):
            assert container["name"] and container["image"] and "latest" not in container["image"]
            assert container["resources"]["limits"]["memory"]


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """All containers of a manifest, wherever they stand."""
    if isinstance(value, dict):
        yield from value.get("containers", [])
        for one in value.values():
            yield from containers(one)
    elif isinstance(value, list):
        for one in value:
            yield from containers(one)


def texts(value: Any) -> Iterator[str]:
    """All texts of a manifest; Ray Serve's own configuration stands in one of them, as YAML."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts(yaml.safe_load(one) if name == "serveConfigV2" else one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", ["playground.yaml", "ray-serve.yaml"])
def test_a_manifest_of_ours_names_flags_that_are_known(name: str) -> None:
    known = {*server_parser()._option_string_actions, *scale.parser()._option_string_actions}
    documents = yaml.safe_load_all((MANIFESTS / name).read_text(encoding="utf-8"))
    named = {text.partition("=")[0] for one in documents for text in texts(one) if text.startswith("--")}
    assert named and named <= known


@pytest.mark.parametrize("flags", [["--host", "0.0.0.0"], ["--replicas", "0"], ["--target", "-1"], ["--gpus", "-1"]])
def test_a_scale_that_cannot_be_is_one_sentence(flags: list[str]) -> None:
    with pytest.raises(PlaygroundError) as caught:
        scale.read(flags)
    assert "\n" not in caught.value.say("en") and caught.value.say("zh")
