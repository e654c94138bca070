"""Promises of the schemas that agents read: they say of each parameter and task what the registry and the task say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from playground import parameters
from playground.mcp_server import schemas
from playground.mcp_server.tools import all_tools
from playground.parameters import Parameter
from playground.tasks import loader
from playground.types import InvalidRequest

TOOLS = all_tools()
NUMBERS = [p for p in parameters.REGISTRY if p.kind in ("float", "int")]
OTHERS: dict[str, list[Any]] = {
    "bool": [True, False, 7, [True], None],
    "choice": ["", "nothing of the kind", 5, []],
    "text": ["", "x", "x" * 20_000, "x" * 20_001, 3, None],
    "texts": [[], ["a", ""], ["a"] * 513, "a", [1]],
    "ids": [[], [1, 2**31 - 1], [-1], [2**31], ["x"], 1],
    "id_lists": [[], [[1]], [[]], [[-1]], [1]],
    "bias": [{}, {"a": 100}, {"a": 101}, {"a": "much"}, []],
    "id_bias": [{}, {"1": -100}, {"a": 1}, {"1": -101}, []],
    "order": ["transformers", "llama.cpp", "x" * 20_001, 1, None],
}


def takes(p: Parameter, value: Any) -> bool:
    try:
        p.accept(value)
    except InvalidRequest:
        return False
    return True


def edges(p: Parameter) -> list[float]:
    """Both ends of the range, what lies just within and just beyond, and the neutral value."""
    step = 1 if p.kind == "int" else 0.25
    ends = [end for end in (p.hard_low, p.hard_high) if end is not None]
    near = [end + side * step for end in ends for side in (-1, 0, 1)]
    found = [p.neutral, p.default, *near]
    return [int(one) if p.kind == "int" else float(one) for one in found]


@pytest.mark.parametrize("p", NUMBERS, ids=lambda p: p.name)
def test_the_schema_of_a_number_takes_what_the_registry_takes(p: Parameter) -> None:
    checks = Draft202012Validator(schemas.parameter(p))
    for value in edges(p):
        assert checks.is_valid(value) == takes(p, value), value


@pytest.mark.parametrize("p", [p for p in parameters.REGISTRY if p not in NUMBERS], ids=lambda p: p.name)
def test_the_schema_of_anything_else_takes_nothing_that_the_registry_refuses(p: Parameter) -> None:
    checks = Draft202012Validator(schemas.parameter(p))
    assert checks.is_valid(list(p.default) if isinstance(p.default, tuple) else p.default)
    for value in [*OTHERS[p.kind], *p.choices]:
        if p.check is None and p.kind != "order" and checks.is_valid(value):
            assert takes(p, value), value


def test_every_tool_that_writes_takes_every_parameter_and_no_other() -> None:
    for name in ("write_with_task", "generate", "what_if"):
        found = TOOLS[name].takes["properties"]["parameters"]
        assert list(found["properties"]) == list(parameters.by_name()) and found["additionalProperties"] is False


def test_every_task_can_be_named_and_is_told_in_a_few_words() -> None:
    task = TOOLS["write_with_task"].takes["properties"]["task"]
    assert task["enum"] == TOOLS["list_tasks"].takes["properties"]["task"]["enum"]
    for one in loader.load_all():
        assert one.id in task["enum"] and one.description.en.rstrip(".") in task["description"]


def test_the_schemas_are_schemas_and_an_agent_can_afford_them() -> None:
    for tool in TOOLS.values():
        Draft202012Validator.check_schema(tool.takes)
        Draft202012Validator.check_schema(tool.gives)
        assert set(tool.takes["required"]) <= set(tool.takes["properties"])
    assert len(json.dumps([tool.takes for tool in TOOLS.values()])) < 40_000
