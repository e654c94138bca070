"""What a token costs the browser while a text grows: how many elements are styled anew."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Site, Visit, card
from tests.ui.test_play import free_prompt

pytestmark = pytest.mark.browser
FEW = 0.1  # of all elements of the page


def test_a_token_that_comes_has_not_the_whole_page_styled_anew(serve: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit(serve("--pause", "0.1"), viewport={"width": 1440, "height": 900})
    free_prompt(page, "Once")
    page.evaluate("localStorage.setItem('playground-show', 'tokens')")
    browser = page.context.browser
    assert browser is not None
    trace = tmp_path / "trace.json"
    browser.start_tracing(page=page, path=trace, categories=["devtools.timeline"])
    page.locator("button[name=generate]").click()
    expect(card(page).locator(".finish")).not_to_be_empty()
    browser.stop_tracing()
    events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    told = [one["args"] for one in events if one["name"] == "UpdateLayoutTree"]
    styled = [one["elementCount"] for one in told if "elementCount" in one]
    whole = page.evaluate("document.querySelectorAll('*').length")
    assert len(styled) > 5 and statistics.median(styled) < FEW * whole, (styled, whole)
