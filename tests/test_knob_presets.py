"""Knob presets are read whole or not at all, and the model's own comes from its generation_config."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import parameters
from playground.parameters.inert import check_combination, ignored
from playground.tasks import knob_presets
from playground.tasks.schema import SchemaError
from playground.types import InvalidRequest

HEAD = "id: mine\ntitle: {en: Mine, zh: 我的}\ndescription: {en: Mine., zh: 我的。}\n"


def test_the_seven_presets_are_there_in_their_order() -> None:
    assert [preset.id for preset in knob_presets.load_all()] == [
        "neutral", "model", "precise", "balanced", "creative", "gpt-j-article", "long-text",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", knob_presets.load_all(), ids=lambda preset: preset.id)
def test_every_preset_can_be_honoured_and_nothing_in_it_is_without_effect(preset: knob_presets.KnobPreset) -> None:
    values = parameters.validate(preset.parameters)
    check_combination(values)
    assert ignored(values) == {}
    assert preset.title.en and preset.title.zh and preset.description.en and preset.description.zh


def test_the_article_preset_says_what_the_article_did() -> None:
    assert knob_presets.values("gpt-j-article") == {
        "temperature": 1.0,
        "top_p": 0.9,
        "no_repeat_ngram_size": 2,
        "repetition_penalty": 1.2,
    }
    assert knob_presets.values("neutral") == {}


def test_the_models_own_preset_is_its_generation_config() -> None:
    own = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "eos_token_id": 2, "stop_strings": "END", "min_p": None}
    assert knob_presets.values("model", own) == {"temperature": 0.6, "top_k": 50, "top_p": 0.9, "stop": ["END"]}
    assert knob_presets.values("model", {"do_sample": False}) == {"temperature": 0.0}
    assert knob_presets.values("model", {}) == {}
    assert knob_presets.values("model", {"watermarking_config": {"bias": 2.0}, "temperature": -3}) == {}


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="balanced"):
        knob_presets.values("nothing")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("parameters: {temprature: 1}\n", "temprature"),
        ("parameters: {temperature: 101}\n", "from 0 to 100"),
        ("parameters: {top_k: many}\n", "top_k"),
        ("parametres: {}\n", "parametres"),
        ("source: model\nparameters: {}\n", "either"),
        ("", "either"),
        ("source: elsewhere\n", "source"),
        ("parameters: [1]\n", "mapping"),
    ],
)
def test_a_bad_preset_is_told_with_file_and_place(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(HEAD + body, encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        knob_presets.load_all(tmp_path)
    assert caught.value.say("en").startswith("mine.yaml") and said in caught.value.say("en")
    assert caught.value.say("zh").startswith("mine.yaml")


def test_a_preset_is_named_after_its_file(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(HEAD + "parameters: {}\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="other"):
        knob_presets.load_all(tmp_path)


def test_a_preset_under_a_parameters_former_name_still_loads(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(HEAD + "parameters: {portable_luck: true}\n", encoding="utf-8")
    (preset,) = knob_presets.load_all(tmp_path)
    assert preset.parameters == {"portable_noise": True}


def test_what_a_generation_config_names_beyond_our_knobs_is_said() -> None:
    given = {"temperature": 0.6, "do_sample": True, "penalty_alpha": 0.6, "top_k": "many", "odd": 1, "max_length": 99}
    found = knob_presets.lacking(given)
    assert set(found) == {"penalty_alpha", "top_k", "odd"} and all(text.en and text.zh for text in found.values())
    assert knob_presets.from_model({"temperature": 0.6, "do_sample": True})["temperature"] == 0.6
