"""What the tests of the panel of knobs share: its page in a browser, and the parts of a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Request, expect

SERVED = "tests.ui.panel_page"


@contextmanager
def opened(browser: Browser, address: str, width: int = 1440) -> Iterator[Page]:
    """The page as a new visitor sees it; no script may fail on it and no other host may be asked."""
    page = browser.new_page(viewport={"width": width, "height": 900}, has_touch=width < 500)
    faults: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            faults.append(request.url)

    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", asked)
    page.set_default_timeout(15_000)
    page.goto(address)
    expect(row(page, "temperature")).to_be_visible()
    try:
        yield page
    finally:
        page.close()
    assert faults == []


def row(page: Page, name: str) -> Locator:
    return page.locator(f"[data-knob={name}]")


def slider(page: Page, name: str) -> Locator:
    return row(page, name).locator("input[type=range]")


def field(page: Page, name: str) -> Locator:
    return row(page, name).locator(".kn-field").first


def open_groups(page: Page) -> None:
    page.locator(".kn-more .kn-heading[aria-expanded=false]").evaluate_all("heads => heads.forEach(h => h.click())")


def sent(page: Page) -> dict[str, Any]:
    """What Python has of the panel now."""
    box = page.locator("#read textarea")
    before = box.input_value()
    page.get_by_role("button", name="read", exact=True).click()
    expect(box).not_to_have_value(before)
    answer = json.loads(box.input_value())
    assert "refused" not in answer, answer
    values: dict[str, Any] = answer["values"]
    return values


def shown(page: Page) -> list[str]:
    """The knobs that are seen, from first to last."""
    return list(page.locator("[data-knob]:visible").evaluate_all("rows => rows.map(row => row.dataset.knob)"))


def press(locator: Locator, *keys: str) -> None:
    for key in keys:
        locator.press(key)
