"""Whatever fails in a shared step, wherever: only the row whose fault it is ends, and the others lose nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from playground import generate
from playground.decoding.failures import NO_MEMORY
from playground.decoding.keep import STORE, KeptRow
from playground.decoding.row import Row
from playground.fast import stepping
from playground.fast.job import Job, Seat
from playground.fast.net import Net
from playground.fast.running import Running
from playground.fast.seating import Seating
from playground.generators.local import LocalGenerator
from playground.rendering.detokenize import Detokenizer
from playground.sampling import step
from playground.sampling.candidates import Candidates
from playground.types import FAILED, Request, Step, Text
from tests.test_fast_running import job, told

POISON = " zebra"  # a token that only the guilty request's prompt holds
GUILTY = "The harbour in the morning light, and a" + POISON
NEIGHBOURS: tuple[dict[str, Any], ...] = (
    {"temperature": 0.8, "top_p": 0.9},
    {"mirostat_tau": 4.0, "n": 2},
    {"guidance_scale": 1.5, "negative_prompt": "One two"},
    {"banned_phrases": ("a", " the"), "temperature": 1.2},
    {"adaptive_target": 0.3, "repetition_penalty": 1.2},
)
TOKENS = 9


@pytest.fixture(scope="module")
def generator(tiny: Any) -> LocalGenerator:
    return LocalGenerator(tiny)


@pytest.fixture(scope="module")
def alone(generator: LocalGenerator) -> list[list[list[int]]]:
    """What each neighbour gets where nobody else is."""
    return [told(generator.stream(asked)) for asked in neighbours()]


@pytest.fixture
def running(generator: LocalGenerator) -> Running:
    net = Net(generator._model, compiles=False)
    return Running(net, net, generator._turns, rows=16, memory=2**27)


def request(prompt: str, **values: Any) -> Request:
    return generate.checked(generate.build(prompt, {"max_new_tokens": TOKENS, "ignore_eos": True, **values}))


def neighbours() -> list[Request]:
    return [request("The harbour in the morning", seed=30 + 5 * place, **one) for place, one in enumerate(NEIGHBOURS)]


def poison(generator: LocalGenerator) -> int:
    ids = generator.tokens(POISON, special=False)
    assert len(ids) == 1
    return ids[0]


def beside(generator: LocalGenerator, running: Running, guilty: list[Job]) -> tuple[list[list[Step]], list[list[Step]]]:
    """Every Step of these jobs, and of the neighbours who come in the same moment."""
    jobs = [*guilty, *(job(generator, asked) for asked in neighbours())]
    with running._guard:  # nobody is let in before all are here
        running._waiting.extend(jobs)
    running.open(job(generator, request("One", max_new_tokens=1)))
    found: list[list[Step]] = [[] for _ in jobs]
    deadline = time.monotonic() + 120
    while not all(one.told.over for one in jobs):
        for steps, one in zip(found, jobs, strict=True):
            steps += [step for _, step in one.told.poll()]
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return found[: len(guilty)], found[len(guilty) :]


def tokens(steps: list[Step]) -> list[list[int]]:
    return told(iter(steps))


def assert_ended(steps: list[Step], count: int, reason: Text | None = None) -> None:
    """One row: so many tokens, then an error with its reason."""
    assert [step.finish for step in steps] == [None] * (len(steps) - 1) + ["error"]
    assert len(tokens(steps)[0]) == count and steps[-1].token_id is None
    assert steps[-1].reason == (FAILED if reason is None else reason)


def raising(*_: Any, **__: Any) -> Any:
    raise RuntimeError("secret/path")


def in_prompts(generator: LocalGenerator, running: Running, patch: Callable[..., None]) -> list[int]:
    """A pass over pieces of prompts fails where the guilty one's is among them."""
    fill, bad, shared = running._fill.fill, poison(generator), []

    def fails(slots: Any, first: int, ids: Tensor, positions: Tensor) -> None:
        if bool((ids == bad).any()):
            shared.append(len(ids))
            raise RuntimeError("secret/path")
        fill(slots, first, ids, positions)

    patch(running._fill, "fill", fails)
    return shared


def in_steps(generator: LocalGenerator, running: Running, patch: Callable[..., None]) -> list[int]:
    """A step fails where the guilty row takes part."""
    step, bad, shared = running._step.step, poison(generator), []

    def fails(slots: Any, ids: Tensor, positions: Tensor) -> Tensor:
        if bool((ids == bad).any()):
            shared.append(len(ids))
            raise RuntimeError("secret/path")
        return step(slots, ids, positions)

    patch(running._step, "step", fails)
    return shared


