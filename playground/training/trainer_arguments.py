"""The settings of a training in the words of transformers' Trainer. Knows no model and no data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def trainer_arguments(output: Path, settings: Mapping[str, Any], steps: int) -> TrainingArguments:
    """For so many steps. When to evaluate and to save is decided by a callback, and bf16 computes beside weights in
    fp32 or in bf16."""
    return TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=settings["batch"],
        per_device_eval_batch_size=settings["batch"],
        gradient_accumulation_steps=settings["accumulation"],
        max_steps=steps,
        learning_rate=settings["learning_rate"],
        lr_scheduler_type=_SCHEDULES[settings["schedule"]],
        warmup_steps=settings["warmup"],
        optim="adamw_torch",
        weight_decay=settings["weight_decay"],
        max_grad_norm=settings["clip"],
        neftune_noise_alpha=settings["neftune"] or None,
        activation_checkpointing=settings["gradient_checkpointing"],
        activation_checkpointing_kwargs={"use_reentrant": False} if settings["gradient_checkpointing"] else None,
        bf16=settings["number_format"] == "bf16",
        seed=settings["seed"],
        data_seed=settings["seed"],
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        skip_memory_metrics=True,
    )


def total_steps(rows: int, settings: Mapping[str, Any], processes: int = 1) -> int:
    """The steps of a training over so many rows; the last batch of a pass may be smaller."""
    if settings["steps"]:
        return int(settings["steps"])
    batches = math.ceil(rows / (settings["batch"] * processes))
    return max(1, math.ceil(settings["epochs"] * math.ceil(batches / settings["accumulation"])))
