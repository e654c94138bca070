"""The engine: why a row ends, what a Step tells, banned phrases, cancelling, and every end of every parameter."""

from __future__ import annotations

import gc
import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from playground import models, parameters
from playground.decoding import notes
from playground.decoding.row import TRIES_PER_RUN
from playground.generators.local import LocalGenerator
from playground.parameters.inert import check_combination
from playground.rendering.detokenize import BROKEN
from playground.sampling import cutoffs
from playground.sampling import step as sampling_step
from playground.sampling.draw import RowRNG
from playground.types import FAILED, Refused, Step
from tests.reference import request, written
from tests.test_pipeline import awake, ends, made_up

PROMPT = "Three words about the morning:"


def steps_of(generator: LocalGenerator, prompt: str = PROMPT, **values: Any) -> list[Step]:
    return list(generator.stream(request(prompt, {"seed": 5, "max_new_tokens": 20, **values})))


def visible(steps: list[Step], row: int = 0) -> tuple[str, list[str]]:
    """A row's text as a page shows it, at the end and after every Step."""
    kept: list[str] = []
    views = []
    for step in steps:
        if step.row == row:
            if step.retract:
                del kept[-step.retract :]
            kept.append(step.text)
            views.append("".join(kept))
    return views[-1], views


@pytest.fixture(scope="module")
def generator(tiny: models.Loaded) -> LocalGenerator:
    return LocalGenerator(tiny)


def test_the_end_token_ends_a_row_and_is_not_shown(generator: LocalGenerator) -> None:
    steps = steps_of(generator, logit_bias={"<|im_end|>": 100.0}, exponential_decay_factor=1.0)
    assert [(step.token_id, step.text, step.finish) for step in steps] == [(2, "", "end")]


