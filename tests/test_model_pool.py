"""Promises of switching models while a server runs: what is written goes on, what fails leaves the old model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from playground.generators.scripted import ScriptedGenerator
from playground.models.download_progress import DownloadProgress
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving.loaded_models import LoadedModels
from playground.serving.model_pool import ModelPool, Tools
from playground.types import (
    Busy,
    Generator,
    InvalidRequest,
    ModelCard,
    ModelError,
    PlaygroundError,
    ProgressReport,
    Text,
)

WAIT = 20.0


class Held(ScriptedGenerator):
    """A script that says it holds so many bytes, until it is closed."""

    def __init__(self, name: str, size: int) -> None:
        super().__init__(["One two"])
        self._named, self._size, self.closed = name, size, False

    @property
    def card(self) -> ModelCard:
        return replace(super().card, id=self._named, title=self._named)

    @property
    def held_bytes(self) -> int:
        return 0 if self.closed else self._size

    def close(self) -> None:
        self.closed = True


class Machine:
    """A machine of so many bytes, on which each name takes those that it ends with: "a-40"."""

    def __init__(self, size: int = 100, cap: int | None = None, idle: float = 0.0) -> None:
        self.size, self.now = size, 0.0
        self.models = LoadedModels(clock=lambda: self.now)
        self.opened: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.reached = threading.Event()
        self.broken: set[str] = set()
        tools = Tools(self.open, self.estimate, self.fetch, lambda _: self.room(cap), cap)
        self.pool = ModelPool(tools, idle=idle, models=self.models)
        self.fetched: Callable[[Callable[[DownloadProgress], None]], None] = lambda _: None

    def room(self, cap: int | None) -> int:
        return min(self.size, self.size if cap is None else cap) - self.models.held

    def estimate(self, choice: ModelChoice) -> MemoryEstimate:
        size = int(choice.name.rpartition("-")[2])
        return MemoryEstimate(size, 0, 0, 0, 0, 0, 10, 0, self.models.held, self.room(None), "files")

    def fetch(self, choice: ModelChoice, progress: Callable[[DownloadProgress], None]) -> None:
        self.fetched(progress)

    def open(self, choice: ModelChoice, report: ProgressReport) -> Generator:
        self.opened.append(choice.name)
        report(Text("Loading: weights", "正在加载：权重"), 0.5)
        if choice.name in self.gates:
            self.reached.set()
            assert self.gates[choice.name].wait(WAIT)
            report(Text("Loading: weights", "正在加载：权重"), 0.9)
        if choice.name in self.broken:
            raise ModelError(Text("Its files are damaged.", "文件已损坏。"))
        size = int(choice.name.rpartition("-")[2])
        assert self.models.held + size <= self.size, "the old model was still there"
        return Held(choice.name, size)

    def to(self, name: str, running: str = "wait") -> None:
        self.pool.switch(ModelChoice(name), running=running)  # type: ignore[arg-type]
        assert self.pool.wait(WAIT)

    def ready(self) -> bool:
        return self.pool.ready

    @property
    def loaded(self) -> list[str]:
        return [one.choice.name for one in self.pool.entries()]

    def said(self, kind: str) -> list[str]:
        return [event.text.en for event in self.pool.events() if event.kind == kind]


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    made.to("a-40")
    return made


def test_a_switch_beside_the_old_model_leaves_its_runs_alone_and_switching_back_is_immediate(machine: Machine) -> None:
    with machine.pool.current_in_use() as (old, ends):
        machine.to("b-40")
        assert machine.pool.current is not old and not ends.is_set()
        assert [(one.choice.name, one.current, one.busy) for one in machine.pool.entries()] == [
            ("b-40", True, 0),
            ("a-40", False, 1),
        ]
    machine.to("a-40")
    assert machine.opened == ["a-40", "b-40"] and machine.pool.current is old
    assert machine.said("switched") == ["New texts are written by a-40.", "New texts are written by b-40."]


def test_the_model_of_the_start_is_loaded_while_its_memory_is_still_estimated() -> None:
    """Nothing "goes on until the other one is ready" then."""
    machine, estimating, go = Machine(), threading.Event(), threading.Event()
    estimate = machine.estimate

    def slow(choice: ModelChoice) -> MemoryEstimate:
        estimating.set()
        assert go.wait(WAIT)
        return estimate(choice)

    tools = Tools(machine.open, slow, machine.fetch, lambda _: machine.room(None), None)
    machine.pool = ModelPool(tools, models=machine.models)
    machine.pool.start(ModelChoice("a-40"), machine.open)
    assert estimating.wait(WAIT)
    state = machine.pool.state()
    assert state.busy and state.loaded and machine.ready()
    go.set()
    assert machine.pool.wait(WAIT) and not machine.pool.state().busy


def test_with_stop_the_old_model_s_runs_end(machine: Machine) -> None:
    with machine.pool.current_in_use() as (_, ends):
        machine.to("b-40", "stop")
        assert ends.wait(WAIT)


def test_without_room_runs_end_first_and_nothing_begins_meanwhile(machine: Machine) -> None:
    with machine.pool.current_in_use() as (old, ends):
        machine.pool.switch(ModelChoice("b-80"))
        while machine.pool.state().phase != "waiting":
            assert not machine.pool.wait(0.01)
        state = machine.pool.state()
        assert state.waits_for == 1 and state.stage is not None and "waiting for 1 text to end" in state.stage.en
        assert not machine.ready() and not ends.is_set()
        with pytest.raises(ModelError), machine.pool.current_in_use():
            pass
        with machine.pool.using(old):
            pass  # who holds it already may ask it more
    assert machine.pool.wait(WAIT) and machine.loaded == ["b-80"] and machine.ready()
    assert isinstance(old, Held) and old.closed
    assert machine.said("unloaded") == ["a-40 was unloaded: b-80 does not fit beside it."]


def test_without_room_runs_can_be_ended(machine: Machine) -> None:
    with machine.pool.current_in_use() as (_, ends):
        machine.pool.switch(ModelChoice("b-80"), running="stop")
        assert ends.wait(WAIT)
    assert machine.pool.wait(WAIT) and machine.loaded == ["b-80"]


def test_runs_that_a_switch_waits_for_can_be_ended_later(machine: Machine) -> None:
    with machine.pool.current_in_use() as (_, ends):
        machine.pool.stop_waiting()
        assert not ends.is_set(), "no switch waits for it"
        machine.pool.switch(ModelChoice("b-80"))
        while machine.pool.state().phase != "waiting":
            assert not machine.pool.wait(0.01)
        machine.pool.stop_waiting()
        assert ends.wait(WAIT)
    assert machine.pool.wait(WAIT) and machine.loaded == ["b-80"]


def test_a_load_that_fails_leaves_the_old_model_and_says_why(machine: Machine) -> None:
    machine.broken.add("b-40")
    old = machine.pool.current
    machine.to("b-40")
    state = machine.pool.state()
    assert machine.pool.current is old and machine.ready() and state.phase == "failed" and not state.busy
    assert state.reason is not None and state.reason.en == "Its files are damaged."
    machine.to("c-40")
    assert machine.pool.state().phase == "idle" and machine.pool.state().reason is None


def test_where_the_old_model_had_to_go_first_it_is_loaded_again(machine: Machine) -> None:
    machine.broken.add("b-80")
    machine.to("b-80")
    assert machine.opened == ["a-40", "b-80", "a-40"] and machine.loaded == ["a-40"] and machine.ready()
    assert machine.pool.state().phase == "failed" and machine.said("restored") == ["a-40 was loaded again."]
    machine.broken.add("a-40")
    machine.to("b-80")
    state = machine.pool.state()
    assert machine.loaded == [] and not machine.ready() and state.reason is not None and "a-40" in state.reason.en
    machine.to("c-40")
    assert machine.ready() and machine.loaded == ["c-40"], "a server without a model can be given one"


@pytest.mark.parametrize("name", ["b-40", "b-80"])
def test_a_cancelled_load_keeps_the_old_model(machine: Machine, name: str) -> None:
    gate = machine.gates[name] = threading.Event()
    machine.pool.switch(ModelChoice(name))
    assert machine.reached.wait(WAIT)
    machine.pool.cancel()
    assert machine.pool.state().cancelling
    gate.set()
    assert machine.pool.wait(WAIT) and machine.loaded == ["a-40"] and machine.ready()
    assert machine.pool.state().phase == "idle" and machine.said("cancelled") == [
        f"The switch to {name} was cancelled."
    ]


def test_a_cancelled_wait_for_runs_lets_others_begin_again(machine: Machine) -> None:
    with machine.pool.current_in_use():
        machine.pool.switch(ModelChoice("b-80"))
        while machine.pool.state().phase != "waiting":
            assert not machine.pool.wait(0.01)
        machine.pool.cancel()
        assert machine.pool.wait(WAIT) and machine.ready() and machine.loaded == ["a-40"]


def test_a_download_is_told_and_can_be_cancelled(machine: Machine) -> None:
    told, goes_on = threading.Event(), threading.Event()

    def fetch(progress: Callable[[DownloadProgress], None]) -> None:
        progress(DownloadProgress(50, 200, 10.0, 15.0))
        told.set()
        assert goes_on.wait(WAIT)
        progress(DownloadProgress(60, 200))

    machine.fetched = fetch
    machine.pool.switch(ModelChoice("b-40"))
    assert told.wait(WAIT)
    state = machine.pool.state()
    assert (state.phase, state.share, state.download) == ("downloading", 0.25, DownloadProgress(50, 200, 10.0, 15.0))
    assert state.estimate is not None and state.estimate.held == 40
    machine.pool.cancel()
    goes_on.set()
    assert machine.pool.wait(WAIT) and machine.opened == ["a-40"] and machine.ready()


def test_two_switches_at_once_are_refused_in_one_sentence(machine: Machine) -> None:
    gate = machine.gates["b-40"] = threading.Event()
    machine.pool.switch(ModelChoice("b-40"))
    for name in ("c-10", "a-40"):
        with pytest.raises(Busy, match="A switch to b-40 is under way"):
            machine.pool.switch(ModelChoice(name))
    gate.set()
    assert machine.pool.wait(WAIT) and machine.loaded[0] == "b-40"


def test_the_least_recently_used_goes_first_and_never_one_in_use() -> None:
    machine = Machine(100)
    for moment, name in enumerate(("a-30", "b-30", "c-30")):
        machine.now = float(moment)
        machine.to(name)
    used = next(one.generator for one in machine.pool.entries() if one.choice.name == "a-30")
    machine.now = 5.0
    with machine.pool.using(used):
        machine.to("d-30")
        assert machine.loaded[0] == "d-30" and sorted(machine.loaded) == ["a-30", "c-30", "d-30"]
    said = machine.said("unloaded")
    assert said == ["b-30 was unloaded to make room for d-30: of those that nobody was using it was used longest ago."]


def test_a_cap_holds_and_a_model_beyond_it_is_refused_before_the_old_one_goes() -> None:
    machine = Machine(1000, cap=100)
    machine.to("a-60")
    machine.to("b-60")
    assert machine.loaded == ["b-60"]
    machine.to("c-101")
    state = machine.pool.state()
    assert machine.loaded == ["b-60"] and state.reason is not None and "--model-memory" in state.reason.en


def test_idle_models_are_unloaded_after_a_time_and_the_current_one_stays() -> None:
    machine = Machine(100, idle=0.05)
    machine.to("a-40")
    machine.to("b-40")
    machine.now = 1.0
    with machine.models.changed:
        machine.models.changed.notify_all()
        assert machine.models.changed.wait_for(lambda: len(machine.loaded) == 1, WAIT)
        said = machine.said("unloaded")  # whoever sees that it is gone sees why
    assert machine.loaded == ["b-40"]
    assert said and "nothing was written with it" in said[0]


def test_what_may_not_be_unloaded_is_said(machine: Machine) -> None:
    with pytest.raises(ModelError, match="new texts are written with"):
        machine.pool.unload("a-40")
    with pytest.raises(ModelError, match="not loaded"):
        machine.pool.unload("x")
    with machine.pool.current_in_use():
        machine.to("b-40")
        with pytest.raises(ModelError, match="1 text is being written"):
            machine.pool.unload("a-40")
    machine.pool.unload("a-40")
    assert machine.loaded == ["b-40"]


def test_who_asks_for_an_unloaded_generator_is_told(machine: Machine) -> None:
    old = machine.pool.current
    assert old is not None
    machine.to("b-80")
    with pytest.raises(ModelError, match="a-40 is not loaded"), machine.pool.using(old):
        pass


def test_a_choice_from_a_browser_is_checked() -> None:
    given = {"name": " gpt2 ", "weights": "int8", "max_memory": {"cpu": 10**9, "0": 5}, "context": 512}
    choice = ModelChoice.of_record(given)
    assert choice == ModelChoice("gpt2", "int8", (("cpu", 10**9), (0, 5)), 512)
    assert ModelChoice.of_record(choice.as_record()) == choice
    wrong = (
        {"name": ""}, {"name": "a\nb"}, {"name": 3}, {"weights": "int2"}, {"context": 1}, {"context": True},
        {"chat_template": 5}, {"max_memory": {"tpu": 5}}, {"max_memory": [1]}, {"max_memory": {"cpu": -1}},
    )  # fmt: skip
    for one in wrong:
        with pytest.raises(InvalidRequest) as caught:
            ModelChoice.of_record({"name": "gpt2", **one})
        assert caught.value.parameter in one
    with suppress(PlaygroundError):
        assert ModelChoice.of_record({"name": "gpt2", "trust_remote_code": "yes"}).trust_remote_code is False
