"""One sampling parameter as a record, and what may be asked of a value of it.

Knows no other parameter, no model and no page; torch is never imported here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.field_titles import with_name
from playground.types import InvalidRequest, Text

Kind = Literal["float", "int", "bool", "choice", "text", "texts", "ids", "id_lists", "bias", "id_bias", "order"]
Value = Any  # a float, int, bool, str, list or dict, according to the kind

MAX_TEXT = 20_000
MAX_ITEMS = 512
MAX_IDS = 8_192  # of all lists of one value together
LARGEST_ID = 2**31 - 1
MOST_BIAS = 100  # how far from 0 a bias may be
_ENTRIES, _IDS = Text("entries", "条目"), Text("token ids", "词元编号")


def symbols(formula: str) -> Text:
    """A formula without words, which reads the same in both languages."""
    return Text(formula, formula)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. `neutral` changes nothing, `default` is what a new visitor gets.

    The slider runs from `low` to `high`; validation accepts `hard_low` to `hard_high` (or beyond `hard_low` only,
    when `above_low` is set) and always the neutral value itself. `stage` names its stage of the sampler pipeline,
    `order` that stage's place in each named order. `sampler` is the name of a class in `playground.sampling` or of a
    processor in transformers, `argument` the name of its constructor's argument for this value. `needs` is the
    master without which this parameter has no effect. `check` gets the name and a value that is not neutral, and raises
    InvalidRequest for what the kind alone does not exclude. `elsewhere` holds its names in programs
    that cannot stand behind the page; what those take that can is said in `playground.parameters.engines`.
    """

    name: str
    kind: Kind
    group: str
    label: Text
    help: Text
    formula: Text
    source: str
    neutral: Value
    default: Value
    level: Literal["basic", "advanced"] = "advanced"
    low: float | None = None
    high: float | None = None
    step: float | None = None
    scale: Literal["linear", "log"] = "linear"
    hard_low: float | None = None
    hard_high: float | None = None
    above_low: bool = False
    choices: tuple[str, ...] = ()
    choice_labels: Mapping[str, Text] = field(default_factory=dict)
    stage: str | None = None
    order: Mapping[str, int] = field(default_factory=dict)
    sampler: str | None = None
    argument: str | None = None
    needs: str | None = None
    check: Callable[[str, Value], None] | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def title(self) -> Text:
        """What a message calls it: as the page does, with the name that flags and the API know behind it."""
        return with_name(self.label, self.name)

    def value_text(self, value: Value) -> Text:
        """A number, a switch or a choice as the page writes it."""
        if isinstance(value, bool):
            return Text("on", "开") if value else Text("off", "关")
        if isinstance(value, float | int):
            return Text(f"{value:g}", f"{value:g}") if abs(value) < 100_000 else Text(f"{value}", f"{value}")
        return self.choice_labels.get(str(value), Text(str(value), str(value)))

    def is_neutral(self, value: Value) -> bool:
        return bool(value == self.neutral)

    def range_text(self) -> Text:
        """The allowed values in words, for messages and documents."""
        match self.kind:
            case "float" | "int":
                return self._number_range()
            case "bool":
                return Text("true or false", "true 或 false")
            case "choice":
                return Text("one of " + ", ".join(self.choices), "以下之一：" + "、".join(self.choices))
            case "text":
                return Text(f"a text of at most {MAX_TEXT} characters", f"最多 {MAX_TEXT} 个字符的文本")
            case "texts":
                return Text(
                    f"a list of at most {MAX_ITEMS} texts of at most {MAX_TEXT} characters each",
                    f"最多 {MAX_ITEMS} 条文本的列表，每条最多 {MAX_TEXT} 个字符",
                )
            case "ids":
                return Text(f"a list of at most {MAX_ITEMS} token ids", f"最多 {MAX_ITEMS} 个词元编号的列表")
            case "id_lists":
                return Text(
                    f"a list of at most {MAX_ITEMS} lists, each of 1 to {MAX_ITEMS} token ids, {MAX_IDS} in all",
                    f"最多 {MAX_ITEMS} 个列表的列表，每个列表含 1 至 {MAX_ITEMS} 个词元编号，共 {MAX_IDS} 个",
                )
            case "bias":
                return Text(
                    f"a mapping of at most {MAX_ITEMS} texts, each of at most {MAX_TEXT} characters, to numbers from "
                    f"-{MOST_BIAS} to {MOST_BIAS}",
                    f"最多 {MAX_ITEMS} 条文本（每条最多 {MAX_TEXT} 个字符）到 -{MOST_BIAS} 至 {MOST_BIAS} 的数的映射",
                )
            case "id_bias":
                return Text(
                    f"a mapping of at most {MAX_ITEMS} token ids to numbers from -{MOST_BIAS} to {MOST_BIAS}",
                    f"最多 {MAX_ITEMS} 个词元编号到 -{MOST_BIAS} 至 {MOST_BIAS} 的数的映射",
                )
            case _:
                return Text(
                    "transformers, llama.cpp, or stage names separated by commas",
                    "transformers、llama.cpp，或用逗号分隔的阶段名",
                )

    def _number_range(self) -> Text:
        number = Text("a number", "数") if self.kind == "float" else Text("a whole number", "整数")
        span = Text(
            f"{'above' if self.above_low else 'from'} {_shown(self.hard_low)}",
            f"{'大于' if self.above_low else '不小于'} {_shown(self.hard_low)}",
        )
        if self.hard_high is not None:
            span = Text(f"{span.en} to {_shown(self.hard_high)}", f"{span.zh}、不大于 {_shown(self.hard_high)}")
        off = (
            Text("", "")
            if self._inside(self.neutral)
            else Text(f", or {self.neutral:g} for off", f"，或用 {self.neutral:g} 关闭")
        )
        return Text(f"{number.en} {span.en}{off.en}", f"{span.zh} 的{number.zh}{off.zh}")

    def accept(self, value: object) -> Value:
        """The value in this parameter's own type. Raises InvalidRequest, with the parameter's name and its range."""
        try:
            cast = _CASTS[self.kind](self, value)
        except _TooMany as error:
            count, most = f"{error.count:,}", f"{error.most:,}"
            raise InvalidRequest(
                Text(
                    f"{self.title.en}: {count} {error.what.en} are too many; it takes {most} at most.",
                    f"{self.title.zh}：{count} 个{error.what.zh}过多，最多 {most} 个。",
                ),
                parameter=self.name,
            ) from None
        except (TypeError, ValueError, OverflowError):
            raise self._error(value) from None
        if self.kind in ("float", "int") and not (cast == self.neutral or self._inside(float(cast))):
            raise self._error(value)
        if self.check is not None and not self.is_neutral(cast):
            self.check(self.name, cast)
        return cast

    def _inside(self, number: float) -> bool:
        if self.hard_low is not None and (number < self.hard_low or (self.above_low and number == self.hard_low)):
            return False
        return self.hard_high is None or number <= self.hard_high

    def _error(self, value: object) -> InvalidRequest:
        try:
            shown = repr(value)
        except RecursionError:
            shown = "..."
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        allowed = self.range_text()
        return InvalidRequest(
            Text(
                f"{self.title.en} is {shown}; it must be {allowed.en}.",
                f"{self.title.zh}为 {shown}，应为{allowed.zh}。",
            ),
            parameter=self.name,
        )


