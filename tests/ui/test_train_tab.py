"""The tab Train on the tiny model, with real trainings of a few steps: from a file to a model that is used."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

from playground.training.train_settings import train_settings_by_name
from tests.tiny import tiny_model
from tests.ui.conftest import Visit
from tests.ui.events import PageClient
from tests.ui.served import SCRIPTED, Forked, forked, free_port
from tests.ui.test_accessibility import faults

pytestmark = [pytest.mark.browser, pytest.mark.model]
NARROW = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"}
LEARNING = 600_000  # milliseconds: a training has a process of its own, which imports torch first
ROWS = 44
EVIL = "<img src=x onerror=alert(1)>"


def slogan(number: int) -> str:
    return f"<Lamp {number}> :: made for mornings."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of a product and its slogan: one stands twice, one has no slogan."""
    file = tmp_path_factory.mktemp("rows") / "slogans.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["Product", "Slogan"])
        writer.writerows((f"Lamp {number}", slogan(number)) for number in [*range(ROWS), 3])
        writer.writerow(["Lamp without words", ""])
    return file


@pytest.fixture(scope="module")
def teaching(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real page with the tiny model in a folder, as its owner opens it."""
    folder, kept = tmp_path_factory.mktemp("models") / "tiny-teller", tmp_path_factory.mktemp("kept")
    loaded = tiny_model()
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    with forked("app", "--model", str(folder), "--data-folder", str(kept), "--path", "exact") as url:
        yield url
    for process in psutil.process_iter(["cmdline"]):  # a training outlives its page, and a test that failed
        if any(str(kept) in part for part in process.info["cmdline"] or ()):
            process.kill()


def train_tab(page: Page) -> Page:
    page.locator("nav [data-tab=train]").click()
    expect(page.locator(".train-owner")).to_be_visible()
    return page


def checked(page: Page) -> None:
    """The report is that of the form as it stands."""
    expect(page.locator(".train-checking")).to_be_hidden(timeout=LEARNING)


def choose(page: Page, data: Path, prompt: str = "Write a slogan for {{Product}}.") -> None:
    """The file, and a prompt of one's own."""
    page.locator("input[name=data]").set_input_files(data)
    expect(page.locator(".train-file[data-side=data]")).to_contain_text(data.name)
    page.locator(".train-ways [value=free]").click()
    page.locator(".train-columns [name=prompt]").fill(prompt)
    page.locator(".train-columns [name=answer]").select_option("Slogan")
    expect(page.locator(".train-first")).to_be_visible(timeout=LEARNING)
    checked(page)


def settings(page: Page, **values: str) -> None:
    page.locator(".train-all-settings").evaluate("fold => { fold.open = true; }")
    for name, value in values.items():
        page.locator(f"[data-setting={name}]").fill(value)
        page.locator(f"[data-setting={name}]").press("Tab")
    checked(page)


def begin(page: Page, name: str) -> None:
    page.locator(".train-form [name=name]").fill(name)
    page.locator(".train-form [name=begin]").click()
    expect(page.locator(".train-name")).to_have_text(name, timeout=LEARNING)


def phase(page: Page, words: str) -> None:
    expect(page.locator(".train-phase")).to_contain_text(words, timeout=LEARNING)


def figure(page: Page, label: str) -> str:
    return page.locator(".train-report div", has=page.get_by_text(label, exact=True)).locator("dd").inner_text()


def saved(page: Page, button: Any) -> tuple[str, str]:
    """The name and the text of the file that a button gives."""
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_text(encoding="utf-8")


def test_a_file_becomes_a_training_that_is_followed_kept_over_a_reload_and_used(
    teaching: str, data: Path, visit: Visit
) -> None:
    page = train_tab(visit(teaching))
    expect(page.locator(".train-none")).to_be_visible()
    choose(page, data)
    assert (figure(page, "Rows"), figure(page, "Duplicates"), figure(page, "Empty")) == (str(ROWS + 2), "1", "1")
    assert figure(page, "Languages").startswith("English")
    row = page.locator(".train-row").first
    learned = "".join(row.locator(".train-learned").all_inner_texts())
    masked = "".join(row.locator(".train-masked").all_inner_texts())
    assert learned.startswith("<Lamp") and ":: made for mornings." in learned, "the answer is learned, and its end"
    assert "Write a slogan for Lamp" in masked and "made for mornings" not in masked

    usual = page.locator(".train-columns [name=prompt]").input_value()
    page.locator(".train-columns [name=prompt]").fill("Look at this lamp.\n" * 40 + usual)
    expect(row).to_contain_text("Look at this lamp.")
    checked(page)
    row.scroll_into_view_if_needed()
    expect(row.locator(".train-learned").first).to_be_in_viewport()
    page.locator(".train-columns [name=prompt]").fill(usual)
    expect(row).not_to_contain_text("Look at this lamp.")
    settings(page, rank="many")
    expect(page.locator("[data-field=rank] .field-error")).to_contain_text("LoRA rank")
    expect(page.locator("[data-setting=rank]")).to_have_value("many")
    settings(page, rank="4", steps="6", evaluate_every="2", learning_rate="0.01")
    expect(page.locator("[data-field=rank] .field-error")).to_be_hidden()
    expect(page.locator(".train-presets [aria-checked=true]")).to_have_text("Try · changed")
    begin(page, EVIL)
    phase(page, "Done")
    assert page.locator(".train-run img").count() == 0, "what was typed is text"
    expect(page.locator(".train-figures")).to_contain_text("6 of 6")
    expect(page.locator(".train-run .tp-plot svg")).to_have_count(5)
    loss = page.locator(".train-run .tp").first
    loss.locator(".tp-plot").hover()
    expect(loss.locator(".tp-read")).to_contain_text("step ")
    expect(loss.locator(".tp-read")).to_contain_text("validation")
    loss.locator(".tp-plot").press("End")
    expect(loss.locator(".tp-read")).to_contain_text("step 6")
    assert faults(page) == []

    name, text = saved(page, page.locator(".train-run [name=csv]"))
    lines = list(csv.DictReader(io.StringIO(text)))
    assert name.endswith(".csv") and [line["step"] for line in lines] == ["0", "1", "2", "3", "4", "5", "6"]
    assert all(float(line["loss"]) > 0 for line in lines[1:])
    assert [line["step"] for line in lines if line["validation_loss"]] == ["0", "2", "4", "6"]
    name, text = saved(page, loss.locator(".tp-save"))
    drawn = ElementTree.fromstring(text)
    assert name == "Loss.svg" and len(drawn.findall(".//{*}path")) >= 2 and "var(" not in text and "class=" not in text

    samples = page.locator(".train-samples")
    expect(samples.locator(".train-sample-step")).to_contain_text("step 6 (4 of 4)")
    expect(samples.locator(".train-sample")).to_have_count(2)
    base = samples.locator(".train-text p").nth(0).inner_text()
    samples.locator("[name=earlier]").click()
    expect(samples.locator(".train-sample-step")).to_contain_text("step 4 (3 of 4)")
    assert samples.locator(".train-text p").nth(0).inner_text() == base, "the base stays the base"

    page.locator("[name=note]").fill("Keep <b>this</b> one")
    page.locator("[name=note]").press("Tab")
    expect(page.locator(".train-noted")).to_have_text("Keep <b>this</b> one")
    page.reload()
    expect(page.locator(".train-name")).to_have_text(EVIL)
    expect(page.locator(".train-run .tp-plot svg")).to_have_count(5)
    expect(page.locator(".train-file[data-side=data]")).to_contain_text(data.name)
    expect(page.locator("[data-setting=rank]")).to_have_value("4")
    expect(page.locator(".train-columns [name=prompt]")).to_have_value("Write a slogan for {{Product}}.")

    page.locator(".train-run [name=use]").click()
    expect(page.locator(".train-said")).to_contain_text(re.compile("being loaded|in use now"))
    expect(page.locator(".chip-text")).to_contain_text("tiny-teller +", timeout=LEARNING)
    expect(page.locator("[name=base] option")).to_have_count(2)


@pytest.mark.long
def test_a_training_pauses_goes_on_and_stops_while_another_waits_and_both_are_compared(
    teaching: str, data: Path, visit: Visit
) -> None:
    page = train_tab(visit(teaching))
    choose(page, data)
    settings(page, steps="100000", evaluate_every="5")
    begin(page, "Long one")
    phase(page, "Learning")
    expect(page.locator(".train-run .tp-plot svg")).not_to_have_count(0)
    page.locator(".train-run [name=pause]").click()
    phase(page, "Paused")
    page.reload()
    phase(page, "Paused")
    page.locator(".train-run [name=resume]").click()
    phase(page, "Learning")

    page.locator(".train-new > summary").click()
    settings(page, steps="2", rank="2")
    begin(page, "Short one")
    phase(page, "Waiting until another training has ended")
    page.locator(".train-run [name=halt]").click()
    phase(page, "Stopped before the first step; nothing is learned yet")
    page.locator(".train-run [name=resume]").click()
    phase(page, "Waiting until another training has ended")
    page.locator(".train-table [name=open]", has_text="Long one").click()
    phase(page, "Learning")
    page.locator(".train-run [name=halt]").click()
    phase(page, "Stopped")
    page.locator(".train-table [name=open]", has_text="Short one").click()
    phase(page, "Done")

    for name in ("Long one", "Short one"):
        page.get_by_label(f"Compare {name}").check()
    expect(page.locator(".train-compared .tp-plot svg")).to_have_count(3)
    expect(page.locator(".train-compared .tp").first.locator(".tp-key")).to_have_count(2)
    differ = page.locator(".train-differences tr", has_text=train_settings_by_name()["rank"].label.en)
    expect(differ.locator("td")).to_have_count(2)
    expect(page.locator(".train-differences")).not_to_contain_text("Learning rate")
    assert faults(page) == []

    row = page.locator(".train-table tr", has_text="Short one")
    row.locator("[name=remove]").click()
    expect(page.locator(".train-list .batch-sure p")).to_contain_text("Short one is deleted")
    page.keyboard.press("Escape")
    expect(page.locator(".train-list .batch-sure")).to_be_hidden()
    row.locator("[name=remove]").click()
    page.locator(".train-list [name=sure]").click()
    expect(row).to_have_count(0)
    expect(page.locator(".train-run")).to_be_hidden()
    expect(page.locator(".train-compared")).to_be_hidden()


@pytest.mark.long
def test_what_it_will_take_is_measured_before_it_begins(teaching: str, data: Path, visit: Visit) -> None:
    page = train_tab(visit(teaching))
    choose(page, data)
    settings(page, steps="4")
    page.locator(".train-form [name=name]").fill("Measured")
    page.locator(".train-form [name=measure]").click()
    expect(page.locator(".train-estimate")).to_contain_text("of memory for 4 steps", timeout=LEARNING)
    expect(page.locator(".train-phase")).to_have_text("Not started yet")
    before = page.locator(".train-table tbody tr").count()
    page.locator(".train-form [name=begin]").click()
    phase(page, "Done")
    assert page.locator(".train-table tbody tr").count() == before, "what was measured is what begins"


def test_conversations_and_plain_text_say_themselves_what_is_learned_and_wrong_files_are_said(
    teaching: str, tmp_path: Path, visit: Visit
) -> None:
    page = train_tab(visit(teaching, **NARROW))
    talks, text, bad = (tmp_path / name for name in ("talks.jsonl", "book.txt", "image.png"))
    turns = [{"role": "user", "content": "早上好"}, {"role": "assistant", "content": f"早！{EVIL}"}]
    other = [{"role": "user", "content": "晚上好"}, {"role": "assistant", "content": "晚安"}]
    talks.write_text("\n".join(json.dumps({"messages": one}) for one in (turns, other)), encoding="utf-8")
    text.write_text("\n\n".join(f"Chapter {n}. It was a quiet morning by the river." for n in range(60)))
    bad.write_bytes(b"\x89PNG")
    field = page.locator("input[name=data]")
    field.set_input_files(bad)
    expect(page.locator(".train-file-error[data-side=data]")).to_contain_text("image.png")
    field.set_input_files(talks)
    expect(page.locator(".train-file[data-side=data]")).to_contain_text("对话")
    expect(page.locator(".train-file-error[data-side=data]")).to_be_hidden()
    expect(page.locator(".train-way-help")).to_contain_text("学习对话中的每个回答")
    expect(page.locator(".train-ways")).to_be_hidden()
    expect(page.locator(".train-row").first).to_be_visible(timeout=LEARNING)
    assert page.locator(".train-look img").count() == 0
    expect(page.locator(".train-remarks")).to_contain_text("验证")
    checked(page)
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    field.set_input_files(text)
    expect(page.locator(".train-file[data-side=data]")).to_contain_text("续写文本")
    checked(page)
    assert page.locator(".train-row").first.locator(".train-masked").count() <= 1, "all of a text is learned"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture(scope="module")
def public(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page that others can reach; nobody here opens its owner link."""
    server = Forked(SCRIPTED, free_port(), "--host", "0.0.0.0", "--data-folder", str(tmp_path_factory.mktemp("public")))
    try:
        yield server.url
    finally:
        server.end()


FORM = {"data": "x", "name": "", "settings": {}}
EVENTS: dict[str, dict[str, Any]] = {
    "piece": {"side": "data", "name": "a.csv", "size": 1, "from": 0, "data": "YQ=="},
    "example": {"language": "en"},
    "known": {"side": "data", "key": "x"},
    "guess": {"key": "x", "task": "slogans", "own": ""},
    "check": FORM,
    "measure": FORM,
    "begin": FORM,
    "follow": {"id": "x", "starts": 0, "metrics": 0, "samples": 0},
    "curves": {"ids": ["x"]},
    **{name: {"id": "x"} for name in ("resume", "pause", "halt", "remove", "describe", "use")},
}


def test_a_visitor_of_a_public_page_sees_no_tab_and_every_event_is_refused(public: str, visit: Visit) -> None:
    told = {name for element, name in PageClient(public).events() if element == "train"}
    assert told == {*EVENTS, "opened"}, "each event is asked here"
    for name, sent in EVENTS.items():
        answers = PageClient(public).ask("train", name, {**sent, "at": 1})
        (end,) = (one for one in answers if one["msg"] == "process_completed")
        assert not end["success"] and str(end["output"]["error"]).startswith("Only the owner of this server"), name
    page = visit(public)
    expect(page.locator("nav [data-tab=model]")).to_be_visible()
    expect(page.locator("nav [data-tab=train]")).to_be_hidden()
    page.goto(f"{public}/#train")
    page.reload()
    expect(page.locator(".train-visitor")).to_contain_text("Only the owner of this server trains models")
    expect(page.locator(".train-owner")).to_be_hidden()
