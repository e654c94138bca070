"""A server that is gone: said in our own words, nothing is lost, and the page goes on by itself once it is back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.ui.conftest import PATIENCE, Held, body, card
from tests.ui.served import SCRIPTED, Forked, free_port

pytestmark = pytest.mark.browser

STAYED = "window.stayed"  # false in a page that was loaded anew


@pytest.fixture
def lonely(browser: Browser) -> Iterator[Page]:
    """A tab whose failed requests are no trouble, but whose scripts have to go on."""
    context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def enter(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(page.locator(".seen-count")).not_to_be_empty()
    page.evaluate(f"{STAYED} = true")


def said(page: Page) -> str:
    """All that anybody sees or hears."""
    seen = page.locator("body").inner_text() + page.locator("body").aria_snapshot()
    return seen.replace("onerror", "")  # of the text that is written


def test_a_run_and_all_that_was_typed_outlive_a_crash_of_the_server(
    starts_server: None, lonely: Page, hold: Held, tmp_path: Path
) -> None:
    page, port = lonely, free_port()
    flags = ("--hold", str(hold.file), "--data-folder", str(tmp_path / "data"))
    hold("all")
    server = Forked(SCRIPTED, port, *flags)
    try:
        enter(page, server.url)
        page.locator("[data-kind=complete]").click()
        page.locator("#prompt").fill("Once")
        expect(page.locator(".seen-count")).to_contain_text("1 /")
        page.locator("button[name=generate]").click()
        expect(page.locator(".card-body.writing")).not_to_be_empty()
        begun = body(page).text_content() or ""
        server.end(kill=True)
        notice, reason = page.locator(".server-notice"), page.locator(".act-notice")
        expect(notice).to_contain_text("The server is gone.")
        expect(reason).to_have_text("The server is gone. Generate and Stop wait until it is back.")
        for button in (page.locator("button[name=generate]"), page.locator("#act button[name=stop]")):
            expect(button).to_be_disabled()
            expect(button).to_have_attribute("title", re.compile("gone"))
        expect(card(page).locator(".finish")).to_have_text("the server is gone; the text up to here is kept")
        text = body(page).text_content()  # only now: until the server went it wrote on
        assert text and text.startswith(begun)
        page.locator("#prompt").fill("Once more")
        page.locator("#prompt").press("Control+Enter")
        card(page).locator("button[name=regenerate]").click()
        expect(page.locator(".act.running")).to_have_count(0)
        page.locator("button[name=language]").click()
        expect(notice).to_contain_text("与服务器的连接已断开")
        page.locator("button[name=language]").click()
        assert not re.search("connection|reconnect|processing|error", said(page), re.IGNORECASE)

        hold()
        server = Forked(SCRIPTED, port, *flags)
        expect(notice).to_contain_text("The server is back. It has been restarted")
        expect(page.locator(".chip.ready")).to_be_visible()
        expect(reason).to_contain_text("The run was cut off")
        expect(card(page).locator(".finish")).to_have_text("cut off as the server went; the text up to here is kept")
        assert body(page).text_content() == text and page.evaluate(STAYED) is True
        expect(page.locator("#prompt")).to_have_value("Once more")
        page.locator("button[name=generate]").click()
        expect(card(page).locator(".finish")).to_have_text("end of text")
        expect(page.locator(".runs output")).to_have_text("Run 2 of 2")
        assert not re.search("connection|reconnect|processing|error", said(page), re.IGNORECASE)
        server.end(kill=True)
        expect(notice).to_contain_text("The server is gone.")  # the page listens to the new server, too
    finally:
        server.end(kill=True)


def test_a_page_without_its_server_says_what_it_waits_for(scripted: str, lonely: Page) -> None:
    page, served = lonely, {"app_id": 1}
    enter(page, scripted)
    notice = page.locator(".server-notice")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/app_id", refuse)
    page.route("**/queue/join*", refuse)
    page.locator("[data-kind=complete]").click()
    expect(notice).to_contain_text("The server is gone.")
    page.unroute("**/queue/join*")
    page.unroute("**/app_id")
    expect(notice).to_have_text("The server is back.")  # and the knobs that were asked for have come
    expect(page.locator(".candidates")).to_have_text("1")

    page.route("**/app_id", lambda route: route.fulfill(status=401))
    page.route("**/queue/join*", lambda route: route.fulfill(status=401, json={"detail": "Log in"}))
    page.locator("#prompt").fill("Once")
    expect(notice).to_contain_text("asks for its password again")
    expect(notice.get_by_role("button", name="Log in")).to_be_visible()
    page.unroute("**/queue/join*")
    page.unroute("**/app_id")
    expect(notice).to_have_text("The server is back.")  # somebody has logged in, in another tab

    page.route("**/config", lambda route: route.fulfill(json={"dependencies": [], "components": []}))
    page.route("**/app_id", lambda route: route.fulfill(json=served))
    page.route("**/queue/join*", lambda route: route.fulfill(status=502))
    page.locator("#prompt").fill("Once more")
    expect(notice).to_contain_text("another version of this page")
    expect(page.locator(".act-notice")).to_have_text("Reload the page to generate.")
    page.unroute("**/config")
    page.unroute("**/app_id")
    page.unroute("**/queue/join*")
    notice.get_by_role("button", name="Reload").click()
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(page.locator("#prompt")).to_have_value("Once more")
    assert page.evaluate(f"{STAYED} ?? false") is False and asked


def test_what_the_server_refuses_is_said_in_the_pages_own_line(scripted: str, lonely: Page) -> None:
    page = lonely
    enter(page, scripted)
    told = json.dumps({"detail": "Too many of your requests are still open."})
    page.route("**/queue/join*", lambda route: route.fulfill(status=429, content_type="application/json", body=told))
    page.locator(".fields [data-task-field]").first.fill("Nightjar")
    expect(page.locator(".server-notice")).to_have_text("Too many of your requests are still open.")
    expect(page.locator(".toast-wrap")).to_be_hidden()
    page.unroute("**/queue/join*")
    page.locator("button[name=generate]").click()
    expect(card(page).locator(".finish")).to_have_text("end of text")
    expect(page.locator(".server-notice")).to_be_hidden()
