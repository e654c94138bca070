"""The look inside a session's newest run: its tokens, what other knobs would have chosen, and nobody else's."""

from __future__ import annotations

import pickle
import re
import tracemalloc
from typing import Any

import pytest
from playwright.sync_api import expect

from playground import generate as way_in
from playground import parameters
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.inspection import inspect_api
from playground.run import Run
from playground.ui import card_updates, tokens, viewed_runs
from playground.ui.run_view import RunView, before, numbers
from playground.ui.tokens import numbers_value
from tests.ui.conftest import Visit, body, card, generate, tokens_of


def written(loaded: Any, path: str = "exact", **given: Any) -> Run:
    """A finished run whose logits are kept."""
    values = {"max_new_tokens": 12, "seed": 3, "temperature": 0.9, **given}
    request = way_in.build("The harbour at dawn", values, keep=inspect_api.new_run_id(), path=path)
    return list(way_in.run(request, LocalGenerator(loaded)))[-1]


@pytest.fixture
def looked_at(tiny: Any) -> tuple[RunView, Run]:
    run_view, run = RunView(), written(tiny)
    run_view.add("mine", "run-1", run, {"prompt": "The harbour at dawn"}, None, "")
    return run_view, run


def test_tokens_come_with_their_figures(looked_at: tuple[RunView, Run]) -> None:
    run_view, run = looked_at
    value = run_view.tokens("mine", "run-1")
    assert value is not None
    assert [token["id"] for token in value["rows"][0]["tokens"]] == run.candidates[0].token_ids
    assert {"perplexity", "repetition"} <= {figure["label"]["en"] for figure in value["rows"][0]["numbers"]}


@pytest.mark.parametrize("given", [{"n": 2}, {"top_p": 0.8, "repetition_penalty": 1.2}, {"banned_phrases": (" the",)}])
def test_a_fast_run_replayed_under_its_own_knobs_stays_as_it_is(tiny: Any, given: dict[str, Any]) -> None:
    run = written(tiny, path="fast", **given)
    assert run.request.path == "fast"
    for row in range(len(run.candidates)):
        told = inspect_api.replay(run.request.keep, row, run.request.values)
        assert told.first is None and list(told.differs) == []


def test_a_session_sees_its_own_run_alone(looked_at: tuple[RunView, Run]) -> None:
    run_view, _ = looked_at
    where = {"run": "run-1", "row": 0, "position": 0}
    assert run_view.tokens("other", "run-1") is None
    assert run_view.open("other", where)["rows"] == [] and not run_view.select_row("other", where)
    assert run_view.breakdown("other", where) == {}
    assert run_view.replay("other", parameters.validate({})) == {}
    assert run_view.badges("other", {}) == {} and run_view.findings("other") == []
    assert run_view.branch("other", where) is None


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
def test_an_event_that_names_no_token_of_mine_shows_nothing(
    looked_at: tuple[RunView, Run], where: dict[str, Any]
) -> None:
    assert looked_at[0].breakdown("mine", where) == {}


def test_a_position_that_is_not_there_is_said_in_the_panel(looked_at: tuple[RunView, Run]) -> None:
    panel = looked_at[0].breakdown("mine", {"run": "run-1", "row": 0, "position": 99})
    assert "99" in panel["error"]["en"]


def test_a_token_shows_how_it_came_about_and_answers_a_question(looked_at: tuple[RunView, Run], tiny: Any) -> None:
    run_view, run = looked_at
    where = {"run": "run-1", "row": 0, "position": 4}
    panel = run_view.breakdown("mine", where)
    assert panel["draw"]["token"]["id"] == run.candidates[0].token_ids[4]
    assert [stage["stage"] for stage in panel["stages"]] == ["temperature"]
    asked = run_view.breakdown("mine", where, search=" boat")
    assert asked["asked"] in {outcome["id"] for outcome in asked["outcomes"]}
    several = run_view.breakdown("mine", where, search=" boat house")
    first = tiny.tokenizer(" boat house", add_special_tokens=False).input_ids[0]
    assert several["asked"] == first == asked["asked"] and several["search"] == " boat house"