def test_every_end_token_of_a_model_with_several_counts(
    tiny: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = steps_of(generator)[4].token_id
    monkeypatch.setattr(tiny.model.generation_config, "eos_token_id", [2, second])
    steps = steps_of(generator)
    assert (steps[-1].token_id, steps[-1].finish, steps[-1].text) == (second, "end", "")
    assert len(steps) <= 5


def test_max_new_tokens_ends_a_row_with_length(generator: LocalGenerator) -> None:
    steps = steps_of(generator, max_new_tokens=7, ignore_eos=True)
    assert [step.position for step in steps] == list(range(7))
    assert [step.finish for step in steps] == [None] * 6 + ["length"]


def test_a_full_context_ends_a_row(generator: LocalGenerator, tiny: models.Loaded) -> None:
    prompt = "word " * (tiny.card.context - 8)
    steps = steps_of(generator, prompt, max_new_tokens=50, ignore_eos=True)
    used = len(generator.render(request(prompt, {})).token_ids)
    assert steps[-1].finish == "context"
    assert used + len(steps) == tiny.card.context


def test_a_stop_string_is_trimmed_and_the_text_before_it_kept(generator: LocalGenerator) -> None:
    whole = visible(steps_of(generator))[0]
    stop = whole[9:13]
    steps = steps_of(generator, stop=[stop, "never there"])
    assert steps[-1].finish == "stop"
    assert visible(steps)[0] == whole[: whole.index(stop)]
    assert all(whole.startswith(view) for view in visible(steps)[1])


def test_max_time_ends_after_the_token_that_is_being_written(generator: LocalGenerator) -> None:
    steps = steps_of(generator, max_time=1e-9, n=2)
    assert [(step.row, step.finish) for step in steps] == [(0, "time"), (1, "time")]


class _Failing:
    """Fails for the second row that is built, at its third token."""

    built = 0

    def __init__(self, strength: float) -> None:
        self.number = type(self).built
        type(self).built += 1
        self.calls = 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self.calls += 1
        if self.number == 1 and self.calls == 3:
            raise ZeroDivisionError("on purpose")
        return scores


def test_a_row_that_fails_ends_alone_and_keeps_its_text(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutoffs, "MadeUp", _Failing, raising=False)
    monkeypatch.setattr(parameters, "REGISTRY", (*parameters.REGISTRY, made_up()))
    steps = steps_of(generator, n=3, halving=1.0, ignore_eos=True, max_new_tokens=6)
    monkeypatch.undo()
    failed = [step for step in steps if step.row == 1]
    assert (failed[-1].finish, failed[-1].token_id) == ("error", None)
    assert failed[-1].reason == FAILED
    whole = steps_of(generator, n=3, ignore_eos=True, max_new_tokens=6)
    assert whole[1].text in visible(steps, 1)[0]
    for row in (0, 2):
        assert visible(steps, row)[0] == visible(whole, row)[0]


def test_when_no_candidate_is_left_the_best_stays_and_the_step_says_so(generator: LocalGenerator) -> None:
    everything = [{"the": -100.0}, list(range(512))]
    steps = steps_of(generator, logit_bias=everything[0], suppress_tokens=everything[1], top_k=1, xtc_probability=0.0)
    assert all(step.token_id is not None and step.token_id >= 512 for step in steps)
    only = torch.full((1, 9), -torch.inf).index_fill(1, torch.tensor([4]), 0.0).softmax(-1)
    assert RowRNG(0, torch.device("cpu"), greedy=False).multinomial(only) == 4


def test_a_step_tells_what_the_model_and_the_chain_thought(tiny: models.Loaded, generator: LocalGenerator) -> None:
    asked = request(PROMPT, {"seed": 5, "max_new_tokens": 4, "temperature": 0.5, "top_k": 20})
    ids = list(generator.render(asked).token_ids)
    for step in generator.stream(asked):
        with torch.no_grad():
            likely = tiny.model(torch.tensor([ids])).logits[0, -1].float().log_softmax(-1)
        assert step.token_id is not None and step.top is not None
        chain = (likely / 0.5).masked_fill(likely < likely.topk(20).values[-1], -torch.inf).softmax(-1)
        assert step.logprob == pytest.approx(float(likely[step.token_id]), abs=1e-3)
        assert step.chosen_prob == pytest.approx(float(chain[step.token_id]), abs=1e-3)
        assert step.rank == int((likely > likely[step.token_id]).sum()) + 1
        assert step.entropy_nats == pytest.approx(float(-(likely.exp() * likely).sum()), abs=1e-3)
        assert [chance.token_id for chance in step.top] == likely.topk(10).indices.tolist()
        expected = chain[likely.topk(10).indices].tolist()
        assert [chance.p_chain for chance in step.top] == pytest.approx(expected, abs=1e-3)
        ids.append(step.token_id)


def test_stages_are_told_only_by_a_generator_that_traces(tiny: models.Loaded, generator: LocalGenerator) -> None:
    assert all(step.stages is None for step in steps_of(generator, top_k=5))
    stages = steps_of(LocalGenerator(tiny, trace=True), top_k=5, guidance_scale=1.5, max_new_tokens=2)[0].stages
    assert stages is not None
    assert [(view.stage, view.alive_after) for view in stages] == [("guidance", 49152), ("top_k", 5)]


def test_greedy_takes_the_best_token_for_certain(generator: LocalGenerator) -> None:
    assert {(step.rank, step.chosen_prob) for step in steps_of(generator, temperature=0)} == {(1, 1.0)}


CHARACTERS = "日本語 and 中文 with 😀👩‍👩‍👧 and 🇩🇪."


def test_characters_of_several_tokens_stream_whole(
    tiny: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: Iterator[int] = iter([*tiny.tokenizer(CHARACTERS).input_ids, 2])
    monkeypatch.setattr(sampling_step, "race", lambda *_: next(wanted))
    steps = steps_of(generator, max_new_tokens=200)
    assert visible(steps)[0] == CHARACTERS
    assert not any(BROKEN in step.text for step in steps)


@pytest.mark.parametrize("seed", range(6))
def test_the_text_is_what_the_tokens_decode_to(tiny: models.Loaded, generator: LocalGenerator, seed: int) -> None:
    steps = steps_of(generator, seed=seed, max_new_tokens=60, ignore_eos=True)
    ids = [step.token_id for step in steps]
    whole = tiny.tokenizer.decode(ids, skip_special_tokens=True)
    assert visible(steps)[0].rstrip(BROKEN) == whole.rstrip(BROKEN)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("setting", [{}, {"guidance_scale": 1.5}, {"n": 3, "stop": ["zz"]}], ids=str)
def test_a_banned_phrase_never_appears_not_even_for_a_moment(
    generator: LocalGenerator, seed: int, setting: dict[str, Any]
) -> None:
    banned = ["in", "E", " s"]
    steps = steps_of(generator, seed=seed, banned_phrases=banned, **setting)
    if any(notes.LET_THROUGH in step.note for step in steps):
        pytest.fail("these phrases can be avoided")
    for row in range(setting.get("n", 1)):
        for view in visible(steps, row)[1]:
            assert not any(phrase.lower() in view.lower() for phrase in banned)
    assert any(notes.STEPPED_BACK in step.note for step in steps)


def test_stepping_back_forbids_only_the_token_where_the_phrase_began(generator: LocalGenerator) -> None:
    free = steps_of(generator)
    text, at = visible(free)[0], 6
    start = len(visible(free[:at])[0])
    phrase = text[start : start + len(free[at].text) + len(free[at + 1].text)].upper()
    steps = steps_of(generator, banned_phrases=[phrase])
    tokens = written(generator, request(PROMPT, {"seed": 5, "max_new_tokens": 20, "banned_phrases": [phrase]}))[0]
    assert tokens[:at] == [step.token_id for step in free[:at]]
    assert tokens[at] != free[at].token_id
    back = next(step for step in steps if step.note)
    assert (back.position, back.retract) == (at, 1)
    assert notes.say(back.note)[0].en == f"Stepped back to avoid “{phrase}”."


def test_a_phrase_that_does_not_appear_changes_nothing(generator: LocalGenerator) -> None:
    assert visible(steps_of(generator, banned_phrases=["zzzz", "coffee shop"]))[0] == visible(steps_of(generator))[0]


def test_phrases_that_cannot_be_avoided_are_let_through_in_the_end(generator: LocalGenerator) -> None:
    letters = [chr(code) for code in range(32, 127)] + ["\n", "\t"] + [chr(code) for code in range(0xA0, 0x500)]
    steps = steps_of(generator, banned_phrases=letters[:500], max_new_tokens=4, ignore_eos=True)
    assert steps[-1].finish == "length"
    assert any(notes.LET_THROUGH in step.note for step in steps)
    assert sum(1 for step in steps if step.retract) <= TRIES_PER_RUN


@pytest.mark.model
def test_the_embedded_model_avoids_a_phrase_across_tokenizations(loaded: models.Loaded) -> None:
    generator = LocalGenerator(loaded)
    prompt = "The capital of France is"
    free = visible(steps_of(generator, prompt, temperature=0, max_new_tokens=6))[0]
    assert "Paris" in free
    steps = steps_of(generator, prompt, temperature=0, max_new_tokens=6, banned_phrases=["pARIS", "par"])
    assert not any("par" in view.lower() for view in visible(steps)[1])
    assert visible(steps)[0].startswith(free[: free.index("Paris")].rstrip())


def caches() -> int:
    return sum(type(one) is DynamicCache for one in gc.get_objects())


def test_closing_gives_everything_back_at_once_even_while_the_model_is_taken(generator: LocalGenerator) -> None:
    gc.collect()
    before = caches()
    stream = generator.stream(request(PROMPT, {"n": 3, "max_new_tokens": 100, "guidance_scale": 1.5}))
    for _ in range(5):
        next(stream)
    with generator._turns:  # another request is computing; closing must not wait for it
        stream.close()  # type: ignore[attr-defined]
    assert caches() == before
    assert len(steps_of(generator)) > 0


def test_many_threads_write_what_each_writes_alone(generator: LocalGenerator) -> None:
    settings: list[dict[str, Any]] = [{"seed": seed, "n": 1 + seed % 3, "xtc_probability": 0.5} for seed in range(4)]
    alone = [visible(steps_of(generator, **setting))[0] for setting in settings]
    together: dict[int, str] = {}

    def work(number: int) -> None:
        together[number] = visible(steps_of(generator, **settings[number]))[0]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(settings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(len(settings))] == alone


def run_to_the_ends(generator: LocalGenerator, name: str, tokens: int) -> None:
    """Two rows where that is allowed; a run that would be long is left after a few tokens."""
    record = parameters.by_name()[name]
    for value in ends(record):
        given = {"seed": 3, "max_new_tokens": tokens, **awake(record), name: value}
        asked = request(PROMPT, given)
        try:
            check_combination(asked.values)
        except Refused:
            continue
        count = 0
        for step in generator.stream(asked):
            assert step.finish != "error", f"{name}={value}: {step.note}"
            assert step.logprob is None or math.isfinite(step.logprob)
            count += 1
            if count >= 3 * tokens * asked.values["n"]:
                break
        assert count


@pytest.mark.parametrize("name", [record.name for record in parameters.REGISTRY])
def test_every_end_of_every_parameter_runs(generator: LocalGenerator, name: str) -> None:
    run_to_the_ends(generator, name, tokens=5)


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("loaded", ["bf16"], indirect=True)
@pytest.mark.parametrize("name", [record.name for record in parameters.REGISTRY])
def test_every_end_of_every_parameter_runs_on_the_embedded_model(loaded: models.Loaded, name: str) -> None:
    run_to_the_ends(LocalGenerator(loaded), name, tokens=3)


def test_an_own_order_writes_another_text(generator: LocalGenerator) -> None:
    given: dict[str, Any] = {"temperature": 3.0, "min_p": 0.02, "max_new_tokens": 12}
    texts = {visible(steps_of(generator, order=order, **given))[0] for order in ("transformers", "llama.cpp")}
    assert len(texts) == 2


def test_a_model_without_plain_cache_layers_can_step_back_too(
    tiny: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(PROMPT, {"seed": 5, "max_new_tokens": 20, "banned_phrases": ["in", " s"], "n": 2})
    cut = written(generator, asked)
    monkeypatch.setattr("playground.decoding.lane.Lane._croppable", lambda _: False)
    assert written(LocalGenerator(replace(tiny)), asked) == cut
