"""Columns become what Play sends: a task's prompt, a free prompt, turns of a chat; and answers as they stand behind."""

from __future__ import annotations

from typing import Any

import pytest

from playground import parameters
from playground.tasks import loader, user_task
from playground.training.formats import Records, Talk
from playground.training.mapped import behind, check_any, examples, mapped
from playground.training.mapping import (
    ChatMapping,
    DataMapping,
    FreeMapping,
    TaskMapping,
    TextMapping,
    as_record,
    of_record,
    suggested,
)
from playground.types import InvalidRequest, Request, Text, Turn
from playground.ui import compose_form

VALUES = parameters.validate({})
ROWS = (
    {"name": "Tea", "what": "a warm drink", "text": "Tea: warm hands."},
    {"name": "Oil", "what": "", "text": "Oil."},
)
RECORDS = Records("columns", ("name", "what", "text"), ROWS)
TASK = TaskMapping("slogans", "en", "chat", {"product": "name", "about": "what"}, "text", {"tone": "bold"})


def refused(records: Records, mapping: DataMapping) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        mapped(records, mapping)
    assert caught.value.message.zh != caught.value.message.en and "\n" not in caught.value.say("en")
    return caught.value


@pytest.mark.parametrize("mode", ["chat", "complete"])
def test_a_row_of_a_task_is_what_its_fields_send_on_the_tab_play(mode: Any) -> None:
    found = examples(RECORDS, TaskMapping("slogans", "en", mode, TASK.columns, "text", TASK.fixed))
    task = loader.find("slogans")
    fields = {"product": "Tea", "about": "a warm drink", "tone": "bold"}
    assert found[0].request == task.request(fields, "en", mode)
    assert found[1].request == task.request({"product": "Oil", "tone": "bold"}, "en", mode)
    assert [one.answer for one in found] == [" Tea: warm hands.", " Oil."] and [one.row for one in found] == [1, 2]


def test_a_task_of_one_s_own_is_one_too() -> None:
    own = user_task.write("Mine", user_task.free("About {{name}}: {{what}}\nText:"), {}, VALUES, "en")
    mapping = TaskMapping("", "en", "complete", {"name": "name", "what": "what"}, "text", own=own)
    found = mapped(RECORDS, mapping)
    (only,) = found.examples
    assert only.request.prompt == "About Tea: a warm drink\nText:" and only.answer == " Tea: warm hands."
    assert found.refused[2].en == "what is empty; please fill it in.", "as on the tab Play"


def test_a_free_prompt_is_filled_as_the_tab_play_fills_it() -> None:
    mapping = FreeMapping("{{name}}\nis {{what}}", "text", "Say {{name}}.", columns={"what": "what"})
    form = {
        "kind": "chat", "language": "en", "system": mapping.system, "message": mapping.prompt, "prefill": "",
        "variables": {"name": "Tea", "what": "a warm drink"},
    }  # fmt: skip
    card: Any = type("Card", (), {"has_chat_template": True})()
    first, second = examples(RECORDS, mapping)
    assert first.request == compose_form.request_of(form, VALUES, card)
    assert second.request == Request("Oil", VALUES, "chat", system="Say Oil.")  # an empty variable takes its line along


def test_a_conversation_of_two_answers_is_two_examples_with_the_turns_before() -> None:
    turns: tuple[Turn, ...] = (("user", "a"), ("assistant", " b "), ("user", "c"), ("assistant", "d"))
    found = examples(Records("chat", (), (Talk("Be brief.", turns, (1, 3)), Talk("", turns, (3,)))), ChatMapping())
    assert [(one.request.prompt, one.answer, one.row) for one in found] == [("a", "b", 1), ("c", "d", 1), ("c", "d", 2)]
    assert found[1].request == Request("c", VALUES, "chat", system="Be brief.", turns=turns[:2])


