"""Promises about thoughts: told apart from the answer however the text is cut, and nothing shown is taken back."""

from __future__ import annotations

import pytest

from playground.thinking import Told, opens, told_apart

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
