"""Promises of `/v1/*`: what OpenAI's own client, sync, async and streaming, and curl get from a real server."""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, BadRequestError, InternalServerError, NotFoundError, OpenAI

from playground import parameters
from playground.openai_api import fields
from playground.openai_api.server import HONOURED
from tests.ui.conftest import Held, Site, in_own_loop
from tests.ui.served import SCRIPTED, forked

SAID: Any = [{"role": "user", "content": "Say something about ferries."}]
KEY = "sk-playground-0123456789abcdef"


def client_of(url: str, key: str = "none") -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60)


def ready(url: str) -> OpenAI:
    """The same once the model is loaded; until then the server says 503 and when to come again."""
    client = client_of(url)
    for _ in range(600):
        try:
            client.models.list()
        except InternalServerError as error:
            if error.status_code != 503 or error.response.headers["Retry-After"] != "5":
                raise
            time.sleep(0.1)
        else:
            break
    return client


@pytest.fixture(scope="module")
def script(scripted: str) -> Iterator[OpenAI]:
    with client_of(scripted) as client:
        yield client


@pytest.fixture(scope="module")
def tiny_client(tiny_site: str) -> Iterator[OpenAI]:
    with ready(tiny_site) as client:
        yield client


def post(url: str, path: str, body: Any, **headers: str) -> tuple[int, Any, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


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
        ({"prompt": "Once", "max_tokens": 5, "max_new_tokens": 5}, "max_new_tokens", "say the same"),
        ({"prompt": "Once", "n": 99}, "n", "must be"),
        ({"prompt": "Once", "stream": "yes"}, "stream", "true or false"),
        ({"prompt": "Once", "stream_options": {"usage": True}}, "stream_options", "include_usage"),
        ({"prompt": "Once", "path": "quick"}, "path", "exact or fast"),
        ({"prompt": "Once", "logprobs": 2}, "logprobs", "whole vocabulary"),
        ({"prompt": "Once", "logprobs": True}, "logprobs", "whole number"),
        ({"prompt": "Once", "playground": {"all": 1}}, "playground", "trace and keep"),
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


def test_a_client_that_leaves_ends_its_run(tiny_page: str) -> None:
    with forked(tiny_page, "--pause", "0.05") as url:
        ready(url).close()
        place = urlsplit(url)
        body = json.dumps({"prompt": "Once", "max_tokens": 400, "stream": True, "ignore_eos": True, "path": "fast"})
        with socket.create_connection((place.hostname, place.port)) as opened:
            head = f"POST /v1/completions HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
            opened.sendall((head + body).encode())
            assert b"data: " in opened.recv(4000) + opened.recv(4000)
        began = time.monotonic()  # 400 tokens take 20 s; what is left of them must not be waited for
        with ready(url) as client:
            rows = client.completions.create(model="", prompt="Once", max_tokens=2, extra_body={"path": "fast"})
        assert rows.choices[0].text is not None and time.monotonic() - began < 15


def test_a_request_waits_in_the_same_line_and_a_full_one_is_a_503(serve: Site, hold: Held) -> None:
    hold("all")
    url = serve("--hold", str(hold.file), "--limit-running", "1", "--limit-waiting", "1", "--path", "exact", "--slow")
    place = urlsplit(url)
    body = json.dumps({"prompt": "Once", "max_tokens": 100, "stream": True})
    opened = [http.client.HTTPConnection(place.netloc) for _ in range(2)]
    for one in opened:
        one.request("POST", "/v1/completions", body)
    for _ in range(200):
        status, answer, headers = post(url, "/v1/completions", {"prompt": "Once", "max_tokens": 1})
        if status == 503:
            break
        time.sleep(0.05)
    assert (status, answer["error"]["code"], headers["Retry-After"]) == (503, "overloaded", "5")
    hold()
    for one in opened:
        assert one.getresponse().read().endswith(b"data: [DONE]\n\n")
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
        for headers, expected in (({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)):
            status, answer, told = post(
                guarded, "/v1/completions", {"prompt": "x"}, Authorization=f"Bearer {KEY}", **headers
            )
            assert status == expected and answer["error"]["message"]
            assert "Access-Control-Allow-Origin" not in told

    def test_without_keys_it_is_off(self, serve: Site) -> None:
        url = serve("--host", "0.0.0.0")
        status, answer, _ = post(url, "/v1/completions", {"prompt": "x"})
        assert (status, answer["error"]["code"]) == (403, "api_disabled")


class TestOnAModel:
    """What needs the scores of a model."""

    def test_log_probabilities_of_a_whole_vocabulary_sum_to_one(self, tiny_client: OpenAI) -> None:
        found = tiny_client.chat.completions.create(
            model="", messages=SAID, max_tokens=1, logprobs=True, top_logprobs=-1, temperature=0, seed=1
        )
        content = found.choices[0].logprobs.content  # type: ignore[union-attr]
        assert content
        for one in content:
            assert len(one.top_logprobs) == 49_152
            assert sum(math.exp(top.logprob) for top in one.top_logprobs) == pytest.approx(1, abs=1e-3)
            assert one.top_logprobs[0].logprob == one.logprob and one.top_logprobs[0].token == one.token
        data = b"".join(bytes(one.bytes or []) for one in content)
        assert data.decode("utf-8", "replace").startswith((found.choices[0].message.content or "")[:1])

    def test_completions_have_their_own_shape_and_echo_the_prompt(self, tiny_client: OpenAI) -> None:
        found = tiny_client.completions.create(
            model="", prompt="The harbour", max_tokens=3, logprobs=2, echo=True, seed=5
        )
        told: Any = found.choices[0].logprobs
        assert found.choices[0].text.startswith("The harbour")
        assert told.token_logprobs[0] is None and all(one <= 0 for one in told.token_logprobs[1:])
        assert all(len(one) == 2 for one in told.top_logprobs[1:])
        assert told.text_offset[0] == 0 and told.text_offset == sorted(told.text_offset)
        assert "".join(told.tokens[: len(told.tokens) - 3]) == "The harbour"
        read = tiny_client.completions.create(model="", prompt="The harbour", max_tokens=0, logprobs=2, echo=True)
        own: Any = read.choices[0].logprobs
        assert own.token_logprobs == pytest.approx(told.token_logprobs[: len(own.tokens)], nan_ok=True, abs=1e-4) or (
            own.token_logprobs[1:] == pytest.approx(told.token_logprobs[1 : len(own.tokens)], abs=1e-4)
        )
        assert read.choices[0].text == "The harbour" and read.usage is not None and read.usage.completion_tokens == 0

    def test_streamed_log_probabilities_equal_those_of_the_whole(self, tiny_client: OpenAI) -> None:
        asked: Any = {"model": "", "prompt": "One", "max_tokens": 8, "logprobs": 3, "seed": 3}
        asked["extra_body"] = {"path": "exact", "return_tokens_as_token_ids": True}
        whole: Any = tiny_client.completions.create(**asked).choices[0].logprobs
        pieces: Any = [one.choices[0].logprobs for one in tiny_client.completions.create(**asked, stream=True)]
        assert [token for one in pieces if one for token in one.tokens] == whole.tokens
        assert [value for one in pieces if one for value in one.token_logprobs] == whole.token_logprobs
        assert all(token.startswith("token_id:") for token in whole.tokens)

    def test_every_parameter_is_a_field_and_acts(self, tiny_client: OpenAI) -> None:
        given = {
            one.name: list(one.default) if isinstance(one.default, tuple) else one.default
            for one in parameters.REGISTRY
        }
        del given["logit_bias_ids"]
        found = tiny_client.completions.create(
            model="", prompt="One", extra_body={**given, "max_new_tokens": 3, "seed": 1}
        )
        assert found.usage is not None and found.usage.completion_tokens <= 3
        biased: Any = {"max_tokens": 4, "logit_bias": {"17": 100}, "temperature": 0, "logprobs": 0}
        only = tiny_client.completions.create(
            model="", prompt="One", **biased, extra_body={"return_tokens_as_token_ids": True}
        )
        assert only.choices[0].logprobs.tokens == ["token_id:17"] * 4

    def test_response_formats_hold_the_text_to_json(self, tiny_client: OpenAI) -> None:
        schema = {
            "type": "object",
            "properties": {"a": {"enum": [1, 2]}},
            "required": ["a"],
            "additionalProperties": False,
        }
        form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        found = tiny_client.chat.completions.create(
            model="", messages=SAID, response_format=form, max_tokens=60, seed=2
        )
        assert json.loads(found.choices[0].message.content or "")["a"] in (1, 2)

    def test_phrases_that_are_stepped_back_from_are_never_sent(self, tiny_client: OpenAI) -> None:
        asked: Any = {"model": "", "prompt": "One", "max_tokens": 60, "seed": 4, "logprobs": 1}
        asked["extra_body"] = {"banned_phrases": ["e", "th"], "path": "exact"}
        whole = tiny_client.completions.create(**asked)
        chunks = list(tiny_client.completions.create(**asked, stream=True))
        assert "".join(one.choices[0].text for one in chunks) == whole.choices[0].text
        told: Any = whole.choices[0].logprobs
        assert len(told.tokens) == whole.usage.completion_tokens

    def test_a_last_message_of_the_assistant_is_continued(self, tiny_client: OpenAI) -> None:
        said: Any = [*SAID, {"role": "assistant", "content": "The ferry"}]
        found = tiny_client.chat.completions.create(
            model="", messages=said, max_tokens=3, seed=1, extra_body={"continue_final_message": True}
        )
        assert found.usage is not None and found.usage.completion_tokens == 3

    def test_several_prompts_are_answered_in_their_order(self, tiny_client: OpenAI) -> None:
        alone = [
            tiny_client.completions.create(model="", prompt=one, seed=9, max_tokens=4, extra_body={"path": "exact"})
            for one in ("One", "Two")
        ]
        both = tiny_client.completions.create(
            model="", prompt=["One", "Two"], seed=9, max_tokens=4, extra_body={"path": "exact"}
        )
        assert [one.text for one in both.choices] == [one.choices[0].text for one in alone]
        assert [one.index for one in both.choices] == [0, 1]

    def test_a_trace_says_what_each_stage_did_and_a_kept_run_can_be_asked(
        self, tiny_client: OpenAI, tiny_site: str
    ) -> None:
        found = tiny_client.completions.create(
            model="",
            prompt="One",
            seed=3,
            max_tokens=5,
            top_p=0.9,
            extra_body={"playground": {"trace": True, "keep": True}},
        )
        own = found.choices[0].model_extra["playground"]  # type: ignore[index]
        assert [stage["stage"] for stage in own["steps"][0]["stages"]] == ["top_p"]
        status, answer, _ = post(
            tiny_site, "/v1/playground/stage_breakdown", {"version": 1, "run_id": own["run"], "row": 0, "position": 2}
        )
        assert status == 200 and answer["answer"]["stages"][0]["stage"] == "top_p"
        assert answer["answer"]["draw"]["token"]["token_id"] == own["steps"][2]["token_id"]


def test_log_probabilities_of_the_embedded_model_are_those_of_transformers(embedded_page: str, loaded: Any) -> None:
    import torch

    prompt = "The capital of France is"
    with ready(embedded_page) as client:
        found = client.completions.create(
            model="", prompt=prompt, max_tokens=3, temperature=0, logprobs=5, extra_body={"path": "exact"}
        )
    told: Any = found.choices[0].logprobs
    ids = loaded.tokenizer(prompt, return_tensors="pt").input_ids
    with torch.inference_mode():
        scores = torch.log_softmax(loaded.model(ids).logits[0, -1].float(), -1)
    best = scores.topk(5)
    texts = [loaded.tokenizer.decode([one]) for one in best.indices.tolist()]
    assert list(told.top_logprobs[0])[:3] == texts[:3] and told.tokens[0] == texts[0]
    values = list(told.top_logprobs[0].values())[:3]  # the page's weights are bf16
    assert values == pytest.approx(best.values.tolist()[:3], abs=0.1)


def test_a_failed_row_is_an_error_of_its_own(script: OpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        script.completions.create(model="", prompt="[fails] Once", seed=0, max_tokens=50)
    assert caught.value.status_code == 500 and "Traceback" not in str(caught.value)
    with pytest.raises(APIError):
        list(script.completions.create(model="", prompt="[fails] Once", seed=0, max_tokens=50, stream=True))
