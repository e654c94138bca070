"""The versions of a card: a tree that is walked, compared and pruned, and nothing in it is ever lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Held, Visit, body, card, generate, tokens_of
from tests.ui.scripted_page import HOSTILE
from tests.ui.test_play import fix_seed, free_prompt

pytestmark = pytest.mark.browser


def twigs(page: Page) -> Locator:
    return card(page).locator(".twig")


def shown(page: Page) -> Locator:
    return card(page).locator(".twig[aria-selected=true]")


def walker(page: Page) -> Locator:
    return card(page).locator(".walk output")


def again(page: Page, name: str, count: str) -> None:
    """Presses a button of the card that generates, and waits for the end."""
    card(page).locator(f"button[name={name}]").click()
    expect(walker(page)).to_have_text(count)
    expect(page.locator(".act.running")).to_have_count(0)


def by_hand(page: Page, text: str) -> None:
    card(page).locator("button[name=edit]").click()
    card(page).locator("textarea").fill(text)
    card(page).locator("textarea").press("Control+Enter")


def tell(page: Page, **knobs: Any) -> None:
    for name, value in knobs.items():
        page.evaluate(
            "(knob) => import('playground/page/board.js').then((board) => board.tell('knob', knob))",
            {"name": name, "value": value},
        )


def grown(page: Page) -> None:
    """A first version, one by hand from it, a continuation of that one, and one with a new seed."""
    free_prompt(page, "Once")
    fix_seed(page, 0)
    generate(page)
    expect(card(page).locator("button[name=tree]")).to_be_hidden()
    by_hand(page, f"By hand: {HOSTILE}")
    again(page, "continue", "3/3")
    again(page, "regenerate", "4/4")
    card(page).locator("button[name=tree]").click()


def test_a_tree_is_walked_compared_pruned_and_taken_back(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    grown(page)
    expect(twigs(page)).to_have_count(4)
    assert [twig.get_attribute("aria-level") for twig in twigs(page).all()] == ["1", "2", "3", "1"]
    expect(twigs(page).nth(0)).to_contain_text(re.compile("first version.*tokens · end of text", re.S))
    expect(twigs(page).nth(1)).to_contain_text("<img src=x onerror=")
    expect(twigs(page).nth(2)).to_contain_text("goes on from its end")
    expect(twigs(page).nth(3)).to_contain_text("from the beginning, seed")
    assert page.title().endswith(" · Playground") and card(page).locator("img, b").count() == 0

    # The arrow keys walk, and the tokens below follow.
    expect(shown(page)).to_be_focused()
    page.keyboard.press("Home")
    expect(walker(page)).to_have_text("1/4")
    expect(shown(page)).to_be_focused()
    first = body(page).inner_text()[:12]
    page.locator("[name=as-tokens]").click()
    expect(body(page).locator(".tk-text")).to_contain_text(first)
    page.locator("[name=as-text]").click()
    shown(page).focus()
    # Quickly after each other, back and on again: the last one counts, whatever was answered in between.
    for key in ("ArrowRight", "Home", "End", "Home"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".results .tk-empty")).to_contain_text("written by hand")
    page.keyboard.press("ArrowDown")
    expect(walker(page)).to_have_text("3/4")
    page.keyboard.press("ArrowLeft")
    expect(walker(page)).to_have_text("2/4")

    # Two versions, the shared beginning once.
    page.keyboard.press("ArrowRight")
    card(page).locator("button[name=compare]").click()
    expect(card(page).locator(".compare-shared")).to_contain_text("<b>bold</b>")
    expect(card(page).locator(".compare-side").first).to_have_text("ends here")
    expect(card(page).locator(".compare-side mark")).to_have_count(1)
    card(page).locator("[name=compare-one]").select_option(index=0)
    expect(card(page).locator(".compare-side")).to_have_count(2)
    expect(card(page).locator(".compare-side mark").nth(1)).to_have_text("By")
    card(page).locator("button[name=compare-close]").click()

    # What is pruned goes with what grew from it, and comes back.
    texts = [twig.inner_text() for twig in twigs(page).all()]
    twigs(page).nth(1).click()
    page.keyboard.press("Delete")
    expect(twigs(page)).to_have_count(2)
    expect(walker(page)).to_have_text("1/2")
    page.keyboard.press("Control+z")
    expect(walker(page)).to_have_text("2/4")
    expect(page.locator(".results-voice")).to_have_text("Undo: version deleted")
    page.keyboard.press("Control+Shift+z")
    expect(walker(page)).to_have_text("1/2")
    card(page).locator(".gone summary").click()
    card(page).locator("button[name=bring-back]").click()
    assert [twig.inner_text() for twig in twigs(page).all()] == texts
    shown(page).focus()
    page.keyboard.press("Escape")
    expect(card(page).locator(".twigs")).to_be_hidden()
    expect(card(page).locator("button[name=tree]")).to_be_focused()


def test_undo_takes_back_a_branch_and_an_edit_and_loses_neither(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    grown(page)
    card(page).locator("button[name=compare]").click()  # stays open while what it compares comes and goes
    page.keyboard.press("Control+z")  # the new seed
    page.keyboard.press("Control+z")  # the continuation
    expect(walker(page)).to_have_text("2/2")
    card(page).locator("button[name=edit]").click()
    area = card(page).locator("textarea")
    area.press("End")
    area.type("!")
    area.press("Control+z")  # while a field is written in, this is the field's own
    expect(area).not_to_have_value(re.compile("!$"))
    area.press("Escape")
    expect(walker(page)).to_have_text("2/2")
    page.locator("button[name=undo]").click()  # the edit
    expect(walker(page)).to_have_text("1/1")
    expect(card(page).locator(".compare")).to_have_count(0)
    page.keyboard.press("Control+z")  # nothing is left: what was typed into the prompt is not taken back instead
    expect(page.locator("#prompt")).to_have_value("Once")
    assert "By hand" not in body(page).inner_text()
    for count in ("2/2", "3/3"):
        page.locator("button[name=redo]").click()
        expect(walker(page)).to_have_text(count)
    # Something new is done instead of redoing: what was undone is still there to be brought back.
    by_hand(page, "Another one.")
    expect(page.locator("button[name=redo]")).to_be_disabled()
    card(page).locator(".gone summary").click()
    expect(card(page).locator(".gone li")).to_contain_text("from the beginning, seed")
    card(page).locator("button[name=bring-back]").click()
    expect(walker(page)).to_have_text("4/5")


def test_undo_belongs_to_the_run_that_is_shown(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    free_prompt(page, "Once")
    fix_seed(page, 0)
    generate(page)
    by_hand(page, "Mine.")
    undo = page.locator("button[name=undo]")
    expect(undo).to_be_enabled()
    page.locator("button[name=generate]").click()
    expect(page.locator(".runs output")).to_contain_text("2")
    expect(card(page).locator(".finish")).not_to_be_empty()
    expect(undo).to_be_hidden()
    page.keyboard.press("Control+z")  # nothing was done to this run
    expect(body(page)).not_to_have_text("Mine.")
    page.locator("button[name=run-back]").click()
    expect(body(page)).to_have_text("Mine.")
    undo.click()
    expect(body(page)).to_have_text(re.compile("^Night Ferry"))
    page.locator("button[name=redo]").click()
    expect(body(page)).to_have_text("Mine.")


def test_what_is_folded_under_another_form_stays_so_over_a_reload_and_what_was_unfolded_too(
    scripted: str, visit: Visit
) -> None:
    page = visit(scripted)
    texts, unfold = page.locator(".card-grid"), page.locator("[name=unfold]")
    free_prompt(page, "Once")
    generate(page)
    page.locator("[data-kind=task]").click()
    expect(texts).to_be_hidden()
    page.reload()
    expect(page.locator("[data-kind=task]")).to_have_attribute("aria-checked", "true")
    expect(unfold).to_be_visible()
    expect(texts).to_be_hidden()
    unfold.click()
    expect(texts).to_be_visible()
    page.reload()
    expect(page.locator("[data-kind=task]")).to_have_attribute("aria-checked", "true")
    expect(texts).to_be_visible()
    page.locator("[data-kind=talk]").click()
    page.locator("[data-kind=task]").click()
    expect(texts).to_be_hidden()


def test_cards_outlive_a_reload_of_their_tab_and_no_tab_has_anothers(
    scripted: str, visit: Visit, hold: Held
) -> None:
    hold(0, 2)
    one = visit(scripted)
    free_prompt(one, "Once")
    fix_seed(one, 0)
    one.locator("button[name=generate]").click()
    expect(body(one)).to_have_text(re.compile("^Night Ferry"))
    one.keyboard.press("Escape")
    expect(card(one).locator(".finish")).to_have_text("stopped by you")
    by_hand(one, "Only in the first tab.")

    two = one.context.new_page()
    two.goto(scripted)
    expect(two.locator(".chip.ready")).to_be_visible()
    expect(two.locator(".results-title")).to_contain_text("Example")
    free_prompt(two, "Once")
    fix_seed(two, 2)
    two.locator("button[name=generate]").click()
    expect(body(two)).to_have_text(re.compile("^A harbour"))
    one.reload()
    expect(body(one)).to_have_text("Only in the first tab.")
    expect(walker(one)).to_have_text("2/2")
    card(one).locator("button[name=tree]").click()
    expect(twigs(one).first).to_contain_text("stopped by you")
    one.locator("button[name=undo]").click()
    expect(body(one)).to_have_text(re.compile("^Night Ferry"))
    expect(one.locator(".results .tk-empty")).to_contain_text("not kept any more")
    hold()
    expect(card(two).locator(".finish")).to_have_text("end of text")  # one's reload did not stop it
    assert "first tab" not in (two.locator("body").text_content() or "")
    assert "harbour" not in (one.evaluate("sessionStorage.getItem('playground-cards')"))


def test_a_kept_tree_is_read_with_suspicion_and_shown_as_text(scripted: str, visit: Visit) -> None:
    context, faults = visit(scripted).context, list[str]()
    root = {"id": "r:0", "run": "r", "row": 0, "parent": None, "kind": "first", "offset": None, "text": "The sea",
            "tokens": 2, "finish": "end", "seed": 1, "items": None}  # fmt: skip
    branch = {**root, "id": "s:0", "run": "s", "parent": "r:0", "kind": "branch", "position": 1, "offset": 3,
              "was": " sea", "became": HOSTILE, "text": f"The{HOSTILE} and more"}  # fmt: skip
    kept = {
        "runs": [
            {"id": "r", "request": {"prompt": "x"}, "cards": [{"versions": [root, branch], "at": "s:0", "gone": []}]}
        ],
        "unfolded": True,
    }

    def opened(stored: str) -> Page:
        """A tab that finds this in its storage."""
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.add_init_script(f"sessionStorage.setItem('playground-cards', {json.dumps(stored)})")
        page.goto(scripted)
        expect(page.locator(".act")).to_be_visible()
        return page

    page = opened(json.dumps(kept))
    expect(walker(page)).to_have_text("2/2")
    card(page).locator("button[name=tree]").click()
    expect(twigs(page).nth(1)).to_contain_text("from token 2: “·sea” → “<img src=x onerror=")
    card(page).locator("button[name=compare]").click()
    expect(card(page).locator(".compare-side mark").nth(1)).to_have_text(HOSTILE)
    assert page.title().endswith(" · Playground") and card(page).locator("img, b").count() == 0
    for broken in ("nonsense", '{"runs": [{"id": 1}]}', json.dumps(kept).replace('"at": "s:0"', '"at": "t:0"')):
        page.close()  # each open tab keeps a connection, and a browser has six for a host
        page = opened(broken)
        expect(page.locator(".results-title")).to_contain_text("Example")
    assert faults == []


@pytest.mark.model
def test_a_stopped_run_is_branched_and_everything_follows_what_is_looked_at(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    free_prompt(page, "The lighthouse keeper wrote in his book:", candidates=2)
    tell(page, seed=5, max_new_tokens=2000, temperature=1.2, ignore_eos=True)
    expect(page.locator(".seed-value")).to_have_value("5")
    page.locator("button[name=generate]").click()
    tokens = tokens_of(page, 2)
    expect(tokens.nth(6)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".act.running")).to_have_count(0)
    expect(card(page).locator(".finish")).to_have_text("stopped by you")
    page.locator("[name=as-text]").click()
    stopped = body(page).inner_text()
    tokens = tokens_of(page, 2)

    # Another candidate: badges, diagnosis and replay speak of it.
    tell(page, max_new_tokens=6, temperature=0)
    replay = page.locator(".results .tk-replay p")
    expect(replay).to_have_text(re.compile("would become"))
    first = replay.inner_text()
    tokens.first.click()
    expect(card(page, 2)).to_have_class(re.compile("looked"))
    expect(replay).to_be_visible()
    expect(replay).not_to_have_text(first)

    # A branch of the second candidate with a token that looks like markup.
    tell(page, temperature=1.2)
    tokens.nth(3).click()
    panel = page.locator("#waterfall")
    expect(panel.locator(".wf-title")).to_contain_text("token 4")  # what is asked is asked of the token that is shown
    panel.locator("[name=ask]").fill("</")
    panel.get_by_role("button", name="Ask").click()
    panel.locator(".wf-asked button[name=branch]").click()
    two = card(page, 2)
    expect(two.locator(".walk output")).to_have_text("2/2")
    expect(page.locator(".act.running")).to_have_count(0)
    # What is open is about the branch now, in the card that it belongs to; the other card is as it was.
    expect(panel.locator(".wf-title")).to_contain_text("token 1")
    expect(two).to_have_class(re.compile("looked"))
    expect(two.locator(".tk-text")).to_have_attribute("aria-label", re.compile("candidate 2"))
    expect(card(page).locator(".tk-token").first).to_be_visible()
    two.locator("button[name=tree]").click()
    expect(two.locator(".twig").nth(1)).to_contain_text(re.compile("from token 4: “.+” → “</”"))
    expect(two.locator(".twig").nth(1)).to_contain_text("6 tokens · length reached")
    page.locator("[name=as-text]").click()
    assert body(page).inner_text() == stopped
    tokens = tokens_of(page, 2)
    two.locator(".twig[aria-selected=true]").focus()

    # Back to the first version: its tokens, and it can be branched again.
    page.keyboard.press("ArrowUp")
    expect(two).to_have_class(re.compile("looked"))
    expect(page.locator("#knobs [data-knob=temperature] .kn-badge")).not_to_be_empty()
    tokens.nth(1).click()
    panel.locator("button[name=branch]").nth(1).click()
    expect(two.locator(".walk output")).to_have_text("3/3")
    expect(page.locator(".act.running")).to_have_count(0)
    assert [twig.get_attribute("aria-level") for twig in two.locator(".twig").all()] == ["1", "2", "2"]
    expect(page.locator("#curve")).to_contain_text(re.compile(r"only one choice\s*\d+%"))
