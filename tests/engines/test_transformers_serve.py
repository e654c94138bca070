"""`transformers serve` behind the page: it is recognised, what it takes acts, and what it cannot is refused here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from playground import generate
from playground.generators.remote import failures
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.opening import open_engine
from playground.models import embedded
from playground.types import Refused
from tests.engines.effects import AGAIN, MAT, NEWLINE, PROBES, Effects, asked, drawn
from tests.engines.servers import transformers_serve

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with transformers_serve() as found:
        yield found


@pytest.fixture(scope="module")
def engine(url: str) -> Iterator[RemoteGenerator]:
    with closing(open_engine(url)) as found:
        yield found


def text(engine: RemoteGenerator, prompt: str = AGAIN, mode: Any = "complete", **values: Any) -> str:
    return "".join(step.text for step in engine.stream(generate.build(prompt, values, mode=mode)))


def test_it_is_recognised_though_it_says_its_name_nowhere(engine: RemoteGenerator) -> None:
    assert engine.facts.kind == "transformers serve" and engine.facts.slots == 1
    assert engine.card.title == embedded.folder().name, "it is asked for a wrong model, and names its own"
    assert not engine.knows_tokens and not engine.adapter.scores_all


def test_it_may_be_named_by_the_models_folder_but_not_as_another(url: str) -> None:
    with closing(open_engine(url, model=embedded.folder().name)) as found:
        assert found.card.id == str(embedded.folder())
    with pytest.raises(failures.EngineError, match="qwen"):
        open_engine(url, model="qwen")


def test_a_text_streams_and_ends_by_its_length_its_end_or_a_stop_string(engine: RemoteGenerator) -> None:
    steps = list(engine.stream(generate.build(AGAIN, {"temperature": 0, "max_new_tokens": 4})))
    assert "".join(step.text for step in steps) == " mat. The cat" and len(steps) == 4
    assert steps[-1].finish == "length"
    ended = list(engine.stream(generate.build(AGAIN, {"logit_bias_ids": {"2": 100}})))
    assert ended[-1].finish == "end"
    assert text(engine, temperature=0, max_new_tokens=9, stop=["The"]) == " mat. "
    assert text(engine, "Say hi.", "chat", temperature=0, max_new_tokens=3)


def test_closing_a_text_frees_it_for_the_next(engine: RemoteGenerator) -> None:
    cancelled = threading.Event()
    stream = engine.open(generate.build(AGAIN, {"max_new_tokens": 900, "ignore_eos": True}), cancelled)
    steps = stream.steps()
    next(steps)
    cancelled.set()
    assert sum(1 for _ in steps) < 400
    assert text(engine, temperature=0, max_new_tokens=1) == " mat"


@pytest.mark.parametrize("name", ["top_k", "no_repeat_ngram_size", "watermark_bias"])
def test_knobs_inside_its_generation_config_act(engine: RemoteGenerator, name: str) -> None:
    effects = Effects(engine)
    assert [effects.acts(name, at) for at in PROBES[name].ends] == [True, True]


def test_a_bias_is_sent_as_it_can_read_it(engine: RemoteGenerator) -> None:
    """Integers, as OpenAI's own API has them, end in an error 500 of this server."""
    assert text(engine, temperature=0, max_new_tokens=1, logit_bias_ids={str(NEWLINE): 100}) == "\n"
    assert text(engine, temperature=0, max_new_tokens=1, suppress_tokens=[MAT]) == " cat"


def test_the_seed_of_each_candidate_is_its_own(engine: RemoteGenerator) -> None:
    three = drawn(engine, asked(engine, PROBES["temperature"], n=3, seed=5), 3)
    alone = drawn(engine, asked(engine, PROBES["temperature"], n=1, seed=6), 1)
    assert three[1] == alone[0] and len(set(three)) > 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"presence_penalty": 1.0}, "ignores a presence penalty"),
        ({"frequency_penalty": 1.0}, "1 \\+ x"),
        ({"json_schema": "{}"}, "ignores response_format"),
        ({"num_beams": 2}, "does not stream a beam search"),
        ({"xtc_probability": 0.5}, "has no XTC"),
    ],
)
def test_what_it_would_ignore_is_refused_by_name(engine: RemoteGenerator, given: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        text(engine, **given)
    assert caught.value.parameter == next(iter(given))


def test_an_answer_cannot_be_begun_for_it(engine: RemoteGenerator) -> None:
    with pytest.raises(Refused) as caught:
        list(engine.stream(generate.build("Say hi.", {}, mode="chat", prefill="Well,")))
    assert caught.value.parameter == "prefill"
