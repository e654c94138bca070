"""What can go wrong with a training: one sentence each, and the last good checkpoint is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from playground.models.loading import quiet
from playground.training import adapter_weights, base_model, checkpoint_store
from playground.training.process import train
from playground.training.run_trainer import RunTrainer
from playground.training.run_watch import RunWatch
from playground.training.training_data import prepared_data
from playground.training.training_failures import explained_trouble
from playground.training.training_folder import TrainingFolder, TrainState, find_folder
from playground.training.trainings import Trainings
from playground.types import InvalidRequest, ModelError
from tests.small_training import lines, made, small_folder, small_plan

pytestmark = pytest.mark.model  # peft and transformers are loaded, which takes seconds


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return Trainings(tmp_path / "trainings")


def ended(trainings: Trainings, base: Path, **settings: Any) -> tuple[TrainingFolder, TrainState]:
    """A training in this process, and how it ended."""
    folder = find_folder(trainings.root, made(trainings, base, **settings))
    train(folder)
    return folder, folder.written_state()


def said(state: TrainState) -> str:
    """Why it failed, in English; the other language is there too."""
    assert state.phase == "failed" and state.trouble is not None and state.doing is None
    assert any(ord(sign) > 0x2E80 for sign in state.trouble.zh) and "Traceback" not in state.trouble.en
    return state.trouble.en


def kept_step(folder: TrainingFolder) -> int:
    """The step of its checkpoint, which is whole."""
    found = checkpoint_store.newest_checkpoint(folder.checkpoints)
    assert found is not None and not list(folder.checkpoints.glob("part-*"))
    assert safetensors.torch.load_file(found / adapter_weights.WEIGHTS)
    return checkpoint_store.step_of(found)


def after(step: int, does: Callable[[RunTrainer], Any]) -> Callable[..., Any]:
    """A loss that is as it should be up to a step, and then what `does` says."""
    real = RunTrainer.compute_loss

    def compute_loss(self: RunTrainer, *given: Any, **more: Any) -> Any:
        return does(self) if self.state.global_step >= step else real(self, *given, **more)

    return compute_loss


def test_a_loss_that_is_no_number(trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nan = lambda self: next(one for one in self.model.parameters() if one.requires_grad).sum() * float("nan")  # noqa: E731
    monkeypatch.setattr(RunTrainer, "compute_loss", after(6, nan))
    folder, state = ended(trainings, base)
    assert said(state).startswith("The loss at step 7 is no number") and "lower learning rate" in said(state)
    assert kept_step(folder) == 4 and len([one for one in folder.lines("metrics.jsonl") if "loss" in one]) == 6
    monkeypatch.undo()
    train(folder)  # resumed, it does again what was not kept
    assert folder.written_state().phase == "done"
    steps = [one["step"] for one in folder.lines("metrics.jsonl") if "loss" in one]
    assert steps == list(range(1, 13))


def test_a_gradient_that_is_no_number(trainings: Trainings, base: Path) -> None:
    """Weights with an infinity give no number at the first step already."""
    broken = shutil.copytree(base, trainings.root.parent / "broken")
    weights = safetensors.torch.load_file(broken / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"][0, 0] = float("inf")
    safetensors.torch.save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    folder, state = ended(trainings, broken)
    assert "at step 1 is no number" in said(state)
    assert checkpoint_store.newest_checkpoint(folder.checkpoints) is None


def test_a_disk_that_is_full_at_a_checkpoint(trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = RunTrainer._save_optimizer_and_scheduler

    def full(self: RunTrainer, output_dir: str) -> None:
        if self.state.global_step < 8:
            real(self, output_dir)
        else:
            torch.save(self.optimizer.state_dict(), "/dev/full")

    monkeypatch.setattr(RunTrainer, "_save_optimizer_and_scheduler", full)
    folder, state = ended(trainings, base)
    assert said(state).startswith("The disk is full") and kept_step(folder) == 4


def test_memory_that_runs_out(trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunTrainer, "compute_loss", after(5, lambda self: torch.empty(10**15)))
    folder, state = ended(trainings, base)
    assert said(state).startswith("Memory ran out with batch 2 and up to 64 tokens")
    assert "batch 1" in said(state) and kept_step(folder) == 4


def _raise(error: Exception) -> None:
    """What safetensors says of a full disk; it writes beside a file and renames, so a device cannot show it."""
    raise error


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        (lambda: torch.empty(10**15), "Memory ran out"),
        (lambda: _raise(SafetensorError("I/O error: No space left on device (os error 28)")), "The disk is full"),
        (lambda: torch.save(torch.zeros(10**6), "/dev/full"), "The disk is full"),
        (lambda: Path("/dev/full").write_text("a" * 10**5, encoding="utf-8"), "The disk is full"),
        (lambda: torch.zeros(2) + torch.zeros(3), "The training ended with an error: RuntimeError: The size of"),
    ],
    ids=["memory", "safetensors", "torch", "file", "other"],
)
def test_the_words_of_libraries_are_known(fails: Callable[[], object], says: str) -> None:
    with pytest.raises(Exception) as excinfo:
        fails()
    assert explained_trouble(excinfo.value, 4, 512).say("en").startswith(says)


def test_the_files_of_the_model_are_gone(trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = shutil.copytree(base, trainings.root.parent / "mine")
    monkeypatch.setattr(RunTrainer, "compute_loss", after(6, lambda self: torch.empty(10**15)))
    folder, _ = ended(trainings, mine)
    monkeypatch.undo()
    shutil.rmtree(mine)
    train(folder)
    assert "mine" in said(folder.written_state()) and kept_step(folder) == 4
    shutil.copytree(base, mine)
    train(folder)
    assert folder.written_state().phase == "done"


def test_a_base_is_trained_with_the_template_and_the_context_that_were_chosen(base: Path) -> None:
    template = "{% for one in messages %}<{{ one.role }}>{{ one.content }}{% endfor %}"
    chosen = replace(small_plan(base), base={"name": str(base), "context": 40, "chat_template": template})
    loaded = base_model.load_base(chosen.choice, "fp32", quiet)
    assert loaded.card.context == 40 and loaded.tokenizer.chat_template == template
    data = base.parent / "rows"
    data.mkdir()
    (data / "rows.jsonl").write_bytes(lines())
    found = prepared_data(data, replace(chosen, data="rows.jsonl"), loaded)
    assert found.longest == 40
    first = loaded.tokenizer.decode(found.train[0].ids)
    assert first.startswith("<user>") and "<|im_start|>" not in first


def test_rows_hold_the_day_on_which_the_training_was_made_whenever_it_is_resumed(base: Path, tmp_path: Path) -> None:
    template = "{{ strftime_now('%d %B %Y') }}{% for one in messages %}<{{ one.role }}>{{ one.content }}{% endfor %}"
    made_at = datetime(2024, 2, 29, 23, 59).timestamp()
    chosen = replace(small_plan(base), base={"name": str(base), "chat_template": template}, created=made_at)
    (tmp_path / "rows.jsonl").write_bytes(lines())
    loaded = base_model.load_base(chosen.choice, "fp32", quiet)
    found = prepared_data(tmp_path, replace(chosen, data="rows.jsonl"), loaded)
    assert all(loaded.tokenizer.decode(row.ids).startswith("29 February 2024<user>") for row in found.train)


def test_another_base_in_the_place_of_the_first(
    trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunTrainer, "compute_loss", after(6, lambda self: torch.empty(10**15)))
    folder, _ = ended(trainings, base)
    monkeypatch.undo()
    load_base = base_model.load_base

    def other(*given: Any, **more: Any) -> Any:
        loaded = load_base(*given, **more)
        return replace(loaded, card=replace(loaded.card, revision="newer"))

    monkeypatch.setattr("playground.training.process.load_base", other)
    train(folder)
    assert "for which its checkpoint does not count" in said(folder.written_state()) and kept_step(folder) == 4


@pytest.mark.parametrize(
    ("base_of", "says"),
    [
        ({"name": "http://127.0.0.1:1"}, "behind an engine"),
        ({"name": "smollm2", "weights": "int4"}, "Weights in int4"),
        ({"name": "some/model.gguf"}, "is a GGUF file"),
    ],
)
def test_a_base_that_cannot_be_trained(trainings: Trainings, base_of: dict[str, Any], says: str) -> None:
    plan = replace(small_plan(Path("x")), base=base_of)
    with pytest.raises(ModelError, match=says):
        trainings.create(plan, ("rows.jsonl", lines()))
    assert trainings.views() == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"target_modules": "q_proj,nothing_here"}, ""),
        ({"target_modules": "nothing_here"}, "has no weights 'nothing_here'"),
        ({"cut_length": 16}, "too long"),
    ],
)
def test_settings_that_this_model_or_this_data_cannot_take(
    trainings: Trainings, base: Path, settings: dict[str, Any], says: str
) -> None:
    _, state = ended(trainings, base, **settings)
    assert says in said(state) if says else state.phase == "done"


def test_files_of_other_kinds_and_bad_data(trainings: Trainings, base: Path) -> None:
    with pytest.raises(InvalidRequest):
        trainings.create(small_plan(base), ("rows.exe", b"x"))
    for data, says in ((b"", "empty"), (b'{"prompt": "a", "completion": "b"}\n', "only one row")):
        folder = find_folder(trainings.root, trainings.create(small_plan(base), ("rows.jsonl", data)))
        train(folder)
        assert says in said(folder.written_state()).lower() or not data
    assert trainings.views()[0].files == ("rows.jsonl",)


def test_without_peft_it_is_said_how_to_get_it(
    trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    _, state = ended(trainings, base)
    assert "pip install -r requirements-train.txt -c constraints.txt" in said(state)


def test_early_stopping_ends_a_training_that_no_longer_gets_better(trainings: Trainings, base: Path) -> None:
    folder, state = ended(trainings, base, steps=400, evaluate_every=2, learning_rate=0.2, early_stopping=2)
    assert state.phase == "done" and state.step < 400 and state.best_step is not None
    told = [one for one in folder.lines("metrics.jsonl") if "validation_loss" in one]
    assert [one["step"] for one in told][-3:] == [state.best_step, state.best_step + 2, state.best_step + 4]
    assert min(one["validation_loss"] for one in told if one["step"]) == state.best_loss


def test_an_evaluation_that_is_interrupted_is_made_up_for(
    trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looks = RunWatch.wished, list[int]()

    def wished(self: RunWatch) -> bool:
        if self.trainer is not None and self.trainer.state.global_step == 12:
            looks.append(12)
            if len(looks) == 2:  # the first look is behind the step, the second one among the validation texts
                self._folder.ask("pause")
        return real(self)

    monkeypatch.setattr(RunWatch, "wished", wished)
    folder, state = ended(trainings, base)
    assert state.phase == "paused" and state.step == 12
    monkeypatch.undo()
    folder.ask(None)
    train(folder)
    assert folder.written_state().phase == "done"
    told = [one for one in folder.lines("metrics.jsonl") if "validation_loss" in one]
    assert [one["step"] for one in told] == [0, 4, 8, 12]


def test_a_pause_while_the_base_is_measured_loses_nothing(
    trainings: Trainings, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RunWatch.wished

    def wished(self: RunWatch) -> bool:
        if self.state.doing is not None and self.state.doing.en == "Measuring the base":
            self._folder.ask("pause")
        return real(self)

    monkeypatch.setattr(RunWatch, "wished", wished)
    folder, state = ended(trainings, base)
    assert state.phase == "paused" and state.step == 0 and state.base_loss is None
    monkeypatch.undo()
    folder.ask(None)
    train(folder)
    state = folder.written_state()
    assert state.phase == "done" and state.base_loss == folder.lines("metrics.jsonl")[0]["validation_loss"]
