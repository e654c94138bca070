"""Promises of the endpoint `/generate`, and of starting the server: by a client, by curl, by a terminal."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio import tunneling
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from playground import parameters
from playground.generators.scripted import ScriptedGenerator
from playground.tasks import loader
from playground.ui import api
from tests.ui.conftest import Site, Visit, body
from tests.ui.served import SCRIPTED, Forked, begun, free_port

KEYS = {"model", "revision", "dtype", "weights", "path", "prompt_tokens", "candidates", "timing", "remarks"}
SLOGANS: dict[str, Any] = {"task": "slogans", "fields": {"product": "蓝月", "about": "咖啡馆"}, "language": "zh"}


@pytest.fixture(scope="module")
def client(scripted: str) -> Iterator[Client]:
    connected = Client(scripted, verbose=False)
    yield connected
    connected.close()


def refused(client: Client, **given: Any) -> str:
    with pytest.raises(AppError) as caught:
        client.predict(api_name="/generate", **given)
    return str(caught.value)


def call(url: str, data: list[Any] | dict[str, Any]) -> list[tuple[str, Any]]:
    """The endpoint as curl uses it: post values by name or in order, then read the events."""
    named = isinstance(data, dict)
    post = urllib.request.Request(
        f"{url}/gradio_api/call/{'v2/' if named else ''}generate",
        json.dumps(data if named else {"data": data}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(post) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{url}/gradio_api/call/generate/{event}") as stream:
        lines = stream.read().decode().splitlines()
    pairs = zip(lines[::3], lines[1::3], strict=False)
    return [(name.removeprefix("event: "), json.loads(told.removeprefix("data: "))) for name, told in pairs]


def test_every_parameter_is_an_argument_with_its_default() -> None:
    arguments = api.signature().parameters
    for parameter in parameters.REGISTRY:
        assert parameter.accept(arguments[parameter.name].default) == parameter.default
    assert {"prompt", "mode", "system", "prefill", "path"} <= set(arguments)


def test_a_client_gets_the_growing_text_and_then_the_json_object(client: Client) -> None:
    job = client.submit(prompt="Once", seed=0, n=2, api_name="/generate")
    states = list(job)
    *updates, final = states
    assert set(final) == KEYS and job.result() == final
    assert [one["finish_reason"] for one in final["candidates"]] == ["end", "end"]
    assert [one["seed"] for one in final["candidates"]] == [0, 1]
    assert final["candidates"][0]["text"].startswith("Night Ferry")
    assert final["timing"].keys() == {"ttft_s", "tokens_per_second"}
    assert len(updates) > 1 and all(set(update) == {"candidates"} for update in updates)
    texts, ids = ["", ""], [list[int](), list[int]()]
    for update in updates:
        for place, one in enumerate(update["candidates"]):
            texts[place] = texts[place][: len(texts[place]) - one["retract"]] + one["delta"]
            ids[place] = ids[place][: len(ids[place]) - one["retract_ids"]] + one["token_ids"]
    for text, own, whole in zip(texts, ids, final["candidates"], strict=True):
        assert text and whole["text"].startswith(text) and own == whole["token_ids"][: len(own)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prompt": ""}, "The prompt is empty"),
        ({"prompt": "Once", "top_p": 7}, "top_p (nucleus) is 7; it must be a number"),
        ({"prompt": "Once", "top_k": "abc"}, "top_k is 'abc'; it must be a whole number"),
        ({"prompt": "Once", "temperature": "nan"}, "Temperature is 'nan'"),
        ({"prompt": "Once\u0007"}, "U+0007"),
        ({"prompt": "x" * 1_000_001}, "1,000,001 characters"),
        ({"prompt": "Once", "mode": "poem"}, "mode must be chat or complete"),
        ({"prompt": "Once", "json_schema": '{"type": "strin"}'}, "JSON schema: "),
        ({"prompt": "Once", "regex": "("}, "Regular expression (regex): at character 1"),
        ({"prompt": "Once", "fields": {"product": "x"}}, "fields go with a task"),
        ({"prompt": "Once", "task": "slogans"}, "Prompt: this does not go with a task"),
        (
            {"turns": [["user", "Hi."], ["assistant", "Hello."]], "task": "slogans"},
            "Earlier turns: this does not go with a task",
        ),
        ({"task": "sloggans"}, "Did you mean slogans?"),
        ({"task": ["slogans"]}, "task must be a text"),
        ({"task": "slogans", "fields": ["a"]}, "fields texts by name"),
        ({"task": "slogans", "fields": {"colour": "red"}}, "no field 'colour'"),
        ({"task": "slogans", "fields": {"product": 7}}, "Product must be a text"),
        ({"task": "slogans", "language": "fr"}, "language must be en or zh"),
        ({**SLOGANS, "top_p": 7}, "top_p (nucleus) is 7"),
        ({"prompt": "Once", "n": 17}, "Candidates (n) is 17; this server allows at most 16"),
        ({"prompt": "Once", "max_new_tokens": 99_999}, "Max new tokens is 99,999"),
        ({"prompt": "word " * 3000}, "reads at most 2,048"),
        ({"prompt": "Once", "seed": 2**53 - 2, "n": 3}, "Seed is 9007199254740990; each text has its own"),
    ],
)
def test_a_bad_request_is_one_sentence_with_name_and_range(client: Client, given: Any, words: str) -> None:
    sentence = refused(client, **given)
    assert words in sentence
    assert "Traceback" not in sentence and "\n" not in sentence


def test_a_task_ends_with_its_result_and_what_is_to_be_known_of_the_texts(client: Client) -> None:
    final = client.predict(**SLOGANS, seed=0, n=2, api_name="/generate")
    assert [json.loads(one["value"]) for one in final["candidates"]] == [one["text"] for one in final["candidates"]]
    assert [one["candidate"] for one in final["remarks"]] == [0, 1]
    assert final["remarks"][0]["en"].startswith("This text is not in Chinese")
    assert final["remarks"][0]["zh"].startswith("要求的是中文")
    listed = client.predict(task="recommendations", fields={"interests": "ferries"}, seed=0, api_name="/generate")
    assert json.loads(listed["candidates"][0]["value"])[0].startswith("Night Ferry") and listed["remarks"] == []
    free = client.predict("从前有一座灯塔，灯塔里住着一位老人。", seed=0, api_name="/generate")
    assert free["remarks"][0]["en"].startswith("The prompt is in Chinese")


def test_a_tasks_own_values_stand_where_a_call_names_the_registrys_default() -> None:
    texts = {**dict.fromkeys(("prompt", "mode", "system", "prefill"), ""), "path": "exact", "turns": [], **SLOGANS}
    values = {p.name: list(p.default) if isinstance(p.default, tuple) else p.default for p in parameters.REGISTRY}
    own = loader.find("slogans").parameters_for("zh", "chat")
    card = ScriptedGenerator(["a"]).card
    asked = api.request_of(texts, values, card)
    assert asked.mode == "chat" and asked.task == "slogans" and "蓝月" in asked.prompt
    assert asked.values == {**parameters.validate(own), "seed": asked.values["seed"]}
    moved = api.request_of({**texts, "mode": "complete"}, {**values, "temperature": 0.123}, card)
    assert moved.mode == "complete" and moved.values["temperature"] == 0.123
    plain = api.request_of({**texts, "prompt": "Once", "task": "", "fields": {}}, values, card)
    assert plain.mode == "complete" and plain.values["temperature"] == parameters.by_name()["temperature"].default


@pytest.mark.model
@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"json_schema": '{"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], '
                         '"additionalProperties": false}'}, r'\{"n": [12]\}'),
        ({"regex": r"[A-Z][a-z]{2,4} \d"}, r"[A-Z][a-z]{2,4} [0-9]"),
        ({"one_of": ["yes", "no"]}, "yes|no"),
        ({"grammar": 'start: "- " ("tea" | "milk")'}, "- (tea|milk)"),
    ],
    ids=["json_schema", "regex", "one_of", "grammar"],
)  # fmt: skip
def test_a_call_can_hold_the_text_to_a_form(embedded_page: str, given: dict[str, Any], fits: str) -> None:
    name, data = call(embedded_page, {"prompt": "Tea or milk?", "max_new_tokens": 40, **given})[-1]
    (candidate,) = data[0]["candidates"]
    assert name == "complete" and candidate["finish_reason"] == "end"
    assert re.fullmatch(fits, candidate["text"]), candidate["text"]
    value = json.dumps(json.loads(candidate["text"]), separators=(",", ":")) if "json_schema" in given else None
    assert candidate.get("value") == value


@pytest.mark.parametrize("given", [["Once", "complete"], {"prompt": "Once", "temperature": 0.7}])
def test_curl_reads_the_same_object(scripted: str, given: Any) -> None:
    name, data = call(scripted, given)[-1]
    assert name == "complete"
    assert set(data[0]) == KEYS


def posted(url: str, path: str, given: Any) -> tuple[int, str]:
    post = urllib.request.Request(
        f"{url}/gradio_api/{path}", json.dumps(given).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(post) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["detail"]


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        ("call/v2/generate", {"prompt": "a", "temprature": 1}, "no argument 'temprature'. Did you mean temperature?"),
        ("call/v2/generate", {"data": ["a"]}, "There is no argument 'data'."),
        ("call/v2/generate", {"prompt": "a", "x" * 500: 1}, f"no argument '{'x' * 60}'"),
        ("call/v2/generate", {"prompt": "a", "oauth_token": "t"}, "no argument 'oauth_token'"),
        ("call/v2/genrate", {"prompt": "a"}, "There is no endpoint 'genrate'. There is generate."),
        ("call/none", {"data": ["a"]}, "There is no endpoint 'none'."),
    ],
)
def test_a_name_that_nobody_knows_is_refused_by_itself(scripted: str, path: str, given: Any, words: str) -> None:
    code, told = posted(scripted, path, given)
    assert code == 400 and words in told


def test_more_values_than_arguments_are_refused(scripted: str) -> None:
    name, told = call(scripted, ["Once"] * 200)[-1]
    assert name == "error" and "values are needed here, not 200" in json.dumps(told)


def test_half_a_character_is_refused_in_words(scripted: str) -> None:
    events = call(scripted, ["Once \ud800", "complete"])
    assert events[-1][0] == "error"
    assert "lone surrogate" in json.dumps(events[-1][1])


def test_only_generate_is_offered_by_name(client: Client) -> None:
    described = client.view_api(return_format="dict", print_info=False)
    assert list(described["named_endpoints"]) == ["/generate"]


def test_a_busy_port_is_one_clear_sentence(starts_server: None, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = begun(SCRIPTED, "--port", str(port), log=tmp_path / "log")
        process.join()
    told = (tmp_path / "log").read_text()
    assert process.exitcode == 2
    assert told.strip().count("\n") == 0
    assert str(port) in told and "taken" in told


def test_a_password_guards_the_page_and_never_shows(starts_server: None, tmp_path: Path) -> None:
    secret, log = tmp_path / "password", tmp_path / "log"
    secret.write_text("harbour-lamp\n")
    server = Forked(SCRIPTED, free_port(), "--password-file", str(secret), log=log)
    try:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}/config")
        assert caught.value.code == 401
        caught.value.close()
        client = Client(server.url, auth=("guest", "harbour-lamp"), verbose=False)
        assert client.predict(prompt="Once", api_name="/generate")["candidates"][0]["text"]
        client.close()
    finally:
        server.end()
    told = log.read_text()
    assert f"Playground is ready: {server.url}" in told.splitlines()
    assert "harbour-lamp" not in told


@pytest.mark.browser
def test_without_a_tunnel_the_local_page_goes_on_and_says_so(
    serve: Site, visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))  # no tunnel program there, and none to be had:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    page = visit(serve("--share"))
    expect(page.locator(".share.failed")).to_contain_text("could not be opened")
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once")
    page.locator("button[name=generate]").click()
    expect(body(page)).not_to_be_empty()


@pytest.mark.browser
def test_an_open_link_is_shown_to_be_copied_with_what_it_means(
    serve: Site, visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "gradio" / "frpc" / tunneling.BINARY_FILENAME
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho start proxy success: http://lamp.example\nexec sleep 300\n")
    program.chmod(0o755)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("GRADIO_SHARE_SERVER_ADDRESS", "127.0.0.1:7000")
    page = visit(serve("--share"), permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator(".share-link")).to_have_text("http://lamp.example")
    expect(page.locator(".share")).to_contain_text("up to a week")
    expect(page.locator(".share")).to_contain_text("No password guards it.")
    page.locator("button[name=copy-link]").click()
    expect(page.locator("button[name=copy-link]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "http://lamp.example"
