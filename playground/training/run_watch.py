"""What a running training tells its folder, and how it obeys what is asked of it there.

After each step a line of figures; after some, validation, samples, and a checkpoint. Knows Trainer's callbacks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psutil
import torch
from transformers import TrainerCallback

from playground.models import Loaded
from playground.training import checkpoint_store
from playground.training.learned_model import publish
from playground.training.run_trainer import RunTrainer, same_draws
from playground.training.token_scores import TokenScores
from playground.training.training_folder import TrainingFolder, TrainState
from playground.types import Text

EVALUATIONS = 10  # in all, where nobody says how often
_SAFE_S = 300.0  # seconds after which a checkpoint is written in any case
_TOLD_S = 0.2  # seconds between two states on the disk

Samples = Callable[[], list[dict[str, str]] | None]


class RunWatch(TrainerCallback):
    """Writes the folder's files in the process that is `main`, and has all processes pause together.

    `samples` writes the sample prompts with what is learned so far; `base` is what was loaded.
    """

    def __init__(
        self, folder: TrainingFolder, state: TrainState, settings: Mapping[str, Any], samples: Samples, base: Loaded
    ) -> None:
        self._folder = folder
        self._state = state
        self._settings = settings
        self._samples = samples
        self._base = base
        self._began = self._told = self._saved = time.monotonic()
        self._first = 0  # the step that this process began behind
        self._last: tuple[float, int] = (self._began, 0)
        self.trainer: RunTrainer | None = None
        self.ended_early = False

    @property
    def state(self) -> TrainState:
        return self._state

    def tell(self, *, at_once: bool = False, **changed: Any) -> None:
        """Changes the state, on the disk at most some times a second unless it is `at_once`. Raises OSError."""
        self._state = replace(self._state, **changed)
        now = time.monotonic()
        if self._is_main and (at_once or now - self._told >= _TOLD_S):
            self._told = now
            self._folder.write_state(self._state)

    @property
    def _is_main(self) -> bool:
        return self.trainer is None or bool(self.trainer.is_world_process_zero())

    def wished(self) -> bool:
        """Whether a pause or a stop is asked for: the first process's word counts for all."""
        asked = self._folder.wish() is not None
        trainer = self.trainer
        if trainer is None or trainer.accelerator.num_processes == 1:
            return asked
        said = torch.tensor([int(asked)], device=trainer.accelerator.device)
        return bool(trainer.accelerator.reduce(said, "sum")[0])

    def every(self, steps: int) -> int:
        """Steps between two evaluations, of `steps` in all."""
        chosen = int(self._settings["evaluate_every"])
        return chosen if chosen > 0 else max(1, math.ceil(steps / EVALUATIONS))

    # What Trainer calls.

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """The first step is about to be taken, or the one behind a checkpoint."""
        self._first = state.global_step
        if not state.global_step:
            self._measure_base()
        self._began = self._saved = time.monotonic()
        self._last = (self._began, 0)
        self.tell(at_once=True, phase="running", doing=None, step=state.global_step, steps=state.max_steps)
        self.catch_up(state)

    def _measure_base(self) -> None:
        """What the base scores before anything is learned: the first point of the curves, and never the best step.
        Raises Interrupted."""
        running = self._running
        if not running.validates or any("validation_loss" in one for one in self._folder.lines("metrics.jsonl")):
            return
        self.tell(at_once=True, doing=Text("Measuring the base", "正在评估基础模型"))
        with same_draws():
            scores = running.validation_scores(running.get_eval_dataloader())
        if self._is_main and math.isfinite(scores.loss):
            self._folder.add_line("metrics.jsonl", _figures(0, 0.0, scores))
            self.tell(base_loss=scores.loss)

    def catch_up(self, state: Any) -> None:
        """Evaluates what was interrupted before it was evaluated."""
        if state.global_step and self._running.validates and self._due(state) and not self._evaluated_at(state):
            self._running._evaluate(None, None)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Decides whether this step is evaluated and kept, and whether it is the last one for now."""
        due = self._due(state)
        control.should_evaluate = due and self._running.validates
        late = time.monotonic() - self._saved >= _SAFE_S and not self._running.spread
        control.should_save = due or late
        if self.wished():
            control.should_training_stop = control.should_save = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float], **more: Any) -> None:
        """Keeps the figures of a step."""
        if "loss" not in logs or not self._is_main:
            return
        now, tokens = time.monotonic(), self._running.tokens_read
        seconds = max(now - self._last[0], 1e-9)
        rate = (tokens - self._last[1]) * self._running.accelerator.num_processes / seconds
        self._last = (now, tokens)
        done = state.global_step - self._first
        left = (now - self._began) / done * (state.max_steps - state.global_step) if done else None
        memory = memory_bytes()
        self._folder.add_line(
            "metrics.jsonl",
            {
                "step": state.global_step,
                "epoch": round(state.epoch, 4),
                "loss": logs["loss"],
                "learning_rate": logs["learning_rate"],
                "gradient_norm": logs.get("grad_norm"),
                "tokens_per_second": round(rate, 1),
                "memory": memory,
                "time": round(time.time(), 3),
            },
        )
        self.tell(step=state.global_step, epoch=state.epoch, tokens_per_second=rate, seconds_left=left, memory=memory)

    def evaluated(self, trainer: RunTrainer, scores: TokenScores) -> None:
        """Keeps the figures, the samples, and what is learned where it is the best so far."""
        state = trainer.state
        best = state.best_global_step == state.global_step
        if self._is_main:
            self._folder.add_line("metrics.jsonl", _figures(state.global_step, state.epoch or 0.0, scores))
            self.tell(at_once=True, best_step=state.best_global_step, best_loss=state.best_metric)
        if best:
            publish(trainer, self._folder.learned, self._base)
        if self._is_main and not trainer.spread and (texts := self._samples()) is not None:
            self._folder.add_line("samples.jsonl", {"step": state.global_step, "texts": texts})
        patience = int(self._settings["early_stopping"])
        since = [one for one in state.log_history if "eval_loss" in one and one["step"] > (state.best_global_step or 0)]
        if patience and len(since) >= patience:
            self.ended_early = True
            trainer.control.should_training_stop = trainer.control.should_save = True
        self._last = (time.monotonic(), trainer.tokens_read)

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """A checkpoint is whole. Without validation the last step counts as the best."""
        self._saved = time.monotonic()
        if not self._running.validates:
            publish(self._running, self._folder.learned, self._base)
        self._last = (time.monotonic(), self._running.tokens_read)

    def is_over(self, state: Any) -> bool:
        """Whether nothing is left to do: all steps are taken, and what they learned is measured."""
        measured = not self._running.validates or self._evaluated_at(state)
        return self.ended_early or (state.global_step >= state.max_steps and measured)

    @property
    def _running(self) -> RunTrainer:
        assert self.trainer is not None, "set before the training begins"
        return self.trainer

    def _due(self, state: Any) -> bool:
        return bool(state.global_step % self.every(state.max_steps) == 0 or state.global_step >= state.max_steps)

    @staticmethod
    def _evaluated_at(state: Any) -> bool:
        return any("eval_loss" in one and one["step"] == state.global_step for one in state.log_history)


def _figures(step: int, epoch: float, scores: TokenScores) -> dict[str, float]:
    """The line of an evaluation."""
    return {
        "step": step,
        "epoch": round(epoch, 4),
        "validation_loss": scores.loss,
        "token_accuracy": scores.accuracy,
        "perplexity": scores.perplexity,
        "validation_tokens": scores.tokens,
    }


def memory_bytes() -> int:
    """Of a GPU what was used at most, where there is one; else of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


def clean_up(folder: TrainingFolder) -> None:
    """Puts right what a crash left half done."""
    checkpoint_store.clear_parts(folder.checkpoints)
    checkpoint_store.put_back(folder.learned)
