"""The place in the address, and what a reload brings back: nothing that was typed, turned or chosen on Play is lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visit, body, generate

pytestmark = pytest.mark.browser

BOARD = "import('playground/page/board.js')"
TEXTS = {
    "complete": {"prompt": "Once {{hero}} came"},
    "chat": {"system": "Be brief.", "message": "Why?", "prefill": "As"},
}
PLACES = {
    "task": "#play/task/poems",
    "complete": "#play/prompt",
    "chat": "#play/question",
    "talk": "#play/conversation",
}




def settled(page: Page) -> None:
    """The knobs of what was chosen have come."""
    expect(page.locator(".chip.ready")).to_be_visible()
    page.evaluate(f"{BOARD}.then((board) => board.on('wishing', (now) => {{ window.wishing = now; }}, 'test'))")
    page.wait_for_function("window.wishing === false")


def again(page: Page) -> None:
    page.reload()
    settled(page)


def turn(page: Page, **values: Any) -> None:
    for name, value in values.items():
        page.evaluate(f"(knob) => {BOARD}.then((board) => board.tell('knob', knob))", {"name": name, "value": value})


def knobs(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        f"{BOARD}.then((board) => new Promise((tell) => board.on('knobs', (values) => tell(values), 'test')))"
    )
    return found


def choose(page: Page, kind: str) -> None:
    page.locator(f"[data-kind={kind}]").click()
    settled(page)


def texts_stand_there(page: Page) -> None:
    for kind, texts in TEXTS.items():
        part = page.locator(f'.compose .compose-kind[data-for="{kind}"]')
        for name, text in texts.items():
            expect(part.locator(f"textarea[name={name}]")).to_have_value(text)


def test_a_reload_brings_back_each_kind_with_its_texts_and_knobs(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    page.locator(".task-picker").select_option("poems")
    settled(page)
    page.locator(".fields [data-task-field]").first.fill("a late ferry")
    fields = page.locator(".fields [data-task-field]").evaluate_all("all => all.map((one) => one.value)")
    for kind, texts in TEXTS.items():
        choose(page, kind)
        for name, text in texts.items():
            page.locator(f".compose .compose-kind:not([hidden]) textarea[name={name}]").fill(text)
    choose(page, "talk")
    page.locator("#talk textarea[name=message]").fill("Are you there?")
    page.locator("[data-path=exact]").click()
    for seed, kind in enumerate(PLACES):
        choose(page, kind)
        turn(page, seed=seed, n=2, top_p=0.42, order="temperature,top_p", stop=["\n\n", kind])
        left = knobs(page)
        again(page)
        expect(page.locator(f"[data-kind={kind}]")).to_have_attribute("aria-checked", "true")
        assert page.url == f"{scripted}/{PLACES[kind]}"
        expect(page.locator(".candidates")).to_have_text("2")
        expect(page.locator(".seed-value")).to_have_value(str(seed))
        assert knobs(page) == left
        expect(page.locator(".kn-changed")).to_have_text("changed")
        texts_stand_there(page)
        expect(page.locator("[data-path=exact]")).to_have_attribute("aria-checked", "true")
        expect(page.locator("#talk textarea[name=message]")).to_have_value("Are you there?")
    choose(page, "task")
    expect(page.locator(".task-picker")).to_have_value("poems")
    assert page.locator(".fields [data-task-field]").evaluate_all("all => all.map((one) => one.value)") == fields
    choose(page, "complete")
    page.locator("[data-variable][name=hero]").fill("Mara")
    turn(page, top_p=0.42)
    again(page)
    expect(page.locator("[data-variable][name=hero]")).to_have_value("Mara")
    page.locator(".kn-restore").click()
    expect(page.locator(".kn-changed")).to_have_text("")


def test_a_task_that_is_chosen_as_the_page_is_loaded_anew_comes_with_its_own_knobs(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    turn(page, top_p=0.42)
    page.evaluate("""() => {
      const picker = document.querySelector(".task-picker");
      picker.value = "sentiment";
      picker.dispatchEvent(new Event("change", { bubbles: true }));
      location.reload();
    }""")
    expect(page.locator(".task-picker")).to_have_value("sentiment")
    settled(page)
    assert knobs(page)["top_p"] != 0.42 and knobs(page)["n"] == 1


def test_back_and_forward_walk_tabs_kinds_and_tasks_and_each_tab_has_its_title(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    titles = {"play": "Play", "write": "Write", "read": "Read", "batch": "Batch", "train": "Train", "model": "Model"}
    choose(page, "complete")
    page.locator("#prompt").fill("Once")
    turn(page, top_p=0.42, n=3)
    choose(page, "task")
    page.locator(".task-picker").select_option("poems")
    settled(page)
    for tab in ("write", "batch"):
        page.locator(f"nav [data-tab={tab}]").click()
        expect(page).to_have_title(f"{titles[tab]} · Playground")
    page.go_back()
    expect(page.locator("nav [data-tab=write]")).to_have_attribute("aria-current", "page")
    expect(page).to_have_title("Write · Playground")
    page.go_back()
    expect(page.locator(".task-picker")).to_be_visible()
    assert page.url.endswith("#play/task/poems")
    page.go_back()
    expect(page.locator(".task-picker")).to_have_value("slogans")
    page.go_back()
    expect(page.locator("#prompt")).to_have_value("Once")
    settled(page)
    expect(page.locator(".candidates")).to_have_text("3")
    assert knobs(page)["top_p"] == 0.42
    page.go_forward()
    expect(page.locator(".task-picker")).to_have_value("slogans")
    for tab, title in titles.items():
        page.locator(f"nav [data-tab={tab}]").click()
        expect(page).to_have_title(f"{title} · Playground")
    page.locator("button[name=language]").click()
    chinese = {"play": "体验", "write": "写作", "read": "阅读", "batch": "批量", "train": "训练", "model": "模型"}
    for tab, title in chinese.items():
        page.locator(f"nav [data-tab={tab}]").click()
        expect(page).to_have_title(f"{title} · Playground")


def test_a_link_opens_its_place_and_one_that_names_none_the_first(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    for address, place in {
        "/?tab=write&x=1": "/?x=1#write",
        "/?tab=play&task=poems": "/#play/task/poems",
        "/#play/conversation": "/#play/conversation",
        "/#play/task/%3Cb%3E/../x": "/#play/task/slogans",
        "/#nothing/%ff": "/#play/task/slogans",
    }.items():
        other = page.context.new_page()
        other.goto(scripted + address)
        expect(other.locator(".chip.ready")).to_be_visible()
        other.wait_for_function("(place) => location.href.endsWith(place)", arg=place)
        other.close()
    page.evaluate("location.hash = '#read'")  # a link within the page
    expect(page.locator("nav [data-tab=read]")).to_have_attribute("aria-current", "page")
    page.evaluate("location.hash = '#side'")  # a mark on the page is no place of its own
    page.wait_for_function("location.hash === '#read'")


def test_two_tabs_keep_their_own_and_a_duplicate_begins_with_a_copy(scripted: str, visit: Visit) -> None:
    one = visit(scripted)
    choose(one, "complete")
    one.locator("#prompt").fill("The first tab's")
    turn(one, n=2)
    one.wait_for_function("sessionStorage.getItem('playground-form')?.includes('first tab')")
    with one.expect_popup() as opened:  # which a browser treats as a duplicate
        one.evaluate("window.open(location.href)")
    two = opened.value
    settled(two)
    expect(two.locator("#prompt")).to_have_value("The first tab's")
    two.locator("#prompt").fill("The second tab's")
    turn(two, n=4)
    two.locator("[data-path=exact]").click()
    again(two)
    again(one)
    expect(one.locator("#prompt")).to_have_value("The first tab's")
    expect(two.locator("#prompt")).to_have_value("The second tab's")
    assert (knobs(one)["n"], knobs(two)["n"]) == (2, 4)


def test_what_a_tab_kept_is_read_with_suspicion_and_a_knob_that_is_not_valid_is_dropped_alone(
    scripted: str, visit: Visit
) -> None:
    page = visit(scripted)
    own = knobs(page)

    def keep(key: str, kept: object) -> None:
        """As the next page finds it: the one that is left keeps its own."""
        text = kept if isinstance(kept, str) else json.dumps({"version": 1, "data": kept})
        source = f"sessionStorage.setItem({json.dumps(key)}, {json.dumps(text)});"
        page.evaluate(f"window.addEventListener('pagehide', () => {{ {source} }})")

    left = {"top_p": 7, "temperature": 0.5, "nonsense": 1, "order": "top_p,top_p", "n": "three", "stop": {"a": 1}}
    keep("playground-knobs", {"task/slogans": {"knobs": left, "preset": "gone"}})
    keep("playground-form", {"kind": "task", "task": "slogans", "own": "", "fields": {"product": 5, "about": "a boat"}})
    again(page)
    assert knobs(page) == {**own, "temperature": 0.5}
    expect(page.locator("[data-field=about] [data-task-field]")).to_have_value("a boat")
    expect(page.locator("[data-field=product] [data-task-field]")).to_have_value("Blue Moon")
    for odd in ("{", '{"version": 99, "data": {"kind": "complete"}}', "null", "[]", '{"version": 1, "data": [[]]}'):
        for key in ("form", "knobs", "scroll", "place", "seed", "tab-path"):
            keep(f"playground-{key}", odd)
        again(page)
        expect(page.locator(".task-picker")).to_have_value("slogans")
        expect(page.locator(".seen-count")).not_to_be_empty()
    assert knobs(page) == own


def test_each_tab_is_scrolled_where_it_was_left_over_a_reload_too(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    choose(page, "complete")
    page.locator("#prompt").fill("Once")
    generate(page)
    expect(body(page)).to_have_text(re.compile("."))
    page.set_viewport_size({"width": 390, "height": 500})
    places = "[window.scrollY, ...['composer', 'side'].map((id) => document.getElementById(id).scrollTop)]"
    page.evaluate("window.scrollTo(0, 150); document.getElementById('composer').scrollTo(0, 150)")
    page.wait_for_function(f"{places}.some((place) => place === 150)")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")  # it is told of it
    left = page.evaluate(places)
    page.locator("nav [data-tab=model]").evaluate("link => link.click()")
    page.wait_for_function("window.scrollY === 0")
    page.go_back()
    page.wait_for_function(f"JSON.stringify({places}) === {json.dumps(json.dumps(left))}.replaceAll(' ', '')")
    again(page)
    page.wait_for_function(f"JSON.stringify({places}) === {json.dumps(json.dumps(left))}.replaceAll(' ', '')")
