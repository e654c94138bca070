"""The page says where a model falls short: before it writes, and under a text in another language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visit, card, generate
from tests.ui.served import SCRIPTED, forked
from tests.ui.test_user_tasks import save, write_prompt

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    """The page over a script that goes by the embedded model's name and writes English, whatever it is asked for."""
    with forked(SCRIPTED, "--small") as url:
        yield url


def in_chinese(page: Page) -> None:
    page.locator("button[name=language]").click()
    expect(page.locator("button[name=generate]")).to_contain_text("生成")


def from_seed(page: Page, seed: int) -> None:
    page.locator(".act [name=seed]").fill(str(seed))
    page.keyboard.press("Tab")
    expect(page.locator(".seed-value")).to_have_value(str(seed))


def test_a_task_that_was_measured_badly_says_so_before_it_is_run_and_leads_to_the_models(
    small: str, visit: Visit
) -> None:
    page = visit(small)
    remark = page.locator("#seen .remark")
    expect(page.locator(".task-measured")).to_contain_text("Read and kept: 1 of 3.")
    expect(remark).to_contain_text("falls short of this task. Larger models")  # not what was kept once more
    in_chinese(page)
    expect(remark).to_contain_text("并非为中文")
    expect(remark).to_contain_text("qwen2.5-coder-0.5b（988 MB，约需 1.2 GB 内存；无需模型库）")
    page.locator("[data-kind=complete]").click()
    expect(remark).to_contain_text("并非为中文")  # nobody measured a free prompt
    expect(remark).not_to_contain_text("人工阅读")
    page.locator("[data-kind=task]").click()
    remark.locator("a").click()
    row = page.locator(".known tr", has_text="Qwen/Qwen2.5-0.5B-Instruct")
    expect(row).to_contain_text("988 MB")
    expect(row).to_contain_text("1.2 GB")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row.locator("button").click()
    expect(page.locator("[name=model]")).to_have_value("Qwen/Qwen2.5-0.5B-Instruct")
    command = page.locator(".model-form [name=command]")
    command.click()
    expect(command).to_have_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()") == "make run MODEL=Qwen/Qwen2.5-0.5B-Instruct"


def test_a_model_of_which_little_was_kept_is_remarked_on_once_where_it_answers_and_until_it_is_hidden(
    small: str, visit: Visit
) -> None:
    page = visit(small)
    remark = page.locator(".remark:visible")
    page.locator("[data-kind=chat]").click()
    expect(remark).to_contain_text("writes little that one would keep")
    expect(remark).to_contain_text("Larger models: ")
    page.locator("[data-for=chat] [name=message]").fill("灯塔是做什么用的，又是谁在看守？")
    expect(remark).to_contain_text("Made for Chinese")
    page.locator("[data-for=chat] [name=message]").fill("Who keeps the lighthouse at night?")
    expect(remark).to_contain_text("Larger models")
    from_seed(page, 0)
    generate(page)
    expect(remark).to_have_count(1)  # not under the texts again
    page.locator("[data-kind=talk]").click()
    expect(remark).to_contain_text("writes little that one would keep")
    remark.locator("[name=hide-remark]").click()
    expect(remark).to_have_count(0)
    page.locator("[data-kind=complete]").click()
    page.locator("[data-kind=chat]").click()
    page.locator("nav [data-tab=write]").click()
    expect(page.locator("#write h2")).to_be_visible()
    page.locator("#write [name=plan]").fill("A keeper waits for the late ferry, and a cat waits with him.")
    expect(page.locator("#write [name=forget]")).to_be_visible()
    expect(remark).to_have_count(0)  # the same sentence, wherever it would stand
    page.locator("#write [name=plan]").fill("守灯人等着晚到的渡轮，一只猫和他一起等。")
    expect(remark).to_contain_text("Made for Chinese")  # another one