@pytest.mark.parametrize("where", [in_prompts, in_steps])
def test_a_pass_that_fails_ends_the_row_whose_fault_it_is(
    generator: LocalGenerator,
    running: Running,
    alone: list[list[list[int]]],
    monkeypatch: pytest.MonkeyPatch,
    where: Callable[..., list[int]],
) -> None:
    prompt = GUILTY if where is in_steps else GUILTY + " by the sea"
    shared = where(generator, running, monkeypatch.setattr)
    guilty, others = beside(generator, running, [job(generator, request(prompt, seed=1))])
    assert_ended(guilty[0], 0)
    assert [tokens(one) for one in others] == alone
    assert shared[-1] == 1, "found out by itself"
    if where is in_steps:
        assert max(shared) > len(NEIGHBOURS), "in a step with all others"


def test_a_step_that_fails_in_the_middle_of_all_texts_takes_nothing_from_the_others(
    generator: LocalGenerator, running: Running, alone: list[list[list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their luck, and the chains that change with what they choose, go on from where they stood."""
    bad, step, shared = job(generator, request(GUILTY, seed=1)), running._step.step, []
    row = bad.rows[0]

    def fails(slots: Any, ids: Tensor, positions: Tensor) -> Tensor:
        if len(row.tokens) == 4 and bool(((ids == row.tokens[-1]) & (positions == len(row.ids) - 1)).any()):
            shared.append(len(ids))
            raise RuntimeError("secret/path")
        return step(slots, ids, positions)

    monkeypatch.setattr(running._step, "step", fails)
    guilty, others = beside(generator, running, [bad])
    assert_ended(guilty[0], 4)
    assert len(shared) == 2 and shared[0] > shared[1] == 1
    assert [tokens(one) for one in others] == alone


@pytest.mark.parametrize("number", [float("nan"), -float("inf")])
def test_scores_that_are_no_numbers_end_their_row(
    generator: LocalGenerator,
    running: Running,
    alone: list[list[list[int]]],
    monkeypatch: pytest.MonkeyPatch,
    number: float,
) -> None:
    step, bad = running._step.step, poison(generator)

    def spoiled(slots: Any, ids: Tensor, positions: Tensor) -> Tensor:
        scores = step(slots, ids, positions)
        scores[ids == bad] = number
        return scores

    monkeypatch.setattr(running._step, "step", spoiled)
    guilty, others = beside(generator, running, [job(generator, request(GUILTY, seed=1))])
    assert guilty[0][-1].reason is not None and "scores" in guilty[0][-1].reason.en
    assert_ended(guilty[0], 0, guilty[0][-1].reason)
    assert [tokens(one) for one in others] == alone


def stage(row: Row, patch: Callable[..., None]) -> None:
    """One of the row's own samplers fails at its fourth token."""
    sampler = row.pipeline.samplers[0]
    apply = sampler.apply

    def fails(candidates: Candidates) -> None:
        if len(row.tokens) == 3:
            raising()
        apply(candidates)

    patch(sampler, "apply", fails)


def draw(row: Row, patch: Callable[..., None]) -> None:
    """Its noise fails at its fourth token."""
    drawn = row.rng.draw
    patch(row.rng, "draw", lambda size: raising() if len(row.tokens) == 3 else drawn(size))


def text(row: Row, patch: Callable[..., None]) -> None:
    """Its text fails at its fourth token, and when it is to be ended."""
    writer = row._writer._detokenizer
    push = writer.push
    patch(writer, "push", lambda one: raising() if len(row.tokens) == 4 else push(one))
    patch(writer, "flush", raising)
    assert isinstance(writer, Detokenizer)


@pytest.mark.parametrize("where", [stage, draw, text])
@pytest.mark.parametrize("path", ["fast", "exact"])
def test_what_fails_in_one_row_of_a_request_ends_that_row(
    generator: LocalGenerator,
    running: Running,
    alone: list[list[list[int]]],
    monkeypatch: pytest.MonkeyPatch,
    where: Callable[..., None],
    path: str,
) -> None:
    asked = request("One two", n=3, seed=50, temperature=0.9)
    wanted = told(generator.stream(asked))
    if path == "fast":
        bad = job(generator, asked)
        where(bad.rows[1], monkeypatch.setattr)
        found, others = beside(generator, running, [bad])
        assert [tokens(one) for one in others] == alone
        steps = found[0]
    else:
        made: list[Row] = []
        init = Row.__init__

        def built(row: Row, *given: Any, **named: Any) -> None:
            init(row, *given, **named)
            made.append(row)
            if row.index == 1:
                where(row, lambda owner, name, value: setattr(owner, name, value))

        monkeypatch.setattr(Row, "__init__", built)
        steps = list(generator.stream(asked))
    assert tokens(steps) == [wanted[0], wanted[1][:3], wanted[2]]
    assert_ended([step for step in steps if step.row == 1], 3)
    assert {step.row: step.finish for step in steps} == {0: "length", 1: "error", 2: "length"}


@pytest.mark.parametrize("what", ["survey", "advance"])
def test_what_is_done_for_all_rows_at_once_and_fails_is_done_row_by_row_or_ends_all_with_a_reason(
    generator: LocalGenerator,
    running: Running,
    alone: list[list[list[int]]],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    if what == "survey":
        monkeypatch.setattr(step, "survey", raising)
        assert [tokens(one) for one in beside(generator, running, [])[1]] == alone
        return
    monkeypatch.setattr(stepping, "advance", raising)
    for steps in beside(generator, running, [])[1]:
        assert {step.finish for step in steps} == {"error"} and all(step.reason == FAILED for step in steps)
    monkeypatch.undo()
    assert [tokens(one) for one in beside(generator, running, [])[1]] == alone


def test_where_memory_ends_everybody_is_told_and_the_next_request_works(
    generator: LocalGenerator, running: Running, alone: list[list[list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Tensor:
        raise MemoryError

    monkeypatch.setattr(running._step, "step", full)
    for steps in beside(generator, running, [])[1]:
        assert {step.finish for step in steps} == {"error"}
        assert all(step.reason is not None and "ran out of memory" in step.reason.en for step in steps)
    monkeypatch.undo()
    assert [tokens(one) for one in beside(generator, running, [])[1]] == alone
    assert running._rooms.empty


def test_where_a_long_prompt_finds_no_memory_for_itself_the_others_go_on(
    generator: LocalGenerator, running: Running, alone: list[list[list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = running._rooms.take

    def full(seat: Seat, more: int = 1) -> Seating:
        if seat.slot < 0 and len(seat.tokens) > 40:
            raise MemoryError
        return take(seat, more)

    monkeypatch.setattr(running._rooms, "take", full)
    guilty, others = beside(generator, running, [job(generator, request("one two three " * 20, seed=1))])
    assert_ended(guilty[0], 0, NO_MEMORY)
    assert [tokens(one) for one in others] == alone


@pytest.mark.parametrize("path", ["fast", "exact"])
def test_a_look_inside_that_cannot_be_kept_ends_no_row(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch, path: Any
) -> None:
    asked = replace(request("One two", n=2, seed=50), path=path, keep="kept-in-vain")
    wanted = told(generator.stream(replace(asked, keep="")))
    monkeypatch.setattr(KeptRow, "_put", raising)
    assert told(generator.stream(asked)) == wanted
    assert STORE.get("kept-in-vain") is None


def test_in_the_log_stands_one_line_and_what_the_reader_sees_names_no_path(
    generator: LocalGenerator, running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    in_steps(generator, running, monkeypatch.setattr)
    guilty, _ = beside(generator, running, [job(generator, request(GUILTY, seed=1))])
    reason = guilty[0][-1].reason
    assert reason is not None and "secret" not in reason.en + reason.zh
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) == 1 and "RuntimeError in test_fast_faults.py" in lines[0] and "\n" not in lines[0]


def test_rows_that_fail_together_and_not_alone_all_go_on(
    generator: LocalGenerator, running: Running, alone: list[list[list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = running._step.step

    def few(slots: Any, ids: Tensor, positions: Tensor) -> Tensor:
        if len(ids) > 2:
            raise torch.OutOfMemoryError("too many at once")
        return step(slots, ids, positions)

    monkeypatch.setattr(running._step, "step", few)
    assert [tokens(one) for one in beside(generator, running, [])[1]] == alone


def test_on_the_exact_path_a_step_that_fails_ends_the_row_whose_fault_it_is(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request("One two", n=3, seed=50, mirostat_tau=4.0)
    wanted, model = told(generator.stream(asked)), generator._model
    forward, bad, shared = model.forward, wanted[1][4], []
    assert sum(row.count(bad) for row in wanted) == 1

    def fails(input_ids: Tensor, **given: Any) -> Any:
        if input_ids.shape[1] == 1 and bool((input_ids == bad).any()):
            shared.append(len(input_ids))
            raise RuntimeError("secret/path")
        return forward(input_ids=input_ids, **given)

    monkeypatch.setattr(model, "forward", fails)
    steps = list(generator.stream(asked))
    assert tokens(steps) == [wanted[0], wanted[1][:5], wanted[2]]
    assert_ended([step for step in steps if step.row == 1], 5)
    assert shared == [3, 1]


def test_on_the_exact_path_a_prompt_that_cannot_be_read_ends_all_rows_with_the_reason(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator._model, "forward", raising)
    steps = list(generator.stream(request("One two", n=2)))
    assert [(step.row, step.finish, step.reason) for step in steps] == [(row, "error", FAILED) for row in range(2)]
