"""The waterfall of one token: its numbers are those of the real chain and pick, its sentences those of the scores."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    LogitsProcessor,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground import models, parameters
from playground.decoding.run_store import RUN_STORE, StoredRow
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api
from playground.inspection_results import StageBreakdown
from playground.types import InvalidRequest
from tests import reference
from tests.test_replay import PROMPT, combination

STAGED = {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.2}


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    RUN_STORE.forget("w")


def write(loaded: models.Loaded, **values: Any) -> StoredRow:
    asked = reference.request(PROMPT, {"seed": 9, "max_new_tokens": 16, **values}, keep="w")
    reference.written(LocalGenerator(loaded), asked)
    run = RUN_STORE.get("w")
    assert run is not None
    return run.rows[0]


def at(position: int, **more: Any) -> StageBreakdown:
    return inspect_api.stage_breakdown("w", 0, position, **more)


@pytest.mark.parametrize("number", range(0, 60, 3))
def test_it_ends_with_the_token_that_was_drawn(tiny: models.Loaded, number: int) -> None:
    row = write(tiny, **{**combination(number), "max_new_tokens": 10})
    for position in (0, len(row.tokens) // 2, len(row.tokens) - 1):
        found = at(position)
        assert found.draw is not None and found.draw.token.token_id == row.tokens[position]
        assert [stage.stage for stage in found.stages] == [
            stage for stage in parameters.stages(row.run.values["order"]) if stage in {s.stage for s in found.stages}
        ]
        for before, after in zip(found.stages, found.stages[1:], strict=False):
            assert after.alive_before == before.alive_after
            assert after.entropy_before == pytest.approx(before.entropy_after, abs=1e-3)


@pytest.mark.model
def test_each_stage_s_numbers_are_those_of_its_own_definition(loaded: models.Loaded) -> None:
    row = write(loaded, **STAGED)
    found = at(5)
    by_name = {stage.stage: stage for stage in found.stages}
    assert list(by_name) == ["repetition_penalty", "temperature", "top_k", "top_p", "min_p"]
    z = row.scores(5)[0][0]
    seen = torch.tensor(sorted({*row.run.setting.prompt[0].tolist(), *row.tokens[:5]}))
    z[seen] = torch.where(z[seen] > 0, z[seen] / 1.2, z[seen] * 1.2)
    p = (z / 0.8).softmax(-1).double().sort(descending=True).values
    assert by_name["top_k"].alive_after == 40
    assert by_name["top_k"].mass_cut == pytest.approx(float(p[40:].sum()), abs=1e-5)
    p = p[:40] / p[:40].sum()
    kept = int((p.cumsum(0) - p < 0.9).sum())
    assert by_name["top_p"].alive_after == kept
    assert by_name["top_p"].mass_cut == pytest.approx(float(p[kept:].sum()), abs=1e-5)
    p = p[:kept] / p[:kept].sum()
    assert by_name["top_p"].entropy_after == pytest.approx(float(-(p * p.log2()).sum()), abs=1e-4)
    assert by_name["min_p"].alive_after == int((p >= 0.05 * p[0]).sum())
    drawn = next(outcome for outcome in found.outcomes if outcome.token.token_id == row.tokens[5])
    assert found.draw is not None and found.draw.probability == pytest.approx(drawn.p_after)
    q = p[p >= 0.05 * p[0]]
    assert drawn.p_after == pytest.approx(float(q[found.draw.rank - 1] / q.sum()), abs=1e-4)


PROCESSORS: dict[str, Callable[[Any], LogitsProcessor]] = {
    "repetition_penalty": RepetitionPenaltyLogitsProcessor,
    "no_repeat_ngram_size": NoRepeatNGramLogitsProcessor,
    "suppress_tokens": SuppressTokensLogitsProcessor,
    "temperature": TemperatureLogitsWarper,
    "top_h": TopHLogitsWarper,
    "top_k": TopKLogitsWarper,
    "top_p": TopPLogitsWarper,
    "min_p": MinPLogitsWarper,
    "typical_p": TypicalLogitsWarper,
    "epsilon_cutoff": EpsilonLogitsWarper,
    "eta_cutoff": EtaLogitsWarper,
}
"""transformers' own processors, in transformers' order."""

SURVIVED: list[dict[str, Any]] = [
    STAGED,
    {"top_h": 0.5, "temperature": 1.4},
    {"typical_p": 0.6, "epsilon_cutoff": 0.0004, "suppress_tokens": [28, 30]},
    {"no_repeat_ngram_size": 1, "eta_cutoff": 0.002, "top_p": 0.97, "top_k": 500},
]


@pytest.mark.parametrize("given", SURVIVED, ids=str)
def test_the_survivors_of_each_stage_are_those_that_the_processors_keep(
    tiny: models.Loaded, given: dict[str, Any]
) -> None:
    row = write(tiny, **given)
    chance = random.Random(1)
    for position in (0, 7):
        scores, gone = row.scores(position)[0], dict[int, str]()
        history = torch.cat([row.run.setting.prompt, torch.tensor([row.tokens[:position]], dtype=torch.long)], dim=1)
        by_name = {stage.stage: stage for stage in at(position).stages}
        assert by_name.keys() == given.keys()
        for name in (name for name in PROCESSORS if name in given):
            before = torch.isfinite(scores)[0]
            scores = PROCESSORS[name](given[name])(history, scores)
            left = torch.isfinite(scores)[0]
            assert (by_name[name].alive_before, by_name[name].alive_after) == (int(before.sum()), int(left.sum()))
            gone.update(dict.fromkeys((before & ~left).nonzero()[:, 0].tolist(), name))
        kept = torch.isfinite(scores)[0].nonzero()[:, 0].tolist()
        for token in (*chance.sample(sorted(gone), 6), *chance.sample(kept, min(3, len(kept)))):
            outcome = next(one for one in at(position, search=token).outcomes if one.token.token_id == token)
            assert outcome.stage == gone.get(token)


@pytest.mark.model
def test_every_token_that_is_gone_says_which_stage_took_it_and_by_how_much(loaded: models.Loaded) -> None:
    write(loaded, **STAGED)
    for position in range(0, 12, 3):
        found = at(position, search=40_000)
        assert any(outcome.token.token_id == 40_000 for outcome in found.outcomes)
        for outcome in found.outcomes:
            assert (outcome.stage is None) == (outcome.p_after > 0)
            if outcome.reason is None:
                continue
            assert outcome.reason.zh
            numbers = re.search(r"(rank|cumulative)? ?([\d.e-]+) ([><]) ([\d.]+)(?: × ([\d.]+))?$", outcome.reason.en)
            assert numbers is not None, outcome.reason.en
            left, right = float(numbers[2]), float(numbers[4]) * float(numbers[5] or 1)
            assert left >= right if numbers[3] == ">" else left <= right * 1.01


@pytest.mark.model
def test_the_runner_up_wins_once_it_is_raised_by_its_lead(loaded: models.Loaded) -> None:
    row = write(loaded, temperature=0.9)
    for position in (1, 4, 9):
        draw = at(position).draw
        assert draw is not None and draw.runner_up is not None and draw.race is not None
        state = row.noise_state(position)
        assert state is not None
        z = row.scores(position)[0] / 0.9
        for factor, winner in ((0.999, draw.token), (1.001, draw.runner_up.token)):
            raised = z.clone()
            raised[0, draw.runner_up.token.token_id] += draw.runner_up.lead * factor + math.copysign(1e-5, factor - 1)
            generator = torch.Generator()
            generator.set_state(state)
            assert int(torch.multinomial(raised.softmax(-1), 1, generator=generator)) == winner.token_id


def test_a_stage_without_words_of_its_own_is_told_by_the_least_that_it_kept(tiny: models.Loaded) -> None:
    for setting in ({"tfs": 0.6}, {"top_h": 0.3}, {"eta_cutoff": 0.01}):
        row = write(tiny, **setting)
        gone = [one for one in at(3, search=int(row.scores(3)[0].argmin())).outcomes if one.reason is not None]
        assert gone
        for outcome in gone:
            assert outcome.reason is not None
            found = re.search(r"([\d.e-]+) is below ([\d.e-]+), the least", outcome.reason.en)
            assert found is not None and float(found[1]) <= float(found[2])


def test_what_stepping_back_ruled_out_is_named_with_its_phrase(tiny: models.Loaded) -> None:
    row = write(tiny, banned_phrases=["e", "th"], temperature=1.3, max_new_tokens=24)
    place, tokens = next(iter(row.forbidden.items()))
    found = at(place, search=next(iter(tokens)))
    assert {token.token_id for token in found.forbidden} == set(tokens)
    outcome = next(outcome for outcome in found.outcomes if outcome.token.token_id in tokens)
    assert outcome.stage == "banned_phrases" and outcome.reason is not None
    assert next(iter(tokens.values())) in outcome.reason.en


def test_other_values_show_what_they_would_have_drawn(tiny: models.Loaded) -> None:
    row = write(tiny)
    values = parameters.validate({"seed": 9, "max_new_tokens": 16, "top_k": 2, "temperature": 0.4})
    told = inspect_api.replay("w", 0, values)
    for position in range(0, len(row.tokens), 4):
        draw = at(position, values=values).draw
        assert draw is not None and draw.token.token_id == told.tokens[position]


def test_a_stateful_sampler_stands_where_it_stood(tiny: models.Loaded) -> None:
    row = write(tiny, mirostat_tau=2.0, mirostat_eta=0.5)
    for position in (0, 5, len(row.tokens) - 1):
        draw = at(position).draw
        assert draw is not None and draw.token.token_id == row.tokens[position]


def test_a_place_or_a_token_that_does_not_exist_is_refused(tiny: models.Loaded) -> None:
    row = write(tiny)
    for ask in (
        lambda: at(len(row.tokens)),
        lambda: at(-1),
        lambda: at(0, search=10**6),
        lambda: inspect_api.stage_breakdown("w", 1, 0),
    ):
        with pytest.raises(InvalidRequest):
            ask()
