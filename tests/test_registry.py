"""The registry keeps its own promises: every record is whole, every range holds, nothing of transformers is missing."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any

import pytest
import transformers

from playground import parameters
from playground.parameters import not_offered
from playground.parameters.parameter import Parameter
from playground.sampling.pipeline import sampler_class
from playground.types import InvalidRequest

ALL = [pytest.param(parameter, id=parameter.name) for parameter in parameters.REGISTRY]
NUMBERS = [p for p in ALL if p.values[0].kind in ("float", "int")]  # type: ignore[union-attr]


@pytest.mark.parametrize("parameter", ALL)
def test_label_and_help_are_said_in_both_languages_in_one_sentence(parameter: Parameter) -> None:
    for text in (parameter.label, parameter.help):
        assert text.en.strip() and text.zh.strip()
    assert parameter.help.en.endswith(".") and not re.search(r"\.\s+[A-Z]", parameter.help.en)
    assert parameter.help.zh.endswith("。") and parameter.help.zh.count("。") == 1
    assert re.search(r"[\u4e00-\u9fff]", parameter.help.zh)
    assert parameter.source
    words = re.findall(r"[A-Za-z]{3,}", parameter.formula.en)  # others are symbols, or functions of the notation
    if set(words) - {"exp", "log", "max", "min", "argmax", "stage", "score", "length", "eos"}:
        assert re.search(r"[\u4e00-\u9fff]", parameter.formula.zh), "a formula with words has them in Chinese too"


@pytest.mark.parametrize("parameter", ALL)
def test_neutral_and_default_are_allowed_and_keep_their_type(parameter: Parameter) -> None:
    for value in (parameter.neutral, parameter.default):
        accepted = parameter.accept(value)
        assert accepted == value and type(accepted) is type(value)
    assert parameter.is_neutral(parameter.neutral)


@pytest.mark.parametrize("parameter", NUMBERS)
def test_every_end_of_a_slider_and_of_a_hard_range_is_allowed(parameter: Parameter) -> None:
    ends = [end for end in (parameter.low, parameter.high, parameter.hard_high) if end is not None]
    assert parameter.hard_low is not None and parameter.hard_high is not None
    if not parameter.above_low:
        ends.append(parameter.hard_low)
    for end in ends:
        assert parameters.validate({parameter.name: end})[parameter.name] == end
    if parameter.low is not None:
        assert parameter.high is not None and parameter.step is not None
        assert parameter.low < parameter.high and parameter.step > 0
        assert parameter.hard_low <= parameter.low and parameter.high <= parameter.hard_high


@pytest.mark.parametrize("parameter", NUMBERS)
def test_a_number_outside_its_range_is_refused_by_name_and_range_in_both_languages(parameter: Parameter) -> None:
    assert parameter.hard_low is not None and parameter.hard_high is not None
    for outside in (parameter.hard_low - 1, parameter.hard_high * 2 + 2, math.nan, math.inf, -math.inf, "much", None):
        with pytest.raises(InvalidRequest) as caught:
            parameters.validate({parameter.name: outside})
        assert caught.value.parameter == parameter.name
        for language in ("en", "zh"):
            said = caught.value.say(language)
            assert parameter.title.say(language) in said and parameter.range_text().say(language) in said
        assert "e+" not in caught.value.say("en").partition("must be")[2]


@pytest.mark.parametrize("name", ["top_h", "typical_p", "repetition_penalty", "encoder_repetition_penalty"])
def test_a_limit_that_is_not_itself_allowed_is_refused_unless_it_means_off(name: str) -> None:
    parameter = parameters.by_name()[name]
    assert parameter.hard_low == 0
    if parameter.neutral == 0:
        assert parameters.validate({name: 0})[name] == 0
    else:
        with pytest.raises(InvalidRequest, match="above 0"):
            parameters.validate({name: 0})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("temperature", True),
        ("top_k", 2.5),
        ("top_k", [1]),
        ("watermark", "maybe"),
        ("watermark_seeding", "righthash"),
        ("stop", "a text in place of a list"),
        ("stop", ["\ud800"]),
        ("bad_words_ids", [[]]),
        ("bad_words_ids", [1, 2]),
        ("suppress_tokens", [-1]),
        ("logit_bias", {"x": 101}),
        ("logit_bias", {"x": math.nan}),
        ("logit_bias", {"": 1}),
        ("negative_prompt", 7),
        ("n", 65),
        ("order", 5),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(name: str, wrong: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parameters.validate({name: wrong})
    assert caught.value.parameter == name
    title = parameters.title_of(name)
    assert title.en in caught.value.say("en") and title.zh in caught.value.say("zh")


@pytest.mark.parametrize(("name", "value", "count", "most"), [
    ("logit_bias", {f"w{number}": 1 for number in range(50_000)}, "50,000 entries", "512"),
    ("logit_bias_ids", dict.fromkeys(range(513), 1), "513 entries", "512"),
    ("bad_words_ids", [[1]] * 40_000, "40,000 entries", "512"),
    ("bad_words_ids", [[1] * 512] * 17, "8,704 token ids", "8,192"),
    ("suppress_tokens", [1] * 513, "513 entries", "512"),
    ("banned_phrases", ["x"] * 600, "600 entries", "512"),
])  # fmt: skip
def test_too_many_entries_are_refused_with_how_many_may_be(name: str, value: Any, count: str, most: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parameters.validate({name: value})
    assert caught.value.say("en").startswith(
        f"{parameters.title_of(name).en}: {count} are too many; it takes {most} at most."
    )
    assert count.split()[0] in caught.value.say("zh") and most in caught.value.say("zh")


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidRequest, match="temperature") as caught:
        parameters.validate({"temprature": 1})
    assert caught.value.parameter == "temprature"
    assert "temperature" in caught.value.say("zh")


def test_validation_gives_every_parameter_and_its_lists_are_nobody_elses() -> None:
    values = parameters.validate({})
    assert set(values) == {parameter.name for parameter in parameters.REGISTRY}
    values["stop"].append("changed")
    values["logit_bias"]["changed"] = 1.0
    assert parameters.validate({})["stop"] == [] and parameters.validate({})["logit_bias"] == {}


def test_what_is_kept_of_values_is_only_what_differs_from_neutral() -> None:
    assert parameters.changed(parameters.validate({})) == {}
    given = {"top_k": 40, "temperature": 1, "stop": ["."], "watermark": True}
    assert parameters.changed(parameters.validate(given)) == {"top_k": 40, "stop": ["."], "watermark": True}


def test_names_are_unique_and_groups_are_known() -> None:
    names = [parameter.name for parameter in parameters.REGISTRY]
    assert len(set(names)) == len(names)
    assert {parameter.group for parameter in parameters.REGISTRY} == set(parameters.GROUPS)


@pytest.mark.parametrize("parameter", [p for p in ALL if p.values[0].needs])  # type: ignore[union-attr]
def test_a_dependent_parameter_names_a_master_of_its_group(parameter: Parameter) -> None:
    master = parameters.by_name()[str(parameter.needs)]
    assert master.needs is None and master.group == parameter.group


def test_every_stage_has_masters_one_place_in_both_orders_and_one_processor() -> None:
    stages: dict[str, list[Parameter]] = {}
    for parameter in parameters.REGISTRY:
        if parameter.stage:
            stages.setdefault(parameter.stage, []).append(parameter)
    for stage, members in stages.items():
        masters = [p.name for p in members if p.needs is None]
        assert masters, stage
        (placed,) = (p for p in members if p.order)
        assert placed.needs is None and set(placed.order) == set(parameters.ORDERS), stage
        assert len({p.sampler for p in members}) == 1, stage
        assert all(p.needs in (None, *masters) for p in members), stage
    for order in parameters.ORDERS:
        places = [p.order[order] for p in parameters.REGISTRY if p.order]
        assert len(set(places)) == len(places)
        assert set(parameters.stages(order)) == set(stages)


@pytest.mark.parametrize("parameter", [p for p in ALL if p.values[0].sampler])  # type: ignore[union-attr]
def test_every_sampler_exists_and_takes_its_argument(parameter: Parameter) -> None:
    name = str(parameter.sampler)
    made_by = sampler_class(name)
    if parameter.argument:
        assert parameter.argument in inspect.signature(made_by).parameters


def test_the_default_order_is_transformers_own() -> None:
    ours = parameters.stages("transformers")
    theirs = [
        *("guidance", "logit_bias", "encoder_repetition_penalty", "repetition_penalty", "no_repeat_ngram_size"),
        *("encoder_no_repeat_ngram_size", "bad_words", "min_new_tokens", "exponential_decay", "suppress_tokens"),
        *("begin_suppress_tokens", "temperature", "top_h", "top_k", "top_p", "min_p", "typical_p"),
        *("epsilon_cutoff", "eta_cutoff", "watermark"),
    ]
    assert [stage for stage in ours if stage in theirs] == theirs
    assert ours.index("begin_suppress_tokens") < ours.index("presence_penalty") < ours.index("dry")
    assert ours.index("dry") < ours.index("temperature")
    assert ours[-1] == "watermark" and ours[-2] == "adaptive_p"


def test_the_order_of_llama_cpp_ends_in_temperature() -> None:
    ours = parameters.stages("llama.cpp")
    theirs = ["repetition_penalty", "dry", "top_n_sigma", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature"]
    assert [stage for stage in ours if stage in theirs] == theirs
    assert ours[ours.index("temperature") + 1 :] == ["mirostat", "adaptive_p", "watermark"]


def test_a_list_of_stages_decides_what_comes_last() -> None:
    assert parameters.stages("min_p,temperature")[-2:] == ["min_p", "temperature"]
    assert sorted(parameters.stages("min_p,temperature")) == sorted(parameters.stages("transformers"))
    assert parameters.validate({"order": ["min_p", " temperature "]})["order"] == "min_p,temperature"


@pytest.mark.parametrize("order", ["min_q", "min_p,min_p", "transformers,min_p"])
def test_an_order_with_unknown_or_double_stages_is_refused(order: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parameters.validate({"order": order})
    assert caught.value.parameter == "order"


def test_everything_generate_takes_is_offered_or_listed_with_a_reason() -> None:
    fields = {name for name in vars(transformers.GenerationConfig()) if not name.startswith("_")}
    arguments = set(inspect.signature(transformers.GenerationMixin.generate).parameters) - {"self", "kwargs"}
    offered, left_out = set(not_offered.offered()), set(not_offered.NOT_OFFERED)
    assert fields | arguments == offered | left_out
    assert not offered & left_out
    assert all(reason.en and reason.zh for reason in not_offered.NOT_OFFERED.values())
    assert set(not_offered.COVERED.values()) <= set(parameters.by_name())


def test_a_former_name_of_a_parameter_is_accepted_and_means_the_same() -> None:
    known = parameters.by_name()
    for former, today in parameters.RENAMED.items():
        assert former not in known and today in known
    assert parameters.validate({"portable_luck": True}) == parameters.validate({"portable_noise": True})
    assert parameters.validate({"portable_noise": False, "portable_luck": True})["portable_noise"] is False
    assert "portable_luck" not in parameters.validate({"portable_luck": True})