def test_of_looks_that_are_handled_in_another_order_the_one_sent_last_counts(looked_at: tuple[RunView, Run]) -> None:
    run_view, _ = looked_at
    assert run_view.open("mine", {"run": "run-1", "row": 0, "sent": 20.5})["show"] == 0
    assert run_view.open("mine", {"run": "by-hand", "row": 0, "hand": True, "sent": 20}) == {}
    assert run_view.viewed("mine") == ("run-1", 0)
    by_hand = run_view.open("mine", {"run": "by-hand", "row": 0, "hand": True, "sent": 21})
    assert by_hand["rows"] == [] and run_view.viewed("mine") is None
    assert run_view.open("mine", {"run": "run-1", "row": 0}), "a look that does not say when it was sent"


def test_of_candidates_that_are_turned_to_in_another_order_the_one_sent_last_counts(tiny: Any) -> None:
    run_view = RunView()
    run_view.add("mine", "run-1", written(tiny, n=2), {"prompt": "The harbour at dawn"}, None, "")
    assert run_view.select_row("mine", {"run": "run-1", "row": 1, "sent": 23})
    assert not run_view.select_row("mine", {"run": "run-1", "row": 0, "sent": 22})
    assert run_view.viewed("mine") == ("run-1", 1)


def test_the_same_knobs_mark_nothing_and_other_knobs_mark_what_would_differ(looked_at: tuple[RunView, Run]) -> None:
    run_view, run = looked_at
    assert run_view.replay("mine", run.request.values) == {}
    assert run_view.replay("mine", {**run.request.values, "seed": -1, "n": 3}) == {}
    greedy = run_view.replay("mine", {**run.request.values, "temperature": 0.0})
    assert greedy["first"] is not None
    would = greedy["would"][str(greedy["first"])]
    assert would["id"] != run.candidates[0].token_ids[greedy["first"]]


def test_what_needs_the_model_is_said(looked_at: tuple[RunView, Run]) -> None:
    run_view, run = looked_at
    told = run_view.replay("mine", {**run.request.values, "guidance_scale": 2.0})
    assert told["first"] is None and "model" in told["sentence"]["en"]


def test_a_branch_goes_on_behind_the_text_before_the_token(looked_at: tuple[RunView, Run]) -> None:
    run_view, run = looked_at
    token_id = run.candidates[0].token_ids[0]
    wish = run_view.branch("mine", {"run": "run-1", "row": 0, "position": 5, "token_id": token_id})
    assert wish is not None
    start = "".join(step.text for step in run.candidates[0].steps[:5])
    assert wish["text"] == start + inspect_api.named(run.request.keep, token_id).text
    assert wish["target"] == {"run": "run-1", "card": 0}
    assert len(before(run.candidates[0], 0)) == 0


def test_a_new_run_is_looked_at_and_the_one_before_can_be_opened_again(
    looked_at: tuple[RunView, Run], tiny: Any
) -> None:
    run_view, run = looked_at
    second = written(tiny, n=2)
    run_view.add("mine", "run-2", second, {}, None, "")
    assert run_view.tokens("mine", "run-1") is None and run_view.tokens("mine", "run-2") is not None
    value = run_view.open("mine", {"run": "run-1", "row": 0})
    assert [token["id"] for token in value["rows"][0]["tokens"]] == run.candidates[0].token_ids
    assert run_view.tokens("mine", "run-2") is None
    assert run_view.badges("mine", run.request.values).keys() == {"temperature"}
    assert run_view.open("mine", {"run": "run-2", "row": 1})["show"] == 1
    gone = run_view.open("mine", {"run": "run-3", "row": 0})
    assert gone["rows"] == [] and "not kept" in gone["reason"]["en"]
    assert run_view.badges("mine", run.request.values) == {}
    run_view.leave("mine")
    assert run_view.tokens("mine", "run-2") is None
    assert not inspect_api.available(run.request.keep) and not inspect_api.available(second.request.keep)


