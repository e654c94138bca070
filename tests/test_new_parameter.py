"""The bar of the registry: a parameter added in one place turns up everywhere, with no other edit."""

import json
from typing import Any

import pytest
import torch

from playground import generate, parameters
from playground.cli import main as cli
from playground.generators.local import LocalGenerator
from playground.parameters import inert, parameters_page
from playground.parameters.parameter import Parameter
from playground.sampling import cutoffs
from playground.tasks import knob_presets
from playground.types import Text
from playground.ui import api, knobs

MADE_UP = Parameter(
    name="made_up_cutoff",
    kind="float",
    group="cutoffs",
    label=Text("made_up_cutoff", "虚构截断"),
    help=Text("Exists for this test alone.", "只为这个测试而存在。"),
    formula=Text("keep the k most likely, k = made_up_cutoff", "保留最可能的 k 个，k = made_up_cutoff"),
    source="this test",
    neutral=0,
    default=0,
    low=0,
    high=9,
    step=1,
    hard_low=0,
    hard_high=99,
    stage="made_up",
    order={"transformers": 100_000, "llama.cpp": 100_000},
    sampler="MadeUpCutoff",
    argument="keep",
)


class MadeUpCutoff:
    def __init__(self, keep: float) -> None:
        self.keep = int(keep)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        least = torch.topk(scores, self.keep).values[..., -1:]
        return scores.masked_fill(scores < least, -torch.inf)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "REGISTRY", (*parameters.REGISTRY, MADE_UP))
    monkeypatch.setattr(cutoffs, "MadeUpCutoff", MadeUpCutoff, raising=False)


@pytest.mark.usefixtures("made_up")
def test_it_is_validated_ordered_and_kept_only_when_it_differs() -> None:
    values = parameters.validate({"made_up_cutoff": "3"})
    assert values["made_up_cutoff"] == 3.0
    assert parameters.changed(values)["made_up_cutoff"] == 3.0
    assert "made_up_cutoff" not in parameters.changed(parameters.validate({}))
    assert parameters.stages("transformers")[-1] == "made_up"
    assert "made_up_cutoff" in inert.inert(parameters.validate({"made_up_cutoff": 3, "temperature": 0}))


@pytest.mark.usefixtures("made_up")
def test_it_has_a_flag_a_record_and_a_page_of_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["generate", "--help"])
    assert "--made-up-cutoff" in capsys.readouterr().out
    cli.main(["params", "--json"])
    assert json.loads(capsys.readouterr().out)[-1]["name"] == "made_up_cutoff"
    assert "made_up_cutoff" in parameters_page.render()


@pytest.mark.usefixtures("made_up")
def test_it_has_a_knob_and_an_argument_of_the_api() -> None:
    assert "made_up_cutoff" in {record["name"] for record in knobs.knob_records()}
    assert "made_up_cutoff" in api.signature().parameters


@pytest.mark.usefixtures("made_up")
def test_yaml_may_use_it(tmp_path: Any) -> None:
    yaml = "id: mine\ntitle: {en: Mine, zh: 我的}\ndescription: {en: Mine., zh: 我的。}\n"
    (tmp_path / "mine.yaml").write_text(
        yaml + "parameters: {made_up_cutoff: 2}\n",
        encoding="utf-8",
    )
    assert knob_presets.load_all(tmp_path)[0].parameters == {"made_up_cutoff": 2.0}


@pytest.mark.model
@pytest.mark.usefixtures("made_up")
def test_it_acts_in_the_chain(loaded: Any) -> None:
    given = {"made_up_cutoff": 1, "temperature": 5.0, "max_new_tokens": 6, "seed": 1}
    sampled = list(generate.run(generate.build("One two three", given), LocalGenerator(loaded)))[-1]
    greedy = generate.build("One two three", {"temperature": 0, "max_new_tokens": 6, "seed": 1})
    assert (
        sampled.candidates[0].token_ids
        == list(generate.run(greedy, LocalGenerator(loaded)))[-1].candidates[0].token_ids
    )
