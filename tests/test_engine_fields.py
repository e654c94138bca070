"""What engines take: every parameter is honoured or refused by name, and a request says everything explicitly."""

import pytest

from playground import parameters
from playground.parameters import engines
from playground.types import Refused

NAMES = sorted(engines.ENGINES)


def values(**given: object) -> dict[str, object]:
    return parameters.validate(given)


@pytest.mark.parametrize("engine", NAMES)
def test_every_parameter_is_honoured_or_has_a_reason(engine: str) -> None:
    able, refused = engines.honoured(engine), engines.refusals(engine)
    assert able | refused.keys() == parameters.by_name().keys() and not able & refused.keys()
    title = engines.ENGINES[engine].title
    for reason in refused.values():
        assert title.en in reason.en and title.zh in reason.zh, reason
        assert reason.en.endswith(".") and reason.zh.endswith("。"), reason


@pytest.mark.parametrize("engine", NAMES)
def test_records_name_parameters_and_reasons_stand_only_where_something_lacks(engine: str) -> None:
    record = engines.ENGINES[engine]
    assert record.fields.keys() <= parameters.by_name().keys()
    assert record.reasons.keys() <= engines.refusals(engine).keys()


@pytest.mark.parametrize("engine", NAMES)
def test_what_is_lacked_is_refused_by_name_and_with_its_reason(engine: str) -> None:
    away = {"temperature": 0.7, "xtc_probability": 0.5, "smoothing_factor": 0.3, "num_beams": 3, "order": "llama.cpp"}
    for name in engines.refusals(engine).keys() & away.keys():
        with pytest.raises(Refused) as caught:
            engines.body(engine, values(**{name: away[name]}))
        assert caught.value.parameter == name and caught.value.message == engines.lacks(engine, name)


def test_neutral_values_are_sent_too() -> None:
    """A model's generation_config would fill what is left out."""
    sent = engines.body("vLLM", values())
    told = {"temperature": 1.0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0, "frequency_penalty": 0.0}
    assert told.items() <= sent.items() and sent["top_k"] == 0 and sent["stop"] == []
    assert engines.body("SGLang", values())["top_k"] == -1
    llama = engines.body("llama.cpp", values())
    assert llama["top_n_sigma"] == -1 and llama["min_keep"] == 0 and llama["mirostat"] == 0
    assert llama["top_k"] == 0 and llama["repeat_last_n"] > 100_000, "its own defaults are 40 and the last 64"
    config = engines.body("transformers serve", values())["generation_config"]
    assert config["do_sample"] is True and config["top_k"] == 0
    assert "bad_words_ids" not in config, "it takes no empty list"


@pytest.mark.parametrize(
    ("engine", "name", "value"),
    [
        ("vLLM", "temperature", 2.5),
        ("vLLM", "top_p", 0.0),
        ("vLLM", "presence_penalty", 3.0),
        ("SGLang", "repetition_penalty", 2.5),
        ("OpenAI", "frequency_penalty", -2.5),
    ],
)
def test_a_number_outside_of_an_engines_range_is_refused_with_that_range(engine: str, name: str, value: float) -> None:
    with pytest.raises(Refused, match="takes") as caught:
        engines.body(
            engine,
            values(**{name: value, "repetition_penalty_scope": "output"} if engine == "SGLang" else {name: value}),
        )
    assert caught.value.parameter == name


def test_fields_that_are_shared_are_joined() -> None:
    asked = values(logit_bias_ids={"7": 2}, suppress_tokens=[5], bad_words_ids=[[9]])
    assert engines.body("vLLM", asked)["logit_bias"] == {"7": 2.0, "5": -100, "9": -100}
    assert sorted(engines.body("llama.cpp", asked)["logit_bias"]) == [[5, False], [7, 2.0], [9, False]]
    with pytest.raises(Refused, match="single tokens"):
        engines.body("vLLM", values(bad_words_ids=[[9, 10]]))


