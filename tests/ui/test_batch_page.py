"""The tab Batch in a browser: a file through a task, paused, stopped, killed, found again, resumed, and downloaded."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from playground import parameters
from playground.storage.database import Store, StoredJob
from playground.tables.rows import Result
from playground.tasks import user_task
from tests.ui.conftest import PATIENCE, Held, Site, Visit
from tests.ui.scripted_page import HOSTILE
from tests.ui.served import SCRIPTED, Forked, free_port
from tests.workbooks import row, text, workbook

pytestmark = pytest.mark.browser
ROWS = 24


class Server:
    """The scripted page on one port over one store, killed and started again.

    With the seeds that `hold` names it goes no further, so that nothing is a matter of speed.
    """

    def __init__(self, folder: Path) -> None:
        self.port, self.data, self.hold = free_port(), folder / "data", Held(folder / "seeds")

    def start(self) -> None:
        flags = ("--small", "--rows", "8", "--hold", str(self.hold.file), "--data-folder", str(self.data))
        self._forked = Forked(SCRIPTED, self.port, *flags)
        self.url = self._forked.url

    def kill(self) -> None:
        self._forked.end(kill=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("batch"))
    found.start()
    yield found
    found.kill()


def write_rows(folder: Path) -> Path:
    products = [f"Tea {number}" for number in range(1, ROWS + 1)]
    products[2], products[4] = "", "=1+1"
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Product", "note"], *([product, HOSTILE] for product in products)])
    return path


def write_sheet(folder: Path, count: int) -> Path:
    """An XLSX file whose columns are not called what the task calls its fields."""
    book = openpyxl.Workbook()
    for line in (["SKU", "What is sold", "price"], *([number, f"茶 {number}", 2.5] for number in range(1, count + 1))):
        book.active.append(line)
    book.save(folder / "rows.xlsx")
    return folder / "rows.xlsx"


def kept_job(server: Server, page: Page) -> tuple[StoredJob, list[Result]]:
    """What the store holds of the job to which this browser has the key."""
    store, key = Store(server.data), page.evaluate("localStorage['playground-batch']")
    job, results = store.job(key), store.results(key)
    store.close()
    assert job is not None
    return job, results


def keep_broken(page: Page) -> None:
    """An own task in this browser's store, as another tab would put it there, that no server reads any more."""
    own = user_task.write("Broken", user_task.free("About {{product}}:"), {}, parameters.validate({}), "en")
    texts = {"title": {"en": "Broken", "zh": "坏"}, "group": {"en": "My tasks", "zh": "我的任务"}}
    one = {"key": "own:a", "yaml": own.replace("group: write", "group: poems"), "record": {**texts, "fields": []}}
    page.evaluate("one => localStorage.setItem('playground-own-tasks', JSON.stringify([one]))", one)
    page.evaluate("dispatchEvent(new StorageEvent('storage', {key: 'playground-own-tasks'}))")


def open_tab(page: Page) -> Any:
    page.locator("nav [data-tab=batch]").click()
    tab = page.locator("#batch")
    expect(tab.locator("h2")).to_be_visible()  # it has begun
    return tab


def choose(page: Page, path: Path) -> None:
    page.locator("#batch input[type=file]").set_input_files(path)


def download(page: Page, kind: str) -> str:
    with page.expect_download() as saved:
        page.locator(f"#batch [name={kind}]").click()
    assert saved.value.suggested_filename == f"results.{kind}"
    return Path(saved.value.path()).read_text(encoding="utf-8-sig")


def records(page: Page) -> list[dict[str, Any]]:
    return [json.loads(line) for line in download(page, "jsonl").splitlines()]


