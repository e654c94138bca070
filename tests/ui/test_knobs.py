"""Promises of the panel of knobs, in a browser, on a page of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from playground import parameters
from playground.ui.knobs import KnobPanel, panel_update
from playground.ui.theme import page_css
from tests.ui.panel_page import HOSTILE, PRESET
from tests.ui.served import forked

NUMBERS = [p for p in parameters.REGISTRY if p.kind in ("float", "int") and p.name != "seed"]
browsing = pytest.mark.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with forked("tests.ui.panel_page") as url:
        yield f"{url}/"


def opened(browser: Browser, address: str, width: int = 1440) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900}, has_touch=width < 500)
    faults: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            faults.append(request.url)

    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", asked)
    page.set_default_timeout(15_000)
    page.goto(address)
    expect(row(page, "temperature")).to_be_visible()
    return page, faults


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page as a new visitor sees it; no script may fail on it and no other host may be asked."""
    page, faults = opened(browser, address)
    yield page
    page.close()
    assert faults == []


def row(page: Page, name: str) -> Locator:
    return page.locator(f"[data-knob={name}]")


def slider(page: Page, name: str) -> Locator:
    return row(page, name).locator("input[type=range]")


def field(page: Page, name: str) -> Locator:
    return row(page, name).locator(".kn-field").first


def open_groups(page: Page) -> None:
    page.locator(".kn-more .kn-heading[aria-expanded=false]").evaluate_all("heads => heads.forEach(h => h.click())")


def sent(page: Page) -> dict[str, Any]:
    """What Python has of the panel now."""
    box = page.locator("#read textarea")
    before = box.input_value()
    page.get_by_role("button", name="read", exact=True).click()
    expect(box).not_to_have_value(before)
    answer = json.loads(box.input_value())
    assert "refused" not in answer, answer
    values: dict[str, Any] = answer["values"]
    return values


def press(locator: Locator, *keys: str) -> None:
    for key in keys:
        locator.press(key)


def test_no_prop_of_the_panel_is_taken_for_an_event() -> None:
    panel = KnobPanel(render=False)
    assert not [name for name in panel.props if hasattr(panel, name)]


def test_an_update_holds_only_what_is_given() -> None:
    assert set(panel_update(active_preset="neutral")) == {"active_preset", "__type__"}
    assert set(panel_update(values={})["value"]) == {p.name for p in parameters.REGISTRY}


def test_no_style_is_fetched_from_anywhere() -> None:
    css = page_css()
    assert "@import" not in css and "://" not in css.replace("http://www.w3.org/2000/svg", "") and "--pg-accent" in css


@browsing
def test_every_parameter_has_one_row_and_python_gets_them_all(page: Page) -> None:
    names = page.locator("[data-knob]").evaluate_all("rows => rows.map(row => row.dataset.knob)")
    assert sorted(names) == sorted(p.name for p in parameters.REGISTRY)
    values = sent(page)
    assert set(values) == set(names) and values["top_p"] == PRESET["top_p"]


@browsing
def test_a_slider_sends_while_it_moves(page: Page) -> None:
    slider(page, "temperature").fill("1.3")
    expect(page.locator("#out textarea")).to_have_value(re.compile('"temperature": 1\\.3,'))
    expect(field(page, "temperature")).to_have_value("1.30")


@browsing
def test_both_ends_of_every_slider_are_values_that_python_accepts(page: Page) -> None:
    open_groups(page)
    for end in ("Home", "End"):
        for p in NUMBERS:
            slider(page, p.name).press(end)
        values = sent(page)
        for p in NUMBERS:
            assert p.low is not None and p.high is not None
            bound = p.low if end == "Home" else p.high
            outside = p.neutral < p.low if end == "Home" else p.neutral > p.high
            log_zero = p.scale == "log" and end == "Home"
            assert values[p.name] == (p.neutral if outside or log_zero else bound), p.name


