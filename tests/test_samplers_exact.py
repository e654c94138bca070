"""Every sampler gives over many positions, to the bit, what its reference gives over one; and the draw is torch's."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from playground import models, parameters
from playground.decoding.row import Row, Setting, advance, build_pipeline, effect
from playground.rendering.detokenize import Labels
from playground.sampling import candidates as tables
from playground.sampling.candidates import Candidates
from playground.sampling.draw import race
from playground.sampling.noise import Noise
from playground.sampling.pipeline import SamplerPipeline, run, sampler_class
from playground.sampling.sampler import ProcessorSampler, Sampler, stack
from playground.token_views import TokenChance
from playground.types import Step
from tests.sampling import likely_rows
from tests.test_step import SETTINGS, assert_same_step

PROMPT = "Once upon a time in the west"
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0.0, 0.05, 0.7, 1.3, 4.0]),
    "dynatemp_high": st.sampled_from([1.5, 3.0]),
    "smoothing_factor": st.sampled_from([0.1, 0.5]),
    "smoothing_curve": st.sampled_from([1.0, 3.0]),
    "top_k": st.sampled_from([1, 3, 40, 100_000]),
    "top_p": st.sampled_from([0.0, 0.3, 0.9, 0.999]),
    "min_p": st.sampled_from([0.02, 0.4, 1.0]),
    "top_h": st.sampled_from([0.2, 0.6, 1.0]),
    "typical_p": st.sampled_from([0.3, 0.95]),
    "epsilon_cutoff": st.sampled_from([3e-4, 0.05]),
    "eta_cutoff": st.sampled_from([3e-4, 0.05]),
    "top_a": st.sampled_from([0.1, 0.7]),
    "tfs": st.sampled_from([0.5, 0.95]),
    "top_n_sigma": st.sampled_from([0.5, 2.0]),
    "xtc_probability": st.sampled_from([0.5, 1.0]),
    "xtc_threshold": st.sampled_from([0.02, 0.2]),
    "mirostat_tau": st.sampled_from([1.0, 4.0]),
    "adaptive_target": st.sampled_from([0.2, 0.6]),
    "min_tokens_to_keep": st.sampled_from([1, 2, 7, 49152]),
    "repetition_penalty": st.sampled_from([0.8, 1.2]),
    "repetition_penalty_range": st.sampled_from([0, 3]),
    "repetition_penalty_scope": st.sampled_from(["all", "output"]),
    "encoder_repetition_penalty": st.sampled_from([0.8, 1.2]),
    "presence_penalty": st.sampled_from([-0.5, 0.7]),
    "frequency_penalty": st.sampled_from([-0.5, 0.3]),
    "no_repeat_ngram_size": st.sampled_from([1, 2]),
    "encoder_no_repeat_ngram_size": st.sampled_from([1, 2]),
    "dry_multiplier": st.just(0.8),
    "dry_allowed_length": st.just(1),
    "logit_bias": st.sampled_from([{" the": 6.0}, {"Once upon": -4.0, "a": 2.0}]),
    "bad_words_ids": st.just([[7], [5, 6]]),
    "suppress_tokens": st.sampled_from([[0], [5, 6, 2]]),
    "begin_suppress_tokens": st.just([3, 77]),
    "min_new_tokens": st.sampled_from([1, 9]),
    "exponential_decay_factor": st.just(1.2),
    "ignore_eos": st.just(True),
    "watermark": st.just(True),
    "watermark_seeding": st.sampled_from(["lefthash", "selfhash"]),
}  # fmt: skip
ORDERS = st.sampled_from(
    ["transformers", "llama.cpp", "top_p,temperature,top_k,repetition_penalty", "min_p,top_h,dynatemp"]
)
KINDS = st.sampled_from(["peaked", "flat", "tied", "level", "ruled out", "certain"])
QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


def setting_of(tiny: models.Loaded, values: dict[str, Any], prompt: str = PROMPT) -> Setting:
    effective, greedy = effect(parameters.validate({"max_new_tokens": 24, **values}), has_eos=True)
    ids = torch.tensor([tiny.tokenizer(prompt).input_ids])
    labels = Labels(tiny.tokenizer)
    return Setting(effective, greedy, ids, tiny.tokenizer, labels, [2], 49152, 512, False, lambda: False)


def scores_of(kind: str, rows: int, seed: int) -> Tensor:
    """Peaked as a model's, flat, tied everywhere, or with most tokens ruled out."""
    scores = likely_rows(rows, seed, coarse=kind == "tied")
    if kind == "flat":
        scores = scores * 1e-3
    if kind == "level":
        scores = torch.zeros_like(scores)
    if kind == "ruled out":
        scores[torch.rand(scores.shape, generator=torch.Generator().manual_seed(seed)) < 0.9] = -math.inf
    if kind == "certain":
        scores[:, 77] = 90.0
    return scores


