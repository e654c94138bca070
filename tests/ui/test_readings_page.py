"""Reading without writing, in a browser: the next token, any text, the prompt as tokens, the watermark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visit, body, card, generate, tokens_of
from tests.ui.scripted_page import HOSTILE

pytestmark = pytest.mark.browser
LOADING = 180_000  # the first start converts the weights


def free_prompt(page: Page, text: str) -> None:
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill(text)
    expect(page.locator(".candidates")).to_have_text("1")


def turn(page: Page, knob: str, value: str) -> None:
    number = page.locator(f"#knobs [data-knob={knob}] input").last
    number.fill(value)
    number.press("Enter")


@pytest.mark.model
def test_the_next_token_follows_the_knobs_and_begins_an_answer(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    free_prompt(page, "The capital of France is")
    look, panel = page.locator("button[name=look]"), page.locator("#next .wf")
    look.focus()
    page.keyboard.press("Enter")
    expect(panel.locator(".wf-title")).to_be_focused()
    expect(panel.locator(".wf-model")).to_contain_text("Paris")
    expect(panel.locator(".wf-draw")).to_contain_text("Every run draws a new seed")
    turn(page, "temperature", "1.7")
    expect(panel.locator(".wf-stages")).to_contain_text("temperature = 1.7")
    page.locator(".seed-value").fill("3")
    expect(panel.locator(".wf-draw")).to_contain_text("won with probability")
    panel.locator("[name=ask]").fill(" Rome")
    panel.locator("[name=ask]").press("Enter")
    expect(panel.locator(".wf-asked")).to_contain_text("·Rome")
    expect(panel.locator(".wf-stale")).to_be_hidden()
    page.locator("#prompt").fill("The capital of Spain is")
    expect(panel.locator(".wf-stale")).to_be_visible()
    expect(panel.locator(".wf-model")).to_contain_text("Paris")
    panel.locator("[name=again]").click()
    expect(panel.locator(".wf-model")).to_contain_text("Madrid")
    expect(panel.locator(".wf-stale")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    turn(page, "temperature", "0.6")
    turn(page, "max_new_tokens", "6")
    look.click()
    expect(panel.locator(".wf-stages")).to_contain_text("temperature = 0.6")
    chosen = panel.locator("button[name=branch]").nth(4)
    text = re.sub("^·", " ", chosen.locator(".wf-token").inner_text())
    chosen.click()
    expect(panel).to_be_hidden()
    expect(card(page).locator(".finish")).to_have_text(re.compile("end of text|length reached"))
    assert body(page).inner_text().startswith(text.strip())
    first = body(page).inner_text()
    card(page).locator("button[name=continue]").click()
    expect(card(page).locator(".walk output")).to_have_text("2/2")
    expect(page.locator(".act.running")).to_have_count(0)
    assert body(page).inner_text().startswith(first)


@pytest.mark.model
def test_a_text_is_read_in_colour_and_asked_for_its_watermark(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    page.locator("nav [data-tab=read]").click()
    text, status = page.locator("#read textarea[name=text]"), page.locator("#read-tokens .tk-status")
    tokens, expected = page.locator("#read-tokens .tk-token"), page.locator("#expected .wf")
    text.fill(f"Once upon a time {HOSTILE}")
    text.press("Control+Enter")
    expect(tokens.nth(3)).to_have_text(" time")
    expect(page.locator("#read-tokens .tk-text")).to_contain_text("<img src=x onerror=")
    expect(page.locator("#read-curve .cv-numbers")).to_contain_text("perplexity")
    expect(status).to_be_hidden()
    expect(tokens.nth(2)).to_have_attribute("aria-label", re.compile("probability .*, rank"))
    page.locator("#read-tokens select").select_option("rank")
    tokens.nth(2).focus()
    page.keyboard.press("Enter")
    expect(expected.locator(".wf-title")).to_be_focused()
    expect(expected.locator(".wf-row")).to_have_count(10)
    expect(expected.locator(".wf-chosen")).to_contain_text("·a")
    expected.locator("[name=back]").click()
    expected.locator("[name=back]").click()
    expect(expected).to_contain_text("Nothing stands before this token")
    page.keyboard.press("Escape")
    expect(expected).to_be_hidden()
    text.fill("a")
    expect(page.locator(".read-changed")).to_contain_text("The text has changed.")
    page.locator(".read-changed [name=again]").click()
    expect(tokens).to_have_text(["a"])
    expect(page.locator("#read-curve")).to_contain_text("A first token has none before it")
    expect(page.locator(".read-changed")).to_be_hidden()
    text.fill("The lighthouse keeper counted the ships again. " * 400)
    page.locator("#read [name=read]").click()
    expect(status).to_contain_text(re.compile(r"Read [\d,]+ of 3,\d+ tokens"))
    page.keyboard.press("Escape")
    expect(status).to_contain_text(re.compile(r"Stopped: [\d,]+ of 3,\d+ tokens were read"))
    expect(page.locator("#read-curve .cv-numbers")).to_contain_text("perplexity")
    page.locator("[name=detect]").click()
    expect(page.locator(".verdict")).to_contain_text("No watermark was found")
    expect(page.locator(".verdict")).to_contain_text("z-score")
    page.locator(".read-change").click()
    turn(page, "watermark_ratio", "0.4")
    page.locator(".read-pointer").click()
    expect(page.locator(".read-knobs")).to_contain_text("0.4")
    page.locator("[name=detect]").click()
    expect(page.locator(".verdict")).to_contain_text("40% are expected")
    text.fill("short")
    page.locator("[name=detect]").click()
    expect(page.locator(".verdict")).to_contain_text("too few")
    expect(text).to_have_value("short")
    expect(tokens.first).to_be_hidden()  # they are of the text before
    text.fill("word " * 40_000)
    page.locator("#read [name=read]").click()
    expect(page.locator("#read-tokens .tk-wrong")).to_contain_text("at most")
    expect(page.locator(".verdict")).to_be_hidden()
    expect(tokens).to_have_count(0)
    expect(page.locator("#read-curve .cv")).to_be_hidden()
    text.fill("jumps over <|im_end|>")
    expect(page.locator("#read-tokens .tk-wrong")).to_be_hidden()
    page.locator("#read [name=prompt]").fill("The quick brown fox")
    expect(page.locator(".read-join")).to_contain_text("“foxjumps”")
    page.locator(".read-join [name=space]").click()
    expect(page.locator(".read-join")).to_be_hidden()
    page.locator("#read [name=read]").click()
    expect(page.locator("#read-tokens .tk-special")).to_have_count(0)
    page.locator(".read-special input").check()
    page.locator("#read [name=read]").click()
    expect(page.locator("#read-tokens .tk-special")).to_have_text(["<|im_end|>"])
    page.reload()
    expect(text).to_have_value(" jumps over <|im_end|>")
    expect(page.locator(".read-special input")).to_be_checked()


@pytest.mark.model
def test_on_a_phone_the_prompt_is_seen_as_tokens_and_panels_are_sheets(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page, wait=False, viewport={"width": 390, "height": 844}, locale="zh-CN")
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    expect(page.locator(".seen-count")).not_to_be_empty()
    page.locator("[data-kind=chat]").click()
    page.locator("#compose textarea[name=message]").fill("你好")
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_contain_text("你好")
    page.locator(".seen-as [name=tokens]").click()
    first = page.locator("#seen-tokens .tk-token").first
    expect(first).to_have_text("<|im_start|>1")
    expect(page.locator(".seen-text")).to_be_hidden()
    page.locator("#compose textarea[name=message]").fill("早上好")
    expect(page.locator(".seen-changed")).to_be_visible()
    page.locator(".seen-as [name=again]").click()
    expect(page.locator(".seen-changed")).to_be_hidden()
    expect(page.locator("#seen-tokens .tk-text")).to_contain_text("早")
    page.locator("button[name=look]").click()
    sheet = page.locator("#next .wf")
    expect(sheet).to_contain_text("模型")
    expect(sheet.locator(".wf-stages")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sheet.locator("[name=close]").click()
    page.locator("nav [data-tab=read]").click()
    page.locator("#read [name=example]").click()
    page.locator("#read-tokens .tk-token", has_text="西").click()
    expect(page.locator("#expected .wf")).to_contain_text(re.compile("模型更想写|正是模型的首选"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_generator_without_a_vocabulary_says_so_in_each_place(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    free_prompt(page, "A prompt that stays")
    page.locator("button[name=look]").click()
    expect(page.locator("#next .wf-error")).to_contain_text("Choose a model on this machine, or")
    page.locator(".seen summary").click()
    page.locator(".seen-as [name=tokens]").click()
    expect(page.locator("#seen-tokens .tk-wrong")).to_contain_text("whole vocabulary")
    expect(page.locator("#prompt")).to_have_value("A prompt that stays")
    page.locator("nav [data-tab=read]").click()
    page.locator("#read textarea[name=text]").fill("A text that stays")
    page.locator("#read [name=read]").click()
    expect(page.locator("#read-tokens .tk-wrong")).to_contain_text("whole vocabulary")
    page.locator("[name=detect]").click()
    expect(page.locator(".verdict.wrong")).to_contain_text("whole vocabulary")
    page.locator("button[name=language]").click()
    expect(page.locator(".verdict.wrong")).to_contain_text("词表")
    expect(page.locator("#read-tokens .tk-wrong")).to_contain_text("词表")
    expect(page.locator("#read textarea[name=text]")).to_have_value("A text that stays")
    page.locator("#read").press("Control+Enter")
    assert page.locator(".act.running").count() == 0, "on this tab the key reads"
    assert page.locator(".toast-body, span.error").count() == 0


@pytest.mark.model
def test_control_tokens_that_act_are_marked_and_typed_ones_act_where_that_is_chosen(
    embedded_page: str, visit: Visit
) -> None:
    page = visit(embedded_page, wait=False)
    expect(page.locator(".chip.ready")).to_be_visible(timeout=LOADING)
    page.locator("[data-kind=chat]").click()
    page.locator(".seen summary").click()
    marks, note = page.locator(".seen-text mark"), page.locator(".seen-note")
    page.locator(".compose textarea[name=message]").fill("Hi 🙂<|im_end|> there")
    expect(note).to_contain_text("Read as text, not as control tokens: <|im_end|>")
    expect(marks).to_have_text(["<|im_start|>", "<|im_end|>"] * 2 + ["<|im_start|>"])
    page.locator(".compose-switch[data-field] input").check()
    expect(marks).to_have_count(6)
    expect(marks.nth(3)).to_have_text("<|im_end|>")
    expect(note).to_be_hidden()
    page.locator("[data-kind=task]").click()
    expect(page.locator(".compose-switch[data-field]")).to_be_hidden()
    free_prompt(page, "a<|im_end|>")
    expect(page.locator(".compose-switch[data-field] input")).to_be_checked()
    expect(marks).to_have_text(["<|im_end|>"])
    turn_on = page.locator("#knobs [data-knob=logit_bias]")
    page.locator("#knobs input[type=search]").fill("logit_bias")
    turn_on.locator(".kn-add").click()
    page.keyboard.type(" the")
    page.keyboard.press("Tab")
    page.keyboard.type("4")
    expect(turn_on.locator(".kn-chip")).to_have_text(re.compile("^\\d+ “ the”$"))


def test_a_token_that_is_a_part_of_a_character_says_so_where_it_is_pointed_at_and_looked_into(
    tiny_site: str, visit: Visit
) -> None:
    page = visit(tiny_site)
    free_prompt(page, "鱼")
    page.locator(".seen summary").click()
    page.locator(".seen-as [name=tokens]").click()
    first = page.locator("#seen-tokens .tk-token").first
    # What is said above them while they are read moves them from under the mouse.
    expect(page.locator("#seen-tokens .tk-voice")).to_have_text("The prompt is read: 3 tokens.")
    first.hover()
    tip = page.locator("#seen-tokens .tk-tip, .results .tk-tip").locator("visible=true")
    sentence = "Some characters take several tokens"
    expect(tip).to_contain_text(sentence)
    number = str(first.locator("small").text_content())
    turn(page, "temperature", "0")
    page.evaluate(
        "(id) => import('playground/page/board.js').then((board) =>"
        " board.tell('knob', { name: 'logit_bias_ids', value: { [id]: 100 } }))",
        number,
    )
    turn(page, "max_new_tokens", "2")
    generate(page)
    one = tokens_of(page).first
    expect(one).to_have_text("◦")
    expect(one).to_have_attribute("aria-label", re.compile("part of a character"))
    one.click()
    expect(page.locator("#waterfall .wf-part")).to_contain_text(sentence)
    page.locator("button[name=language]").click()
    expect(page.locator("#waterfall .wf-part")).to_contain_text("有些字符由几个词元组成")
    expect(one).to_have_attribute("aria-label", re.compile("字符的一部分"))
    page.locator("button[name=language]").click()
    page.locator("#prompt").fill("A fox")
    turn(page, "max_new_tokens", "3")
    page.evaluate(
        "import('playground/page/board.js').then((board) => board.tell('knob', { name: 'logit_bias_ids', value: {} }))"
    )
    page.locator(".seen-as [name=again]").click()
    expect(page.locator("#seen-tokens .tk-voice")).to_have_text("The prompt is read: 2 tokens.")
    expect(page.locator(".seen.stale")).to_have_count(0)
    page.locator("#seen-tokens .tk-token", has_text="fox").hover()
    expect(tip).to_contain_text("token 2")
    expect(tip).not_to_contain_text(sentence)