@browsing
def test_the_keyboard_moves_a_slider_by_one_step_or_ten(page: Page) -> None:
    knob = slider(page, "temperature")
    press(knob, "ArrowRight", "Shift+ArrowRight", "ArrowLeft")
    assert sent(page)["temperature"] == 1.0
    press(knob, "Shift+ArrowLeft")
    assert sent(page)["temperature"] == 0.9
    press(knob, "Delete")
    assert sent(page)["temperature"] == 1.0
    expect(slider(page, "min_p")).to_have_attribute("aria-valuetext", "Off")


@browsing
def test_a_number_beyond_the_slider_is_accepted_and_one_beyond_the_range_is_not_sent(page: Page) -> None:
    field(page, "temperature").fill("7.5")
    assert sent(page)["temperature"] == 7.5
    slider(page, "temperature").press("ArrowRight")
    assert sent(page)["temperature"] == 7.5
    for wrong in ("101", "-1", "hot", "nan", "1e999"):
        field(page, "temperature").fill(wrong)
        expect(row(page, "temperature").locator(".kn-error")).to_contain_text("from 0 to 100")
        expect(field(page, "temperature")).to_have_value(wrong)
        assert sent(page)["temperature"] == 7.5
    field(page, "temperature").fill("0,8")
    expect(row(page, "temperature").locator(".kn-error")).to_be_empty()
    assert sent(page)["temperature"] == 0.8


@browsing
def test_off_is_written_at_neutral_and_gives_the_last_value_back(page: Page) -> None:
    knob = row(page, "top_p")
    expect(knob.locator(".kn-off")).to_be_hidden()
    slider(page, "top_p").press("Backspace")
    expect(knob.locator(".kn-off")).to_have_text("Off")
    knob.locator(".kn-off").click()
    assert sent(page)["top_p"] == 0.92
    slider(page, "top_p").dblclick()
    expect(knob.locator(".kn-off")).to_be_visible()
    knob.locator(".kn-off").click()
    assert sent(page)["top_p"] == 0.92


@browsing
def test_off_without_a_last_value_opens_the_field(page: Page) -> None:
    row(page, "min_p").locator(".kn-off").click()
    expect(field(page, "min_p")).to_be_focused()
    page.keyboard.type("0.05")
    assert sent(page)["min_p"] == 0.05


@browsing
def test_the_filter_finds_by_name_and_by_either_language_and_opens_the_group(page: Page) -> None:
    expect(row(page, "epsilon_cutoff")).to_be_hidden()
    for words in ("epsilon_cutoff", "epsilon cut", "Epsilon 截断"):
        page.locator(".kn-find").fill(words)
        expect(row(page, "epsilon_cutoff")).to_be_visible()
        expect(row(page, "temperature")).to_be_hidden()
    page.locator(".kn-find").fill("no such knob")
    expect(page.locator(".kn-none")).to_be_visible()
    page.locator(".kn-find").press("Escape")
    expect(row(page, "temperature")).to_be_visible()
    expect(row(page, "epsilon_cutoff")).to_be_hidden()


@browsing
def test_a_log_slider_reaches_small_values_and_ends_in_off(page: Page) -> None:
    open_groups(page)
    knob = slider(page, "epsilon_cutoff")
    press(knob, "ArrowRight")
    assert sent(page)["epsilon_cutoff"] == 1e-05
    press(knob, "Shift+ArrowRight")
    assert 1e-05 < sent(page)["epsilon_cutoff"] < 1e-04
    press(knob, "Home")
    expect(row(page, "epsilon_cutoff").locator(".kn-off")).to_be_visible()


@browsing
def test_what_has_no_effect_says_why_and_can_still_be_reached(page: Page) -> None:
    page.get_by_role("button", name="reasons").click()
    expect(row(page, "min_p").locator(".kn-why")).to_have_text("No effect: temperature is 0.")
    slider(page, "min_p").press("ArrowRight")
    expect(slider(page, "min_p")).to_be_focused()
    assert sent(page)["min_p"] > 0


