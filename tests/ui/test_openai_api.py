"""Promises of `/v1/*`: what OpenAI's own client, sync, async and streaming, and curl get from a real server."""

from __future__ import annotations

import asyncio
import http.client
import json
import select
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError, OpenAI

from playground.openai_api import fields
from playground.openai_api.server import HONOURED
from tests.own_loop import in_own_loop
from tests.ui.api_client import KEY, SAID, client_of, post
from tests.ui.conftest import Held, Site
from tests.ui.served import SCRIPTED, forked


@pytest.fixture(scope="module")
def script(scripted: str) -> Iterator[OpenAI]:
    with client_of(scripted) as client:
        yield client


def test_the_model_that_is_loaded_is_listed_and_can_be_named(script: OpenAI) -> None:
    (model,) = script.models.list().data
    assert model.id == "scripted" == script.models.retrieve("scripted").id
    for name in ("scripted", "Scripted", "default", ""):
        assert script.completions.create(model=name, prompt="Once").choices[0].text
    with pytest.raises(NotFoundError) as caught:
        script.completions.create(model="gpt-4o", prompt="Once")
    assert caught.value.code == "model_not_found" and caught.value.param == "model"


def test_a_chat_is_answered_with_usage_and_what_was_honoured(script: OpenAI) -> None:
    raw = script.chat.completions.with_raw_response.create(
        model="default", messages=SAID, seed=0, n=2, temperature=0.5, user="somebody"
    )
    found = raw.parse()
    assert (found.choices[0].message.content or "").startswith("Night Ferry")
    assert [(one.index, one.finish_reason) for one in found.choices] == [(0, "stop"), (1, "stop")]
    assert found.usage is not None
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens > 0
    assert set(raw.headers[HONOURED].split(", ")) == {"messages", "model", "n", "seed", "temperature"}


