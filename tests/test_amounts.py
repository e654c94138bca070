"""Amounts read the same wherever they stand: plurals and sizes in bytes."""

from __future__ import annotations

import pytest

from playground.amounts import bytes_text, counted
from playground.field_titles import field_title
from playground.parameters import title_of
from playground.run import Candidate, Run
from playground.types import Step, Text
from tests import reference


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "2 kB"),
        (1_500_000, "1.5 MB"),
        (10_000_000, "10 MB"),
        (988_097_824, "988 MB"),
        (3_087_467_144, "3.1 GB"),
        (12_345_000_000, "12.3 GB"),
        (12_000_000_000, "12 GB"),
        (1_250_000_000_000, "1.3 TB"),
        (50_000_000.0, "50 MB"),
    ],
)
def test_a_size_is_shown_in_units_of_a_thousand(size: float, shown: str) -> None:
    assert bytes_text(size) == shown


def test_one_is_counted_in_the_singular() -> None:
    told = Text("{count:token stays|tokens stay}; {other}", "{count} 个词元；{other}")
    assert told.filled(count=1, other="x").en == "1 token stays; x"
    assert told.filled(count=1_000, other=2).en == "1,000 tokens stay; 2"
    assert told.filled(count="0", other=2).zh == "0 个词元；2"
    assert counted(1, "row", "rows") == "1 row" and counted(21, "row", "rows") == "21 rows"


def test_a_field_is_called_by_its_label_with_its_name_behind() -> None:
    assert field_title("prefill").en == "Beginning of the answer (prefill)"
    assert field_title("prompt").en == "Prompt" and field_title("prompt").zh == "提示词（prompt）"
    assert title_of("n").en == "Candidates (n)" and title_of("max_new_tokens").en == "Max new tokens"
    assert title_of("top_p").en == "top_p (nucleus)" and title_of("temperature").zh == "温度（temperature）"


def test_a_text_that_comes_at_once_has_its_speed_over_the_whole_time() -> None:
    rows = [Candidate(seed=0, at_once=at_once) for at_once in (False, True)]
    for row in rows:
        for at in range(40):
            row.add(Step(0, at, at, "x"), 10.0 + at / 100_000)
    assert rows[0].tokens_per_second == pytest.approx(100_000)
    assert rows[1].tokens_per_second == pytest.approx(4, rel=0.01)
    run = Run(reference.request("Hello", {"num_beams": 4}), "m", "float32", 1, rows[1:])
    assert run.as_json()["timing"]["tokens_per_second"] == pytest.approx(4, rel=0.01)
    assert Run(run.request, "m", "float32", 1, [Candidate(seed=0)]).as_json()["timing"]["tokens_per_second"] is None
