"""Promises of single knobs: sliders, number fields, lists, biases, the seed; in a browser, on the panel's own page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from playground import parameters
from tests.ui.panel import SERVED, field, open_groups, opened, press, row, sent, slider
from tests.ui.panel_page import HOSTILE
from tests.ui.served import forked

pytestmark = pytest.mark.browser
NUMBERS = [p for p in parameters.REGISTRY if p.kind in ("float", "int") and p.name != "seed"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with forked(SERVED) as url:
        yield f"{url}/"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with opened(browser, address) as page:
        yield page


def test_a_slider_sends_while_it_moves(page: Page) -> None:
    slider(page, "temperature").fill("1.3")
    expect(page.locator("#out textarea")).to_have_value(re.compile('"temperature": 1\\.3,'))
    expect(field(page, "temperature")).to_have_value("1.30")


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


def test_the_keyboard_moves_a_slider_by_one_step_or_ten(page: Page) -> None:
    knob = slider(page, "temperature")
    press(knob, "ArrowRight", "Shift+ArrowRight", "ArrowLeft")
    assert sent(page)["temperature"] == 1.0
    press(knob, "Shift+ArrowLeft")
    assert sent(page)["temperature"] == 0.9
    press(knob, "Delete")
    assert sent(page)["temperature"] == 1.0
    expect(slider(page, "min_p")).to_have_attribute("aria-valuetext", "Off")


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


def test_off_without_a_last_value_opens_the_field(page: Page) -> None:
    row(page, "min_p").locator(".kn-off").click()
    expect(field(page, "min_p")).to_be_focused()
    page.keyboard.type("0.05")
    assert sent(page)["min_p"] == 0.05


def test_a_log_slider_reaches_small_values_and_ends_in_off(page: Page) -> None:
    open_groups(page)
    knob = slider(page, "epsilon_cutoff")
    press(knob, "ArrowRight")
    assert sent(page)["epsilon_cutoff"] == 1e-05
    press(knob, "Shift+ArrowRight")
    assert 1e-05 < sent(page)["epsilon_cutoff"] < 1e-04
    press(knob, "Home")
    expect(row(page, "epsilon_cutoff").locator(".kn-off")).to_be_visible()


def test_lists_of_texts_keep_spaces_and_escapes(page: Page) -> None:
    area = row(page, "stop").locator("textarea")
    area.fill(" end\n\\n\\n\ntab\\there\nback\\\\slash\n")
    assert sent(page)["stop"] == [" end", "\n\n", "tab\there", "back\\slash"]
    expect(area).to_have_value(" end\n\\n\\n\ntab\\there\nback\\\\slash\n")


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
    row(page, "order").locator(".kn-stages-fold").click()
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
