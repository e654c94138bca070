"""Promises of the token views in a browser: what a reader can see and reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Visit
from tests.ui.served import forked
from tests.ui.tokens_page import HOSTILE, ROWS, TURNED

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with forked("tests.ui.tokens_page") as url:
        yield url


def opened(visit: Visit, address: str, **options: Any) -> Page:
    page = visit(address, wait=False, **options)
    expect(token(page, 1)).to_be_visible()
    return page


def token(page: Page, number: int) -> Locator:
    return page.locator(".tk-token").nth(number - 1)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_token_is_labelled_with_its_number_text_probability_and_rank(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    expect(token(page, 5)).to_have_attribute("aria-label", re.compile(r"^token 5, magic, probability \d+.%, rank 1$"))
    expect(token(page, 16)).to_have_attribute("aria-label", re.compile("^token 16, line break, "))
    press(page, "chinese")
    expect(token(page, 5)).to_have_attribute("aria-label", re.compile("^词元 5，magic，概率 .*，排名 1$"))


def test_whitespace_special_tokens_and_signs_without_a_shape_are_visible(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    texts = page.locator(".tk-token").all_text_contents()
    assert texts[15] == "↵\n↵\n" and texts[25] == "⇥\t" and texts[28] == "··"
    assert texts[29] == "⟨U+202E⟩" and texts[-1] == "<|im_end|>"
    assert HOSTILE in texts
    assert page.title() != "hacked"


def test_one_tab_stop_and_arrows_walk_the_tokens(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    expect(page.locator(".tk-token[tabindex='0']")).to_have_count(1)
    token(page, 1).focus()
    page.keyboard.press("ArrowRight")
    expect(token(page, 2)).to_be_focused()
    expect(page.locator(".tk-tip")).to_contain_text("token 2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(token(page, 2)).to_be_focused()
    page.keyboard.press("End")
    expect(token(page, len(ROWS[0]))).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator(".wf-title")).to_be_focused()
    expect(page.locator("#out textarea, #out input")).to_have_value('{"run": "first", "row": 0, "position": 0}')
    expect(page.locator(".wf-filled")).to_have_text("“<b>x</b>”: 12.500 / 1.25 = 10.000")
    page.keyboard.press("Escape")
    expect(page.locator(".wf")).to_be_hidden()
    expect(token(page, 1)).to_be_focused()
    expect(page.locator(".tk-token[tabindex='0']")).to_have_count(1)
    arrows_follow_a_line_from_right_to_left(page)


def arrows_follow_a_line_from_right_to_left(page: Page) -> None:
    page.locator(".tk-rows button").nth(3).click()
    expect(page.locator(".tk-token")).to_have_count(len(TURNED))
    lines = page.locator(".tk-line")
    ways = "line => [getComputedStyle(line).direction, getComputedStyle(line.querySelector('.tk-token')).unicodeBidi]"
    assert [line.evaluate(ways) for line in lines.all()] == [["rtl", "isolate"], ["ltr", "isolate"]]
    boxes = page.locator(".tk-token").evaluate_all("spans => spans.map(one => one.getBoundingClientRect().left)")
    at = dict(zip(TURNED, boxes, strict=False))
    # From right to left, but a word and a number of several tokens in their own order; the other way round likewise.
    assert at["قه"] > at["وة"] > at[" القمر"] > at["on"] > at[" Mo"] > at[" Blue"] > at["،"]
    assert at[" منذ"] > at["24"] > at[" 20"] > at["שלום"]
    assert at["Latin"] < at[" and"] < at["רית"] < at[" עב"] < at[" again"]
    assert token(page, 1).get_attribute("data-joins") == " on" and token(page, 2).get_attribute("data-joins") == "from"
    token(page, 1).focus()
    page.keyboard.press("ArrowLeft")
    expect(token(page, 2)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(token(page, 1)).to_be_focused()
    token(page, 16).focus()
    page.keyboard.press("ArrowRight")
    expect(token(page, 17)).to_be_focused()
    token(page, 12).focus()
    expect(page.locator(".tk-tip b")).to_have_css("direction", "rtl")
    page.keyboard.press("Enter")
    expect(page.locator(".wf-title")).to_have_text("“\u2068שלום\u2069” · token 12")
    expect(page.locator(".wf-model .wf-token").first).to_have_css("direction", "rtl")
    expect(page.locator(".wf-model .wf-row").first).to_have_css("direction", "ltr")


WATCH_FIRST = """() => {
  window.firsts = new Set();
  window.changes = 0;
  new MutationObserver(() => {
    window.firsts.add(document.querySelector(".tk-token"));
    window.changes += 1;
  }).observe(document.querySelector(".tk-texts"), { childList: true, subtree: true });
}"""


def test_tokens_stream_in_by_appending_and_step_back(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    page.evaluate(WATCH_FIRST)
    press(page, "stream")
    expect(page.locator(".tk-voice")).to_have_text(f"Candidate 1 is finished: {len(ROWS[0])} tokens.")
    assert page.evaluate("[window.firsts.size, window.changes > 1]") == [1, True]
    expect(page.locator(".tk-token")).to_have_count(len(ROWS[0]))
    page.locator(".tk-rows button").nth(1).click()
    expect(page.locator(".tk-token")).to_have_count(len(ROWS[1]))
    texts = page.locator(".tk-token").all_text_contents()
    assert len(texts) == len(ROWS[1]) and texts[0] == "Blue"


def test_a_replay_names_what_the_first_token_that_differs_would_become(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    press(page, "replay")
    expect(page.locator(".tk-first")).to_have_attribute("data-would", "→ ·brewed")
    expect(page.locator(".tk-first")).to_have_attribute("aria-label", re.compile("would become brewed$"))
    expect(page.locator(".tk-replay p")).to_contain_text("9 tokens stay")
    expect(page.locator(".tk-text [class*='tk-1']")).to_have_count(0)  # what stays is plain
    press(page, "Generate from there")
    expect(page.locator("#out textarea, #out input")).to_have_value(re.compile('"position": 9, "token_id": 2001'))
    press(page, "plain")
    expect(page.locator(".tk-first")).to_have_count(0)


def test_colours_follow_the_chosen_measure_and_the_legend_says_which(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    before = [one.get_attribute("class") for one in page.locator(".tk-token").all()]
    for name, last in (("rank", "1,000+"), ("entropy", "8+"), ("surprise", "12+")):
        page.locator(".tk-by select").select_option(name)
        expect(page.locator(".tk-legend span").last).to_have_text(last)
    after = [one.get_attribute("class") for one in page.locator(".tk-token").all()]
    assert before != after


CONTRASTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => rgb.slice(0, 3).map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const text = document.querySelector(".tk-text");
  return [...Array(16).keys()].map((level) => {
    const span = text.appendChild(document.createElement("span"));
    span.className = `tk-${level}`;
    const [r, g, b, a = 1] = numbers(getComputedStyle(span).backgroundColor);
    const paper = numbers(getComputedStyle(text).backgroundColor);
    const ink = light(numbers(getComputedStyle(span).color));
    span.remove();
    const ground = light([r, g, b].map((v, i) => v * a + paper[i] * (1 - a)));
    return [ground, (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)];
  });
}"""