def positions(tiny: models.Loaded, scores: Tensor, *, strict: bool = False) -> Candidates:
    ids = torch.tensor(tiny.tokenizer(PROMPT + " a time" * 3).input_ids)
    histories = [ids[: len(ids) - row] for row in range(len(scores))]
    return Candidates(scores, histories, uniform=lambda _: 0.3, strict=strict)


def test_every_stage_of_the_registry_has_a_sampler_with_all_its_forms() -> None:
    named = {record.sampler for record in parameters.REGISTRY if record.stage is not None}
    assert None not in named
    for name in named:
        found = sampler_class(str(name))
        if name == "form":  # a function: which class of sampler there is depends on what is asked for
            continue
        assert isinstance(found, type) and issubclass(found, Sampler), name
        assert found is not ProcessorSampler
        assert found.explain is not Sampler.explain, f"{name} does not explain itself"
        own = found.apply is not Sampler.apply
        processor = "self.processor" in "".join(_source(kind) for kind in found.__mro__ if kind is not object)
        assert own or processor or hasattr(found, "processor"), f"{name} has neither apply nor a reference"


def _source(kind: type) -> str:
    import inspect

    return inspect.getsource(kind)


def test_what_is_drawn_here_wakes_every_stage() -> None:
    stages = {p.stage for p in parameters.REGISTRY if p.stage is not None} - {"form", "guidance"}
    woken = {parameters.by_name()[name].stage for name in VALUES}
    assert stages <= woken


@settings(max_examples=600, **QUIET)  # type: ignore[arg-type]
@given(name=st.sampled_from(sorted(VALUES)), data=st.data(), kind=KINDS, seed=st.integers(0, 2**20))
def test_a_sampler_leaves_to_the_bit_what_its_reference_leaves(
    tiny: models.Loaded, name: str, data: st.DataObject, kind: str, seed: int
) -> None:
    given_ = {name: data.draw(VALUES[name]), "min_tokens_to_keep": data.draw(VALUES["min_tokens_to_keep"])}
    needs = parameters.by_name()[name].needs
    if needs is not None:
        given_[needs] = data.draw(VALUES[needs])
    pipeline = build_pipeline(setting_of(tiny, given_))
    scores = scores_of(kind, 2, seed)
    before = scores.clone()
    for strict in (True, False):
        for row in (0, 1):
            one = positions(tiny, scores, strict=strict).only(row)
            assert_left(pipeline, one, positions(tiny, scores).only(row))
    assert torch.equal(scores, before), "the model's scores are not ours to change"


def assert_left(pipeline: SamplerPipeline, one: Candidates, same: Candidates) -> None:
    try:
        want = pipeline.reference(same)
    except (ValueError, RuntimeError):  # transformers' own words for scores of which nothing is left
        return
    got = pipeline.apply(one)
    if one.uncertain:
        assert not one.strict
        return
    if not one.parted:
        assert torch.equal(got, want)
        return
    assert not one.strict
    open_ = torch.zeros(want.shape[1], dtype=torch.bool)
    for equal in one.parted:
        open_[torch.from_numpy(equal)] = True
    assert torch.equal(got[0, ~open_], want[0, ~open_])
    assert torch.equal(got[0, open_].sort().values, want[0, open_].sort().values)


@settings(max_examples=600, **QUIET)  # type: ignore[arg-type]
@given(
    values=st.fixed_dictionaries({}, optional={**VALUES, "order": ORDERS}),
    kind=KINDS,
    seed=st.integers(0, 2**20),
)
def test_any_pipeline_draws_what_transformers_and_torch_draw(
    tiny: models.Loaded, values: dict[str, Any], kind: str, seed: int
) -> None:
    values = {name: values[name] for name in list(values)[: 1 + seed % 7]}
    ours, theirs = (Row(0, seed, setting_of(tiny, values), by_reference=on) for on in (False, True))
    for step in range(2):
        scores = scores_of(kind, 1, seed + step)
        one, other = ours.advance(scores), theirs.advance(scores)
        if other.finish == "error":  # transformers' own words for scores of which nothing is left
            return
        assert_same_pick(one, other)
        mine, its = ours.rng.state(), theirs.rng.state()
        assert (mine is None and its is None) or (mine is not None and its is not None and torch.equal(mine, its))


