"""`measure` on a tiny model: every text is counted, a report stands beside the preset, and a wrong name is told."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from playground.cli import measure_command as measure_cli
from playground.cli.main import _parser, main
from playground.evaluation import reports
from playground.generators.local import LocalGenerator
from playground.models import Loaded
from playground.tasks import loader
from playground.types import Path as DecodingPath


@pytest.mark.parametrize("path", ["fast", "exact"])
def test_every_seed_of_every_example_is_counted(tiny: Loaded, path: DecodingPath) -> None:
    slogans = loader.find("slogans")
    report, written = measure_cli.measured(slogans, "en", LocalGenerator(tiny), 5, path)
    assert written[0].fields == slogans.defaults("en")
    assert len(written) == 2  # the first worked example is made from the defaults
    assert report.metrics.texts == 10 == sum(len(run.texts) for run in written)
    assert report.metrics.pairs == 2 * 6
    assert (report.model, report.language, report.path, report.mode) == ("tiny", "en", path, "chat")
    assert report.seconds > 0


def test_where_nothing_is_drawn_one_text_is_enough(tiny: Loaded) -> None:
    report, written = measure_cli.measured(loader.find("keywords"), "zh", LocalGenerator(tiny), 5, "exact")
    assert [len(run.texts) for run in written] == [1]
    assert report.metrics.pairs == 0


def test_a_report_stands_beside_the_preset_and_the_texts_can_be_read(
    tiny: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["measure", "--task", "slogans", "--language", "en", "--seeds", "2", "--folder", str(tmp_path), "--show"]
    given = _parser().parse_args(words)
    measure = partial(measure_cli.measure, lambda _: LocalGenerator(tiny))
    assert measure(given) == 0
    (report,) = reports.load("slogans", tmp_path)
    assert report.metrics.texts == 4
    said = capsys.readouterr().out
    assert "4 texts: form" in said and "--- 2" in said


def test_an_unknown_task_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "--task", "slogan"]) == 2
    assert "Did you mean slogans" in capsys.readouterr().err
    assert main(["measure", "--task", "slogans", "--seeds", "0"]) == 2
    assert "Candidates (n) is 0" in capsys.readouterr().err