def test_a_stream_ends_as_clients_expect_and_equals_the_whole_answer(script: OpenAI) -> None:
    asked: Any = {"model": "default", "messages": SAID, "seed": 1, "n": 2}
    whole = script.chat.completions.create(**asked)
    chunks = list(script.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    *grown, last = chunks
    assert last.choices == [] and last.usage == whole.usage and all(one.usage is None for one in grown)
    for index, choice in enumerate(whole.choices):
        own = [one.choices[0] for one in grown if one.choices[0].index == index]
        assert (
            own[0].delta.role == "assistant"
            and "".join(one.delta.content or "" for one in own) == choice.message.content
        )
        assert [one.finish_reason for one in own] == [None] * (len(own) - 1) + ["stop"]
        assert own[-1].delta.content is None
        assert len(own) > 3
    assert len({one.id for one in chunks}) == 1


def test_the_asynchronous_client_streams_several_at_once(scripted: str) -> None:
    async def ask(client: AsyncOpenAI, seed: int) -> str:
        stream = await client.completions.create(model="", prompt="Once", seed=seed, max_tokens=100, stream=True)
        return "".join([one.choices[0].text async for one in stream])

    async def both() -> list[str]:
        async with AsyncOpenAI(base_url=f"{scripted}/v1", api_key="none", max_retries=0) as client:
            return list(await asyncio.gather(*(ask(client, seed) for seed in range(4))))

    texts = in_own_loop(both)
    assert texts[0].startswith("Night Ferry") and texts[0] == texts[3] and len(set(texts)) == 3


def test_curl_gets_events_and_a_done_at_the_end(scripted: str) -> None:
    body = json.dumps({"prompt": "Once", "seed": 0, "stream": True})
    found = subprocess.run(
        ["curl", "-sN", f"{scripted}/v1/completions", "-H", "Content-Type: application/json", "-d", body],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    events = [one.removeprefix("data: ") for one in found.split("\n\n") if one]
    assert events[-1] == "[DONE]"
    told = [json.loads(one) for one in events[:-1]]
    assert "".join(one["choices"][0]["text"] for one in told).startswith("Night Ferry")
    assert told[-1]["choices"][0]["finish_reason"] == "length"  # 16 tokens are OpenAI's default there


def test_thoughts_stand_beside_the_answer(serve: Site) -> None:
    url = serve("--think")
    with client_of(url) as client:
        whole = client.chat.completions.create(model="", messages=SAID[:1], seed=0).choices[0].message
        chunks = list(client.chat.completions.create(model="", messages=SAID[:1], seed=0, stream=True))
    thought = "Which ferry? <b>The late one.</b>"
    assert (whole.content, whole.model_extra["reasoning_content"]) == ("The ferry is late.", thought)  # type: ignore[index]
    deltas = [one.choices[0].delta for one in chunks]
    assert "".join(one.content or "" for one in deltas) == "The ferry is late."
    assert "".join((one.model_extra or {}).get("reasoning_content", "") for one in deltas) == thought


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"prompt": "Once", "top_q": 0.5}, "top_q", "Did you mean top_"),
        ({"prompt": "Once", "best_of": 3}, "best_of", "not supported"),
        ({"prompt": "Once", "suffix": "end"}, "suffix", "not supported"),
        ({"prompt": ["a", 7]}, "prompt", "list of texts"),
        ({"prompt": [1, 2, 3]}, "prompt", "token ids"),
        ({"prompt": ""}, "prompt", "empty"),
        ({}, "prompt", "must be a text"),
        ({"prompt": "Once", "temperature": "warm"}, "temperature", "must be a number"),
        ({"prompt": "Once", "max_tokens": 99_999}, "max_tokens", "allows at most"),
        ({"prompt": "Once", "max_tokens": 0}, "max_tokens", "must be"),
        ({"prompt": "Once", "max_tokens": 5, "max_new_tokens": 6}, "max_new_tokens", "say the same"),
        ({"prompt": "Once", "n": 99}, "n", "must be"),
        ({"prompt": "Once", "stream": "yes"}, "stream", "true or false"),
        ({"prompt": "Once", "stream_options": {"usage": True}}, "stream_options", "include_usage"),
        ({"prompt": "Once", "path": "quick"}, "path", "exact or fast"),
        ({"prompt": "Once", "logprobs": 2}, "logprobs", "whole vocabulary"),
        ({"prompt": "Once", "logprobs": True}, "logprobs", "whole number"),
        ({"prompt": "Once", "playground": {"all": 1}}, "playground", "trace, keep and scores"),
        ({"prompt": "Once", "logit_bias": {"7": 900}}, "logit_bias", "100"),
        ({"prompt": "Once", "json_schema": '{"type": "strin"}'}, "json_schema", "JSON schema"),
        ({"prompt": "word " * 3000}, "prompt", "reads at most 2,048"),
        ([1], None, "JSON object"),
        (b'{"prompt": NaN}', None, "not JSON"),
        (b'{"prompt": "\xff"}', None, "not JSON"),
    ],
)  # fmt: skip
def test_a_wrong_completion_is_refused_by_name(scripted: str, body: Any, param: str | None, words: str) -> None:
    status, answer, _ = post(scripted, "/v1/completions", body)
    error = answer["error"]
    assert (status, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert words in error["message"] and error["message_zh"] != error["message"]


@pytest.mark.parametrize(
    ("more", "param", "words"),
    [
        ({"messages": []}, "messages", "at least one"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages", "must be the user's"),
        ({"messages": [*SAID, {"role": "assistant", "content": "It"}]}, "messages", "continue_final_message"),
        ({"messages": [*SAID, {"role": "system", "content": "x"}, *SAID]}, "messages", "come first"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages[0].role", "no tools"),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "messages[0].name", "not supported"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
         "messages[0].content[0].type", "text only"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "not supported"),
        ({"tool_choice": "auto"}, "tool_choice", "not supported"),
        ({"top_logprobs": 3}, "top_logprobs", "logprobs: true"),
        ({"response_format": {"type": "xml"}}, "response_format", "json_schema"),
        ({"store": True}, "store", "not supported"),
        ({"echo": True}, "echo", "no field"),
        ({"continue_final_message": True}, "continue_final_message", "last message"),
    ],
)  # fmt: skip
def test_a_wrong_chat_is_refused_by_name(script: OpenAI, more: Any, param: str, words: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        script.chat.completions.create(**{"model": "", "messages": SAID}, extra_body=more)
    assert caught.value.param == param and words in str(caught.value)


def test_what_asks_for_nothing_is_taken(script: OpenAI) -> None:
    asked: Any = {"tools": [], "tool_choice": "none", "store": False, "metadata": {"a": "b"}, "service_tier": "auto"}
    assert script.chat.completions.create(model="", messages=SAID, extra_body=asked).choices[0].message.content
    assert script.completions.create(model="", prompt="Once", best_of=2, n=2).choices[1].text


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/responses", "/v1/", "/v1/completions/x", "/v1/playground/x"])
def test_what_is_not_there_is_a_404_in_openais_form(scripted: str, path: str) -> None:
    status, answer, _ = post(scripted, path, {})
    assert (status, answer["error"]["code"]) == (404, "unknown_url")


def test_every_field_of_the_clients_own_signature_is_known() -> None:
    """The official client's arguments are the specification's fields: each one acts, is taken, or is refused."""
    import inspect

    from openai.resources.chat.completions import Completions as Chat
    from openai.resources.completions import Completions

    transport = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}
    for method, endpoint in ((Chat.create, "chat"), (Completions.create, "completions")):
        theirs = set(inspect.signature(method).parameters) - transport
        known = fields.known(endpoint)  # type: ignore[arg-type]
        assert theirs <= set(known)
        assert {name for name, one in known.items() if not one.ours} <= theirs


def test_the_table_of_the_documents_is_the_one_that_requests_are_read_by() -> None:
    text = Path("docs/api.md").read_text(encoding="utf-8")
    begin, end = text.index(fields.BEGIN) + len(fields.BEGIN), text.index(fields.END)
    assert text[begin:end].strip() == fields.table()


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_gives_its_place_back(serve: Site, hold: Held, stream: bool) -> None:
    """Its text is held and never ends by itself, and there is one place: only leaving frees it for the next."""
    hold("all")
    url = serve("--hold", str(hold.file), "--limit-running", "1", "--path", "exact", "--slow")
    place = urlsplit(url)
    body = json.dumps({"prompt": "Once", "max_tokens": 100, "stream": stream})
    with socket.create_connection((place.hostname or "", place.port or 0)) as opened:
        head = f"POST /v1/completions HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
        opened.sendall((head + body).encode())
        opened.settimeout(0.5 if not stream else 60)
        with suppress(TimeoutError):
            assert b"200 OK" in opened.recv(200)
    with client_of(url) as client:
        assert client.completions.create(model="", prompt="Once", max_tokens=2).choices[0].text


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        (("--limit-running", "1", "--limit-waiting", "1"), 503, "overloaded"),
        (("--limit-running", "4", "--limit-waiting", "16", "--limit-address", "10"), 429, "rate_limit_exceeded"),
    ],
)
def test_a_request_waits_in_the_same_line_and_a_full_one_says_when_to_come_again(
    serve: Site, hold: Held, limits: tuple[str, ...], status: int, code: str
) -> None:
    """Two are held: one runs, and one waits or has the rest of the address's share."""
    hold("all")
    url = serve("--hold", str(hold.file), "--path", "exact", "--slow", *limits)
    body = json.dumps({"prompt": "Once", "max_tokens": 100, "stream": True})
    opened = [http.client.HTTPConnection(urlsplit(url).netloc) for _ in range(2)]
    waiting = [*opened]
    for one in opened:
        one.request("POST", "/v1/completions", body)
    begun: list[http.client.HTTPResponse] = []

    def look(one: http.client.HTTPConnection) -> None:
        """It begins, or asks again where somebody before it still had the place."""
        answer = one.getresponse()
        if answer.status == status:
            answer.read()
            one.request("POST", "/v1/completions", body)
        else:
            waiting.remove(one)
            begun.append(answer)

    told: tuple[int, Any, Any] = (200, None, None)
    while told[0] == 200:  # until both are there; one that asks before them is answered, or waits and leaves
        for one in opened:
            if one in waiting and select.select([one.sock], [], [], 0.5)[0]:
                look(one)
        with suppress(TimeoutError):
            told = post(url, "/v1/completions", {"prompt": "Once", "max_tokens": 1}, patience=2)
    assert (told[0], told[1]["error"]["code"], told[2]["Retry-After"]) == (status, code, "5")
    hold()
    while waiting:
        look(waiting[0])
    for answer in begun:
        assert answer.read().endswith(b"data: [DONE]\n\n")
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def guarded(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With a password for the page, and keys for the API."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"{KEY}\nsk-another-0123456789abcdef\n")
    secret = keys.with_name("password")
    secret.write_text("open sesame\n")
    flags = ("--host", "0.0.0.0", "--api-key-file", str(keys), "--password-file", str(secret))
    with forked(SCRIPTED, *flags) as url:
        yield url


class TestPublic:
    """A page that other people reach."""

    def test_a_key_opens_the_api_without_a_login_and_nothing_else(self, guarded: str) -> None:
        with client_of(guarded, KEY) as client:
            assert client.completions.create(model="", prompt="Once").choices[0].text
        for key in ("wrong", KEY[:-1], ""):
            status, answer, _ = post(guarded, "/v1/completions", {"prompt": "x"}, Authorization=f"Bearer {key}")
            assert (status, answer["error"]["code"]) == (401, "invalid_api_key")
            assert KEY not in json.dumps(answer)
        status, _, _ = post(guarded, "/gradio_api/queue/join", {}, Authorization=f"Bearer {KEY}")
        assert status == 401

    def test_a_public_pages_limits_hold(self, guarded: str) -> None:
        for more, param in (({"max_tokens": 513}, "max_tokens"), ({"n": 5}, "n"), ({"logprobs": 21}, "logprobs")):
            status, answer, _ = post(
                guarded, "/v1/completions", {"prompt": "Once", **more}, Authorization=f"Bearer {KEY}"
            )
            assert (status, answer["error"]["param"]) == (400, param)

    def test_another_host_or_site_is_refused_whatever_key_it_has(self, guarded: str) -> None:
        several: list[tuple[dict[str, Any], int]] = [
            ({"Host": "evil.example"}, 421),
            ({"Origin": "https://evil.example"}, 403),
        ]
        for headers, expected in several:
            status, answer, told = post(
                guarded, "/v1/completions", {"prompt": "x"}, Authorization=f"Bearer {KEY}", **headers
            )
            assert status == expected and answer["error"]["message"]
            assert "Access-Control-Allow-Origin" not in told

    def test_without_keys_it_is_off(self, serve: Site) -> None:
        url = serve("--host", "0.0.0.0")
        status, answer, _ = post(url, "/v1/completions", {"prompt": "x"})
        assert (status, answer["error"]["code"]) == (403, "api_disabled")


def test_a_failed_row_is_an_error_of_its_own(script: OpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        script.completions.create(model="", prompt="[fails] Once", seed=0, max_tokens=50)
    assert caught.value.status_code == 500 and "Traceback" not in str(caught.value)
    with pytest.raises(APIError):
        list(script.completions.create(model="", prompt="[fails] Once", seed=0, max_tokens=50, stream=True))
