"""What the task presets promise: every mistake in a file is named, templates only substitute, lists come out clean."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import parameters
from playground.evaluation.metrics import has_its_form
from playground.evaluation.text_statistics import is_chinese
from playground.tasks import listing, loader, schema
from playground.tasks.loader import Task
from playground.tasks.task import fill
from playground.types import LANGUAGES, Generator, InvalidRequest, Language, Mode, PlaygroundError

if TYPE_CHECKING:
    from playground.models import Loaded

SHIPPED = loader.load_all()
BY_ID = {task.id: task for task in SHIPPED}
each_task = pytest.mark.parametrize("task", SHIPPED, ids=lambda task: task.id)
each_language = pytest.mark.parametrize("language", LANGUAGES)
each_mode = pytest.mark.parametrize("mode", loader.MODES)

SMALL = textwrap.dedent(
    """\
    id: small
    group: write
    title: {en: Small, zh: 小}
    description: {en: A small task., zh: 一个小任务。}
    output: {kind: text}
    fields:
      - name: theme
        type: text
        label: {en: Theme, zh: 主题}
        default: {en: rain, zh: 雨}
        max_length: 20
      - name: mood
        type: choice
        required: false
        label: {en: Mood, zh: 心境}
        default: {en: quiet, zh: 宁静}
        choices: {en: [quiet, loud], zh: [宁静, 热闹]}
      - name: count
        type: number
        required: false
        label: {en: Lines, zh: 行数}
        default: {en: "4", zh: "4"}
    prompts:
      en:
        shots: A shot.
        chat: {system: "{{shots}} Be brief.", user: "On {{theme}}.", prefill: "Here:"}
        complete: "{{shots}} {{theme}}:"
      zh:
        chat: {user: "写{{theme}}。"}
        complete: "{{theme}}："
    parameters:
      temperature: 0.5
    overrides:
      - {mode: chat, parameters: {temperature: 0.25}}
    """
)


def small(**replaced: str) -> Task:
    text = SMALL
    for old, new in replaced.items():
        text = text.replace(old, new)
    return loader.build(schema.parse(text, "small.yaml"))


BROKEN = [
    ("group: write", "group: wirte", 2, "group"),
    ("group: write", "group: write\ncolour: red", 3, "colour"),
    ("group: write\n", "", 1, "group"),
    ("group: write", "group: write\ngroup: write", 3, "group"),
    ("title: {en: Small, zh: 小}", "title: {en: Small}", 3, "title.zh"),
    ("title: {en: Small, zh: 小}", "title: {en: 12, zh: 小}", 3, "title.en"),
    ("kind: text}", "kind: picture}", 5, "output.kind"),
    ("kind: text}", "kind: list, within: nothing}", 5, "output.within"),
    ("type: text", "type: colour", 8, "fields.1.type"),
    ("max_length: 20", "max_length: yes", 11, "fields.1.max_length"),
    ("max_length: 20", "max_length: 2", 10, "fields.1.default.en"),
    ("en: [quiet, loud]", "en: [quiet]", 17, "fields.2.choices"),
    ("{en: quiet, zh", "{en: angry, zh", 16, "fields.2.default.en"),
    ("name: mood", "name: theme", 7, "fields"),
    ("name: mood", "name: Mood!", 12, "fields.2.name"),
    ("name: mood", "name: shots", 7, "fields"),
    ("On {{theme}}.", "On {{thema}}.", 26, "prompts.en.chat.user"),
    ("On {{theme}}.", "On {{theme.__class__}}.", 26, "prompts.en.chat.user"),
    ("On {{theme}}.", "On {{theme", 26, "prompts.en.chat.user"),
    ("A shot.", "A {{theme}} shot.", 25, "prompts.en.shots"),
    ("写{{theme}}。", "{{shots}}", 29, "prompts.zh.chat.user"),
    ("temperature: 0.5", "temperature: -1", 32, "parameters.temperature"),
    ("temperature: 0.5", "temperature: .nan", 32, "parameters.temperature"),
    ("temperature: 0.5", "temperature: warm", 32, "parameters.temperature"),
    ("temperature: 0.5", "temprature: 0.5", 32, "parameters.temprature"),
    ("temperature: 0.25", "top_k: -5", 34, "overrides.1.parameters.top_k"),
    ("mode: chat", "mode: sing", 34, "overrides.1.mode"),
    ("group: write", "group: !!python/object/apply:os.getcwd []", 2, ""),
    ("group: write", "group: [unclosed", None, ""),
    ("group: write", "group: &a write\nmore: *a", 3, ""),
    ("group: write", "group:\n\t- write", 3, ""),
]


@pytest.mark.parametrize(("old", "new", "line", "key"), BROKEN, ids=[new.strip()[:40] for _, new, _, _ in BROKEN])
def test_a_mistake_in_a_file_is_told_with_file_line_and_key(old: str, new: str, line: int | None, key: str) -> None:
    assert old in SMALL
    with pytest.raises(PlaygroundError) as caught:
        small(**{old: new})
    error = caught.value
    assert isinstance(error, schema.SchemaError)
    assert error.key == key
    for language in LANGUAGES:
        assert "small.yaml" in error.say(language)
        assert key in error.say(language)
    if line is not None:
        assert error.line == line
        assert f"line {line}" in error.say("en")
        assert f"第 {line} 行" in error.say("zh")
    assert error.say("en") != error.say("zh")


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"- 1", b"just words", b"? [a]\n: 1\n", b"\x00", b"[" * 5000, b"x: 1\n" * 99999]
)
def test_a_file_that_is_no_task_is_one_clear_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(data)
    with pytest.raises(PlaygroundError, match=r"odd\.yaml"):
        loader.load(path)


def test_a_missing_file_and_a_wrong_file_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(PlaygroundError, match=r"none\.yaml: the file cannot be read"):
        loader.load(tmp_path / "none.yaml")
    (tmp_path / "other.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(PlaygroundError, match=r"must be named small\.yaml"):
        loader.load(tmp_path / "other.yaml")


def test_a_folder_of_ones_own_is_loaded_and_an_unknown_id_is_told_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    assert [task.id for task in loader.load_all(tmp_path)] == ["small"]
    assert loader.find("small", tmp_path).title.zh == "小"
    with pytest.raises(InvalidRequest, match="Did you mean slogans") as caught:
        loader.find("slogan")
    assert caught.value.parameter == "task"


def test_what_a_person_typed_is_never_looked_at_again() -> None:
    typed = {"theme": "{{mood}} {0} %s ${x}", "mood": "loud"}
    request = small().request(typed, "en", "chat")
    assert request.prompt == "On {{mood}} {0} %s ${x}."
    assert (request.system, request.prefill) == ("A shot. Be brief.", "Here:")


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(st.characters(exclude_characters="\n")), min_size=2))
def test_fill_is_plain_substitution(fields: dict[str, str]) -> None:
    filled = fill("<{{a}}|{{ b }}|{{a}}>", fields)
    assert filled == ("<{a}|{b}|{a}>".format(**fields) if any(fields.values()) else "")


def test_a_line_whose_fields_are_all_empty_is_left_out() -> None:
    assert fill("A: {{a}}\nB: {{b}}\nC", {"a": "", "b": "x"}) == "B: x\nC"


def test_a_line_break_cannot_end_a_one_line_field() -> None:
    assert "rain Mood: loud" in small().request({"theme": "rain\nMood: loud"}, "en", "complete").prompt


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "theme"),
        ({"theme": "  \n "}, "theme"),
        ({"theme": "x" * 21}, "theme"),
        ({"theme": "\ud800"}, "theme"),
        ({"theme": "rain", "mood": "angry"}, "mood"),
        ({"theme": "rain", "count": "four"}, "count"),
        ({"theme": "rain", "colour": "red"}, "colour"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(fields: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        small().request(fields, "en", "complete")
    assert caught.value.parameter == named
    assert caught.value.say("en") != caught.value.say("zh")


def test_a_choice_that_is_not_given_is_its_default_and_other_optional_fields_are_empty() -> None:
    assert small().checked_fields({"theme": "雨"}, "zh") == {"theme": "雨", "mood": "宁静", "count": ""}


def test_ones_own_values_replace_the_tasks_and_overrides_count_where_they_apply() -> None:
    task = small()
    assert task.request({"theme": "rain"}, "en", "complete").values["temperature"] == 0.5
    assert task.request({"theme": "rain"}, "en", "chat").values["temperature"] == 0.25
    request = task.request({"theme": "rain"}, "en", "chat", {"temperature": 1.5, "n": 3})
    assert (request.values["temperature"], request.values["n"], request.task) == (1.5, 3, "small")
    with pytest.raises(InvalidRequest) as caught:
        task.request({"theme": "rain"}, "en", "chat", {"temperature": -1})
    assert caught.value.parameter == "temperature"


OF_THE_ARTICLES = {
    "marketing": {"slogans", "product_description", "brand_story", "marketing_plan", "advertisements"},
    "understand": {"keywords", "summary", "titles", "sentiment"},
    "recommend": {"recommendations", "advice"},
    "write": {"poems", "news_item", "article", "review", "comment", "film_description", "video_script"},
    "office": {"reply", "document", "copy_edit"},
}


@pytest.mark.parametrize("group", loader.GROUPS)
def test_every_task_of_the_articles_is_there(group: str) -> None:
    assert OF_THE_ARTICLES[group] <= {task.id for task in SHIPPED if task.group == group}


@each_task
@each_language
def test_a_task_opens_filled_in_and_reads_as_written_for_its_language(task: Task, language: Language) -> None:
    assert all(field.default.say(language) for field in task.fields if field.required)
    prompts = task.prompts[language]
    assert is_chinese(prompts.shots) == is_chinese(prompts.system) == (language == "zh")
    assert task.parameters


@each_task
@each_language
@each_mode
def test_every_prompt_renders_with_defaults_and_with_the_examples_fields(task: Task, language: str, mode: str) -> None:
    for fields in [task.defaults(language), *(e.fields for e in task.examples if e.language == language)]:  # type: ignore[arg-type]
        request = task.request(fields, language, mode)  # type: ignore[arg-type]
        whole = request.system + request.prompt + request.prefill
        first = next(iter(task.checked_fields(fields, language).values()))  # type: ignore[arg-type]
        assert first in whole
        assert "{{" not in whole
        assert set(request.values) == set(parameters.by_name())


@each_task
@each_language
@each_mode
def test_every_prompt_holds_up_when_only_the_required_fields_are_filled(task: Task, language: str, mode: str) -> None:
    required = {field.name: field.default.say(language) for field in task.fields if field.required}
    request = task.request(required, language, mode)  # type: ignore[arg-type]
    assert not any(line.strip().endswith((": ", ":  ")) for line in request.prompt.splitlines())
    assert request.prompt.strip()


@each_task
def test_a_task_keeps_only_parameters_that_differ_from_neutral(task: Task) -> None:
    assert parameters.changed(task.parameters) == task.parameters
    for language in LANGUAGES:
        for mode in loader.MODES:
            assert parameters.validate(task.parameters_for(language, mode))


@each_task
def test_every_task_shows_what_the_embedded_model_really_wrote(task: Task) -> None:
    spoken = [example.language for example in task.examples]
    assert spoken.count("en") >= 2 and spoken.count("zh") >= 1
    for example in task.examples:
        assert example.model == "smollm2"
        values = task.request(example.fields, example.language, example.mode).values
        assert len(example.texts) == values["n"]
        assert all(text.strip() for text in example.texts)
        assert len(set(example.texts)) == len(example.texts)
        shots = {line.strip() for line in task.prompts[example.language].shots.splitlines()}
        assert not shots & {line.strip() for text in example.texts for line in text.splitlines() if line.strip()}
        assert all(task.clean(text, example.fields) for text in example.texts)


@each_task
def test_a_record_is_plain_data(task: Task) -> None:
    record = json.loads(json.dumps(task.record()))
    assert record["id"] == task.id
    assert [field["name"] for field in record["fields"]] == [field.name for field in task.fields]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1. Tea\n2. Cake\n", ["Tea", "Cake"]),
        ("- tea\n* Tea\n• cake", ["tea", "cake"]),
        ("(1) “Tea”\n2) 'Cake'\n③ 「茶」", ["Tea", "Cake", "茶"]),
        ("**Tea**: warm,\n\n\n   \n—\n***", ["Tea: warm"]),
        (
            "1984\n2001: A Space Odyssey\n3D printing\n3.5 inches",
            ["1984", "2001: A Space Odyssey", "3D printing", "3.5 inches"],
        ),
        ("Items:\n1. Tea\nItems:\n1. Cake", ["Tea"]),
        ("Items: Tea\nLikes: dogs\nItems:\nCake", ["Tea"]),
        ("1. A shot: copied\n2. Tea", ["Tea"]),
        ("", []),
    ],
)
def test_a_list_loses_bullets_quotes_repetitions_and_leftovers(text: str, items: list[str]) -> None:
    prompt_lines = ["Likes: {{likes}}", "Items:", "1. A shot: copied"]
    assert listing.items(text, prompt_lines) == items


def test_a_markdown_table_is_read_as_its_rows() -> None:
    text = "| Scene | Words |\n|---|---|\n| 1 | A girl opens the door. |\n| 2. She smiles.\n|"
    assert listing.items(text, []) == ["Scene | Words", "A girl opens the door.", "She smiles."]


def test_a_list_between_commas_is_split_and_bound_to_the_words_of_its_source() -> None:
    assert listing.items("Tea, cake.、tea；雨", [], "commas") == ["Tea", "cake", "雨"]
    assert listing.items("Tea, moon, CAKE", [], "commas", "tea and cake") == ["Tea", "CAKE"]
    keywords = BY_ID["keywords"]
    assert keywords.clean("1. bees\n2. the moon\n3. Bees", {"text": "Bees fly."}) == ["bees"]


@given(st.text(), st.lists(st.text(), max_size=4), st.sampled_from(["lines", "commas"]), st.none() | st.text())
def test_cleaning_never_fails_and_never_repeats(
    text: str, lines: list[str], split: listing.Split, source: str | None
) -> None:
    found = listing.items(text, lines, split, source)
    assert len({item.casefold() for item in found}) == len(found)
    assert all(item and item == item.strip() and "\n" not in item for item in found)


def test_tasks_are_read_without_a_model_library() -> None:
    code = (
        "import sys, playground.tasks.loader as t; t.load_all();"
        "sys.exit('torch' in sys.modules or 'gradio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=loader.FOLDER.parent).returncode == 0


def lost(generator: Generator, asked: list[tuple[Task, Language, Mode]]) -> list[tuple[str, Language, Mode, str]]:
    """The texts that came out without their kind, written as rows of one batch."""
    from playground import generate

    def written(one: tuple[Task, Language, Mode]) -> str:
        task, language, mode = one
        fields = fields_of(task, language)
        ends = task.output.kind == "text" and not task.output.form(fields)  # such a text is one however soon it ends
        short = {"max_new_tokens": 24} if ends else {}
        request = task.request(fields, language, mode, {"seed": 7, "n": 1, **short})
        *_, run = generate.run(generate.checked(replace(request, path="fast")), generator)
        assert run.finished and run.error is None
        return run.candidates[0].text

    with ThreadPoolExecutor(len(asked)) as pool:
        texts = list(pool.map(written, asked))
    return [
        (task.id, language, mode, text)
        for (task, language, mode), text in zip(asked, texts, strict=True)
        if not has_its_form(task, text, fields_of(task, language)) or "{{" in text
    ]


def fields_of(task: Task, language: Language) -> dict[str, str]:
    """The defaults; one row is enough of a table that has one for each item of a field."""
    fields, each = task.defaults(language), task.output.each
    return fields | ({each: fields[each].replace("、", ",").split(",")[0]} if each else {})


@pytest.mark.model
@pytest.mark.usefixtures("uncompiled")
def test_a_task_of_every_kind_yields_it_on_the_real_model(load_embedded: Callable[[str], Loaded]) -> None:
    """Where one of the kind is held to a form, that one: in Chinese, as a completion; what is free, as a chat."""
    from playground.generators.local import LocalGenerator

    by_form = sorted(SHIPPED, key=lambda task: not task.output.form(task.defaults("zh")))
    kinds = {task.output.kind: task for task in reversed(by_form)}
    assert set(kinds) == {"text", "list", "table", "json"}
    asked: list[tuple[Task, Language, Mode]] = []
    for task in kinds.values():
        held = task.output.form(task.defaults("zh"))
        asked.append((task, "zh", "complete") if held else (task, "en", "chat"))
    assert lost(LocalGenerator(load_embedded("fp32")), asked) == []


@pytest.mark.long
@pytest.mark.model
@pytest.mark.usefixtures("uncompiled")
def test_every_task_yields_its_kind_on_the_real_model(load_embedded: Callable[[str], Loaded]) -> None:
    """As a chat in English; as a completion in Chinese too, where the output is held to a form."""
    from playground.generators.local import LocalGenerator

    asked: list[tuple[Task, Language, Mode]] = [(task, "en", "chat") for task in SHIPPED]
    asked += [(task, "zh", "complete") for task in SHIPPED if task.output.form(task.defaults("zh"))]
    assert lost(LocalGenerator(load_embedded("fp32")), asked) == []