def test_a_file_is_run_paused_found_again_resumed_and_downloaded(server: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(server.url)
    tab = open_tab(page)
    choose(page, write_rows(tmp_path))
    expect(tab.locator("select[data-field=product]")).to_have_value("Product")
    tab.locator("[name=seed]").fill("0")
    tab.locator("[name=first]").click()
    expect(tab.locator(".batch-text")).to_contain_text("Night Ferry")
    expect(tab.locator(".batch-preview pre")).to_contain_text("Product: Tea 1")
    server.hold(*range(9, ROWS))
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_contain_text(re.compile(r"9 of 24 rows.*tok/s"))
    tab.locator("[name=pause]").click()
    expect(tab.locator("[name=pause]")).to_be_disabled()
    server.hold()
    resume, again = tab.locator("[name=resume]"), tab.locator("[name=run]")
    expect(resume).to_have_text("Resume")
    expect(resume).to_have_class("go")
    expect(again).to_have_class("halt")
    expect(tab.locator(".batch-words")).to_have_text(re.compile(r"^Paused: \d+ of 24 rows done"))
    paused = tab.locator(".batch-words").inner_text()
    again.click()
    expect(tab.locator(".batch-sure")).to_contain_text("They are deleted, and all rows are written again.")
    expect(tab.locator("[name=unsure]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(tab.locator(".batch-sure")).to_be_hidden()
    expect(tab.locator(".batch-words")).to_have_text(paused)
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    tab = open_tab(page)
    expect(tab.locator(".batch-words")).to_have_text(paused)
    expect(tab.locator(".batch-file b")).to_have_text("rows.csv")
    expect(tab.locator("[name=seed]")).to_have_value("0")
    expect(tab.locator("select[data-field=product]")).to_have_value("Product")
    tab.locator("[name=resume]").click()
    expect(tab.locator(".batch-words")).to_have_text("Finished: 24 of 24 rows · 1 failed")
    expect(tab.locator("tr.failed")).to_contain_text("Product is empty; please fill it in.")
    lines = list(csv.reader(io.StringIO(download(page, "csv"), newline="")))
    assert lines[0] == ["Product", "note", "result", "state", "reason", "seed", "model", "revision", "remark"]
    assert [line[5] for line in lines[1:]] == [*("0", "1"), "", *(str(seed) for seed in range(3, ROWS))]
    assert lines[5][0] == "'=1+1" and lines[3][3] == "failed"
    found = records(page)
    assert [one["row"] for one in found] == list(range(1, ROWS + 1))
    assert found[4]["input"]["Product"] == "=1+1" and found[1]["texts"] == [HOSTILE]
    assert page.title().endswith(" · Playground")
    tab.locator("[name=retry]").click()
    expect(tab.locator(".batch-words")).to_have_text("Finished: 24 of 24 rows · 1 failed")
    tab.locator("[name=seed]").fill("1")
    tab.locator("[name=run]").click()
    tab.locator("[name=sure]").click()
    expect(tab.locator("tbody td:last-child").first).to_have_text(HOSTILE)
    expect(tab.locator(".batch-words")).to_have_text("Finished: 24 of 24 rows · 1 failed")
    choose(page, write_sheet(tmp_path, 1))  # the new results were not downloaded
    expect(tab.locator(".batch-sure")).to_contain_text("Results of rows.csv that were not downloaded: 24.")
    tab.locator("[name=unsure]").click()
    expect(tab.locator("tr.done")).to_have_count(ROWS - 1)
    choose(page, write_sheet(tmp_path, 1))
    tab.locator("[name=sure]").click()
    expect(tab.locator("[name=run]")).to_have_text("Run 1 row")
    expect(tab.locator(".batch-file b")).to_have_text("rows.xlsx")
    expect(tab.locator("tr.waiting td").nth(2)).to_have_text("not run yet")
    stranger = visit(server.url)
    expect(open_tab(stranger).locator(".batch-job")).to_be_hidden()


def test_what_is_wrong_with_a_file_or_a_form_is_said_in_place(serve: Site, visit: Visit, tmp_path: Path) -> None:
    flags = ("--limit-batch-rows", "23", "--limit-batch-size", "50KB", "--data-folder", str(tmp_path / "data"))
    page = visit(serve(*flags), locale="zh-CN", viewport={"width": 390, "height": 844})
    tab = open_tab(page)
    choose(page, write_rows(tmp_path))
    expect(tab.locator(".batch-error").first).to_have_text("第 24 行超出上限：最多允许 23 行。请拆分文件。")
    large = tmp_path / "large.csv"
    large.write_text("product\n" + "x" * 60_000)
    choose(page, large)
    expect(tab.locator(".batch-error").first).to_contain_text("最多允许 50 kB")
    expect(tab.locator(".batch-file b")).to_have_text("large.csv")
    tab.locator("[name=sample]").click()
    expect(tab.locator("[name=run]")).to_have_text("运行 3 行")
    expect(tab.locator(".batch-file b")).to_have_text("示例.csv")
    expect(tab.locator("select[data-field=tone]")).to_have_value("语气")
    texts, sentence = tab.locator("[name=n]"), "每行生成条数：请输入 1 到 16 的整数。"
    texts.fill("-1")
    tab.locator("[name=first]").click()
    expect(tab.locator(".batch-preview")).to_have_text(sentence)
    texts.fill("0")
    expect(tab.locator(".batch-preview")).to_be_hidden()
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-error").first).to_have_text(sentence)
    texts.fill("1")
    expect(tab.locator(".batch-error").first).to_be_hidden()
    choose(page, large)
    expect(tab.locator(".batch-job")).to_be_hidden()  # what is not spoken of cannot be run by mistake
    tab.locator("[name=last-file]").click()
    expect(tab.locator("[name=run]")).to_be_visible()
    (tmp_path / "none.csv").write_text("a,b\n1,2,3\n")
    choose(page, tmp_path / "none.csv")
    expect(tab.locator("[name=run]")).to_be_disabled()
    expect(tab.locator(".batch-words")).to_contain_text("没有可运行的内容")
    small = tmp_path / "small.csv"
    small.write_text("a,b\n1,2\n")
    choose(page, small)
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-error").first).to_contain_text("没有列对应“产品”")
    tab.locator("select[data-field=product]").select_option("\0same")
    tab.locator("[data-field=product][name=fixed]").fill("月亮")
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_contain_text("1 / 1 行")


def test_a_sheet_is_mapped_stopped_in_the_middle_and_gone_on_with(server: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(server.url)
    tab = open_tab(page)
    choose(page, write_sheet(tmp_path, 8))
    tab.locator("select[data-field=product]").select_option("What is sold")
    expect(tab.locator(".batch-cell").first).to_have_text("茶 1")
    tab.locator("[name=seed]").fill("0")
    server.hold(3, 4, 5)
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_contain_text("5 of 8 rows")
    tab.locator("[name=halt]").click()
    expect(tab.locator("[name=resume]")).to_be_visible()
    expect(tab.locator(".batch-words")).to_have_text("Paused: 5 of 8 rows done")
    expect(tab.locator("tr.waiting td:first-child")).to_have_text(["4", "5", "6"])
    server.hold(0, 1, 2, 6, 7)  # were one of these written again, it would not end
    tab.locator("[name=resume]").click()
    expect(tab.locator(".batch-words")).to_have_text("Finished: 8 of 8 rows")
    server.hold()
    found = records(page)
    assert [(one["row"], one["seed"], one["state"]) for one in found] == [
        (number, number - 1, "done") for number in range(1, 9)
    ]
    assert found[6]["input"] == {"SKU": "7", "What is sold": "茶 7", "price": "2.5"}


def test_what_a_file_does_not_tell_is_chosen_and_its_refused_rows_are_shown(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    page = visit(server.url)
    tab = open_tab(page)
    rows = (row(1, text("A1", "Product name"), text("B1", "product label")), row(2, text("A2", HOSTILE)),
            row(3, '<c r="A3"><f>B9</f></c>'), row(4, text("A4", "Tea")))  # fmt: skip
    (tmp_path / "rows.xlsx").write_bytes(workbook(*rows, sheets={"One": "visible", "Zwei": "visible", "Old": "hidden"}))
    choose(page, tmp_path / "rows.xlsx")
    expect(tab.locator(".batch-error").first).to_contain_text("several sheets: One, Zwei")
    expect(tab.locator(".batch-choices button")).to_have_text(["One", "Zwei"])
    tab.locator(".batch-choices button", has_text="Zwei").click()
    expect(tab.locator(".batch-refused")).to_contain_text("Row 2: The formula in A3 was saved without its value.")
    expect(tab.locator(".batch-choices")).to_be_hidden()
    expect(tab.locator("tr.refused")).to_contain_text("The formula in A3")
    product = tab.locator("select[data-field=product]")
    expect(product).to_have_value("")  # two columns may be meant
    expect(product.locator("option").first).to_have_text("Choose: Product name / product label")
    product.select_option("Product name")
    expect(tab.locator("[name=run]")).to_have_text("Run 2 rows")
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_have_text("Finished: 2 of 2 rows · 1 of 3 in the file cannot be used")
    assert [one["state"] for one in records(page)] == ["done", "refused", "done"]
    (tmp_path / "tie.csv").write_text("product;a,b\nTea;1,2\n", encoding="utf-8")
    choose(page, tmp_path / "tie.csv")
    expect(tab.locator(".batch-choices button")).to_have_text(
        ["comma: product;a | b / Tea;1 | 2", "semicolon: product | a,b / Tea | 1,2"]
    )
    tab.locator(".batch-choices button").nth(1).click()
    expect(product).to_have_value("product")


def test_a_model_that_falls_short_is_spoken_of_before_and_its_strange_rows_after(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    page = visit(server.url, locale="zh-CN")
    page.locator("[data-path=exact]").click()
    tab = open_tab(page)
    expect(tab.locator(".batch-path")).to_have_text("走精确路径，逐行生成（在“体验”页选择）")
    (tmp_path / "rows.csv").write_text("产品\n茶\nA pot of green tea for two or three\n咖啡\n", encoding="utf-8")
    choose(page, tmp_path / "rows.csv")
    remark = tab.locator(".batch-job > .remark")
    expect(remark).to_contain_text("并非为中文")
    expect(remark.locator("a")).to_have_text("查看模型")
    tab.locator("[name=seed]").fill("0")
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_have_text("已完成：3 / 3 行 · 2 行不是中文")
    expect(tab.locator("tr .remark")).to_have_text(["不是中文"] * 2)  # who writes English gets English
    page.locator("button[name=language]").click()
    expect(tab.locator(".batch-words")).to_have_text("Finished: 3 of 3 rows · 2 not in Chinese")
    expect(remark).to_contain_text("falls short of this task")
    assert [one["remark"] for one in records(page)] == ["not in Chinese", None, "not in Chinese"]
    assert kept_job(server, page)[0].plan["path"] == "exact"


def test_a_server_that_is_killed_has_lost_nothing_and_writes_no_row_twice(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    with browser.new_context(locale="en-US") as visitor:  # one whose console may complain of a server that is gone
        visitor.set_default_timeout(PATIENCE)
        page = visitor.new_page()
        page.goto(server.url)
        tab = open_tab(page)
        choose(page, write_rows(tmp_path))
        expect(tab.locator("select[data-field=product]")).to_have_value("Product")
        tab.locator("[name=seed]").fill("0")
        server.hold(*range(9, ROWS))
        tab.locator("[name=run]").click()
        expect(tab.locator(".batch-words")).to_contain_text("9 of 24 rows")
        server.kill()
        job, before = kept_job(server, page)
        assert job.plan["path"] == "fast"
        assert [one.state for one in before] == [*["done"] * 2, "failed", *["done"] * 6, *["waiting"] * (ROWS - 9)]
        server.hold(*range(9))  # were one of these written again, it would not end
        page.close()  # an open one would reload itself at some moment
        server.start()
        page = visitor.new_page()
        page.goto(server.url)
        expect(page.locator(".chip.ready")).to_be_visible()
        tab = open_tab(page)
        expect(tab.locator(".batch-words")).to_have_text("Paused: 9 of 24 rows done · 1 failed")
        tab.locator("[name=resume]").click()
        expect(tab.locator(".batch-words")).to_have_text("Finished: 24 of 24 rows · 1 failed")
        server.hold()
        found = records(page)
        assert [one["row"] for one in found] == list(range(1, ROWS + 1))
        assert [one["seed"] for one in found] == [0, 1, None, *range(3, ROWS)]
        assert [one["texts"] for one in found[:9]] == [list(one.texts) for one in before[:9]]
        assert all(one["texts"][0] for one in found if one["row"] != 3)


def test_an_own_task_is_chosen_mapped_run_and_still_known_when_its_browser_has_deleted_it(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    page = visit(server.url)
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("About {{hero}} and {{product}} in {{地点}}:")
    for name, value in (("hero", HOSTILE), ("product", "tea"), ("地点", "杭州")):
        page.locator(f"[data-variable][name={name}]").fill(value)
    page.locator(".user-tasks [name=keep]").click()
    page.locator(".user-tasks [name=title]").fill("Fox <b>story</b>")
    page.locator("[data-panel=title] [name=save]").click()
    tab = open_tab(page)
    choose(page, write_rows(tmp_path))
    tab.locator("[name=task]").select_option(label="Fox <b>story</b>")
    expect(tab.locator("optgroup[label='My tasks'] option")).to_have_count(1)
    expect(tab.locator("select[data-field=product]")).to_have_value("Product")
    tab.locator("select[data-field=hero]").select_option("note")
    tab.locator("select[data-field=地点]").select_option("\0same")
    tab.locator("[data-field=地点][name=fixed]").fill("杭州")
    tab.locator("[name=first]").click()
    expect(tab.locator(".batch-preview pre")).to_have_text(f"About {HOSTILE} and Tea 1 in 杭州:")
    server.hold(9)
    tab.locator("[name=seed]").fill("0")
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_contain_text("23 of 24 rows")
    tab.locator("[name=halt]").click()
    server.hold()
    page.locator("nav [data-tab=play]").click()
    page.locator(".user-tasks [name=delete]").click()
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    tab = open_tab(page)
    expect(tab.locator("[name=task] option:checked")).to_have_text("Fox <b>story</b>")
    expect(tab.locator("select[data-field=hero]")).to_have_value("note")
    expect(tab.locator("[data-field=地点][name=fixed]")).to_have_value("杭州")
    tab.locator("[name=resume]").click()
    expect(tab.locator(".batch-words")).to_have_text("Finished: 24 of 24 rows · 1 failed")
    keep_broken(page)
    tab.locator("[name=task]").select_option(label="Broken")
    expect(tab.locator(".batch-error").first).to_contain_text("task.yaml, line 2, group")
    tab.locator("[name=run]").click()
    tab.locator("[name=sure]").click()
    expect(tab.locator(".batch-error").first).to_contain_text("task.yaml, line 2, group")
    expect(tab.locator("[name=run]")).to_be_enabled()
    expect(tab.locator("tr.done")).to_have_count(ROWS - 1)
    assert page.title().endswith(" · Playground")
