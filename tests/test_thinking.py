"""Promises about thoughts: told apart from the answer however the text is cut, and nothing shown is taken back."""

from __future__ import annotations

import pytest

from playground import generate, parameters, tasks
from playground.generators.scripted import ScriptedGenerator
from playground.thinking import Told, opens, told_apart
from playground.types import Mode, Request
from playground.ui import news

ANSWERED = "<think>\nThe ferry < late?\n</think>\n\nIt is late."


def test_a_thought_and_its_answer_are_told_apart() -> None:
    assert told_apart(ANSWERED) == Told("The ferry < late?", "It is late.")


def test_a_thought_that_the_template_began_ends_at_its_closing_tag() -> None:
    assert told_apart("Late?\n</think>\nYes.", opened=True) == Told("Late?", "Yes.")
    assert told_apart(ANSWERED, opened=True) == told_apart(ANSWERED)


def test_a_thought_without_an_end_is_no_answer() -> None:
    assert told_apart("<think>Late, or") == Told("Late, or", "", thinks=True)
    assert told_apart("Late, or", opened=True) == Told("Late, or", "", thinks=True)


@pytest.mark.parametrize("text", ["", "Plain.", "Write <think> first.", "<thinking>Late?", "</think>", "<thi"])
def test_a_text_that_begins_otherwise_is_the_answer_as_it_stands(text: str) -> None:
    assert told_apart(text) == Told("", text)


@pytest.mark.parametrize(
    ("text", "opened"),
    [(ANSWERED, False), (ANSWERED, True), ("a </th b</think>c", True), ("<thinner> and </think>", False)],
)
def test_while_it_grows_no_part_of_a_tag_is_shown_and_nothing_is_taken_back(text: str, opened: bool) -> None:
    last = told_apart(text, opened=opened)
    before = Told("", "")
    for end in range(len(text) + 1):
        grown = told_apart(text[:end], opened=opened, whole=False)
        assert last.thought.startswith(grown.thought) and last.answer.startswith(grown.answer), text[:end]
        assert grown.thought.startswith(before.thought) and grown.answer.startswith(before.answer), text[:end]
        before = grown
    assert (before.thought, before.answer) == (last.thought, last.answer)


def test_a_template_that_begins_a_thought_is_noticed() -> None:
    assert opens("<|im_start|>assistant\n<think>\n")
    assert not opens("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not opens("<|im_start|>assistant\n")


@pytest.mark.parametrize(
    ("text", "prefill", "base", "mode", "thinks", "told"),
    [
        ("<think>Late?</think>It is.", "", "", "chat", False, ("Late?", "It is.")),
        ("<think>Late?</think>It is.", "", "", "complete", False, ("", "<think>Late?</think>It is.")),
        ("Late?</think>It is.", "", "", "chat", True, ("Late?", "It is.")),  # the template began the thought
        ("It is.", "</think>\n", "", "chat", True, ("", "It is.")),  # and the beginning of the answer ended it
        ("Or not.", "Late?</think>It is. ", "Late?</think>It is. ", "chat", True, ("Late?", "It is. Or not.")),
        ("It is.", "Well, ", "", "chat", False, ("", "It is.")),
    ],
)
def test_a_card_tells_them_apart_wherever_the_answer_began(
    text: str, prefill: str, base: str, mode: Mode, thinks: bool, told: tuple[str, str]
) -> None:
    generator = ScriptedGenerator([text])
    request = Request("When?", parameters.validate({"seed": 0}), mode, prefill=prefill)
    *_, run = generate.run(request, generator)
    run.thinks = thinks
    row = news.of_run("a", run, generator.card, {}, base=base)["rows"][0]
    assert (row["thought"], row["text"] if row["answer"] is None else row["answer"]) == told
    assert row["text"] == base + text


def test_a_list_is_made_of_the_answer_alone() -> None:
    generator = ScriptedGenerator(["<think>\n1. no\n</think>\n1. tea\n2. coffee\n"])
    task = tasks.find("recommendations")
    request = Request("Which?", parameters.validate({"seed": 0}), "chat")
    *_, run = generate.run(request, generator)
    assert news.of_run("a", run, generator.card, {}, task=task)["rows"][0]["items"] == ["tea", "coffee"]
