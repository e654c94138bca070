"""Numbers of a whole text against hand-made examples."""

from __future__ import annotations

import math

import pytest

from playground.evaluation.text_statistics import (
    Cycle,
    characters,
    cycle,
    distinct,
    is_chinese,
    longest_cycle,
    mean_entropy_bits,
    perplexity,
    repetition_rate,
    share_of_singles,
    variety,
)


def test_perplexity_of_even_odds_is_their_number() -> None:
    assert perplexity([math.log(1 / 8)] * 5) == pytest.approx(8)
    assert perplexity([None, math.log(0.5), math.log(0.125)]) == pytest.approx(4)
    assert perplexity([None]) is None
    assert perplexity([-1e6]) == math.inf


def test_entropy_is_told_in_bits() -> None:
    assert mean_entropy_bits([math.log(4), None, math.log(16)]) == pytest.approx(3)
    assert mean_entropy_bits([]) is None


def test_a_single_candidate_is_counted_where_it_is_known() -> None:
    assert share_of_singles([1, 5, 1, None, 2]) == 0.5
    assert share_of_singles([None]) is None


def test_distinct_counts_different_n_grams() -> None:
    assert distinct("abab", 1) == 0.5
    assert distinct("abab", 2) == pytest.approx(2 / 3)
    assert distinct("ab", 3) is None


def test_the_repetition_rate_is_the_share_that_stands_in_a_repeat() -> None:
    assert repetition_rate("abcdefgh") == 0
    assert repetition_rate("abcdabcd") == 0.5
    assert repetition_rate("aaaaaaaa") == pytest.approx(7 / 8)
    assert repetition_rate("abc") is None


def test_chinese_is_judged_by_characters() -> None:
    assert is_chinese("今天天气很好 OK") and not is_chinese("Today 好") and not is_chinese(" ")
    assert characters("你 好\n吗") == ["你", "好", "吗"]
    assert variety(characters("好好 好好")).distinct_1 == 0.25


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ("xyzabcabcabcabc", Cycle(3, 3, 4)),
        ("xabababababab", Cycle(1, 2, 6)),
        ("aaaaaaaaaaaa", Cycle(0, 1, 12)),
        ("abcabcabc", None),
        ("abcdefghijklmnopqrst", None),
        ("abcabcabcabcx", None),
        ("", None),
    ],
)
def test_a_loop_is_found_where_the_text_ends_in_it(items: str, found: Cycle | None) -> None:
    assert cycle(items) == found


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ("xyzabcabcabcabcEND", Cycle(3, 3, 4)),
        ("aaaaaaaaaaaaEND", Cycle(0, 1, 12)),
        ("--------------xababababababababy", Cycle(15, 2, 8)),
        ("abcabcabc", None),
        ("abcdefghijklmnopqrst", None),
        ("", None),
    ],
)
def test_the_longest_loop_is_found_wherever_it_stands(items: str, found: Cycle | None) -> None:
    assert longest_cycle(items) == found
