"""Knob presets: `presets/knobs/*.yaml` read and checked, and the values that each sets.

A preset holds only what differs from neutral; the model's own is drawn from its generation_config. Knows no task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playground import parameters
from playground.parameters import not_offered
from playground.tasks import schema
from playground.tasks.schema import Node
from playground.types import InvalidRequest, Text

__all__ = ["FOLDER", "KnobPreset", "from_model", "load_all", "values"]

FOLDER = Path(__file__).parents[2] / "presets" / "knobs"
LAST = 1000
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
# generate() fills an unset top_k with this as soon as it samples.
_TRANSFORMERS_TOP_K = 50
_UNKNOWN = Text("Nothing here has this name.", "此处没有这个名称。")
_OTHER_FORM = Text("Its value has another form here.", "此处的取值形式不同。")


@dataclass(frozen=True, slots=True)
class KnobPreset:
    """`source` says where the values come from: this file, or the model's own generation_config."""

    id: str
    title: Text
    description: Text
    parameters: Mapping[str, Any]
    source: Literal["file", "model"] = "file"
    place: int = LAST


def load_all(folder: Path | None = None) -> list[KnobPreset]:
    """Every preset of a folder, by place and then by id. Raises SchemaError with file, line and key."""
    found = [_build(schema.read(path), path.stem) for path in sorted((folder or FOLDER).glob("*.yaml"))]
    return sorted(found, key=lambda preset: (preset.place, preset.id))


def values(id: str, generation_defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a preset sets, checked; what it leaves out is neutral. Raises InvalidRequest for an unknown id."""
    known = {preset.id: preset for preset in load_all()}
    if id not in known:
        shown = id[:60]
        raise InvalidRequest(
            Text(f"There is no knob preset {shown!r}.", f"没有名为 {shown!r} 的参数预设。"),
            Text(f"There are {', '.join(known)}.", f"可用的有 {'、'.join(known)}。"),
        )
    preset = known[id]
    return from_model(generation_defaults or {}) if preset.source == "model" else dict(preset.parameters)


def from_model(generation_defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A model's generation_config in our names; what has another form here, or no place, is left out."""
    given = {name: value for name, value in generation_defaults.items() if value is not None}
    if given.get("do_sample") is False:
        given["temperature"] = 0.0
    elif given.get("do_sample"):
        given.setdefault("top_k", _TRANSFORMERS_TOP_K)
    taken: dict[str, Any] = {}
    for parameter in parameters.REGISTRY:
        field = parameter.elsewhere.get("transformers")
        if field not in given:
            continue
        value = given[field]
        if parameter.kind == "texts" and isinstance(value, str):
            value = [value]
        try:
            value = parameter.accept(value)
        except InvalidRequest:
            continue
        if not parameter.is_neutral(value):
            taken[parameter.name] = value
    return taken


def lacking(generation_defaults: Mapping[str, Any]) -> dict[str, Text]:
    """What a model's generation_config names and `from_model` leaves out, each with the reason."""
    given = {name: value for name, value in generation_defaults.items() if value is not None}
    offered = not_offered.offered()
    found: dict[str, Text] = {}
    for name, value in given.items():
        if name in not_offered.NOT_OFFERED:
            found[name] = not_offered.NOT_OFFERED[name]
        elif name not in offered:
            found[name] = _UNKNOWN
        elif name not in not_offered.COVERED and not any(_takes(one, value) for one in offered[name]):
            found[name] = _OTHER_FORM
    return found


def _takes(name: str, value: Any) -> bool:
    parameter = parameters.by_name()[name]
    try:
        parameter.accept([value] if parameter.kind == "texts" and isinstance(value, str) else value)
    except InvalidRequest:
        return False
    return True


def _build(document: Node, stem: str) -> KnobPreset:
    top = document.mapping(
        required=("id", "title", "description"),
        optional=("place", "source", "parameters"),
    )
    source = top["source"].one_of(("file", "model")) if "source" in top else "file"
    if (source == "model") == ("parameters" in top):
        raise document.wrong(
            "a preset has either parameters or the source model.", "预设要么有 parameters，要么 source 为 model。"
        )
    return KnobPreset(
        id=_id(top["id"], stem),
        title=top["title"].both_languages(),
        description=top["description"].both_languages(),
        parameters=_parameters(top["parameters"]) if "parameters" in top else {},
        source="model" if source == "model" else "file",
        place=top["place"].whole_number(1, LAST) if "place" in top else LAST,
    )


def _id(node: Node, stem: str) -> str:
    id = node.text()
    if not _ID.fullmatch(id) or id != stem:
        raise node.wrong(
            f"the id must be the file's name, {stem}, in small letters, digits and hyphens.",
            f"id 应与文件名 {stem} 相同，只含小写字母、数字和连字符。",
        )
    return id


def _parameters(node: Node) -> dict[str, Any]:
    """The values, each checked against its range, with the place in the file where one is wrong."""
    known = parameters.by_name()
    checked: dict[str, Any] = {}
    entries = parameters.current_names(node.mapping(optional=(*known, *parameters.RENAMED)))
    for name, entry in entries.items():
        try:
            checked[name] = known[name].accept(entry.value())
        except InvalidRequest as error:
            raise entry.wrong(error.message.en, error.message.zh) from None
    return checked
