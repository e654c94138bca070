"""The form of Play and its panel, in a browser: what was refused is seen, what was replaced is said and can be taken
back, and every value keeps its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import Visit, body, card, generate
from tests.ui.test_reload import knobs, settled, turn

pytestmark = pytest.mark.browser
WIDTHS = [{"width": 1440, "height": 900}, {"width": 1000, "height": 700}, {"width": 390, "height": 844}]
PHONE = {"width": 390, "height": 844}
COVERED = """(names) => {
  const box = document.querySelector(".kn-help").getBoundingClientRect();
  const sheet = document.querySelector("#side").getBoundingClientRect();
  return names.filter((name) => {
    const { top, right, bottom, left } = document.querySelector(name).getBoundingClientRect();
    const [from, to] = [Math.max(top, sheet.top), Math.min(bottom, sheet.bottom)]; // what of it is to be seen
    return from < to && from < box.bottom && to > box.top && left < box.right && right > box.left;
  });
}"""


def uncovered(part: Locator) -> None:
    """All of it is within the window, and nothing stands before it."""
    expect(part).to_be_in_viewport(ratio=1)
    assert part.evaluate(
        "(node) => { const { left, top, width, height } = node.getBoundingClientRect();"
        " return [0.1, 0.9].every((share) =>"
        " node.contains(document.elementFromPoint(left + width / 2, top + height * share))); }"
    )


@pytest.mark.parametrize("size", WIDTHS, ids=lambda size: str(size["width"]))
def test_what_is_refused_comes_into_sight_at_its_field_and_is_read_aloud(
    tiny_site: str, visit: Visit, size: dict[str, int]
) -> None:
    page = visit(tiny_site, viewport=size | {"height": 480})
    page.locator("[data-kind=chat]").click()
    settled(page)
    page.locator("[data-for=chat] [name=system]").fill("\n".join(["Be brief."] * 40))
    page.locator(".seen summary").click()
    page.locator("#cards").evaluate("(cards) => cards.scrollIntoView({ block: 'end' })")
    message = page.locator("[data-for=chat] [name=message]")
    expect(message).not_to_be_in_viewport()
    page.locator("button[name=generate]").click()
    error = page.locator("[data-for=chat] [data-field=message] .field-error")
    expect(error).to_have_text(re.compile("The message is empty"))
    uncovered(error)
    expect(error).to_have_role("alert")
    expect(message).to_be_focused()
    expect(page.locator(".act-notice")).to_be_hidden()


@pytest.mark.parametrize("size", WIDTHS, ids=lambda size: str(size["width"]))
def test_what_is_refused_of_a_knob_is_seen_beside_generate_and_can_be_put_away(
    tiny_site: str, visit: Visit, size: dict[str, int]
) -> None:
    page = visit(tiny_site, viewport=size)
    page.locator("[data-kind=complete]").click()
    settled(page)
    prompt = page.locator("#prompt")
    prompt.fill("\n".join(["Once"] * 60))
    turn(page, one_of=["a", "b"], regex="[ab]")
    prompt.press("Control+Enter")
    notice = page.locator(".act-notice.complaint")
    expect(notice).to_be_visible()
    uncovered(notice.get_by_role("alert"))
    expect(prompt).to_be_focused()  # nobody is torn from what he types
    page.locator("button[name=generate]").click()
    expect(notice).to_be_visible()
    uncovered(notice.get_by_role("alert"))
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_be_hidden()
    expect(page.locator("button[name=generate]")).to_be_focused()


def test_what_another_task_does_to_the_knobs_is_said_and_taken_back(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    line = page.locator(".kn-replaced")
    expect(line).to_be_hidden()
    settled(page)
    turn(page, temperature=1.3, min_p=0.2)
    before = knobs(page)
    page.locator(".task-picker").select_option("summary")
    expect(line).to_contain_text(re.compile(r"^\d+ knobs changed: .*[Tt]emperature 1\.3 → "))
    after = knobs(page)
    changed = sum(before[name] != after[name] for name in before)
    expect(line).to_contain_text(f"{changed} knobs")
    expect(page.locator(".compose-replaced")).to_be_hidden()  # the panel is beside it
    turn(page, top_p=0.31)
    page.locator("button[name=language]").click()
    expect(line).to_contain_text(f"{changed} 项参数已改变：")
    expect(page.locator(".task-picker")).to_have_value("summary")
    line.get_by_role("button", name="撤销").click()
    expect(line).to_be_hidden()
    expect(page.locator("#knobs [data-knob=temperature] input[type=range]")).to_have_value("1.3")
    settled(page)
    assert knobs(page) == before | ({"top_p": 0.31} if before["top_p"] == after["top_p"] else {})


def test_what_a_preset_does_to_the_knobs_is_taken_back_with_its_name(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    line, presets = page.locator(".kn-replaced"), page.locator(".kn-preset select")
    settled(page)
    turn(page, temperature=1.25)
    before, chosen = knobs(page), presets.input_value()
    presets.select_option("precise")
    expect(line).to_contain_text("knobs changed: ")  # the first of them by name
    line.get_by_role("button", name="Undo").click()
    expect(presets).to_have_value(chosen)
    expect(presets).to_be_focused()
    expect(page.locator(".kn-changed")).to_have_text("changed")
    settled(page)
    assert knobs(page) == before
    page.locator(".kn-neutral").click()
    expect(line).to_contain_text("1.25 → 1")
    line.get_by_role("button", name="Undo").click()
    expect(page.locator("#knobs [data-knob=temperature] input[type=range]")).to_have_value("1.25")
    settled(page)
    assert knobs(page) == before
    page.locator(".kn-restore").click()
    expect(line).to_contain_text("1 knob changed: ")
    generate(page)
    expect(line).to_be_hidden()  # what was generated was generated with them


def test_on_a_phone_the_form_says_what_became_of_the_knobs(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site, viewport=PHONE, locale="zh-CN")
    line = page.locator(".compose-replaced")
    settled(page)
    before = knobs(page)
    page.locator("[data-kind=complete]").click()
    expect(line).to_contain_text("项参数已改变：")
    uncovered(line)
    line.get_by_role("button", name="撤销").click()
    expect(line).to_be_hidden()
    expect(page.locator("[data-kind=complete]")).to_be_focused()
    settled(page)
    assert knobs(page) == before


def test_an_address_that_names_a_task_replaces_no_knobs_that_anybody_saw(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    page.goto(f"{tiny_site}#play/task/poems")
    page.reload()
    expect(page.locator(".task-picker")).to_have_value("poems")
    settled(page)
    expect(page.locator(".kn-replaced")).to_be_hidden()
    page.reload()
    settled(page)
    expect(page.locator(".kn-replaced")).to_be_hidden()


@pytest.mark.parametrize("size", [WIDTHS[0], PHONE], ids=lambda size: str(size["width"]))
def test_a_folded_form_still_names_its_values(tiny_site: str, visit: Visit, size: dict[str, int]) -> None:
    page = visit(tiny_site, viewport=size)
    generate(page)
    expect(page.locator("#compose.folded")).to_have_count(1)
    product = page.locator("[data-field=product]")
    label, value = product.locator(".field-label"), product.locator("input")
    expect(label).to_have_text("Product")
    expect(product).to_have_attribute("title", "Product")
    expect(page.get_by_label("Product")).to_have_value("Blue Moon")
    one, two = label.bounding_box(), value.bounding_box()
    assert one is not None and two is not None
    assert one["width"] > 40 and one["x"] + one["width"] <= two["x"]  # beside it, on one line
    assert abs(one["y"] + one["height"] / 2 - two["y"] - two["height"] / 2) < 4
    clipped = page.locator("#compose .field-label:visible").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    )
    assert clipped == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    value.focus()
    expect(page.locator("#compose.folded")).to_have_count(0)


CHANGE = """(field) => {
  field.value += "!";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return document.querySelector(".seen-changed").checkVisibility();
}"""


def test_tokens_of_a_prompt_that_has_changed_are_old_from_the_first_key_on(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    page.locator("[data-kind=complete]").click()
    prompt, tokens = page.locator("#prompt"), page.locator("#seen-tokens .tk-token")
    prompt.fill("A fox ran")
    settled(page)
    page.locator(".seen summary").click()
    page.locator(".seen [name=tokens]").click()
    expect(tokens).to_contain_text(["A", "fox", "ran"])
    old = page.locator(".seen-changed")
    expect(old).to_be_hidden()
    assert prompt.evaluate(CHANGE)
    expect(old).to_contain_text("these are the tokens of the one before")
    assert page.locator("#seen-tokens .tk-text").evaluate("(text) => getComputedStyle(text).filter") == "grayscale(1)"
    old.get_by_role("button").click()  # perhaps before the server has counted
    expect(tokens.last).to_contain_text("!")
    expect(old).to_be_hidden()
    turn(page, temperature=0.7)  # says nothing of the prompt
    assert page.evaluate("!document.querySelector('.seen-changed').checkVisibility()")
    assert prompt.evaluate(CHANGE)
    prompt.fill("A fox ran!")  # as it was when it was read
    expect(old).to_be_hidden()


def test_a_count_of_an_older_text_that_comes_late_says_nothing_of_the_tokens(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    page.locator("[data-kind=complete]").click()
    prompt, tokens = page.locator("#prompt"), page.locator("#seen-tokens .tk-token")
    settled(page)
    page.locator(".seen summary").click()
    page.locator(".seen [name=tokens]").click()
    expect(page.locator(".seen.stale")).to_have_count(0)
    held: list[Route] = []
    page.route("**/queue/join**", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/queue/join**"):
        prompt.fill("A fox ran")
    assert prompt.evaluate(CHANGE)
    page.locator(".seen-changed").get_by_role("button").click()
    expect(tokens.last).to_contain_text("!")
    held[0].continue_()
    expect(page.locator(".seen.stale")).to_have_count(0)
    expect(page.locator(".seen-text")).to_have_text("A fox ran!")
    assert page.evaluate("!document.querySelector('.seen-changed').checkVisibility()")


def test_the_example_says_that_it_is_one_and_a_text_of_ones_own_opens(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    cursor = "(text) => getComputedStyle(text).cursor"
    title = page.locator(".results-title")
    expect(title).to_contain_text(
        re.compile("^Example, made by .*Press Generate to write a text whose words you can open")
    )
    assert body(page).evaluate(cursor) == "auto"
    body(page).click(position={"x": 20, "y": 16})
    expect(page.locator("#waterfall .wf")).to_be_hidden()
    generate(page)
    assert body(page).evaluate(cursor) == "pointer"
    body(page).click(position={"x": 20, "y": 16})
    expect(page.locator("#waterfall .wf-title")).to_be_visible()
    page.locator("[name=as-text]").click()
    card(page).locator("[name=edit]").click()
    card(page).locator(".card-edit").fill("By hand")
    card(page).locator(".card-edit").press("Control+Enter")
    expect(body(page)).to_have_text("By hand")
    assert body(page).evaluate(cursor) == "auto"


def test_on_a_phone_the_help_of_a_knob_covers_neither_its_row_nor_the_head_of_the_sheet(
    tiny_site: str, visit: Visit
) -> None:
    page = visit(tiny_site, viewport=PHONE)
    page.locator("button[name=knobs]").click()
    box = page.locator(".kn-help")
    for name in ("temperature", "top_p", "repetition_penalty", "max_new_tokens"):
        sign = page.locator(f"[data-knob={name}] .kn-q")
        sign.scroll_into_view_if_needed()
        sign.click()
        expect(box).to_be_in_viewport(ratio=1)
        assert page.evaluate(COVERED, [".drawer-bar", ".kn-head", f"[data-knob={name}] .kn-label"]) == []
        assert box.evaluate("(box) => box.clientHeight") > 120
        page.keyboard.press("Escape")
        expect(box).to_be_hidden()


def test_the_sign_for_help_is_large_enough_and_makes_no_row_taller(tiny_site: str, visit: Visit) -> None:
    page = visit(tiny_site)
    row = page.locator("[data-knob=temperature]")
    height = "(row) => row.querySelector('.kn-label').getBoundingClientRect().height"
    sign = row.locator(".kn-q").bounding_box()
    assert sign is not None and sign["width"] >= 24 and sign["height"] >= 24
    with_sign = row.evaluate(height)
    row.locator(".kn-q").evaluate("(sign) => sign.remove()")
    assert row.evaluate(height) == with_sign


@contextmanager
def held_back(page: Page) -> Iterator[None]:
    """What the page asks of the server here reaches it only afterwards."""
    held: list[Route] = []
    over = False
    page.route("**/queue/join**", lambda route: route.continue_() if over else held.append(route))
    yield
    over = True
    for route in held:
        route.continue_()
    settled(page)


def test_what_is_turned_while_a_tasks_knobs_are_on_their_way_stays(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    settled(page)
    preset = page.locator(".kn-preset select option:checked")
    with held_back(page):
        page.locator(".task-picker").select_option("poems")
        turn(page, top_p=0.9)
    expect(preset).to_have_text("Poems")
    now = knobs(page)
    assert (now["top_p"], now["min_p"], now["presence_penalty"]) == (0.9, 0.08, 0.3)
    with held_back(page):
        page.locator(".task-picker").select_option("slogans")
        page.locator(".kn-neutral").click()
    expect(preset).to_have_text("Slogans")
    expect(page.locator(".kn-count")).to_have_text("0 active")


def test_the_head_of_a_run_names_a_preset_that_is_not_the_tasks_own(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    settled(page)
    generate(page)
    name = page.locator(".run-name")
    expect(name).to_contain_text("Fast")
    assert "Creative" not in name.inner_text() and name.inner_text().count("Slogans") == 1
    page.locator(".kn-preset select").select_option("creative")
    expect(page.locator(".kn-preset select")).to_have_value("creative")
    generate(page)
    expect(name).to_contain_text("Run 2")
    expect(name).to_contain_text("Creative")
    page.locator("button[name=language]").click()
    expect(name).not_to_contain_text("Creative")
