"""Which models can be trained, as far as their choice says it. Knows no file and no torch."""

from __future__ import annotations

from playground.models import recipes
from playground.models.model_choice import ModelChoice
from playground.types import ModelError, Text

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
        raise packed_file(choice.name)


def packed_file(name: str) -> ModelError:
    """The error for a GGUF file."""
    names = [one.id for one in recipes.all_recipes()]
    return ModelError(
        Text(
            f"{name!r} is a GGUF file, whose packed weights cannot be trained.",
            f"{name!r} 是 GGUF 文件，其压缩的权重无法训练。",
        ),
        Text(f"{_INSTEAD.en} Short names are {', '.join(names)}.", f"{_INSTEAD.zh}短名称有{'、'.join(names)}。"),
    )
