"""Three presets of a training's settings: what differs from the defaults. Knows no model and no data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.training.train_settings import validate_settings
from playground.types import InvalidRequest, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPreset:
    """Values of some settings under a name; the others have their defaults."""

    name: str
    label: Text
    help: Text
    values: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting with its value."""
        return validate_settings(self.values)


PRESETS: tuple[TrainPreset, ...] = (
    TrainPreset(
        name="try",
        label=Text("Try", "试一试"),
        help=Text(
            "About two minutes on a laptop: whether the data is right.", "笔记本电脑上约两分钟：看看数据是否合适。"
        ),
        values={"rank": 8, "alpha": 16.0, "steps": 60, "learning_rate": 5e-4},
    ),
    TrainPreset(
        name="good",
        label=Text("Good", "良好"),
        help=Text("Three times over all texts; right for most data.", "全部文本读三遍；适合大多数数据。"),
        values={},
    ),
    TrainPreset(
        name="thorough",
        label=Text("Thorough", "细致"),
        help=Text(
            "More weights, up to ten times over all texts, ending once the validation loss rises.",
            "更多权重，全部文本最多读十遍，验证损失上升即停止。",
        ),
        values={
            "rank": 64, "alpha": 64.0, "rslora": True, "dropout": 0.05, "epochs": 10.0, "early_stopping": 3,
        },
    ),
)  # fmt: skip


def find_preset(name: object) -> TrainPreset:
    """The preset of this name. Raises InvalidRequest where there is none."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    names = [preset.name for preset in PRESETS]
    raise InvalidRequest(
        Text(f"preset must be one of {', '.join(names)}.", f"preset 应为以下之一：{'、'.join(names)}。"),
        parameter="preset",
    )
