"""The tab Batch in a browser: a file through a task, paused, found again after a reload, resumed, and downloaded."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Site, Visit
from tests.ui.scripted_page import HOSTILE

pytestmark = pytest.mark.browser
ROWS = 24


def write_rows(folder: Path) -> Path:
    products = [f"Tea {number}" for number in range(1, ROWS + 1)]
    products[2], products[4] = "", "=1+1"
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Product", "note"], *([product, HOSTILE] for product in products)])
    return path


def open_tab(page: Page) -> Any:
    page.locator("nav [data-tab=batch]").click()
    return page.locator("#batch")


def choose(page: Page, path: Path) -> None:
    page.locator("#batch input[type=file]").set_input_files(path)


def download(page: Page, kind: str) -> str:
    with page.expect_download() as saved:
        page.locator(f"#batch [name={kind}]").click()
    assert saved.value.suggested_filename == f"results.{kind}"
    return Path(saved.value.path()).read_text(encoding="utf-8-sig")


def test_a_file_is_run_paused_found_again_resumed_and_downloaded(serve: Site, visit: Visit, tmp_path: Path) -> None:
    url = serve("--pause", "0.05", "--rows", "8", "--data-folder", str(tmp_path / "data"))
    page = visit(url)
    tab = open_tab(page)
    choose(page, write_rows(tmp_path))
    expect(tab.locator("select[data-field=product]")).to_have_value("Product")
    tab.locator("[name=seed]").fill("0")
    tab.locator("[name=first]").click()
    expect(tab.locator(".batch-text")).to_contain_text("Night Ferry")
    expect(tab.locator(".batch-preview pre")).to_contain_text("Product: Tea 1")
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_contain_text(re.compile(r"\d of 24 rows.*tok/s"))
    tab.locator("[name=pause]").click()
    expect(tab.locator("[name=resume]")).to_be_visible()
    paused = tab.locator(".batch-words").inner_text()
    page.reload()
    expect(page.locator(".chip.ready")).to_be_visible()
    tab = open_tab(page)
    expect(tab.locator(".batch-words")).to_have_text(paused)
    expect(tab.locator("select[data-field=product]")).to_have_value("Product")
    tab.locator("[name=resume]").click()
    expect(tab.locator(".batch-words")).to_have_text("24 of 24 rows · 1 failed")
    expect(tab.locator("tr.failed")).to_contain_text("Product is empty; please fill it in.")
    lines = list(csv.reader(io.StringIO(download(page, "csv"), newline="")))
    assert lines[0] == ["Product", "note", "result", "state", "reason", "seed"]
    assert [line[5] for line in lines[1:]] == [*("0", "1"), "", *(str(seed) for seed in range(3, ROWS))]
    assert lines[5][0] == "'=1+1" and lines[3][3] == "failed"
    records = [json.loads(line) for line in download(page, "jsonl").splitlines()]
    assert [one["row"] for one in records] == list(range(1, ROWS + 1))
    assert records[4]["input"]["Product"] == "=1+1" and records[1]["texts"] == [HOSTILE]
    assert page.title() == "Playground"
    tab.locator("[name=retry]").click()
    expect(tab.locator(".batch-words")).to_have_text("24 of 24 rows · 1 failed")
    stranger = visit(url)
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
    small = tmp_path / "small.csv"
    small.write_text("a,b\n1,2\n")
    choose(page, small)
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-error").first).to_contain_text("没有列对应“产品”")
    tab.locator("select[data-field=product]").select_option("\0same")
    tab.locator("[data-field=product][name=fixed]").fill("月亮")
    tab.locator("[name=run]").click()
    expect(tab.locator(".batch-words")).to_have_text("1 / 1 行")
