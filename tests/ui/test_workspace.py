"""Play in panes, in a browser: what is on screen together, and what belongs to which run and which task."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import Visit, body, card, generate, tokens_of
from tests.ui.test_play import fix_seed, free_prompt

pytestmark = pytest.mark.browser
WIDE = {"width": 1440, "height": 900}
DECIDED = re.compile("^(decided|changed none|no effect)")


def on_screen(page: Page, *parts: Locator) -> None:
    """Each of these is within the window as it stands, and the page itself has nothing to scroll."""
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    for part in parts:
        expect(part).to_be_in_viewport(ratio=0.9)


def badge(page: Page, knob: str) -> Locator:
    return page.locator(f"#knobs [data-knob={knob}] .kn-badge").first


def test_text_knob_and_token_stand_on_one_screen_and_a_turned_knob_says_what_it_would_do(
    embedded_page: str, visit: Visit
) -> None:
    page = visit(embedded_page, viewport=WIDE)
    on_screen(page, page.locator("button[name=generate]"))
    generate(page)
    expect(badge(page, "temperature")).to_have_text(DECIDED)
    tokens_of(page).nth(3).click()
    dock, knob = page.locator("#dock"), page.locator("#knobs [data-knob=temperature] input").last
    expect(dock.locator(".wf-stage").first).to_be_visible()
    on_screen(page, page.locator("button[name=generate]"), page.locator(".tk-token").nth(3), dock, knob)
    knob.fill("1.9")
    knob.press("Enter")
    expect(badge(page, "temperature")).to_have_text(re.compile("^would "))
    expect(page.locator("#waterfall .wf-title")).to_contain_text("with the knobs as they are now")
    expect(page.locator("#waterfall .wf-stages")).to_contain_text("temperature = 1.9")
    tokens_of(page).nth(5).click()  # so it is with any other token, and where one is asked about
    expect(page.locator("#waterfall .wf-title")).to_contain_text("token 6 · with the knobs as they are now")
    expect(page.locator("#waterfall .wf-stages")).to_contain_text("temperature = 1.9")
    page.locator("#waterfall [name=ask]").fill(" Rome")
    page.locator("#waterfall [name=ask]").press("Enter")
    expect(page.locator("#waterfall .wf-asked")).to_contain_text("·Rome")
    expect(page.locator("#waterfall .wf-title")).to_contain_text("with the knobs as they are now")
    expect(page.locator("#waterfall .wf-stages")).to_contain_text("temperature = 1.9")
    page.locator("#waterfall [name=ask]").fill(" Rome wasn't built")
    page.locator("#waterfall [name=ask]").press("Enter")
    expect(page.locator("#waterfall .wf-asked")).to_contain_text("the first token of “ Rome wasn't built”")
    page.locator("#side .kn-neutral").click()
    expect(page.locator("#waterfall .wf-stages")).not_to_contain_text("temperature = 1.9")
    expect(badge(page, "temperature")).to_have_text("")
    page.keyboard.press("Escape")
    expect(dock.locator(".wf-stage").first).to_be_hidden()


def test_a_run_of_another_task_folds_under_its_name_and_gives_its_settings_back(
    embedded_page: str, visit: Visit
) -> None:
    page = visit(embedded_page, viewport=WIDE, permissions=["clipboard-read", "clipboard-write"])
    page.locator("[data-task-field]").first.fill("Red Kite")
    knob = page.locator("#knobs [data-knob=temperature] input").last
    knob.fill("0.5")
    knob.press("Enter")
    generate(page)
    page.locator("[name=copy-all]").click()
    expect(page.locator("[name=copy-all]")).to_have_text("Copied")
    written = [one.text_content() for one in page.locator(".card:not([hidden]) .card-body").all()]
    assert page.evaluate("navigator.clipboard.readText()") == "\n\n".join(one for one in written if one)
    expect(page.locator(".results-unchecked")).to_be_visible()
    head, texts = page.locator(".run-head"), page.locator(".card-grid")
    expect(head.locator(".run-name")).to_contain_text("Slogans “Red Kite”")
    page.locator("[data-kind=complete]").click()
    expect(texts).to_be_hidden()
    expect(head).to_be_visible()
    expect(badge(page, "temperature")).to_be_hidden()
    expect(knob).not_to_have_value("0.5")
    head.locator("[name=unfold]").click()
    expect(texts).to_be_visible()
    head.locator("[name=restore]").click()
    expect(page.locator("[data-kind=task]")).to_have_attribute("aria-checked", "true")
    expect(page.locator("[data-task-field]").first).to_have_value("Red Kite")
    expect(knob).to_have_value(re.compile("^0.5"))
    expect(badge(page, "temperature")).to_have_text(DECIDED)


def test_of_what_says_the_same_one_card_is_seen_and_a_favourite_stays_in_this_browser(
    scripted: str, visit: Visit
) -> None:
    page = visit(scripted, permissions=["clipboard-read", "clipboard-write"])
    free_prompt(page, "Once", candidates=4)
    fix_seed(page, 0)  # the fourth text is the first one again
    generate(page)
    alike, fourth = page.locator(".results-alike"), card(page, 4)
    expect(alike).to_contain_text("1 candidate that says nearly the same is hidden")
    expect(fourth).to_be_hidden()
    expect(card(page, 3)).to_have_attribute("aria-label", "Candidate 3")
    expect(card(page, 3).locator(".card-prompt")).to_have_text("Once")
    page.locator("[name=copy-all]").click()
    expect(page.locator("[name=copy-all]")).to_have_text("Copied")
    seen = [body(page, number).text_content() for number in (1, 2, 3)]
    assert page.evaluate("navigator.clipboard.readText()") == "\n\n".join(seen)
    alike.locator("button").click()
    expect(fourth).to_be_visible()
    star = fourth.locator("[name=favourite]")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(card(page, 1).locator("[name=favourite]")).to_have_attribute("aria-pressed", "false")

    page.reload()
    expect(fourth).to_be_visible()
    expect(star).to_have_attribute("aria-pressed", "true")
    other = page.context.new_page()
    other.goto(scripted)
    other.locator(".favourites summary").click()
    expect(other.locator(".favourites li")).to_contain_text(re.compile("^Night Ferry.*Free prompt.*seed 3"))
    other.locator("[name=favourite-remove]").click()
    expect(star).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".favourites")).to_be_hidden()


def test_each_task_shows_its_own_example_in_the_language_of_the_page(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    slogan = body(page).text_content()
    page.locator(".task-picker").select_option("keywords")
    expect(body(page)).not_to_have_text(slogan or "")
    english = body(page).text_content()
    page.locator("button[name=language]").click()
    expect(body(page)).not_to_have_text(english or "")
    page.locator("[data-kind=complete]").click()
    expect(page.locator(".card")).to_have_count(0)
    expect(page.locator(".results-empty")).to_be_visible()


def test_of_examples_that_come_late_the_one_of_the_task_that_is_open_is_shown(scripted: str, visit: Visit) -> None:
    page, waiting = visit(scripted), list[Route]()
    slogan = body(page).text_content() or ""
    page.route("**/data/examples/*.js", lambda route: waiting.append(route))  # playwright takes no built-in one
    for task in ("poems", "keywords", "record", "keywords"):
        page.locator(".task-picker").select_option(task)
    expect(page.locator(".task-picker")).to_have_value("keywords")
    expect(body(page)).to_have_text(slogan)  # until another has come, what stands there stays
    while len(waiting) < 3:  # asked for, but perhaps not handed over yet
        page.wait_for_timeout(50)
    by_task = {route.request.url.split("/")[-1]: route for route in waiting}
    assert len(waiting) == len(by_task) == 3
    by_task["keywords.js"].continue_()
    expect(page.locator(".card .items")).to_have_count(1)
    shown = body(page).text_content() or ""
    for name in ("poems", "record"):
        by_task[f"{name}.js"].continue_()
        page.wait_for_function(f"import('playground/data/examples/{name}.js').then(() => true)")
    expect(body(page)).to_have_text(shown)
    page.locator(".task-picker").select_option("record")
    expect(page.locator(".card table")).to_have_count(1)


def test_on_a_phone_generate_leads_to_the_texts(scripted: str, visit: Visit) -> None:
    page = visit(scripted, viewport={"width": 390, "height": 844})
    assert page.evaluate("scrollY") == 0
    generate(page)
    expect(page.locator(".run-head")).to_be_in_viewport()
    assert page.evaluate("scrollY") > 0


def test_a_wish_that_the_server_cannot_read_is_told_in_the_pages_own_place(scripted: str, visit: Visit) -> None:
    page = visit(scripted)

    def spoil(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        given = asked["data"]
        route.continue_(post_data=json.dumps({**asked, "data": given[:1] if len(given) == 3 else given}))

    page.route("**/queue/join*", spoil)
    page.locator("button[name=generate]").click()
    expect(page.locator(".act-notice")).to_contain_text("3 values are needed here, not 1.")
    expect(page.locator(".toast-body")).to_be_hidden()
    expect(page.locator("button[name=generate]")).to_be_enabled()
    page.unroute_all()
    generate(page)


def test_a_text_emptied_by_hand_says_so_and_can_be_edited_again(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    generate(page)
    card(page).locator("[name=edit]").click()
    card(page).locator(".card-edit").fill("")
    card(page).locator(".card-edit").press("Control+Enter")
    expect(body(page)).to_have_text("This text was emptied by hand.")
    expect(card(page).locator("[name=edit]")).to_be_enabled()


def test_where_nothing_is_drawn_no_other_token_could_have_been(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, viewport=WIDE)
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once upon a time")
    expect(page.locator(".seen-mode")).to_have_text("completion")
    knob = page.locator("#knobs [data-knob=temperature] input").last
    knob.fill("0")
    knob.press("Enter")
    generate(page)
    tokens_of(page).nth(2).click()
    expect(page.locator("#waterfall .wf-list")).to_contain_text("not the best, and nothing is drawn")
    expect(page.locator("#waterfall .wf-list")).not_to_contain_text("could have been drawn")


def test_a_click_on_a_word_of_a_list_opens_it_too(scripted: str, visit: Visit) -> None:
    page = visit(scripted, viewport=WIDE)
    page.locator(".task-picker").select_option("recommendations")
    expect(page.locator(".candidates")).to_have_text("1")
    page.locator(".seed-value").fill("0")
    generate(page)
    item = body(page).locator(".items li").first
    expect(item).to_contain_text("Night Ferry")
    assert body(page).evaluate("(text) => getComputedStyle(text).cursor") == "pointer"
    item.click(position={"x": 50, "y": 10})
    picked = card(page).locator(".tk-picked")
    expect(picked).to_have_text(re.compile("Ferry"))
