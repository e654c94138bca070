"""Many at once: open streams block neither Stop nor a newcomer and take no thread each; who waits sees the place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Open, Visit, body, card, generate
from tests.ui.served import Forked, forked, free_port

STREAMS = 64
LONG = {"max_new_tokens": 500, "ignore_eos": True}


@pytest.fixture(scope="module")
def slow_rows(tiny_page: str) -> Iterator[str]:
    """A page whose running batch has room for three rows, and steps slowly."""
    with forked(tiny_page, "--pause", "0.2", "--rows", "3", "--limit-waiting", "2") as url:
        yield url


@pytest.fixture(scope="module")
def many_rows(tiny_page: str) -> Iterator[Forked]:
    """A page whose running batch has room for all."""
    server = Forked(tiny_page, free_port(), "--pause", "0.2", "--rows", "70")
    yield server
    server.end()


def free_prompt(page: Page, tokens: int) -> None:
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("The harbour")
    expect(page.locator(".candidates")).to_have_text("1")
    length = page.locator("[data-knob=max_new_tokens] input").last
    length.fill(str(tokens))
    length.press("Enter")


@pytest.mark.browser
def test_sixty_four_open_streams_block_neither_stop_nor_a_reading_nor_a_newcomer(
    visit: Visit, many_rows: Forked, stream: Open
) -> None:
    url, process = many_rows.url, many_rows.process
    visit(url)
    threads = process.num_threads()
    streams = [stream(url, seed=number, **LONG) for number in range(STREAMS)]
    for one in streams:
        one.wait(b"generating")
    assert process.num_threads() < threads + STREAMS / 2, "no stream has a thread of its own"
    page = visit(url)
    free_prompt(page, 400)
    page.locator("button[name=generate]").click()
    expect(page.locator(".card-body.writing")).to_have_text(re.compile(r"\w"))
    page.keyboard.press("Escape")
    expect(card(page).locator(".finish")).to_have_text("stopped by you")
    assert body(page).inner_text().strip()
    page.locator("nav [data-tab=read]").click()
    page.locator("#read textarea[name=text]").fill("The harbour at dawn")
    page.locator("#read [name=read]").click()
    expect(page.locator("#read-tokens .tk-token").first).to_be_visible()
    page.locator("nav [data-tab=play]").click()
    free_prompt(page, 2)
    generate(page)
    expect(card(page).locator(".finish")).to_have_text("length reached")
    assert not any(b"event: complete" in one.listen() for one in streams), "all of them are still open"


@pytest.mark.browser
def test_who_waits_sees_the_place_and_the_time_and_then_the_text(visit: Visit, slow_rows: str, stream: Open) -> None:
    before = stream(slow_rows, n=3, **LONG)
    before.wait(b"generating")
    page = visit(slow_rows)
    free_prompt(page, 3)
    page.locator("button[name=generate]").click()
    title = page.locator(".results-title")
    expect(title).to_have_text(re.compile(r"In line: 1 ahead of you, about \d+ (s|min)"))
    page.locator("button[name=language]").click()
    expect(title).to_have_text(re.compile(r"排队中：前面还有 1 个，约 \d+ (秒|分)"))
    page.locator("button[name=language]").click()
    before.close()
    expect(card(page).locator(".finish")).to_have_text("length reached")


@pytest.mark.browser
def test_who_waits_can_leave_and_a_full_line_says_so(visit: Visit, slow_rows: str, stream: Open) -> None:
    stream(slow_rows, n=3, **LONG).wait(b"generating")
    page, other = visit(slow_rows), visit(slow_rows)
    for one in (page, other):
        free_prompt(one, 3)
        one.locator("button[name=generate]").click()
        expect(one.locator(".results-title")).to_contain_text("ahead of you")
    refused = stream(slow_rows)
    refused.wait(b"error")
    assert b"Too many people are generating right now" in refused.listen()
    page.keyboard.press("Escape")
    expect(page.locator(".act.running")).to_have_count(0)
    expect(other.locator(".results-title")).to_contain_text("In line: 1 ahead of you")


def test_a_client_that_leaves_frees_its_row(slow_rows: str, stream: Open) -> None:
    leaver = stream(slow_rows, n=3, **LONG)
    leaver.wait(b"generating")
    leaver.close()
    stream(slow_rows, n=3, max_new_tokens=2).wait(b"complete")
