"""One training from its plan to what is learned, in a process of its own; everything it says is in its folder.

`python -m playground.training FOLDER` starts it. It waits until no other training runs, and takes up its last
checkpoint where there is one.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerState

from playground.models import Loaded
from playground.training import adapter_weights, checkpoint_store
from playground.training.base_model import load_base, weights_format
from playground.training.learned_model import publish
from playground.training.learned_samples import SamplePrompt, sample_prompts, written_samples
from playground.training.packing_check import check_packing
from playground.training.row_batches import Collator, rows_of
from playground.training.run_trainer import Interrupted, RunTrainer
from playground.training.run_watch import RunWatch, clean_up
from playground.training.trainer_arguments import total_steps, trainer_arguments
from playground.training.training_data import PreparedData, prepared_data
from playground.training.training_failures import explained_trouble, other_base
from playground.training.training_folder import TrainingFolder, TrainState, read_json, write_json
from playground.types import Text


def train(folder: TrainingFolder) -> None:
    """Runs the training of this folder; whatever ends it, the folder's state says so in one sentence."""
    state = replace(folder.written_state(), phase="preparing", trouble=None, ahead=0)
    run = Run(folder, state)
    try:
        run.go()
    except Exception as error:  # noqa: BLE001 - libraries raise anything, and a person gets a sentence
        traceback.print_exc()
        settings = run.settings
        found = explained_trouble(error, settings.get("batch", 1), settings.get("cut_length", 0))
        checkpoint_store.clear_parts(folder.checkpoints)  # first of all, where the disk is full
        failed = replace(
            run.watch.state if run.watch is not None else run.state,
            phase="failed",
            doing=None,
            seconds_left=None,
            trouble=Text(found.say("en"), found.say("zh")),
        )
        if is_main():
            folder.write_state(failed)


def is_main() -> bool:
    """Whether this is the first of the processes that train together."""
    return int(os.environ.get("RANK", "0")) == 0


