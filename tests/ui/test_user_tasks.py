"""A person's own tasks in a browser: variables become fields, and what is saved stays in this browser and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from playground.tasks import loader, user_task
from tests.ui.conftest import Visit, body, generate

pytestmark = pytest.mark.browser
PROMPT = "About {{hero}} in {{地点}}.\n\nTitle:"
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">{{hero}}${1}"
CODE = "{% for one in list %}\n\t{{ one.name }} {{ count }} {{{raw}}} {{#each x}}{{/each}} ${{ a }}\n{% endfor %}  "
EMPTY = "hero is empty; please fill it in. To send the text as it stands, switch off “Fill in {{variables}}”."
FILLED = f"About {HOSTILE} in 杭州.\n\nTitle:"


def write_prompt(page: Page) -> None:
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill(PROMPT)
    page.locator("[data-variable][name=hero]").fill(HOSTILE)
    page.locator("[data-variable][name=地点]").fill("杭州")


def save(page: Page, title: str, said: str = "“{}” is saved in this browser.") -> None:
    page.locator(".user-tasks [name=keep]").click()
    page.locator(".user-tasks [name=title]").fill(title)
    page.locator("[data-panel=title] [name=save]").click()
    expect(page.locator(".user-tasks-note")).to_have_text(said.format(title))


def reload(page: Page) -> None:
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()


def open_mine(page: Page, title: str, group: str = "My tasks") -> None:
    expect(page.locator(f".task-picker optgroup[label='{group}'] option")).to_have_text([title])
    page.locator(".task-picker").select_option(label=title)


def exported(page: Page) -> str:
    with page.expect_download() as saved:
        page.locator(".user-tasks [name=export]").click()
    assert saved.value.suggested_filename.endswith(".yaml")
    return Path(saved.value.path()).read_text(encoding="utf-8")


def bring(page: Page, folder: Path, text: str) -> None:
    path = folder / "theirs.yaml"
    path.write_text(text, encoding="utf-8")
    page.locator(".user-tasks [name=import]").click()
    page.locator(".user-tasks input[type=file]").set_input_files(path)


def test_variables_become_fields_that_fill_the_prompt(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator("[data-kind=complete]").click()
    expect(page.locator(".variables-hint")).to_contain_text("Write {{product}}")
    page.locator("#prompt").fill(PROMPT)
    expect(page.locator(".variables .field-label")).to_have_text(["hero", "地点"])
    page.locator("button[name=generate]").click()
    wrong = page.locator(".variables .field.wrong")
    expect(wrong.locator(".field-error")).to_have_text(EMPTY)
    write_prompt(page)
    expect(wrong).to_have_count(0)
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_have_text(FILLED)
    generate(page)
    expect(body(page)).not_to_be_empty()
    page.locator("#prompt").fill("No variable")
    expect(page.locator(".variables .field")).to_have_count(0)
    page.locator("#prompt").fill("Again {{hero}}")
    expect(page.locator("[data-variable]")).to_have_value(HOSTILE)
    assert page.title().endswith(" · Playground")
    code_is_sent_as_it_stands(page)


def code_is_sent_as_it_stands(page: Page) -> None:
    fields, fill, note = page.locator(".variables .field"), page.locator("[name=fill]"), page.locator(".fill-note")
    page.locator("#prompt").fill(CODE)
    expect(fields).to_have_count(3)
    page.locator("button[name=generate]").click()
    expect(page.locator(".variables .field.wrong .field-error")).to_contain_text("Fill in {{variables}}")
    fill.uncheck()
    expect(fields).to_have_count(0)
    expect(page.locator(".field.wrong")).to_have_count(0)
    expect(note).to_have_text("What stands in {{ }} is sent as it is written.")
    expect(page.locator(".user-tasks [name=keep]")).to_be_hidden()
    page.wait_for_function("code => document.querySelector('.seen-text').textContent === code", arg=CODE)
    generate(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("button[name=language]").click()
    expect(page.locator(".fill-in")).to_have_text("填写 {{变量}}")
    expect(note).to_have_text("{{ }} 中的内容会原样发送。")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("button[name=language]").click()
    fill.check()
    assert fill.evaluate("box => getComputedStyle(box).appearance") == "auto"  # a checked box looks checked
    expect(fields).to_have_count(3)
    expect(page.locator(".user-tasks [name=keep]")).to_be_visible()
    many = " ".join(f"{{{{v{number}}}}}" for number in range(user_task.MAX_FIELDS + 1))
    page.locator("#prompt").fill(many.removesuffix(f" {{{{v{user_task.MAX_FIELDS}}}}}"))
    expect(fields).to_have_count(user_task.MAX_FIELDS)
    inside = page.locator(".variables").evaluate("box => [box.offsetHeight, box.scrollHeight > box.clientHeight]")
    assert inside[0] < 400 and inside[1]
    page.locator("#prompt").fill(many)
    expect(note).to_have_text("The text has 61 variables. With more than 60 it is sent as it stands.")
    expect(fields).to_have_count(0)
    expect(page.locator(".seen-text")).to_have_text(many)
    generate(page)
    assert page.title().endswith(" · Playground")


def test_a_prompt_is_saved_found_again_edited_and_deleted(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    write_prompt(page)
    page.locator("#knobs [data-knob=temperature] input[type=range]").fill("0.55")
    temperature = page.locator("#knobs [data-knob=temperature] input[type=range]").input_value()
    save(page, "Fox story")
    page.locator("[data-kind=complete]").click()
    page.locator("[name=fill]").uncheck()
    reload(page)
    page.locator("[data-kind=complete]").click()
    expect(page.locator("[name=fill]")).not_to_be_checked()  # remembered; a task is filled all the same
    page.locator("[data-kind=task]").click()
    open_mine(page, "Fox story")
    expect(page.locator("[data-for=task] .field-label")).to_have_text(["hero", "地点"])
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_have_text(FILLED)
    expect(page.locator("#knobs [data-knob=temperature] input[type=range]")).to_have_value(temperature)
    generate(page)
    expect(body(page)).not_to_be_empty()
    page.locator(".user-tasks [name=edit]").click()
    expect(page.locator("#prompt")).to_have_value(PROMPT)
    expect(page.locator("[data-variable][name=地点]")).to_have_value("杭州")
    expect(page.locator("[name=fill]")).to_be_checked()
    page.locator("#prompt").fill("{{hero}} went")
    save(page, "Hare story")
    expect(page.locator("[data-for=task] .field-label")).to_have_text(["hero"])
    expect(page.locator("#knobs [data-knob=temperature] input[type=range]")).to_have_value(temperature)
    open_mine(page, "Hare story")
    page.locator(".user-tasks [name=delete]").click()
    expect(page.locator(".task-picker optgroup[label='My tasks']")).to_have_count(0)
    page.locator(".user-tasks [name=bring_back]").click()
    open_mine(page, "Hare story")
    expect(visit(scripted).locator(".task-picker optgroup[label='My tasks']")).to_have_count(0)  # nobody else has it
    page.locator(".user-tasks [name=delete]").click()
    expect(page.locator(".task-picker optgroup[label='My tasks']")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('playground-own-tasks')") == "[]"
    assert page.title().endswith(" · Playground")


def test_what_is_exported_can_be_imported_and_a_mistake_shows_its_line(
    scripted: str, visit: Visit, tmp_path: Path
) -> None:
    page = visit(scripted)
    write_prompt(page)
    save(page, "Fox story")
    text = exported(page)
    assert user_task.read(text).title.en == "Fox story"
    page.locator(".user-tasks [name=delete]").click()
    bring(page, tmp_path, text.replace("group: write", "group: poems"))
    error = page.locator("[data-panel=yaml] .field-error")
    expect(error).to_have_text(re.compile(r"^theirs\.yaml, line 2, group: it must be one of"))
    page.locator("button[name=language]").click()
    page.locator("button[name=language]").click()
    area = page.locator(".user-tasks [name=yaml]")
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == "group: poems"
    area.fill(text)
    page.locator("[data-panel=yaml] [name=save]").click()
    open_mine(page, "Fox story")
    assert exported(page) == text
    twins_are_told_apart(page, tmp_path, text)
    page.locator(".user-tasks [name=delete]").click()
    bring(page, tmp_path, "#" * (user_task.MAX_BYTES + 1))
    expect(error).to_contain_text("at most 66 kB are allowed")


def twins_are_told_apart(page: Page, folder: Path, text: str) -> None:
    """One task is kept, with this text; at the end two are."""
    mine, note = page.locator(".task-picker optgroup[label='My tasks'] option"), page.locator(".user-tasks-note")
    page.locator(".task-picker").select_option("slogans")
    bring(page, folder, text.replace("\n", "\r\n") + "\n")
    expect(note).to_have_text("Already here: “Fox story”.")
    expect(mine).to_have_count(1)
    expect(page.locator(".task-picker option:checked")).to_have_text("Fox story")
    changed = text.replace("Fox story", "Hare story")
    ask = page.locator("[data-panel=twin]")
    bring(page, folder, changed)
    expect(ask.locator(".user-tasks-alike")).to_have_text(
        "“Fox story” has the same id, fox_story, and another text. Replace it?"
    )
    ask.locator("[name=close]").click()
    expect(page.locator(".user-tasks [name=yaml]")).to_have_value(changed)  # as it was brought
    expect(mine).to_have_text(["Fox story"])
    page.locator("[data-panel=yaml] [name=save]").click()
    ask.locator("[name=replace]").click()
    expect(mine).to_have_text(["Hare story"])
    bring(page, folder, text)
    ask.locator("[name=both]").click()
    expect(mine).to_have_text(["Hare story", "Fox story"])
    expect(note).to_have_text("“Fox story” is saved in this browser.")
    page.locator(".task-picker").select_option(label="Hare story")
    page.locator(".user-tasks [name=delete]").click()
    page.locator(".task-picker").select_option(label="Fox story")


def test_a_shipped_task_can_be_imported_edited_as_yaml_and_begun_with(
    scripted: str, visit: Visit, tmp_path: Path
) -> None:
    page = visit(scripted)
    text = (loader.FOLDER / "recommendations.yaml").read_text(encoding="utf-8")
    bring(page, tmp_path, text.replace("{en: Recommendations, zh: 推荐}", "{en: My list, zh: 我的清单}"))
    open_mine(page, "My list")
    page.locator(".act [name=seed]").fill("0")
    page.keyboard.press("Tab")
    expect(page.locator(".seed-value")).to_have_value("0")
    generate(page)
    expect(page.locator(".card").first.locator(".items li")).to_contain_text(["Night Ferry"])
    page.locator("button[name=language]").click()
    expect(page.locator(".task-picker optgroup[label=我的任务] option")).to_have_text(["我的清单"])
    page.locator("button[name=language]").click()
    page.locator(".user-tasks [name=edit]").click()
    page.locator(".user-tasks [name=yaml]").fill(text)
    page.locator("[data-panel=yaml] [name=save]").click()
    expect(page.locator(".task-picker optgroup[label='My tasks'] option")).to_have_text(["Recommendations"])
    page.locator(".task-picker").select_option("slogans")
    page.locator(".user-tasks [name=start]").click()
    ends = "Product: {{Product}}\nWhat it is: {{What_it_is}}\nSlogan:$"
    expect(page.locator("#prompt")).to_have_value(re.compile(ends))
    fields = page.locator(".variables")  # those of the task lie behind them
    expect(fields.get_by_label("What it is")).to_have_value("a coffee shop by the harbour")
    expect(fields.get_by_label("Product")).to_have_value("Blue Moon")


def test_a_browser_that_keeps_nothing_says_so(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }; }")
    write_prompt(page)
    page.locator(".user-tasks [name=keep]").click()
    page.locator(".user-tasks [name=title]").fill("Fox story")
    page.locator("[data-panel=title] [name=save]").click()
    expect(page.locator("[data-panel=title] .field-error")).to_contain_text("has no room for it")


def test_a_kept_task_that_was_broken_by_hand_is_one_sentence_and_nothing_else_is_lost(
    scripted: str, visit: Visit
) -> None:
    page = visit(scripted)
    write_prompt(page)
    save(page, "Fox story")
    page.evaluate(
        "() => { const [one] = JSON.parse(localStorage.getItem('playground-own-tasks'));"
        " localStorage.setItem('playground-own-tasks', JSON.stringify([{ ...one, yaml: 'id: [' }])); }"
    )
    reload(page)
    open_mine(page, "Fox story")
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_contain_text("task.yaml")
    page.locator("[data-task-field][name=hero]").fill("a hare")
    temperature = page.locator("#knobs [data-knob=temperature] input[type=range]")
    page.locator(".kn-preset select").select_option("neutral")
    expect(temperature).to_have_value("1")
    page.locator(".kn-preset select").select_option(index=0)
    temperature.fill("0.55")
    page.locator("button[name=language]").click()
    page.locator("button[name=language]").click()
    page.locator("button[name=generate]").click()
    notice = page.locator(".act-notice")
    expect(notice).to_have_text(re.compile(r"^\s*task\.yaml, line \d+: .*not valid YAML"))
    expect(page.locator(".act.running")).to_have_count(0)
    expect(page.locator("[data-task-field][name=hero]")).to_have_value("a hare")
    expect(temperature).to_have_value("0.55")
    assert page.locator(".toast-body").count() == 0
    page.locator(".user-tasks [name=edit]").click()
    expect(page.locator("[data-panel=yaml] .field-error")).to_contain_text("not valid YAML")
    expect(page.locator(".user-tasks [name=yaml]")).to_have_value("id: [")
    page.locator(".task-picker").select_option("slogans")
    generate(page)
    expect(body(page)).not_to_be_empty()


def test_a_chat_with_variables_is_filled_saved_and_edited_as_a_chat(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator("[data-kind=chat]").click()
    system, message = page.locator("[data-for=chat] [name=system]"), page.locator("[data-for=chat] [name=message]")
    expect(page.locator(".variables-hint")).to_be_visible()
    system.fill("You are {{hero}}.")
    message.fill("Where is {{地点}}?")
    expect(page.locator(".variables .field-label")).to_have_text(["hero", "地点"])
    page.locator("button[name=generate]").click()
    expect(page.locator(".variables .field.wrong .field-error")).to_have_text(EMPTY)
    page.locator("[data-variable][name=hero]").fill(HOSTILE)
    page.locator("[data-variable][name=地点]").fill("杭州")
    page.locator(".seen summary").click()
    seen = page.locator(".seen-text")
    expect(seen).to_contain_text(f"You are {HOSTILE}.")
    expect(seen).to_contain_text("Where is 杭州?")
    save(page, "Fox chat")
    expect(page.locator("[data-for=task] .field-label")).to_have_text(["hero", "地点"])
    expect(seen).to_contain_text("Where is 杭州?")
    expect(page.locator(".seen-mode")).to_have_text("chat")
    generate(page)
    expect(body(page)).not_to_be_empty()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("[data-kind=chat]")).to_have_text("Single question")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    name, count = page.locator(".seen [data-t=seen]").bounding_box(), page.locator(".seen-count").bounding_box()
    assert name and count and name["height"] < 30 and count["height"] < 30 and abs(name["y"] - count["y"]) < 4
    page.locator(".user-tasks [name=edit]").click()
    expect(page.locator("[data-kind=chat]")).to_have_attribute("aria-checked", "true")
    expect(system).to_have_value("You are {{hero}}.")
    expect(page.locator("[data-variable][name=地点]")).to_have_value("杭州")
    message.fill("Who is {{hero}}?")
    save(page, "Hare chat")
    open_mine(page, "Hare chat")
    page.locator("[data-kind=complete]").click()
    expect(page.locator(".variables .field")).to_have_count(0)  # the free prompt has none
    page.locator("[data-kind=chat]").click()
    expect(page.locator(".variables .field-label")).to_have_text(["hero"])
    assert page.title().endswith(" · Playground")


def test_a_prompt_begun_from_a_task_names_its_fields_in_the_language_of_the_page(scripted: str, visit: Visit) -> None:
    page = visit(scripted, locale="zh-CN")
    page.locator(".user-tasks [name=start]").click()
    expect(page.locator("#prompt")).to_have_value(re.compile("产品：{{产品}}\n是什么：{{是什么}}"))
    fields = page.locator(".variables .field")
    expect(fields.locator(".field-label")).to_have_text(["面向人群", "语气", "产品", "是什么"])
    expect(page.locator(".variables").get_by_label("产品")).to_have_value("月亮咖啡")
    save(page, "我的广告语", "“{}”已保存在此浏览器中。")
    open_mine(page, "我的广告语", "我的任务")
    expect(page.locator(".fields:not(.variables) .field-label bdi")).to_have_text(
        ["面向人群", "语气", "产品", "是什么"]
    )
    page.locator("button[name=language]").click()
    page.locator(".task-picker").select_option("recommendations")
    page.locator(".task-picker").select_option("slogans")
    page.locator(".user-tasks [name=start]").click()
    expect(fields.locator(".field-label")).to_have_text(["Audience", "Tone", "Product", "What it is"])
    save(page, "My slogans")
    page.locator(".task-picker").select_option(label="My slogans")
    expect(page.locator(".fields:not(.variables) .field-label bdi")).to_have_text(
        ["Audience", "Tone", "Product", "What it is"]
    )
