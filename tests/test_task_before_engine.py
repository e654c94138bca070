"""A task before an engine that lacks what the task sets: it is written without, and what is left out is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground import generate
from playground.batch import Batch, Plan
from playground.generators.remote.generator import RemoteGenerator
from playground.types import Refused
from tests.broken_engine import Talk, chunk, engine_that
from tests.test_remote_failures import END, opened

POEM = {"theme": "a harbour"}


@pytest.fixture
def engine() -> Iterator[RemoteGenerator]:
    with engine_that(Talk([chunk("Tea."), chunk("", "stop"), END])) as server, opened(server) as engine:
        yield engine


def test_a_tasks_own_form_and_knobs_are_left_out_and_named(engine: RemoteGenerator) -> None:
    asked = generate.of_task("poems", POEM, "en", "complete", {"seed": 1})
    assert asked.values["regex"]
    run = generate.prepare(asked, engine)
    assert set(asked.of_task) >= {"regex"} and not run.request.values["regex"]
    assert run.notice is not None
    assert run.notice.en.startswith("OpenAI-compatible server lacks ") and "Regular expression" in run.notice.en
    assert "生成时不使用" in run.notice.zh
    assert run.request.values["seed"] == 1


def test_what_somebody_chose_is_refused_by_name(engine: RemoteGenerator) -> None:
    for chosen in ({"top_k": 40}, {"regex": "[a-z]+"}):
        with pytest.raises(Refused) as caught:
            generate.prepare(generate.of_task("poems", POEM, "en", "complete", chosen), engine)
        assert caught.value.parameter in chosen


def test_a_batch_of_a_task_is_written_there_too(engine: RemoteGenerator) -> None:
    rows = iter([(1, {"t": "a harbour"}), (2, {"t": "tea"})])
    work = Batch(Plan("poems", mapping={"theme": "t"}, seed=1), engine)
    results = list(work.results(lambda: next(rows, None), lambda: 2, threading.Event()))
    assert [(result.number, result.state) for result in sorted(results, key=lambda one: one.number)] == [
        (1, "done"),
        (2, "done"),
    ]


def test_a_chat_that_cannot_be_begun_is_asked_without_the_tasks_beginning() -> None:
    chat = Talk([chunk("", delta={"content": "Tea."}), chunk("", "stop", delta={}), END])
    with engine_that(Talk(), v1_chat_completions=chat) as server, opened(server) as engine:
        asked = generate.of_task("slogans", {"product": "Tea"}, "en", "chat", {"seed": 1})
        assert asked.prefill and "prefill" in asked.of_task
        *_, run = generate.run(asked, engine)
        assert run.answers == ["Tea."] * 4 and not run.request.prefill
        assert run.notice is not None and "Beginning of the answer (prefill)" in run.notice.en
        own = generate.build("Say", {"seed": 1}, mode="chat", prefill="Well")
        with pytest.raises(Refused, match="cannot be told how its answer begins"):
            generate.prepare(own, engine)
