"""The registry: every sampling parameter once, gathered from one file a group, and what is asked of all of them.

Sliders, flags, validation, documents, presets and exports are drawn from here. Knows no model and no page.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from playground.parameters import (
    beam_search,
    controllers,
    cutoffs,
    guidance,
    length,
    penalties,
    run,
    shape,
    speed,
    structured_output,
    token_constraints,
    watermark,
)
from playground.parameters.parameter import Parameter, Value
from playground.types import InvalidRequest, Refused, Text

__all__ = [
    "GROUPS",
    "ORDERS",
    "REGISTRY",
    "RENAMED",
    "Parameter",
    "by_name",
    "changed",
    "current_names",
    "grouped",
    "stages",
    "title_of",
    "valid_ones",
    "validate",
]

GROUPS: dict[str, Text] = {
    "shape": Text("Temperature", "温度"),
    "cutoffs": Text("Cut-offs", "截断"),
    "controllers": Text("Self-adjusting", "自动调节"),
    "repetition": Text("Repetition", "重复"),
    "words": Text("Words", "用词"),
    "form": Text("Output format", "输出格式"),
    "length": Text("Length and stops", "长度与停止"),
    "guidance": Text("Guidance", "引导"),
    "watermark": Text("Watermark", "水印"),
    "search": Text("Beam search", "束搜索"),
    "run": Text("Run", "运行"),
    "speed": Text("Speed", "速度"),
}

T = TypeVar("T")

ORDERS = ("transformers", "llama.cpp")

REGISTRY: tuple[Parameter, ...] = (
    *shape.PARAMETERS,
    *cutoffs.PARAMETERS,
    *controllers.PARAMETERS,
    *penalties.PARAMETERS,
    *token_constraints.PARAMETERS,
    *structured_output.PARAMETERS,
    *length.PARAMETERS,
    *guidance.PARAMETERS,
    *watermark.PARAMETERS,
    *beam_search.PARAMETERS,
    *run.PARAMETERS,
    *speed.PARAMETERS,
)


RENAMED = {"portable_luck": "portable_noise"}
"""Former names of parameters, with those of today: stored drafts, traces, presets and clients may still carry them."""


def current_names(given: Mapping[str, T]) -> dict[str, T]:
    """The same values under today's names. Where a mapping has both names of a parameter, today's decides."""
    renamed = {RENAMED[name]: value for name, value in given.items() if name in RENAMED}
    return {**renamed, **{name: value for name, value in given.items() if name not in RENAMED}}


def by_name() -> dict[str, Parameter]:
    """The registry by parameter name, in its order."""
    return {parameter.name: parameter for parameter in REGISTRY}


def title_of(name: str) -> Text:
    """What a message calls the parameter of this name."""
    return by_name()[name].title


def grouped() -> dict[str, list[Parameter]]:
    """Parameters by group, both in the registry's order."""
    return {group: [p for p in REGISTRY if p.group == group] for group in GROUPS}


def validate(given: Mapping[str, Any]) -> dict[str, Value]:
    """Every parameter of the registry with its value: the given ones checked and cast, the others at default.

    A former name counts as today's. Raises InvalidRequest that names the parameter, its value and its range.
    """
    known, given = by_name(), current_names(given)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = Text(f"Did you mean {near[0]}?", f"你是想用 {near[0]} 吗？") if near else None
            shown = str(name)[:60]
            raise InvalidRequest(
                Text(f"There is no parameter {shown!r}.", f"没有名为 {shown!r} 的参数。"), hint, parameter=shown
            )
    # A default is cast too, which copies it: a caller that changes a list in the result must not change the registry.
    values = {name: p.accept(given.get(name, p.default)) for name, p in known.items()}
    stages(values["order"])
    return values


def valid_ones(given: Mapping[str, Any]) -> dict[str, Value]:
    """Of these values those that `validate` takes, cast, each looked at by itself; the others are left out."""
    found: dict[str, Value] = {}
    for name, value in current_names(given).items():
        try:
            found[name] = validate({name: value})[name]
        except InvalidRequest:
            continue
    return found


def changed(values: Mapping[str, Value]) -> dict[str, Value]:
    """Only what differs from neutral: the form in which presets, links and stored runs keep parameters."""
    return {p.name: values[p.name] for p in REGISTRY if p.name in values and not p.is_neutral(values[p.name])}


def stages(order: str) -> list[str]:
    """The stages of the pipeline in this order: a named one, or a list of stage names separated by commas.

    Stages that a list leaves out come first, in transformers' order, so that a short list decides what comes last.
    Raises InvalidRequest for a stage that does not exist, and Refused for one that is named twice.
    """
    named = order if order in ORDERS else "transformers"
    places = {p.stage: p.order[named] for p in REGISTRY if p.stage and named in p.order}
    complete = sorted(places, key=lambda stage: (places[stage], stage))
    if order in ORDERS:
        return complete
    wanted = order.split(",") if order else []
    for stage in wanted:
        if stage not in places:
            near = difflib.get_close_matches(stage, places, n=1)
            raise InvalidRequest(
                Text(
                    f"{title_of('order').en}: there is no stage {stage[:60]!r}.",
                    f"{title_of('order').zh}：没有名为 {stage[:60]!r} 的阶段。",
                ),
                Text(f"Did you mean {near[0]}?", f"你是想用 {near[0]} 吗？") if near else None,
                parameter="order",
            )
    if len(set(wanted)) != len(wanted):
        title = title_of("order")
        raise Refused(Text(f"{title.en} names a stage twice.", f"{title.zh}中有阶段出现了两次。"), parameter="order")
    return [stage for stage in complete if stage not in wanted] + wanted
