"""The chain's order as a list of its stages: moved by keys, mouse and finger; every move is a value like any other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from playground import parameters
from playground.parameters.inert import inert
from playground.ui.knobs import stage_records
from tests.ui.conftest import Visit, generate

browsing = pytest.mark.browser
VALUES = "import('playground/page/board.js').then((board) => board.latest('knobs'))"
TURN = "([name, value]) => import('playground/page/board.js').then((board) => board.tell('knob', { name, value }))"


def order(page: Page) -> Locator:
    return page.locator("[data-knob=order]")


def told(page: Page) -> str:
    """The order as the panel last told it."""
    return str(page.evaluate(VALUES)["order"])


def listed(page: Page) -> list[str]:
    """The stages that are shown, from first to last."""
    return list(order(page).locator("li:visible").evaluate_all("items => items.map((item) => item.dataset.stage)"))


def stage(page: Page, name: str) -> Locator:
    return order(page).locator(f"[data-stage={name}] button")


def unfold(page: Page) -> None:
    """The list of stages is folded at first."""
    expect(order(page).locator("li:visible")).to_have_count(0)
    order(page).locator(".kn-stages-fold").click()


def turn(page: Page, **knobs: str) -> None:
    for name, value in knobs.items():
        page.evaluate(TURN, [name, float(value)])


def test_every_stage_of_the_registry_has_a_name_in_the_list() -> None:
    records = stage_records()
    assert [record["name"] for record in records] == parameters.stages("transformers")
    assert all(record["label"]["en"] and record["label"]["zh"] for record in records)


@browsing
def test_keys_move_a_stage_and_say_where_it_is(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator(".kn-neutral").click()
    unfold(page)
    expect(order(page).locator(".kn-stages-none")).to_be_visible()
    turn(page, temperature="0.9", top_p="0.9", min_p="0.05")
    assert listed(page) == ["temperature", "top_p", "min_p"]
    stage(page, "temperature").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(order(page).locator(".kn-voice")).to_have_text("Temperature: place 2 of 3.")
    page.keyboard.press("Alt+End")
    assert listed(page) == ["top_p", "min_p", "temperature"]
    assert parameters.stages(told(page)).index("temperature") > parameters.stages(told(page)).index("min_p")
    expect(stage(page, "temperature")).to_be_focused()
    before = told(page)
    page.keyboard.press("Space")
    expect(order(page).locator(".kn-voice")).to_contain_text("Temperature picked up, place 3 of 3.")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    assert listed(page) == ["temperature", "top_p", "min_p"]
    page.keyboard.press("Escape")
    assert told(page) == before
    page.keyboard.press("ArrowUp")
    expect(stage(page, "min_p")).to_be_focused()
    order(page).get_by_role("button", name="llama.cpp").click()
    assert told(page) == "llama.cpp"
    acting = ("temperature", "top_p", "min_p")
    assert listed(page) == [name for name in parameters.stages("llama.cpp") if name in acting]
    turn(page, temperature="0")
    expect(order(page).locator(".kn-stages-none")).to_be_visible()  # greedy: nothing of them acts, nor does it itself


@browsing
def test_the_list_is_always_the_order_that_python_reads(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    unfold(page)
    order(page).locator(".kn-stages-more").click()
    assert listed(page) == parameters.stages(told(page))
    for name, keys in (
        ("watermark", ["Alt+Home"]), ("temperature", ["Alt+End", "Alt+ArrowUp"]), ("guidance", ["Alt+ArrowDown"] * 3),
        ("dry", ["Space", "ArrowDown", "ArrowDown", "Space"]),
    ):  # fmt: skip
        stage(page, name).focus()
        for key in keys:
            page.keyboard.press(key)
        assert listed(page) == parameters.stages(told(page))
    order(page).get_by_role("button", name="transformers").click()
    stage(page, "temperature").focus()
    page.keyboard.press("Alt+End")
    assert told(page) == "temperature"  # only what has to be told
    page.keyboard.press("Alt+Home")
    order(page).locator(".kn-reset").click()
    assert told(page) == "transformers"


@browsing
def test_mouse_and_finger_move_a_stage(scripted: str, visit: Visit) -> None:
    page = visit(scripted, has_touch=True)
    turn(page, temperature="0.9", top_p="0.9", min_p="0.05", frequency_penalty="0", dry_multiplier="0")
    unfold(page)
    stage(page, "min_p").scroll_into_view_if_needed()
    assert listed(page) == ["temperature", "top_p", "min_p"]
    start, end = stage(page, "min_p").bounding_box(), stage(page, "temperature").bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 60, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + 4, steps=6)
    assert listed(page) == ["min_p", "temperature", "top_p"]  # at once, not when it is let go
    page.mouse.up()
    before = told(page)
    assert parameters.stages(before).index("min_p") < parameters.stages(before).index("temperature")
    touch = page.context.new_cdp_session(page)
    grip = order(page).locator("[data-stage=min_p] .kn-grip").bounding_box()
    assert grip

    def finger(kind: str, down: float) -> None:
        points = [] if kind.endswith(("End", "Cancel")) else [{"x": grip["x"] + 8, "y": grip["y"] + 10 + down}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", 0)
    for down in (10, 40, 70, 100, 130):
        finger("touchMove", down)
    expect(order(page).locator("li:visible").last).to_have_attribute("data-stage", "min_p")
    finger("touchCancel", 0)
    expect(order(page).locator(".is-held")).to_have_count(0)
    assert told(page) == before


@browsing
def test_beams_leave_no_order_and_say_why(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    turn(page, temperature="0.9", top_p="0.9", num_beams="3")
    reason = inert({**parameters.validate({}), "num_beams": 3})["order"].en
    expect(order(page).locator(".kn-why")).to_have_text(reason)
    unfold(page)
    before = told(page)
    stage(page, "temperature").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(stage(page, "temperature")).to_have_attribute("aria-disabled", "true")
    assert told(page) == before


@browsing
@pytest.mark.model
def test_a_move_shows_at_once_what_it_would_have_changed(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    page.locator(".kn-neutral").click()
    turn(page, temperature="3", min_p="0.05", max_new_tokens="12", n="1", seed="7")
    expect(page.locator(".seed-value")).to_have_value("7")
    generate(page)
    expect(page.locator("#knobs [data-knob=min_p] .kn-badge")).not_to_be_empty()
    expect(page.locator(".results .tk-replay")).to_be_hidden()
    unfold(page)
    stage(page, "temperature").focus()
    page.keyboard.press("Alt+ArrowDown")
    sentence = page.locator(".results .tk-replay p")
    expect(sentence).to_have_text(re.compile("With the present knobs and the same random draws, .* would become"))
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".results .tk-replay")).to_be_hidden()
    page.locator(".kn-preset select").select_option("neutral")  # and so does another preset, which nobody turned
    expect(page.locator("#knobs [data-knob=min_p]")).to_have_class(re.compile("is-neutral"))
    expect(sentence).to_have_text(re.compile("With the present knobs"))
    turned = page.locator(".kn-preset select option").evaluate_all("all => all.map(({ value }) => value)")
    page.locator(".kn-preset select").select_option(next(one for one in turned if one not in ("neutral", "")))
    expect(page.locator("#knobs .kn-badge:not(:empty)").first).to_contain_text("would")
