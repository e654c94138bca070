"""Each sampler that transformers lacks does what its published formula says: a plain transcription is the judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from playground.sampling.adaptive import AdaptiveP, Mirostat
from playground.sampling.community_cutoffs import XTC, TailFree, TopA, TopNSigma
from playground.sampling.penalties import DRY, FrequencyPenalty, PresencePenalty
from playground.sampling.temperature import DynamicTemperature, QuadraticSmoothing
from tests.sampling import INF, MARGIN, PLAIN, Words, alive, logits, run, same, softmax

# ---- shape


def _dynamic(z: Sequence[float], low: float, high: float, exponent: float) -> list[float]:
    finite = [x for x in z if x > -INF]
    if len(finite) < 2:
        return list(z)
    entropy = -sum(p * math.log(p) for p in softmax(finite) if p > 0)
    t = low + (high - low) * (entropy / math.log(len(finite))) ** exponent
    return [x / max(t, 0.01) for x in z]


@given(logits, st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0.2, 4))
@settings(deadline=None)
def test_dynamic_temperature_follows_the_entropy(z: list[float], low: float, high: float, exponent: float) -> None:
    same(run(DynamicTemperature(high, low, exponent), z), _dynamic(z, low, high, exponent))


def test_dynamic_temperature_is_high_where_all_is_equal_and_low_where_one_is_sure() -> None:
    flat = run(DynamicTemperature(2.0, 0.5, 1.0), [1.0, 1.0, 1.0, -INF])
    assert flat == pytest.approx([0.5, 0.5, 0.5, -INF])
    sure = run(DynamicTemperature(2.0, 0.5, 1.0), [50.0, 0.0, 0.0])
    assert sure == pytest.approx([100.0, 0.0, 0.0])
    assert all(map(math.isfinite, run(DynamicTemperature(1.0, 0.0, 1.0), [90.0, 0.0])))


@given(logits, st.floats(0.01, 5), st.floats(1, 8))
@settings(deadline=None)
def test_smoothing_bends_by_the_quadratic_and_the_cubic(z: list[float], f: float, c: float) -> None:
    top, k, s = max(z), (3 - c) / 2, (c - 1) / 2
    want = [top - k * f * (x - top) ** 2 + s * f * (x - top) ** 3 if x > -INF else -INF for x in z]
    same(run(QuadraticSmoothing(f, c), z), want)


def test_smoothing_by_hand() -> None:
    assert run(QuadraticSmoothing(0.5, 1.0), [3.0, 1.0, -INF]) == [3.0, 1.0, -INF]
    assert run(QuadraticSmoothing(1.0, 3.0), [3.0, 1.0]) == [3.0, -5.0]


# ---- cut-offs


def _with_least(z: Sequence[float], keep: set[int], least: int) -> set[int]:
    ranked = sorted(alive(z), key=lambda i: -z[i])
    keep = keep & set(ranked)
    return keep if len(keep) >= least else keep | set(ranked[:least])


@given(logits, st.floats(0, 1), st.integers(1, 4))
@settings(deadline=None)
def test_top_a_keeps_what_reaches_a_times_the_square_of_the_best(z: list[float], a: float, least: int) -> None:
    p = softmax(z)
    limit = a * max(p) ** 2
    assume(all(abs(x - limit) > MARGIN for x in p))
    got = alive(run(TopA(a, least), z))
    want = {i for i, x in enumerate(p) if x >= limit}
    assert len(got) == len(_with_least(z, want, least)) and want & alive(z) <= got


def _tail_free(z: Sequence[float], cut: float) -> set[int]:
    ranked = sorted(alive(z), key=lambda i: -z[i])
    p = softmax([z[i] for i in ranked])
    first = [b - a for a, b in pairwise(p)]
    second = [abs(b - a) for a, b in pairwise(first)]
    if sum(second) == 0:
        return set(ranked)
    kept, mass = {ranked[0]}, 0.0
    for middle, bend in enumerate(second, start=1):
        mass += bend / sum(second)
        assume(abs(mass - cut) > MARGIN)
        if mass > cut:
            break
        kept.add(ranked[middle])
    return kept


@given(st.lists(st.floats(-6, 6, width=32), min_size=3, max_size=20, unique=True), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_tail_free_cuts_where_the_bend_is_used_up(z: list[float], cut: float) -> None:
    p = sorted(softmax(z))
    assume(min(b - a for a, b in pairwise(p)) > 1e-5)
    assert alive(run(TailFree(cut), z)) == _tail_free(z, cut)


def test_tail_free_by_hand() -> None:
    p = [0.5, 0.3, 0.15, 0.05]  # Δ = -0.2, -0.15, -0.1; |Δ²| = 0.05, 0.05: half of the bend lies before the third
    z = [math.log(x) for x in p]
    assert alive(run(TailFree(0.6), z)) == {0, 1}
    assert alive(run(TailFree(0.3), z)) == {0}
    assert alive(run(TailFree(0.3, 3), z)) == {0, 1, 2}
    assert alive(run(TailFree(0.3), [1.0, 1.0, 1.0, 1.0])) == {0, 1, 2, 3}
    assert alive(run(TailFree(0.0), [2.0, -INF, 1.0])) == {0, 2}


@given(logits, st.floats(0, 4), st.integers(1, 4))
@settings(deadline=None)
def test_top_n_sigma_keeps_what_lies_within_n_deviations_of_the_best(z: list[float], n: float, least: int) -> None:
    finite = [x for x in z if x > -INF]
    mean = sum(finite) / len(finite)
    sigma = math.sqrt(sum((x - mean) ** 2 for x in finite) / len(finite))
    limit = max(finite) - n * sigma
    assume(all(abs(x - limit) > MARGIN or x == max(finite) for x in finite))
    got = alive(run(TopNSigma(n, least), z))
    want = {i for i, x in enumerate(z) if x >= limit or x == max(finite)}
    assert len(got) == len(_with_least(z, want, least)) and want & alive(z) <= got


def test_top_n_sigma_does_not_ask_the_temperature() -> None:
    z = [4.0, 3.5, 1.0, -2.0, -INF]
    for temperature in (0.1, 1.0, 5.0):
        assert alive(run(TopNSigma(0.5), [x / temperature for x in z])) == {0, 1}


def _xtc(z: Sequence[float], t: float) -> set[int]:
    p = softmax(z)
    above = [i for i, x in enumerate(p) if x >= t]
    least_likely = min(above, key=lambda i: (p[i], -i), default=None)
    return alive(z) - set(above) | ({least_likely} if least_likely is not None else set())


def _xtc_of(
    z: Sequence[float], probability: float, threshold: float, uniform: float, least: int = 1, ends: Sequence[int] = ()
) -> set[int]:
    sampler = XTC(probability, threshold, Words("a" * 40, *"bcd", "\n"), list(ends), least)
    return alive(run(sampler, z, uniform=uniform))


@given(st.lists(st.floats(-6, 6, width=32), min_size=1, max_size=4), st.floats(0.01, 0.5))
@settings(deadline=None)
def test_xtc_leaves_only_the_least_likely_of_the_likely(z: list[float], t: float) -> None:
    p = softmax(z)
    assume(all(abs(x - t) > MARGIN for x in p))
    assume(all(a == b or abs(a - b) > MARGIN for a in z for b in z))  # else float32 sees a tie
    assert _xtc_of(z, 1.0, t, 0.999) == _xtc(z, t)


def test_xtc_asks_its_number_and_spares_the_end_and_the_line_break() -> None:
    z = [math.log(x) for x in (0.4, 0.3, 0.2, 0.06, 0.04)]
    assert _xtc_of(z, 0.5, 0.1, uniform=0.49) == {2, 3, 4}
    assert _xtc_of(z, 0.5, 0.1, uniform=0.5) == {0, 1, 2, 3, 4}
    assert _xtc_of(z, 0.5, 0.1, uniform=0.0, ends=[1]) == {0, 1, 2, 3, 4}
    assert _xtc_of(z, 0.5, 0.1, uniform=0.0, ends=[2]) == {2, 3, 4}, "the end stays, so nothing is hit"
    assert _xtc_of([*z[1:], z[0]], 0.5, 0.1, uniform=0.0) == {0, 1, 2, 3, 4}, "id 4 is the line break"
    assert _xtc_of(z, 0.5, 0.1, uniform=0.0, least=4) == {0, 1, 2, 3, 4}
    assert _xtc_of(z, 0.5, 0.45, uniform=0.0) == {0, 1, 2, 3, 4}, "no two are that likely"


# ---- controllers


def test_mirostat_moves_its_limit_by_the_surprise_among_what_was_kept() -> None:
    sampler = Mirostat(tau=1.5, eta=0.2)
    limit = 3.0
    for z, pick in [([2.0, 1.0, 0.0, -3.0], 1), ([0.0, 0.0, 0.0, 0.0], 2), ([9.0, 0.0, 0.0, 0.0], 0)]:
        bits = [-math.log2(p) for p in softmax(z)]
        kept = {i for i, s in enumerate(bits) if s <= limit} or {max(range(4), key=lambda i: z[i])}
        assert alive(run(sampler, z)) == kept
        among = softmax([x if i in kept else -INF for i, x in enumerate(z)])
        limit -= 0.2 * (-math.log2(among[pick]) - 1.5)
        sampler.chosen(pick)
        assert sampler.limit == pytest.approx(limit, abs=1e-5)


@given(logits, st.floats(0.01, 10))
@settings(deadline=None)
def test_mirostat_keeps_what_surprises_less_than_twice_tau_at_first(z: list[float], tau: float) -> None:
    bits = [-math.log2(p) if p > 0 else INF for p in softmax(z)]
    assume(all(abs(s - 2 * tau) > MARGIN for s in bits))
    want = {i for i, s in enumerate(bits) if s <= 2 * tau}
    got = alive(run(Mirostat(tau, 0.1), z))
    assert got == want if want else len(got) == 1


def test_a_token_from_outside_what_mirostat_kept_tells_it_nothing() -> None:
    sampler = Mirostat(tau=0.5, eta=0.1)
    sampler.chosen(0)
    run(sampler, [5.0, 0.0])
    sampler.chosen(1)
    assert sampler.limit == 1.0


def test_adaptive_p_prefers_the_target_and_corrects_what_was_missed() -> None:
    target, decay = 0.4, 0.9
    sampler = AdaptiveP(target, decay)
    total, weight = target / (1 - decay), 1 / (1 - decay)
    for z, pick in [([2.0, 1.0, 0.0, -INF], 0), ([0.5, 1.5, 0.0, -1.0], 1), ([3.0, 0.0, 0.0, 0.0], 0)]:
        p = softmax(z)
        aim = min(max(2 * target - total / weight, 0.0), 1.0)
        distance = [abs(x - aim) / 0.3 for x in p]
        want = [5 - 10 * d * d / (1 + d) if x > -INF else -INF for x, d in zip(z, distance, strict=True)]
        same(run(sampler, z), want)
        sampler.chosen(pick)
        total, weight = p[pick] + decay * total, 1 + decay * weight
    assert total / weight > target  # it chose likelier tokens than asked for, so it aims lower than at first
    after = [math.log(0.5), math.log(0.3), math.log(0.2)]
    assert run(sampler, after)[1] == max(run(sampler, after))
    assert run(AdaptiveP(target, decay), after)[2] < max(run(AdaptiveP(target, decay), after))


@pytest.mark.parametrize("make", [lambda: Mirostat(2.0, 0.5), lambda: AdaptiveP(0.3, 0.8)])
def test_stepping_back_restores_a_controller(make: Callable[[], Any]) -> None:
    sampler, twin = make(), make()
    steps = [([1.0, 0.5, 0.0], 2), ([0.0, 2.0, 1.0], 1), ([1.0, 1.0, 1.0], 0)]
    for z, pick in steps[:1]:
        for each in (sampler, twin):
            run(each, z)
            each.chosen(pick)
    state = sampler.snapshot()
    run(sampler, steps[1][0])
    sampler.chosen(0)
    sampler.restore(state)
    for z, pick in steps[1:]:
        assert run(sampler, z) == run(twin, z)
        sampler.chosen(pick)
        twin.chosen(pick)


# ---- all of them

EVERY: list[Callable[[], Any]] = [
    lambda: DynamicTemperature(2.0, 0.5, 1.0),
    lambda: QuadraticSmoothing(0.3, 1.5),
    lambda: TopA(0.5),
    lambda: TailFree(0.5),
    lambda: TopNSigma(1.0),
    lambda: XTC(1.0, 0.1, PLAIN, [2]),
    lambda: Mirostat(1.0, 0.1),
    lambda: AdaptiveP(0.5, 0.9),
    lambda: PresencePenalty(1.0, 0),
    lambda: FrequencyPenalty(1.0, 0),
    lambda: DRY(1.0, 2.0, 1, 0, [], PLAIN),
]


@pytest.mark.parametrize("make", EVERY, ids=lambda make: type(make()).__name__)
def test_the_only_candidate_stays_and_none_comes_back(make: Callable[[], Any]) -> None:
    assert alive(run(make(), [-INF, 4.0, -INF, -INF])) == {1}
    assert alive(run(make(), [7.0])) == {0}
    assert alive(run(make(), [-INF] * 4)) == set(), "with nothing given, nothing is invented"


@pytest.mark.parametrize("make", EVERY, ids=lambda make: type(make()).__name__)
@given(z=logits)
@settings(deadline=None, max_examples=30)
def test_something_always_stays_and_what_was_cut_stays_cut(make: Callable[[], Any], z: list[float]) -> None:
    kept = alive(run(make(), z))
    assert kept and kept <= alive(z)


@pytest.mark.parametrize("make", EVERY, ids=lambda make: type(make()).__name__)
def test_equal_scores_are_treated_without_a_crash(make: Callable[[], Any]) -> None:
    assert alive(run(make(), [0.0] * 16, [3, 3, 3]))
