"""A training that is paused, stopped or killed goes on as if nothing had happened, to the bit."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from playground.training import checkpoint_store
from playground.training.training_folder import ALIVE, TrainingFolder, TrainState, find_folder
from playground.training.trainings import Trainings
from playground.types import Busy, InvalidRequest
from tests.small_training import Forked, made, small_folder

pytestmark = pytest.mark.model  # peft and transformers are loaded, which takes seconds
LONG_S = 900.0  # of a machine that does much else
# Every kind of random draw: the order of the texts, the first LoRA matrices, dropout, noise. Epochs end between.
DRAWS: dict[str, Any] = {"steps": 24, "evaluate_every": 3, "dropout": 0.2, "neftune": 3.0, "batch": 3}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(tmp_path_factory.mktemp("trainings"), Forked)


@pytest.fixture(scope="module")
def undisturbed(trainings: Trainings, base: Path) -> TrainingFolder:
    """A training that nobody disturbed."""
    id = made(trainings, base, **DRAWS)
    trainings.start(id)
    state = trainings.wait(id, LONG_S)
    assert state.phase == "done", (state.trouble, trainings.log(id))
    return find_folder(trainings.root, id)


def until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.005)


def reached(trainings: Trainings, id: str, step: int) -> bool:
    """Whether it came to this step; a training that failed never will."""
    state = trainings.state(id)
    assert state.phase != "failed", (state.trouble, trainings.log(id))
    return any(one["step"] >= step for one in trainings.metrics(id)) or state.phase not in ALIVE


def weights(folder: TrainingFolder) -> dict[str, torch.Tensor]:
    """Those of the last step, by name, and those of the best one."""
    last = checkpoint_store.newest_checkpoint(folder.checkpoints)
    assert last is not None
    found: dict[str, torch.Tensor] = {}
    for place in (last, folder.learned):
        file = next(place.glob("*.safetensors"))
        found |= {f"{place.name} {name}": one for name, one in safetensors.torch.load_file(file).items()}
    return found


def same(one: TrainingFolder, other: TrainingFolder) -> None:
    """Weights equal to the bit, and so do all figures that do not tell time or memory."""
    mine, its = weights(one), weights(other)
    assert mine.keys() == its.keys()
    assert [name for name in mine if not torch.equal(mine[name], its[name])] == []
    timed = ("tokens_per_second", "memory", "time")
    curves = [
        [{name: value for name, value in line.items() if name not in timed} for line in each.lines("metrics.jsonl")]
        for each in (one, other)
    ]
    assert curves[0] == curves[1]
    assert one.lines("samples.jsonl") == other.lines("samples.jsonl")


def killed_again_and_again(trainings: Trainings, base: Path, luck: random.Random, kills: int) -> TrainingFolder:
    id = made(trainings, base, **DRAWS)
    folder = find_folder(trainings.root, id)
    for kill in range(kills):
        trainings.start(id)
        step = luck.randrange(1, DRAWS["steps"])
        until(partial(reached, trainings, id, step) if step > 3 else folder.is_alive)
        time.sleep(luck.random() * 0.1)  # in the middle of a step, of a checkpoint, of a line
        if trainings.state(id).phase not in ALIVE:
            break  # it was faster
        process = Forked.begun[id].process
        process.kill()
        process.join()
        state = trainings.state(id)
        assert state.phase in ("failed", "done"), kill
        if state.phase == "done":
            break
        assert state.trouble is not None and "memory" in state.trouble.en
    if trainings.state(id).phase != "done":
        trainings.resume(id)
        state = trainings.wait(id, LONG_S)
        assert state.phase == "done", (state.trouble, trainings.log(id))
    return folder


def test_a_training_that_is_killed_ends_with_the_same_weights(
    trainings: Trainings, base: Path, undisturbed: TrainingFolder
) -> None:
    same(killed_again_and_again(trainings, base, random.Random(3), 3), undisturbed)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("settings", [{}, {"method": "full", "learning_rate": 1e-3}], ids=["lora", "full"])
def test_kill_at_ten_random_moments(
    trainings: Trainings, base: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setitem(DRAWS, name, value)
    luck = random.Random(11)
    id = made(trainings, base, **DRAWS)
    trainings.start(id)
    assert trainings.wait(id, LONG_S).phase == "done"
    for _ in range(10):
        same(killed_again_and_again(trainings, base, luck, 1), find_folder(trainings.root, id))


def test_a_training_that_is_paused_goes_on_to_the_same_weights(
    trainings: Trainings, base: Path, undisturbed: TrainingFolder
) -> None:
    id = made(trainings, base, **DRAWS)
    folder = find_folder(trainings.root, id)
    trainings.start(id)
    with pytest.raises(Busy):
        trainings.start(id)
    with pytest.raises(Busy):
        trainings.delete(id)
    until(lambda: reached(trainings, id, 3))
    trainings.pause(id)
    state = trainings.wait(id, LONG_S)
    assert state.phase == "paused" and 3 <= state.step < 24 and state.trouble is None
    kept = checkpoint_store.newest_checkpoint(folder.checkpoints)
    assert kept is not None and checkpoint_store.step_of(kept) == state.step
    with pytest.raises(InvalidRequest):
        trainings.pause(id)
    trainings.resume(id)
    until(lambda: reached(trainings, id, state.step + 1))
    Forked.begun[id].process.terminate()  # SIGTERM, as a system that shuts down does
    assert trainings.wait(id, LONG_S).phase == "paused"
    trainings.resume(id)
    state = trainings.wait(id, LONG_S)
    assert state.phase == "done" and state.starts == 3
    same(folder, undisturbed)
    with pytest.raises(InvalidRequest):
        trainings.resume(id)


def test_a_training_that_is_stopped_keeps_what_it_learned(trainings: Trainings, base: Path) -> None:
    id = made(trainings, base, **{**DRAWS, "steps": 10_000, "evaluate_every": 5})
    trainings.start(id)
    until(lambda: trainings.samples(id)[1:])
    trainings.stop(id)
    state = trainings.wait(id, LONG_S)
    assert state.phase == "stopped" and state.best_step is not None
    learned = trainings.learned(id)
    assert learned is not None and (learned / "adapter_model.safetensors").is_file()
    trainings.delete(id)
    assert not learned.exists() and id not in [one.id for one in trainings.views()]


def test_of_two_trainings_the_second_waits(trainings: Trainings, base: Path) -> None:
    first = made(trainings, base, **{**DRAWS, "steps": 10_000})
    trainings.start(first)
    until(lambda: trainings.state(first).phase == "running")
    second, third = (made(trainings, base, steps=4) for _ in range(2))
    for id in (second, third):
        trainings.start(id)
        until(lambda id=id: trainings.state(id).ahead)  # type: ignore[misc]
    assert [trainings.state(id).ahead for id in (second, third)] == [1, 2]
    trainings.pause(third)
    assert trainings.wait(third, LONG_S).phase == "paused"
    assert trainings.state(second).phase == "waiting" and not trainings.metrics(second)
    trainings.stop(first)
    assert trainings.wait(first, LONG_S).phase == "stopped"
    assert trainings.wait(second, LONG_S).phase == "done"
    before, after = ([one["time"] for one in trainings.metrics(id) if "time" in one] for id in (first, second))
    assert before[-1] < after[0]


def test_what_a_server_finds_after_a_restart(trainings: Trainings, undisturbed: TrainingFolder) -> None:
    again = Trainings(trainings.root)
    view = next(one for one in again.views() if one.id == undisturbed.id)
    assert view.state.phase == "done" and view.name == "Small" and view.changed["neftune"] == 3.0
    again.rename(view.id, "../../Lamp")
    again.note(view.id, "Learns fast.")
    assert (again.view(view.id).name, again.view(view.id).note) == ("../../Lamp", "Learns fast.")
    for wrong in ("..", "../x", "/etc", view.id + "/..", "", None):
        with pytest.raises(InvalidRequest):
            again.state(wrong)  # type: ignore[arg-type]


def test_the_state_of_a_process_that_is_gone(tmp_path: Path, base: Path) -> None:
    trainings = Trainings(tmp_path)
    folder = find_folder(tmp_path, made(trainings, base))
    folder.write_state(TrainState("running", step=7, steps=12))
    state = trainings.state(folder.id)
    assert state.phase == "failed" and state.step == 7 and state.trouble is not None
    assert "a smaller batch" in state.trouble.en and "检查点" in state.trouble.zh
    os.truncate(folder.path / "state.json", 10)
    assert trainings.state(folder.id).phase == "new"
