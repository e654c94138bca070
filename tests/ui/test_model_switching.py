"""Promises of the page while another model takes over: texts and batches end or wait as was chosen, and say so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from playground import generate, parameters
from playground.batch import Plan
from playground.generators.scripted import ScriptedGenerator
from playground.jobs import Jobs
from playground.models.model_choice import ModelChoice
from playground.run import Run
from playground.settings import Limits, Settings
from playground.storage.database import Store
from playground.storage.draft import checked_section
from playground.types import Generator, ModelCard, ProgressReport, Request
from playground.ui import written_by
from playground.ui.batch_tab import BatchTab
from playground.ui.model_host import ModelHost
from playground.ui.request_queue import RequestQueue
from playground.ui.run_stream import stream_run
from playground.ui.shared_store import SharedStore
from tests.own_loop import in_own_loop

WAIT = 20.0
PLAN = Plan("slogans", mapping={"product": "p"}, values={"max_new_tokens": 40}, seed=1)


class Named(ScriptedGenerator):
    """A script under the name of a model."""

    def __init__(self, name: str, delay: float) -> None:
        text = "One two three four five six" + " and so on" * (300 if name == "long" else 0)
        super().__init__([text], delay=delay, parameters=frozenset(parameters.by_name()))
        self._name = name

    @property
    def card(self) -> ModelCard:
        return replace(super().card, id=self._name, title=self._name, revision=f"r-{self._name}")


@pytest.fixture
def host() -> ModelHost:
    """A server whose models are slow scripts; it holds the model "one"."""

    def opener(settings: Settings, report: ProgressReport) -> Generator:
        return Named(settings.model or "", 0.02)

    made = ModelHost(Settings(model="one"), opener)
    made.start()
    assert made.pool.wait(WAIT) and made.generator.card.id == "one"
    return made


def switched(host: ModelHost, name: str, **how: str) -> None:
    host.pool.switch(ModelChoice(name), **how)  # type: ignore[arg-type]
    assert host.pool.wait(WAIT) and host.generator.card.id == name


def asked(n: int = 1) -> Request:
    return generate.build("A prompt", {"n": n, "max_new_tokens": 500}, mode="complete")


def followed(host: ModelHost, meanwhile: Callable[[], None]) -> Run:
    """A run, with something that happens once it has begun to write."""

    async def follow() -> Run:
        run, begun = None, False
        async for state in stream_run(lambda _: asked(), host, RequestQueue(Limits()), threading.Event(), every=0.01):
            if isinstance(state, Run):
                run = state
                if not begun and run.candidates[0].steps:
                    begun = True
                    await asyncio.to_thread(meanwhile)
        assert run is not None
        return run

    return in_own_loop(follow)


def test_a_text_goes_on_with_the_model_that_began_it(host: ModelHost) -> None:
    run = followed(host, lambda: switched(host, "two"))
    assert run.candidates[0].text == "One two three four five six" and run.notice is None
    assert run.card is not None and run.as_json()["revision"] == "r-one" and run.model == "one"


def test_a_text_that_is_stopped_for_a_switch_keeps_what_was_written_and_says_why(host: ModelHost) -> None:
    switched(host, "long")
    run = followed(host, lambda: switched(host, "two", running="stop"))
    assert run.finished and run.candidates[0].finish_reason == "stopped"
    assert run.candidates[0].text and run.notice is not None and "model was changed" in run.notice.en


def test_another_model_that_goes_on_with_a_text_says_so(host: ModelHost) -> None:
    run = generate.prepare(asked(), host.generator)
    first = written_by.signed(run, {"prompt": "A prompt"}, "")
    assert first == {"prompt": "A prompt", "model": "one", "revision": "r-one"} and run.notice is None
    switched(host, "two")
    run = generate.prepare(asked(), host.generator)
    again = written_by.signed(run, first, "One two")
    assert again["model"] == "two" and run.notice is not None
    assert run.notice.en == "The beginning was written by one; two goes on from its text."
    section = checked_section({"text": "One two", **again})
    assert (section.model, section.revision) == ("two", "r-two")


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        sleep(0.01)
    pytest.fail("it never came true")


@pytest.fixture
def jobs(host: ModelHost, tmp_path: Path) -> Iterator[Jobs]:
    store = Store(tmp_path)
    made = Jobs(store, Limits(), rows=4, pool=host.pool)
    yield made
    made.pause_all(5)
    until(lambda: not made._live)
    store.close()


@pytest.mark.parametrize("running", ["wait", "stop"])
def test_a_batch_waits_for_its_own_model_and_goes_on_with_it(host: ModelHost, jobs: Jobs, running: str) -> None:
    key = jobs.store.add_job(["p"], [{"p": f"Tea {number}"} for number in range(1, 9)])
    plan = PLAN.of_model(host.generator.card)
    jobs.start(key, plan, host.generator, prepare=lambda: jobs.store.plan(key, plan.as_json()))
    until(lambda: jobs.progress(key).counts.done >= 1)
    switched(host, "two", running=running)
    until(lambda: not jobs.progress(key).running)
    paused = jobs.progress(key)
    assert 1 <= paused.counts.done < 8 and paused.counts.failed == 0
    assert paused.trouble is not None and "this batch is written by one" in paused.trouble.en
    jobs.start(key, plan, host.generator)
    assert not jobs.progress(key).running, "another model does not go on with it, even where somebody asks"
    switched(host, "one")
    until(lambda: jobs.progress(key).counts.done == 8)
    until(lambda: not jobs.progress(key).running)
    assert jobs.progress(key).trouble is None
    stored = jobs.store.job(key)
    assert stored is not None and (stored.plan["model"], stored.plan["revision"]) == ("one", "r-one")


def test_a_batch_that_waited_for_its_model_goes_on_after_a_restart(host: ModelHost, tmp_path: Path) -> None:
    store = Store(tmp_path)
    jobs = Jobs(store, Limits(), rows=4, pool=host.pool)
    keys = [store.add_job(["p"], [{"p": f"Tea {number}"} for number in range(1, 4)]) for _ in range(2)]
    for key in keys:
        store.plan(key, PLAN.of_model(host.generator.card).as_json())
    switched(host, "two")
    for key in keys:
        jobs.start(key, PLAN.of_model(Named("one", 0).card), host.generator)
    jobs.pause(keys[1])  # this one waits for its owner
    jobs.pause_all(5)
    store.close()
    again = ModelHost(Settings(model="two", data_folder=str(tmp_path)), host._opener)
    kept = SharedStore(again.settings)
    tab = BatchTab(again, RequestQueue(Limits()), kept)
    again.start()
    until(lambda: tab._opened is not None)
    paused = tab._jobs.progress(keys[0])
    assert paused.trouble is not None and "this batch is written by one" in paused.trouble.en
    switched(again, "one")
    until(lambda: tab._jobs.progress(keys[0]).counts.done == 3)
    until(lambda: not tab._jobs.progress(keys[0]).running)
    assert tab._jobs.progress(keys[1]).counts.done == 0 and kept.store.parked() == []
    (row, *_) = (written_by.of_job(one, again_plan(kept, keys[0])) for one in kept.store.results(keys[0]))
    assert (row.model, row.revision) == ("one", "r-one")
    tab.stop(5)
    kept.close()


def again_plan(kept: SharedStore, key: str) -> Mapping[str, Any]:
    job = kept.store.job(key)
    assert job is not None
    return job.plan


def test_a_batch_that_its_owner_paused_does_not_go_on_by_itself(host: ModelHost, jobs: Jobs) -> None:
    key = jobs.store.add_job(["p"], [{"p": f"Tea {number}"} for number in range(1, 9)])
    jobs.start(key, PLAN, host.generator)
    until(lambda: jobs.progress(key).counts.done >= 1)
    switched(host, "two")
    until(lambda: not jobs.progress(key).running and jobs.progress(key).trouble is not None)
    jobs.pause(key)
    done = jobs.progress(key).counts.done
    switched(host, "one")
    assert jobs.progress(key).trouble is None and jobs.progress(key).counts.done == done
