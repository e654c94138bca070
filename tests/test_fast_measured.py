"""The measured figures of the fast path: what stands in the file is shown, what does not is said to be not measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground import models
from playground.fast.measured import FILE, Measured, measured
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.settings import WEIGHTS
from playground.ui import fast_path_report
from playground.ui.fast_path_report import NOT_MEASURED, figures, path_data, perplexity_change

GIVEN: dict[str, Any] = {
    "model": "Lamp-1B",
    "weights": {"int4": {"kl_ratio": 1.234, "perplexity_ratio": 1.0031}},
    "changes": {"texts": 200, "tokens": 128, "alone": 0.415, "in_company": 0.1},
    "measured": "2026-11-24",
}


def test_the_file_of_this_repository_can_be_read_for_all_weights() -> None:
    assert all(measured(weights).model for weights in WEIGHTS)
    assert set(json.loads(FILE.read_text(encoding="utf-8"))) == set(GIVEN)


def test_figures_are_shown_as_they_were_measured(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    file.write_text(json.dumps(GIVEN), encoding="utf-8")
    shown = [value and value.en for _, value in figures(measured("int4", file))]
    texts = "of 200 texts of 128 tokens"
    assert shown == ["1.23 × that of plain bf16", "+0.3 %", f"42 % {texts}", f"10 % {texts}"]
    shown = [value and value.en for _, value in figures(measured("int8", file))]
    assert shown[:2] == [None, None]


def test_the_page_names_the_model_and_says_when_another_is_loaded(tiny: models.Loaded) -> None:
    data = path_data(LocalGenerator(tiny))
    assert data["why_not"] is None and data["weights"] == "fp32"
    assert "SmolLM2-135M-Instruct" in data["notes"][0]["en"] and "another" in data["notes"][1]["en"]
    alike = replace(tiny, card=replace(tiny.card, title="SmolLM2-135M-Instruct"))
    assert len(path_data(LocalGenerator(alike))["notes"]) == 1
    assert path_data(LocalGenerator(alike))["change"] is None
    assert data["facts"][1]["value"] == {"en": NOT_MEASURED.en, "zh": NOT_MEASURED.zh}, "nobody measures fp32 packed"


def test_the_change_of_the_perplexity_is_said_of_the_model_it_was_measured_on_and_of_no_other(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Measured("Lamp-1B", 1.2, 1.0031, 200, 128, 0.4, 0.1, "2026-11-24")
    monkeypatch.setattr(fast_path_report, "measured", lambda weights: known if weights == "fp32" else None)
    assert path_data(LocalGenerator(tiny))["change"] is None
    alike = replace(tiny, card=replace(tiny.card, title="Lamp-1B"))
    assert path_data(LocalGenerator(alike))["change"] == "+0.3 %"
    assert perplexity_change(replace(known, perplexity_ratio=0.99999)) == "±0.0 %"
    assert perplexity_change(replace(known, perplexity_ratio=0.98)) == "−2.0 %"


def test_a_generator_without_the_fast_path_says_why() -> None:
    assert path_data(ScriptedGenerator(["x"]))["why_not"]["en"]
