"""A person's own task: only what was written is filled in, its YAML comes back as it went, and hostile YAML is told."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground import parameters
from playground.cli import main as cli
from playground.generators.scripted import ScriptedGenerator
from playground.tasks import loader, schema, user_task
from playground.types import InvalidRequest, Language, PlaygroundError, Request, Step
from playground.ui import api
from playground.ui import compose_form as forms

CARD = ScriptedGenerator(["Once."]).card
NEUTRAL = parameters.validate({})
PROMPT = "A story about {{hero}} in {{ 地点 }}.\n\nTitle: {{hero}},"
TYPED = {"hero": "a fox", "地点": "杭州"}
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def free(prompt: str, values: dict[str, Any]) -> dict[str, Any]:
    return forms.first_form() | {"kind": "complete", "prompt": prompt, "variables": values}


def asked(form: dict[str, Any], knobs: dict[str, Any] | None = None) -> Request:
    return forms.request_of(form, knobs or NEUTRAL, CARD)


def written(prompt: str = PROMPT, values: dict[str, Any] | None = None, **knobs: Any) -> str:
    typed = TYPED if values is None else values
    return user_task.write("My story", user_task.free(prompt), typed, NEUTRAL | knobs, "en")


def filled(prompt: str, values: dict[str, str], language: Language = "en") -> str:
    return user_task.filled({"prompt": prompt}, values, language)["prompt"]


def chat(system: str, message: str, prefill: str, values: dict[str, Any]) -> dict[str, Any]:
    typed = {"system": system, "message": message, "prefill": prefill}
    return forms.first_form() | {"kind": "chat", **typed, "variables": values}


def test_the_request_carries_the_prompt_with_its_variables_filled() -> None:
    assert user_task.variables(PROMPT) == ["hero", "地点"]
    assert asked(free(PROMPT, TYPED)).prompt == "A story about a fox in 杭州.\n\nTitle: a fox,"
    assert asked(free("None in {single}, {{a.b}} or {{ }}.", {})).prompt == "None in {single}, {{a.b}} or {{ }}."


def test_a_chat_has_variables_in_each_of_its_texts() -> None:
    request = asked(chat("You are {{hero}}.", "Where is {{地点}}?", "{{hero}}:", TYPED))
    assert (request.system, request.prompt, request.prefill) == ("You are a fox.", "Where is 杭州?", "a fox:")
    with pytest.raises(InvalidRequest) as caught:
        asked(chat("You are {{hero}}.", "Hello", "", {}))
    assert caught.value.parameter == "{{hero}}"
    assert "switch off “Fill in {{variables}}”" in caught.value.say("en")


@pytest.mark.parametrize(
    ("system", "prefill"), [("You are {{hero}}.", "Well,"), ("", ""), ("You are calm.\n\nAlways.", "{{hero}}:")]
)
def test_a_saved_chat_asks_what_the_chat_asked_and_is_edited_as_one(system: str, prefill: str) -> None:
    parts = user_task.chat(system, "Where is {{地点}},\n{{hero}}?", prefill)
    yaml = user_task.write("Fox", parts, TYPED, NEUTRAL | {"temperature": 0.6}, "en")
    task = user_task.read(yaml)
    assert task.prompts["en"] == task.prompts["zh"] == parts and user_task.kind_of(task) == "chat"
    form = forms.first_form() | {"kind": "task", "own": yaml, "fields": TYPED}
    request = asked(form, forms.preset_values(form, CARD))
    same = asked(chat(parts.system, parts.user, parts.prefill, TYPED), {**NEUTRAL, "temperature": 0.6})
    assert replace(request, task=None, of_task=frozenset()) == same and request.mode == "chat"
    assert request.of_task == {"prefill"}  # nobody chose it for this text
    plain = forms.request_of(form, NEUTRAL, replace(CARD, has_chat_template=False))
    assert plain.mode == "complete" and "Where is 杭州,\na fox?" in plain.prompt
    other = user_task.read(yaml.replace("    complete: |-\n", "    complete: |-\n      Edited.\n"))
    assert user_task.kind_of(other) is None  # a chat would not show that


def test_a_chat_without_a_message_is_no_task() -> None:
    with pytest.raises(InvalidRequest) as caught:
        user_task.write("Fox", user_task.chat("You are {{hero}}.", " ", ""), TYPED, NEUTRAL, "en")
    assert caught.value.parameter == "message"


def test_what_was_typed_as_a_value_is_never_looked_at_again() -> None:
    hostile = "{{hero}} {{地点}} {0} %s ${x} {{hero.__class__}} {% include '/etc/passwd' %}"
    assert asked(free("{{hero}}|{{地点}}", {"hero": hostile, "地点": "x"})).prompt == f"{hostile}|x"


@settings(deadline=None)
@given(values=st.lists(words.filter(str.strip), min_size=2, max_size=2))
def test_any_values_stand_where_their_names_stood(values: list[str]) -> None:
    names = dict(zip(("a", "b"), values, strict=True))
    tidy = {name: "\n".join(line.rstrip() for line in text.splitlines()).strip() for name, text in names.items()}
    assert filled("<{{a}}|{{ b }}|{{a}}>", names) == f"<{tidy['a']}|{tidy['b']}|{tidy['a']}>"


@pytest.mark.parametrize("wrong", [{}, {"hero": " "}, {"hero": 3}, {"hero": "x" * 6001}, {"hero": "\ud800"}])
def test_a_variable_that_cannot_be_filled_is_told_at_its_field(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked(free("About {{hero}}", wrong))
    assert caught.value.parameter == "{{hero}}"
    assert caught.value.say("en").startswith("hero ")
    assert caught.value.say("zh") != caught.value.say("en")


def test_more_variables_than_a_form_holds_are_sent_as_they_stand_and_are_no_task() -> None:
    most = user_task.MAX_FIELDS
    values = {f"v{number}": "x" for number in range(most)}
    prompt = "".join(f"{{{{{name}}}}}" for name in values)
    assert asked(free(prompt, values)).prompt == "x" * most
    many = prompt + "{{one_more}}"
    assert asked(free(many, values)).prompt == many
    assert asked(chat(prompt, "{{one_more}}", "", values)).system == prompt
    assert user_task.read(written(prompt, values)).defaults("en") == values
    with pytest.raises(InvalidRequest, match=f"{most + 1} variables; a task has at most {most}") as caught:
        written(many, {})
    assert caught.value.parameter == "prompt"
    assert user_task.variables("{{" + "n" * 40 + "}}{{" + "n" * 41 + "}}") == ["n" * 40]


CODE = (
    "{% for item in items %}\n  <li>{{ item }} {{item.name|e}} {{{ raw }}} {{#each x}}{{/each}} {{> part}}</li>\t\n"
    "{%- endfor %}\n${{ secrets.TOKEN }} \\textbf{{{title}}} f'{{x}} {x}' {{\u2028y}} \n\n"
)


@settings(deadline=None)
@example(text=CODE)
@given(text=st.lists(st.sampled_from(["{{", "}}", "{", "a", " x ", "\n", "{{count}}", "é"])).map("".join))
def test_without_filling_every_text_is_sent_as_it_stands(text: str) -> None:
    assert asked(free(text, {"count": "3"}) | {"fill": False}).prompt == text
    request = asked(chat(text, text, text, {"count": "3"}) | {"fill": False})
    assert (request.system, request.prompt, request.prefill) == (text, text, text)


class Told(ScriptedGenerator):
    """Keeps what it was asked."""

    def stream(self, request: Request) -> Iterator[Step]:
        self.request = request
        return super().stream(request)


def test_braces_of_the_terminal_and_the_api_are_never_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(["Once."])
    monkeypatch.setattr(cli, "_load", lambda _: told)
    texts = {"prompt": CODE, "system": CODE, "prefill": CODE}
    flags = [f"--{name}={text}" for name, text in texts.items()]
    assert cli.main(["generate", "--mode", "chat", "--json", *flags]) == 0
    asked = api.request_of({**texts, "mode": "chat", "task": "", "fields": {}, "language": "en"}, {}, CARD)
    for request in (told.request, asked):
        assert (request.prompt, request.system, request.prefill) == (CODE, CODE, CODE)


def test_a_saved_prompt_asks_what_the_free_prompt_asked() -> None:
    yaml = written(temperature=0.6, stop=["\n"], n=2, seed=11)
    task = user_task.read(yaml)
    assert task.title.en == task.title.zh == "My story"
    assert task.parameters == {"temperature": 0.6, "stop": ["\n"], "n": 2}
    form = forms.first_form() | {"kind": "task", "own": yaml, "fields": task.defaults("zh"), "language": "zh"}
    knobs = forms.preset_values(form, CARD)
    assert knobs["temperature"] == 0.6
    assert CARD.has_chat_template
    request = asked(form, knobs)
    same = asked(free(PROMPT, TYPED), knobs)
    assert (request.prompt, request.mode, request.values) == (same.prompt, same.mode, same.values)
    assert user_task.kind_of(task) == "complete"
    assert task.prompts["en"].complete == PROMPT


@settings(deadline=None)
@example(before="0\x85", value="", title="0")
@example(before="\u2028 x\u2029", value="a\nb", title="0")
@given(
    before=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{\r"), max_size=60),
    value=words,
    title=words,
)
def test_whatever_is_saved_is_read_again_as_it_was(before: str, value: str, title: str) -> None:
    prompt = f"{before}{{{{name}}}}\n  {before}"
    try:
        yaml = user_task.write(title, user_task.free(prompt), {"name": value}, NEUTRAL, "en")
    except InvalidRequest:
        assert not title.strip() or len(title) > user_task.MAX_TITLE
        return
    task = user_task.read(yaml)
    assert task.prompts["en"].complete == prompt
    assert task.title.zh == " ".join(title.split())
    assert task.defaults("en") == {"name": filled("{{name}}", {"name": value}) if value.strip() else ""}


def test_a_saved_task_is_a_preset_like_the_shipped_ones(tmp_path: Any) -> None:
    task = user_task.read(written())
    path = tmp_path / f"{task.id}.yaml"
    path.write_text(written(), encoding="utf-8")
    assert loader.load(path) == task
    assert "prompts:\n  en:\n    complete: |-\n      A story about {{hero}} in {{ 地点 }}.\n" in written()


def test_every_shipped_task_can_be_imported_and_begun_with() -> None:
    for path in sorted(loader.FOLDER.glob("*.yaml")):
        task = user_task.read(path.read_text(encoding="utf-8"), path.name)
        assert task == loader.load(path)
        assert user_task.kind_of(task) is None
        for language in ("en", "zh"):
            fields = {name: value or "-" for name, value in task.defaults(language).items()}
            sent = filled(task.prompts[language].complete, fields, language)
            assert next(iter(task.checked_fields(fields, language).values())) in sent


def test_an_own_task_of_a_shipped_name_is_the_visitors_own() -> None:
    yaml = written().replace("id: my_story", "id: slogans").replace("kind: text", "kind: list")
    form = forms.first_form() | {"kind": "task", "task": "slogans", "own": yaml, "fields": TYPED}
    request = asked(form)
    assert request.prompt.startswith("A story about a fox")
    remembered = forms.card_request(request, forms.task_part(form))
    task = forms.task_asked(remembered)
    assert task is not None and task.output.kind == "list"
    again = forms.rerun_request({"action": "regenerate", "request": remembered}, NEUTRAL, CARD)
    assert (again.prompt, again.task) == (request.prompt, "slogans")
    other = forms.task_of(forms.first_form())  # and nobody else sees it
    assert other is not None and other.output.kind == "text"


@pytest.mark.parametrize(
    ("title", "prompt", "parameter"),
    [
        ("", PROMPT, "title"),
        (None, PROMPT, "title"),
        ("x" * 61, PROMPT, "title"),
        ("My story", "Nothing to fill in", "prompt"),
        ("My story", "{{name}} and {{name.upper()}}", "prompt"),
        ("My story", "{{name}} and {{shots}}", "prompt"),
    ],
)
def test_what_no_task_can_hold_is_told_before_it_is_saved(title: Any, prompt: str, parameter: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        user_task.write(title, user_task.free(prompt), {}, NEUTRAL, "en")
    assert caught.value.parameter == parameter


BOMB = "a: &a [x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\n"
HOSTILE = [
    (BOMB, 2, "aliases are not allowed"),
    ("id: story\ngroup: !!python/object/apply:os.system [ls]\n", 2, "tags are not allowed"),
    ("id: story\nfields: !include /etc/passwd\n", 2, "tags are not allowed"),
    ("id: story\n---\nid: other\n", 2, "another document"),
    ("id: story\ngroup: write\n\ttitle: x\n", 3, "not valid YAML"),
    ("id: story\ngroup: \x00\n", 2, "not allowed"),
    ("id: story\ncolour: red\n", 2, "this key is unknown"),
    ("<<: {id: story}\n", 1, "this key is unknown"),
    ('id: story\ntitle: "\\UFFFFFFFF"\n', 2, "cannot be read"),
    ('id: story\ntitle: "\\ud800"\n', 2, "half a character"),
    ('id: story\n"\\udfff": x\n', 2, "half a character"),
    ("[" * 60_000, 1, "more than 40 levels deep"),
    ("{a: " * 15_000, 1, "more than 40 levels deep"),
    ("- " * 30_000 + "x", 1, "more than 40 levels deep"),
    ("\n".join(" " * at + "a:" for at in range(60)), 40, "more than 40 levels deep"),
    (written().replace("id: my_story", "id: 0x" + "f" * 10_000), 1, "cannot be read"),
    (written().replace("id: my_story", "id: 2024-05-01"), 1, "it must be a text; put it in quotes"),
    (written().replace("id: my_story", "id: " + "9" * 10_000), 1, "cannot be read"),
    ("#" * (64 * 1024 + 1), None, "larger than 64 KB"),
    ("", None, "empty"),
    (None, None, "not a text"),
    ({"id": "story"}, None, "not a text"),
    ("\ud800", None, "no text"),
]


@pytest.mark.parametrize(("text", "line", "reason"), HOSTILE, ids=[reason for _, _, reason in HOSTILE])
def test_hostile_yaml_is_refused_with_its_line(text: Any, line: int | None, reason: str) -> None:
    with pytest.raises(schema.SchemaError) as caught:
        user_task.read(text, "from a stranger.yaml")
    assert caught.value.line == line
    assert reason in caught.value.say("en")
    assert "from a stranger.yaml" in caught.value.say("zh")


def test_yaml_that_takes_too_much_to_read_is_one_sentence_and_read_by_no_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema, "_read", lambda *_: pytest.fail("the server itself read it"))
    yaml = written("[a, b], " * 3_000 + "{{much}}", {"much": "x " * 2_900})
    assert user_task.read(yaml, "mine.yaml").fields[0].name == "much"
    monkeypatch.setattr(schema, "_MOST", replace(schema._MOST, output=1_000))
    with pytest.raises(schema.SchemaError, match=r"other.yaml: it takes too long to read") as caught:
        user_task.read(yaml, "other.yaml")
    assert "读取时间过长" in caught.value.say("zh")
    with pytest.raises(schema.SchemaError, match="larger than 64 KB"):
        written("x" * 10_000_000 + "{{a}}", {})


def test_a_task_is_parsed_once_nobody_changes_it_and_a_mistake_is_told_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []
    parse = schema.parse_untrusted

    def noted(text: str, file: str) -> schema.Node:
        parsed.append(file)
        return parse(text, file)

    monkeypatch.setattr(schema, "parse_untrusted", noted)
    yaml = written("Once {{hero}} went.", {"hero": "a fox"}, stop=["\n"], temperature=0.31)
    task = user_task.read(yaml, "mine")
    before = copy.deepcopy(task)
    assert parsed == [user_task.FILE, "mine"]
    parsed.clear()
    form = forms.first_form() | {"kind": "task", "own": yaml, "fields": {"hero": "a hare"}}
    for _ in range(3):
        request = asked(form, forms.preset_values(form, CARD))
        forms.task_values_of_all_forms(form)
        forms.with_task_form(dict(request.values), forms.card_request(request, forms.task_part(form)))
        forms.task_record(user_task.read(yaml, "mine"))
        user_task.kind_of(user_task.read(yaml, "mine"))
    assert {user_task.FILE, "mine"}.isdisjoint(parsed)
    assert user_task.read(yaml, "mine") is task and task == before
    for _ in range(2):
        with pytest.raises(schema.SchemaError, match="line 2"):
            user_task.read("id: story\ncolour: red\n", "mine")
    assert parsed.count("mine") == 2


def test_an_import_is_held_to_the_templates_that_only_substitute() -> None:
    for inside in ("hero.__class__", "hero|upper", "7*7", "include 'x'", "hero()"):
        with pytest.raises(PlaygroundError, match=r"task\.yaml, line \d+, prompts\.en\.complete"):
            user_task.read(written().replace("{{ 地点 }}", f"{{{{{inside}}}}}"))


def test_tasks_whose_titles_have_no_latin_letters_have_ids_of_their_own() -> None:
    ids = [
        user_task.read(user_task.write(title, user_task.free("{{a}}"), {}, {}, "zh")).id for title in ("猫", "狗", "猫")
    ]
    assert ids[0] == ids[2] != ids[1]
    task = user_task.read(user_task.write("Fox story", user_task.free("{{a}}"), {}, {}, "en"))
    assert task.id == "fox_story"
    assert user_task.kind_of(replace(task, id="as_it_was_called")) == "complete"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_shipped_task_begins_a_prompt_whose_variables_are_called_as_its_fields_are(language: Language) -> None:
    for task in loader.load_all():
        values = task.defaults(language)
        typed = task.prompts[language].complete
        prompt, variables = user_task.in_words(typed, values, task, language)
        names = user_task.variables(prompt)
        assert len(names) == len(user_task.variables(typed)) and set(names) <= set(variables), task.id
        for name, field in zip(variables, task.fields, strict=True):
            words = re.findall(r"\w+", field.label.say(language).replace("'", ""))
            assert name.split("_") == words, task.id
        filled = user_task.filled({"prompt": prompt}, variables, language)["prompt"]
        assert filled == user_task.filled({"prompt": typed}, values, language)["prompt"], task.id
