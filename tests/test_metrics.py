"""What is counted over a task's texts, against hand-made ones; and the reports that stand beside the presets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from playground.evaluation import metrics, reports
from playground.evaluation.metrics import GeneratedTexts, TaskMetrics
from playground.evaluation.reports import TaskReport
from playground.tasks import loader
from playground.tasks.schema import SchemaError

SLOGANS, KEYWORDS = loader.find("slogans"), loader.find("keywords")
FIELDS = {"product": "Blue Moon", "about": "a coffee shop", "tone": "warm"}


def written(*texts: str) -> list[GeneratedTexts]:
    return [GeneratedTexts(FIELDS, texts)]


def report(**changes: object) -> TaskReport:
    found = metrics.task_metrics(SLOGANS, "en", written("Blue Moon: coffee at dawn.", "Tea."))
    made = TaskReport("smollm2", "SmolLM2", "en", "chat", "fast", "int4", 1.5, found)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_choice_and_a_word_that_says_nothing_do_not_name_a_field() -> None:
    assert metrics.names_a_field(SLOGANS, "The moon is up.", FIELDS)
    assert not metrics.names_a_field(SLOGANS, "A warm place to be.", FIELDS)
    assert metrics.telling_words("The Coffee of our shop") == {"coffee", "shop"}
    assert metrics.telling_words("月亮咖啡 Bar") == {"月亮", "亮咖", "咖啡", "bar"}


def test_lines_of_the_prompts_examples_count_as_copied_with_and_without_their_label() -> None:
    found = metrics.task_metrics(SLOGANS, "en", written("Velvet: soft hands after a hard day.\nBlue Moon: mine."))
    assert (found.copied, found.lines) == (1, 2)
    assert "velvet: soft hands after a hard day." in metrics.shot_pieces(SLOGANS, "en")


def test_a_text_that_goes_on_with_the_next_example_has_lost_its_form() -> None:
    assert metrics.has_its_form(SLOGANS, "Blue Moon: coffee.", FIELDS)
    assert not metrics.has_its_form(SLOGANS, "Blue Moon: coffee.\nProduct: Velvet", FIELDS)
    assert not metrics.has_its_form(SLOGANS, " \n", FIELDS)


def test_a_list_has_its_form_from_three_items_on() -> None:
    source = {"text": "tea, cake and milk"}
    assert metrics.has_its_form(KEYWORDS, "1. tea\n2. cake\n3. milk", source)
    assert not metrics.has_its_form(KEYWORDS, "1. tea\n2. cake\n3. the moon", source)


def test_a_table_is_counted_by_what_the_model_wrote_and_has_a_row_for_each_item() -> None:
    advertisements = loader.find("advertisements")
    fields = {"product": "Polar", "channels": "poster, radio"}
    whole = '[{"channel": "poster", "text": "Polar keeps tea hot."}, {"channel": "radio", "text": "Warm all day."}]'
    assert metrics.has_its_form(advertisements, whole, fields)
    assert not metrics.has_its_form(advertisements, whole.split(", {")[0] + "]", fields)
    found = metrics.task_metrics(advertisements, "en", [GeneratedTexts(fields, (whole,))])
    assert (found.lines, found.loops, found.named, found.length) == (2, 0, 1, 7.0)
    assert not metrics.names_a_field(advertisements, whole.replace("Polar", "It"), fields)
    assert "luma." in metrics.shot_pieces(advertisements, "en")


def test_loops_twins_empty_texts_and_the_language_are_counted() -> None:
    loop = "so it goes on " * 5
    found = metrics.task_metrics(SLOGANS, "en", written("One.", " one. ", loop, "", "One."))
    assert (found.texts, found.empty, found.loops) == (5, 1, 1)
    assert (found.identical, found.pairs) == (1, 6)  # the fifth stands in the next four
    assert found.language == 4
    assert metrics.task_metrics(SLOGANS, "zh", written("月亮咖啡，温暖清晨。", "Moon")).language == 1


def test_no_texts_are_no_figures_but_no_fault() -> None:
    found = metrics.task_metrics(SLOGANS, "en", [])
    assert (found.texts, found.lines, found.distinct_2) == (0, 0, 0.0)


def test_a_report_is_read_as_it_was_written_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    first, other = report(), report(language="zh")
    for one in (first, other, report(seconds=9.0)):
        reports.save("slogans", one, tmp_path)
    assert reports.load("slogans", tmp_path) == (report(seconds=9.0), other)
    assert reports.load("poems", tmp_path) == ()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("model: smollm2", "model: 3", "1.model"),
        ("language: en", "language: fr", "1.language"),
        ("seconds: 1.5", "seconds: soon", "1.seconds"),
        ("form: 2", "form: 3", "1.metrics.form"),
        ("loops: 0", "lops: 0", "1.metrics.lops"),
        ("texts: 2", "texts: -2", "1.metrics.texts"),
        ("distinct_2: 1.0", "distinct_2: .nan", "1.metrics.distinct_2"),
    ],
)
def test_a_broken_report_is_told_with_its_place(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = reports.save("slogans", report(), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        reports.load("slogans", tmp_path)
    assert (caught.value.file, caught.value.key) == ("slogans.yaml", key)


def test_a_report_of_an_unknown_task_is_told(tmp_path: Path) -> None:
    reports.save("slogans", report(), tmp_path)
    reports.check(["slogans"], tmp_path)
    with pytest.raises(SchemaError, match=r"slogans\.yaml"):
        reports.check(["poems"], tmp_path)


def test_every_report_in_the_repository_is_of_a_task_that_exists() -> None:
    known = [task.id for task in loader.load_all()]
    reports.check(known)
    measured = {one.language for id in known for one in reports.load(id) if one.model == "smollm2"}
    assert measured == {"en", "zh"}


MEASURED = [
    (task.id, one.metrics)
    for task in loader.load_all()
    for one in reports.load(task.id)
    if (one.model, one.language) == ("smollm2", "en")
]


@pytest.mark.parametrize(("task", "found"), MEASURED, ids=[task for task, _ in MEASURED])
def test_what_was_measured_in_english_holds_the_bar(task: str, found: TaskMetrics) -> None:
    """On the embedded model: names its subject, copies and loops little, and is never empty."""
    assert found.named >= 0.8 * found.texts, task
    assert found.copied <= 0.05 * found.lines, task
    assert found.loops <= 0.05 * found.texts, task
    assert found.empty == 0, task
