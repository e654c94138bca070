"""Texts that are held to a form, on the page: drawn as tables and records by tasks, and asked for with the knobs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.test_tasks import SMALL
from tests.ui.conftest import Visit, body, card, generate, tokens_of
from tests.ui.test_play import free_prompt
from tests.ui.test_user_tasks import bring, open_mine

LONG = 120_000  # milliseconds: the real model may be slow on a busy machine
pytestmark = [pytest.mark.browser, pytest.mark.model]
HOSTILE = "<img src=x>"
PLACE = {"city": "Bern"}
RECORD = json.dumps(
    {
        "kind": "json",
        "schema": {
            "type": "object",
            "properties": {
                "tone": {"enum": ["calm", "glad"]},
                "tags": {"type": "array", "prefixItems": [{"const": "tea"}, {"const": HOSTILE}], "items": False,
                         "minItems": 2},
                "place": {"const": PLACE},
                "open": {"const": True},
            },
            "required": ["tone", "tags", "place", "open"],
            "additionalProperties": False,
        },
        "labels": {"tone": {"en": "Tone", "zh": "语气"}, "tags": {"en": HOSTILE, "zh": "标签"}},
    }
)  # fmt: skip
ROWS = json.dumps(
    {
        "kind": "table",
        "each": "theme",
        "columns": [
            {"name": "day", "label": {"en": "Day", "zh": "日"}},
            {"name": "plan", "label": {"en": HOSTILE, "zh": "计划"}, "choices": {"en": [HOSTILE], "zh": [HOSTILE]}},
        ],
    }
)


def written(page: Page, folder: Path, output: str) -> None:
    """What the model writes for a task of one's own with this output."""
    long = SMALL.replace("temperature: 0.5", "temperature: 0.5\n  max_new_tokens: 150")
    bring(page, folder, long.replace("{kind: text}", output).replace("type: text", "type: list"))
    open_mine(page, "Small")
    page.locator("[data-for=task] [name=theme]").fill("Mon, Tue")
    generate(page, LONG)
    expect(card(page).locator(".finish")).to_contain_text("end of text")


def test_json_is_drawn_as_a_record_and_copied_as_it_is(embedded_page: str, visit: Visit, tmp_path: Path) -> None:
    page = visit(embedded_page, permissions=["clipboard-read", "clipboard-write"])
    written(page, tmp_path, RECORD)
    heads, cells = body(page).locator("th[scope=row]"), body(page).locator("td")
    expect(heads).to_have_text(["Tone", HOSTILE, "place", "open"])
    tone = cells.first.inner_text()
    assert tone in ("calm", "glad")
    expect(cells).to_have_text([tone, f"tea, {HOSTILE}", json.dumps(PLACE), "true"])
    page.locator("button[name=language]").click()
    expect(heads).to_have_text(["语气", "标签", "place", "open"])
    expect(cells.nth(1)).to_have_text(f"tea、{HOSTILE}")
    card(page).locator("button[name=copy]").click()
    expect(card(page).locator("button[name=copy].done")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied) == {"tone": tone, "tags": ["tea", HOSTILE], "place": PLACE, "open": True}
    card(page).locator("button[name=plain]").click()
    assert body(page).text_content() == copied
    assert body(page).locator("img").count() == 0


def test_a_table_is_drawn_with_its_heads_and_rows_and_copied_for_a_spreadsheet(
    embedded_page: str, visit: Visit, tmp_path: Path
) -> None:
    page = visit(embedded_page, permissions=["clipboard-read", "clipboard-write"])
    written(page, tmp_path, ROWS)
    expect(body(page).locator("th[scope=col]")).to_have_text(["Day", HOSTILE])
    expect(body(page).locator("tbody tr").nth(1).locator("td")).to_have_text(["Tue", HOSTILE])
    card(page).locator("button[name=copy]").click()
    expect(card(page).locator("button[name=copy].done")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"Day\t{HOSTILE}\nMon\t{HOSTILE}\nTue\t{HOSTILE}"
    assert body(page).locator("img").count() == 0


def knob(page: Page, name: str) -> Locator:
    """The row of a knob, which stands in a group that may be folded."""
    page.locator(".kn-find").fill(name)
    return page.locator(f"#knobs [data-knob={name}]")


def held(page: Page, name: str, label: str, form: str) -> str:
    """What the model writes when this form is typed; below, the first token's stages say what it cut."""
    area = knob(page, name).locator("textarea")
    area.fill(form)
    area.blur()
    generate(page, LONG)
    expect(card(page).locator(".finish")).to_have_text("end of text")
    tokens_of(page).first.click()
    stage = page.locator("#waterfall .wf-stage").filter(has=page.locator("code", has_text="form"))
    expect(stage.locator("h4")).to_contain_text(label)
    expect(stage).to_contain_text(re.compile(r"tokens left 49,152 → [\d,]+"))
    knob(page, name).locator("textarea").fill("")
    page.locator("[name=as-text]").click()
    return str(body(page).inner_text())


def test_a_form_that_is_typed_holds_the_text_and_shows_in_the_x_ray(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    free_prompt(page, "Tea or milk?")
    assert held(page, "one_of", "One of these", "green tea\ncold milk") in ("green tea", "cold milk")
    assert re.fullmatch(r"[A-Z][a-z]{2,4} [0-9]", held(page, "regex", "Regular", r"[A-Z][a-z]{2,4} \d"))
    schema = {"type": "array", "items": {"enum": ["tea", "milk"]}, "minItems": 1, "maxItems": 2}
    found = json.loads(held(page, "json_schema", "JSON schema", json.dumps(schema)))
    assert 1 <= len(found) <= 2 and {*found} <= {"tea", "milk"}


def test_a_form_that_cannot_be_read_is_told_beside_its_knob(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    free_prompt(page, "Tea or milk?")
    one = knob(page, "json_schema")
    one.locator("textarea").fill('{"type": "<b>strin</b>"}')
    generate(page, LONG)
    error = one.locator(".kn-error")
    expect(error).to_contain_text("JSON schema: ")
    expect(page.locator(".act .complaint")).to_have_text(error.inner_text())  # on a phone the knobs are out of sight
    assert error.locator("b").count() == 0 and "\n" not in error.inner_text()
    one.locator("textarea").fill('{"type": "string",')
    expect(error).to_be_empty()
    generate(page, LONG)
    expect(error).to_contain_text("is not valid JSON")
    page.locator("button[name=language]").click()
    expect(error).to_contain_text("不是有效的 JSON")
    one.locator("textarea").fill("")
    expect(error).to_be_empty()
