"""The look inside a session's newest run: its tokens, what other knobs would have chosen, and nobody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from playground import generate as way_in
from playground import parameters, xray
from playground.generators.local import LocalGenerator
from playground.types import Run
from playground.ui.lens import Lens, before, numbers
from tests.ui.conftest import Visit, body, card, generate


def written(loaded: Any, **given: Any) -> Run:
    """A finished run whose logits are kept."""
    values = {"max_new_tokens": 12, "seed": 3, "temperature": 0.9, **given}
    request = way_in.build("The harbour at dawn", values, keep=xray.new_run_id())
    return list(way_in.run(request, LocalGenerator(loaded)))[-1]


@pytest.fixture
def looked_at(tiny: Any) -> tuple[Lens, Run]:
    lens, run = Lens(), written(tiny)
    lens.watch("mine", "run-1", run, {"prompt": "The harbour at dawn"}, None, "")
    return lens, run


def test_tokens_come_with_their_figures(looked_at: tuple[Lens, Run]) -> None:
    lens, run = looked_at
    value = lens.tokens("mine")
    assert value is not None
    assert [token["id"] for token in value["rows"][0]["tokens"]] == run.candidates[0].token_ids
    assert {"perplexity", "repetition"} <= {figure["label"]["en"] for figure in value["rows"][0]["numbers"]}


def test_a_session_sees_its_own_run_alone(looked_at: tuple[Lens, Run]) -> None:
    lens, _ = looked_at
    where = {"run": "run-1", "row": 0, "position": 0}
    assert lens.tokens("other") is None
    assert lens.pick("other", where) == {}
    assert lens.replay("other", parameters.validate({})) == {}
    assert lens.badges("other") == {} and lens.findings("other") == []
    assert lens.branch("other", where) is None


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"run": "run-2", "row": 0, "position": 0},
        {"run": "run-1", "row": 7, "position": 0},
        {"run": "run-1", "row": "0", "position": 0},
        {"run": "run-1", "row": 0, "position": -1},
        {"run": "run-1", "row": True, "position": 0},
    ],
)
def test_an_event_that_names_no_token_of_mine_shows_nothing(looked_at: tuple[Lens, Run], where: dict[str, Any]) -> None:
    assert looked_at[0].pick("mine", where) == {}


def test_a_position_that_is_not_there_is_said_in_the_panel(looked_at: tuple[Lens, Run]) -> None:
    panel = looked_at[0].pick("mine", {"run": "run-1", "row": 0, "position": 99})
    assert "99" in panel["error"]["en"]


def test_a_token_shows_how_it_came_about_and_answers_a_question(looked_at: tuple[Lens, Run]) -> None:
    lens, run = looked_at
    where = {"run": "run-1", "row": 0, "position": 4}
    panel = lens.pick("mine", where)
    assert panel["draw"]["token"]["id"] == run.candidates[0].token_ids[4]
    assert [stage["stage"] for stage in panel["stages"]] == ["temperature"]
    asked = lens.pick("mine", where, search=" boat")
    assert asked["asked"] is not None and asked["asked"] in {fate["id"] for fate in asked["fates"]}


def test_the_same_knobs_mark_nothing_and_other_knobs_mark_what_would_differ(looked_at: tuple[Lens, Run]) -> None:
    lens, run = looked_at
    assert lens.replay("mine", run.request.values) == {}
    assert lens.replay("mine", {**run.request.values, "seed": -1, "n": 3}) == {}
    greedy = lens.replay("mine", {**run.request.values, "temperature": 0.0})
    assert greedy["first"] is not None
    would = greedy["would"][str(greedy["first"])]
    assert would["id"] != run.candidates[0].token_ids[greedy["first"]]


def test_what_needs_the_model_is_said(looked_at: tuple[Lens, Run]) -> None:
    lens, run = looked_at
    told = lens.replay("mine", {**run.request.values, "guidance_scale": 2.0})
    assert told["first"] is None and "model" in told["sentence"]["en"]


def test_a_branch_goes_on_behind_the_text_before_the_token(looked_at: tuple[Lens, Run]) -> None:
    lens, run = looked_at
    token_id = run.candidates[0].token_ids[0]
    wish = lens.branch("mine", {"run": "run-1", "row": 0, "position": 5, "token_id": token_id})
    assert wish is not None
    start = "".join(step.text for step in run.candidates[0].steps[:5])
    assert wish["text"] == start + xray.named(run.request.keep, token_id).text
    assert wish["target"] == {"run": "run-1", "card": 0}
    assert len(before(run.candidates[0], 0)) == 0


def test_the_next_run_takes_the_place_of_the_one_before(looked_at: tuple[Lens, Run], tiny: Any) -> None:
    lens, run = looked_at
    lens.watch("mine", "run-2", written(tiny), {}, None, "")
    assert not xray.available(run.request.keep)
    lens.leave("mine")
    assert lens.tokens("mine") is None


def test_figures_that_cannot_be_told_are_left_out(tiny: Any) -> None:
    run = written(tiny, max_new_tokens=1)
    labels = [label.en for label, _, _ in numbers(run.candidates[0])]
    assert "perplexity" in labels and "repetition" not in labels


@pytest.mark.browser
@pytest.mark.model
def test_a_visitor_looks_inside_turns_a_knob_and_takes_another_way(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    generate(page)
    tokens = page.locator("#tokens .tk-token")
    expect(tokens.first).to_be_visible()
    tokens.nth(2).click()
    panel = page.locator("#waterfall")
    expect(panel.get_by_role("heading", name="Draw")).to_be_visible()
    expect(page.locator("#knobs [data-knob=temperature]")).to_contain_text(re.compile("decided|would change|no effect"))
    page.locator("#knobs [data-knob=temperature] input[type=range]").focus()
    page.keyboard.press("Home")
    expect(page.locator("#tokens")).to_contain_text("With the present knobs and the same luck")
    expect(card(page).locator(".walk output")).to_be_hidden()
    first = body(page).inner_text()
    panel.locator("button[name=branch]").nth(1).click()
    expect(card(page).locator(".walk output")).to_have_text("2/2")
    expect(page.locator(".act.running")).to_have_count(0)
    card(page).locator("button[name=version-back]").click()
    expect(body(page)).to_have_text(first)
