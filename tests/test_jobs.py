"""Jobs of a server: paused, stopped and resumed with nothing lost or twice, and several beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground import parameters
from playground.batch import Plan
from playground.generators.scripted import ScriptedGenerator
from playground.jobs import Jobs
from playground.settings import Limits
from playground.storage.database import Store
from playground.tasks import user_task
from playground.types import Busy
from playground.visitor import Visitor
from tests.scripted_batch import Slots

PLAN = Plan("slogans", mapping={"product": "p"}, values={"max_new_tokens": 40}, seed=1)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    store = Store(tmp_path)
    jobs = Jobs(store, Limits(), rows=4)
    yield jobs
    until(lambda: not jobs._live)  # a job looks once more for a row after its last one
    store.close()


def script(delay: float = 0.0) -> ScriptedGenerator:
    return ScriptedGenerator(["a text of some words"], delay=delay, parameters=frozenset(parameters.by_name()))


def added(jobs: Jobs, count: int) -> str:
    return jobs.store.add_job(["p"], [{"p": f"Tea {number}"} for number in range(1, count + 1)])


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it never came true")


def test_a_paused_job_ends_its_rows_and_resumes_with_the_next(jobs: Jobs) -> None:
    key = added(jobs, 12)
    jobs.start(key, PLAN, script(0.01))
    until(lambda: jobs.progress(key).counts.done >= 2)
    assert jobs.progress(key).tokens_per_second
    jobs.pause(key)
    until(lambda: not jobs.progress(key).running)
    paused = jobs.store.results(key, state="done")
    assert 2 <= len(paused) < 12 and [one.number for one in paused] == list(range(1, len(paused) + 1))
    jobs.start(key, PLAN, script())
    until(lambda: not jobs.progress(key).running)
    ended = jobs.store.results(key, state="done")
    assert [one.seed for one in ended] == list(range(1, 13))
    assert ended[: len(paused)] == paused


def test_a_stopped_row_is_as_if_it_had_never_begun(jobs: Jobs) -> None:
    key = added(jobs, 3)
    jobs.start(key, PLAN, script(0.2))
    until(lambda: bool(jobs.progress(key).tokens_per_second))
    jobs.stop(key)
    assert not jobs.progress(key).running
    assert jobs.progress(key).counts.waiting == 3


def test_where_the_server_ends_all_jobs_pause_and_go_on_later(tmp_path: Path) -> None:
    store = Store(tmp_path)
    jobs = Jobs(store, Limits(), rows=8)
    quick, stuck = added(jobs, 40), added(jobs, 3)
    jobs.start(quick, PLAN, script(0.01))
    jobs.start(stuck, PLAN, script(0.5))
    until(lambda: jobs.progress(quick).counts.done >= 2)
    jobs.pause_all(0.2)
    until(lambda: not jobs._live)
    counts = store.counts(quick)
    assert counts.done >= 2 and counts.waiting == 40 - counts.done and store.counts(stuck).waiting == 3
    jobs.start(quick, PLAN, script())
    assert not jobs._live, "nothing begins any more"
    later = Jobs(store, Limits(), rows=8)
    later.start(quick, PLAN, script())
    until(lambda: later.progress(quick).counts.done == 40 and not later._live)
    store.close()


def test_a_disk_that_fills_up_stops_a_job_with_its_reason_and_it_goes_on_later(tmp_path: Path) -> None:
    store = Store(tmp_path)
    jobs = Jobs(store, Limits(), rows=4)
    key = added(jobs, 60)
    long = ScriptedGenerator(["harbour " * 40], delay=0.002, parameters=frozenset(parameters.by_name()))
    jobs.start(key, PLAN, long)
    until(lambda: jobs.progress(key).counts.done >= 2)
    with store._reading() as connection:
        connection.execute("PRAGMA max_page_count=1")  # no more than it has
    until(lambda: not jobs.progress(key).running)
    stopped = jobs.progress(key)
    assert stopped.trouble is not None and "disk is full" in stopped.trouble.en and "已满" in stopped.trouble.zh
    assert stopped.counts.done >= 2 and stopped.counts.waiting == 60 - stopped.counts.done
    with store._reading() as connection:
        connection.execute("PRAGMA max_page_count=100000")
    jobs.start(key, PLAN, script())
    until(lambda: jobs.progress(key).counts.done == 60 and not jobs.progress(key).running)
    assert jobs.progress(key).trouble is None
    store.close()


def test_what_nobody_foresaw_stops_a_job_with_a_sentence_and_it_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    jobs = Jobs(store, Limits(), rows=4)
    key = added(jobs, 5)
    with monkeypatch.context() as patch:
        patch.setattr(store, "accept", lambda *_: 1 / 0)
        jobs.start(key, PLAN, script())
        until(lambda: not jobs.progress(key).running)
    trouble = jobs.progress(key).trouble
    assert trouble is not None and "stopped because of an error" in trouble.en
    jobs.start(key, PLAN, script())
    until(lambda: jobs.progress(key).counts.done == 5 and not jobs.progress(key).running)
    store.close()


def test_one_visitors_jobs_leave_room_for_anothers(tmp_path: Path) -> None:
    store = Store(tmp_path)
    jobs = Jobs(store, Limits(session_share=25, address_share=50), rows=16)
    keys = [added(jobs, 3) for _ in range(6)]
    for key, session in zip(keys, ("a", "a", "b", "b"), strict=False):
        jobs.start(key, PLAN, script(0.5), Visitor(session, "10.0.0.1"))
    with pytest.raises(Busy, match="one visitor"):
        jobs.start(keys[4], PLAN, script(), Visitor("a", "10.0.0.9"))
    with pytest.raises(Busy, match="one visitor"):
        jobs.start(keys[4], PLAN, script(), Visitor("c", "10.0.0.1"))
    jobs.start(keys[5], PLAN, script(), Visitor("d", "10.0.0.2"))
    jobs.pause_all(0.0)
    until(lambda: not jobs._live)
    store.close()


def test_an_own_task_lies_in_the_plan_so_that_another_server_goes_on_with_it(tmp_path: Path) -> None:
    own = user_task.write("Fox story", user_task.free("About {{hero}}:"), {}, parameters.validate({}), "en")
    plan = Plan("fox_story", mapping={"hero": "p"}, seed=1, own=own)
    before = Store(tmp_path)
    key = before.add_job(["p"], [{"p": "a fox"}, {"p": ""}])
    before.plan(key, plan.as_json())
    before.close()
    store = Store(tmp_path)
    job, jobs = store.job(key), Jobs(store, Limits(), rows=4)
    assert job is not None
    jobs.start(key, Plan(**job.plan), script())
    until(lambda: not jobs.progress(key).running)
    done, failed = store.results(key)
    assert (done.state, failed.state) == ("done", "failed")
    assert failed.reason is not None and failed.reason.en == "hero is empty; please fill it in."
    store.close()


def test_jobs_share_the_room_and_no_more_run_than_there_is_room(jobs: Jobs) -> None:
    first, second, third = added(jobs, 3), added(jobs, 3), added(jobs, 3)
    jobs.start(first, PLAN, script(0.05))
    jobs.start(second, PLAN, script(0.05))
    with pytest.raises(Busy):
        jobs.start(third, PLAN, script())
    for key in (first, second):
        jobs.stop(key)
    jobs.start(third, PLAN, script())
    until(lambda: jobs.progress(third).counts.done == 3)


def test_an_engine_gets_as_many_rows_as_it_has_room_for_but_one_for_who_reads_along(jobs: Jobs) -> None:
    engine, key = Slots(4, wanted=3), added(jobs, 12)
    jobs.start(key, PLAN, engine)
    until(lambda: jobs.progress(key).counts.done == 12)
    assert engine.most == 3
    narrow, key = Slots(1, wanted=1), added(jobs, 3)
    jobs.start(key, PLAN, narrow)
    until(lambda: jobs.progress(key).counts.done == 3)
    assert narrow.most == 1
