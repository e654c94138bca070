"""What wraps transformers' own processors takes our values and falls over no edge."""

from __future__ import annotations

import pytest
import torch

from playground.sampling.constraints import BadWords, ExponentialDecay, LogitBias
from playground.sampling.temperature import Temperature
from playground.sampling.watermark import Watermark
from playground.types import InvalidRequest
from tests.sampling import INF, Words, run


def test_bias_by_text_takes_the_text_as_typed_and_behind_a_space() -> None:
    words = Words("<unk>", "cat", " cat", " dog", "dog")
    got = run(LogitBias({"cat": 2.0, " dog": -1.0}, words), [0.0] * 5, [0])
    assert got == [0.0, 2.0, 2.0, -1.0, 0.0]
    got = run(LogitBias({"cat": 2.0, " cat": -3.0}, words), [0.0] * 5, [0])
    assert got == [0.0, 2.0, -3.0, 0.0, 0.0], "the entry as typed counts"

    for texts in ({"cow": 5.0}, {"cat": 1.0, "cow": -5.0}, {"cat": 1.0, "dog": 2.0}):
        name = "dog" if "dog" in texts else "cow"
        with pytest.raises(InvalidRequest, match=f"logit_bias: the model has no tokens for '{name}'"):
            LogitBias(texts, Words("<unk>", "cat", "dog"), 2)


def test_a_favoured_text_of_several_tokens_is_begun_and_gone_on_with_another_only_not_finished() -> None:
    words = Words("\n", "cat", " cat", " dog", "dog")
    favoured = LogitBias({"catdog": 5.0}, words)
    assert run(favoured, [0.0] * 5, [0]) == [0.0, 5.0, 5.0, 0.0, 0.0], "its first token, in both ways to write it"
    assert run(favoured, [0.0] * 5, [0, 1]) == run(favoured, [0.0] * 5, [0, 2]) == [0.0, 5.0, 5.0, 0.0, 5.0]
    shunned = LogitBias({"catdog": -5.0}, words)
    assert run(shunned, [0.0] * 5, [0]) == [0.0] * 5
    assert run(shunned, [0.0] * 5, [0, 1]) == [0.0, 0.0, 0.0, 0.0, -5.0], "only the token that would finish it"


def test_where_biases_meet_in_a_token_one_counts() -> None:
    words = Words("\n", "cat", " cat", "dog")
    got = run(LogitBias({"cat": -3.0, "catdog": 5.0}, words), [0.0] * 4, [0])
    assert got == [0.0, -3.0, -3.0, 0.0], "a whole text counts before the beginning of another"
    got = run(LogitBias({"cat": -3.0}, words, logit_bias_ids={"1": 2.0, "3": -100.0}), [0.0] * 4, [0])
    assert got == [0.0, 2.0, -3.0, -100.0], "an id counts before a text"
    got = run(LogitBias({}, words, logit_bias_ids={"0": 1.5}), [0.0] * 4, [0])
    assert got == [1.5, 0.0, 0.0, 0.0]


def test_the_end_stays_certain_where_its_pull_outgrows_a_float() -> None:
    sampler = ExponentialDecay(10.0, 0, [1, 2], 3)
    for length in (20, 400):
        pulled = torch.tensor([run(sampler, [5.0, 0.5, -INF], [0] * (3 + length))])
        assert pulled[0, 2] == -INF and pulled[0, 0] == 5.0
        assert (pulled / Temperature(1e-9).temperature).softmax(-1).tolist() == [[0.0, 1.0, 0.0]]


def test_the_coldest_temperature_still_gives_numbers() -> None:
    assert run(Temperature(1e-30), [3.0, -2.0]) == pytest.approx([3e5, -2e5])


def test_a_watermark_without_any_green_token_changes_nothing() -> None:
    here = torch.device("cpu")
    sampler = Watermark(64, here, greenlist_ratio=0.01, bias=2.0, seeding_scheme="selfhash", context_width=1)
    z = [float(i % 7) for i in range(64)]
    assert run(sampler, z, [5, 9]) == z


def test_the_end_of_text_cannot_be_a_bad_word() -> None:
    with pytest.raises(Exception, match="ignore_eos"):
        BadWords([[2]], [2])
    assert run(BadWords([[2], [1]], [2]), [0.0] * 3, [0]) == [0.0, -INF, 0.0]
