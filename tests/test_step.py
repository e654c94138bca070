"""Rows that step together get what each gets alone from transformers' own samplers: tokens, texts, notes and noise."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground import models, parameters
from playground.decoding.row import Row, Setting, advance, effect
from playground.rendering.detokenize import Labels
from playground.sampling import noise, token_stats
from playground.sampling.noise import Noise
from playground.sampling.step import prepare
from playground.types import Step
from tests.sampling import likely_rows


def test_the_noise_is_that_of_torch_multinomial() -> None:
    for size in (1, 7, 1000, 49152):
        ours, theirs = torch.Generator().manual_seed(size), torch.Generator().manual_seed(size)
        drawn = Noise(ours, size)
        wanted = torch.empty(1, size).exponential_(1, generator=theirs)
        assert torch.equal(drawn.whole(), wanted)
        assert torch.equal(ours.get_state(), theirs.get_state())
        places = np.arange(0, size, 3)
        assert drawn.at(places) == pytest.approx(wanted[0].numpy()[places].astype(np.float64), rel=1e-6)
        assert (drawn.least() <= wanted[0].numpy() * (1 + 1e-6)).all()


@pytest.fixture(params=["uniform", "exponential"])
def either_noise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to draw, whichever of them this build of torch allows."""
    if request.param == "exponential":
        monkeypatch.setattr(noise, "hidden_uniforms", lambda: False)
    elif not noise.hidden_uniforms():
        pytest.skip("this build of torch makes its exponential noise in another way")


SETTINGS: list[dict[str, Any]] = [
    {"temperature": 0.8, "top_p": 0.9, "repetition_penalty": 1.1},
    {"temperature": 1.7, "min_p": 0.05},
    {"temperature": 0.0, "frequency_penalty": 0.5},
    {"top_k": 40, "top_p": 0.95, "temperature": 0.6, "order": "llama.cpp"},
    {"temperature": 1.2},
    {"typical_p": 0.6, "presence_penalty": 0.4},
    {"top_n_sigma": 1.0, "xtc_probability": 0.6},
    {"tfs": 0.9, "min_tokens_to_keep": 3},
    {"mirostat_tau": 4.0},
    {"adaptive_target": 0.3, "top_k": 30},
    {"banned_phrases": ["s ", "e ", "th"], "top_p": 0.8},
    {"banned_phrases": ["a"], "temperature": 0.0},
    {"no_repeat_ngram_size": 2, "top_k": 20, "repetition_penalty_range": 16, "repetition_penalty": 1.3},
    {"logit_bias": {" the": 6.0}, "top_h": 0.4, "dynatemp_high": 1.5},
    {"ignore_eos": True, "suppress_tokens": [5, 6], "eta_cutoff": 0.001, "stop": ["on"]},
    {"top_p": 0.0},
    {"watermark": True, "epsilon_cutoff": 0.001, "min_new_tokens": 5},
]


def setting_of(tiny: models.Loaded, values: dict[str, Any]) -> Setting:
    effective, greedy = effect(parameters.validate({"max_new_tokens": 24, **values}), has_eos=True)
    labels = Labels(tiny.tokenizer)
    prompt = torch.tensor([tiny.tokenizer("Once upon a time in the west").input_ids])
    return Setting(effective, greedy, prompt, tiny.tokenizer, labels, [2], 49152, 512, False, lambda: False)


def assert_same_step(one: Step, other: Step) -> None:
    def figures(step: Step) -> list[float]:
        return [step.logprob or 0.0, step.entropy_nats or 0.0, *(chance.p_model for chance in step.top or ())]

    def left_by_the_samplers(step: Step) -> list[float]:
        return [step.chosen_prob or 0.0, *(chance.p_after or 0.0 for chance in step.top or ())]

    def words(step: Step) -> Step:
        top = tuple(replace(chance, p_model=0.0, p_after=0.0) for chance in step.top or ())
        return replace(step, logprob=None, chosen_prob=None, entropy_nats=None, top=top)

    assert words(one) == words(other)
    assert figures(one) == pytest.approx(figures(other), abs=5e-5)  # sums in another order
    assert left_by_the_samplers(one) == pytest.approx(left_by_the_samplers(other), abs=3e-5)


