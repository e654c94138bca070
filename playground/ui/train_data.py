"""Trainings as plain data for the page: a line of the list, how far one is, its curves. Knows no element, no event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.training.plan import TrainPlan
from playground.training.train_presets import PRESETS
from playground.training.train_setting import TRAIN_GROUPS
from playground.training.train_settings import SETTINGS, train_settings_by_name
from playground.training.training_folder import ALIVE, TrainState
from playground.training.trainings import TrainingView
from playground.ui.page_texts import bilingual

MOST_LINES = 4000  # of a curve that go in one answer
MOST_POINTS = 600  # of each curve where several are laid over one another


def setting_records() -> dict[str, Any]:
    """The settings, their groups and the presets, for the page's scripts."""
    return {
        "settings": [one.as_record() | {"default_text": bilingual(one.value_text(one.default))} for one in SETTINGS],
        "groups": [{"name": name, "label": bilingual(label)} for name, label in TRAIN_GROUPS.items()],
        "presets": [
            {
                "name": one.name,
                "label": bilingual(one.label),
                "help": bilingual(one.help),
                "values": dict(one.values),
            }
            for one in PRESETS
        ],
    }


def state_data(state: TrainState) -> dict[str, Any]:
    """How far a training is; `alive` while a process works at it."""
    return {
        **state.as_record(),
        "alive": state.phase in ALIVE,
        **{name: bilingual(getattr(state, name)) for name in ("doing", "trouble", "notice")},
    }


def view_data(view: TrainingView) -> dict[str, Any]:
    """One line of the list; times in milliseconds, as a browser counts them."""
    return {
        "id": view.id,
        "name": view.name,
        "note": view.note,
        "created": round(view.created * 1000),
        "base": view.base,
        "files": list(view.files),
        "changed": changed_data(view.changed),
        "state": state_data(view.state),
    }


def changed_data(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings that differ from the defaults, as a person reads them."""
    known = train_settings_by_name()
    return [
        {"name": name, "label": bilingual(known[name].label), "value": bilingual(known[name].value_text(value))}
        for name, value in values.items()
        if name in known
    ]


def plan_data(plan: TrainPlan) -> dict[str, Any]:
    """What the form needs to be filled with it again."""
    return {"settings": dict(plan.settings), "mapping": dict(plan.mapping)}


def curve_points(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[list[float]]]:
    """The losses and the accuracy of a training as [step, value], thinned out evenly; the last point stays."""
    found: dict[str, list[list[float]]] = {"loss": [], "validation_loss": [], "token_accuracy": []}
    for line in lines:
        for name, points in found.items():
            if isinstance(value := line.get(name), int | float):
                points.append([line["step"], value])
    return {name: _thinned(points) for name, points in found.items()}


def _thinned(points: list[list[float]]) -> list[list[float]]:
    if len(points) <= MOST_POINTS:
        return points
    every = -(-len(points) // MOST_POINTS)
    kept = points[::every]
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]
