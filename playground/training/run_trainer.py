"""transformers' Trainer, exact where it is not: validation by tokens, checkpoints that are whole, a run that resumes.

What it does for itself: batches, accumulation, clipping, schedules, several devices. Knows no folder of a training but
what a `Watch` does with it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from playground.training import adapter_weights, checkpoint_store
from playground.training.row_batches import Collator, Row, ShuffledOrder
from playground.training.token_scores import TokenScores, batch_scores, summed
from playground.training.training_failures import not_a_number

_FULL_WEIGHTS = "weights.safetensors"


class Interrupted(Exception):
    """A pause or a stop was asked for while validation texts were read; of the base before the first step."""


class Watch(Protocol):
    """Who is told of a run's steps, and says when it is to pause."""

    def wished(self) -> bool:
        """Whether a pause or a stop is asked for."""

    def evaluated(self, trainer: RunTrainer, scores: TokenScores) -> None:
        """The validation texts were read."""


class RunTrainer(Trainer):
    """Trains on rows. `seed` decides their order; the callbacks decide when it evaluates and saves."""

    control: Any

    def __init__(
        self,
        model: Any,
        args: TrainingArguments,
        rows: Sequence[Row],
        validation: Sequence[Row],
        collator: Collator,
        watch: Watch,
        callbacks: list[TrainerCallback],
    ) -> None:
        super().__init__(
            model=model,
            args=args,
            train_dataset=list(rows),
            eval_dataset=list(validation) or None,
            data_collator=collator,
            callbacks=callbacks,
        )
        self.remove_callback(PrinterCallback)
        self._watch = watch
        self.validates = bool(validation)
        self.tokens_read = 0  # by this process, since it began

    @property
    def plain_model(self) -> Any:
        """The model without what several devices wrap around it; with its adapter, where it has one."""
        return self.accelerator.unwrap_model(self.model)

    def training_step(
        self, model: Any, inputs: dict[str, Tensor | Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """The loss [] of one batch. Raises TrainingTrouble where it is no number, before any weight has changed."""
        seen = inputs.get("attention_mask")
        self.tokens_read += int(inputs["input_ids"].numel() if seen is None else seen.sum())
        loss = super().training_step(model, inputs, num_items_in_batch)
        if not bool(torch.isfinite(loss)):
            raise not_a_number("loss", self.state.global_step + 1)
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        found = super()._get_grad_norm(model, grad_norm)
        if found is not None and not np.isfinite(float(found)):
            raise not_a_number("gradient", self.state.global_step + 1)
        return found

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return ShuffledOrder(len(self.train_dataset), self.args.seed)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Reads all validation texts and tells the watch; no random draw of the training is used up by it.

        Raises Interrupted where a pause is asked for meanwhile.
        """
        with same_draws():
            scores = self.validation_scores(self.get_eval_dataloader())
        if scores.tokens and (self.state.best_metric is None or scores.loss < self.state.best_metric):
            self.state.best_metric, self.state.best_global_step = scores.loss, self.state.global_step
        metrics = {"eval_loss": scores.loss, "eval_token_accuracy": scores.accuracy}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        with same_draws():
            self._watch.evaluated(self, scores)
        return metrics

    def validation_scores(self, loader: DataLoader[Any]) -> TokenScores:
        """The scores of all its texts; each counts once, however many devices share them."""
        model = self.model_wrapped
        was_training = model.training
        model.eval()
        found = []
        try:
            for batch in loader:
                if self._watch.wished():
                    raise Interrupted
                with self.accelerator.autocast():
                    rows = batch_scores(model, self._prepare_inputs(batch))
                found.append(self.accelerator.gather_for_metrics(rows).cpu())
        finally:
            model.train(was_training)
        return summed(torch.cat(found)) if found else TokenScores(0.0, 0, 0)

    def _evaluate(self, trial: Any, ignore_keys_for_eval: Any, skip_scheduler: bool = False) -> dict[str, float]:
        try:
            return self.evaluate()
        except Interrupted:  # the step is kept, and evaluated once the run goes on
            self.control.should_training_stop = self.control.should_save = True
            return {}

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if not self.args.should_save and not self.spread:
            return
        folder, step = Path(self.args.output_dir), self.state.global_step
        if self.spread:  # every process writes its part
            super()._save_checkpoint(model, trial)
            return
        with checkpoint_store.new_checkpoint(folder, step) as part:
            self._write_weights(part)
            self._save_optimizer_and_scheduler(str(part))
            self._save_rng_state(str(part))
            self.state.save_to_json(str(part / "trainer_state.json"))

    @property
    def spread(self) -> bool:
        """Whether the weights are spread over several processes, each of which keeps its own part."""
        return bool(self.is_fsdp_enabled or self.is_deepspeed_enabled)

    def _write_weights(self, folder: Path) -> None:
        model = self.plain_model
        if adapter_weights.is_adapted(model):
            adapter_weights.save_adapter(model, folder)
        else:
            safetensors.torch.save_model(model, str(folder / _FULL_WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        found = self.plain_model if model is None else model
        folder = Path(resume_from_checkpoint)
        if adapter_weights.is_adapted(found):
            adapter_weights.load_adapter(found, folder)
        else:
            safetensors.torch.load_model(found, str(folder / _FULL_WEIGHTS))


@contextmanager
def same_draws() -> Iterator[None]:
    """What is drawn inside leaves the random numbers that come after it as they would have been."""
    kept = (random.getstate(), np.random.get_state(), torch.get_rng_state())
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        torch.set_rng_state(kept[2])
        if devices:
            torch.cuda.set_rng_state_all(devices)
