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
    expect(remark).to_be_hidden()  # slogans in English were measured well
    in_chinese(page)
    expect(remark).to_contain_text("并非为中文")
    expect(remark).to_contain_text("Qwen2.5 0.5B Instruct（988 MB，约需 1.2 GB 内存）")
    page.locator("[data-kind=complete]").click()
    expect(remark).to_be_hidden()  # nobody measured a free prompt
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


def test_a_text_in_another_language_has_a_note_that_stays_with_it(small: str, visit: Visit) -> None:
    page = visit(small)
    in_chinese(page)
    from_seed(page, 0)
    generate(page)
    note = card(page, 1).locator(".remark")
    expect(note).to_contain_text("要求的是中文，这段文字却不是。")
    expect(note).to_contain_text("Qwen2.5 1.5B Instruct")
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
    tab, remark = page.locator("#write"), page.locator("#write .remark")
    plan = tab.locator("[name=plan]")
    plan.fill("A keeper waits for the late ferry, and a cat waits with him.")
    expect(tab.locator("[name=forget]")).to_be_visible()
    expect(remark).to_be_hidden()
    plan.fill("守灯人等着晚到的渡轮，一只猫和他一起等。")
    expect(remark).to_contain_text("is not made for Chinese")
    expect(remark).to_contain_text("Qwen2.5 0.5B Instruct (988 MB, about 1.2 GB of memory) and Qwen2.5 1.5B Instruct")
    plan.fill("")
    expect(remark).to_be_hidden()
    tab.locator("[name=language]").select_option("zh")  # nothing typed tells, so what was chosen does
    expect(remark).to_contain_text("is not made for Chinese")
    page.locator("button[name=language]").click()
    expect(remark).to_contain_text("并非为中文")
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
