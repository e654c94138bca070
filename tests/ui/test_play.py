"""Promises of Play, in a browser: what is typed, pressed and switched does what the page says."""

from __future__ import annotations

import re
import threading

import pytest
from playwright.sync_api import Page, Route, expect

from playground.ui.try_texts import TRIES
from tests.ui.conftest import Held, Visit, body, card, generate

pytestmark = pytest.mark.browser


def free_prompt(page: Page, text: str, candidates: int = 1) -> None:
    """A free prompt with a fixed seed: the scripted generator replays by seed."""
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill(text)
    expect(page.locator(".candidates")).to_have_text("1")
    for _ in range(candidates - 1):
        page.locator("button[name=more]").click()
    expect(page.locator(".candidates")).to_have_text(str(candidates))
    expect(page.locator(".seen-count")).not_to_have_text("0 /")


def fix_seed(page: Page, seed: int) -> None:
    page.locator(".act [name=seed]").fill(str(seed))
    page.keyboard.press("Tab")
    expect(page.locator(".seed-value")).to_have_value(str(seed))


def test_a_first_visit_finds_slogans_filled_in_with_an_example(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    expect(page.locator(".task-picker")).to_have_value("slogans")
    expect(page.locator(".field input").first).not_to_have_value("")
    expect(page.locator(".results-title")).to_contain_text("Example, made by")
    assert body(page).inner_text().strip()


def test_candidates_stream_into_cards_with_their_line(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once", candidates=3)
    fix_seed(page, 0)
    generate(page)
    expect(page.locator(".card")).to_have_count(3)
    expect(body(page, 1)).to_have_text(re.compile("^Night Ferry: morning magic"))
    line = card(page, 1).locator(".card-line")
    for words in ("tokens", "tok/s", "first after", "end of text", "seed 0"):
        expect(line).to_contain_text(words)


def test_a_card_says_how_many_guesses_were_right_where_there_were_any(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once")
    fix_seed(page, 0)
    generate(page)
    line = card(page).locator(".card-line")
    expect(line).to_contain_text("end of text")
    expect(line).not_to_contain_text("guesses")
    page.locator(".kn-find").fill("prompt lookup")
    knob = page.locator("[data-knob=prompt_lookup_num_tokens]")
    page.locator("[data-path=exact]").click()
    expect(knob).to_contain_text("No effect on the exact path")
    page.locator("[data-path=fast]").click()
    expect(knob).not_to_contain_text("No effect")
    knob.locator("input[type=range]").fill("4")
    generate(page)
    expect(line).to_contain_text("4 of 8 guesses right")
    page.locator("button[name=language]").click()
    expect(line).to_contain_text("8 个猜测中 4 个正确")


def test_html_in_prompt_and_output_is_shown_as_text(desk: Page) -> None:
    page = desk
    hostile = "<script>document.title='x'</script>${1+1}{{value}}"
    free_prompt(page, hostile)
    page.locator("[data-variable][name=value]").fill("{{value}}")
    fix_seed(page, 1)
    page.locator(".seen summary").click()
    expect(page.locator(".seen-text")).to_contain_text(hostile)
    generate(page)
    expect(body(page)).to_contain_text("<img src=x onerror=")
    expect(body(page)).to_contain_text("{{value}} ${value} <b>bold</b>")
    assert page.title().endswith(" · Playground")
    assert body(page).locator("img, b").count() == 0


def test_stop_keeps_the_text_and_leaves_no_error(scripted: str, visit: Visit, hold: Held) -> None:
    hold(0)
    page = visit(scripted)
    free_prompt(page, "Once")
    fix_seed(page, 0)
    for again in range(10):
        page.locator("button[name=generate]").click()
        if again:
            expect(page.locator(".runs output")).to_have_text(f"Run {again + 1} of {again + 1}")
        # The run before reads the same; only what is being written is this run's.
        expect(page.locator(".card-body.writing")).to_have_text(re.compile(r"^Night Ferry"))
        page.keyboard.press("Escape")
        expect(card(page).locator(".finish")).to_have_text("stopped by you")
        expect(page.locator(".act.running")).to_have_count(0)
        assert body(page).inner_text().startswith("Night Ferry")
        assert page.locator("span.error, .toast-body").count() == 0


# Gradio's stream of answers ends where nothing is pending any more; here the page hears of that when the test wants it.
LATE_END = """
  const real = window.fetch;
  window.late = new Promise((end) => { window.end = end; });
  window.fetch = async (asked, ...more) => {
    const answer = await real(asked, ...more);
    if (!(asked.url ?? String(asked)).includes("/queue/data")) return answer;
    const held = new TransformStream({ async transform(part, out) {
      if (new TextDecoder().decode(part).includes("close_stream")) { window.ending = true; await window.late; }
      out.enqueue(part);
    } });
    return new Response(answer.body.pipeThrough(held), answer);
  };
  null;
"""


def test_a_run_that_begins_as_the_stream_of_answers_ends_is_heard(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    free_prompt(page, "Once")
    page.evaluate(LATE_END)
    for count in range(100):  # a stream that was open before is read past the test's own fetch
        page.locator("#prompt").fill(f"Once more {count}")
        page.wait_for_timeout(300)
        if page.evaluate("window.ending"):
            break
    else:
        pytest.fail("no stream of answers has ended")
    with page.expect_response("**/queue/join*"):
        page.locator("button[name=generate]").click()
    page.evaluate("window.end()")
    expect(card(page).locator(".finish")).to_have_text("end of text")


def test_ctrl_enter_generates_from_any_field(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once")
    page.locator("#prompt").press("Control+Enter")
    expect(card(page).locator(".finish")).to_have_text("end of text")


def test_an_edit_a_continuation_and_another_seed_keep_every_version(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once")
    fix_seed(page, 0)
    generate(page)
    first = body(page).inner_text()
    one = card(page)
    one.locator("button[name=edit]").click()
    one.locator("textarea").fill("A hand-made line.")
    one.locator("textarea").press("Control+Enter")
    expect(body(page)).to_have_text("A hand-made line.")
    expect(one.locator(".finish")).to_have_text("edited by hand")
    one.locator("button[name=continue]").click()
    expect(one.locator(".walk output")).to_have_text("3/3")
    expect(one.locator(".finish")).to_have_text("end of text")
    assert body(page).inner_text().startswith("A hand-made line.")
    assert len(body(page).inner_text()) > len("A hand-made line.")
    one.locator("button[name=regenerate]").click()
    expect(one.locator(".walk output")).to_have_text("4/4")
    expect(one.locator(".finish")).to_have_text("end of text")
    for _ in range(3):
        one.locator("button[name=version-back]").click()
    assert body(page).inner_text() == first


def test_a_text_that_was_cut_off_before_its_first_word_does_not_blame_the_model(scripted: str, visit: Visit) -> None:
    page = visit(scripted)
    free_prompt(page, "Once")
    fix_seed(page, 0)
    page.evaluate(
        "import('playground/page/board.js').then((board) => board.tell('knob', { name: 'stop', value: ['Night'] }))"
    )
    generate(page)
    expect(card(page).locator(".finish")).to_have_text("stop string")
    expect(body(page)).to_have_text("Nothing was written.")


def test_a_new_run_keeps_the_run_before(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once")
    fix_seed(page, 0)
    generate(page)
    fix_seed(page, 2)
    generate(page)
    expect(body(page)).to_have_text(re.compile("^A harbour"))
    page.locator("button[name=run-back]").click()
    expect(body(page)).to_have_text(re.compile("^Night Ferry"))


def test_the_seed_of_a_card_can_be_kept(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once")
    generate(page)
    seed = card(page).locator(".card-seed").inner_text().removeprefix("seed ")
    text = body(page).inner_text()
    card(page).locator(".card-seed").click()
    expect(page.locator(".seed-value")).to_have_value(seed)
    expect(page.locator(".lock")).to_have_attribute("aria-pressed", "true")
    generate(page)
    assert body(page).inner_text() == text
    page.locator(".lock").click()
    expect(page.locator(".seed-value")).to_have_value("")


def test_nothing_is_written_with_another_seed_than_the_one_that_was_typed(desk: Page) -> None:
    page, field = desk, desk.locator(".seed-value")
    free_prompt(page, "Once")
    generate(page)
    runs = page.locator(".runs output").inner_text()
    field.fill("abc")
    page.locator("button[name=generate]").click()
    expect(field).to_be_focused()
    expect(page.locator(".act-notice")).to_contain_text("The seed was not taken")
    expect(page.locator(".act.running")).to_have_count(0)
    assert page.locator(".runs output").inner_text() == runs
    field.fill("3")
    generate(page)
    expect(card(page).locator(".card-seed")).to_have_text("seed 3")
    field.fill("")


def test_an_empty_field_offers_texts_to_try_in_the_language_of_the_page(desk: Page) -> None:
    page = desk
    row, prompt = page.get_by_role("group", name="Try it"), page.locator("#prompt")
    prompt.fill("Once")
    generate(page)
    expect(page.locator("#compose.folded")).to_have_count(1)
    expect(page.locator(".variables-hint")).to_be_hidden()
    prompt.fill("")  # where one goes into the form it unfolds
    expect(page.locator(".variables-hint")).to_be_visible()
    offered = [text.en for text in TRIES["complete"]]
    expect(row.get_by_role("button")).to_have_count(len(offered))
    row.get_by_role("button", name="The capital").click()
    expect(prompt).to_have_value("The capital of France is")
    expect(prompt).to_be_focused()
    assert prompt.evaluate("field => field.selectionStart === field.value.length")
    expect(row).to_have_count(0)
    expect(page.locator(".seen-count")).not_to_have_text(re.compile("^0 /"))
    prompt.fill("")
    expect(row).to_be_visible()
    page.locator("button[name=language]").click()
    shown = page.get_by_role("group", name="试一试").get_by_role("button")
    expect(shown).to_contain_text([text.zh[:8].rstrip() for text in TRIES["complete"]])
    page.locator("button[name=language]").click()
    page.locator("[data-kind=talk]").click()
    row.get_by_role("button").first.click()
    expect(page.locator("#talk [name=message]")).to_have_value(TRIES["talk"][0].en)
    page.locator("#talk [name=message]").fill("")
    expect(row).to_be_visible()


def test_copy_takes_the_text_of_the_card(scripted: str, visit: Visit) -> None:
    page = visit(scripted, permissions=["clipboard-read", "clipboard-write"])
    free_prompt(page, "Once", candidates=3)
    generate(page)
    for number in (1, 2, 3):
        card(page, number).locator("button[name=copy]").click()
        expect(card(page, number).locator("button[name=copy].done")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == body(page, number).text_content()


def test_another_task_brings_its_fields_and_its_knobs(desk: Page) -> None:
    page = desk
    page.locator("[data-kind=task]").click()
    before = page.locator("#knobs [data-knob=max_new_tokens] input").last.input_value()
    page.locator(".field input").first.fill("Nightjar")
    page.locator(".task-picker").select_option("poems")
    expect(page.locator("#knobs .kn-preset select option:checked")).to_have_text("Poems")
    expect(page.locator("#knobs [data-knob=max_new_tokens] input").last).not_to_have_value(before)
    page.locator(".task-picker").select_option("slogans")
    expect(page.locator(".field input").first).to_have_value("Nightjar")


def test_a_run_waits_for_the_knobs_of_a_task_that_was_just_chosen(scripted: str, visit: Visit) -> None:
    page, held = visit(scripted), list[Route]()
    expect(page.locator(".candidates")).to_have_text("4")
    late = threading.Event()
    page.route("**/queue/join*", lambda route: route.continue_() if late.is_set() else held.append(route))
    page.locator(".task-picker").select_option("sentiment")
    page.locator("button[name=generate]").click()
    page.keyboard.press("Escape")  # nothing runs yet, and nothing will
    expect(page.locator(".act.running")).to_have_count(0)
    page.locator("button[name=generate]").click()
    expect(page.locator(".act.running")).to_be_visible()
    late.set()
    for route in held:
        route.continue_()
    expect(page.locator(".act.running")).to_have_count(0)
    expect(page.locator(".candidates")).to_have_text("1")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".runs output")).to_have_text("Run 1 of 1")


def test_a_kind_that_is_chosen_again_keeps_what_was_turned(desk: Page) -> None:
    page = desk
    free_prompt(page, "Once")
    length = page.locator("#knobs [data-knob=max_new_tokens] input").last
    length.fill("3")
    length.press("Enter")
    page.locator("[data-kind=complete]").click()
    generate(page)
    expect(card(page).locator(".finish")).to_have_text("length reached")
    expect(length).to_have_value("3")


def test_neutralize_and_restore_reach_the_run(desk: Page) -> None:
    page = desk
    expect(page.locator(".kn-count")).not_to_have_text("0 active")
    page.locator(".kn-neutral").click()
    expect(page.locator(".kn-count")).to_have_text("0 active")
    page.locator(".kn-restore").click()
    expect(page.locator(".kn-count")).not_to_have_text("0 active")


def test_temperature_zero_greys_the_cut_offs_with_the_reason(desk: Page) -> None:
    page = desk
    number = page.locator("#knobs [data-knob=temperature] input").last
    number.fill("0")
    number.press("Enter")
    expect(page.locator("[data-knob=top_p] .kn-why")).to_contain_text("temperature 0")
    page.locator("button[name=language]").click()
    expect(page.locator("[data-knob=top_p] .kn-why")).to_contain_text("温度为 0")


def test_two_visitors_never_see_each_others_text(scripted: str, visit: Visit) -> None:
    one, two = visit(scripted), visit(scripted)
    free_prompt(one, "walrus on ice")
    free_prompt(two, "quagga in dust")
    fix_seed(one, 0)
    fix_seed(two, 2)
    one.locator("button[name=generate]").click()
    two.locator("button[name=generate]").click()
    expect(card(one).locator(".finish")).to_have_text("end of text")
    expect(card(two).locator(".finish")).to_have_text("end of text")
    assert body(one).inner_text().startswith("Night Ferry")
    assert body(two).inner_text().startswith("A harbour")
    assert "quagga" not in one.content()
    assert "walrus" not in two.content()


def test_stop_ends_only_ones_own_run(scripted: str, visit: Visit, hold: Held) -> None:
    hold(0)
    one, two = visit(scripted), visit(scripted)
    for page in (one, two):
        free_prompt(page, "Once")
        fix_seed(page, 0)
        page.locator("button[name=generate]").click()
        expect(page.locator(".card-body.writing")).to_have_text(re.compile("^Night"))
    one.keyboard.press("Escape")
    expect(card(one).locator(".finish")).to_have_text("stopped by you")
    expect(two.locator(".card-body.writing")).to_have_text(re.compile("^Night"))
    hold()
    expect(card(two).locator(".finish")).to_have_text("end of text")


def test_a_phone_goes_to_the_texts_once_and_then_stays(scripted: str, visit: Visit, hold: Held) -> None:
    hold(0)
    page = visit(scripted)
    free_prompt(page, "Once", candidates=3)
    fix_seed(page, 0)
    page.set_viewport_size({"width": 390, "height": 600})
    for run in (1, 2):
        page.locator("button[name=generate]").click()
        expect(page.locator(".card-body.writing").nth(2)).not_to_be_empty()
        expect(page.locator(".run-head")).to_be_in_viewport()
        page.evaluate("window.scrollTo(0, 120)")
        if run == 1:
            page.keyboard.press("Escape")
            expect(page.locator(".act.running")).to_have_count(0)
        assert page.evaluate("window.scrollY") == 120
