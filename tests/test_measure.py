"""`measure` on a tiny model: every text is counted, a report stands beside the preset, and a wrong name is told."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import pytest

from playground.cli import measure_command as measure_cli
from playground.cli.main import _parser, main
from playground.evaluation import inputs, reports, review
from playground.evaluation.metrics import GeneratedTexts, TaskMetrics
from playground.evaluation.reports import Review, TaskReport
from playground.generators.local import LocalGenerator
from playground.models import Loaded
from playground.tasks import loader
from playground.tasks.schema import SchemaError
from playground.types import LANGUAGES, Language
from playground.types import Path as DecodingPath


@pytest.mark.parametrize("path", ["fast", "exact"])
def test_every_seed_of_every_example_is_counted(tiny: Loaded, path: DecodingPath) -> None:
    slogans = loader.find("slogans")
    report, written = measure_cli.measured(slogans, "en", LocalGenerator(tiny), 5, path)
    assert written[0].fields == slogans.defaults("en")
    assert len(written) == 4  # the first worked example is made from the defaults; two inputs are measured only
    assert report.metrics.texts == 20 == sum(len(run.texts) for run in written)
    assert report.metrics.pairs == 4 * 6
    assert (report.model, report.language, report.path, report.mode) == ("tiny", "en", path, "chat")
    assert report.seconds > 0


def test_where_nothing_is_drawn_one_text_is_enough(tiny: Loaded) -> None:
    report, written = measure_cli.measured(loader.find("keywords"), "zh", LocalGenerator(tiny), 5, "exact")
    assert [len(run.texts) for run in written] == [1, 1, 1]
    assert report.metrics.pairs == 0


def test_a_report_stands_beside_the_preset_and_the_texts_can_be_read(
    tiny: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["measure", "--task", "slogans", "--language", "en", "--seeds", "2", "--folder", str(tmp_path), "--show"]
    given = _parser().parse_args(words)
    measure = partial(measure_cli.measure, lambda _: LocalGenerator(tiny))
    assert measure(given) == 0
    (report,) = reports.load("slogans", tmp_path)
    assert report.metrics.texts == 8 and report.review is None
    said = capsys.readouterr().out
    assert "8 texts: form" in said and "--- 2" in said and "tiny en  no text was read yet" in said
    (texts,) = review.load("slogans", tmp_path)
    assert texts.place == report.place and [one.kept for one in texts.texts] == [None] * 3
    assert len({one.fields["product"] for one in texts.texts}) == 3


def test_an_unknown_task_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "--task", "slogan"]) == 2
    assert "Did you mean slogans" in capsys.readouterr().err
    assert main(["measure", "--task", "slogans", "--seeds", "0"]) == 2
    assert "Candidates (n) is 0" in capsys.readouterr().err


def test_what_is_measured_already_is_left_out_where_one_resumes(
    tiny: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_report(tmp_path, "slogans", "zh", "tiny")
    words = ["measure", "--task", "slogans", "--seeds", "1", "--folder", str(tmp_path), "--resume"]
    assert measure_cli.measure(lambda _: LocalGenerator(tiny), _parser().parse_args(words)) == 0
    said = capsys.readouterr().out
    assert "slogans              en" in said and "slogans              zh" not in said
    assert [report.language for report in reports.load("slogans", tmp_path)] == ["en", "zh"]


def kept_report(folder: Path, task: str, language: Language, model: str) -> None:
    """As `measure` leaves it, with three texts to read."""
    metrics = TaskMetrics(3, 3, 3, 3, 0, 0, 3, 0, 3, 0, 1.0, 8.0)
    report = TaskReport(model, model.title(), language, "chat", "fast", "int4", 1.0, metrics)
    written = [GeneratedTexts({"product": name}, (f"{name}: one.", f"{name}: two.")) for name in ("Tea", "Ink")]
    reports.save(task, report, folder)
    review.save(task, review.chosen(report, written), folder)


def read(folder: Path, *words: str) -> int:
    return main(["measure", "--read", "--folder", str(folder), *words])


def test_a_reader_is_shown_each_text_and_what_he_decides_stands_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_report(tmp_path, "slogans", "en", "small")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n\nperhaps\nn\n"))
    assert read(tmp_path) == 0
    shown = capsys.readouterr().out
    assert shown.index("product: Tea") < shown.index("Tea: one.") < shown.index("Ink: one.") < shown.index("Tea: two.")
    assert "small en  read and kept: 1 of 2" in shown
    (report,) = reports.load("slogans", tmp_path)
    assert report.review == Review(2, 1, review.RULE)
    assert [one.kept for one in review.load("slogans", tmp_path)[0].texts] == [True, None, False]

    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))  # only what was left for later is asked, and the end ends it
    assert read(tmp_path, "--task", "slogans") == 0
    shown = capsys.readouterr().out
    assert "Ink: one." in shown and "Tea" not in shown
    assert read(tmp_path, "--model", "another") == 0
    assert "Nothing is left to read" in capsys.readouterr().out


def test_decisions_are_given_by_number_too_and_with_a_rule_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_report(tmp_path, "slogans", "en", "small")
    kept_report(tmp_path, "slogans", "zh", "small")
    assert read(tmp_path, "--task", "slogans", "--kept", "1") == 2
    assert "--kept is about one report; 2 were chosen" in capsys.readouterr().err
    for wrong in ("4", "0", "one", "1,,2"):
        assert read(tmp_path, "--task", "slogans", "--language", "zh", "--kept", wrong) == 2
        assert "from 1 to 3" in capsys.readouterr().err
    assert read(tmp_path, "--task", "slogans", "--language", "zh", "--kept", "1, 3", "--rule", "It rhymes.") == 0
    assert "small zh  read and kept: 2 of 3" in capsys.readouterr().out
    english, chinese = reports.load("slogans", tmp_path)
    assert english.review is None and chinese.review == Review(3, 2, "It rhymes.")
    assert read(tmp_path, "--task", "slogans", "--language", "zh", "--kept", "none") == 0
    assert reports.load("slogans", tmp_path)[1].review == Review(3, 0, review.RULE)


def test_a_new_measurement_has_new_texts_and_nobody_has_read_them(tmp_path: Path) -> None:
    kept_report(tmp_path, "slogans", "en", "small")
    assert read(tmp_path, "--task", "slogans", "--language", "en", "--kept", "1,2,3") == 0
    kept_report(tmp_path, "slogans", "en", "small")
    (report,), (texts,) = reports.load("slogans", tmp_path), review.load("slogans", tmp_path)
    assert report.review is None and [one.kept for one in texts.texts] == [None] * 3


def test_reviews_of_a_model_are_counted_over_its_tasks(tmp_path: Path) -> None:
    for task in ("slogans", "poems"):
        kept_report(tmp_path, task, "en", "small")
        assert read(tmp_path, "--task", task, "--language", "en", "--kept", "1") == 0
    found = [report for task in ("slogans", "poems", "reply") for report in reports.load(task, tmp_path)]
    assert review.total(found, "small", "en") == Review(6, 2, review.RULE)
    assert review.total(found, "small", "zh") is None and review.total(found, "other", "en") is None


def test_a_review_that_counts_more_than_was_read_is_refused(tmp_path: Path) -> None:
    kept_report(tmp_path, "slogans", "en", "small")
    read(tmp_path, "--task", "slogans", "--language", "en", "--kept", "1")
    file = tmp_path / "slogans.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("kept: 1", "kept: 4"), encoding="utf-8")
    with pytest.raises(SchemaError, match="from 0 to 3"):
        reports.load("slogans", tmp_path)


def test_what_was_read_of_the_shipped_reports_is_what_stands_beside_their_texts() -> None:
    for task in loader.load_all():
        counted = {one.place: one.review("") for one in review.load(task.id)}
        for report in reports.load(task.id):
            found = report.review
            assert counted.get(report.place) == (None if found is None else Review(found.read, found.kept, ""))
        for language in LANGUAGES:
            assert all(given.keys() == task.defaults(language).keys() for given in inputs.load(task, language))
