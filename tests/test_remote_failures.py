"""Engines that are none, that fail, that are slow or that lie: each is one sentence, and no text is lost."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from playground import generate
from playground.generators.remote import failures, opening
from playground.generators.remote.address import Timeouts, address_of
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.http_client import begin
from playground.types import Request, Step
from tests.broken_engine import MODELS, Scripted, Talk, chunk, engine_that
from tests.reference import request

PATIENT = Timeouts(first=60.0, between=60.0, patience=8.0, restart=0.3)
IMPATIENT = Timeouts(first=2.0, between=2.0, restart=0.3)
END = b"[DONE]"


@contextmanager
def opened(server: Scripted, timeouts: Timeouts = PATIENT, **more: Any) -> Iterator[RemoteGenerator]:
    engine = opening.open_engine(server.url, timeouts=timeouts, **more)
    yield engine
    engine.close()


def asked(**values: Any) -> Request:
    return request("A slogan:", {"seed": 1, "max_new_tokens": 8, **values})


def run(says: Talk, timeouts: Timeouts = PATIENT, **values: Any) -> list[Step]:
    with engine_that(says) as server, opened(server, timeouts) as engine:
        return list(engine.stream(asked(**values)))


def text(steps: list[Step]) -> str:
    return "".join(step.text for step in steps)


def said(steps: list[Step]) -> str:
    assert steps[-1].finish == "error" and steps[-1].reason is not None and steps[-1].reason.zh
    return steps[-1].reason.en


def test_a_text_comes_as_it_is_written() -> None:
    steps = run(Talk([chunk("Good"), chunk(" day."), chunk("", "stop"), END]))
    assert (text(steps), steps[-1].finish) == ("Good day.", "end")


USAGE = [{"prompt_tokens": 3, "completion_tokens": 5}, {"prompt_tokens": "3"}, "five", None]


@pytest.mark.parametrize("usage", USAGE)
def test_an_engine_counts_its_tokens_behind_the_end_or_they_are_unknown(usage: Any) -> None:
    count = json.dumps({"choices": [], "usage": usage}).encode()
    with (
        engine_that(Talk([chunk("Good"), chunk(" day."), chunk("", "stop"), count, END])) as server,
        opened(server) as engine,
    ):
        *_, written = generate.run(asked(), engine)
    known = usage == USAGE[0]
    assert (written.candidates[0].written, written.prompt_tokens) == ((5, 3) if known else (None, 0))
    assert written.answers == ["Good day."] and written.candidates[0].finish_reason == "end"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/?key=1",
        "http://[::1",
        "//a",
    ],
)
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(failures.EngineError, match="no address of an engine"):
        address_of(url)


@pytest.mark.parametrize("url", ["http://example.org", "http://10.0.0.7:8000", "http://127.0.0.1.example.org"])
def test_other_machines_are_spoken_to_encrypted_unless_that_is_allowed(url: str) -> None:
    with pytest.raises(failures.EngineError, match="not encrypted"):
        address_of(url)
    assert address_of(url, plain_http=True).base == url
    assert address_of(url.replace("http:", "https:")).base.startswith("https:")


def test_an_address_may_end_with_v1_and_may_not_hold_a_password() -> None:
    assert address_of("http://localhost:8000/v1/").base == "http://localhost:8000"
    assert address_of("https://a.test/models/v1").base == "https://a.test/models"
    with pytest.raises(failures.EngineError, match="password") as caught:
        address_of("http://me:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(caught.value)


def test_nobody_there() -> None:
    with engine_that() as server:
        url = server.url
    with pytest.raises(failures.EngineError, match="Nothing answers"):
        opening.open_engine(url, timeouts=PATIENT)


@pytest.mark.parametrize("page", [b"<html>Hello</html>", b"", b"[]", b"{}", b"\xff\xfe{", b'{"data": 7}'])
def test_what_answers_otherwise_is_no_engine(page: bytes) -> None:
    def answer(handler: Any, _: Any) -> None:
        handler.raw(page)

    with (
        engine_that(props=answer, version=answer, v1_models=answer) as server,
        pytest.raises(failures.EngineError, match="is no engine"),
    ):
        opening.open_engine(server.url, timeouts=PATIENT)


def test_an_engine_that_sends_nothing_is_given_up() -> None:
    def sleeps(*_: Any) -> None:
        time.sleep(6)

    steps = run(Talk(first=[sleeps]), IMPATIENT)
    assert "sent nothing for 2 seconds" in said(steps)


def test_a_stream_that_falls_silent_keeps_its_text() -> None:
    def falls_silent(handler: Any, _: Any) -> None:
        handler.events([chunk("Half a"), chunk(" word")])
        time.sleep(6)

    steps = run(Talk(first=[falls_silent]), IMPATIENT)
    assert text(steps) == "Half a word" and "sent nothing" in said(steps)


@pytest.mark.parametrize("line", [b"\xff\xfe", b"{not json", b"7", b'{"choices": [7]}', b'{"choices": [{"text": 7}]}'])
def test_what_cannot_be_read_ends_the_text_and_keeps_it(line: bytes) -> None:
    steps = run(Talk([chunk("Half a"), line, chunk(" word")]))
    assert text(steps) == "Half a" and "cannot be read" in said(steps)


def test_an_engine_that_dies_in_mid_stream_keeps_the_text_and_is_not_asked_again() -> None:
    with engine_that(Talk([chunk("Half a"), chunk(" word")])) as server, opened(server) as engine:
        steps = list(engine.stream(asked()))
        streamed = [body for path, _, body in server.seen if body.get("stream")]
    assert text(steps) == "Half a word" and "broke off" in said(steps)
    assert len(streamed) == 1


def test_an_engine_that_says_what_is_wrong_is_quoted() -> None:
    steps = run(Talk([chunk("Half a"), json.dumps({"error": {"message": "out of blocks"}}).encode()]))
    assert text(steps) == "Half a" and "out of blocks" in said(steps)
    long = Talk(first=[lambda handler, _: handler.json({"error": {"message": "bad\n<b>" + "x" * 5000}}, 400)])
    reason = said(run(long))
    assert "HTTP 400" in reason and "bad <b>" in reason and len(reason) < 400


def test_more_tokens_than_asked_are_cut_off() -> None:
    steps = run(Talk([*(chunk(f" {place}") for place in range(50)), chunk("", "stop"), END]), max_new_tokens=3)
    assert (text(steps), steps[-1].finish, len(steps)) == (" 0 1 2", "length", 3)


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "null", '"a"', "-1e999"])
def test_figures_that_are_no_numbers_are_not_shown(figure: str) -> None:
    logprobs = f'{{"tokens": ["Hi"], "token_logprobs": [{figure}], "top_logprobs": [{{"Hi": {figure}}}]}}'
    line = f'{{"choices": [{{"text": "Hi", "logprobs": {logprobs}}}]}}'.encode()
    steps = run(Talk([line, chunk("", "stop"), END]))
    assert text(steps) == "Hi" and steps[0].logprob is None and steps[-1].finish == "end"


@pytest.mark.parametrize("status", [429, 503])
def test_an_engine_without_room_is_asked_again_and_the_place_in_line_is_said(status: int) -> None:
    busy = [lambda handler, _: handler.json({"error": {}}, status, Retry_After="1")]
    with engine_that(Talk([chunk("At last."), chunk("", "stop"), END], first=busy)) as server, opened(server) as engine:
        source = engine.open(asked(), threading.Event())
        places, found = [], []
        while not source.over:
            places.append(source.place())
            found += [step for _, step in source.poll()]
            time.sleep(0.02)
    assert text(found) == "At last."
    waits = [place for place in places if place is not None]
    assert waits and waits[0].ahead == 1 and 0 < max(one.seconds or 0 for one in waits) <= 1


def test_a_question_is_asked_again_too_where_an_engine_has_no_room() -> None:
    answers = iter([({}, 503), ({}, 429), ({"scores": [1]}, 200)])
    with engine_that(Talk(), ask=lambda handler, _: handler.json(*next(answers))) as server, opened(server) as engine:
        assert begin(engine.client.ask_until_room("/ask", {})).result(60) == {"scores": [1]}


def test_an_engine_that_never_has_room_is_given_up() -> None:
    full = [lambda handler, _: handler.json({}, 503, Retry_After="20")]
    assert "overloaded" in said(run(Talk(first=full)))


def test_an_engine_that_starts_again_is_waited_for_before_the_first_token() -> None:
    def hangs_up(handler: Any, _: Any) -> None:
        handler.close_connection = True

    steps = run(Talk([chunk("Back."), chunk("", "stop"), END], first=[hangs_up]))
    assert (text(steps), steps[-1].finish) == ("Back.", "end")


def test_a_redirect_is_not_followed_and_takes_no_key_along() -> None:
    with engine_that() as other:
        away = lambda handler, _: handler.raw(b"", status=307, Location=other.url + "/v1/models")  # noqa: E731
        with (
            engine_that(props=away, version=away, v1_models=away) as server,
            pytest.raises(failures.EngineError, match="another address"),
        ):
            opening.open_engine(server.url, key="sk-secret", timeouts=PATIENT)
        assert other.seen == []


def test_a_key_goes_to_its_engine_and_stands_in_no_sentence(tmp_path: Path) -> None:
    def echo(handler: Any, _: Any) -> None:
        handler.json({"error": {"message": f"unknown key {handler.headers['authorization']}"}}, 400)

    file = tmp_path / "key"
    file.write_text("sk-secret-9\n", encoding="utf-8")
    with engine_that(Talk(first=[echo])) as server, opened(server, key_file=file) as engine:
        reason = said(list(engine.stream(asked())))
        assert all(headers["Authorization"] == "Bearer sk-secret-9" for _, headers, _ in server.seen)
        assert "sk-secret" not in f"{reason} {engine!r} {engine.client.address!r}" and "***" in reason
    for bad in ("a b", "schlüssel", "a\nb"):
        with pytest.raises(failures.EngineError, match="no key has") as caught:
            address_of("http://127.0.0.1:1", key=bad)
        assert bad not in str(caught.value)
    with pytest.raises(failures.EngineError, match="cannot be read"):
        opening.open_engine("http://127.0.0.1:1", key_file=tmp_path / "missing")


def test_a_key_that_is_wanted_is_asked_for() -> None:
    wants = lambda handler, _: handler.json({"error": {"message": "no"}}, 401)  # noqa: E731
    with (
        engine_that(props=wants, version=wants, v1_models=wants) as server,
        pytest.raises(failures.EngineError, match="--engine-key-file"),
    ):
        opening.open_engine(server.url, timeouts=PATIENT)


def test_another_model_than_named_is_refused() -> None:
    with engine_that(Talk()) as server, opened(server, model="model-1") as engine:
        assert engine.card.id == "acme/model-1" and engine.card.context == 4096
        with pytest.raises(failures.EngineError, match=r"does not serve 'other'.*acme/model-1"):
            opening.open_engine(server.url, model="other", timeouts=PATIENT)


def test_a_certificate_of_its_own_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    with engine_that(Talk([chunk("Safe."), chunk("", "stop"), END]), certificate=(certificate, key)) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(failures.EngineError, match="--engine-ca-file"):
            opening.open_engine(url, timeouts=PATIENT)
        engine = opening.open_engine(url, verify=certificate, timeouts=PATIENT)
        assert text(list(engine.stream(asked()))) == "Safe."
        engine.close()
    with pytest.raises(failures.EngineError, match="holds no certificate"):
        opening.open_engine("https://127.0.0.1:1", verify=tmp_path / "nothing.pem")


def test_a_thought_that_comes_apart_is_set_between_tags() -> None:
    def delta(finish: str | None = None, **said: str) -> bytes:
        return json.dumps({"choices": [{"delta": said, "finish_reason": finish}]}).encode()

    lines = [
        delta(reasoning_content="Two and"),
        delta(reasoning_content=" two."),
        delta(content="4"),
        delta("stop"),
        END,
    ]
    with engine_that(Talk(), v1_chat_completions=Talk(lines)) as server, opened(server) as engine:
        steps = list(engine.stream(request("2+2?", {"seed": 1, "stop": ["two"]}, mode="chat")))
    assert text(steps) == "<think>\nTwo and two.\n</think>\n\n4"  # a stop string ends no thought


def test_every_neutral_value_is_sent_since_servers_have_defaults_of_their_own() -> None:
    with engine_that(Talk([chunk("A"), chunk("", "stop"), END])) as server, opened(server) as engine:
        list(engine.stream(asked()))
        sent = server.seen[-1][2]
    assert (sent["temperature"], sent["top_p"], sent["presence_penalty"], sent["frequency_penalty"]) == (1, 1, 0, 0)
    assert sent["model"] == MODELS["data"][0]["id"]  # type: ignore[index]


def test_no_more_texts_at_a_time_than_the_engine_has_room_for() -> None:
    running, most, guard, two = 0, 0, threading.Lock(), threading.Event()

    def slow(handler: Any, _: Any) -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
            if running == 2:
                two.set()
        assert two.wait(60)  # there is room for another
        time.sleep(0.05)
        with guard:
            running -= 1
        handler.events([chunk("A"), chunk("", "stop"), END])

    with engine_that(Talk(first=[slow] * 8)) as server, opened(server) as opened_engine:
        engine = RemoteGenerator(opened_engine.client, opened_engine.adapter, at_once=2)
        first, second = (engine.open(asked(n=4), threading.Event()) for _ in range(2))
        place = second.place()
        assert place is not None and place.ahead >= 1
        while not (first.over and second.over):
            first.poll(), second.poll()
            time.sleep(0.01)
    assert most == 2
