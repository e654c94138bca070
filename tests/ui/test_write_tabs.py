"""Write in several tabs of one browser: each has a draft of its own, until somebody opens the same one in both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Visit
from tests.ui.served import SCRIPTED, forked
from tests.ui.test_write_page import head, open_tab

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, starts_server: None) -> Iterator[str]:
    with forked(SCRIPTED, "--data-folder", str(tmp_path_factory.mktemp("data"))) as url:
        yield url


def test_a_tab_that_is_opened_beside_a_draft_begins_with_another_one(site: str, visit: Visit) -> None:
    page = visit(site)
    head(open_tab(page), "title").fill("First")
    expect(page.locator("#write [name=forget]")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{site}#write")
    expect(other.locator(".chip.ready")).to_be_visible()
    expect(other.locator("#write [name=draft] option")).to_have_text(["New draft", "First"])
    head(open_tab(other), "title").fill("Second")
    expect(other.locator("#write [name=forget]")).to_be_visible()
    for one, title in ((page, "First"), (other, "Second")):
        one.reload()
        expect(head(open_tab(one), "title")).to_have_value(title)
    page.close()
    third = other.context.new_page()
    third.goto(f"{site}#write")
    expect(head(open_tab(third), "title")).to_have_value("First")  # which no tab has open any more


def test_tabs_leave_each_other_their_drafts_and_empty_fields_are_none(site: str, visit: Visit) -> None:
    page = visit(site)
    tab = open_tab(page)
    tab.locator("[name=n]").fill("1")
    other = page.context.new_page()
    other.goto(site)
    expect(other.locator(".chip.ready")).to_be_visible()
    second = open_tab(other)
    for one, title in ((tab, "First"), (second, "Second")):
        one.locator("[name=own]").click()
        one.locator(".write-card textarea").fill(f"{title} by hand.")
        head(one, "title").fill(title)
        expect(one.locator("[name=forget]")).to_be_visible()
    expect(tab.locator("[name=draft] option")).to_have_text(["Second", "First"])
    for one, title in ((tab, "First"), (second, "Second")):
        one.page.reload()
        expect(one.page.locator(".chip.ready")).to_be_visible()
        one = open_tab(one.page)
        expect(head(one, "title")).to_have_value(title)
        expect(one.locator(".write-card textarea")).to_have_value(f"{title} by hand.")
    second.locator("[name=draft]").select_option(label="First")  # both have it now
    expect(head(second, "title")).to_have_value("First")
    head(second, "title").fill("Firstborn")
    expect(tab.locator("[name=draft] option")).to_have_text(["Firstborn", "Second"])
    head(tab, "plan").fill("He waits.")  # what is typed here takes nothing of that back
    expect(head(tab, "title")).to_have_value("Firstborn")
    other.close()
    tab.locator("[name=new]").click()
    head(tab, "plan").fill("A word")
    head(tab, "plan").fill("")
    tab.locator("[name=go]").click()
    expect(tab.locator(".write-complaint")).to_contain_text("There is nothing to begin with yet")
    expect(tab.locator("[name=draft] option")).to_have_text(["New draft", "Firstborn", "Second"])