def test_the_order_of_the_stages_becomes_llama_cpps_list() -> None:
    whole = engines.body("llama.cpp", values(order="llama.cpp"))["samplers"]
    assert whole.index("top_k") < whole.index("temperature") and "adaptive_p" not in whole
    ours = engines.body("llama.cpp", values(adaptive_target=0.3))["samplers"]
    assert ours.index("temperature") < ours.index("top_k") and ours[-1] == "adaptive_p"
    assert sorted(whole) == sorted(ours[:-1])
    last = engines.body("llama.cpp", values(order="top_p,temperature"))["samplers"]
    assert last[-2:] == ["top_p", "temperature"]
    dynamic = engines.body("llama.cpp", values(order="dynatemp,top_p", dynatemp_high=2))["samplers"]
    assert dynamic[-2:] == ["temperature", "top_p"]


def test_dynamic_temperature_becomes_a_middle_and_a_range() -> None:
    sent = engines.body("llama.cpp", values(dynatemp_high=1.5, dynatemp_low=0.5))
    assert (sent["temperature"], sent["dynatemp_range"]) == (1.0, 0.5)
    assert engines.body("llama.cpp", values())["dynatemp_range"] == 0
    with pytest.raises(Refused, match="low end"):
        engines.body("llama.cpp", values(dynatemp_high=0.2, dynatemp_low=0.5))


def test_what_an_engine_would_leave_out_silently_is_refused() -> None:
    with pytest.raises(Refused, match="leaves it out") as caught:
        engines.body("llama.cpp", values(mirostat_tau=5, repetition_penalty=1.2))
    assert caught.value.parameter == "repetition_penalty"
    with pytest.raises(Refused, match="answer only"):
        engines.body("SGLang", values(repetition_penalty=1.2))
    assert engines.body("SGLang", values(repetition_penalty=1.2, repetition_penalty_scope="output"))


def test_forms_are_said_in_each_engines_own_way() -> None:
    schema = '{"type": "integer"}'
    assert engines.body("vLLM", values(json_schema=schema))["structured_outputs"] == {"json": {"type": "integer"}}
    llama = engines.body("llama.cpp", values(json_schema=schema))
    assert llama["json_schema"] == {"type": "integer"} and "grammar" not in llama, "an empty one would undo the schema"
    assert engines.body("OpenAI", values(json_schema=schema))["response_format"]["json_schema"]["schema"]
    assert engines.body("llama.cpp", values(one_of=["a", 'b"']))["grammar"] == 'root ::= "a" | "b\\""'
    assert engines.body("llama.cpp", values(regex="[a-z]+"))["grammar"].startswith("%llguidance")
    assert engines.body("SGLang", values(one_of=["a.b", "c"]))["regex"] == r"a\.b|c"


def test_the_random_seed_is_left_to_the_engine_and_a_long_one_fits() -> None:
    assert "seed" not in engines.body("vLLM", values(seed=-1))
    assert engines.body("vLLM", values(seed=2**53 - 1))["seed"] == 2**53 - 1
    assert engines.body("llama.cpp", values(seed=-1))["seed"] == -1
    assert 0 <= engines.body("llama.cpp", values(seed=2**53 - 1))["seed"] < 2**32 - 1


def test_transformers_serve_gets_what_belongs_together_in_one_field() -> None:
    engine = "transformers serve"
    decay = engines.body(engine, values(exponential_decay_factor=1.1, exponential_decay_start=4))["generation_config"]
    assert decay["exponential_decay_length_penalty"] == [4, 1.1]
    config = engines.body(engine, values(watermark=True, ignore_eos=True, max_new_tokens=9))["generation_config"]
    assert config["watermarking_config"]["greenlist_ratio"] == 0.25
    assert config["min_new_tokens"] == 9, "no end before the last token"
    assert engines.body("transformers serve", values(temperature=0))["generation_config"]["do_sample"] is False


def test_other_programs_names_are_the_engines_and_those_of_programs_that_stand_beside() -> None:
    known = parameters.by_name()
    assert engines.names(known["repetition_penalty"])["llama.cpp"] == "repeat_penalty"
    assert engines.names(known["top_a"]) == {"koboldcpp": "top_a", "text-generation-webui": "top_a"}
    assert not engines.ENGINES.keys() & {name for p in parameters.REGISTRY for name in p.elsewhere}
