"""axe-core on every tab, empty and with a run, in both themes and languages; and the page by the keyboard alone."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import JSHandle, Page, expect

from tests.ui.conftest import Visit, generate, tokens_of

pytestmark = pytest.mark.browser
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TABS = ("write", "read", "batch", "train", "model")
KINDS = ("complete", "chat", "talk")
SCREENS: list[dict[str, Any]] = [
    {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "locale": "en-US"},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"},
    {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", "locale": "en-US"},
]


# The part of the page that belongs to one tab alone, by its heading.
PART = """heading => {
  const others = (node) => [...node.querySelectorAll("h2[data-t$=_heading]")].some((one) => one !== heading);
  let part = heading;
  while (part.parentElement && !others(part.parentElement)) part = part.parentElement;
  return part;
}"""


def faults(page: Page, part: JSHandle | None = None) -> list[str]:
    """What axe-core finds wrong in the page, or in a part of it: by rule, with the node and the reason."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    run = "part => axe.run(part ?? document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"
    found = page.evaluate(run, part)
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("screen", SCREENS, ids=("wide-light-english", "narrow-dark-chinese", "wide-dark-english"))
def test_no_tab_has_a_violation(embedded_page: str, visit: Visit, screen: dict[str, Any]) -> None:
    page = visit(embedded_page, **screen, reduced_motion="reduce")
    assert faults(page) == []
    generate(page)
    tokens_of(page).nth(3).click()
    expect(page.locator("#waterfall .wf-stage").first).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    for kind in KINDS:
        page.locator(f"[data-kind={kind}]").click()
        assert faults(page, page.locator("#compose").element_handle()) == [], kind
    for tab in TABS:
        page.locator(f"nav [data-tab={tab}]").click()
        heading = page.locator(f"h2[data-t={tab}_heading]")
        expect(heading).to_be_visible()
        assert faults(page, heading.evaluate_handle(PART)) == [], tab


def test_keys_lead_to_the_knobs_the_dock_and_the_list_of_keys(scripted: str, visit: Visit) -> None:
    page = visit(scripted, viewport=SCREENS[0]["viewport"])
    focused = "document.activeElement.closest(`#knobs, #dock, #desk, dialog`)?.id || document.activeElement.tagName"
    page.keyboard.press("k")
    assert page.evaluate(focused) == "knobs"
    page.locator("body").press("/")
    expect(page.locator(".kn-find")).to_be_focused()
    page.keyboard.type("k?")  # in a field a key is text
    expect(page.locator(".kn-find")).to_have_value("k?")
    page.locator(".kn-find").fill("")
    page.locator("h1").click()
    page.keyboard.press("i")
    assert page.evaluate(focused) == "dock"
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    expect(page.locator("dialog.keys dt")).to_have_text(["K", "/", "I", "Ctrl ↵", "Esc", "?"])
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()


def test_the_first_tab_stop_skips_to_the_knobs(scripted: str, visit: Visit) -> None:
    page = visit(scripted, viewport=SCREENS[0]["viewport"])
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.locator(".skips [data-skip=text]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("Boolean(document.activeElement.closest('#knobs'))")