@browsing
def test_a_reason_that_neighbours_share_is_seen_once_and_read_out_with_each(page: Page) -> None:
    page.get_by_role("button", name="shared").click()
    for name in ("top_k", "top_p", "min_p"):
        expect(slider(page, name)).to_have_accessible_description("No effect: temperature is 0.")
    tall = "nodes => nodes.filter(node => node.getBoundingClientRect().height > 1).length"
    assert page.locator(".kn-why").evaluate_all(tall) == 1


@browsing
def test_the_language_changes_in_place(page: Page) -> None:
    slider(page, "temperature").fill("0.5")
    field(page, "top_p").fill("3")
    page.get_by_role("button", name="badges").click()
    expect(row(page, "temperature").locator(".kn-badge")).to_have_text("decided 41 %")
    page.evaluate("import('playground/page/language.js').then((page) => page.setLanguage('zh'))")
    expect(row(page, "temperature").locator(".kn-name")).to_have_text("温度")
    expect(row(page, "temperature").locator(".kn-badge")).to_have_text("决定 41 %")
    expect(row(page, "min_p").locator(".kn-off")).to_have_text("关")
    expect(row(page, "top_p").locator(".kn-error")).to_contain_text("不大于 1")
    expect(field(page, "temperature")).to_have_value("0.50")
    expect(field(page, "top_p")).to_have_value("3")


@browsing
def test_neutralize_and_restore_work_at_once_and_leave_the_settings_of_a_run(page: Page) -> None:
    field(page, "seed").fill("7")
    expect(page.locator(".kn-count")).to_have_text("2 active")
    page.get_by_role("button", name="Neutralize all").click()
    expect(page.locator(".kn-count")).to_have_text("0 active")
    expect(page.locator(".kn-changed")).to_have_text("changed")
    values = sent(page)
    assert values["seed"] == 7 and values["max_new_tokens"] == 48
    assert all(p.is_neutral(values[p.name]) for p in NUMBERS if p.name != "max_new_tokens")
    page.get_by_role("button", name="Restore preset").click()
    values = sent(page)
    assert values["temperature"] == 0.9 and values["top_p"] == 0.92 and values["seed"] == 7
    expect(page.locator(".kn-changed")).to_be_empty()


@browsing
def test_picking_a_preset_asks_python_and_repaints(page: Page) -> None:
    select = page.locator(".kn-preset select")
    expect(select.locator("option").nth(1)).to_have_text("Slogans <b>")
    select.select_option("neutral")
    expect(field(page, "temperature")).to_have_value("1.00")
    expect(select).to_have_value("neutral")
    select.select_option("slogans")
    expect(field(page, "temperature")).to_have_value("0.90")


@browsing
def test_values_from_python_do_not_move_the_knob_in_hand(page: Page) -> None:
    page.get_by_role("button", name="late").click()
    slider(page, "temperature").scroll_into_view_if_needed()
    box = slider(page, "temperature").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
    page.mouse.down()
    held = field(page, "temperature").input_value()
    expect(field(page, "min_p")).to_have_value("0.250")
    expect(field(page, "temperature")).to_have_value(held)
    page.mouse.up()
    values = sent(page)
    assert values["temperature"] == float(held) > 1 and values["min_p"] == 0.25


@browsing
def test_lists_of_texts_keep_spaces_and_escapes(page: Page) -> None:
    area = row(page, "stop").locator("textarea")
    area.fill(" end\n\\n\\n\ntab\\there\nback\\\\slash\n")
    assert sent(page)["stop"] == [" end", "\n\n", "tab\there", "back\\slash"]
    expect(area).to_have_value(" end\n\\n\\n\ntab\\there\nback\\\\slash\n")