def assert_same_pick(one: Step, other: Step) -> None:
    """As `assert_same_step`, but of equal scores any may be named among the likeliest, in any order."""

    def named(step: Step) -> tuple[TokenChance, ...]:
        top = step.top or ()
        above = [chance for chance in top if chance.p_model > top[-1].p_model + 1e-6]
        return tuple(sorted(above, key=lambda chance: chance.token_id))

    assert [chance.p_model for chance in one.top or ()] == pytest.approx(
        [chance.p_model for chance in other.top or ()], abs=5e-5  # as in assert_same_step
    )
    assert_same_step(replace(one, top=named(one)), replace(other, top=named(other)))


@pytest.mark.parametrize("seed", [2, 3])
def test_a_tall_peak_beside_a_long_tail_moves_no_limit(seed: int) -> None:
    """float32 loses up to 1e-4 of such a sum, by its order."""
    torch.manual_seed(seed)
    tail = -1.5 * torch.arange(1, 151_937).log()[torch.randperm(151_936)]
    for name in ("TopP", "Typical"):
        for mass in (0.93, 0.95):
            one, other = Candidates(tail[None]), Candidates(tail[None])
            sampler = sampler_class(name)(mass)
            sampler.run(one)
            assert torch.equal(one.tensor.isfinite(), sampler.reference(other).isfinite()), (name, mass)


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of this machine go the way of a device's: torch alone, all rows together."""
    monkeypatch.setattr(tables, "NUMPY_DEVICES", ())


SUMMING = {"dynatemp_high", "top_n_sigma"}  # own sums over a vocabulary, which torch adds in another order for one row


@pytest.mark.usefixtures("as_on_a_gpu")
@settings(max_examples=60, **QUIET)  # type: ignore[arg-type]
@given(
    names=st.lists(st.sampled_from(sorted(VALUES.keys() - SUMMING)), max_size=6),
    order=ORDERS,
    data=st.data(),
    kind=KINDS,
    seed=st.integers(0, 2**20),
)
def test_rows_together_keep_to_the_bit_what_each_keeps_alone(
    tiny: models.Loaded, names: list[str], order: str, data: st.DataObject, kind: str, seed: int
) -> None:
    drawn = [{name: data.draw(VALUES[name]) for name in names} for _ in range(3)]
    pipelines = [build_pipeline(setting_of(tiny, {**values, "order": order})) for values in drawn]
    alike = [one for one in pipelines if one.signature == pipelines[0].signature]
    scores = scores_of(kind, len(alike), seed)
    members = zip(*(one.samplers for one in alike), strict=True)
    names = [name for name, _ in alike[0].stages]
    stages = [(name, stack(several, scores.device)) for name, several in zip(names, members, strict=True)]
    try:
        want = torch.cat([one.reference(positions(tiny, scores).only(row)) for row, one in enumerate(alike)])
    except (ValueError, RuntimeError):  # transformers' own words for scores of which nothing is left
        return
    assert torch.equal(run(stages, positions(tiny, scores)), want)


@pytest.mark.usefixtures("as_on_a_gpu")
def test_rows_of_every_kind_write_together_what_each_writes_alone(tiny: models.Loaded) -> None:
    several = [setting_of(tiny, values) for values in SETTINGS]
    rows = [Row(index, 70 + index, setting) for index, setting in enumerate(several)]
    alone = [Row(index, 70 + index, setting, by_reference=True) for index, setting in enumerate(several)]
    for step in range(30):
        going = [place for place, row in enumerate(alone) if row.finish is None]
        if not going:
            break
        scores = likely_rows(len(going), seed=step)
        steps = advance([rows[place] for place in going], scores)
        for place, ours, one in zip(going, steps, scores, strict=True):
            assert_same_step(ours, alone[place].advance(one[None]))
            assert rows[place].tokens == alone[place].tokens


@settings(max_examples=200, deadline=None)
@given(kind=KINDS, seed=st.integers(0, 2**20), heat=st.sampled_from([0.3, 1.0, 3.0]))
def test_the_race_has_the_winner_of_torch_multinomial(kind: str, seed: int, heat: float) -> None:
    probabilities = (scores_of(kind, 1, seed) / heat).softmax(-1)
    want = int(torch.multinomial(probabilities, 1, generator=torch.Generator().manual_seed(seed)))
    chances = probabilities[0].numpy()
    noise = Noise(torch.Generator().manual_seed(seed), 49152)
    assert race(np.arange(49152), chances, noise, lambda: chances) == want