@pytest.mark.usefixtures("either_noise")
@pytest.mark.parametrize("coarse", [False, True])
def test_rows_of_different_settings_step_together_as_each_steps_alone(tiny: models.Loaded, coarse: bool) -> None:
    settings_of_rows = [setting_of(tiny, values) for values in SETTINGS]
    together = [Row(index, 70 + index, setting) for index, setting in enumerate(settings_of_rows)]
    alone = [Row(index, 70 + index, setting, by_reference=True) for index, setting in enumerate(settings_of_rows)]
    retracted = 0
    for step in itertools.count():
        going = [place for place, row in enumerate(alone) if row.finish is None]
        if not going:
            break
        scores = likely_rows(len(going), seed=step, coarse=coarse)
        steps = advance([together[place] for place in going], scores)
        for place, ours, one in zip(going, steps, scores, strict=True):
            theirs = alone[place].advance(one[None])
            assert_same_step(ours, theirs)
            retracted += theirs.retract
            assert together[place].tokens == alone[place].tokens
            assert together[place].forbidden == alone[place].forbidden
            mine, other = together[place].rng.state(), alone[place].rng.state()
            assert (mine is None) == (other is None)
            assert mine is None or other is None or torch.equal(mine, other)
    assert retracted
    assert {row.finish for row in together} >= {"length", "stop"}


@pytest.mark.parametrize("seed", range(4))
def test_a_view_from_another_device_tells_the_same(seed: int) -> None:
    scores = likely_rows(1, seed)
    scores[0, torch.randint(0, 49152, (seed * 9000,))] = -math.inf
    token = int(scores[0].topk(5).indices[seed])
    here, there = token_stats._view(scores[0].numpy(), token), token_stats._view_there(scores, token)
    assert (here.ids, here.rank) == (there.ids, there.rank)
    assert [here.logprob, here.entropy, *here.shares] == pytest.approx(
        [there.logprob, there.entropy, *there.shares], abs=5e-5  # float32 sums of 49,152, in another order
    )


def test_guidance_reaches_every_row_with_its_own_second_scores(tiny: models.Loaded) -> None:
    setting = setting_of(tiny, {"guidance_scale": 1.5, "top_p": 0.9})
    together = [Row(index, index, setting) for index in range(3)]
    alone = [Row(index, index, setting, by_reference=True) for index in range(3)]
    scores, second = likely_rows(3, seed=1), likely_rows(3, seed=2)
    steps = advance(together, scores, second)
    for place in range(3):
        assert_same_step(steps[place], alone[place].advance(scores[place][None], second[place][None]))


def test_noise_that_was_prepared_counts_from_where_it_began(tiny: models.Loaded) -> None:
    setting = setting_of(tiny, {"top_p": 0.9})
    early, late = Row(0, 5, setting), Row(0, 5, setting)
    prepare([early, Row(1, 6, setting)], 49152)
    before, wanted = early.rng.state(), late.rng.state()
    assert before is not None and wanted is not None and torch.equal(before, wanted)
    scores = likely_rows(1, seed=4)
    assert_same_step(early.advance(scores), late.advance(scores))
    prepare([early, Row(2, 7, setting)], 49152)
    early.rng.rewind(before)  # what was prepared is not used
    late.rng.rewind(wanted)
    assert torch.equal(early.rng.noise(100), late.rng.noise(100))


def test_a_row_that_fails_ends_alone(tiny: models.Loaded) -> None:
    setting = setting_of(tiny, {"top_p": 0.9})
    scores = likely_rows(3, seed=5)
    scores[1] = math.nan
    steps = advance([Row(index, index, setting) for index in range(3)], scores)
    assert [step.finish for step in steps] == [None, "error", None]
    assert steps[1].token_id is None
    assert_same_step(steps[2], Row(2, 2, setting, by_reference=True).advance(scores[2][None]))


def test_scores_that_do_not_live_in_float32_are_sampled_too(tiny: models.Loaded) -> None:
    setting = setting_of(tiny, {"top_p": 0.9})
    scores = likely_rows(1, seed=6).double()
    assert_same_step(Row(0, 1, setting).advance(scores), Row(0, 1, setting, by_reference=True).advance(scores))
