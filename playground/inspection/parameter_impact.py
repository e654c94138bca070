"""What each knob did in a finished row, found by replaying it with that one knob neutral. Knows no knob by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.amounts import counted
from playground.decoding.run_store import StoredRow
from playground.inspection.replay import decisions
from playground.inspection.replay_context import Decision
from playground.parameters.inert import inert
from playground.parameters.parameter import Parameter
from playground.types import Text

_OTHER_DRAWS = Text("{text}, with other random draws", "{text}（随机数不同）")


def badges(row: StoredRow, values: Mapping[str, Any]) -> dict[str, Text]:
    """A few words for every knob of `values` that differs from neutral and acts on the scores, over the row's text."""
    would = values != row.run.values
    reasons = inert(values, has_eos=bool(row.run.setting.eos))
    impact: dict[str, Text] = {}
    if not row.tokens:
        return impact
    own = decisions(row, values)
    without = {}
    for parameter in _acting(values):
        if parameter.name in reasons:
            impact[parameter.name] = reasons[parameter.name]
        else:
            without[parameter.name] = decisions(row, {**values, parameter.name: parameter.neutral})
    cutting = {name: _freed(found, own) for name, found in without.items() if _cuts(name)}
    for name, found in without.items():
        changed = sum(one.token != was.token for one, was in zip(found, own, strict=True))
        rival = max((other for other in cutting if other != name), key=lambda other: cutting[other], default=None)
        if not changed and name in cutting and not cutting[name]:
            impact[name] = _nothing_cut(rival if rival is not None and cutting[rival] else None, would)
        else:
            impact[name] = _decided(changed, len(own), would)
    if row.run.draws_known(values):
        return impact
    return {name: text if name in reasons else _OTHER_DRAWS.filled(text=text) for name, text in impact.items()}


def _acting(values: Mapping[str, Any]) -> list[Parameter]:
    known = parameters.by_name()
    return [known[name] for name in parameters.changed(values) if known[name].stage is not None]


def _cuts(name: str) -> bool:
    parameter = parameters.by_name()[name]
    return parameter.group == "cutoffs" and parameter.needs is None


def _freed(without: list[Decision], own: list[Decision]) -> int:
    """At how many positions more candidates would be left without the knob."""
    return sum(one.alive > was.alive for one, was in zip(without, own, strict=True))


def _nothing_cut(rival: str | None, would: bool) -> Text:
    if rival is None and would:
        return Text("would have no effect: nothing to cut", "将无效：没有可截断的候选")
    if rival is None:
        return Text("no effect: it had nothing to cut", "无效：没有可截断的候选")
    label = parameters.by_name()[rival].label
    if would:
        return Text(f"would have no effect: {label.en} cuts first", f"将无效：{label.zh} 先截断")
    return Text(f"no effect: {label.en} cut first", f"无效：{label.zh} 已先截断")


def _decided(changed: int, count: int, would: bool) -> Text:
    if not changed:
        did, done = ("would change", "不会改变") if would else ("changed", "没有改变")
        return Text(f"{did} none of {counted(count, 'token', 'tokens')}", f"{count} 个词元中{done}任何一个")
    share = max(round(100 * changed / count), 1)
    did, done = ("would decide", "将决定") if would else ("decided", "决定了")
    return Text(
        f"{did} {share} % ({changed} of {counted(count, 'token', 'tokens')})",
        f"{done} {share} %（{count} 个词元中的 {changed} 个）",
    )
