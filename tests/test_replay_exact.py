"""Replay decides every position as transformers' samplers and torch's draw do: every one, alone and together."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from playground import parameters
from playground.decoding.keep import STORE, KeptRow, KeptRun
from playground.decoding.row import Setting, effect
from playground.generators.local import LocalGenerator
from playground.inspection.replay import decide
from playground.inspection.replay_context import Decision, ReplayContext
from playground.rendering.detokenize import Labels
from playground.sampling.draw import RowRNG
from playground.sampling.pipeline import usable
from tests import reference
from tests.sampling import Words

PROMPT = "Write a slogan for a coffee shop called the morning light:"
SEED = 4

ALONE: list[dict[str, Any]] = [
    {"temperature": 0.6}, {"temperature": 1.7}, {"temperature": 0.05}, {"temperature": 0}, {"temperature": 5.0},
    {"top_k": 1}, {"top_k": 30}, {"top_p": 0.0}, {"top_p": 0.4}, {"top_p": 0.97}, {"min_p": 0.03}, {"min_p": 1.0},
    {"top_a": 0.2}, {"epsilon_cutoff": 0.003}, {"eta_cutoff": 0.003}, {"typical_p": 0.2}, {"typical_p": 0.9},
    {"tfs": 0.6}, {"tfs": 0.95}, {"top_n_sigma": 1.0}, {"top_n_sigma": 2.5}, {"top_h": 0.3}, {"top_h": 0.8},
    {"dynatemp_high": 1.5}, {"dynatemp_high": 3.0, "dynatemp_low": 0.2, "dynatemp_exponent": 2.0},
    {"smoothing_factor": 0.3}, {"smoothing_factor": 0.3, "smoothing_curve": 4.0},
    {"mirostat_tau": 3.0}, {"mirostat_tau": 0.5, "mirostat_eta": 0.5}, {"adaptive_target": 0.3, "min_p": 0.02},
    {"adaptive_target": 0.7, "adaptive_decay": 0.5}, {"xtc_probability": 0.5}, {"xtc_probability": 1.0,
    "xtc_threshold": 0.02}, {"min_tokens_to_keep": 4, "top_p": 0.2}, {"min_tokens_to_keep": 3, "typical_p": 0.1},
    {"repetition_penalty": 1.25}, {"repetition_penalty": 0.8}, {"no_repeat_ngram_size": 2}, {"dry_multiplier": 0.8},
    {"presence_penalty": -1.0, "frequency_penalty": 0.5}, {"ignore_eos": True}, {"suppress_tokens": [3, 40]},
    {"watermark": True}, {"order": "llama.cpp"},
]  # fmt: skip
MOVABLE = [
    "repetition_penalty", "dry", "suppress_tokens", "temperature", "dynatemp", "smoothing", "top_k", "top_p", "min_p",
    "typical_p", "tfs", "top_n_sigma", "top_h", "top_a", "eta_cutoff", "epsilon_cutoff", "xtc", "mirostat",
    "adaptive_p",
]  # fmt: skip


def combination(number: int) -> dict[str, Any]:
    """Up to six samplers at once, a third of the time in an order of their own."""
    chance = random.Random(number)
    given: dict[str, Any] = {}
    for piece in chance.sample(ALONE, chance.randint(2, 6)):
        given.update(piece)
    if given.get("temperature") == 0:
        given["temperature"] = 1.0
    return given if chance.random() < 0.7 else {**given, "order": ",".join(chance.sample(MOVABLE, 8))}


def values_of(given: dict[str, Any]) -> dict[str, Any]:
    return parameters.validate({"seed": SEED, "ignore_eos": False, **given})


def by_reference(row: KeptRow, given: dict[str, Any]) -> list[Decision]:
    """Every position in turn, by each sampler's reference and by torch's own draw."""
    context, found = ReplayContext(row, values_of(given)), []
    states = context.noise_states()
    for position, own in enumerate(context.tokens):
        one = context.candidates(position)
        final = context.pipeline.reference(one)
        if not usable(final):
            final = context.pipeline.last_resort(context.candidates(position))
        context.rng.rewind(states[position])
        greedy = context.setting.greedy
        token = int(final.argmax()) if greedy else context.rng.multinomial(final.softmax(dim=-1))
        found.append(Decision(token, int(torch.isfinite(final).sum()), float(final.log_softmax(dim=-1)[0, own])))
        context.chosen(position)
    return found


def assert_exact(row: KeptRow, given: dict[str, Any]) -> None:
    found, wanted = decide(ReplayContext(row, values_of(given))), by_reference(row, given)
    assert [one.token for one in found] == [one.token for one in wanted], given
    assert [one.alive for one in found] == [one.alive for one in wanted], given
    assert [one.own_logprob for one in found] == pytest.approx([one.own_logprob for one in wanted], abs=2e-4), given


class _Words(Words):
    all_special_ids = (2,)


def made_up(
    dtype: torch.dtype, *, size: int = 1500, count: int = 10, sharpness: float = 2.5, guided: bool = False
) -> KeptRow:
    """A row of random scores over a small vocabulary; in bf16 many of them are equal."""
    torch.manual_seed(size + count)
    words = _Words("<unk>", "\n", "<end>", *(f" {number}" for number in range(3, size)))
    values, greedy = effect(values_of({}), has_eos=True)
    setting = Setting(values, greedy, torch.tensor([[5, 9, 7, 11]]), words, Labels(words), [2], size, 512, False, bool)
    row = KeptRun(None, "", values_of({}), setting, [SEED]).rows[0]
    rng = RowRNG(SEED, torch.device("cpu"), greedy=False)
    for position in range(count):
        scores = (torch.randn(1, size) * sharpness).to(dtype).float()
        row.put(position, scores, torch.randn(1, size) if guided else None, dtype, None)
        row.tokens.append(rng.multinomial(scores.softmax(dim=-1)))
    row.run.close()
    return row


@pytest.fixture(scope="module")
def rows() -> dict[str, KeptRow]:
    return {
        "equal scores": made_up(torch.bfloat16),
        "all scores different": made_up(torch.float32),
        "nearly flat": made_up(torch.bfloat16, sharpness=0.7),
        "a peak": made_up(torch.float32, sharpness=6.0),
    }


@pytest.mark.parametrize("kind", ["equal scores", "all scores different", "nearly flat", "a peak"])
def test_every_sampler_alone(rows: dict[str, KeptRow], kind: str) -> None:
    for given in ALONE:
        assert_exact(rows[kind], given)


@pytest.mark.parametrize("kind", ["equal scores", "all scores different", "nearly flat", "a peak"])
def test_samplers_together(rows: dict[str, KeptRow], kind: str) -> None:
    for number in range(70):
        assert_exact(rows[kind], combination(number))


@pytest.fixture(scope="module")
def real(load_embedded: Any) -> Iterator[dict[str, KeptRow]]:
    """A row of the embedded model in either number format."""
    found = {}
    for weights in ("fp32", "bf16"):
        asked = reference.request(PROMPT, {"seed": SEED, "max_new_tokens": 10, "temperature": 0.9}, keep=weights)
        reference.written(LocalGenerator(load_embedded(weights)), asked)
        run = STORE.get(weights)
        assert run is not None
        found[weights] = run.rows[0]
    yield found
    for weights in found:
        STORE.forget(weights)


@pytest.mark.model
@pytest.mark.parametrize("weights", ["fp32", "bf16"])
def test_a_real_model_s_row(real: dict[str, KeptRow], weights: str) -> None:
    for given in (*ALONE, *map(combination, range(500, 515))):
        assert_exact(real[weights], given)


def test_another_seed_and_one_candidate_left(rows: dict[str, KeptRow]) -> None:
    for given in ({"seed": 5}, {"seed": 5, "top_k": 1}, {"seed": 5, "mirostat_tau": 3.0}, {"top_k": 1}):
        assert_exact(rows["equal scores"], given)
