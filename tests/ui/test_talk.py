"""Promises of a conversation in a browser: every turn can be changed, nothing said is lost, what goes is said first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import Held, Visit, generate, tokens_of
from tests.ui.scripted_page import HOSTILE
from tests.ui.served import SCRIPTED, forked

pytestmark = pytest.mark.browser


def open_talk(page: Page, seed: int = 0) -> Any:
    page.locator("[data-kind=talk]").click()
    expect(page.locator(".candidates")).to_have_text("1")  # the knobs of this kind have come
    page.locator(".act [name=seed]").fill(str(seed))
    page.keyboard.press("Tab")
    expect(page.locator(".seed-value")).to_have_value(str(seed))
    return page.locator("#talk")


def say(page: Page, text: str, turns: int) -> None:
    page.locator("#talk [name=message]").fill(text)
    generate(page)
    expect(page.locator(".turn")).to_have_count(turns)
    expect(page.locator(".turn").last.locator(".finish")).to_have_text("end of text")
    expect(page.locator("#talk [name=message]")).to_have_value("")


def texts(page: Page) -> list[str]:
    return page.locator(".turn-text").all_inner_texts()


def test_turns_are_edited_regenerated_and_branched_and_nothing_said_is_lost(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    talk = open_talk(page)
    talk.locator("[name=system]").fill("Be brief.")
    for number, message in enumerate(("One?", "Two?", "Three?"), start=1):
        say(page, message, 2 * number)
    page.locator(".seen summary").click()
    talk.locator("[name=message]").fill("Four?")
    told = re.compile(r"Be brief\.\nOne\?\nNight Ferry.*\nThree\?\n.*\nFour\?", re.DOTALL)
    expect(page.locator(".seen-text")).to_have_text(told)
    talk.locator("[name=message]").fill("")
    long = texts(page)

    # The first message another one: a branch of its own, and back again.
    turn = page.locator(".turn")
    turn.nth(0).locator("[name=edit]").click()
    turn.nth(0).locator("textarea").fill(HOSTILE)
    turn.nth(0).locator("textarea").press("Control+Enter")
    expect(turn).to_have_count(2)
    expect(turn.nth(1).locator(".finish")).to_have_text("end of text")
    assert texts(page)[0] == HOSTILE and turn.locator("img, b").count() == 0 and page.title().endswith(" · Playground")
    expect(turn.nth(0).locator(".walk output")).to_have_text("2/2")
    turn.nth(0).locator("[name=back]").click()
    expect(turn).to_have_count(6)
    assert texts(page) == long

    # Another answer in the middle; the one before and what followed it stay.
    turn.nth(3).locator("[name=regenerate]").click()
    expect(turn).to_have_count(4)
    expect(turn.nth(3).locator(".walk output")).to_have_text("2/2")
    expect(turn.nth(3).locator(".finish")).to_have_text("end of text")
    expect(page.locator(".act.running")).to_have_count(0)
    turn.nth(3).locator("[name=back]").click()
    assert texts(page) == long

    # An answer by hand, and a branch: another message where there is one.
    turn.nth(5).locator("[name=edit]").click()
    turn.nth(5).locator("textarea").fill("By hand.")
    turn.nth(5).get_by_role("button", name="Keep").click()
    assert texts(page) == [*long[:5], "By hand."]
    turn.nth(1).locator("[name=branch]").click()
    expect(turn).to_have_count(2)
    say(page, "Elsewhere?", 4)
    expect(turn.nth(2).locator(".walk output")).to_have_text("2/2")
    turn.nth(2).locator("[name=back]").click()
    assert texts(page) == [*long[:5], "By hand."]

    # All of it outlives a reload, and so does a new conversation beside it.
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    assert texts(page) == [*long[:5], "By hand."]
    expect(talk.locator("[name=system]")).to_have_value("Be brief.")
    talk.locator("[name=new]").click()
    expect(turn).to_have_count(0)
    talk.locator("[name=followed]").click()
    expect(turn.nth(0).locator(".walk output")).to_have_text("2/2")


def test_an_answer_in_another_script_than_its_question_is_remarked_on(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    open_talk(page)
    say(page, "What is a lighthouse for, and who keeps it?", 2)
    expect(page.locator(".turn .remark:visible")).to_have_count(0)
    say(page, "灯塔是做什么用的，又是谁在看守？", 4)
    expect(page.locator(".turn").last.locator(".remark")).to_contain_text("The prompt is in Chinese, this text is not.")


@pytest.fixture(scope="module")
def thinking(starts_server: None, _held: Held) -> Iterator[str]:
    """The page over a script that thinks before it answers, and reads only 60 tokens."""
    with forked(SCRIPTED, "--think", "--hold", str(_held.file)) as url:
        yield url


def test_a_card_folds_what_was_thought_and_gives_away_the_answer_alone(thinking: str, visit: Visit) -> None:
    page = visit(thinking, permissions=["clipboard-read", "clipboard-write"])
    open_talk(page)
    page.locator("[data-kind=chat]").click()
    page.locator("[data-for=chat] [name=message]").fill("When does it come?")
    generate(page)
    one, text = page.locator(".card"), page.locator(".card-body")
    expect(one).to_have_count(1)
    expect(text).to_have_text("The ferry is late.")
    expect(one.locator(".thought summary")).to_have_text("Thought")
    expect(one.locator(".thought-text")).to_be_hidden()
    one.locator(".thought summary").click()
    expect(one.locator(".thought-text")).to_have_text("Which ferry? <b>The late one.</b>")
    assert "Which" in "".join(tokens_of(page).all_inner_texts())  # the tokens are all there
    page.locator("[name=as-text]").click()
    one.locator("[name=copy]").click()
    expect(one.locator("[name=copy].done")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "The ferry is late."
    one.locator("[name=edit]").click()
    expect(one.locator(".card-edit")).to_have_value("The ferry is late.")
    one.locator(".card-edit").fill("It is on time,")
    one.locator(".card-edit").press("Control+Enter")
    expect(text).to_have_text("It is on time,")
    one.locator("[name=continue]").click()
    expect(one.locator(".walk output")).to_have_text("3/3")
    expect(one.locator(".finish")).to_have_text("end of text")
    expect(text).to_have_text(re.compile("^It is on time,<think>"))  # further on the tag is a word like any other
    expect(one.locator(".thought-text")).to_have_text("Which ferry? <b>The late one.</b>")
    one.locator("[name=tree]").click()
    one.locator("[name=compare]").click()
    expect(one.locator(".compare-shared")).to_have_text("It is on time,")  # what both thought is folded above
    page.reload()
    expect(text).to_have_text(re.compile("^It is on time,"))
    expect(one.locator(".thought")).to_be_visible()
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once")
    expect(page.locator(".seen-mode")).to_have_text("completion")
    generate(page)
    expect(text.first).to_have_text(re.compile("^<think>"))  # what a prompt is continued with is nobody's thought


def test_thoughts_are_folded_and_not_sent_back_and_what_no_longer_fits_is_said_first(
    thinking: str, visit: Visit, hold: Held
) -> None:
    page = visit(thinking)
    talk = open_talk(page)
    length = page.locator("[data-knob=max_new_tokens] input").last
    length.fill("20")
    length.press("Enter")
    hold("all")
    talk.locator("[name=message]").fill("When does it come?")
    page.locator("button[name=generate]").click()
    turn = page.locator(".turn")
    expect(turn.nth(1).locator(".thought summary")).to_have_text("Thinking…")
    hold()
    expect(turn.nth(1).locator(".finish")).to_have_text("end of text")
    expect(turn.nth(1).locator(".thought summary")).to_have_text("Thought")
    expect(turn.nth(1).locator(".turn-text")).to_have_text("The ferry is late.")
    thought = turn.nth(1).locator(".thought")
    expect(thought.locator(".thought-text")).to_be_hidden()
    thought.locator("summary").click()
    expect(thought.locator(".thought-text")).to_have_text("Which ferry? <b>The late one.</b>")
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_have_text(re.compile(r"When does it come\?\nThe ferry is late\."))
    expect(page.locator(".seen-text")).not_to_contain_text("think")
    used = talk.locator(".talk-count")
    expect(used).to_have_text(re.compile(r"^\d+ / 60 tokens$"))
    for number in range(2, 4):
        say(page, f"And what of tomorrow, day {number}?", 2 * number)

    # It is said before the message is sent, marked on the turns, and only then left out.
    expect(talk.locator(".talk-left-out")).to_be_hidden()
    message = "And on the day after that, is it late again, or early, or on time, or not at all?"
    talk.locator("[name=message]").fill(message)
    said = talk.locator(".talk-left-out")
    expect(said).to_have_text(re.compile(r"^The first \d turns no longer fit and will be left out\.$"))
    gone = int(re.findall(r"\d+", said.inner_text())[0])
    expect(page.locator(".turn.left-out")).to_have_count(gone)
    expect(page.locator(".seen-text")).not_to_contain_text("When does it come?")
    page.locator("button[name=language]").click()
    expect(said).to_have_text(f"最早的 {gone} 轮已放不下，将被省略。")
    page.locator("button[name=language]").click()
    say(page, message, 8)
    assert texts(page)[0] == "When does it come?"

    # Sent before it could be said, while the last count is of another conversation: refused, nothing lost.
    counts: list[Route] = []
    holding = True

    def event_of(route: Route) -> int:
        sent: dict[str, Any] = route.request.post_data_json or {}
        return int(sent["fn_index"])

    def hold_counts(route: Route) -> None:
        if holding and (not counts or event_of(counts[0]) == event_of(route)):
            counts.append(route)
        else:
            route.continue_()

    page.route("**/queue/join**", hold_counts)
    with page.expect_request("**/queue/join**"):
        talk.locator("[name=new]").click()
    say(page, "a b c d e f g h i j k l m n", 2)
    expect(page.locator(".act.running")).to_have_count(0)  # while it runs, Generate is not heard
    talk.locator("[name=message]").evaluate(
        "(area) => { area.value = 'late '.repeat(30); area.dispatchEvent(new Event('input', { bubbles: true }));"
        " document.querySelector('button[name=generate]').click(); }"
    )
    expect(page.locator(".act-notice")).to_have_text(
        "The first 2 turns no longer fit and will be left out. Generate once more to go on without them."
    )
    expect(talk.locator("[name=message]")).to_have_value("late " * 30)
    holding = False
    for count in counts:
        count.continue_()
    expect(said).to_be_visible()
    generate(page)
    expect(turn).to_have_count(4)


def test_a_beginning_of_the_answer_stands_in_front_and_an_answer_goes_on(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    talk = open_talk(page)
    generate(page)
    expect(talk.locator("[data-field=message] .field-error")).to_contain_text("The message is empty.")
    talk.locator("[name=prefill]").fill("Well: ")
    say(page, "One?", 2)
    turn = page.locator(".turn")
    expect(turn.nth(1).locator(".turn-text")).to_have_text(re.compile("^Well: Night Ferry"))
    expect(talk.locator("[name=prefill]")).to_have_value("")
    turn.nth(1).locator("[name=continue]").click()
    expect(turn.nth(1).locator(".walk output")).to_have_text("2/2")
    expect(turn.nth(1).locator(".finish")).to_have_text("end of text")
    expect(turn.nth(1).locator(".turn-text")).to_have_text(re.compile("^Well: Night Ferry.*Night Ferry"))
    expect(page.locator("#cards")).to_be_hidden()
    page.locator("[data-kind=chat]").click()
    expect(talk).to_be_hidden()
    expect(page.locator("#cards")).to_be_visible()


def test_an_answer_can_begin_with_any_next_token_and_part_at_any_of_its_own(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    talk = open_talk(page)
    length = page.locator("[data-knob=max_new_tokens] input").last
    length.fill("4")
    length.press("Enter")
    talk.locator("[name=prefill]").fill("Well:")
    talk.locator("[name=message]").fill("One?")
    page.locator("button[name=look]").click()
    page.locator("#next button[name=branch]").nth(2).click()
    turn = page.locator(".turn")
    answer = turn.nth(1).locator(".turn-text")
    expect(turn.nth(1).locator(".finish")).to_have_text(re.compile("length|end"))
    expect(page.locator(".act.running")).to_have_count(0)
    expect(answer).to_have_text(re.compile("^Well:."))
    expect(talk.locator("[name=message]")).to_have_value("")
    page.locator("#tokens .tk-token").nth(1).click()
    page.locator("#waterfall button[name=branch]").nth(1).click()
    expect(turn.nth(1).locator(".walk output")).to_have_text("2/2")
    expect(page.locator(".act.running")).to_have_count(0)
    expect(answer).to_have_text(re.compile("^Well:."))
    assert texts(page)[0] == "One?"
