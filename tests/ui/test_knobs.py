"""Promises of the panel of knobs as a whole, in a browser, on a page of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from playground import parameters
from playground.ui.knobs import KnobPanel, panel_update
from playground.ui.theme import page_css
from tests.ui.panel import SERVED, field, open_groups, opened, row, sent, shown, slider
from tests.ui.panel_page import HOSTILE, PRESET
from tests.ui.served import forked

NUMBERS = [p for p in parameters.REGISTRY if p.kind in ("float", "int") and p.name != "seed"]
browsing = pytest.mark.browser
TELL = "([topic, news]) => import('playground/page/board.js').then((board) => board.tell(topic, news))"
HEAR = "import('playground/page/board.js').then((page) => page.on('complaint', (now) => { window.now = now; }))"
SPEAK = "(language) => import('playground/page/language.js').then((page) => page.setLanguage(language))"
# Words of names that stand in two lines, or outside of their column.
BROKEN = """names => names.flatMap((name) => {
  const nodes = document.createTreeWalker(name, NodeFilter.SHOW_TEXT), range = document.createRange(), broken = [];
  while (nodes.nextNode()) {
    for (const word of nodes.currentNode.data.matchAll(/[\\p{Script=Latin}\\p{N}-]+_?/gu)) {
      range.setStart(nodes.currentNode, word.index);
      range.setEnd(nodes.currentNode, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      const sticksOut = range.getBoundingClientRect().right > name.parentNode.getBoundingClientRect().right + 1;
      if (lines.size > 1 || sticksOut) broken.push(name.textContent);
    }
  }
  return broken;
})"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with forked(SERVED) as url:
        yield f"{url}/"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with opened(browser, address) as page:
        yield page


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
    open_groups(page)
    names = page.locator("[data-knob]").evaluate_all("rows => rows.map(row => row.dataset.knob)")
    assert sorted(names) == sorted(p.name for p in parameters.REGISTRY)
    values = sent(page)
    assert set(values) == set(names) and values["top_p"] == PRESET["top_p"]


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
def test_what_is_called_as_typed_is_found_first(page: Page) -> None:
    for typed, names in (
        ("temperature", ["temperature", "dynatemp_high"]),
        ("top_p", ["top_p"]),
        ("watermark", ["watermark", "watermark_ratio"]),
        ("n", ["n"]),
    ):
        page.locator(".kn-find").fill(typed)
        assert shown(page)[: len(names)] == names, typed
    page.locator(".kn-find").fill("")
    basic = [p.name for group in parameters.grouped().values() for p in group if p.level == "basic"]
    assert shown(page) == basic


@browsing
def test_the_rows_of_a_closed_group_are_made_when_they_are_wanted(page: Page) -> None:
    expect(row(page, "epsilon_cutoff")).to_have_count(0)
    page.get_by_role("button", name="reasons").click()
    page.evaluate(TELL, ["knob", {"name": "epsilon_cutoff", "value": 0.001}])
    expect(page.locator(".kn-count")).to_have_text("3 active")
    expect(page.locator("[data-group=cutoffs].kn-more .kn-tally")).to_have_text("1 active")
    page.locator(".kn-count").click()
    assert shown(page) == ["temperature", "top_p", "epsilon_cutoff"]
    expect(field(page, "epsilon_cutoff")).to_have_value("0.001")
    assert sent(page)["epsilon_cutoff"] == 0.001


@browsing
def test_what_the_server_says_of_a_knob_goes_with_what_caused_it(page: Page) -> None:
    text = {"en": "One of these (one_of) cannot be combined with Regular expression (regex).", "zh": "不能同时使用。"}
    complaint = ["complaint", {"parameter": "one_of", "text": text}]
    page.evaluate(HEAR)
    page.locator(".kn-find").fill("one_of")
    error = row(page, "one_of").locator(".kn-error")
    page.evaluate(TELL, ["composed", {"kind": "complete"}])
    for settled in (
        lambda: page.evaluate(TELL, ["knob", {"name": "regex", "value": "x"}]),
        lambda: page.get_by_role("button", name="Restore preset").click(),
        lambda: page.get_by_role("button", name="Set all to neutral").click(),
        lambda: page.locator(".kn-preset select").select_option("neutral"),
        lambda: page.evaluate(TELL, ["composed", {"kind": "chat"}]),
        lambda: page.evaluate(TELL, ["composed", {"kind": "task", "task": {"id": "slogans"}}]),
        lambda: page.evaluate(TELL, ["composed", {"kind": "task", "task": {"id": "poems"}}]),
        lambda: row(page, "one_of").locator("textarea").fill("tea"),
    ):
        page.evaluate(TELL, complaint)
        expect(error).to_have_text(text["en"])
        for value in (0.1, 0.2):  # of which nothing was said
            page.evaluate(TELL, ["knob", {"name": "min_p", "value": value}])
        expect(error).to_have_text(text["en"])
        settled()
        expect(error).to_be_empty()
        assert page.evaluate("window.now") is None


@browsing
def test_what_was_typed_wrong_goes_with_another_preset_and_to_neutral(page: Page) -> None:
    error = row(page, "min_p").locator(".kn-error")
    for settle in (
        lambda: page.locator(".kn-preset select").select_option("neutral"),
        lambda: page.locator(".kn-neutral").click(),
        lambda: page.evaluate(TELL, ["restore", {}]),
    ):
        if row(page, "min_p").locator(".kn-off").is_visible():
            row(page, "min_p").locator(".kn-off").click()
        field(page, "min_p").fill("much")
        expect(error).not_to_be_empty()
        settle()
        expect(error).to_be_empty()
        expect(field(page, "min_p")).to_have_value("0.000")


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
    page.evaluate(SPEAK, "zh")
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
    page.get_by_role("button", name="Set all to neutral").click()
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
def test_fingers_find_every_target_and_no_word_is_broken_at_390_px(browser: Browser, address: str) -> None:
    with opened(browser, address, width=390) as page:
        targets = ".kn-range, .kn-field, .kn-off, .kn-find, .kn-count, .kn-link, .kn-more .kn-heading, .kn-area"
        low = page.locator(targets).evaluate_all(
            "nodes => nodes.filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 40)"
            ".map((node) => node.className)"
        )
        wide = page.evaluate("document.documentElement.scrollWidth")
        open_groups(page)
        broken = page.locator(".kn-name").evaluate_all(BROKEN)
        page.evaluate(SPEAK, "zh")
        broken += page.locator(".kn-name").evaluate_all(BROKEN)
    assert low == [] and wide <= 390 and broken == []