class _TooMany(Exception):
    """A value holds more than it may."""

    def __init__(self, count: int, most: int = MAX_ITEMS, what: Text = _ENTRIES) -> None:
        super().__init__(f"{count} of {most}")
        self.count, self.most, self.what = count, most, what


def _shown(number: float | None) -> str:
    """A limit as a person writes it: short, and never 1e+06."""
    return "−∞" if number is None else f"{number:g}" if abs(number) < 100_000 else f"{number:.0f}"


def _float(_: Parameter, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _int(parameter: Parameter, value: object) -> int:
    if isinstance(value, str):
        return int(value)
    number = _float(parameter, value)
    if number != int(number):
        raise ValueError
    return int(number)


def _bool(_: Parameter, value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}
    return words[str(value).strip().lower()] if str(value).strip().lower() in words else _fail()


def _fail() -> Any:
    raise ValueError


def _choice(parameter: Parameter, value: object) -> str:
    word = str(value).lower() if isinstance(value, bool) else value
    return word if isinstance(word, str) and word in parameter.choices else _fail()


def _text(_: Parameter, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError
    value.encode("utf-8")  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return value


def _items(value: object) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError
    if len(value) > MAX_ITEMS:
        raise _TooMany(len(value))
    return value


def _texts(parameter: Parameter, value: object) -> list[str]:
    return [_text(parameter, item) for item in _items(value) if item != ""]


def _token_id(parameter: Parameter, value: object) -> int:
    number = _int(parameter, value)
    return number if 0 <= number <= LARGEST_ID else _fail()


def _ids(parameter: Parameter, value: object) -> list[int]:
    return [_token_id(parameter, item) for item in _items(value)]


def _id_lists(parameter: Parameter, value: object) -> list[list[int]]:
    given = _items(value)
    count = sum(len(_items(item)) for item in given)
    if count > MAX_IDS:
        raise _TooMany(count, MAX_IDS, _IDS)
    lists = [_ids(parameter, item) for item in given]
    return lists if all(lists) else _fail()


def _bias(parameter: Parameter, value: object) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise TypeError
    if len(value) > MAX_ITEMS:
        raise _TooMany(len(value))
    table = {_text(parameter, text): _float(parameter, number) for text, number in value.items()}
    return table if all(text and abs(number) <= MOST_BIAS for text, number in table.items()) else _fail()


def _id_bias(parameter: Parameter, value: object) -> dict[str, float]:
    """Keys are texts, as JSON has them, each id written in one way."""
    if not isinstance(value, Mapping):
        raise TypeError
    if len(value) > MAX_ITEMS:
        raise _TooMany(len(value))
    table = _bias(parameter, {str(_token_id(parameter, key)): number for key, number in value.items()})
    return table if len(table) == len(value) else _fail()


def _order(_: Parameter, value: object) -> str:
    """Stage names are checked against the registry, which this module does not know, in `validate()`."""
    if isinstance(value, list | tuple):
        value = ",".join(str(item) for item in value)
    if not isinstance(value, str) or len(value) > 2000:
        raise TypeError
    return ",".join(part.strip() for part in value.split(",") if part.strip())


_CASTS: Mapping[str, Callable[[Parameter, object], Any]] = {
    "float": _float,
    "int": _int,
    "bool": _bool,
    "choice": _choice,
    "text": _text,
    "texts": _texts,
    "ids": _ids,
    "id_lists": _id_lists,
    "bias": _bias,
    "id_bias": _id_bias,
    "order": _order,
}
