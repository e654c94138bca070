"""Samplers against repetition count and search as published: a plain transcription is the judge."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.sampling.penalties import (
    DRY,
    FrequencyPenalty,
    PresencePenalty,
    RepetitionPenalty,
    breaker_ids,
    repeat_lengths,
)
from tests.sampling import INF, PLAIN, Words, run, same


@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(0, 5), max_size=12), st.floats(-2, 2))
@settings(deadline=None)
def test_presence_and_frequency_count_the_answer_only(prompt: list[int], answer: list[int], penalty: float) -> None:
    z = [1.0, -1.0, 0.0, 2.0, -INF, 3.0]
    ids = [*prompt, *answer]
    counts = [answer.count(i) for i in range(6)]
    same(
        run(FrequencyPenalty(penalty, len(prompt)), z, ids),
        [x - penalty * c for x, c in zip(z, counts, strict=True)],
    )
    same(
        run(PresencePenalty(penalty, len(prompt)), z, ids),
        [x - penalty * (c > 0) for x, c in zip(z, counts, strict=True)],
    )


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.integers(0, 12),
    st.integers(0, 6),
    st.sampled_from(["all", "output"]),
    st.floats(0.5, 2),
)
@settings(deadline=None)
def test_repetition_penalty_looks_at_its_range_and_scope(
    ids: list[int], prompt: int, last: int, scope: str, penalty: float
) -> None:
    z = [1.0, -1.0, 0.0, 2.0, -INF, 3.0]
    seen = ids[prompt:] if scope == "output" else ids
    seen = seen[-last:] if last else seen
    want = [(x / penalty if x > 0 else x * penalty) if i in seen else x for i, x in enumerate(z)]
    same(run(RepetitionPenalty(penalty, last, scope, prompt), z, ids), want)


def _dry_lengths(ids: Sequence[int], breakers: set[int]) -> dict[int, int]:
    """The published search: from every earlier place that equals the last token, as far back as both agree."""
    longest: dict[int, int] = {}
    if not ids or ids[-1] in breakers:
        return longest
    for place in range(len(ids) - 1):
        if ids[place] != ids[-1] or ids[place + 1] in breakers:
            continue
        length = 1
        while place - length >= 0 and ids[place - length] == ids[-1 - length] and ids[-1 - length] not in breakers:
            length += 1
        longest[ids[place + 1]] = max(longest.get(ids[place + 1], 0), length)
    return longest


@given(st.lists(st.integers(0, 3), max_size=40), st.sets(st.integers(0, 3), max_size=2))
@settings(deadline=None, max_examples=400)
def test_dry_finds_every_repeat_that_the_plain_search_finds(ids: list[int], breakers: set[int]) -> None:
    assert repeat_lengths(ids, breakers) == _dry_lengths(ids, breakers)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30),
    st.floats(0.1, 5),
    st.floats(1, 4),
    st.integers(1, 5),
    st.integers(0, 30),
)
@settings(deadline=None)
def test_dry_takes_more_the_longer_the_repeat(ids: list[int], m: float, b: float, allowed: int, last: int) -> None:
    z = [0.0] * 5
    words = Words("p", "q", "r", "s", "\n")
    lengths = _dry_lengths(ids[-last:] if last else ids, {4})
    want = [-m * b ** (lengths[i] - allowed) if lengths.get(i, 0) >= allowed else 0.0 for i in range(5)]
    got = run(DRY(m, b, allowed, last, ["\n"], words), z, ids)
    assert got == pytest.approx(want, rel=1e-3)


def test_dry_stays_finite_on_an_endless_loop() -> None:
    got = run(DRY(100.0, 100.0, 1, 0, [], PLAIN), [0.0] * 4, [3] * 2000)
    assert got[3] == pytest.approx(-1e30, rel=1e-3) and got[:3] == [0.0, 0.0, 0.0]


def test_breakers_are_the_tokens_that_contain_them_and_the_end_of_longer_ones() -> None:
    words = Words("a", "\n", "x:\n", ":", "Name", "b")
    assert breaker_ids(words, ["\n"]) == {1, 2}
    assert breaker_ids(words, [":", "Name:"]) == {2, 3}
    assert breaker_ids(words, []) == frozenset()
