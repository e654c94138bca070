"""The panel of knobs: one element whose value is the mapping of all parameters, drawn from the registry.

Knows no model and no task: what has no effect, and which preset is in force, comes through `panel_update`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from playground import parameters
from playground.parameters import Parameter, engines
from playground.parameters.parameter import LARGEST_ID, MOST_BIAS
from playground.types import InvalidRequest, Text
from playground.ui.element import Element, asset

# Settings of a run rather than shapers of text: never counted as active, and "neutralize" leaves them alone.
_SETTINGS = frozenset({"max_new_tokens", "n", "seed"})
# Numbers that are never "off": their neutral is a value like any other (temperature 1 samples the model as it is).
_NEVER_OFF = _SETTINGS | {"temperature", "min_tokens_to_keep", "length_penalty"}

_WORDS: dict[str, Text] = {
    "knobs": Text("Knobs", "参数"),
    "find": Text("find a knob…", "查找参数…"),
    "find_label": Text("Find a knob by name or description", "按名称或说明查找参数"),
    "none": Text("No knob fits.", "没有符合的参数。"),
    "active": Text("{n} active", "{n} 项启用"),
    "tally": Text("{n}", "{n}"),
    "more_of": Text("{n} more", "另有 {n} 项"),
    "more_of_group": Text("{label}: {n} more", "{label}：另有 {n} 项"),
    "place": Text("{label} {n}", "{label} {n}"),
    "active_in": Text("Groups with active knobs", "有启用参数的组"),
    "show_active": Text("Show only what is active", "只显示启用的参数"),
    "show_all": Text("Show all knobs", "显示全部参数"),
    "preset": Text("Preset", "预设"),
    "changed": Text("changed", "已改动"),
    "replaced": Text("{count:knob|knobs} changed: {list}.", "{count} 项参数已改变：{list}。"),
    "replaced_value": Text("{label} {was} → {is}", "{label} {was} → {is}"),
    "replaced_comma": Text(", ", "，"),
    "replaced_more": Text("and {n} more", "另有 {n} 项"),
    "restore": Text("Restore preset", "恢复预设"),
    "restore_hint": Text("Back to the preset's values", "恢复预设中的数值"),
    "neutralize": Text("Set all to neutral", "全部设为中性"),
    "neutralize_hint": Text(
        "Every knob to where it changes nothing; length, candidates and seed stay",
        "所有参数回到不起作用的位置；长度、候选数和种子不变",
    ),
    "more": Text("All other knobs", "其他参数"),
    "off": Text("Off", "关"),
    "on": Text("On", "开"),
    "off_hint": Text("{label}: Off. Turn on with the last value", "{label}：关。以上次的数值开启"),
    "greedy": Text("always the likeliest token", "总取最可能的词元"),
    "number": Text("number", "数值"),
    "about": Text("About {label}", "关于 {label}"),
    "reset": Text("Back to neutral", "回到中性值"),
    "reset_hint": Text("{label}: back to neutral", "{label}：回到中性值"),
    "needs": Text("Not sent: it must be {range}.", "未采用：应为{range}。"),
    "range": Text("Range", "范围"),
    "neutral": Text("Neutral", "中性值"),
    "master": Text("Only works with", "须配合"),
    "elsewhere": Text("In other programs", "其他引擎"),
    "source": Text("Source", "出处"),
    "empty": Text("empty", "空"),
    "one_a_line": Text("one a line; \\n is a line break", "每行一条；\\n 表示换行"),
    "ids_hint": Text("token ids: 198, 50256", "词元编号：198, 50256"),
    "id_lists_hint": Text("[198, 30], [50256]", "[198, 30], [50256]"),
    "bias_text": Text("text", "文本"),
    "bias_id": Text("token id", "词元编号"),
    "bias_found": Text("Tokens that write this text", "写出此文本的词元"),
    "bias_none": Text("no token", "没有词元"),
    "add_row": Text("Add a text", "添加文本"),
    "add_id": Text("Add a token id", "添加词元编号"),
    "remove_row": Text("Remove this text", "删除这一条"),
    "own_order": Text("own order", "自定义"),
    "order_hint": Text(
        "Drag, or Alt with an arrow key; Space picks up and puts down.",
        "可拖动，或用 Alt 加方向键；空格拿起或放下。",
    ),
    "order_hint_touch": Text("Drag a stage by its dots.", "按住圆点拖动阶段。"),
    "order_text": Text("as text", "文本形式"),
    "stages": Text("Stages", "阶段"),
    "all_stages": Text("all {n} stages", "全部 {n} 个阶段"),
    "no_stage": Text("No stage acts now.", "目前没有阶段起作用。"),
    "stage_place": Text("place {at} of {all}", "第 {at} 位，共 {all} 位"),
    "stage_at": Text("{label}: {place}.", "{label}：{place}。"),
    "stage_held": Text(
        "{label} picked up, {place}. Arrow keys move it, Space puts it down, Escape takes it back.",
        "已拿起{label}，{place}。方向键移动，空格放下，Esc 还原。",
    ),
    "stage_dropped": Text("{label} put down, {place}.", "已放下{label}，{place}。"),
    "stage_back": Text("{label} taken back, {place}.", "{label}已还原，{place}。"),
    "fresh_seed": Text("new each run", "每次更换"),
    "keep_seed": Text("Keep this seed", "固定种子"),
    "seed_kept": Text("Kept: every run uses this seed", "已固定：每次运行使用同一种子"),
    "seed_fresh": Text("Every run draws a new seed", "每次运行抽取新种子"),
    "roll_seed": Text("Roll a seed and keep it", "抽取一个种子并固定"),
}


class KnobPanel(Element):
    """Every parameter of the registry as a knob; as an event's input it gives {name: value} of all of them.

    Events: `input` (a value changed; fires while a slider is dragged: use trigger_mode="always_last") and `preset`
    (another preset was picked; `evt.id` is its id, and the handler answers with a `panel_update`).
    Props: `inert` and `badges` ({name: Text}), `found` ({name: {text: [[(id, text of the token)]]}}), `presets`
    ([{"id", "title"}]), `active_preset` (its id) and `preset_values`, which "Restore preset" returns to; what these
    leave out is neutral.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        inert: Mapping[str, Any] | None = None,
        badges: Mapping[str, Any] | None = None,
        found: Mapping[str, Any] | None = None,
        presets: Sequence[Mapping[str, Any]] = (),
        active_preset: str = "",
        preset_values: Mapping[str, Any] | None = None,
        **kw: Any,
    ) -> None:
        super().__init__(
            _complete(values or {}),
            html_template=asset("knobs.html"),
            module="knobs/knobs.js",
            sends="knobs",
            elem_id="knobs",
            elem_classes="pg-knobs",
            inert=_said(inert or {}),
            badges=_said(badges or {}),
            found=dict(found or {}),
            presets=_titled(presets),
            active_preset=active_preset,
            preset_values=None if preset_values is None else dict(preset_values),
            **kw,
        )

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """The mapping as the browser sent it, completed; what it holds is checked by `parameters.validate`."""
        values = super().preprocess(payload)
        if not isinstance(values, Mapping):
            raise InvalidRequest(Text("The knobs' values must be a mapping.", "参数值应为映射。"))
        return _complete(values)

    def postprocess(self, value: Mapping[str, Any] | None) -> str:
        return super().postprocess(_complete(value or {}))


