"""Promises of the page about languages, errors, waiting and narrow screens, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.failing import REASON
from tests.ui.conftest import Held, Site, Visit, body, card, generate
from tests.ui.scripted_page import FAILS

pytestmark = pytest.mark.browser


def complain(page: Page) -> str:
    """What the page says of the request that is filled in: one sentence, and the page is ready again."""
    page.locator("button[name=generate]").click()
    shown = page.locator(".field-error:visible, .act-notice.complaint:visible")
    expect(shown).to_have_count(1)
    expect(page.locator("button[name=generate]")).to_be_enabled()
    assert page.locator(".toast-body, span.error").count() == 0
    return str(shown.inner_text())


def test_the_browsers_language_comes_first_also_of_errors_and_the_switch_survives_a_reload(
    scripted: str, visit: Visit
) -> None:
    page = visit(scripted, locale="zh-CN")
    expect(page.locator("button[name=generate]")).to_contain_text("生成")
    expect(page.locator(".kn-title")).to_have_text("参数")
    page.locator("[data-kind=complete]").click()
    assert complain(page).startswith("提示词为空。")
    page.locator("button[name=language]").click()
    expect(page.locator("button[name=generate]")).to_contain_text("Generate")
    expect(page.locator(".kn-title")).to_have_text("Knobs")
    expect(page.locator(".field-error:visible")).to_contain_text("The prompt is empty.")
    page.reload()
    expect(page.locator("button[name=generate]")).to_contain_text("Generate")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_what_a_visitor_typed_and_turned_outlives_a_language_switch(desk: Page) -> None:
    page = desk
    page.locator("[data-kind=task]").click()
    page.locator(".field input").first.fill("Nightjar")
    number = page.locator("#knobs [data-knob=temperature] input").last
    number.fill("1.3")
    number.press("Enter")
    page.locator("button[name=language]").click()
    expect(page.locator(".kn-title")).to_have_text("参数")
    expect(page.locator(".field input").first).to_have_value("Nightjar")
    expect(page.locator(".field input").nth(1)).to_have_value(re.compile("[\u4e00-\u9fff]"))
    expect(number).to_have_value("1.30")


def test_an_empty_prompt_is_refused_beside_its_field(desk: Page) -> None:
    page = desk
    assert complain(page).startswith("The prompt is empty.")
    expect(page.locator("[data-field=prompt].wrong")).to_be_visible()
    page.locator("#prompt").fill("Once")
    expect(page.locator("[data-field=prompt].wrong")).to_have_count(0)


def test_an_empty_field_of_a_task_is_refused_beside_it(desk: Page) -> None:
    page = desk
    page.locator("[data-kind=task]").click()
    page.locator(".field input").first.fill("")
    assert "is empty" in complain(page)
    expect(page.locator(".field.wrong").first).to_be_visible()


def test_a_prompt_of_a_million_characters_is_refused_and_kept(desk: Page) -> None:
    page = desk
    page.evaluate(
        """() => {
          const area = document.querySelector('#prompt');
          area.value = 'word '.repeat(200000);
          area.dispatchEvent(new Event('input', {bubbles: true}));
        }"""
    )
    assert "1,000,000 characters" in complain(page)
    assert page.evaluate("document.querySelector('#prompt').value.length") == 1_000_000


def test_control_characters_are_refused_by_name(desk: Page) -> None:
    page = desk
    page.locator("#prompt").fill("Once\u0007upon")
    assert "U+0007" in complain(page)


def test_a_text_that_fails_says_why_in_its_place_and_hides_none_of_the_others(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator(".field input").first.fill(f"Coffee {FAILS}")
    generate(page)
    expect(card(page, 2).locator(".remark")).to_contain_text(REASON.en)
    expect(card(page, 2).locator(".finish")).to_have_text("error")
    for number in (1, 2, 3):
        expect(body(page, number)).not_to_be_empty()
        if number != 2:
            expect(card(page, number).locator(".finish").first).not_to_have_text("error")
    page.locator("[data-kind=talk]").click()
    page.locator("#talk [name=message]").fill(f"Hello {FAILS}")
    generate(page)
    expect(page.locator("#talk .turn .remark:visible")).to_have_text(REASON.en)
    page.locator("button[name=language]").click()
    expect(page.locator("#talk .turn .remark:visible")).to_have_text(REASON.zh)
    page.locator("nav [data-tab=write]").click()
    page.locator("#write [data-head][name=title]").fill(FAILS)
    page.locator("#write [name=go]").click()
    expect(page.locator("#write .write-card").nth(1).locator(".write-facts")).to_contain_text(REASON.zh)


def test_a_number_out_of_range_is_not_sent(desk: Page) -> None:
    page = desk
    page.locator("#prompt").fill("Once")
    number = page.locator("#knobs [data-knob=temperature] input").last
    number.fill("-7")
    number.press("Enter")
    expect(page.locator("[data-knob=temperature] .kn-error")).to_contain_text("must be")
    generate(page)
    expect(card(page).locator(".finish")).not_to_be_empty()


def test_a_prompt_too_long_for_the_window_is_announced_and_refused_with_both_numbers(desk: Page) -> None:
    page = desk
    page.locator("#prompt").fill("word " * 1950)
    expect(page.locator(".seen-warning")).to_contain_text("Room for")
    page.locator("#prompt").fill("word " * 3000)
    expect(page.locator(".seen-warning")).to_contain_text("3,001 tokens")
    sentence = complain(page)
    assert "3,001" in sentence and "2,048" in sentence
    expect(page.locator(".seen-warning")).to_be_hidden()  # said once, beside the prompt
    page.locator("#prompt").fill("word " * 3001)
    expect(page.locator(".seen-warning")).to_contain_text("3,002 tokens")


def test_a_model_without_a_chat_template_greys_chat_with_the_reason(serve: Site, visit: Visit) -> None:
    url = serve("--plain")
    page = visit(url)
    chat = page.locator("[data-kind=chat]")
    expect(chat).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".compose-note")).to_contain_text("no chat template")
    chat.click(force=True)
    expect(page.locator("[data-kind=task]")).to_have_attribute("aria-checked", "true")
    expect(page.locator(".seen-mode")).to_have_text("completion")
    generate(page)
    expect(card(page).locator(".finish")).not_to_be_empty()


def test_while_the_model_loads_generate_says_what_it_waits_for(serve: Site, visit: Visit, tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    url = serve("--until", str(finished))
    page = visit(url, wait=False)
    expect(page.locator(".chip-text")).to_have_text(re.compile(r"Converting weights \d+%"))
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once")
    page.locator("button[name=generate]").click()
    expect(page.locator(".results-title")).to_have_text(re.compile(r"Waiting for the model: Converting weights"))
    finished.touch()
    expect(card(page).locator(".finish")).to_have_text("end of text")
    expect(page.locator(".chip-text")).to_contain_text("Scripted")


def test_a_model_that_cannot_be_loaded_is_one_sentence_on_a_living_page(serve: Site, visit: Visit) -> None:
    url = serve("--broken")
    page = visit(url, wait=False)
    expect(page.locator(".server-notice")).to_have_text("No weights were found. Install them.")
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once")
    assert complain(page) == "No weights were found. Install them."
    expect(page.locator("#prompt")).to_have_value("Once")


def test_a_full_line_is_one_friendly_sentence(serve: Site, visit: Visit, hold: Held) -> None:
    hold("all")
    url = serve("--slow", "--hold", str(hold.file), "--limit-running", "1", "--limit-waiting", "1")
    pages = [visit(url) for _ in range(3)]
    for page in pages:
        page.locator("[data-kind=complete]").click()
        page.locator("#prompt").fill("Once")
    pages[0].locator("button[name=generate]").click()
    expect(body(pages[0])).not_to_be_empty()
    pages[1].locator("button[name=generate]").click()
    expect(pages[1].locator(".results-title")).to_contain_text("In line: 1 ahead of you")
    assert complain(pages[2]).startswith("Too many people")
    pages[0].keyboard.press("Escape")
    expect(body(pages[1])).not_to_be_empty()  # the first words come though it is held


def test_a_phone_has_everything_in_reach(scripted: str, visit: Visit) -> None:
    page = visit(scripted, viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("button[name=generate]").bounding_box()
    assert box is not None and box["y"] + box["height"] <= 844 and box["height"] >= 44
    expect(page.locator("#knobs")).not_to_be_in_viewport()
    page.locator("button[name=knobs]").click()
    expect(page.locator("[data-knob=temperature]")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("[data-knob=temperature]")).not_to_be_in_viewport()
    generate(page)
    expect(card(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_model_page_shows_every_layer_with_its_device(desk: Page) -> None:
    page = desk
    page.locator("nav [data-tab=model]").click()
    expect(page.locator("#play")).to_be_hidden()
    rows = page.locator(".device-table tbody tr")
    expect(rows).to_have_count(30)
    expect(rows.nth(29)).to_contain_text("model.layers.29")
    expect(rows.nth(29)).to_contain_text("disk")
    expect(page.locator(".model-facts")).to_contain_text("2,048 tokens")


def test_the_theme_switch_survives_a_reload(scripted: str, visit: Visit) -> None:
    page = visit(scripted, color_scheme="light")
    page.locator("button[name=theme]").click()
    expect(page.locator("body.dark")).to_have_count(1)
    page.reload()
    expect(page.locator("body.dark")).to_have_count(1)


def test_keywords_come_out_as_a_list(serve: Site, visit: Visit) -> None:
    url = serve("--list")
    page = visit(url)
    page.locator(".task-picker").select_option("keywords")
    expect(page.locator("#knobs .kn-preset select option:checked")).to_have_text("Keywords")
    page.locator(".field textarea").first.fill("Tea from the harbour, coffee, and ferry tickets.")
    generate(page)
    expect(card(page).locator(".items li")).to_have_text(["tea", "coffee", "ferry tickets"])
    card(page).locator("button[name=plain]").click()
    expect(body(page)).to_contain_text("1. tea")
