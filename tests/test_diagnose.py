"""The run diagnosis says what is wrong with a text, and what replay says of its remedy is what a real run does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from playground import generate, models, parameters
from playground.decoding.run_store import RUN_STORE
from playground.generators.local import LocalGenerator
from playground.inspection import diagnose, inspect_api
from playground.inspection_results import Finding
from playground.run import Candidate, Run
from playground.types import Step
from tests import reference


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    RUN_STORE.forget("d")


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
        names = [p.name for p in parameters.REGISTRY if "_" in p.name and p.name != p.label.en and p.group != "cutoffs"]
        assert not any(name in f"{finding.sentence.en} {finding.preview}" for name in names)
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


def of_text(tiny: models.Loaded, text: str, pieces: list[str] | None = None) -> Run:
    """A finished run of this text, whose logits are not kept; each piece is a token, by default each word."""
    parts = text.split(" ") if pieces is None else pieces
    given = reference.request("Hello", {"seed": 3, "temperature": 1.0})
    candidate = Candidate(3)
    ids: dict[str, int] = {}
    for at, part in enumerate(parts):
        space = " " if pieces is None and at else ""
        candidate.add(Step(0, at, ids.setdefault(part, len(ids)), space + part), 0.1 * at)
    candidate.finish_reason = "end"
    return Run(given, "tiny", "float32", 1, [candidate])


@pytest.mark.parametrize(
    "text",
    [
        "I like it. " + "We went home and then we went home again, and so on. " * 4 + "The end.",
        "\n".join(f"{number}. Buy fresh milk" for number in range(1, 9)),
        "Here is a list:\n" + "\n".join(f"Day {number}: we went to the store" for number in range(1, 6)),
        "床前明月光，疑是地上霜。" * 4 + "完。",
        "hahahahahahahahahahahahahaha",
    ],
)
def test_a_text_that_visibly_goes_round_is_called_a_loop(tiny: models.Loaded, text: str) -> None:
    told = diagnose.examine(of_text(tiny, text), 0)
    assert [one.kind for one in told] == ["loop"], told


@pytest.mark.parametrize(
    "text",
    [
        "The harbour woke before the sun. Boats knocked at the pier, and a man in a yellow coat counted his nets.",
        "| name | age |\n| --- | --- |\n| Ann | 31 |\n| Ben | 42 |",
        "It was cold. It was dark. Nobody came to the door, though the bell had been ringing for an hour by then.",
        "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。",
    ],
)
def test_a_text_that_goes_on_is_not_called_a_loop(tiny: models.Loaded, text: str) -> None:
    assert diagnose.examine(of_text(tiny, text), 0) == ()


def test_a_loop_is_counted_from_token_one_as_the_page_counts(tiny: models.Loaded) -> None:
    pieces = [f"w{number}" for number in range(10)] + ["x", "y", "z"] * 5
    told = diagnose.examine(of_text(tiny, "", pieces), 0)
    assert told[0].sentence.en.startswith("It loops from token 11 on: the same 3 tokens, 5 times.")
    assert told[0].sentence.zh.startswith("从第 11 个词元起")


@pytest.mark.parametrize(
    "form",
    [
        {"grammar": 'start: "a"'},
        {"regex": "x{1000}"},
        {"regex": "x{1000}", "temperature": 0},
        {"one_of": ["yes yes yes yes yes yes yes yes yes yes yes yes"]},
    ],
)
def test_a_form_that_allows_one_text_gets_no_advice_that_cannot_help(tiny: models.Loaded, form: dict[str, Any]) -> None:
    told = diagnose.examine(write(tiny, "Hello", **form), 0, "d")
    helpless = [one for one in told if one.kind in ("single", "loop")]
    assert helpless and all(not one.fix for one in helpless), told


def test_more_room_than_the_server_allows_is_not_advised(tiny: models.Loaded) -> None:
    run = of_text(tiny, "One two three and")
    run.candidates[0].finish_reason = "length"
    most = run.request.values["max_new_tokens"]
    fixes = [diagnose.examine(run, 0, longest=longest)[0].fix for longest in (None, most + 5, most)]
    assert fixes == [{"max_new_tokens": most * 2}, {"max_new_tokens": most + 5}, {}]


def test_a_remedy_is_called_as_its_knob_is() -> None:
    assert diagnose.remedy({"max_new_tokens": 256}).en == "Max new tokens 256"
    assert diagnose.remedy({"max_new_tokens": 256}).zh == "最多生成词元数 256"
    assert diagnose.remedy({"repetition_penalty_scope": "output"}).en == "Repetition scope answer only"
