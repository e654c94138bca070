"""The run doctor says what is wrong with a text, and what replay says of its remedy is what a real run does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from playground import generate, models, parameters
from playground.decoding.keep import STORE
from playground.generators.local import LocalGenerator
from playground.inspection import diagnose, inspect_api
from playground.inspection_results import Finding
from playground.types import Run
from tests import reference


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    STORE.forget("d")


def write(loaded: models.Loaded, prompt: str, keep: str = "d", **values: Any) -> Run:
    asked = reference.request(prompt, {"seed": 3, "max_new_tokens": 24, **values}, keep=keep)
    *_, run = generate.run(asked, LocalGenerator(loaded))
    return run


def found(run: Run, kind: str) -> Finding | None:
    told = diagnose.examine(run, 0, "d")
    assert len(told) <= diagnose.MOST
    for finding in told:
        assert finding.sentence.en and finding.sentence.zh
        parameters.validate(finding.fix)
    return next((finding for finding in told if finding.kind == kind), None)


@pytest.mark.model
def test_a_text_cut_off_in_mid_sentence_gets_more_room(loaded: models.Loaded) -> None:
    run = write(loaded, "Once upon a time there was a", max_new_tokens=7)
    finding = found(run, "cut-off")
    assert finding is not None and finding.fix == {"max_new_tokens": 14}
    assert finding.preview is not None and "go on" in finding.preview.en


def test_a_text_that_ended_by_itself_is_not_cut_off(tiny: models.Loaded) -> None:
    run = write(tiny, "Hello", logit_bias={"<|im_end|>": 100.0})
    assert found(run, "cut-off") is None


@pytest.mark.model
def test_a_loop_is_named_and_the_remedy_breaks_it_in_a_real_run(loaded: models.Loaded) -> None:
    prompt = "a b c a b c a b c a b c a b c a b c a b c"
    run = write(loaded, prompt, temperature=0, max_new_tokens=30)
    finding = found(run, "loop")
    assert finding is not None and finding.fix and finding.preview is not None
    told = inspect_api.replay("d", 0, {**run.request.values, **finding.fix})
    again = write(loaded, prompt, "", temperature=0, max_new_tokens=30, **finding.fix)
    assert told.first is not None
    assert again.candidates[0].token_ids[told.first.index] != run.candidates[0].token_ids[told.first.index]


@pytest.mark.model
def test_single_candidates_are_told_with_the_knob_that_left_them(loaded: models.Loaded) -> None:
    run = write(loaded, "The capital of France is", top_p=0.05, top_k=200)
    finding = found(run, "single")
    assert finding is not None and finding.fix == {"top_p": 1.0} and finding.preview is not None
    assert found(write(loaded, "The capital of France is", temperature=1.0), "single") is None


@pytest.mark.model
def test_a_penalty_that_hits_the_prompt_s_words_is_told(loaded: models.Loaded) -> None:
    prompt = "The cat sat on the mat. The dog sat on the mat. The bird sat on the"
    run = write(loaded, prompt, repetition_penalty=1.3, temperature=0.5)
    finding = found(run, "prompt-words")
    assert finding is not None and finding.fix == {"repetition_penalty_scope": "output"}


@pytest.mark.model
def test_an_order_that_makes_min_p_toothless_is_told(loaded: models.Loaded) -> None:
    run = write(loaded, "Write a slogan for a coffee shop:", temperature=3.0, min_p=0.05)
    finding = found(run, "order")
    assert finding is not None and finding.fix == {"order": "llama.cpp"} and finding.preview is not None
    assert found(write(loaded, "Write a slogan:", temperature=3.0, min_p=0.05, order="llama.cpp"), "order") is None


def test_temperature_zero_repeats_a_text_unless_that_is_what_its_task_is_for(tiny: models.Loaded) -> None:
    run = write(tiny, "Hello", temperature=0, max_new_tokens=4)
    single = found(run, "single")
    assert single is not None and single.fix == {"temperature": 0.8}
    assert [one.kind for one in diagnose.examine(run, 0, "d", {"temperature": 0}) if one.kind == "single"] == []
    assert any(one.kind == "single" for one in diagnose.examine(run, 0, "d", {"temperature": 0.7}))


@pytest.mark.model
def test_without_kept_logits_the_text_alone_is_judged(loaded: models.Loaded) -> None:
    run = write(loaded, "a b c a b c a b c a b c a b c", temperature=0, max_new_tokens=30)
    told = diagnose.examine(run, 0, "gone")
    assert {finding.kind for finding in told} >= {"loop"}
    assert all(finding.preview is None for finding in told)
