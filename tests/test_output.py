"""Lists, tables and JSON of a task come out in their form, and what a finished text says is read off it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from playground import models
from playground.evaluation.metrics import has_its_form
from playground.generators.local import LocalGenerator
from playground.parameters.grammar import FORMS
from playground.tasks import keyword_runs, loader, schema
from playground.tasks.output import MAX_CELL
from playground.tasks.schema import SchemaError
from playground.tasks.task import Task
from playground.types import InvalidRequest, Path
from playground.ui import card_updates, compose_form
from tests.test_tasks import BY_ID, SMALL

COLUMN = "output.columns.1.name"
TEXT = "The city will replace its diesel buses (all of them) with electric ones.\nNobody's bus is {safe} [now]."
KINDS = {
    "table": "{kind: table, rows: {min: 2, max: 3}, columns: ["
    "{name: day, label: {en: Day, zh: 日}}, {name: plan, label: {en: Plan, zh: 计划}}]}",
    "json": "{kind: json, schema: {type: object, properties: {title: {type: string, maxLength: 9},"
    " ok: {type: boolean}}, required: [title, ok], additionalProperties: false},"
    " labels: {title: {en: Title, zh: 标题}}}",
    "list": "{kind: list, items: {min: 2, max: 4}}",
    "verses": "{kind: text, lines: {mood: {quiet: 4, loud: 2, 宁静: 4, 热闹: 2}}}",
    "within": "{kind: list, items: {min: 2, max: 4}, within: theme}",
    "record": "{kind: json, within: theme, schema: {type: object, properties: {what: {type: string, maxLength: 40},"
    " else: {type: [string, 'null']}, how: {enum: [new, old]}, count: {type: integer, minimum: 1, maximum: 99}}}}",
}


def task(kind: str, field: str = "long_text") -> Task:
    text = SMALL.replace("{kind: text}", KINDS[kind]).replace("type: text", f"type: {field}")
    return loader.build(schema.parse(text.replace("max_length: 20", "max_length: 6000"), "small.yaml"))


def keeps(kind: str, one: Task, text: str, fields: dict[str, str]) -> bool:
    found = one.value(text, fields)
    if kind == "table":
        whole = json.loads(text)
        cells = [cell for row in whole for cell in row.values()]
        return found == whole and 2 <= len(found) <= 3 and all(0 < len(cell) <= MAX_CELL for cell in cells)
    if kind == "json":
        return set(found) == {"title", "ok"} and isinstance(found["ok"], bool)
    if kind == "verses":
        return len(text.split("\n")) == 4
    if kind == "record":
        taken = [found["what"], *([found["else"]] if found["else"] is not None else [])]
        lines = re.split(r"[\n()\[\]{}]", fields["theme"])
        assert 1 <= found["count"] <= 99 and found["how"] in ("new", "old") and len(found["what"]) <= 40
        return all(text.strip() and any(text in line for line in lines) for text in taken)
    lines = [re.fullmatch(r"(\d)\. (.+)", line) for line in text.split("\n")]
    items = [match[2] for match in lines if match]
    held = kind == "list" or all(any(item in line for line in fields["theme"].splitlines()) for item in items)
    return held and len(items) == len(lines) and 2 <= len(items) <= 4


def write(
    loaded: models.Loaded, one: Task, fields: dict[str, str], path: Path = "exact", **values: Any
) -> list[tuple[str, str]]:
    request = one.request(fields, "en", "complete", {"max_new_tokens": 300, "temperature": 1.2, **values})
    request = replace(request, path=path)
    texts: dict[int, str] = {}
    ends: dict[int, str] = {}
    for step in LocalGenerator(loaded).stream(request):
        texts[step.row] = texts.get(step.row, "") + step.text
        ends[step.row] = step.finish or ""
    return [(texts[row], ends[row]) for row in sorted(texts)]


@pytest.mark.parametrize(("kind", "rows"), [("table", 4), ("json", 50), ("list", 4), ("within", 50), ("record", 8)])
def test_every_seed_yields_the_kind(tiny: models.Loaded, kind: str, rows: int) -> None:
    one, fields = task(kind), {"theme": TEXT}
    for seed in (1, 1001):
        for text, end in write(tiny, one, fields, n=rows, seed=seed):
            assert end == "end" and keeps(kind, one, text, one.checked_fields(fields, "en")), text


def test_a_text_has_as_many_lines_of_verse_as_the_choice_says(tiny: models.Loaded) -> None:
    one = task("verses")
    for mood, count in (("quiet", 4), ("loud", 2)):
        fields = {"theme": "rain", "mood": mood}
        for text, end in write(tiny, one, fields, n=30, seed=5):
            verses = text.split("\n")
            assert end == "end" and len(verses) == count, text
            assert all(re.match(r"[^\W_]|[\"'“‘《]", verse) for verse in verses), text
            assert not verses[-1].endswith((",", "，")), text
            assert has_its_form(one, text, fields) and not has_its_form(one, text + "\nmore", fields)


def test_a_form_that_was_not_chosen_asks_for_no_lines(tiny: models.Loaded) -> None:
    assert task("verses").output.form({"theme": "rain", "mood": ""}) == {}
    assert all(loader.find("poems").output.form({"form": one}) for one in ("haiku", "俳句", "eight lines", "四行"))


def test_words_of_a_chinese_text_occur_in_it(tiny: models.Loaded) -> None:
    fields = {"theme": "苹果公司发布了新手机，电池更耐用（真的），价格从五千元起。"}
    for text, _ in write(tiny, task("within"), fields, n=10, seed=5):
        assert keeps("within", task("within"), text, fields), text
    for text, end in write(tiny, task("record"), fields, n=10, seed=5):
        assert end == "end" and keeps("record", task("record"), text, fields), text


def test_keywords_of_a_chinese_text_are_whole_words_of_it(tiny: models.Loaded) -> None:
    text = "研究人员发现，海豚会用iPhone17Playground呼唤。图书馆在考试周将开放到十点，还有中华人民共和国国务院。"
    pieces = keyword_runs.words(text)
    assert "".join(pieces) == text and {"海豚", "会", "考试", "周", "将", "iPhone17Playground", "务"} <= set(pieces)
    ends = [0, *itertools.accumulate(map(len, pieces))]
    one, fields = task("within"), {"theme": text}
    written = write(tiny, one, fields, n=20, seed=5)
    items = [line.partition(". ")[2] for found, _ in written for line in found.split("\n")]
    runs = {text[start:end] for start, end in itertools.combinations(ends, 2)}
    assert len(set(items)) > 5 and set(items) <= runs, set(items) - runs
    assert "豚会" in text and "豚会" not in runs


def test_english_keywords_hold_no_word_that_only_links(tiny: models.Loaded) -> None:
    one = task("within")
    fields = {"theme": "The buses are quieter and don't smell. The Bank of England will pay a third of them in May."}
    written = write(tiny, one, fields, n=30, seed=5)
    items = {line.partition(". ")[2] for found, _ in written for line in found.split("\n")}
    assert len(items) > 5 and items & {"buses", "quieter", "May"}
    for item in items:
        said = item.split(" ")
        assert "of" not in (said[0], said[-1]), item
        assert not {"The", "are", "and", "don't", "will", "a", "them", "in"}.intersection(said), item


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("It's the mayor's plan", ["mayor's plan"]),
        ("In May Will can't go with US and IT", ["May Will", "go", "US", "IT"]),
        ("the University of Oxford", ["University of Oxford"]),
        ("to be or not to be", ["to be or not to be"]),  # nothing else is there to take
        ("Die Bäume der Stadt", ["Die Bäume der Stadt"]),
    ],
)
def test_linking_words_part_a_text(text: str, runs: list[str]) -> None:
    assert [run.strip() for run in keyword_runs.content(text).splitlines() if run.strip()] == runs


def test_a_record_quotes_a_text_that_holds_quotation_marks_and_backslashes(tiny: models.Loaded) -> None:
    fields = {"theme": 'She said "two {red} buses" and C:\\temp\\new "twice".'}
    for text, _ in write(tiny, task("record"), fields, n=10, seed=5):
        found = task("record").value(text, fields)
        assert found["what"] in fields["theme"] and not set(found["what"]) & set('"\\{}'), text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("record", "!?! -"),
        ("record", "x" * 41 + " (_)"),
        ("within", "({})"),
        ("within", "好。(坏)"),
        ("within", "好！" + "a" * 41),
    ],
)
def test_a_text_without_words_to_take_is_refused_by_its_field(kind: str, text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        task(kind).request({"theme": text}, "zh", "chat")
    assert caught.value.parameter == "theme" and "Theme has no words to take." in caught.value.say("en")


@pytest.mark.model
@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("kind", KINDS)
def test_the_real_model_yields_the_kind(load_embedded: Callable[[str], models.Loaded], kind: str) -> None:
    one, fields = task(kind), {"theme": TEXT}
    for text, end in write(load_embedded("bf16"), one, fields, "fast", n=4, seed=3, temperature=0.8):
        assert end == "end" and keeps(kind, one, text, one.checked_fields(fields, "en")), text


def test_whole_rows_of_a_broken_table_stay_and_a_broken_value_is_none() -> None:
    table, value = task("table"), task("json")
    broken = '[{"day": "1", "plan": "rest {a}"}, {"day": "2", "plan": "wa'
    assert table.value(broken, {}) == [{"day": "1", "plan": "rest {a}"}]
    assert table.clean(broken, {}) == ["1\trest {a}"]
    assert value.value('{"title": "a', {}) is None and value.value("[" * 100_000, {}) is None
    assert value.value('{"title": "a", "ok": true}', {}) == {"title": "a", "ok": True}


def test_a_table_may_have_a_row_for_each_item_of_a_field_and_cells_that_are_chosen(tiny: models.Loaded) -> None:
    chosen = "{name: how, label: {en: How, zh: 如何}, choices: {en: [wet], zh: [湿]}}"
    output = f"{{kind: table, each: theme, columns: [{{name: day, label: {{en: Day, zh: 日}}}}, {chosen}]}}"
    text = SMALL.replace("{kind: text}", output).replace("type: text", "type: list")
    one = loader.build(schema.parse(text, "small.yaml"))
    fields = one.checked_fields({"theme": "sun, rain、sun"}, "en")
    for written, end in write(tiny, one, fields, n=4, seed=1):
        rows = one.value(written, fields)
        assert end == "end" and rows == json.loads(written)
        assert [row["day"] for row in rows] == ["sun", "rain"] and {row["how"] for row in rows} <= {"wet", "湿"}
        assert one.output.prose(written) == "\n"  # nothing here was the model's own


def test_prose_is_what_the_model_wrote_itself() -> None:
    rows = '[{"day": "1", "plan": "rest"}, {"day": "2", "plan": "walk"}]'
    assert task("table").output.prose(rows) == "1: rest\n2: walk"
    assert task("json").output.prose('{"title": "a", "ok": true}') == "a"
    assert task("json").output.prose('{"title": "a') == ""
    assert task("record").output.prose('{"what": "a", "else": null, "how": "new", "count": 1}') == "a"
    assert task("list").output.prose("1. a") == "1. a"


def test_a_form_that_is_asked_for_outranks_the_tasks_own() -> None:
    one = task("table")
    values = one.request({"theme": "a"}, "en", "chat", {"regex": "[a-z]+"}).values
    assert [name for name in FORMS if values[name]] == ["regex"]


def test_a_list_without_counts_is_held_to_nothing() -> None:
    text = SMALL.replace("{kind: text}", "{kind: list, within: theme}")
    values = loader.build(schema.parse(text, "small.yaml")).request({"theme": "a"}, "en", "chat").values
    assert not any(values[name] for name in FORMS)


@pytest.mark.parametrize(
    ("output", "key"),
    [
        ("{kind: table, rows: {min: 1, max: 2}}", "output.columns"),
        ("{kind: table, columns: [{name: a, label: {en: A, zh: 甲}}]}", "output"),
        ("{kind: table, each: nothing, columns: [{name: a, label: {en: A, zh: 甲}}]}", "output.each"),
        ("{kind: table, rows: {min: 3, max: 2}, columns: [{name: a, label: {en: A, zh: 甲}}]}", "output.rows.min"),
        ("{kind: table, rows: {min: 1, max: 2}, columns: []}", "output.columns"),
        ("{kind: table, rows: {min: 1, max: 1}, columns: [{name: A, label: {en: A, zh: 甲}}]}", COLUMN),
        ("{kind: json}", "output.schema"),
        ("{kind: json, schema: [1]}", "output.schema"),
        ("{kind: json, schema: {type: strin}}", "output.schema"),
        ("{kind: json, schema: {$ref: 'https://example.com'}}", "output.schema"),
        ("{kind: json, within: theme, schema: {type: string}}", "output.schema"),
        ("{kind: json, within: theme, schema: {properties: {a: 1}}}", "output.schema"),
        ("{kind: json, within: theme, schema: {properties: {a: {type: string, maxLength: 1}}}}", "output.schema"),
        ("{kind: json, within: theme, schema: {properties: {a: {type: [1]}}}}", "output.schema"),
        ("{kind: json, within: theme, schema: {properties: {a: {type: strin}}}}", "output.schema"),
        ("{kind: json, schema: {type: object, properties: {a: {}}}, labels: {b: {en: B, zh: 乙}}}", "output.labels.b"),
        ("{kind: json, schema: {type: string}, labels: {a: {en: A, zh: 甲}}}", "output.labels.a"),
        ("{kind: json, schema: {type: object, properties: {a: {}}}, labels: {a: {en: A}}}", "output.labels.a.zh"),
        ("{kind: text, items: {min: 1, max: 2}}", "output.items"),
        ("{kind: text, lines: {theme: {quiet: 1}}}", "output.lines.theme"),
        ("{kind: text, lines: {}}", "output.lines"),
        ("{kind: text, lines: {mood: {quiet: 1, loud: 2, 宁静: 1}}}", "output.lines.mood.热闹"),
        ("{kind: text, lines: {mood: {quiet: 1, loud: 21, 宁静: 1, 热闹: 2}}}", "output.lines.mood.loud"),
    ],
)
def test_a_mistake_in_an_output_is_named_with_its_place(output: str, key: str) -> None:
    with pytest.raises(SchemaError) as caught:
        loader.build(schema.parse(SMALL.replace("{kind: text}", output), "small.yaml"))
    assert caught.value.key == key and caught.value.line == 5


def test_the_page_goes_on_with_the_form_that_no_knob_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task("within")
    monkeypatch.setattr(compose_form, "task_named", {"small": one}.get)
    fields = {"theme": TEXT, "mood": "quiet", "count": ""}
    own = one.request(fields, "en", "chat").values
    knobs = {name: value for name, value in own.items() if name not in FORMS}
    assert compose_form.with_task_form(loader.parameters.validate(knobs), {"task": "small", "fields": fields}) == own
    assert compose_form.with_task_form({"temperature": 1}, {"task": None}) == {"temperature": 1}


def test_a_card_gets_the_whole_rows_with_headings_in_both_languages() -> None:
    told = card_updates._table('[{"day": "<b>1</b>", "plan": "rest"}, {"day": "2"', task("table"))
    assert told == {
        "head": [{"en": "Day", "zh": "日"}, {"en": "Plan", "zh": "计划"}],
        "rows": [["<b>1</b>", "rest"]],
    }


def test_a_card_gets_the_properties_of_whole_json_and_nothing_before() -> None:
    whole = '{"title": "<b>1</b>", "ok": null, "more": ["a", {"b": "é"}]}'
    title = [{"en": "Title", "zh": "标题"}, {"en": "<b>1</b>", "zh": "<b>1</b>"}]
    more = [{"en": "more", "zh": "more"}, {"en": 'a, {"b": "é"}', "zh": 'a、{"b": "é"}'}]
    told = card_updates._table(whole, task("json"))
    assert told == {"head": [], "rows": [title, [{"en": "ok", "zh": "ok"}, {"en": "—", "zh": "—"}], more]}
    for text in (whole[:-1], '"a"', "[1]", r'{"title": "\ud800"}', '{"a":' * 100_000):
        assert card_updates._table(text, task("json")) == {"head": [], "rows": []}


def test_the_lines_of_a_list_keep_their_numbers_and_words_between_commas_have_none() -> None:
    script = BY_ID["video_script"]
    shown = script.example("en")
    assert shown is not None and script.numbered
    for text in shown.texts:
        told = script.finished(text, shown.fields).splitlines()
        assert len(told) > 1 and [line.split(".")[0] for line in told] == [str(at) for at in range(1, len(told) + 1)]
    keywords = BY_ID["keywords"]
    assert not keywords.numbered
    assert keywords.finished("1. tea\n2. coffee", {"text": "Tea and coffee."}) == "tea\ncoffee"
