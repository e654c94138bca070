"""One setting of a training as a record: what page, terminal and documents say of it. Knows no particular setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.field_titles import with_name
from playground.parameters.parameter import Parameter
from playground.types import InvalidRequest, Text

TrainKind = Literal["float", "int", "bool", "choice", "text"]

TRAIN_GROUPS: Mapping[str, Text] = {
    "method": Text("What is trained", "训练哪些权重"),
    "steps": Text("Steps and rates", "步数与速率"),
    "texts": Text("Texts", "文本"),
    "checks": Text("Validation", "验证"),
    "machine": Text("Machine", "机器"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSetting:
    """One setting. Validation takes numbers from `low` to `high` (above `low` only where `above_low` is set).

    `off` is the value that turns it off, where there is one. `needs` names another setting and the value that it must
    have for this one to act. A `basic` one is shown at once, the others behind a fold. `source` says where the setting
    and its usual values come from.
    """

    name: str
    kind: TrainKind
    group: str
    label: Text
    help: Text
    source: str
    default: Any
    low: float | None = None
    high: float | None = None
    above_low: bool = False
    scale: Literal["linear", "log"] = "linear"
    off: float | None = None
    choices: tuple[str, ...] = ()
    choice_labels: Mapping[str, Text] = field(default_factory=dict)
    needs: tuple[str, Any] | None = None
    basic: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def title(self) -> Text:
        """What a message calls it: as the page does, with the name that the terminal knows behind it."""
        return with_name(self.label, self.name)

    @property
    def _rule(self) -> Parameter:
        """What a sampling parameter of this kind and range accepts, and how it says what it does not."""
        return Parameter(
            name=self.name,
            kind=self.kind,
            group=self.group,
            label=self.label,
            help=self.help,
            formula=Text("", ""),
            source=self.source,
            neutral=self.default,
            default=self.default,
            hard_low=self.low,
            hard_high=self.high,
            above_low=self.above_low,
            choices=self.choices,
            choice_labels=self.choice_labels,
        )

    @property
    def range_text(self) -> Text:
        """The values that it takes, in words."""
        return self._rule.range_text()

    def value_text(self, value: Any) -> Text:
        """A value as a person reads it."""
        if self.off is not None and value == self.off:
            return Text("off", "关")
        return self._rule.value_text(value)

    def accept(self, value: object) -> Any:
        """The value in the setting's own type. Raises InvalidRequest, with the setting's name and its range."""
        return self._rule.accept(value)

    def acts(self, values: Mapping[str, Any]) -> bool:
        """Whether it has an effect beside these values of the others."""
        return self.needs is None or values.get(self.needs[0]) == self.needs[1]

    def as_record(self) -> dict[str, Any]:
        """Plain data for a page, texts in both languages."""
        texts = {"label": self.label, "help": self.help, "allowed": self.range_text}
        plain = ("name", "kind", "group", "source", "default", "low", "high", "above_low", "scale", "off", "basic")
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: {"en": text.en, "zh": text.zh} for name, text in texts.items()},
            "flag": self.flag,
            "choices": [
                {"value": one, "en": label.en, "zh": label.zh}
                for one in self.choices
                for label in (self.choice_labels.get(one, Text(one, one)),)
            ],
            "needs": None if self.needs is None else {"name": self.needs[0], "value": self.needs[1]},
        }


def unknown_setting(name: str, near: str | None) -> InvalidRequest:
    """The error for a name that no setting has; `near` is one that is meant perhaps."""
    shown = name[:60]
    return InvalidRequest(
        Text(f"There is no training setting {shown!r}.", f"没有名为 {shown!r} 的训练设置。"),
        Text(f"Did you mean {near}?", f"你是想用 {near} 吗？") if near else None,
        parameter=shown,
    )