def test_badges_diagnosis_and_replay_follow_the_row_that_is_looked_at(tiny: Any) -> None:
    run_view, run = RunView(), written(tiny, n=2)
    run_view.add("mine", "run-1", run, {}, None, "")
    other = {**run.request.values, "temperature": 0.0}
    assert run_view.replay("mine", other)["row"] == 0
    assert run_view.select_row("mine", {"run": "run-1", "row": 1})
    told = run_view.replay("mine", other)
    assert told["row"] == 1 and run_view.badges("mine", run.request.values) == inspect_api.badges(run.request.keep, 1)
    turned = run_view.badges("mine", {**run.request.values, "temperature": 1.9, "top_k": 1})
    assert turned["top_k"].en.startswith("would ") and turned["top_k"].zh.startswith(("将", "关闭后"))
    assert run_view.badges("mine", parameters.validate({})).keys() == run_view.badges("mine", {}).keys() == set()
    replayed = inspect_api.replay(run.request.keep, 1, other)
    assert told["would"][str(told["first"])]["id"] == replayed.tokens[told["first"]]
    for nowhere in ({"run": "run-1", "row": 2}, {"run": "run-1", "row": True}, {"run": "run-2", "row": 0}, {}):
        assert not run_view.select_row("mine", nowhere)
    assert run_view.replay("mine", other)["row"] == 1


