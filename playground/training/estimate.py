"""What a training will take of memory and time: three real steps of it, and what follows from them.

Knows no page. Runs in a process of its own, beside nothing that is to be kept.
"""

from __future__ import annotations

import gc
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil
import torch

from playground.amounts import bytes_text
from playground.machine.allocator import trim
from playground.training import adapter_weights
from playground.training.base_model import load_base, weights_format
from playground.training.packing_check import check_packing
from playground.training.row_batches import Collator, Row, rows_of
from playground.training.run_watch import EVALUATIONS
from playground.training.train_settings import train_settings_by_name
from playground.training.trainer_arguments import total_steps
from playground.training.training_data import prepared_data
from playground.training.training_failures import explained_trouble
from playground.training.training_folder import TrainingFolder, write_json
from playground.training.training_queue import runs_now
from playground.types import Text

LEAST_LENGTH = int(train_settings_by_name()["cut_length"].low or 1)  # tokens that a row may be long at least
_STEPS = 3
_KEPT = 0.9  # share of the free memory that a training may take
_READ = 0.4  # time of reading a token for validation, in parts of the time of learning it
_SAMPLE_S = 0.002  # seconds between looks at the memory


@dataclass(frozen=True, slots=True)
class TrainEstimate:
    """Memory in bytes: `memory` is what the training takes at most, `held` what of it does not depend on the batch,
    `free` what this machine has for it. `seconds` is the whole time, of `steps` steps. Where it does not `fit`,
    `batch` and `length` are the largest that would, each with the other as it is chosen; 0 where none does."""

    memory: int
    held: int
    free: int
    seconds: float
    steps: int
    tokens: int
    trained: int
    fits: bool
    batch: int
    length: int
    notice: Text | None

    def as_record(self) -> dict[str, Any]:
        """Plain data, the notice in both languages."""
        return asdict(self)


def measure(folder: TrainingFolder) -> None:
    """Writes the estimate of this folder's plan beside it; what goes wrong is said in its state."""
    state, trouble = folder.written_state(), None
    settings: Mapping[str, Any] = {}
    try:
        plan = folder.plan()
        settings = plan.settings
        if settings["method"] == "lora":
            adapter_weights.check_peft()
        loaded = load_base(plan.choice, weights_format(settings), lambda *_: None)
        data = prepared_data(folder.data, plan, loaded)
        if settings["packing"]:
            check_packing(loaded, data.train)
        model = adapter_weights.with_adapter(loaded, settings) if settings["method"] == "lora" else loaded.model
        rows = rows_of(data.train, data.longest, packed=settings["packing"])
        validation = rows_of(data.validation, data.longest, packed=settings["packing"])
        found = estimated(model, rows, validation, settings, data.longest, other=runs_now(folder.path.parent))
        write_json(folder.path / "estimate.json", found.as_record())
    except Exception as error:  # noqa: BLE001 - libraries raise anything, and a person gets a sentence
        traceback.print_exc()
        said = explained_trouble(error, settings.get("batch", 1), settings.get("cut_length", 0))
        trouble = Text(said.say("en"), said.say("zh"))
    phase: Any = "new" if state.step == 0 else "paused"
    folder.write_state(replace(state, phase=phase, trouble=trouble, begun=True))