@browsing
def test_ids_biases_and_orders_are_read_and_what_is_unreadable_is_not_sent(page: Page) -> None:
    open_groups(page)
    row(page, "suppress_tokens").locator("textarea").fill("198, 30 [4]")
    row(page, "bad_words_ids").locator("textarea").fill("[1, 2], [3]")
    row(page, "logit_bias").locator(".kn-add").click()
    page.keyboard.type(" no\\n")
    page.keyboard.press("Tab")
    page.keyboard.type("-5")
    values = sent(page)
    assert values["bad_words_ids"] == [[1, 2], [3]] and values["logit_bias"] == {" no\n": -5}
    expect(row(page, "suppress_tokens").locator(".kn-error")).not_to_be_empty()
    assert values["suppress_tokens"] == []
    row(page, "order").get_by_text("as text").click()
    area = row(page, "order").locator("textarea")
    expect(area).to_have_value(", ".join(parameters.stages("transformers")))
    area.fill("top_p, temperature")
    assert sent(page)["order"] == "top_p,temperature"
    area.fill("top_p, heat")
    expect(row(page, "order").locator(".kn-error")).not_to_be_empty()
    assert sent(page)["order"] == "top_p,temperature"
    row(page, "order").get_by_text("llama.cpp", exact=True).click()
    assert sent(page)["order"] == "llama.cpp"


@browsing
def test_biases_show_the_tokens_that_they_act_on(page: Page) -> None:
    open_groups(page)
    for name, key in (("logit_bias", " no\\n"), ("logit_bias_ids", "7"), ("logit_bias_ids", "99")):
        row(page, name).locator(".kn-add").click()
        page.keyboard.type(key)
        page.keyboard.press("Tab")
        page.keyboard.type("-5")
    assert sent(page)["logit_bias_ids"] == {"7": -5, "99": -5}
    page.get_by_role("button", name="found").click()
    chips = row(page, "logit_bias").locator(".kn-chip")
    expect(chips).to_have_text(["7 “ no\\n”", f"3 “ n” + 9 “{HOSTILE}”"])
    expect(row(page, "logit_bias_ids").locator(".kn-chip")).to_have_text(["7 “ no\\n”", "no token"])
    row(page, "logit_bias_ids").locator(".kn-line input").first.fill("seven")
    expect(row(page, "logit_bias_ids").locator(".kn-error")).not_to_be_empty()
    assert sent(page)["logit_bias_ids"] == {"7": -5, "99": -5}


@browsing
def test_a_locked_seed_is_kept_and_an_open_one_is_drawn_anew(page: Page) -> None:
    lock = row(page, "seed").locator(".kn-lock")
    expect(lock).to_have_attribute("aria-pressed", "false")
    row(page, "seed").locator(".kn-dice").click()
    expect(lock).to_have_attribute("aria-pressed", "true")
    kept = sent(page)["seed"]
    assert kept >= 0
    lock.click()
    assert sent(page)["seed"] == -1
    lock.click()
    assert sent(page)["seed"] == kept


@browsing
def test_whatever_a_value_says_is_shown_as_text(page: Page) -> None:
    open_groups(page)
    title = page.title()
    page.get_by_role("button", name="hostile").click()
    expect(row(page, "stop").locator("textarea")).to_have_value(HOSTILE)
    expect(row(page, "top_k").locator(".kn-why")).to_have_text(HOSTILE)
    expect(row(page, "logit_bias").locator("input").first).to_have_value(HOSTILE)
    assert page.title() == title and page.locator(".kn img").count() == 0


@browsing
def test_help_opens_by_focus_and_by_click_and_closes_with_escape(page: Page) -> None:
    page.locator("[data-knob=min_p] .kn-q").click()
    box = page.locator(".kn-help")
    expect(box).to_contain_text(parameters.by_name()["min_p"].formula.en)
    expect(box).to_contain_text("a number from 0 to 1")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    slider(page, "temperature").focus()
    page.keyboard.press("Shift+Tab")
    expect(box).to_contain_text(parameters.by_name()["temperature"].help.en)


@browsing
def test_fingers_find_every_target_at_390_px(browser: Browser, address: str) -> None:
    page, _ = opened(browser, address, width=390)
    targets = ".kn-range, .kn-field, .kn-off, .kn-find, .kn-count, .kn-link, .kn-more .kn-heading, .kn-area"
    low = page.locator(targets).evaluate_all(
        "nodes => nodes.filter(n => n.checkVisibility() && n.getBoundingClientRect().height < 40).map(n => n.className)"
    )
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert low == [] and wide <= 390
