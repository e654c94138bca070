"""The tab Model: its owner switches while the page is in use, every page follows, and what fails changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visit, body, generate
from tests.ui.served import SCRIPTED, forked
from tests.ui.test_accessibility import faults

pytestmark = pytest.mark.browser
NARROW = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"}


@pytest.fixture(scope="module")
def hold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose words hold a download or a load of the scripted page."""
    file = tmp_path_factory.mktemp("switch") / "held"
    file.write_text("")
    return file


@pytest.fixture(scope="module")
def switching(starts_server: None, hold: Path) -> Iterator[str]:
    with forked(SCRIPTED, "--hold", str(hold)) as url:
        yield url


def model_tab(page: Page) -> Page:
    page.locator("nav [data-tab=model]").click()
    expect(page.locator(".models-help")).not_to_be_empty()
    return page


def load(page: Page, name: str) -> None:
    page.locator("[name=model]").fill(name)
    page.locator(".model-form [name=load]").click()


def test_a_model_is_estimated_downloaded_cancelled_loaded_and_said_of_each_text(
    switching: str, hold: Path, visit: Visit
) -> None:
    other, page = visit(switching), model_tab(visit(switching))
    form, chip, switch = page.locator(".model-form"), page.locator(".chip-text"), page.locator(".model-switch")
    form.locator("[name=model]").fill("org/ferry")
    expect(form.locator(".model-source a")).to_have_attribute("href", "https://huggingface.co/org/ferry")
    form.locator("[name=estimate]").click()
    expect(form.locator(".model-estimate p")).to_contain_text("Fits: it needs 1.7 GB, and 6 GB are free.")
    expect(form.locator(".memory-parts li")).to_have_count(6)
    form.locator(".model-how summary").click()
    form.locator("[name=context]").fill("1e9")
    form.locator("[name=load]").click()
    expect(form.locator("[data-field=context] .field-error")).to_contain_text("a whole number from 16 to")
    expect(form.locator("[name=model]")).to_have_value("org/ferry")
    form.locator("[name=context]").fill("")
    expect(form.locator("[data-field=context] .field-error")).to_be_hidden()

    hold.write_text("download")
    form.locator("[name=load]").click()
    expect(switch.locator("h3")).to_have_text("Switching to org/ferry")
    expect(switch.locator(".model-amounts")).to_contain_text("123 MB of 988 MB · 8.3 MB per second · about 104 s left")
    expect(switch.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "12")
    expect(switch.locator(".model-stays")).to_contain_text("Scripted goes on")
    expect(form.locator("[name=load]")).to_be_disabled()
    assert faults(page) == []
    switch.locator("[name=cancel]").click()
    expect(switch).to_be_hidden()
    expect(chip).to_contain_text("Scripted")
    expect(form.locator("[name=model]")).to_have_value("org/ferry")

    hold.write_text("")
    form.locator("[name=load]").click()
    for one in (page, other):
        expect(one.locator(".chip-text")).to_contain_text("ferry")  # a page that asked for nothing follows too
    expect(page.locator(".model-others li")).to_contain_text("Scripted")
    expect(page.locator(".model-own p")).to_contain_text("Temperature 0.7, top_k 20. They say nothing of")
    expect(page.locator(".model-own li")).to_have_text("sway Nothing here has this name.")
    page.locator(".model-own button").click()
    expect(page.locator("[data-knob=temperature] input[type=range]")).to_have_value("0.7")
    generate(page)
    expect(page.locator(".run-name")).to_contain_text("ferry (rev 2)")
    model_tab(page).locator(".model-others [name=use]").click()
    expect(chip).to_contain_text("Scripted")
    page.locator("nav [data-tab=play]").click()
    expect(page.locator(".run-name")).to_contain_text("ferry (rev 2)")
    page.locator(".card").first.locator("button[name=regenerate]").click()
    expect(page.locator(".card").first.locator(".card-line")).to_contain_text("Scripted (1)")
    model_tab(page).locator(".model-others [name=unload]").click()
    expect(page.locator(".model-others")).to_be_hidden()


def test_texts_that_a_switch_waits_for_can_be_stopped_meanwhile(switching: str, hold: Path, visit: Visit) -> None:
    hold.write_text("all")
    writing, page = visit(switching), model_tab(visit(switching))
    writing.locator("nav [data-tab=play]").click()
    writing.locator("button[name=generate]").click()
    expect(writing.locator(".card-body.writing").first).not_to_be_empty()
    load(page, "org/huge")
    switch = page.locator(".model-switch")
    expect(switch.locator(".model-stage")).to_contain_text("that are still being written")
    expect(switch.locator("[name=halt]")).to_have_text("Stop them now")
    assert faults(page) == []
    switch.locator("[name=halt]").click()
    expect(page.locator(".chip-text")).to_contain_text("huge")
    expect(switch).to_be_hidden()
    expect(writing.locator("#act-notice")).to_contain_text("The model was changed")
    hold.write_text("")


def test_what_fails_leaves_the_old_model_and_says_why(switching: str, visit: Visit) -> None:
    page = model_tab(visit(switching, **NARROW))
    before = page.locator(".chip-text").inner_text()
    load(page, "org/fails")
    expect(page.locator(".model-failed")).to_contain_text("未能加载 org/fails。文件已损坏。")
    expect(page.locator(".model-failed")).to_contain_text("继续工作")
    expect(page.locator(".model-switch")).to_be_hidden()
    assert page.locator(".chip-text").inner_text() == before
    expect(page.locator("[name=model]")).to_have_value("org/fails")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("<b>no</b> id", "/no/where", "ftp://x", "http://"):
        load(page, name)
        expect(page.locator(".model-form [data-field=name] .field-error")).to_be_visible()
        expect(page.locator(".model-form [data-field=name] .field-error b")).to_have_count(0)
        expect(page.locator("[name=model]")).to_have_value(name)
    page.locator("nav [data-tab=play]").click()
    generate(page)
    expect(body(page)).not_to_be_empty()
