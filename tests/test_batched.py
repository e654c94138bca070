"""Rows that go through their chains as one, as on a GPU, get to the bit what each one's own chain gives it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from playground import models, parameters
from playground.decoding.batched import choose, launch
from playground.decoding.chain import Chain
from playground.decoding.detokenize import Labels
from playground.decoding.pick import Luck
from playground.decoding.row import Row, Setting, effect
from playground.token_views import TokenChance
from playground.types import Step
from tests.sampling import likely_rows
from tests.test_together import SETTINGS, assert_same_step

ORDERS = ("transformers", "llama.cpp", "top_p,temperature,top_k", "min_p,repetition_penalty")
KNOBS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0.0, 0.05, 0.7, 1.3, 4.0]),
    "top_k": st.sampled_from([1, 3, 40, 100_000]),
    "top_p": st.sampled_from([0.0, 0.3, 0.9, 0.999]),
    "min_p": st.sampled_from([0.02, 0.4, 1.0]),
    "typical_p": st.sampled_from([0.3, 0.95]),
    "epsilon_cutoff": st.sampled_from([3e-4, 0.05]),
    "min_tokens_to_keep": st.sampled_from([1, 2, 7]),
    "repetition_penalty": st.sampled_from([0.8, 1.2]),
    "repetition_penalty_range": st.sampled_from([0, 3]),
    "repetition_penalty_scope": st.sampled_from(["all", "output"]),
    "presence_penalty": st.sampled_from([-0.5, 0.7]),
    "frequency_penalty": st.sampled_from([-0.5, 0.3]),
    "logit_bias": st.sampled_from([{" the": 6.0}, {"Once upon": -4.0, "a": 2.0}]),
    "suppress_tokens": st.sampled_from([[0], [5, 6, 2]]),
    "min_new_tokens": st.sampled_from([1, 9]),
    "ignore_eos": st.just(True),
    "order": st.sampled_from(ORDERS),
    "top_n_sigma": st.just(1.5),  # has no twin: such a row goes on by itself
}  # fmt: skip


def setting_of(tiny: models.Loaded, values: dict[str, Any], prompt: str = "Once upon a time in the west") -> Setting:
    effective, greedy = effect(parameters.validate({"max_new_tokens": 24, **values}), has_eos=True)
    labels, ids = Labels(tiny.tokenizer), torch.tensor([tiny.tokenizer(prompt).input_ids])
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    kind=st.sampled_from(["peaked", "flat", "tied", "level", "ruled out", "certain"]),
    seed=st.integers(0, 2**20),
)
def test_mixed_rows_pick_the_tokens_their_own_chains_pick(
    tiny: models.Loaded, data: st.DataObject, kind: str, seed: int
) -> None:
    mixture = data.draw(st.lists(st.fixed_dictionaries({}, optional=KNOBS), min_size=2, max_size=5))
    rows, alone = (
        [
            Row(place, seed + place, setting_of(tiny, values, "Once upon" + " a time" * place), quick=quick)
            for place, values in enumerate(mixture)
        ]
        for quick in (True, False)
    )
    for step in range(2):
        scores = scores_of(kind, len(rows), seed + step)
        before = scores.clone()
        for row, one, choice in zip(rows, alone, choose(rows, scores), strict=True):
            place = row.index
            assert_same_pick(row.settle(choice), one.advance(scores[place : place + 1]))
            ours, theirs = row.luck.state(), one.luck.state()
            assert (ours is None and theirs is None) or (
                ours is not None and theirs is not None and torch.equal(ours, theirs)
            )
        assert torch.equal(scores, before), "the model's scores are not ours to change"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(sorted(KNOBS.keys() - {"top_n_sigma"})), max_size=6),
    data=st.data(),
    kind=st.sampled_from(["peaked", "flat", "tied", "level", "ruled out", "certain"]),
    seed=st.integers(0, 2**20),
)
def test_a_stage_over_many_rows_keeps_to_the_bit_what_it_keeps_over_one_row(
    tiny: models.Loaded, names: list[str], data: st.DataObject, kind: str, seed: int
) -> None:
    drawn = [{name: data.draw(KNOBS[name]) for name in names} for _ in range(3)]
    order = drawn[0].get("order", "transformers")
    rows = [
        Row(place, 0, setting_of(tiny, {**values, "order": order}, "A time" * (place + 1)))
        for place, values in enumerate(drawn)
    ]
    scores = scores_of(kind, 3, seed)
    for row in rows:
        assert row.alike is not None
        own = scores[row.index : row.index + 1]
        together = [other for other in rows if other.alike == row.alike]
        many = torch.cat([scores[other.index : other.index + 1] for other in together])
        one, place = own, together.index(row)
        for twin, links in zip(row.alike, zip(*(other.links for other in together), strict=True), strict=True):
            many = twin(links, [other.ids for other in together], many)
            one = links[place](row.ids[None], one)
            assert torch.equal(many[place : place + 1], one)


def test_rows_of_every_kind_write_together_what_each_writes_alone(tiny: models.Loaded) -> None:
    several = [setting_of(tiny, values) for values in SETTINGS]
    rows = [Row(index, 70 + index, setting) for index, setting in enumerate(several)]
    alone = [Row(index, 70 + index, setting, quick=False) for index, setting in enumerate(several)]
    for step in itertools.count():
        going = [place for place, row in enumerate(alone) if row.finish is None]
        if not going:
            break
        scores = likely_rows(len(going), seed=step)
        choices = choose([rows[place] for place in going], scores)
        for place, choice, one in zip(going, choices, scores, strict=True):
            assert_same_step(rows[place].settle(choice), alone[place].advance(one[None]))
            assert rows[place].tokens == alone[place].tokens


def test_most_settings_need_no_chain_of_their_own(tiny: models.Loaded) -> None:
    usual = {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.1}
    other = {**usual, "top_p": 0.5, "top_k": 7}
    last = {"mirostat_tau": 3.0}
    rows = [Row(at, at, setting_of(tiny, values)) for at, values in enumerate((usual, last, other, {}))]
    launched = launch(rows, likely_rows(4, seed=1))
    assert launched is not None and launched.places == [0, 2, 3]
    assert rows[0].alike == rows[2].alike != rows[3].alike
    assert launch(rows[1:2], likely_rows(1, seed=1)) is None


def test_one_sort_a_step_at_most_and_none_where_none_is_needed(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    sorts: list[int] = []
    sort = torch.sort

    def counted(scores: Tensor, **named: Any) -> Any:
        sorts.append(len(scores))
        return sort(scores, **named)

    monkeypatch.setattr(torch, "sort", counted)
    many = {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.05, "frequency_penalty": 0.5}
    for values, count in ((many, 1), ({**many, "order": "llama.cpp"}, 1), ({**many, "top_p": 1.0}, 0)):
        launch([Row(at, at, setting_of(tiny, values)) for at in range(5)], likely_rows(5, seed=2))
        assert sorts == [5] * count
        sorts.clear()


def test_what_only_a_chain_can_tell_is_left_to_it(tiny: models.Loaded) -> None:
    several = [setting_of(tiny, {"suppress_tokens": [3]}), setting_of(tiny, {}), setting_of(tiny, {})]
    rows, alone = ([Row(at, at, one, quick=quick) for at, one in enumerate(several)] for quick in (True, False))
    scores = likely_rows(3, seed=5)
    scores[0] = -math.inf
    scores[0, 3] = 1.0  # the only candidate, which is suppressed
    scores[1] = math.nan
    steps = [row.settle(choice) for row, choice in zip(rows, choose(rows, scores), strict=True)]
    assert [step.finish for step in steps] == [None, "error", None]
    assert steps[0].token_id == 3 and steps[0].note
    for place in (0, 2):
        assert_same_step(steps[place], alone[place].advance(scores[place : place + 1]))


def test_a_pick_that_is_left_to_the_chain_has_used_no_luck(tiny: models.Loaded) -> None:
    row = Row(0, 3, setting_of(tiny, {}))
    launched = launch([row], torch.full((1, 49152), math.nan))
    assert launched is not None and launched.read([row]) == {}
    assert torch.equal(row.luck.noise(9), Luck(3, torch.device("cpu"), greedy=False).noise(9))


def test_a_sampler_that_fails_fails_its_own_row(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row(at, at, setting_of(tiny, {"logit_bias": {" the": float(at)}})) for at in range(3)]
    monkeypatch.setattr(rows[1].links[0], "sequence_bias", {(10**6,): 1.0})  # a token that no model has
    steps = [row.settle(choice) for row, choice in zip(rows, choose(rows, likely_rows(3, seed=1)), strict=True)]
    assert [step.finish for step in steps] == [None, "error", None]


@pytest.mark.parametrize("values", [{}, {"temperature": 0.7, "top_p": 0.9}, {"temperature": 0}])
def test_portable_luck_is_plain_luck_on_a_cpu(tiny: models.Loaded, values: dict[str, Any]) -> None:
    plain, portable = (Row(0, 7, setting_of(tiny, {**values, "portable_luck": on})) for on in (False, True))
    for step in range(4):
        scores = likely_rows(1, seed=step)
        assert_same_step(plain.advance(scores), portable.advance(scores))


def test_luck_from_another_device_decides_as_a_draw_there_would() -> None:
    here, there = (Luck(11, torch.device("cpu"), greedy=False, portable=on) for on in (False, True))
    there._device = torch.device("meta")  # scores elsewhere: nothing but the place to which the noise goes
    assert there.noise(5).device.type == "meta" and here.noise(5).device.type == "cpu"
    there._device = torch.device("cpu")
    scores = likely_rows(1, seed=3)
    chances = scores.softmax(-1)
    assert here.pick(scores)[0] == int((chances / there.noise(scores.shape[1])).argmax())


def test_a_chain_with_a_stage_of_its_own_has_no_twins(tiny: models.Loaded) -> None:
    assert Row(0, 0, setting_of(tiny, {"xtc_probability": 0.5})).alike is None
    assert Row(0, 0, setting_of(tiny, {"banned_phrases": ["x"]})).alike is None
    assert Row(0, 0, setting_of(tiny, {}), quick=False).alike is None
    assert Row(0, 0, setting_of(tiny, {})).alike == ()
    assert Chain([]).links == []
