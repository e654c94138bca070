"""Text from right to left in a browser: wherever a text stands it goes its own way, and what is around it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Visit, body, card, generate, tokens_of
from tests.ui.scripted_page import ARABIC, HEBREW

pytestmark = pytest.mark.browser
NAMED = "المنتج"  # a variable, and a column
FIT = "document.documentElement.scrollWidth <= innerWidth"
# Where a piece of an element's text begins, from the left edge of the element, and where the element ends.
PLACED = """(box, piece) => {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.data.indexOf(piece);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(walker.currentNode, at);
    range.setEnd(walker.currentNode, at + piece.length);
    const [part, whole] = [range.getBoundingClientRect(), box.getBoundingClientRect()];
    return [part.left - whole.left, whole.right - part.right];
  }
}"""


def left(text: Locator, piece: str) -> float:
    return float(text.evaluate(PLACED, piece)[0])


def right(text: Locator, piece: str) -> float:
    return float(text.evaluate(PLACED, piece)[1])


def way(text: Locator) -> tuple[str, str]:
    told = text.evaluate("box => [getComputedStyle(box).direction, getComputedStyle(box).unicodeBidi]")
    return told[0], told[1]


def goes_by_itself(*texts: Locator) -> None:
    """These are written from right to left, each paragraph by itself, and nothing outside is turned by them."""
    for text in texts:
        expect(text).to_have_css("direction", "rtl")  # waits: what is drawn anew meanwhile has no style
        expect(text).to_have_css("unicode-bidi", "plaintext")
        assert way(text.locator("xpath=..")) != ("rtl", "plaintext")


def keep_seed(page: Page, seed: int) -> None:
    page.locator(".act [name=seed]").fill(str(seed))
    page.keyboard.press("Tab")
    expect(page.locator(".seed-value")).to_have_value(str(seed))


def test_on_play_every_text_goes_its_own_way(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator("[data-kind=chat]").click()
    system, message = page.locator("[data-for=chat] [name=system]"), page.locator("[data-for=chat] [name=message]")
    assert way(system)[0] == "ltr"
    system.fill(HEBREW)
    message.fill(f"{ARABIC} {{{{{NAMED}}}}}")
    page.locator("button[name=generate]").click()
    variable = page.locator(f"[data-variable][name={NAMED}]")
    # The sentence stays the page's, with the name isolated in it.
    expect(page.locator(".variables .field-error")).to_contain_text(f"\u2068{NAMED}\u2069 is empty")
    assert way(page.locator(".variables .field-error"))[0] == way(page.locator(".act"))[0] == "ltr"
    assert way(page.locator(".variables .field-label bdi")) == ("rtl", "isolate")
    variable.fill("قهوة 12")
    page.locator(".seen summary").click()
    seen = page.locator(".seen-text")
    expect(seen).to_contain_text("قهوة 12")
    goes_by_itself(system, message, variable, seen)
    keep_seed(page, 0)
    page.locator("button[name=more]").click()
    generate(page)
    first = body(page, 1)
    goes_by_itself(first, body(page, 2))
    assert left(first, "قهوة") > left(first, "Blue") > left(first, "2024")
    assert right(first, "قهوة") < 2 and right(first, "وهذا") < 2 and left(first, "A line") < 2
    assert left(first, "with") < left(first, "שלום") < left(first, "in it")  # a paragraph in English
    tokens_run_left(page)
    versions_go_their_own_way(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(FIT)
    page.set_viewport_size({"width": 1440, "height": 900})
    lists_and_records_go_their_own_way(page)
    a_conversation_goes_its_own_way(page)
    assert page.title().endswith(" · Playground")


def tokens_run_left(page: Page) -> None:
    tokens_of(page)
    line = card(page).locator(".tk-line").first
    assert way(line) == ("rtl", "isolate")
    spans = line.locator(".tk-token")
    assert way(spans.nth(1))[1] == "isolate"
    places = [box["x"] for box in (span.bounding_box() for span in spans.all()[:2]) if box]
    assert places[0] > places[1]
    page.locator("[name=as-text]").click()


def versions_go_their_own_way(page: Page) -> None:
    one = card(page, 1)
    one.locator("[name=edit]").click()
    one.locator(".card-edit").fill("نص جديد (Latin) 5.")
    goes_by_itself(one.locator(".card-edit"))
    one.locator(".card-editor-bar button").first.click()
    one.locator("[name=tree]").click()
    one.locator("[name=compare]").click()
    goes_by_itself(one.locator(".twig-text").last, *one.locator(".compare-side").all())
    expect(one.locator(".twig-from").last).to_contain_text("“\u2068قهوة Blue")
    assert way(one.locator(".twig").last)[0] == "ltr"


def lists_and_records_go_their_own_way(page: Page) -> None:
    keep_seed(page, 2)  # before a task is chosen, which brings its other knobs
    page.locator("[data-kind=task]").click()
    page.locator(".task-picker").select_option("recommendations")
    field = page.locator("[data-task-field][name=interests]")
    field.fill("شاي، قهوة")
    goes_by_itself(field)
    generate(page)
    items = body(page).locator(".items li")
    expect(items).to_have_count(3)
    assert way(body(page).locator(".items"))[0] == "rtl"
    expect(body(page).locator("ol.items")).to_be_visible()
    places = [box["y"] for box in (item.bounding_box() for item in items.all()) if box]
    assert places == sorted(set(places)) and left(items.nth(1), "قهوة") > left(items.nth(1), "Moon")
    keep_seed(page, 3)
    page.locator(".task-picker").select_option("record")
    page.locator("[data-task-field][name=message]").fill("مرحبا، أنا أحمد Smith وأريد 12 قطعة يوم السبت 9:30")
    generate(page)
    cells = body(page).locator("td")
    expect(cells).to_have_count(4)
    goes_by_itself(cells.nth(0), cells.nth(1), cells.nth(3))
    assert way(cells.nth(2))[0] == "rtl"  # a number goes with the others
    assert way(body(page).locator(".rows"))[0] == "ltr"  # its headings are the page's


def a_conversation_goes_its_own_way(page: Page) -> None:
    keep_seed(page, 4)
    page.locator("[data-kind=talk]").click()
    talk = page.locator("#talk")
    talk.locator("[name=message]").fill("ما هو؟")
    goes_by_itself(talk.locator("[name=message]"))
    generate(page)
    texts = talk.locator(".turn-text")
    expect(texts).to_have_count(2)
    goes_by_itself(*texts.all(), talk.locator(".thought-text"))
    assert abs(right(texts.last, "قهوة")) < 2
    head = talk.locator(".turn-who").last
    assert way(head)[0] == "ltr"


def test_on_the_other_tabs_every_text_goes_its_own_way(scripted: str, visit: Visit, tmp_path: Path) -> None:
    page = visit(scripted)
    for_right_to_left = page.locator("#knobs [data-knob=banned_phrases] textarea")
    for_right_to_left.fill("קפה")
    goes_by_itself(for_right_to_left)
    page.locator("nav [data-tab=read]").click()
    page.locator("#read [name=text]").fill(ARABIC)
    goes_by_itself(page.locator("#read [name=text]"))
    write_goes_its_own_way(page)
    batch_goes_its_own_way(page, tmp_path)


def write_goes_its_own_way(page: Page) -> None:
    page.locator("nav [data-tab=write]").click()
    tab = page.locator("#write")
    for name in ("title", "author", "plan", "style", "heading"):
        tab.locator(f"[data-head][name={name}]").fill("הפרק 1 (Blue)")
        goes_by_itself(tab.locator(f"[data-head][name={name}]"))
    tab.locator("[name=seed]").fill("0")
    tab.locator("[name=go]").click()
    expect(tab.locator("[name=accept]").first).to_be_enabled()
    goes_by_itself(tab.locator(".write-card textarea").first)
    tab.locator("[name=accept]").first.click()
    section = tab.locator("article.write-section")
    goes_by_itself(section.locator("h4"), section.locator("p").first, section.locator("p").last)
    assert way(section.locator("p").nth(1)) == ("ltr", "plaintext")  # it is in English
    tab.locator("article.write-section [name=edit]").click()
    goes_by_itself(*tab.locator(".write-editor :is([name=heading], [name=text])").all())
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(FIT)


def batch_goes_its_own_way(page: Page, folder: Path) -> None:
    rows = folder / "rows.csv"
    rows.write_text(f"{NAMED},note\nقهوة Blue Moon (12),hello\n,שלום\n", encoding="utf-8")
    page.locator("nav [data-tab=batch]").click()
    tab = page.locator("#batch")
    expect(tab.locator("h2")).to_be_visible()  # it has begun
    tab.locator("input[type=file]").set_input_files(rows)
    column = tab.locator("select[name=column]").first
    column.select_option(NAMED)
    expect(column.locator("option", has_text=NAMED)).to_have_css("direction", "rtl")
    expect(tab.locator(".batch-cell").first).to_have_css("direction", "rtl")
    tab.locator("[name=seed]").fill("0")
    tab.locator("[name=first]").click()
    expect(tab.locator(".batch-preview .batch-text")).to_contain_text("قهوة")
    goes_by_itself(tab.locator(".batch-preview .batch-text"))
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-rows tr.done")).to_have_count(1)
    row = tab.locator(".batch-rows tr.done")
    goes_by_itself(row.locator("td:last-child > div"))
    given = row.locator(".batch-input")
    assert way(given)[0] == "rtl" and way(given.locator("bdi").first)[1] == "isolate"
    assert left(given, "قهوة") > left(given, "hello")
    assert way(tab.locator(".batch-rows table"))[0] == "ltr"
    assert page.evaluate(FIT)
