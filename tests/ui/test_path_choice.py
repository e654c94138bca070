"""Promises of the choice between the exact and the fast path, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Site, Visit, card, generate, tokens_of

pytestmark = pytest.mark.browser


def short_prompt(page: Page) -> None:
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("The harbour")
    expect(page.locator(".candidates")).to_have_text("1")
    length = page.locator("[data-knob=max_new_tokens] input").last
    length.fill("4")
    length.press("Enter")


def chosen(page: Page, path: str) -> None:
    expect(page.locator(f"[data-path={path}]")).to_have_attribute("aria-checked", "true")


def test_a_newcomer_starts_fast_and_each_version_says_on_which_path_it_was_written(
    visit: Visit, tiny_site: str
) -> None:
    page = visit(tiny_site)
    chosen(page, "fast")
    expect(page.locator(".path-means")).to_contain_text("Faster: fp32 weights")
    short_prompt(page)
    generate(page)
    label = card(page).locator(".card-path")
    expect(label).to_have_text("fast · fp32")
    page.locator("[data-path=exact]").click()
    expect(page.locator(".path-means")).to_contain_text("model.generate()")
    card(page).locator("button[name=regenerate]").click()
    expect(card(page).locator(".walk output")).to_have_text("2/2")
    expect(page.locator(".act.running")).to_have_count(0)
    expect(label).to_have_text("exact")
    page.locator("[data-path=fast]").click()
    card(page).locator("button[name=continue]").click()
    expect(card(page).locator(".walk output")).to_have_text("3/3")
    expect(page.locator(".act.running")).to_have_count(0)
    expect(label).to_have_text("fast · fp32")
    card(page).locator("button[name=version-back]").click()
    expect(label).to_have_text("exact")


def test_what_a_reader_chose_is_kept_over_a_reload(visit: Visit, tiny_site: str) -> None:
    page = visit(tiny_site)
    page.locator("[data-path=exact]").click()
    page.locator(".kn-find").fill("prompt lookup")  # what acts on the fast path only: by then the choice is answered
    expect(page.locator("[data-knob=prompt_lookup_num_tokens]")).to_contain_text("No effect on the exact path")
    page.reload()
    expect(page.locator(".seen-count")).not_to_be_empty()
    chosen(page, "exact")
    short_prompt(page)
    generate(page)
    expect(card(page).locator(".card-path")).to_have_text("exact")


def test_a_server_may_let_newcomers_start_exact(visit: Visit, serve: Site) -> None:
    page = visit(serve("--path", "exact"))
    chosen(page, "exact")
    page.locator("[data-path=exact]").press("ArrowRight")
    chosen(page, "fast")
    expect(page.locator("[data-path=fast]")).to_be_focused()


def test_how_close_it_is_stands_where_the_choice_is_made_in_both_languages(visit: Visit, tiny_site: str) -> None:
    page = visit(tiny_site)
    facts = page.locator(".path-facts")
    expect(facts).to_be_hidden()
    page.locator(".path-close").click()
    for words in ("Number format", "KL divergence", "Perplexity", "SmolLM2-135M-Instruct", "another"):
        expect(facts).to_contain_text(words)
    page.locator("button[name=language]").click()
    for words in ("数值格式", "困惑度", "另一个模型"):
        expect(facts).to_contain_text(words)


def test_a_model_without_the_fast_path_offers_exact_alone_and_says_why(visit: Visit, serve: Site) -> None:
    page = visit(serve("--slow"))
    chosen(page, "exact")
    expect(page.locator("[data-path=fast]")).to_be_hidden()
    expect(page.locator(".path-close")).to_be_hidden()
    expect(page.locator(".path-means")).to_have_text("A script has no fast path.")
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("Once")
    generate(page)
    expect(card(page).locator(".card-path")).to_have_text("exact")


def test_a_beam_search_runs_exact_without_asking(visit: Visit, tiny_site: str) -> None:
    page = visit(tiny_site)
    short_prompt(page)
    page.locator(".kn-find").fill("num_beams")
    page.locator("[data-knob=num_beams] input[type=range]").fill("2")
    chosen(page, "exact")
    expect(page.locator(".path-means")).to_have_text("A beam search runs on the exact path.")
    generate(page)
    expect(card(page).locator(".card-path")).to_have_text("exact")


def test_a_fast_run_can_be_looked_into_and_replayed(visit: Visit, tiny_site: str) -> None:
    page = visit(tiny_site)
    short_prompt(page)
    generate(page)
    expect(card(page).locator(".card-path")).to_have_text("fast · fp32")
    tokens_of(page).first.click()
    expect(page.locator("#waterfall")).to_contain_text("temperature")
    page.locator("[data-knob=temperature] input[type=range]").fill("1.9")
    expect(page.locator(".results .tk-replay")).to_contain_text("With the present knobs and the same random draws")


def test_on_a_phone_the_choice_fits_and_nothing_is_wider_than_the_page(visit: Visit, tiny_site: str) -> None:
    page = visit(tiny_site, viewport={"width": 390, "height": 844})
    page.locator(".path-close").click()
    box = page.locator(".path").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
