"""The model that is trained: whether it can be, loaded in a format that gradients can be computed in.

Knows no data and no settings but the number format.
"""

from __future__ import annotations

from typing import Any

import psutil
import torch

from playground.models import Loaded, load, recipes, sources
from playground.models.model_choice import ModelChoice
from playground.types import ModelError, ProgressReport, Text

_PACKED = ("int8", "int4")
_INSTEAD = Text(
    "Choose the embedded model, a short name, a hub id or a folder with safetensors.",
    "请选择内置模型、短名称、模型库编号或含 safetensors 的文件夹。",
)


def check_trainable(choice: ModelChoice) -> None:
    """Raises ModelError, with what to load instead, where no gradient can reach these weights. Loads nothing."""
    if choice.is_engine:
        raise ModelError(
            Text("A model behind an engine cannot be trained here.", "引擎背后的模型无法在这里训练。"), _INSTEAD
        )
    if choice.weights in _PACKED:
        raise ModelError(
            Text(f"Weights in {choice.weights} cannot be trained.", f"{choice.weights} 格式的权重无法训练。"),
            Text("Choose the same model with weights auto, bf16 or fp32.", "请为同一模型选择 auto、bf16 或 fp32。"),
        )
    if getattr(choice, "adapter", None):
        raise ModelError(
            Text("A model with an adapter cannot be trained on.", "带适配器的模型无法继续训练。"),
            Text(
                "Choose its base, or export it merged and choose that folder.",
                "请选择其基础模型，或先合并导出，再选择该文件夹。",
            ),
        )
    if choice.name.lower().endswith(".gguf"):
        raise _gguf(choice.name)


def load_base(choice: ModelChoice, number_format: str, report: ProgressReport, *, on_cpu: bool = False) -> Loaded:
    """The base with weights in fp32 or bf16; `on_cpu` leaves its placement to others. Raises ModelError."""
    check_trainable(choice)
    if sources.find(choice.name, report, code=choice.trust_remote_code).gguf is not None:
        raise _gguf(choice.name)
    limits: dict[str | int, int] = dict(choice.max_memory)
    if on_cpu:
        limits = {"cpu": psutil.virtual_memory().total}
    loaded = load(
        choice.name,
        weights=number_format,
        max_memory=limits or None,
        trust_remote_code=choice.trust_remote_code,
        report=report,
    )
    check_weights(loaded)
    return loaded


def check_weights(loaded: Loaded) -> None:
    """Raises ModelError where weights are packed, or wait on a disk."""
    config = loaded.model.config
    if getattr(config, "quantization_config", None) is not None or getattr(loaded.model, "is_quantized", False):
        raise ModelError(
            Text(
                f"The weights of {loaded.card.title} are packed, and cannot be trained.",
                f"{loaded.card.title} 的权重已压缩，无法训练。",
            ),
            Text("Choose the copy of it that is not quantized.", "请选择该模型未量化的版本。"),
        )
    if any(place.device == "disk" for place in loaded.card.placements):
        raise ModelError(
            Text(
                f"{loaded.card.title} does not fit into memory, and weights on a disk cannot be trained.",
                f"内存放不下 {loaded.card.title}，放在磁盘上的权重无法训练。",
            ),
            Text("Choose a smaller model.", "请选择更小的模型。"),
        )


def training_device(model: Any) -> torch.device:
    """Where its token ids go in."""
    found: torch.device = next(model.parameters()).device
    return found


def _gguf(name: str) -> ModelError:
    names = [one.id for one in recipes.all_recipes()]
    return ModelError(
        Text(
            f"{name!r} is a GGUF file, whose packed weights cannot be trained.",
            f"{name!r} 是 GGUF 文件，其压缩的权重无法训练。",
        ),
        Text(f"{_INSTEAD.en} Short names are {', '.join(names)}.", f"{_INSTEAD.zh}短名称有{'、'.join(names)}。"),
    )
