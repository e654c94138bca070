"""Whether a model is fit for a task, by counts; and whether a text is in the language that was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.evaluation import fitness, metrics, reports
from playground.evaluation.fitness import ALLOWED, Shortfall
from playground.evaluation.metrics import GeneratedTexts, TaskMetrics
from playground.evaluation.reports import Review
from playground.tasks import loader

SLOGANS = loader.find("slogans")
FIELDS = {"product": "Blue Moon", "about": "a coffee shop"}
PERFECT = TaskMetrics(
    texts=20,
    form=20,
    named=20,
    language=20,
    empty=0,
    loops=0,
    lines=40,
    copied=0,
    pairs=24,
    identical=0,
    distinct_2=1.0,
    length=8.0,
)


def test_a_model_without_faults_falls_short_of_nothing() -> None:
    assert fitness.shortfalls(PERFECT) == ()


@pytest.mark.parametrize(
    ("fault", "most"),
    [("form", 2), ("named", 4), ("language", 2), ("empty", 1), ("loops", 1), ("copied", 2), ("identical", 1)],
)
def test_each_fault_has_a_share_that_is_allowed_and_none_more(fault: str, most: int) -> None:
    def having(count: int) -> TaskMetrics:
        good = fault in ("form", "named", "language")
        return replace(PERFECT, **{fault: PERFECT.texts - count if good else count})

    whole = {"copied": PERFECT.lines, "identical": PERFECT.pairs}.get(fault, PERFECT.texts)
    assert fitness.shortfalls(having(most)) == ()
    assert fitness.shortfalls(having(most + 1)) == (Shortfall(fault, most + 1, whole),)  # type: ignore[arg-type]


def test_every_count_that_can_be_a_fault_has_its_threshold_and_the_gravest_is_told_first() -> None:
    worst = replace(PERFECT, form=0, named=0, language=0, empty=20, loops=20, copied=40, identical=24)
    assert [one.fault for one in fitness.shortfalls(worst, Review(3, 0, "rule"))] == list(ALLOWED)


def test_two_of_three_texts_that_are_kept_are_enough_and_texts_that_nobody_read_speak_against_no_model() -> None:
    alike = replace(PERFECT, identical=PERFECT.pairs)
    assert [bool(fitness.shortfalls(alike, Review(3, count, "rule"))) for count in (2, 3)] == [True, False]
    kept = [fitness.shortfalls(PERFECT, Review(3, count, "rule")) for count in range(4)]
    assert kept == [(Shortfall("kept", 3, 3),), (Shortfall("kept", 2, 3),), (), ()]
    assert fitness.shortfalls(PERFECT, None) == ()
    assert [fitness.keeps_little(Review(15, count, "rule")) for count in (0, 9, 10, 15)] == [True, True, False, False]
    assert not fitness.keeps_little(None) and not fitness.keeps_little(Review(9, 0, "rule"))


def test_nothing_is_said_of_what_nobody_counted() -> None:
    assert fitness.shortfalls(metrics.task_metrics(SLOGANS, "en", [GeneratedTexts(FIELDS, ())])) == ()


def test_a_report_speaks_of_its_own_model_and_language_only() -> None:
    measured = reports.load("slogans")
    found = fitness.report_of(measured, "smollm2", "zh")
    assert found is not None and (found.model, found.language) == ("smollm2", "zh")
    assert fitness.report_of(measured, "Qwen/Qwen2.5-0.5B-Instruct", "zh") is None


ENGLISH = "A small coffee shop by the harbour, open from dawn until the last ferry."
CHINESE = "港口边的小咖啡馆，从清晨一直开到末班渡轮。"


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        (ENGLISH, False, True),
        (CHINESE, True, False),
        ("Café crème près du vieux port, chaque matin", False, True),
        ("Blue Moon Coffee，港口边的小咖啡馆，从清晨开到末班渡轮。", True, False),
        ("港の小さなコーヒーショップ、ひらがな と カタカナ だけの ぶん です", True, True),
        ("작은 커피 가게는 항구 옆에 있습니다", True, True),
    ],
)
def test_most_words_decide_whose_language_a_text_is_in(text: str, en: bool, zh: bool) -> None:
    assert (fitness.is_foreign(text, "en"), fitness.is_foreign(text, "zh")) == (en, zh)


@pytest.mark.parametrize(
    "text",
    ["", "OK", "Yes, of course", "好的", "42 / 17 = 2.47", "```python\nfor a in range of many words here: pass\n```"],
)
def test_of_a_few_words_of_numbers_and_of_code_nobody_can_tell_the_language(text: str) -> None:
    assert not fitness.is_foreign(text, "en") and not fitness.is_foreign(text, "zh")


def test_a_text_strays_unless_the_visitor_wrote_in_its_language_himself() -> None:
    chinese_fields = {"product": "蓝月", "about": "港口边的小咖啡馆，从清晨开到末班渡轮"}
    assert fitness.strays(SLOGANS, "zh", chinese_fields, ENGLISH)
    assert not fitness.strays(SLOGANS, "zh", chinese_fields, CHINESE)
    assert fitness.strays(SLOGANS, "en", FIELDS, CHINESE)
    assert not fitness.strays(SLOGANS, "en", chinese_fields, CHINESE)


def test_the_keys_of_a_table_are_no_words_of_its_text() -> None:
    columns = tuple(loader.Column(name, SLOGANS.title) for name in ("channel", "advertisement"))
    table = replace(SLOGANS, output=loader.Output("table", columns=columns))
    text = '[{"channel": "海报", "advertisement": "极光，冬天里的一杯热茶"}]'
    assert fitness.is_foreign(text, "zh") is False
    assert not fitness.strays(table, "zh", {}, text)
    assert fitness.strays(table, "en", {}, text)
