"""The tab Write in a browser: a text grows, outlives a reload, is edited and exported, and is nobody else's."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from playwright.sync_api import Locator, Page, expect

from playground.generators.scripted import ScriptedGenerator
from playground.settings import Limits, Settings
from playground.types import InvalidRequest
from playground.ui.model_host import ModelHost
from playground.ui.request_queue import RequestQueue
from playground.ui.shared_store import SharedStore
from playground.ui.write_tab import WriteTab
from tests.ui.conftest import Held, Visit
from tests.ui.scripted_page import HOSTILE
from tests.ui.served import SCRIPTED, forked

pytestmark = pytest.mark.browser
FERRY = "Night Ferry came in late, and nobody stood on the pier."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, _held: Held) -> Iterator[str]:
    """One server for all of these; each visitor has a browser of their own, and so no draft of another's."""
    folder = str(tmp_path_factory.mktemp("data"))
    with forked(SCRIPTED, "--hold", str(_held.file), "--data-folder", folder) as url:
        yield url


def open_tab(page: Page) -> Locator:
    page.locator("nav [data-tab=write]").click()
    tab = page.locator("#write")
    expect(tab.locator("h2")).to_be_visible()  # it has begun
    return tab


def head(tab: Locator, name: str) -> Locator:
    return tab.locator(f"[data-head][name={name}]")


def accept(tab: Locator, number: int, edited: str) -> None:
    """Has a section written, edits one of its candidates, and takes it."""
    sections = tab.locator("article.write-section").count()
    tab.locator("[name=go]").click()
    button = tab.locator("[name=accept]").nth(number - 1)
    expect(button).to_be_enabled()
    tab.locator(".write-card textarea").nth(number - 1).fill(edited)
    button.click()
    expect(tab.locator("article.write-section")).to_have_count(sections + 1)
    expect(tab.locator(".write-card")).to_have_count(0)


def export(page: Page, kind: str) -> bytes:
    with page.expect_download() as saved:
        page.locator(f"#write [name={kind}]").click()
    assert saved.value.suggested_filename == f"The Keeper.{kind}"
    return Path(saved.value.path()).read_bytes()


def test_a_text_grows_outlives_a_reload_is_edited_and_exported(site: str, visit: Visit) -> None:
    page = visit(site)
    tab = open_tab(page)
    head(tab, "title").fill("The Keeper")
    head(tab, "author").fill("A. Bird")
    head(tab, "plan").fill("He waits. She comes.")
    head(tab, "heading").fill("Night")
    accept(tab, 1, FERRY)
    expect(head(tab, "heading")).to_have_value("")
    accept(tab, 2, HOSTILE)
    tab.locator(".write-carried summary").click()
    carried = re.compile(r"^Title: The Keeper\n.*Plan: He waits.*## Night\n\nNight Ferry", re.DOTALL)
    expect(head(tab, "carried")).to_have_value(carried)
    expect(tab.locator(".write-count")).to_have_text(re.compile(r"\d+ / 2,048 tokens"))
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    tab = open_tab(page)
    expect(tab.locator("article.write-section")).to_have_count(2)
    expect(head(tab, "plan")).to_have_value("He waits. She comes.")
    expect(tab.locator("article.write-section").nth(1)).to_contain_text(HOSTILE)
    tab.locator("[name=edit]").nth(1).click()
    tab.locator(".write-editor [name=text]").fill("Edited by hand.\n\nTwice.")
    tab.locator(".write-editor [name=heading]").fill("Day")
    tab.locator(".write-editor [name=keep]").click()
    expect(tab.locator("article.write-section h4").nth(1)).to_have_text("Day")
    markdown = f"# The Keeper\n\n*A. Bird*\n\n## Night\n\n{FERRY}\n\n## Day\n\nEdited by hand.\n\nTwice.\n"
    assert export(page, "md").decode() == markdown
    assert "Night\n\nNight Ferry" in export(page, "txt").decode()
    told = [one.text for one in docx.Document(io.BytesIO(export(page, "docx"))).paragraphs]
    assert told == ["The Keeper", "A. Bird", "Night", FERRY, "Day", "Edited by hand.", "Twice."]
    assert page.title().endswith(" · Playground")
    stranger = visit(site)
    expect(open_tab(stranger).locator(".write-empty")).to_be_visible()