@pytest.mark.parametrize(
    ("before", "answer", "wanted"),
    [
        ("", "  Good day. \n", "Good day."),
        ("Slogan:", "Good day.", " Good day."),
        ("Slogan:", "  Good day.\n", "  Good day."),
        ("Slogan: ", "Good day.", "Good day."),
        ("Slogan:\n", "Good day.", "Good day."),
        ("广告语：", "晨露，你好。", "晨露，你好。"),
        ("广告语：", "Tea", "Tea"),
        ("Text:\n1.", "1. Good day.", " Good day."),
        ("Product: Tea\nSlogan:", "Slogan: Good day.", " Good day."),
        ("广告语：", "广告语：晨露", "晨露"),
        ("The cat", ", who sat", ", who sat"),
        ("(", "aside)", "aside)"),
        ("Cat", "Cathedral", " Cathedral"),
    ],
)
def test_an_answer_stands_behind_its_prompt_as_a_model_would_write_it(before: str, answer: str, wanted: str) -> None:
    assert behind(before, answer) == wanted
    records = Records("columns", ("text",), ({"text": answer},))
    (found,) = examples(records, FreeMapping("x", "text", prefill=before))
    assert found.answer == wanted


def test_a_text_file_is_pieces_and_a_column_of_texts_is_texts() -> None:
    (first, second) = examples(Records("text", (), ("One. ", " Two.")), TextMapping())
    assert (first.answer, first.piece, second.answer, second.row) == ("One. ", True, " Two.", 2) and first.continued
    records = Records("columns", ("text",), ({"text": " One. "},))
    (only,) = examples(records, TextMapping("text"))
    assert (only.answer, only.piece) == ("One.", False) and only.continued
    assert not examples(RECORDS, TASK)[0].continued


# --- rows and mappings that cannot be used -----------------------------------------------------------------------


def test_a_row_without_an_answer_and_one_with_a_wrong_field_are_refused_alone() -> None:
    rows = (*ROWS, {"name": "", "what": "", "text": "x"}, {"name": "Sun", "what": "", "text": " "})
    bad = {5: Text("Line 6 has no end.", "第 6 行没有结尾。")}
    records = Records("columns", RECORDS.columns, (*rows, ROWS[0]), bad)
    found = mapped(records, TASK)
    assert [one.row for one in found.examples] == [1, 2] and found.rows == 5
    assert [reason.en for reason in found.refused.values()] == [
        "Product is empty; please fill it in.", "The text that is wanted is empty.", "Line 6 has no end.",
    ]  # fmt: skip


def test_a_number_as_text_is_a_number_and_a_word_is_refused_by_its_field() -> None:
    field = next((task, one) for task in loader.load_all() for one in task.fields if one.type == "number")
    task, number = field
    defaults = task.defaults("en")
    rows = tuple({**defaults, number.name: value, "wanted": "x"} for value in ("12", "3.5", "twelve"))
    mapping = TaskMapping(task.id, "en", "chat", {name: name for name in defaults}, "wanted")
    found = mapped(Records("columns", (*defaults, "wanted"), rows), mapping)
    assert [one.row for one in found.examples] == [1, 2] and "must be a number" in found.refused[3].en


def test_a_control_character_is_refused_by_its_row() -> None:
    rows = ({"name": "a\x07b", "what": "", "text": "x"}, {"name": "a", "what": "", "text": "x\x00"})
    found = mapped(Records("columns", RECORDS.columns, rows), FreeMapping("{{name}}", "text"))
    assert "U+0007" in found.refused[1].en and "U+0000" in found.refused[2].en


@pytest.mark.parametrize(
    ("mapping", "field", "en"),
    [
        (TaskMapping("slogans", "en", "chat", {"product": "nam"}, "text"), "product", "The file has no column 'nam'."),
        (TaskMapping("slogans", "en", "chat", {"product": "name"}, "txt"), "answer", "The file has no column 'txt'."),
        (FreeMapping("{{nam}}", "text"), "{{nam}}", "The file has no column 'nam'."),
        (FreeMapping("{{name}}", "txt"), "answer", "The file has no column 'txt'."),
        (TextMapping("txt"), "column", "The file has no column 'txt'."),
        (TaskMapping("slogans", "en", "chat", {}, "text"), "product", "No column fills Product."),
        (TaskMapping("slogan", "en", "chat", {"product": "name"}, "text"), "task", "There is no task 'slogan'."),
        (
            TaskMapping("slogans", "en", "chat", {"produce": "name"}, "text"),
            "produce",
            "slogans has no field 'produce'.",
        ),
        (FreeMapping("{{name}}", "text", "System", "complete"), "system", "belong to a chat"),
        (ChatMapping(), "mapping", "This file holds columns, and a mapping of the kind chat is for conversations."),
        (TextMapping(), "mapping", "This file holds columns, and a mapping of the kind text is for text."),
    ],
)
def test_what_would_fail_in_every_row_is_one_sentence_that_names_the_field(
    mapping: DataMapping, field: str, en: str
) -> None:
    error = refused(RECORDS, mapping)
    assert en in error.message.en and error.parameter == field
    if "no column" in en:
        assert error.hint is not None and error.hint.en == "Its columns are name, what, text."


