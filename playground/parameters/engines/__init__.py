"""Engines that can stand behind the page, and what each takes of our parameters: name, range, off value, form.

Adapters, greyed knobs, refusals and documents are drawn from here. Knows no connection: only what a request holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.parameters import inert
from playground.parameters.engines.field import OMIT, Engine, Field
from playground.parameters.engines.llama_cpp import LLAMA_CPP
from playground.parameters.engines.openai import OPENAI
from playground.parameters.engines.sglang import SGLANG
from playground.parameters.engines.transformers_serve import TRANSFORMERS_SERVE
from playground.parameters.engines.vllm import VLLM
from playground.parameters.parameter import Parameter, Value
from playground.types import Refused, Text

__all__ = ["ENGINES", "HERE", "Engine", "Field", "body", "field", "honoured", "lacks", "names", "refusals"]

ENGINES: Mapping[str, Engine] = {one.name: one for one in (VLLM, LLAMA_CPP, SGLANG, TRANSFORMERS_SERVE, OPENAI)}

HERE = frozenset({"n", "max_time"})
"""What is done on this side of any engine: a request for each candidate with a seed of its own, and an end by the
clock."""

_NO_PLACE: Mapping[str, Text] = {
    "logit_bias": Text(
        "{engine} takes biases by token id only, as “Bias by token id” gives them.",
        "{engine} 只接受按词元编号的偏置，请用“按词元编号加偏置”。",
    ),
    "portable_noise": Text("{engine} draws its own random numbers.", "{engine} 自行抽取随机数。"),
    "prompt_lookup_num_tokens": Text(
        "What makes {engine} faster is set where it is started.", "{engine} 的加速方式在启动时设定。"
    ),
}
_FAMILIES: Mapping[str, str] = {
    "xtc": "XTC",
    "dry": "DRY",
    "mirostat": "Mirostat",
    "adaptive_p": "adaptive-p",
}
_HAS_NO = Text("{engine} has no {what}.", "{engine} 没有{what}。")
_OUTSIDE = Text("{title} is {value}; {engine} takes {range}.", "{title}为 {value}；{engine} 接受{range}。")


def field(engine: str, name: str) -> Field | None:
    """The record of one parameter in one engine; None where the engine lacks it."""
    return ENGINES[engine].fields.get(name)


def names(parameter: Parameter) -> dict[str, str]:
    """What a parameter is called in other programs: engines behind the page first."""
    found = {
        engine.name: engine.fields[parameter.name].name
        for engine in ENGINES.values()
        if parameter.name in engine.fields
    }
    return {**found, **parameter.elsewhere}


def honoured(engine: str) -> frozenset[str]:
    """The parameters that act there, or on this side of it."""
    return frozenset(ENGINES[engine].fields) | HERE


def lacks(engine: str, name: str) -> Text:
    """Why a parameter that is not among `honoured(engine)` has no effect there, in a sentence."""
    record, known = ENGINES[engine], parameters.by_name()[name]
    if name in record.reasons:
        return record.reasons[name]
    if name in _NO_PLACE:
        return _NO_PLACE[name].filled(engine=record.title)
    if known.needs is not None and known.needs not in record.fields:
        return lacks(engine, known.needs)
    family = _FAMILIES.get(known.stage or "")
    what = Text(f"“{known.label.en}”", f"“{known.label.zh}”") if family is None else Text(family, f" {family}")
    return _HAS_NO.filled(engine=record.title, what=what)


def refusals(engine: str) -> dict[str, Text]:
    """Every parameter that an engine lacks, and why: what greys its knob."""
    able = honoured(engine)
    return {p.name: lacks(engine, p.name) for p in parameters.REGISTRY if p.name not in able}


def body(engine: str, values: Mapping[str, Value]) -> dict[str, Any]:
    """What a request to the engine holds for these `values` (all of them, as `validate()` returns): each parameter that
    it takes, neutral ones too, since an engine puts a model's own defaults where nothing is said.

    Raises Refused by name for what the engine lacks and for a number that is outside of its range.
    """
    record, known = ENGINES[engine], parameters.by_name()
    able = honoured(engine)
    acting = inert.effective(values, path="fast")
    given: dict[str, Any] = {}
    for name, value in acting.items():
        parameter = known[name]
        if name not in able and not parameter.is_neutral(value):
            raise Refused(lacks(engine, name), parameter=name)
        if name not in record.fields:
            continue
        one = record.fields[name]
        if not one.takes(parameter, value):
            raise Refused(
                _OUTSIDE.filled(
                    title=parameter.title,
                    value=parameter.value_text(value),
                    engine=record.title,
                    range=one.range_text(),
                ),
                parameter=name,
            )
        written = one.written(parameter, value, acting)
        if written is not OMIT:
            _put(given, one.name.split("."), written)
    for name, written in record.more(acting).items():
        _put(given, [name], written)
    return given


def _put(given: dict[str, Any], path: list[str], written: Any) -> None:
    """Mappings and lists that are there already are added to."""
    *way, last = path
    for step in way:
        given = given.setdefault(step, {})
    there = given.get(last)
    if isinstance(there, dict) and isinstance(written, dict):
        given[last] = {**there, **written}
    elif isinstance(there, list) and isinstance(written, list):
        given[last] = [*there, *written]
    else:
        given[last] = written
