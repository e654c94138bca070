"""Rules of the registry that the page's scripts have too: both are held to tests/scripts/knob_cases.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playground import parameters
from playground.parameters.parameter import LARGEST_ID, MOST_BIAS, Parameter
from playground.types import InvalidRequest, Text

CASES = json.loads((Path(__file__).parent / "scripts" / "knob_cases.json").read_text(encoding="utf-8"))


def made_up(name: str = "made_up", kind: Any = "float", neutral: Any = 0, **more: Any) -> Parameter:
    text = Text(name, name)
    return Parameter(
        name=name, kind=kind, group="cutoffs", label=text, help=text, formula=text, source="this test",
        neutral=neutral, default=neutral, **more,
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES["numbers"], ids=lambda case: str(case["range"]))
def test_a_number_is_taken_or_refused_as_the_page_does(case: dict[str, Any]) -> None:
    parameter = made_up(**case["range"])
    assert {text: parameter.accept(text) for text in case["typed"]} == case["typed"]
    for text in case["refused"]:
        with pytest.raises(InvalidRequest):
            parameter.accept(text)


def test_token_ids_and_biases_are_bounded_as_the_page_does() -> None:
    ids, biases = CASES["ids"], CASES["biases"]
    several = made_up(kind="ids", neutral=[])
    assert all(several.accept(value) == value for value in ids["typed"].values())
    assert max(max(value) for value in ids["typed"].values()) == LARGEST_ID
    for text in ids["refused"]:
        with pytest.raises(InvalidRequest):
            several.accept([text])
    table = made_up(kind="bias", neutral={})
    assert {text: table.accept({"x": text})["x"] for text in biases["typed"]} == biases["typed"]
    assert max(biases["typed"].values()) == MOST_BIAS
    for text in biases["refused"]:
        with pytest.raises(InvalidRequest):
            table.accept({"x": text})


def test_a_short_order_is_completed_as_the_page_does(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = CASES["chain"]
    places = {name: {stage: at for at, stage in enumerate(order)} for name, order in chain["orders"].items()}
    stages = [
        made_up(name=stage, stage=stage, order={name: places[name][stage] for name in places})
        for stage in chain["stages"]
    ]
    monkeypatch.setattr(parameters, "REGISTRY", (*stages, parameters.by_name()["order"]))
    assert {order: parameters.stages(order) for order in chain["whole"]} == chain["whole"]
    for order in chain["refused"]:
        with pytest.raises(InvalidRequest):
            parameters.stages(order)