def test_the_tab_begins_when_it_is_shown_first_in_the_language_of_the_page(site: str, visit: Visit) -> None:
    page = visit(site)
    page.locator("button[name=language]").click()
    assert page.locator("#write h2").text_content() == ""
    heading = open_tab(page).locator("h2")
    expect(heading).to_have_text("长文写作")
    page.reload()
    expect(heading).to_have_text("长文写作")  # on this tab it begins with the page
    page.goto(f"{site}/#play")
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    page.evaluate("location.hash = '#write'")  # as a link does, or Back
    expect(heading).to_be_visible()


def test_a_section_is_removed_and_brought_back_and_a_draft_deleted(site: str, visit: Visit) -> None:
    page = visit(site)
    tab = open_tab(page)
    head(tab, "title").fill("First")
    for text in ("One.", "Two."):
        tab.locator("[name=own]").click()
        tab.locator(".write-card textarea").fill(text)
        tab.locator("[name=accept]").click()
        expect(tab.locator("article.write-section").last).to_contain_text(text)
    tab.locator("[name=remove]").first.click()
    expect(tab.locator("article.write-section")).to_have_text([re.compile("Two")])
    tab.locator("[name=remove]").first.click()
    expect(tab.locator("article.write-section")).to_have_count(0)
    expect(tab.locator(".write-removed")).to_contain_text("Removed: “Two.”")
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    tab = open_tab(page)
    tab.locator("[name=back]").click()
    expect(tab.locator("article.write-section")).to_have_text([re.compile("Two")])
    expect(tab.locator(".write-removed")).to_contain_text("Removed: “One.”")
    tab.locator("[name=back]").click()
    expect(tab.locator("article.write-section")).to_have_text([re.compile("One"), re.compile("Two")])
    tab.locator("[name=new]").click()
    expect(tab.locator("article.write-section")).to_have_count(0)
    head(tab, "title").fill("Second")
    expect(tab.locator("[name=draft] option")).to_have_text(["Second", "First"])
    tab.locator("[name=draft]").select_option(label="First")
    expect(tab.locator("article.write-section")).to_have_count(2)
    tab.locator("[name=forget]").click()
    tab.locator("[name=forget]").click()
    expect(tab.locator("article.write-section")).to_have_count(0)
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(head(open_tab(page), "title")).to_have_value("Second")


def test_candidates_are_stopped_edited_continued_and_written_again(site: str, visit: Visit, hold: Held) -> None:
    hold("all")
    page = visit(site, locale="zh-CN")
    tab = open_tab(page)
    head(tab, "title").fill("守灯人")
    expect(head(tab, "language")).to_have_value("zh")
    tab.locator("[name=n]").fill("1")
    tab.locator("[name=go]").click()
    text = tab.locator(".write-card textarea")
    expect(text).not_to_have_value("")
    expect(tab.locator("[name=accept]")).to_be_disabled()
    tab.locator("[name=halt]").click()
    expect(tab.locator(".write-facts")).to_contain_text("由你停止")
    hold()
    text.fill("海很静。")
    tab.locator("[name=continue]").click()
    expect(tab.locator(".write-facts")).to_contain_text("自然结束")
    expect(text).to_have_value(re.compile("^海很静。.*(begins|/b>|again)[.]? ?$", re.DOTALL))
    tab.locator("[name=regenerate]").click()
    expect(text).to_have_value(re.compile("^[^海]"))
    expect(tab.locator("[name=accept]")).to_be_enabled()
    left = text.input_value()
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(open_tab(page).locator(".write-card textarea")).to_have_value(left)


