"""The model that is trained: whether it can be, loaded in a format that gradients can be computed in.

Knows no data and no settings but the number format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil

from playground.generators.opening import adapted
from playground.models import Loaded, load, sources
from playground.models.model_choice import ModelChoice
from playground.training.trainable import check_trainable, packed_file
from playground.types import ModelError, ProgressReport, Text


def load_base(choice: ModelChoice, number_format: str, report: ProgressReport, *, on_cpu: bool = False) -> Loaded:
    """The base with weights in fp32 or bf16, and the context length and chat template that were chosen; `on_cpu` leaves
    its placement to others. Raises ModelError."""
    check_trainable(choice)
    if sources.find(choice.name, report, code=choice.trust_remote_code).gguf is not None:
        raise packed_file(choice.name)
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
    return adapted(loaded, choice)


def weights_format(settings: Mapping[str, Any]) -> str:
    """With LoRA the base may be kept in bf16; weights that are trained are kept in fp32, and computed with in bf16."""
    return "bf16" if settings["number_format"] == "bf16" and settings["method"] == "lora" else "fp32"


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
