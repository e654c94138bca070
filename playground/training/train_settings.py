"""Every setting of a training, once. Page, terminal and documents are drawn from here; presets are beside it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from playground.training.method_settings import METHOD_SETTINGS
from playground.training.train_setting import TRAIN_GROUPS, TrainSetting, unknown_setting
from playground.types import Text

_TRAINER = "transformers.TrainingArguments"

SETTINGS: tuple[TrainSetting, ...] = (
    *METHOD_SETTINGS,
    TrainSetting(
        name="learning_rate",
        kind="float",
        group="steps",
        label=Text("Learning rate", "学习率"),
        help=Text(
            "How far each step moves the weights, at its highest. LoRA takes about ten times as much as full training.",
            "每一步移动权重的最大幅度。LoRA 约为全参数训练的十倍。",
        ),
        source=_TRAINER,
        default=2e-4,
        low=0.0,
        high=1.0,
        above_low=True,
        scale="log",
        basic=True,
    ),
    TrainSetting(
        name="schedule",
        kind="choice",
        group="steps",
        label=Text("Schedule", "学习率调度"),
        help=Text(
            "How the learning rate falls from its highest to 0 over the training.",
            "学习率在训练过程中如何从最高值降到 0。",
        ),
        source="transformers.get_scheduler",
        default="cosine",
        choices=("cosine", "linear", "constant"),
        choice_labels={
            "cosine": Text("cosine", "余弦"),
            "linear": Text("linear", "线性"),
            "constant": Text("constant", "恒定"),
        },
    ),
    TrainSetting(
        name="warmup",
        kind="float",
        group="steps",
        label=Text("Warm-up", "预热"),
        help=Text(
            "Share of all steps over which the learning rate rises from 0 first.",
            "开头有多少比例的步数让学习率从 0 上升。",
        ),
        source=_TRAINER,
        default=0.03,
        low=0.0,
        high=0.5,
        off=0.0,
    ),
    TrainSetting(
        name="batch",
        kind="int",
        group="steps",
        label=Text("Batch", "批大小"),
        help=Text(
            "Texts that a device reads at once: more are faster and take more memory.",
            "一个设备一次读入的文本数：越多越快，也越占内存。",
        ),
        source=_TRAINER,
        default=4,
        low=1,
        high=1024,
        scale="log",
        basic=True,
    ),
    TrainSetting(
        name="accumulation",
        kind="int",
        group="steps",
        label=Text("Accumulation", "梯度累积"),
        help=Text(
            "Batches that are read for one step; the same as a larger batch, without its memory.",
            "每一步读取的批数；等同于更大的批，但不占更多内存。",
        ),
        source=_TRAINER,
        default=2,
        low=1,
        high=1024,
        scale="log",
    ),
    TrainSetting(
        name="epochs",
        kind="float",
        group="steps",
        label=Text("Epochs", "轮数"),
        help=Text("How often all texts are read.", "全部文本读多少遍。"),
        source=_TRAINER,
        default=3.0,
        low=0.0,
        high=1000.0,
        above_low=True,
        needs=("steps", 0),
        basic=True,
    ),
    TrainSetting(
        name="steps",
        kind="int",
        group="steps",
        label=Text("Steps", "步数"),
        help=Text("So many steps, however many epochs that is.", "训练这么多步，不论相当于多少轮。"),
        source=_TRAINER,
        default=0,
        low=0,
        high=10_000_000,
        scale="log",
        off=0,
    ),
    TrainSetting(
        name="weight_decay",
        kind="float",
        group="steps",
        label=Text("Weight decay", "权重衰减"),
        help=Text(
            "How strongly each step pulls the trained matrices towards 0, for each unit of the learning rate.",
            "每一步把所训练的矩阵拉向 0 的强度（按学习率计）。",
        ),
        source="arXiv 1711.05101",
        default=0.0,
        low=0.0,
        high=1.0,
        off=0.0,
    ),
    TrainSetting(
        name="clip",
        kind="float",
        group="steps",
        label=Text("Gradient clipping", "梯度裁剪"),
        help=Text(
            "A gradient that is longer than this is shortened to it, so that one odd text does not undo what was "
            "learned.",
            "长度超过此值的梯度会被缩短到此值，使个别异常文本不致毁掉已学到的内容。",
        ),
        source="arXiv 1211.5063",
        default=1.0,
        low=0.0,
        high=1000.0,
        off=0.0,
    ),
    TrainSetting(
        name="learn",
        kind="choice",
        group="texts",
        label=Text("Learned", "学习内容"),
        help=Text(
            "Whether only the answers count for the loss, or the prompts too. Continued text is always learned whole.",
            "损失只计回答，还是也计提示词。续写文本始终全部学习。",
        ),
        source="trl.SFTConfig.completion_only_loss",
        default="answers",
        choices=("answers", "all"),
        choice_labels={"answers": Text("answers", "仅回答"), "all": Text("prompts and answers", "提示词与回答")},
    ),
    TrainSetting(
        name="cut_length",
        kind="int",
        group="texts",
        label=Text("Longest text", "最长文本"),
        help=Text(
            "Tokens of a text, its prompt included; what is longer is cut there.",
            "一条文本（含提示词）的词元数；更长的部分会被截去。",
        ),
        source="trl.SFTConfig.max_length",
        default=1024,
        low=16,
        high=131_072,
        scale="log",
        basic=True,
    ),
    TrainSetting(
        name="packing",
        kind="bool",
        group="texts",
        label=Text("Packing", "打包"),
        help=Text(
            "Puts short texts one behind the other into one row, each for itself; saves time where lengths differ.",
            "把较短的文本首尾相接放入同一行，彼此互不可见；长度不一时可节省时间。",
        ),
        source="arXiv 2107.02027",
        default=False,
    ),
    TrainSetting(
        name="neftune",
        kind="float",
        group="texts",
        label=Text("NEFTune noise", "NEFTune 噪声"),
        help=Text(
            "Adds noise of this strength to what the model reads, against learning by heart; 5 is usual.",
            "在模型读入的内容中加入此强度的噪声，防止死记硬背；常用 5。",
        ),
        source="arXiv 2310.05914",
        default=0.0,
        low=0.0,
        high=100.0,
        off=0.0,
    ),
    TrainSetting(
        name="validation_share",
        kind="float",
        group="checks",
        label=Text("Share for validation", "验证比例"),
        help=Text(
            "Share of the texts that is not learned and tells whether the rest is learned well: at least 16 of them, "
            "at most 500.",
            "不用于学习、只用来检验学习效果的文本比例：至少 16 条，最多 500 条。",
        ),
        source="sklearn.model_selection.train_test_split",
        default=0.1,
        low=0.0,
        high=0.5,
        off=0.0,
        basic=True,
    ),
    TrainSetting(
        name="evaluate_every",
        kind="int",
        group="checks",
        label=Text("Steps between evaluations", "评估间隔步数"),
        help=Text(
            "After so many steps the validation texts are read and a checkpoint is kept; 0: about ten times in all.",
            "每隔这么多步读一遍验证文本并保存检查点；0：全程约十次。",
        ),
        source=_TRAINER,
        default=0,
        low=0,
        high=1_000_000,
        scale="log",
    ),
    TrainSetting(
        name="early_stopping",
        kind="int",
        group="checks",
        label=Text("Early stopping", "提前停止"),
        help=Text(
            "Ends the training after so many evaluations without a lower validation loss.",
            "连续这么多次评估的验证损失都没有下降时结束训练。",
        ),
        source="transformers.EarlyStoppingCallback",
        default=0,
        low=0,
        high=1000,
        off=0,
    ),
    TrainSetting(
        name="seed",
        kind="int",
        group="machine",
        label=Text("Seed", "种子"),
        help=Text(
            "The order of the texts, the split and all random draws follow from it.",
            "文本顺序、验证划分和所有随机抽取都由它决定。",
        ),
        source=_TRAINER,
        default=0,
        low=0,
        high=2**31 - 1,
    ),
    TrainSetting(
        name="number_format",
        kind="choice",
        group="machine",
        label=Text("Number format", "数字格式"),
        help=Text(
            "fp32 resumes to the bit; bf16 is faster on a GPU, and with LoRA halves the memory of the weights.",
            "fp32 可逐位恢复；bf16 在显卡上更快，用 LoRA 时权重内存减半。",
        ),
        source=_TRAINER,
        default="fp32",
        choices=("fp32", "bf16"),
    ),
    TrainSetting(
        name="gradient_checkpointing",
        kind="bool",
        group="machine",
        label=Text("Gradient checkpointing", "梯度检查点"),
        help=Text(
            "Computes intermediate values twice instead of keeping them: less memory, a third more time.",
            "中间值重新计算而不保留：省内存，时间多约三分之一。",
        ),
        source="arXiv 1604.06174",
        default=False,
    ),
)


def train_settings_by_name() -> dict[str, TrainSetting]:
    """The settings by name, in their order."""
    return {one.name: one for one in SETTINGS}


def train_settings_by_group() -> dict[str, list[TrainSetting]]:
    """The settings by group, both in their order."""
    return {group: [one for one in SETTINGS if one.group == group] for group in TRAIN_GROUPS}


def validate_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting with its value: the given ones checked and cast, the others at their default.

    Raises InvalidRequest that names the setting, its value and its range.
    """
    known = train_settings_by_name()
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            raise unknown_setting(str(name), near[0] if near else None)
    return {name: one.accept(given.get(name, one.default)) for name, one in known.items()}


def changed_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what differs from the defaults and acts: how a training is told apart from others."""
    return {
        one.name: values[one.name]
        for one in SETTINGS
        if one.name in values and values[one.name] != one.default and one.acts(values)
    }