_UNSET: Any = object()


def panel_update(
    *,
    values: Mapping[str, Any] = _UNSET,
    inert: Mapping[str, Any] = _UNSET,
    badges: Mapping[str, Any] = _UNSET,
    found: Mapping[str, Any] = _UNSET,
    presets: Sequence[Mapping[str, Any]] = _UNSET,
    active_preset: str = _UNSET,
    preset_values: Mapping[str, Any] = _UNSET,
) -> dict[str, Any]:
    """An update of a KnobPanel; only what is given changes. `values` may leave out what stays at its default.

    A handler of the panel's own `input` event should not send `values` back: they are older than the user's hand.
    """
    given: dict[str, Any] = {}
    if values is not _UNSET:
        given["value"] = _complete(values)
    for name, texts in (("inert", inert), ("badges", badges)):
        if texts is not _UNSET:
            given[name] = _said(texts)
    if presets is not _UNSET:
        given["presets"] = _titled(presets)
    plainly = {"found": found, "active_preset": active_preset, "preset_values": preset_values}
    for name, plain in plainly.items():
        if plain is not _UNSET:
            given[name] = plain
    return gr.update(**given)


def _complete(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**{p.name: p.default for p in parameters.REGISTRY}, **values}


def _both(text: Text | Mapping[str, str] | str) -> dict[str, str]:
    if isinstance(text, Text):
        return {"en": text.en, "zh": text.zh}
    return {"en": text, "zh": text} if isinstance(text, str) else dict(text)


def _said(texts: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {name: _both(text) for name, text in texts.items()}


def _titled(presets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": preset["id"], "title": _both(preset["title"])} for preset in presets]


def knob_records() -> list[dict[str, Any]]:
    return [_record(p) for p in parameters.REGISTRY]


def stage_records() -> list[dict[str, Any]]:
    """The stages in the first of the named orders, each called as the parameter that switches it on or has its name, or
    as the group of those that do."""
    masters: dict[str, list[Parameter]] = {}
    for p in parameters.REGISTRY:
        if p.stage and p.needs is None:
            masters.setdefault(p.stage, []).append(p)
    own = {stage: not more or p.name == stage for stage, (p, *more) in masters.items()}
    labels = {stage: p.label if own[stage] else parameters.GROUPS[p.group] for stage, (p, *_) in masters.items()}
    return [{"name": stage, "label": _both(labels[stage])} for stage in parameters.stages(parameters.ORDERS[0])]


def _record(p: Parameter) -> dict[str, Any]:
    """What the page draws one knob from."""
    numeric = p.kind in ("float", "int")
    return {
        "name": p.name,
        "kind": "seed" if p.name == "seed" else p.kind,
        "group": p.group,
        "level": p.level,
        "label": _both(p.label),
        "help": _both(p.help),
        "formula": _both(p.formula),
        "source": p.source,
        "range": _both(p.range_text()),
        "neutral": p.neutral,
        "default": p.default,
        "low": p.low,
        "high": p.high,
        "step": p.step,
        "scale": p.scale,
        "hard_low": p.hard_low,
        "hard_high": p.hard_high,
        "above_low": p.above_low,
        "choices": list(p.choices),
        "choice_labels": _said(p.choice_labels),
        "needs": p.needs,
        "stage": p.stage,
        "elsewhere": engines.names(p),
        "setting": p.name in _SETTINGS,
        "off": numeric and p.needs is None and p.name not in _NEVER_OFF,
    }


def knob_data() -> dict[str, Any]:
    """What the scripts of the panel know of the registry: playground/data/knobs.js."""
    return {
        "knobs": knob_records(),
        "groups": [{"id": name, "label": _both(text)} for name, text in parameters.GROUPS.items()],
        "words": _said(_WORDS),
        "orders": {name: parameters.stages(name) for name in parameters.ORDERS},
        "stages": stage_records(),
        "limits": {"token_id": LARGEST_ID, "bias": MOST_BIAS},
    }
