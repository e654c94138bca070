"""The one flow that matters, with the embedded model: open the page, pick a task, turn a knob, generate, stop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Visit, body, card

pytestmark = [pytest.mark.browser, pytest.mark.model]
LOADING = 180_000  # the first start converts the weights


def test_a_visitor_picks_slogans_turns_a_knob_and_watches_the_model_write(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_contain_text("SmolLM2-135M-Instruct", timeout=LOADING)
    page.locator(".task-picker").select_option("slogans")
    page.locator("[data-knob=temperature] input[type=range]").fill("0.7")
    page.locator(".field input").first.fill("Nightjar")
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_contain_text("Nightjar")
    page.locator("button[name=generate]").click()
    expect(body(page)).not_to_be_empty()
    expect(card(page).locator(".finish")).to_have_text(re.compile("end of text|length reached|stop string"))
    expect(card(page).locator(".card-line")).to_contain_text("tok/s")
    expect(page.locator(".act.running")).to_have_count(0)
    page.locator("nav [data-tab=model]").click()
    expect(page.locator(".device-table")).to_contain_text("model.layers.29")
    expect(page.locator(".model-facts")).to_contain_text("134,515,008")


def test_a_task_says_what_was_measured_of_it_with_this_model_in_this_language(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    line = page.locator(".task-measured")
    kept = r"SmolLM2-135M.*\d+ of \d+ texts had the right form.*Read and kept: \d+ of \d+"
    expect(line).to_have_text(re.compile(kept))
    page.locator("button[name=language]").click()
    expect(line).to_have_text(re.compile(r"\d+ 篇中 \d+ 篇格式合规.*人工阅读：\d+ 篇中 \d+ 篇可用"))
    page.locator("[data-kind=complete]").click()
    expect(line).to_be_hidden()


def test_stop_acts_while_the_real_model_writes_and_keeps_its_text(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once upon a time, in a harbour town,")
    expect(page.locator(".candidates")).to_have_text("1")
    length = page.locator("[data-knob=max_new_tokens] input").last
    length.fill("2000")
    length.press("Enter")
    endless = "import('playground/page/board.js').then(({ tell }) => tell('knob', { name: 'ignore_eos', value: true }))"
    page.evaluate(endless)  # it must not end by itself
    for again in range(3):
        page.locator("button[name=generate]").click()
        if again:
            expect(page.locator(".runs output")).to_have_text(f"Run {again + 1} of {again + 1}")
        expect(card(page).locator(".card-line")).to_contain_text("tok/s")
        page.keyboard.press("Escape")
        expect(card(page).locator(".finish")).to_have_text("stopped by you")
        assert body(page).inner_text().strip()
        assert page.locator("span.error, .toast-body").count() == 0


def test_a_text_of_two_sections_is_written_accepted_edited_and_exported(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    page.locator("nav [data-tab=write]").click()
    tab = page.locator("#write")
    tab.locator("[name=title]").fill("The Keeper")
    tab.locator("[name=plan]").fill("A lighthouse keeper waits for the late ferry, and his cat waits with him.")
    expect(tab.locator("[name=forget]")).to_be_visible()
    expect(tab.locator(".remark").first).to_contain_text("writes little that one would keep")
    tab.locator("[name=length]").fill("24")
    tab.locator("[name=seed]").fill("5")
    section = tab.locator("article.write-section")
    for number, heading in enumerate(("Night", "Day"), start=1):
        tab.locator("[data-head][name=heading]").fill(heading)
        tab.locator("[name=go]").click()
        expect(tab.locator("[name=keep-seed]")).to_have_text(["seed 5", "seed 6"])
        expect(tab.locator("[name=accept]").last).to_be_enabled()
        texts = [one.input_value() for one in tab.locator(".write-card textarea").all()]
        assert all(text.strip() for text in texts) and texts[0] != texts[1]
        tab.locator("[name=accept]").first.click()
        expect(section).to_have_count(number)
        expect(section.last.locator("h4")).to_have_text(heading)
        written = " ".join(section.last.locator("p").all_inner_texts()).split()
        assert written and written == texts[0].split()
    tab.locator("[name=edit]").last.click()
    tab.locator(".write-editor [name=text]").fill("The ferry came at noon.")
    tab.locator(".write-editor [name=keep]").click()
    expect(section.last).to_contain_text("The ferry came at noon.")
    with page.expect_download() as saved:
        tab.locator("[name=md]").click()
    told = Path(saved.value.path()).read_text(encoding="utf-8")
    assert re.fullmatch(r"# The Keeper\n\n## Night\n\n.+\n\n## Day\n\nThe ferry came at noon\.\n", told, re.DOTALL)


def test_ones_own_task_is_written_saved_and_asked_of_the_real_model(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    page.locator("[data-kind=chat]").click()
    page.locator("[data-for=chat] [name=message]").fill("Write one sentence about {{hero}} in {{place}}.")
    page.locator("[data-variable][name=hero]").fill("a fox")
    page.locator("[data-variable][name=place]").fill("a harbour")
    page.locator(".user-tasks [name=keep]").click()
    page.locator(".user-tasks [name=title]").fill("One sentence")
    page.locator("[data-panel=title] [name=save]").click()
    expect(page.locator(".task-picker option:checked")).to_have_text("One sentence")
    page.locator("[data-task-field][name=hero]").fill("a heron")
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_contain_text("Write one sentence about a heron in a harbour.")
    expect(page.locator(".seen-text")).not_to_contain_text("{{")
    length = page.locator("[data-knob=max_new_tokens] input").last
    length.fill("40")
    length.press("Enter")
    page.locator("button[name=generate]").click()
    expect(card(page).locator(".finish")).to_have_text(re.compile("end of text|length reached|stop string"))
    expect(page.locator(".act.running")).to_have_count(0)
    assert re.search(r"\w", body(page).inner_text()) and "{{" not in body(page).inner_text()