def processes() -> int:
    """How many train together: as many as `accelerate launch` has started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


class Run:
    """The parts of one training while it is put together and run."""

    def __init__(self, folder: TrainingFolder, state: TrainState) -> None:
        self.folder = folder
        self.state = state
        self.watch: RunWatch | None = None
        self.settings: dict[str, Any] = {}

    def go(self) -> None:
        """Prepares, trains, and says how it ended. Raises whatever a library raises."""
        plan = self.folder.plan()
        self.settings = settings = dict(plan.settings)
        clean_up(self.folder)
        self._tell(doing=Text("Loading the model", "正在加载模型"))
        if settings["method"] == "lora":
            adapter_weights.check_peft()
        loaded = load_base(plan.choice, weights_format(settings), self._report, on_cpu=processes() > 1)
        self._check_base(loaded)
        self._tell(doing=Text("Reading the texts", "正在读取文本"))
        data = prepared_data(self.folder.data, plan, loaded)
        self._tell(notice=data.notice)
        packed = settings["packing"]
        if packed:
            check_packing(loaded, data.train)
        checkpoint = checkpoint_store.newest_checkpoint(self.folder.checkpoints)
        prompts = self._prompts(loaded, data)
        if prompts is None:
            self._end(done=False)
            return
        model, collator = self._model(loaded), Collator(_padding(loaded.tokenizer), packed=packed)
        samples = _Samples(loaded, prompts, self.folder)
        self.watch = watch = RunWatch(self.folder, self.state, settings, samples.again, loaded)
        rows = rows_of(data.train, data.longest, packed=packed)
        validation = rows_of(data.validation, data.longest, packed=packed)
        steps = total_steps(len(rows), settings, processes())
        arguments = trainer_arguments(self.folder.checkpoints, settings, steps)
        trainer = RunTrainer(model, arguments, rows, validation, collator, watch, [watch])
        watch.trainer = trainer
        self._train(trainer, watch, checkpoint, loaded)

    def _train(self, trainer: RunTrainer, watch: RunWatch, checkpoint: Path | None, loaded: Loaded) -> None:
        step = 0 if checkpoint is None else checkpoint_store.step_of(checkpoint)
        if is_main():
            for name in ("metrics.jsonl", "samples.jsonl"):
                self.folder.cut_lines(name, step)
        steps = trainer.args.max_steps
        if checkpoint is not None and step >= steps:  # ended right behind its last checkpoint
            trainer._load_from_checkpoint(str(checkpoint))
            trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
            trainer.state.is_world_process_zero = is_main()
            watch.catch_up(trainer.state)
        else:
            try:
                trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
            except Interrupted:  # while the base was measured: nothing is learned yet
                self.state = watch.state
                self._end(done=False)
                return
        if not self.folder.learned.exists():
            publish(trainer, self.folder.learned, loaded)
        self.state = watch.state
        self._end(done=watch.is_over(trainer.state))

    def _end(self, *, done: bool) -> None:
        """Says how it ended: done, or as it was asked to end."""
        phase = "done" if done else "stopped" if self.folder.wish() == "stop" else "paused"
        self._tell(phase=phase, doing=None, seconds_left=None)
        if done and is_main():
            checkpoint_store.forget_progress(self.folder.checkpoints)

    def _tell(self, **changed: Any) -> None:
        self.state = replace(self.state, **changed)
        if is_main():
            self.folder.write_state(self.state)

    def _report(self, stage: Text, share: float | None) -> None:
        if self.state.doing != stage:
            self._tell(doing=stage)

    def _check_base(self, loaded: Loaded) -> None:
        """A checkpoint belongs to the base that it began with."""
        place = self.folder.path / "base.json"
        now = {"id": loaded.card.id, "revision": loaded.card.revision, "parameters": loaded.card.parameters}
        was = read_json(place)
        if was is None:
            if is_main():
                write_json(place, {**now, "title": loaded.card.title})
        elif any(was.get(name) != value for name, value in now.items()):
            raise other_base(f"{was.get('id')} ({was.get('revision')})", f"{now['id']} ({now['revision']})")

    def _prompts(self, loaded: Loaded, data: PreparedData) -> list[SamplePrompt] | None:
        """The prompts that are written at each evaluation, once the base has written them; None where it is to
        pause."""
        prompts = sample_prompts(data.samples, self.settings["seed"])
        if self.folder.lines("samples.jsonl") or not is_main():
            return prompts
        self._tell(doing=Text("Writing with the base", "正在用基础模型生成"))
        texts = written_samples(loaded, prompts, lambda: self.folder.wish() is not None)
        if texts is None:
            return None
        record = [
            {"prompt": one.shown, "wanted": one.wanted, "base": text, "learned": text}
            for one, text in zip(prompts, texts, strict=True)
        ]
        self.folder.add_line("samples.jsonl", {"step": 0, "texts": record})
        return prompts

    def _model(self, loaded: Loaded) -> Any:
        torch.manual_seed(self.settings["seed"])
        if self.settings["method"] == "lora":
            return adapter_weights.with_adapter(loaded, self.settings)
        return loaded.model.requires_grad_(True)


class _Samples:
    """Writes the sample prompts with what is learned so far, beside what the base wrote."""

    def __init__(self, loaded: Loaded, prompts: list[SamplePrompt], folder: TrainingFolder) -> None:
        self._loaded = loaded
        self._prompts = prompts
        self._folder = folder

    def again(self) -> list[dict[str, str]] | None:
        first = self._folder.lines("samples.jsonl")[:1]
        texts = written_samples(self._loaded, self._prompts, lambda: self._folder.wish() is not None)
        if not first or texts is None:
            return None
        return [{**was, "learned": text} for was, text in zip(first[0]["texts"], texts, strict=False)]


def _padding(tokenizer: Any) -> int:
    found = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return int(found or 0)
