"""A visitor before an engine that tells the text only: what is known is shown, and the rest is said to be unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.broken_engine import Talk, chunk, engine_that
from tests.ui.conftest import Visit, body, card, generate, tokens_of
from tests.ui.served import forked

pytestmark = pytest.mark.browser
END = b"[DONE]"


@pytest.fixture(scope="module")
def engine_page(starts_server: None) -> Iterator[str]:
    said = [chunk("Tea "), chunk("by the harbour."), chunk("", "stop"), END]  # it counts no tokens
    chat = Talk([chunk("", delta={"content": "Tea by the harbour."}), chunk("", "stop", delta={}), END])
    with engine_that(Talk(said), v1_chat_completions=chat) as engine, forked("app", "--engine", engine.url) as url:
        yield url


def test_what_an_engine_does_not_tell_is_said_to_be_unknown(engine_page: str, visit: Visit) -> None:
    page = visit(engine_page)
    expect(page.locator(".chip.ready")).to_have_text("model-1 · OpenAI-compatible server")
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("A slogan:")
    expect(page.locator(".seen-count")).to_have_text("tokens: unknown here")
    lacking = page.locator("[data-knob=top_k]").first
    expect(lacking).to_have_class(re.compile("is-inert"))
    expect(lacking).to_contain_text("OpenAI's API has no")
    generate(page)
    expect(body(page)).to_have_text("Tea by the harbour.")
    expect(card(page).locator(".finish")).to_have_text("end of text")
    expect(card(page)).not_to_contain_text("0 tokens")
    page.locator("[name=as-tokens]").click()
    expect(page.locator(".tk-reason")).to_have_text("This engine tells the text only; its tokens are unknown here.")
    page.locator("button[name=language]").click()
    expect(page.locator(".seen-count")).to_have_text("词元数：在此未知")
    expect(page.locator(".tk-reason")).to_have_text("此引擎只给出文本，这里不知道它的词元。")


def test_a_task_is_written_without_what_the_engine_lacks_and_that_is_said(engine_page: str, visit: Visit) -> None:
    page = visit(engine_page)
    page.locator(".task-picker").select_option("poems")
    expect(page.locator("[data-knob=min_p]").first).to_have_class(re.compile("is-inert"))
    generate(page)
    expect(body(page)).to_have_text("Tea by the harbour.")
    said = page.locator("#act-notice")
    expect(said).to_have_text(
        "OpenAI-compatible server lacks Regular expression (regex), Beginning of the answer (prefill):"
        " the text is written without."
    )
    page.locator("button[name=language]").click()
    expect(said).to_contain_text("生成时不使用")


def test_in_write_and_in_a_conversation_the_window_is_unknown_too(engine_page: str, visit: Visit) -> None:
    page = visit(engine_page)
    page.locator("[data-kind=talk]").click()
    page.locator("#talk [name=message]").fill("When does the ferry come?")
    expect(page.locator(".talk-count")).to_have_text("tokens: unknown here")
    page.locator("nav [data-tab=write]").click()
    tab = page.locator("#write")
    expect(tab.locator("h2")).to_be_visible()
    tab.locator("[data-head][name=title]").fill("A night at the harbour")
    tab.locator(".write-carried summary").click()
    expect(tab.locator(".write-count")).to_have_text("tokens: unknown here")
    tab.locator("[name=go]").click()
    expect(tab.locator(".write-card textarea").first).to_have_value("Tea by the harbour.")


@pytest.fixture(scope="module")
def likeliest_page(starts_server: None, tiny_llama_cpp: str) -> Iterator[str]:
    with forked("app", "--engine", tiny_llama_cpp, "--engine-figures", "top") as url:
        yield url


def test_of_a_token_the_known_candidates_are_shown_where_the_rest_is_unknown(likeliest_page: str, visit: Visit) -> None:
    page = visit(likeliest_page)
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("A slogan:")
    page.locator(".act [name=seed]").fill("1")  # of half a character the engine tells nothing
    generate(page)
    tokens_of(page).nth(3).click()
    panel = page.locator("#waterfall")
    expect(panel.locator(".wf-error")).to_contain_text("--engine-figures later")
    expect(panel.locator(".wf-title")).to_contain_text("token 4")
    expect(panel.locator(".wf-known h4")).to_have_text("The likeliest candidates, which are known")
    expect(panel.locator(".wf-known .wf-row")).to_have_count(10)
    assert all("%" in one for one in panel.locator(".wf-known .wf-row").all_inner_texts())
    expect(panel.locator(".wf-body")).to_be_hidden()
