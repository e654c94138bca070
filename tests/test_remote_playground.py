"""Promises of one Playground before another: nothing of a run is lost on the way, and every view answers as here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground import generate, models, parameters, wire_format
from playground.generators import elsewhere
from playground.generators.local import LocalGenerator
from playground.generators.remote.opening import open_chosen, open_playground
from playground.generators.remote.playground import RemotePlayground
from playground.inspection import diagnose, inspect_api
from playground.run import Run
from playground.settings import Settings
from playground.types import Generator, InvalidRequest, PlaygroundError, Refused, Request, Stopped
from tests.other_playground import PAGE
from tests.reference import request
from tests.ui.served import Forked, forked, free_port

PROMPT = "Write a slogan for a coffee shop called the morning light:"
CASES: list[dict[str, Any]] = [
    {"top_p": 0.9, "temperature": 0.8},
    {"banned_phrases": ["e", "th"], "temperature": 1.2},
    {"mirostat_tau": 3.0},
    {"guidance_scale": 1.5, "negative_prompt": "A sad text.", "top_k": 50},
    {"temperature": 0.0, "repetition_penalty": 1.3, "n": 1},
]


@pytest.fixture(scope="module")
def there(other_playground: str) -> Iterator[RemotePlayground]:
    found = open_playground(other_playground)
    assert isinstance(found, RemotePlayground)
    yield found
    found.close()


@pytest.fixture(scope="module")
def here(tiny: models.Loaded) -> Generator:
    return LocalGenerator(tiny)


def kept(peer: Generator, **values: Any) -> tuple[Run, str]:
    """A finished run, and the id under which it can be asked."""
    asked = generate.build(
        PROMPT, {"seed": 8, "max_new_tokens": 16, "n": 2, **values}, keep=inspect_api.new_run_id(), trace=True
    )
    run = list(generate.run(asked, peer))[-1]
    assert run.finished and run.error is None
    return run, asked.keep


@pytest.fixture(params=CASES, ids=lambda case: next(iter(case)))
def pair(request: pytest.FixtureRequest, there: Generator, here: Generator) -> Iterator[tuple[tuple[Run, str], ...]]:
    """The same run there and here."""
    found = kept(there, **request.param), kept(here, **request.param)
    yield found
    for _, keep in found:
        inspect_api.forget(keep)


def test_every_step_is_the_one_of_a_run_here(pair: tuple[tuple[Run, str], ...]) -> None:
    (theirs, _), (ours, _) = pair
    assert [one.token_ids for one in theirs.candidates] == [one.token_ids for one in ours.candidates]
    assert [one.steps for one in theirs.candidates] == [one.steps for one in ours.candidates]  # with their stages
    assert theirs.as_json()["candidates"] == ours.as_json()["candidates"]


def test_what_if_and_every_view_of_a_kept_run_answer_as_here(pair: tuple[tuple[Run, str], ...]) -> None:
    (run, theirs), (_, ours) = pair
    row = len(run.candidates) - 1
    other = {**run.request.values, "top_k": 3, "temperature": 1.4}
    for values in (dict(run.request.values), other):
        found = [replace(inspect_api.replay(keep, row, values), milliseconds=0.0) for keep in (theirs, ours)]
        assert found[0] == found[1]
        assert inspect_api.badges(theirs, row, values) == inspect_api.badges(ours, row, values)
        for position in (0, 5):
            told = [inspect_api.stage_breakdown(keep, row, position, values, search=" the") for keep in (theirs, ours)]
            assert told[0] == told[1]
    assert inspect_api.favourites(theirs, row) == inspect_api.favourites(ours, row)
    assert inspect_api.named(theirs, 17) == inspect_api.named(ours, 17)
    assert inspect_api.token_logprobs(theirs, row, 2, 5, 4) == inspect_api.token_logprobs(ours, row, 2, 5, 4)
    assert diagnose.examine(run, row, theirs) == diagnose.examine(run, row, ours)


def test_a_whole_vocabulary_comes_as_numbers_and_its_tokens_once(there: RemotePlayground, here: Generator) -> None:
    (_, theirs), (_, ours) = kept(there), kept(here)
    asked = request(PROMPT, {"seed": 3})
    for question in (
        lambda peer, keep: inspect_api.token_logprobs(keep, 1, 2, 5, 10**6),
        lambda peer, keep: inspect_api.prompt_logprobs(peer, asked, 10**6),
    ):
        told, own = question(there, theirs), question(here, ours)
        assert told == own and [list(one.top) for one in told] == [list(one.top) for one in own]
        assert len(told[-1].top) == 49_152 and len(there.reader._vocabularies) == 1
    run: Any = elsewhere.RUNS.find(theirs)
    small = {"run_id": run._there, "row": 1, "start": 2, "stop": 3, "count": 10**6}
    (name,) = there.reader._vocabularies
    answer = there.reader.ask("token_logprobs", known=[name], **small)
    assert answer["lengths"] == answer["joined"] == "" and len(answer["scores"][0]) < 6 * 49_152
    answer = there.reader.ask("token_logprobs", **small)
    fresh: wire_format.WholeLogprobs = wire_format.decode(wire_format.WholeLogprobs, answer)
    data = wire_format.vocabulary_of(fresh)
    for wrong in ({"scores": ()}, {"scores": (b"1234",)}, {"token_ids": (49_152,)}):
        with pytest.raises(wire_format.Malformed):
            wire_format.positions_of(replace(fresh, **wrong), data)
    with pytest.raises(wire_format.Malformed):
        wire_format.vocabulary_of(replace(fresh, joined=fresh.joined[1:]))
    for keep in (theirs, ours):
        inspect_api.forget(keep)


def test_the_model_tells_the_same_before_any_run(there: Generator, here: Generator) -> None:
    asked = request(PROMPT, {"seed": 3, "top_k": 5}, mode="chat", prefill="It")
    for question in (
        lambda peer: inspect_api.next_token(peer, asked, session="s", search=9),
        lambda peer: inspect_api.read(peer, "One", " two three"),
        lambda peer: inspect_api.seen(peer, asked),
        lambda peer: inspect_api.prompt_logprobs(peer, asked, 3),
        lambda peer: inspect_api.written(peer, 504),
        lambda peer: inspect_api.biased(peer, parameters.validate({"logit_bias": {"coffee": 3.0}})),
        lambda peer: inspect_api.detect_watermark(peer, "word " * 40, parameters.validate({"watermark": True})),
        lambda peer: peer.render(asked),
        inspect_api.tells_vocabulary,
    ):
        assert question(there) == question(here)


def test_a_run_that_is_forgotten_is_gone_on_both_sides(there: Generator) -> None:
    _, keep = kept(there, n=1)
    assert inspect_api.available(keep)
    inspect_api.forget(keep)
    assert not inspect_api.available(keep)
    with pytest.raises(PlaygroundError, match="not kept any more"):
        inspect_api.replay(keep, 0, parameters.validate({}))


@pytest.mark.parametrize(
    ("ask", "kind", "parameter"),
    [
        (lambda keep, peer: inspect_api.replay(keep, 7, parameters.validate({})), InvalidRequest, None),
        (lambda keep, peer: inspect_api.replay(keep, 0, parameters.validate({"n": 9})), Refused, None),
        (lambda keep, peer: inspect_api.badges(keep, 0, parameters.validate({"suppress_tokens": [99_999]})),
         InvalidRequest, "suppress_tokens"),
        (lambda keep, peer: inspect_api.read(peer, "", ""), InvalidRequest, None),
        (lambda keep, peer: inspect_api.read(peer, "", "word " * 4000), Refused, None),
    ],
)  # fmt: skip
def test_what_is_refused_there_is_refused_here_in_the_same_words(
    there: Generator, here: Generator, ask: Any, kind: type[PlaygroundError], parameter: str | None
) -> None:
    said = []
    for peer in (there, here):
        _, keep = kept(peer, n=1, max_new_tokens=2)
        with pytest.raises(kind) as caught:
            ask(keep, peer)
        assert type(caught.value) is kind and getattr(caught.value, "parameter", None) == parameter
        said.append((caught.value.say("en"), caught.value.say("zh")))
    assert said[0] == said[1]


def test_a_reading_that_nobody_waits_for_is_given_up(there: Generator) -> None:
    asked = inspect_api.read_on(there, "", "word " * 300, halted=lambda: True)
    with pytest.raises(Stopped):
        list(asked)


@pytest.mark.model
def test_a_server_that_dies_in_a_run_keeps_the_text_and_says_why() -> None:
    server = Forked(PAGE, free_port(), "--pause", "0.05")
    peer = _opened(server.url)
    asked = replace(generate.build("Once", {"seed": 1, "max_new_tokens": 200, "ignore_eos": True}), path="fast")
    growing = generate.run(asked, peer)
    for run in growing:
        if len(run.candidates[0].token_ids) > 3:
            break
    server.end(kill=True)
    last = list(growing)[-1]
    assert last.candidates[0].text and last.candidates[0].finish_reason == "error"
    assert last.error is not None and "broke off" in last.error.en
    peer.close()


@pytest.mark.model
def test_a_key_is_sent_and_a_wrong_one_is_a_sentence(tmp_path: Path) -> None:
    file, key = tmp_path / "keys", "sk-playground-0123456789abcdef"
    file.write_text(key)
    with forked(PAGE, "--api-key-file", str(file)) as url:
        peer = _opened(url, key=key)
        assert list(peer.stream(request("Once", {"max_new_tokens": 2})))
        with pytest.raises(PlaygroundError, match="wants another key") as caught:
            open_playground(url, key="sk-wrong-0123456789")
        assert "sk-wrong" not in caught.value.say("en")
        peer.close()


def test_another_model_than_the_one_that_is_named_is_a_sentence(other_playground: str) -> None:
    with pytest.raises(PlaygroundError, match="does not serve 'gpt-4o'"):
        open_playground(other_playground, model="gpt-4o")
    named = open_playground(other_playground, model="Tiny")
    assert named is not None and named.card.id == "tiny"
    named.close()


def test_the_setting_for_engines_takes_another_playground_too(other_playground: str) -> None:
    found = open_chosen(Settings(engine=(other_playground,)))
    assert isinstance(found, RemotePlayground)
    found.close()


def _opened(url: str, key: str | None = None) -> RemotePlayground:
    """Once the model there is loaded."""
    for _ in range(600):
        try:
            found = open_playground(url, key=key)
            assert isinstance(found, RemotePlayground)
            return found
        except PlaygroundError as error:
            if "overloaded" not in error.say("en"):
                raise
            time.sleep(0.1)
    raise AssertionError("the model was not loaded")


def test_a_request_of_another_version_or_shape_is_refused_by_name(there: RemotePlayground) -> None:

    for body, words in (
        ({"version": 1}, "version 2"),
        ({"version": wire_format.VERSION, "run_id": "x"}, "row is missing"),
        ({"version": wire_format.VERSION, "run_id": "x", "row": "0", "values": {}}, "row is of a wrong type"),
        ({"version": wire_format.VERSION, "run_id": "x", "row": 0, "values": {}, "path": "/etc"}, "no field 'path'"),
        ({"version": wire_format.VERSION, "run_id": "x", "row": 0, "values": {"top_q": 1}}, "no parameter 'top_q'"),
    ):
        with pytest.raises(PlaygroundError, match=words):
            there.client.post("/v1/playground/replay", body)


def test_records_come_back_from_json_as_they_were() -> None:
    import json
    import math

    from playground.token_views import StageView, TokenChance
    from playground.types import FastPath, ModelCard, Placement, Step, Text

    card = ModelCard("a/b", "B", "1", 5, "bf16", 10, 64, True, (Placement("m", "cpu", 3),), None, {"top_k": 5})
    step = Step(
        1, 2, 3, "x", -math.inf, 0.5, 1, 2.0, (TokenChance(1, "a", 0.25, 0.0),),
        (StageView("top_k", 9, 5, 1.0, 0.5),), 1, "stop", "n", 2, 1, Text("a", "b"), "<e>",
    )  # fmt: skip
    asked = Request("p", {"logit_bias_ids": {"7": 1.5}}, turns=(("user", "a"), ("assistant", "b")))
    for value in (card, step, asked, FastPath("int4", "int4", None, Text("x", "y"))):
        sent = json.loads(json.dumps(wire_format.encode(value), allow_nan=False))
        assert wire_format.decode(type(value), sent) == value
    several: list[Any] = [{"row": "1"}, {"row": 1}, [], None, {"row": 1, "position": 0, "token_id": True, "text": ""}]
    for wrong in several:
        with pytest.raises(wire_format.Malformed):
            wire_format.decode(Step, wrong)
