"""What has no effect is said with its reason and really dropped; what cannot be combined is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from playground import parameters
from playground.parameters.inert import check_combination, effective, ignored, inert
from playground.types import Refused


def _values(**given: Any) -> dict[str, Any]:
    return parameters.validate(given)


def test_temperature_zero_leaves_nothing_to_shape_cut_or_steer() -> None:
    said = inert(_values(temperature=0))
    shaping = {p.name for p in parameters.REGISTRY if p.group in ("shape", "cutoffs", "controllers")}
    assert shaping - {"temperature"} <= set(said)
    assert "temperature" not in said and "repetition_penalty" not in said and "watermark" not in said
    assert "temperature 0" in said["top_p"].en and "温度" in said["top_p"].zh


@pytest.mark.parametrize("parameter", [p for p in parameters.REGISTRY if p.needs], ids=lambda p: p.name)
def test_a_dependent_parameter_has_no_effect_without_its_master(parameter: parameters.Parameter) -> None:
    said = inert(_values())[parameter.name]
    master = parameters.by_name()[str(parameter.needs)]
    assert master.label.en in said.en and master.label.zh in said.zh
    on: Any = True if master.kind == "bool" else 0.5 if master.kind == "float" else 2
    assert parameter.name not in inert(_values(**{master.name: on}))


def test_mirostat_takes_the_place_of_the_cut_offs() -> None:
    values = _values(mirostat_tau=5, top_p=0.9, min_tokens_to_keep=3, repetition_penalty=1.1)
    assert set(ignored(values)) == {"top_p", "min_tokens_to_keep"}
    assert effective(values)["top_p"] == 1.0 and effective(values)["mirostat_tau"] == 5.0


def test_dynamic_temperature_takes_the_place_of_temperature() -> None:
    assert set(ignored(_values(dynatemp_high=1.5, temperature=0.7))) == {"temperature"}
    assert set(ignored(_values(dynatemp_high=1.5, temperature=0))) == {"dynatemp_high"}


def test_keeping_a_minimum_needs_a_cut_off() -> None:
    assert "min_tokens_to_keep" in ignored(_values(min_tokens_to_keep=2))
    assert "min_tokens_to_keep" not in ignored(_values(min_tokens_to_keep=2, top_a=0.2))


def test_a_threshold_too_high_is_named_and_can_still_be_mended() -> None:
    said = inert(_values(xtc_probability=0.5, xtc_threshold=0.6))
    assert "xtc_probability" in said and "xtc_threshold" not in said
    assert "xtc_probability" not in inert(_values(xtc_probability=0.5, xtc_threshold=0.5))


def test_a_model_without_an_end_token_cannot_be_kept_from_ending() -> None:
    values = _values(ignore_eos=True, min_new_tokens=5, exponential_decay_factor=1.1)
    assert set(ignored(values, has_eos=False)) == {"ignore_eos", "min_new_tokens", "exponential_decay_factor"}
    assert set(ignored(values)) == {"min_new_tokens", "exponential_decay_factor"}


def test_values_in_effect_are_left_as_they_are() -> None:
    values = _values(temperature=0.7, top_k=40, min_p=0.05, dry_multiplier=0.8, dry_base=2, n=3, seed=5)
    assert ignored(values) == {} and effective(values) == values


def test_the_seed_is_never_neutralised() -> None:
    values = _values(temperature=0, seed=5)
    assert "seed" in ignored(values) and effective(values)["seed"] == 5


def test_noise_from_the_cpu_differs_on_a_gpu_only() -> None:
    values = _values(portable_noise=True)
    assert "CPU" in ignored(values)["portable_noise"].en
    assert "portable_noise" not in inert(values, on_gpu=True)
    assert "portable_noise" in inert(_values(portable_noise=True, temperature=0), on_gpu=True)
    assert effective(values)["portable_noise"] is True, "what decides about the noise is no stage of the pipeline"


def test_guessing_ahead_is_for_one_stream_on_the_fast_path() -> None:
    name = "prompt_lookup_num_tokens"
    asked = {name: 5, "seed": 1}
    assert name not in inert(_values(**asked), path="fast")
    assert effective(_values(**asked), path="fast")[name] == 5 and effective(_values(**asked))[name] == 0
    reasons = [
        inert(_values(**asked))[name],
        inert(_values(**asked, n=2), path="fast")[name],
        inert(_values(**asked, guidance_scale=1.5), path="fast")[name],
    ]
    assert len(set(reasons)) == 3
    check_combination(_values(**asked, num_beams=2))  # it shapes no text, so nothing is lost


def test_every_reason_is_said_in_both_languages() -> None:
    settings: list[dict[str, Any]] = [
        {"temperature": 0},
        {"mirostat_tau": 1},
        {"dynatemp_high": 1},
        {"num_beams": 2},
        {"ignore_eos": True},
    ]
    for given in settings:
        for reason in inert(_values(**given), has_eos=False).values():
            assert reason.en.endswith(".") and reason.zh.endswith("。")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"num_beams": 2, "dry_multiplier": 0.8}, "dry_multiplier"),
        ({"num_beams": 2, "xtc_probability": 0.5}, "xtc_probability"),
        ({"num_beams": 2, "repetition_penalty": 1.2, "repetition_penalty_range": 64}, "repetition_penalty_range"),
        ({"num_beams": 2, "order": "llama.cpp"}, "order"),
        ({"num_beams": 2, "banned_phrases": ["x"]}, "banned_phrases"),
        ({"num_beams": 2, "guidance_scale": 1.5}, "guidance_scale"),
        ({"num_beams": 2, "n": 3}, "n"),
        ({"num_beams": 2, "portable_noise": True}, "portable_noise"),
        ({"temperature": 0, "n": 2}, "n"),
    ],
)
def test_a_combination_that_cannot_be_honoured_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused) as caught:
        check_combination(_values(**given))
    assert caught.value.parameter == named
    for language in ("en", "zh"):
        assert parameters.title_of(named).say(language) in caught.value.say(language)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"temperature": 0},
        {"temperature": 0, "n": 2, "num_beams": 2},
        {"num_beams": 4, "n": 4, "seed": 7, "top_p": 0.9, "length_penalty": -1, "early_stopping": "never"},
        {"num_beams": 2, "repetition_penalty": 1.2, "watermark": True, "logit_bias": {"x": 1}, "stop": ["."]},
        {"num_beams": 2, "temperature": 0, "xtc_probability": 0.5},
        {"order": "min_p,temperature", "dry_multiplier": 1, "banned_phrases": ["x"], "n": 4},
    ],
)
def test_other_combinations_pass(given: dict[str, Any]) -> None:
    check_combination(_values(**given))


@pytest.mark.parametrize("n", [1, 2, 16])
def test_every_candidate_of_an_accepted_seed_has_one_that_is_accepted_again(n: int) -> None:
    largest = parameters.by_name()["seed"].hard_high
    assert largest is not None
    last = int(largest) - n + 1
    check_combination(_values(seed=last, n=n))
    assert _values(seed=last + n - 1)["seed"] == largest
    if n > 1:
        with pytest.raises(Refused, match=f"Choose a seed up to {last}") as refused:
            check_combination(_values(seed=last + 1, n=n))
        assert refused.value.parameter == "seed"
    check_combination(_values(seed=-1, n=n))