def test_the_oldest_runs_are_given_up_first_and_the_newest_of_a_session_last(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_view, run = RunView(), written(tiny)
    size = viewed_runs.ViewedRun("a", run, {}, None, "", tokens.TokenFeed("a")).size

    def known(session: str, *numbers: int) -> list[int]:
        return [number for number in numbers if run_view.open(session, {"run": f"run-{number}", "row": 0})["rows"]]

    monkeypatch.setattr(viewed_runs, "MOST_RUNS", 3)
    for number in range(5):
        run_view.add("mine", f"run-{number}", run, {}, None, "")
    assert known("mine", *range(5)) == [2, 3, 4]
    monkeypatch.setattr(viewed_runs, "MOST_BYTES_EACH", size)
    run_view.add("mine", "run-5", run, {}, None, "")
    assert known("mine", *range(6)) == [4, 5]
    monkeypatch.setattr(viewed_runs, "MOST_BYTES", 3 * size)
    run_view.add("other", "run-6", run, {}, None, "")
    run_view.add("other", "run-7", run, {}, None, "")
    assert (known("mine", 4, 5), known("other", 6, 7)) == ([5], [6, 7])
    monkeypatch.setattr(viewed_runs, "MOST_BYTES", size)
    run_view.add("third", "run-8", run, {}, None, "")
    assert (known("mine", 5), known("other", 6, 7), known("third", 8)) == ([], [], [8])
    monkeypatch.setattr(viewed_runs, "MOST_SESSIONS", 1)
    run_view.add("fourth", "run-9", run, {}, None, "")
    assert (known("third", 8), known("fourth", 9)) == ([], [9])


def test_what_a_run_takes_is_about_what_is_reckoned(tiny: Any) -> None:
    run = written(tiny)
    told = [pickle.dumps(step) for step in run.candidates[0].steps]
    tracemalloc.start()
    copies = [pickle.loads(one) for one in told]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert (
        held / 2 < viewed_runs.ViewedRun("a", run, {}, None, "", tokens.TokenFeed("a")).size < 2 * held
        and len(copies) == 12
    )


def test_what_is_not_kept_any_more_says_so(looked_at: tuple[RunView, Run]) -> None:
    run_view, run = looked_at
    where = {"run": "run-1", "row": 0, "position": 4}
    likely = run.candidates[0].steps[4].top
    assert likely is not None
    inspect_api.forget(run.request.keep)
    gone = inspect_api.unavailable(run.request.keep, run.request.values).en
    assert run_view.open("mine", where)["reason"]["en"] == gone
    assert run_view.breakdown("mine", where)["error"]["en"] == gone
    assert run_view.replay("mine", run.request.values) == {}
    assert run_view.replay("mine", {**run.request.values, "temperature": 0.0})["sentence"]["en"] == gone
    wish = run_view.branch("mine", {**where, "token_id": likely[1].token_id})
    assert wish is not None and wish["parted"]["became"] == likely[1].text
    assert run_view.branch("mine", {**where, "token_id": 10**6}) is None


def test_a_beam_search_says_that_no_sampler_is_looked_at(tiny: Any) -> None:
    run_view, run = RunView(), written(tiny, num_beams=2, temperature=1.0, seed=-1)
    run_view.add("mine", "run-1", run, {}, None, "")
    value = run_view.tokens("mine", "run-1")
    assert value is not None and "does not go through the samplers" in value["reason"]["en"]
    opened = run_view.breakdown("mine", {"run": "run-1", "row": 0, "position": 0})
    assert "does not go through the samplers" in opened["error"]["en"]


def test_a_branch_tells_where_it_parted(looked_at: tuple[RunView, Run]) -> None:
    run_view, run = looked_at
    steps = run.candidates[0].steps
    token_id = run.candidates[0].token_ids[0]
    wish = run_view.branch("mine", {"run": "run-1", "row": 0, "position": 5, "token_id": token_id})
    assert wish is not None
    parted = card_updates.branch_point(wish)
    assert (parted["kind"], parted["parent"], parted["position"]) == ("branch", "run-1:0", 5)
    assert parted["was"] == steps[5].text and parted["became"] == inspect_api.named(run.request.keep, token_id).text
    assert parted["offset"] == len("".join(step.text for step in steps[:5]).encode("utf-16-le")) // 2


def test_what_a_browser_says_of_a_parting_is_cut_to_its_shape() -> None:
    empty = {"parent": None, "was": None, "became": None, "position": None, "offset": None}
    assert card_updates.branch_point({"action": "regenerate", "parted": "nonsense"}) == {"kind": "regenerate", **empty}
    wild = {"parent": "x" * 9_999, "was": 7, "became": ["<b>"], "position": -1, "offset": True, "kind": "<b>"}
    assert card_updates.branch_point({"action": "<b>", "parted": wild}) == {
        "kind": "continue",
        **empty,
        "parent": "x" * 200,
    }


def test_figures_that_cannot_be_told_are_left_out(tiny: Any) -> None:
    run = written(tiny, max_new_tokens=1)
    labels = [label.en for label, _, _ in numbers(run.candidates[0])]
    assert "perplexity" in labels and "repetition" not in labels


def share_told(figures: list[dict[str, Any]]) -> tuple[str, str]:
    """How a candidate's figures tell the share of its tokens with one candidate: the figure, and its hint."""
    return next((one["value"], one["hint"]["en"]) for one in figures if one["label"]["en"] == "only one choice")


def test_the_share_of_steps_with_one_candidate_is_told_or_said_to_be_unknown(tiny: Any) -> None:
    run_view, run = RunView(), written(tiny, top_p=0.12, max_new_tokens=40)
    run_view.add("mine", "run-1", run, {}, None, "")
    value, figures = run_view.tokens("mine", "run-1"), run_view.figures("mine")
    assert value is not None and share_told(value["rows"][0]["numbers"])[0] == "–"
    single = inspect_api.replay(run.request.keep, 0, run.request.values).singles / 40
    assert figures is not None and 0 < single < 1 and share_told(figures["rows"][0]["numbers"])[0] == f"{single:.0%}"
    inspect_api.forget(run.request.keep)
    assert run_view.figures("mine") is None
    traced = list(way_in.run(run.request, LocalGenerator(tiny, trace=True)))[-1]
    assert share_told(numbers_value(numbers(traced.candidates[0])))[0] == f"{single:.0%}"
    scripted = list(way_in.run(way_in.build("Once", {"seed": 0}), ScriptedGenerator(["one two three"])))[-1]
    figure, hint = share_told(numbers_value(numbers(scripted.candidates[0])))
    assert figure == "–" and "Not known" in hint


@pytest.mark.browser
@pytest.mark.model
def test_a_visitor_looks_inside_turns_a_knob_and_takes_another_way(embedded_page: str, visit: Visit) -> None:
    page = visit(embedded_page)
    generate(page)
    tokens = tokens_of(page)
    expect(tokens.first).to_be_visible()
    tokens.nth(2).click()
    panel = page.locator("#waterfall")
    expect(panel.get_by_role("heading", name="Draw")).to_be_visible()
    expect(page.locator("#knobs [data-knob=temperature]")).to_contain_text(re.compile("decided|changed none|no effect"))
    page.locator("#knobs [data-knob=temperature] input[type=range]").focus()
    page.keyboard.press("Home")
    expect(page.locator(".results")).to_contain_text("With the present knobs and the same random draws")
    expect(card(page).locator(".walk output")).to_be_hidden()
    first = body(page).inner_text()
    panel.locator("button[name=branch]").nth(1).click()
    expect(card(page).locator(".walk output")).to_have_text("2/2")
    expect(page.locator(".act.running")).to_have_count(0)
    card(page).locator("button[name=version-back]").click()
    expect(body(page)).to_have_text(first)
