"""Replay: unchanged settings give a run's own tokens, others what the same draws would give, without the model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from playground import models, parameters
from playground.decoding.run_store import RUN_STORE, StoredRow
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api
from playground.inspection.replay import decide
from playground.inspection.replay_context import ReplayContext
from playground.types import PlaygroundError, Refused
from tests import reference

PROMPT = "Write a slogan for a coffee shop called the morning light:"

OWN: list[dict[str, Any]] = [
    {"xtc_probability": 0.5},
    {"dry_multiplier": 0.8},
    {"mirostat_tau": 3.0},
    {"adaptive_target": 0.3, "min_p": 0.02},
    {"presence_penalty": 0.6, "frequency_penalty": 0.4},
    {"dynatemp_high": 1.5},
    {"smoothing_factor": 0.3},
    {"top_a": 0.1},
    {"tfs": 0.9},
    {"top_n_sigma": 1.2},
    {"banned_phrases": ["e", "th"]},
    {"order": "llama.cpp", "temperature": 1.8, "min_p": 0.05},
    {"repetition_penalty": 1.3, "repetition_penalty_range": 8},
    {"min_tokens_to_keep": 4, "top_p": 0.2},
]
PIECES = [*reference.PIECES, *OWN]

EMBEDDED: list[dict[str, Any]] = [
    {"temperature": 0.8, "top_p": 0.9, "repetition_penalty": 1.2},
    {"xtc_probability": 0.5, "dry_multiplier": 0.8, "temperature": 1.2},
    {"mirostat_tau": 3.0},
    {"guidance_scale": 1.5, "negative_prompt": "A sad text.", "top_k": 50},
    {"banned_phrases": ["the", "a "], "temperature": 1.2, "min_p": 0.02},
]


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    for run_id in ("a", "b"):
        RUN_STORE.forget(run_id)


def write(loaded: models.Loaded, values: dict[str, Any], run_id: str = "a") -> list[StoredRow]:
    asked = reference.request(PROMPT, {"max_new_tokens": 24, **values}, keep=run_id)
    reference.written(LocalGenerator(loaded), asked)
    run = RUN_STORE.get(run_id)
    assert run is not None
    return run.rows


def combination(number: int) -> dict[str, Any]:
    chance = random.Random(number)
    chosen: dict[str, Any] = {"seed": chance.randrange(1000)}
    for piece in chance.sample(PIECES, chance.randint(1, 5)):
        chosen.update(piece)
    return chosen


def assert_same(row: StoredRow) -> None:
    assert row.tokens
    assert [one.token for one in decide(ReplayContext(row, row.run.values))] == row.tokens


@pytest.mark.parametrize("number", range(100))
def test_unchanged_settings_replay_every_token(tiny: models.Loaded, number: int) -> None:
    for row in write(tiny, {"max_new_tokens": 16, **combination(number)}):
        assert_same(row)


def test_the_hundred_settings_hold_every_sampler() -> None:
    asked = {name for number in range(100) for name in combination(number)}
    forms = parameters.grouped()["form"]  # one at a time, and unlike the others: tests/test_form.py
    acting = {p.name for p in parameters.REGISTRY if p.stage is not None and p.needs is None and p not in forms}
    assert acting <= asked | {"banned_phrases"}
    assert len({combination(number)["seed"] for number in range(100)}) > 80


@pytest.mark.model
@pytest.mark.parametrize("loaded", ["fp32", "bf16"], indirect=True)
@pytest.mark.parametrize("values", EMBEDDED, ids=str)
def test_unchanged_settings_replay_every_token_of_the_embedded_model(
    loaded: models.Loaded, values: dict[str, Any]
) -> None:
    for row in write(loaded, {"seed": 11, "max_new_tokens": 12, **values}):
        assert_same(row)


@pytest.mark.parametrize("number", range(40))
def test_the_first_divergence_is_that_of_a_real_second_run(tiny: models.Loaded, number: int) -> None:
    first, second = combination(number), combination(number + 1000)
    seed = {"seed": number, "max_new_tokens": 24, "banned_phrases": []}
    row = write(tiny, {**first, **seed})[0]
    values = parameters.validate({**second, **seed, "max_new_tokens": 24})
    if inspect_api.cannot_replay(row.run.values, values):
        values = {**values, "guidance_scale": row.run.values["guidance_scale"],
                  "negative_prompt": row.run.values["negative_prompt"]}  # fmt: skip
    told = inspect_api.replay("a", 0, values)
    real = write(tiny, values, "b")[0].tokens
    places = [at for at, (one, other) in enumerate(zip(row.tokens, real, strict=False)) if one != other]
    if not places:
        assert told.first is None or told.first.index >= min(len(row.tokens), len(real))
        return
    assert told.first is not None and told.first.would_be is not None
    assert told.first.index == places[0]
    assert told.first.would_be.token_id == real[places[0]]


def test_the_text_of_a_banned_phrase_diverges_where_it_begins(tiny: models.Loaded) -> None:
    row = write(tiny, {"seed": 3})[0]
    text = tiny.tokenizer.decode(row.tokens[6:8])
    values = parameters.validate({"seed": 3, "max_new_tokens": 24, "banned_phrases": [text]})
    told = inspect_api.replay("a", 0, values)
    real = write(tiny, values, "b")[0].tokens
    place = next(at for at, (one, other) in enumerate(zip(row.tokens, real, strict=False)) if one != other)
    assert told.first is not None and told.first.would_be is not None
    assert (told.first.index, told.first.would_be.token_id) == (place, real[place])


def test_fewer_tokens_and_a_stop_string_end_the_text_where_a_run_would(tiny: models.Loaded) -> None:
    row = write(tiny, {"seed": 3})[0]
    for change in ({"max_new_tokens": 7}, {"stop": [tiny.tokenizer.decode(row.tokens[5:7])]}):
        values = parameters.validate({"seed": 3, "max_new_tokens": 24, **change})
        told = inspect_api.replay("a", 0, values)
        real = write(tiny, values, "b")[0].tokens
        assert told.first is not None and told.first.would_be is None and told.ending is not None
        assert told.first.index == len(real)
    longer = inspect_api.replay("a", 0, parameters.validate({"seed": 3, "max_new_tokens": 100}))
    assert longer.first is None and longer.ending is not None


def test_the_log_probability_is_the_chain_s_over_the_own_text(tiny: models.Loaded) -> None:
    row = write(tiny, {"seed": 3})[0]
    values = parameters.validate({"seed": 3, "max_new_tokens": 24, "temperature": 0.5, "top_k": 4})
    told = inspect_api.replay("a", 0, values)
    total, impossible = 0.0, 0
    for position, own in enumerate(row.tokens):
        scores = row.scores(position)[0] / 0.5
        kept = scores.masked_fill(scores < scores.topk(4).values[:, -1:], -torch.inf)
        likely = float(kept.log_softmax(-1)[0, own])
        total, impossible = (total, impossible + 1) if likely == -torch.inf else (total + likely, impossible)
    assert told.impossible == impossible
    assert told.logprob == pytest.approx(total, rel=1e-5)
    assert told.own_impossible == 0


def test_another_seed_draws_what_a_run_with_it_draws_first(tiny: models.Loaded) -> None:
    write(tiny, {"seed": 3, "n": 2})
    values = parameters.validate({"seed": 77, "max_new_tokens": 24, "n": 2})
    would_be = [inspect_api.replay("a", row, values).tokens[0] for row in (0, 1)]
    assert would_be == [row.tokens[0] for row in write(tiny, values, "b")]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ({}, {"guidance_scale": 1.5}, "Guidance"),
        ({"guidance_scale": 2.0}, {"guidance_scale": 2.0, "negative_prompt": "x"}, "negative"),
        ({}, {"n": 2}, "candidates"),
        ({}, {"num_beams": 2}, "beam"),
    ],
)
def test_what_needs_the_model_is_named(
    tiny: models.Loaded, old: dict[str, Any], new: dict[str, Any], word: str
) -> None:
    row = write(tiny, {"seed": 3, **old})[0]
    values = parameters.validate({"seed": 3, "max_new_tokens": 24, **new})
    why = inspect_api.cannot_replay(row.run.values, values)
    assert why is not None and word in why.en and why.zh
    with pytest.raises(Refused):
        inspect_api.replay("a", 0, values)


def test_guidance_that_was_on_can_be_turned_off(tiny: models.Loaded) -> None:
    row = write(tiny, {"seed": 3, "guidance_scale": 2.0})[0]
    values = parameters.validate({"seed": 3, "max_new_tokens": 24})
    assert inspect_api.cannot_replay(row.run.values, values) is None
    told = inspect_api.replay("a", 0, values)
    assert told.first is not None
    real = write(tiny, values, "b")[0].tokens
    assert told.first.would_be is not None and real[told.first.index] == told.first.would_be.token_id


def test_a_run_that_is_gone_or_still_written_says_so(tiny: models.Loaded) -> None:
    values = parameters.validate({"seed": 3})
    with pytest.raises(PlaygroundError, match="not kept"):
        inspect_api.replay("nobody", 0, values)
    steps = LocalGenerator(tiny).stream(reference.request(PROMPT, {"seed": 3}, keep="a"))
    next(steps)
    with pytest.raises(PlaygroundError, match="still being written"):
        inspect_api.replay("a", 0, values)
    assert inspect_api.stage_breakdown("a", 0, 0).draw is not None
    steps.close()  # type: ignore[attr-defined]
    assert len(inspect_api.replay("a", 0, values).tokens) == 1