def test_columns_of_a_text_and_a_task_of_a_text_are_refused() -> None:
    text = Records("text", (), ("One.",))
    assert "holds text" in refused(text, TASK).message.en
    assert "holds conversations" in refused(Records("chat", (), ()), FreeMapping("x", "y")).message.en


def test_no_usable_row_is_one_sentence_with_the_first_reason() -> None:
    records = Records("columns", RECORDS.columns, ({"name": "", "what": "", "text": "x"},) * 2)
    with pytest.raises(InvalidRequest) as caught:
        examples(records, TASK)
    assert caught.value.message.en == "None of the rows can be used. Row 1: Product is empty; please fill it in."
    with pytest.raises(InvalidRequest, match="The file has no rows"):
        check_any(mapped(Records("columns", RECORDS.columns, ()), TASK))


# --- mappings as plain data --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mapping", [TASK, FreeMapping("{{name}}", "text", "S", "chat", "P"), ChatMapping(), TextMapping("a")]
)
def test_a_mapping_is_plain_data_and_back(mapping: DataMapping) -> None:
    assert of_record(as_record(mapping)) == mapping


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (None, "mapping"),
        ({"kind": "tasks"}, "kind"),
        ({"kind": ["task"]}, "kind"),
        ({"kind": "task", "answer": "a"}, "task"),
        ({"kind": "task", "task": "slogans"}, "answer"),
        ({"kind": "free", "prompt": "", "answer": "a"}, "prompt"),
        ({"kind": "task", "task": "slogans", "answer": "a", "columns": ["a"]}, "columns"),
        ({"kind": "task", "task": "slogans", "answer": "a", "columns": {"a": 1}}, "columns"),
        ({"kind": "task", "task": "slogans", "answer": "a", "language": "de"}, "language"),
        ({"kind": "free", "prompt": "x", "answer": "a", "mode": "talk"}, "mode"),
        ({"kind": "free", "prompt": 5, "answer": "a"}, "prompt"),
        ({"kind": "chat", "system": "x"}, "system"),
        ({"kind": "text", "column": 1}, "column"),
    ],
)
def test_a_mapping_from_outside_is_checked_field_by_field(given: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        of_record(given)
    assert caught.value.parameter == field and caught.value.message.zh != caught.value.message.en


def test_what_a_file_says_of_itself_is_suggested() -> None:
    assert suggested(Records("chat", (), ())) == ChatMapping() and suggested(Records("text", (), ())) == TextMapping()
    assert suggested(Records("columns", ("text",), ())) == TextMapping("text") and suggested(RECORDS) is None
    rows = (
        {"instruction": "Translate.", "input": "tea", "output": "thé"},
        {"instruction": "Go.", "input": "", "output": "No."},
    )
    alpaca = Records("pairs", ("instruction", "input", "output"), rows)
    for mode in ("chat", "complete"):
        mapping = suggested(alpaca, mode)
        assert mapping is not None
        found = examples(alpaca, mapping)
        assert [one.request.prompt for one in found] == ["Translate.\ntea", "Go."] and found[0].request.mode == mode
        assert [one.answer.strip() for one in found] == ["thé", "No."]
    told = Records("pairs", ("system", "my prompt", "prompt", "completion"), ())
    mapping = suggested(told)
    assert (
        isinstance(mapping, FreeMapping) and mapping.system == "{{system}}" and of_record(as_record(mapping)) == mapping
    )
