"""The quick twins keep the candidates that the samplers keep, and the quick race has the same winner."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.decoding.chain import Chain
from playground.decoding.field import TOLD, Field, Unsure
from playground.decoding.noise import Noise
from playground.decoding.quick import quickly
from playground.decoding.repetition import FrequencyPenalty, PresencePenalty, repetition_penalty
from playground.decoding.samplers import XTC, DynamicTemperature, TailFree, TopA, TopNSigma
from tests.sampling import PLAIN, likely_rows

PROMPT = 5  # of the made-up ids, those that belong to the prompt

shares = st.floats(0.01, 0.99)
leasts = st.sampled_from([1, 1, 1, 2, 7])
scopes = st.sampled_from(["all", "output"])
coins = st.sampled_from([lambda: 0.1, lambda: 0.9])

STAGES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.builds(TemperatureLogitsWarper, st.sampled_from([0.05, 0.3, 0.8, 1.7, 5.0])),
    "repetition": st.builds(RepetitionPenaltyLogitsProcessor, st.sampled_from([0.7, 1.1, 1.5])),
    "range": st.builds(repetition_penalty, st.just(1.3), st.integers(0, 6), scopes, st.just(PROMPT)),
    "presence": st.builds(PresencePenalty, st.sampled_from([-1.0, 0.7]), st.just(PROMPT)),
    "frequency": st.builds(FrequencyPenalty, st.sampled_from([-0.5, 0.3]), st.just(PROMPT)),
    "suppress": st.builds(SuppressTokensLogitsProcessor, st.lists(st.integers(0, 3), min_size=1, max_size=3)),
    "top_k": st.builds(TopKLogitsWarper, st.integers(1, 60), min_tokens_to_keep=leasts),
    "top_p": st.builds(TopPLogitsWarper, st.one_of(shares, st.just(0.0)), min_tokens_to_keep=leasts),
    "min_p": st.builds(MinPLogitsWarper, st.one_of(shares, st.just(1.0)), min_tokens_to_keep=leasts),
    "epsilon": st.builds(EpsilonLogitsWarper, st.sampled_from([3e-4, 0.01, 0.2]), min_tokens_to_keep=leasts),
    "eta": st.builds(EtaLogitsWarper, st.sampled_from([3e-4, 0.01, 0.2]), min_tokens_to_keep=leasts),
    "top_h": st.builds(TopHLogitsWarper, st.sampled_from([0.2, 0.5, 1.0])),
    "typical": st.builds(TypicalLogitsWarper, shares, min_tokens_to_keep=leasts),
    "top_a": st.builds(TopA, st.sampled_from([0.1, 0.5, 1.0]), leasts),
    "top_n_sigma": st.builds(TopNSigma, st.sampled_from([0.3, 1.0, 2.5]), leasts),
    "tail_free": st.builds(TailFree, shares, leasts),
    "xtc": st.builds(XTC, st.just(0.5), st.sampled_from([0.05, 0.2]), coins, st.just(PLAIN), st.just([2]), leasts),
}  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> Tensor:
    """Scores [1, vocab]: peaked or flat, coarse enough to tie or not, some of them −∞."""
    size = draw(st.sampled_from([1, 2, 9, 60, 400, 3000]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    scores = torch.randn((1, size), generator=generator) * draw(st.sampled_from([0.0, 0.05, 1.0, 3.0, 8.0]))
    scores = scores + draw(st.sampled_from([0.0, -7.0, 20.0]))
    if draw(st.booleans()):
        scores = scores.bfloat16().float()
    if draw(st.booleans()):
        scores[torch.rand((1, size), generator=generator) < draw(st.sampled_from([0.1, 0.9]))] = -math.inf
    if draw(st.booleans()):
        scores[0, draw(st.integers(0, size - 1))] = draw(st.sampled_from([0.0, 15.0, 40.0]))
    return scores


chains = st.lists(st.sampled_from(sorted(STAGES)), max_size=5).flatmap(
    lambda names: st.tuples(*(STAGES[n] for n in names))
)


def field_of(chain: Chain, ids: Tensor, scores: Tensor) -> Field:
    slow, twins = quickly(chain)
    assert slow.links == []
    field = Field(scores[0].numpy())
    for twin in twins:
        twin(field, ids[0].numpy())
    return field


def certain(field: Field) -> set[int]:
    return set(np.flatnonzero(field.row > -math.inf) if not field.cut_off else field.ids[: field.sure])


def possible(field: Field) -> set[int]:
    return set(np.flatnonzero(field.row > -math.inf) if not field.cut_off else field.ids)


def quick_answer(chain: Chain, ids: Tensor, scores: Tensor, seed: int) -> tuple[Field, int, list[float]] | None:
    """The field, the token and ten probabilities; None where the quick way leaves it to the chain."""
    before = scores.clone()
    try:
        field = field_of(chain, ids, scores)
        token = field.race(Noise(torch.Generator().manual_seed(seed), scores.shape[1]))
        return field, token, field.chances(range(min(10, scores.shape[1])))
    except Unsure:
        return None
    finally:
        assert torch.equal(scores, before), "the model's scores are not ours to change"


def check(stages: tuple[Any, ...], ids: Tensor, scores: Tensor, seed: int) -> bool:
    """Whether the quick way dares to answer; where it does, it must be right."""
    chain = Chain([(type(stage).__name__, stage) for stage in stages])
    answer = quick_answer(chain, ids, scores, seed)
    try:
        after, left = chain.apply(ids, scores)
    except (ValueError, FloatingPointError):  # transformers' own words for scores of which nothing is left
        left = False
    if not left:
        assert answer is None
        return False
    if answer is None:
        return False
    field, token, told = answer
    kept = set(torch.isfinite(after[0]).nonzero()[:, 0].tolist())
    assert certain(field) <= kept <= possible(field)
    if field.error == 0:
        assert field.alive == len(kept)
    known = torch.from_numpy(field.scores if field.cut_off else field.row)
    places = torch.from_numpy(field.ids if field.cut_off else np.arange(len(field.row)))
    here = torch.isfinite(after[0, places])
    assert torch.equal(known[here], after[0, places][here])
    probabilities = torch.softmax(after, dim=-1)
    assert token == int(torch.multinomial(probabilities, 1, generator=torch.Generator().manual_seed(seed)))
    assert told == pytest.approx(probabilities[0, :10].tolist(), abs=TOLD + 3e-5)
    return True


@settings(max_examples=600, deadline=None)
@given(chains, rows(), st.integers(0, 1000))
def test_any_chain_keeps_and_picks_what_its_samplers_do(stages: tuple[Any, ...], scores: Tensor, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, scores.shape[1], (1, PROMPT + seed % 9), generator=generator)
    check(stages, ids, scores, seed)


ORDINARY: dict[str, tuple[Any, ...]] = {
    "temperature": (TemperatureLogitsWarper(0.8),),
    "top_k": (TemperatureLogitsWarper(0.8), TopKLogitsWarper(40)),
    "top_p": (TemperatureLogitsWarper(0.8), TopPLogitsWarper(0.9)),
    "top_p first": (TopPLogitsWarper(0.9), TemperatureLogitsWarper(0.8)),
    "min_p": (TemperatureLogitsWarper(1.3), MinPLogitsWarper(0.05)),
    "penalties": (RepetitionPenaltyLogitsProcessor(1.1), FrequencyPenalty(0.3, PROMPT), PresencePenalty(0.3, PROMPT)),
    "penalty last": (TopKLogitsWarper(50), TopPLogitsWarper(0.9), RepetitionPenaltyLogitsProcessor(1.1)),
    "epsilon": (EpsilonLogitsWarper(0.0005),),
    "eta": (EtaLogitsWarper(0.0005),),
    "top_h": (TopHLogitsWarper(0.5),),
    "typical": (TypicalLogitsWarper(0.7),),
    "top_a": (TopA(0.3),),
    "top_n_sigma": (TopNSigma(2.0),),
    "tail_free": (TailFree(0.9),),
    "xtc": (XTC(0.5, 0.05, lambda: 0.1, PLAIN, [2]),),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_scores_seldom_need_the_chain_itself(name: str) -> None:
    ids = torch.randint(0, 49152, (1, 50), generator=torch.Generator().manual_seed(1))
    answered = [check(ORDINARY[name], ids, row[None], seed) for seed, row in enumerate(likely_rows(20, seed=3))]
    assert sum(answered) >= 17


def test_a_chain_runs_as_it_is_up_to_its_last_stage_without_a_twin() -> None:
    links = [TopKLogitsWarper(5), DynamicTemperature(1.0, 0.5, 1.0), TopPLogitsWarper(0.9), TopA(0.1)]
    slow, twins = quickly(Chain([(type(link).__name__, link) for link in links]))
    assert [stage for stage, _ in slow.links] == ["TopKLogitsWarper", "DynamicTemperature"]
    assert len(twins) == 2
