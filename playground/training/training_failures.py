"""What can go wrong while a model is trained, each as one sentence in two languages with what to do.

Knows exceptions by type and words.
"""

from __future__ import annotations

import re
from typing import Literal

from playground.machine.disk import is_full
from playground.models import failures
from playground.types import PlaygroundError, Text

_KEPT = Text("The last checkpoint is kept.", "最后一个检查点仍保留。")


class TrainingTrouble(PlaygroundError):
    """A training ended before its end; its last checkpoint is kept."""


def not_a_number(what: Literal["loss", "gradient"], step: int) -> TrainingTrouble:
    name = {"loss": Text("loss", "损失"), "gradient": Text("gradient", "梯度")}[what]
    return TrainingTrouble(
        Text(
            f"The {name.en} at step {step:,} is no number any more; nothing was learned from it. {_KEPT.en}",
            f"第 {step:,} 步的{name.zh}已不是有效数字，没有从中学习。{_KEPT.zh}",
        ),
        Text(
            "Start again with a lower learning rate, or with number format fp32.",
            "请降低学习率，或改用 fp32 数字格式，然后重新开始。",
        ),
    )


def disk_full() -> TrainingTrouble:
    return TrainingTrouble(
        Text(
            f"The disk is full, so no checkpoint could be written. {_KEPT.en}", f"磁盘已满，无法写入检查点。{_KEPT.zh}"
        ),
        Text("Make room, then resume.", "请腾出空间后继续训练。"),
    )


def out_of_memory(batch: int, length: int) -> TrainingTrouble:
    smaller = f"{max(1, batch // 2)}" if batch > 1 else ""
    hint = (
        Text(
            f"Start again with batch {smaller} and twice the accumulation, or with a longest text of "
            f"{length // 2:,} tokens.",
            f"请把批大小改为 {smaller} 并将梯度累积加倍，或把最长文本改为 {length // 2:,} 个词元后重新开始。",
        )
        if smaller
        else Text(
            f"Start again with a longest text of {length // 2:,} tokens, or with gradient checkpointing.",
            f"请把最长文本改为 {length // 2:,} 个词元，或开启梯度检查点后重新开始。",
        )
    )
    return TrainingTrouble(
        Text(
            f"Memory ran out with batch {batch} and up to {length:,} tokens. {_KEPT.en}",
            f"批大小 {batch}、最长 {length:,} 个词元时内存不足。{_KEPT.zh}",
        ),
        hint,
    )


def other_base(was: str, now: str) -> TrainingTrouble:
    return TrainingTrouble(
        Text(
            f"This training began with {was}; its base is now {now}, for which its checkpoint does not count.",
            f"此训练始于 {was}，其基础模型现在是 {now}，检查点不适用。",
        ),
        Text("Put the former model back, or start a new training.", "请恢复原来的模型，或新建训练。"),
    )


def explained_trouble(error: BaseException, batch: int, length: int) -> PlaygroundError:
    """Whatever ended a training, as an error with one sentence. `batch` and `length` are what was tried."""
    if isinstance(error, PlaygroundError):
        return error
    words = failures.scrub(str(error))
    chain = [error, error.__cause__, error.__context__]
    full = any(is_full(one) for one in chain) or re.search(r"No space left on device|os error 28|Disk quota", words)
    # torch's own writer of archives says nothing of the disk but that a write was short.
    if full or re.search(r"PytorchStreamWriter failed|unexpected pos", words):
        return disk_full()
    if isinstance(error, MemoryError) or re.search(
        r"out of memory|can't allocate memory|not enough memory|bad_alloc|Cannot allocate memory", words, re.I
    ):
        return out_of_memory(batch, length)
    return TrainingTrouble(
        Text(
            f"The training ended with an error: {type(error).__name__}: {words.rstrip('. ')}. {_KEPT.en}",
            f"训练因错误结束：{type(error).__name__}：{words.rstrip('. 。')}。{_KEPT.zh}",
        ),
        Text("Its log shows where; resume it, or start again.", "日志中有详细位置；可以继续训练或重新开始。"),
    )