def estimated(
    model: Any,
    rows: Sequence[Row],
    validation: Sequence[Row],
    settings: Mapping[str, Any],
    longest: int,
    *,
    other: bool = False,
) -> TrainEstimate:
    """Takes three steps: one with the longest row alone, which tells whether a whole batch would fit, and two with
    batches. `other` is whether another training takes its share of the machine meanwhile."""
    steps = _Steps(model, settings)
    free = _free_bytes(model)
    ordered = sorted(rows, key=_length, reverse=True)
    batch = min(int(settings["batch"]), len(ordered))
    held, one, _ = steps.take(ordered[:1])
    token = max(one - held, 1) / _length(ordered[0])  # bytes of a token beside what is held
    whole = held + token * batch * _length(ordered[0])
    seconds, tokens = 0.0, 0
    fits_first = whole <= free * _KEPT
    batches = [ordered[:batch], ordered[len(ordered) // 2 :][:batch]] if fits_first else [ordered[-1:], ordered[-1:]]
    for chosen in batches[: _STEPS - 1]:
        _, peak, took = steps.take(chosen)
        if fits_first and chosen is batches[0]:
            whole = max(peak, held)
            token = max(whole - held, 1) / (batch * _length(ordered[0]))
        seconds += took
        tokens += _size(chosen)
    rate = seconds / max(tokens, 1)
    count = total_steps(len(rows), settings)
    each = sum(map(_length, rows)) / len(rows) * batch * settings["accumulation"]
    checks = math.ceil(count / settings["evaluate_every"]) if settings["evaluate_every"] else min(EVALUATIONS, count)
    # The base is measured too.
    total = rate * (count * each + _READ * (1 + checks) * sum(map(_length, validation)))
    fits = whole <= free * _KEPT
    room = max(free * _KEPT - held, 0.0)
    most = int(room / (token * _length(ordered[0])))
    length = int(room / (token * batch))
    notice = None if fits else _too_large(int(whole), free, most, length, longest)
    if other and fits:
        notice = Text(
            "Another training is running: this one waits for it, and the time was measured beside it.",
            "另一项训练正在运行：此训练将等它结束，所测时间受其影响。",
        )
    return TrainEstimate(
        memory=int(whole),
        held=int(held),
        free=free,
        seconds=total,
        steps=count,
        tokens=round(count * each),
        trained=sum(one.numel() for one in model.parameters() if one.requires_grad),
        fits=fits,
        batch=most,
        length=length if length >= LEAST_LENGTH else 0,
        notice=notice,
    )


def _too_large(memory: int, free: int, batch: int, length: int, longest: int) -> Text:
    need, have = bytes_text(memory), bytes_text(free)
    en, zh = f"This takes about {need}, and {have} are free. ", f"约需 {need}，可用 {have}。"
    if batch >= 1 and length < LEAST_LENGTH:
        return Text(f"{en}Batch {batch:,} would fit.", f"{zh}批大小 {batch:,} 可以放下。")
    if batch >= 1:
        return Text(
            f"{en}Batch {batch:,} would fit, or a longest text of {min(length, longest):,} tokens.",
            f"{zh}批大小 {batch:,} 可以放下，或把最长文本设为 {min(length, longest):,} 个词元。",
        )
    return Text(
        f"{en}No batch would fit: take LoRA, a smaller model, gradient checkpointing, or shorter texts.",
        f"{zh}任何批大小都放不下：请用 LoRA、更小的模型、梯度检查点，或更短的文本。",
    )


class _Steps:
    """Steps of a training that nobody keeps, each with the memory that it took at most and its seconds."""

    def __init__(self, model: Any, settings: Mapping[str, Any]) -> None:
        self._model = model.train()
        self._packed = bool(settings["packing"])
        if settings["method"] == "full":
            model.requires_grad_(True)
        if settings["gradient_checkpointing"]:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        self._trained = [one for one in model.parameters() if one.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=0.0, weight_decay=0.0)
        self._device = next(model.parameters()).device
        self._bf16 = settings["number_format"] == "bf16"

    def take(self, rows: Sequence[Row]) -> tuple[int, int, float]:
        """The bytes that stay, those at most, and the seconds. The learning rate is 0: nothing is learned."""
        batch = Collator(0, packed=self._packed)(rows)
        given = {name: one.to(self._device) for name, one in batch.items()}
        began = time.perf_counter()
        with _peak(self._device) as told:
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
                loss = self._model(**given, use_cache=False).loss
            loss.backward()
            self._optimizer.step()
            del loss
        took = time.perf_counter() - began
        # Gradients and the optimizer's two figures for each weight stay.
        return told()[0], told()[1], took


@contextmanager
def _peak(device: torch.device) -> Iterator[Callable[[], tuple[int, int]]]:
    """Tells afterwards the bytes that are taken then, and those that were taken at most meanwhile."""
    gc.collect()
    found = [0, 0]
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: (found[0], found[1])
        torch.cuda.synchronize(device)
        found[:] = [torch.cuda.memory_allocated(device), torch.cuda.max_memory_allocated(device)]
        return
    own, over = psutil.Process(), threading.Event()

    def look() -> None:
        while not over.is_set():
            found[1] = max(found[1], own.memory_info().rss)
            over.wait(_SAMPLE_S)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: (found[0], found[1])
    finally:
        over.set()
        thread.join()
        trim()  # what the C library keeps of freed memory is not held
        found[0] = own.memory_info().rss
        found[1] = max(found)


def _free_bytes(model: Any) -> int:
    """What a training may take in all: what is free now, and what this process has of it already."""
    device = next(model.parameters()).device
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device))
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)


def _length(row: Row) -> int:
    return sum(len(one.ids) for one in row)


def _size(rows: Sequence[Row]) -> int:
    """Tokens that a batch computes, what fills up included."""
    return max(map(_length, rows)) * len(rows)