def test_ink_is_readable_on_every_level_and_levels_differ_in_lightness(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    for theme in ("light", "dark"):
        grounds, contrasts = zip(*page.evaluate(CONTRASTS), strict=True)
        assert min(contrasts) >= 4.5, theme
        assert list(grounds) == sorted(grounds, reverse=theme == "light")
        press(page, "dark")


def test_the_panel_tells_stages_fates_and_draw_and_offers_branches(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    token(page, 5).click()
    expect(page.locator(".wf-title")).to_have_text("“·magic” · token 5")
    expect(page.locator(".wf-stage h4")).to_have_text(
        ["Model", re.compile("Penalties"), re.compile("Temp"), re.compile("top_p")]
    )
    expect(page.locator(".wf-stage").last).to_contain_text("49,152 → 4")
    expect(page.locator(".wf-draw")).to_contain_text("0.42 nats")
    expect(page.locator(".wf-list")).to_contain_text("cumulative 0.913 > 0.90")
    page.get_by_role("button", name="Continue from here with “mystery”").click()
    expect(page.locator("#out textarea, #out input")).to_have_value(re.compile('"position": 4, "token_id": 2000'))
    page.locator("[name=ask]").fill("zebra")
    page.keyboard.press("Enter")
    expect(page.locator(".wf-asked")).to_contain_text("8,123")
    page.locator("[name=ask]").fill("error")
    page.keyboard.press("Enter")
    expect(page.locator(".wf-error")).to_have_text("No token begins with this.")
    page.locator(".wf [name=on]").click()
    expect(page.locator(".wf-title")).to_have_text("“·in” · token 6")
    expect(token(page, 6)).to_have_class(re.compile("tk-picked"))
    press(page, "chinese")
    expect(page.locator(".wf-title")).to_have_text("“·in”· 词元 6")


def test_on_a_phone_the_panel_is_a_sheet_that_leaves_the_token_in_sight(visit: Visit, address: str) -> None:
    page = opened(visit, address, viewport={"width": 390, "height": 844})
    token(page, 34).click()
    expect(page.locator(".wf-title")).to_be_visible()
    page.locator(".wf").evaluate("sheet => Promise.all(sheet.getAnimations().map((one) => one.finished))")
    sheet = page.locator(".wf").bounding_box()
    assert sheet and sheet["x"] == 0 and sheet["width"] == 390 and abs(sheet["y"] + sheet["height"] - 844) < 1
    here = token(page, 34).bounding_box()
    assert here and here["y"] + here["height"] <= sheet["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_curve_jumps_to_a_token_and_reads_itself_out(visit: Visit, address: str) -> None:
    page = opened(visit, address)
    plot = page.locator(".cv-plot")
    plot.focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute("aria-valuetext", re.compile("^5 “·magic” entropy .* surprise .* bits$"))
    page.keyboard.press("Enter")
    expect(page.locator(".wf-title")).to_have_text("“·magic” · token 5")
    expect(token(page, 5)).to_have_class(re.compile("tk-picked"))
    expect(page.locator(".cv-voice")).to_contain_text("Mean entropy")
    expect(page.locator(".cv-numbers")).to_contain_text("perplexity")
    page.locator(".tk-rows button").nth(2).click()
    expect(plot).to_have_attribute("aria-valuemax", str(len(ROWS[2])))