def test_a_section_that_has_become_a_list_of_words_says_so_until_it_is_edited(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator("nav [data-tab=write]").click()
    tab = page.locator("#write")
    notes = tab.locator(".write-card .remark:visible")
    tab.locator("[name=plan]").fill("What the ferry brings, in whole sentences.")
    tab.locator("[name=go]").click()
    expect(tab.locator("[name=accept]").last).to_be_enabled()
    expect(notes).to_have_count(0)
    tab.locator("[name=plan]").fill("What the ferry brings. [lists]")
    tab.locator("[name=go]").click()
    expect(notes).to_have_count(2)
    expect(notes.first).to_contain_text("This has become a list of words instead of a text.")
    page.reload()
    expect(notes).to_have_count(2)
    tab.locator(".write-card textarea").first.fill("The ferry brings tea.")
    expect(notes).to_have_count(1)
    tab.locator("[name=accept]").last.click()
    expect(tab.locator("article.write-section")).to_have_count(1)
    tab.locator("[name=go]").click()
    expect(tab.locator("[name=accept]").last).to_be_enabled()
    expect(notes).to_have_count(0)  # whoever took a list wants lists


def test_a_text_in_another_language_has_a_note_that_stays_with_it(small: str, visit: Visit) -> None:
    page = visit(small)
    in_chinese(page)
    from_seed(page, 0)
    generate(page)
    note = card(page, 1).locator(".remark")
    expect(note).to_contain_text("要求的是中文，这段文字却不是。")
    expect(note).to_contain_text("qwen2.5-coder-1.5b")
    page.locator("button[name=language]").click()
    expect(note).to_contain_text("This text is not in Chinese, which was asked for.")
    page.reload()
    expect(card(page, 1).locator(".remark")).to_contain_text("not in Chinese")
    card(page, 1).locator("button[name=continue]").click()
    expect(card(page, 1).locator(".walk output")).to_have_text("2/2")
    expect(card(page, 1).locator(".remark")).to_contain_text("not in Chinese")
    card(page, 1).locator("button[name=edit]").click()
    card(page, 1).locator(".card-edit").fill("我自己写的一句口号。")
    card(page, 1).locator(".card-editor button").first.click()
    expect(card(page, 1).locator(".remark")).to_be_hidden()  # what is written by hand is nobody's fault


def test_write_says_before_a_section_is_written_that_the_model_is_not_made_for_what_was_typed(
    small: str, visit: Visit
) -> None:
    page = visit(small)
    page.locator("nav [data-tab=write]").click()
    tab, remark = page.locator("#write"), page.locator("#write .remark").first
    plan = tab.locator("[name=plan]")
    plan.fill("A keeper waits for the late ferry, and a cat waits with him.")
    expect(tab.locator("[name=forget]")).to_be_visible()
    expect(remark).to_contain_text("writes little that one would keep")
    expect(remark).to_contain_text("Larger models")
    plan.fill("守灯人等着晚到的渡轮，一只猫和他一起等。")
    expect(remark).to_contain_text("Made for Chinese")
    expect(remark).to_contain_text("qwen2.5-coder-0.5b (988 MB, about 1.2 GB of memory; needs no hub) and qwen2.5")
    plan.fill("")
    expect(remark).to_contain_text("Larger models")
    tab.locator("[name=language]").select_option("zh")  # nothing typed tells, so what was chosen does
    expect(remark).to_contain_text("Made for Chinese")
    page.locator("button[name=language]").click()
    expect(remark).to_contain_text("适合中文的模型")
    remark.locator("a").click()
    expect(page.locator(".known tr", has_text="Qwen/Qwen2.5-0.5B-Instruct")).to_be_visible()


def test_a_task_of_ones_own_says_what_its_model_is_made_for(small: str, visit: Visit) -> None:
    page = visit(small)
    write_prompt(page)
    save(page, "Slogans")  # it was not measured, whatever its name
    remark = page.locator("#seen .remark")
    expect(remark).to_be_hidden()
    in_chinese(page)
    expect(remark).to_contain_text("并非为中文")
    expect(remark).not_to_contain_text("实测")


def test_english_texts_of_a_model_that_nobody_measured_have_no_note(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    from_seed(page, 0)
    generate(page)
    expect(card(page, 1).locator(".finish").first).to_be_visible()
    expect(page.locator(".remark:visible")).to_have_count(0)
    in_chinese(page)
    expect(page.locator("#seen .seen-count")).not_to_be_empty()
    expect(page.locator("#seen .remark")).to_be_hidden()