def test_a_locked_seed_writes_the_candidates_again_and_an_open_one_draws(site: str, visit: Visit) -> None:
    page = visit(site)
    tab = open_tab(page)
    text, seeds, field, lock = (
        tab.locator(name) for name in (".write-card textarea", "[name=keep-seed]", "[name=seed]", "[name=seed-lock]")
    )
    head(tab, "title").fill("The Keeper")
    field.fill("a lot")
    tab.locator("[name=go]").click()
    expect(tab.locator(".write-complaint")).to_contain_text("must be a whole number")
    expect(text).to_have_count(0)
    field.fill("0")
    expect(lock).to_have_attribute("aria-pressed", "true")
    for _ in range(2):
        tab.locator("[name=go]").click()
        expect(tab.locator("[name=accept]").last).to_be_enabled()
        expect(seeds).to_have_text(["seed 0", "seed 1"])
        expect(text.first).to_have_value(re.compile("^Night Ferry.*begins. ?$"))
        expect(text.last).to_have_value(re.compile("^<img.*bold</b> ?$"))
    again = tab.locator("[name=regenerate]").last
    expect(again).to_have_text("Again with the same seed")
    again.click()
    expect(tab.locator("[name=accept]").last).to_be_enabled()
    expect(seeds).to_have_text(["seed 0", "seed 1"])
    expect(text.last).to_have_value(re.compile("^<img.*bold</b> ?$"))
    lock.click()
    expect(field).to_have_value("")
    expect(again).to_have_text("Again with a new seed")
    again.click()
    expect(seeds.last).not_to_have_text("seed 1")
    expect(tab.locator("[name=accept]").last).to_be_enabled()
    seeds.last.click()
    drawn = seeds.last.inner_text().removeprefix("seed ")
    expect(field).to_have_value(drawn)
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(head(open_tab(page), "title")).to_have_value("The Keeper")
    expect(field).to_have_value(drawn)
    expect(lock).to_have_attribute("title", "Use a new seed for each run")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_carried_can_be_changed_for_one_section(site: str, visit: Visit) -> None:
    page = visit(site, viewport={"width": 390, "height": 844})
    tab = open_tab(page)
    tab.locator("[name=go]").click()
    expect(tab.locator(".write-complaint")).to_have_text(re.compile("^There is nothing to begin with yet"))
    head(tab, "title").fill("T")
    tab.locator(".write-carried summary").click()
    carried = head(tab, "carried")
    expect(carried).to_have_value("Title: T")
    before = tab.locator(".write-count").inner_text()
    carried.fill("Only this, and nothing of the plan, is carried on.")
    expect(tab.locator(".write-count")).not_to_have_text(before)
    expect(tab.locator(".write-own")).to_be_visible()
    tab.locator("[name=reset]").click()
    expect(carried).to_have_value("Title: T")
    carried.fill("Once more by hand.")
    accept(tab, 2, FERRY)
    expect(carried).to_have_value(f"Title: T\n\n{FERRY}")
    expect(tab.locator(".write-own")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def left_at_once(page: Page, tab: Locator, what: str, text: str) -> Locator:
    """Types and leaves in one go, so that nothing of it can have been sent; gives the tab as it is found again."""
    leave = "(area, text) => { area.value = text; area.dispatchEvent(new Event('input', { bubbles: true })); "
    with page.expect_navigation():
        tab.locator(what).evaluate(leave + "location.reload(); }", text)
    expect(page.locator(".chip.ready")).to_be_visible()
    return open_tab(page)


def test_nothing_typed_is_lost_by_a_reload_in_the_same_moment(site: str, visit: Visit) -> None:
    page = visit(site)
    tab = open_tab(page)
    tab.locator("[name=own]").click()
    tab = left_at_once(page, tab, ".write-card textarea", "A beginning of my own.")  # of a draft that has no key yet
    expect(tab.locator(".write-card textarea")).to_have_value("A beginning of my own.")
    tab = left_at_once(page, tab, "[data-head][name=title]", "The Keeper")
    expect(head(tab, "title")).to_have_value("The Keeper")
    expect(tab.locator("[name=forget]")).to_be_visible()  # it was kept, and has a key now
    expect(tab.locator(".write-card textarea")).to_have_value("A beginning of my own.")
    tab = left_at_once(page, tab, "[data-head][name=plan]", "He waits.")
    expect(head(tab, "plan")).to_have_value("He waits.")
    expect(head(tab, "title")).to_have_value("The Keeper")
    expect(head(tab, "carried")).to_have_value(re.compile("Plan: He waits"))  # the server has it
    tab = left_at_once(page, tab, "[data-head][name=carried]", "Only this.")
    expect(tab.locator(".write-own")).to_be_attached()
    expect(head(tab, "carried")).to_have_value("Only this.")
    tab.locator("[name=accept]").click()
    expect(tab.locator("article.write-section")).to_have_count(1)
    tab.locator("[name=edit]").click()
    tab = left_at_once(page, tab, ".write-editor [name=text]", "A better beginning.")
    expect(tab.locator(".write-editor [name=text]")).to_have_value("A better beginning.")
    tab.locator(".write-editor [name=keep]").click()
    expect(tab.locator("article.write-section")).to_contain_text("A better beginning.")
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(open_tab(page).locator("article.write-section")).to_contain_text("A better beginning.")
    expect(tab.locator(".write-editor")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('playground-write-typed')") == ""


def test_a_draft_left_for_another_in_the_same_moment_is_found_again(site: str, visit: Visit) -> None:
    page = visit(site)
    tab = open_tab(page)
    type_and = (
        "(area, [text, name]) => { area.value = text; area.dispatchEvent(new Event('input', { bubbles: true })); "
    )
    press = "document.querySelector(`#write [name=${name}]`).click(); }"
    head(tab, "title").evaluate(type_and + press, ["First", "new"])  # before it has a key
    head(tab, "title").fill("Second")
    expect(tab.locator("[name=draft] option")).to_have_text(["Second", "First"])
    head(tab, "plan").evaluate(type_and + press, ["She comes.", "new"])
    tab.locator("[name=draft]").select_option(label="First")
    expect(head(tab, "title")).to_have_value("First")
    head(tab, "plan").fill("He waits.")
    tab.locator("[name=draft]").select_option(label="Second")
    expect(head(tab, "plan")).to_have_value("She comes.")
    tab.locator("[name=draft]").select_option(label="First")
    expect(head(tab, "plan")).to_have_value("He waits.")


def test_numbers_that_cannot_be_used_are_refused_by_name_and_an_empty_candidate_says_why(
    site: str, visit: Visit
) -> None:
    page = visit(site)
    tab = open_tab(page)
    head(tab, "title").fill("The Keeper")
    wrong = tab.locator(".write-complaint")
    complaint = "Earlier text the model reads, max tokens: a whole number of 1 or more."
    of_n = "Candidates: a whole number from 1 to 16."
    for name, said in (("room", complaint), ("n", of_n), ("length", "Length, max tokens: a whole number from 1 to")):
        field, usual = tab.locator(f"[name={name}]"), tab.locator(f"[name={name}]").input_value()
        for given in ("0", "-1", ""):
            field.fill(given)
            tab.locator("[name=go]").click()
            expect(wrong).to_contain_text(said)
        field.fill(usual)
        expect(wrong).to_be_hidden()
    expect(tab.locator(".write-card")).to_have_count(0)
    page.evaluate(
        """async (news) => {
            const { feed } = await import("playground/page/feed.js");
            document.querySelector("#write [name=go]").click();
            feed([["write-news", "", [news]]]);
        }""",
        {"run": "x", "phase": "done", "rows": [{"text": "", "tokens": 1, "finish": "end", "seed": 1}]},
    )
    text = tab.locator(".write-card textarea")
    expect(text).to_have_attribute("placeholder", "The model ended without writing anything.")
    expect(tab.locator(".write-facts")).to_contain_text("1 token ·")
    tab.locator("[name=own]").click()
    expect(text.last).to_have_attribute("placeholder", "Your own text for this section.")


def test_nothing_that_a_stranger_sends_finds_or_breaks_a_draft(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path))
    host = ModelHost(settings, lambda _settings, _report: ScriptedGenerator(["One."]))
    host.start()
    assert host.wait(20)
    kept = SharedStore(settings)
    tab = WriteTab(host, RequestQueue(Limits()), kept)
    key = tab._accept({"head": "none", "text": "One.", "length": 10**30, "room": -1})["draft"]["key"]
    for guess in ("\ud800", "x", 7, None, [key], key[:-1]):
        with pytest.raises(InvalidRequest, match="not kept any more"):
            tab._open({"key": guess})
        with pytest.raises(InvalidRequest, match="not kept any more"):
            tab._save({"key": guess, "kind": "md"})
        tab._forget({"key": guess})
    for number in (10**30, -1, "1", True, None):
        tab._remove({"key": key, "number": number})
        tab._restore({"key": key, "number": number, "text": "Never written."})
    assert [one["text"] for one in tab._open({"key": key})["draft"]["sections"]] == ["One."]
    kept.store.close()
