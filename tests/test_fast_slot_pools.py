"""Slots by length: short texts never attend over long ones, and a text too long for its pool takes its cache along."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import torch
from torch import Tensor

from playground import generate
from playground.fast import chunked_prefill, kv_slots, slot_pools
from playground.fast.job import Job, SlotSequence
from playground.fast.net import Net
from playground.fast.running_batch import RunningBatch
from playground.fast.slot_pools import SlotPools
from playground.generators.local import LocalGenerator
from playground.types import Request, Step
from tests.test_fast_running_batch import job, tokens_of

WORDS = "one two three four five six seven eight nine ten "


@pytest.fixture(scope="module")
def generator(tiny: Any) -> LocalGenerator:
    return LocalGenerator(tiny)


@pytest.fixture
def running(generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> RunningBatch:
    """Where 128 positions are long already."""
    for module in (kv_slots, slot_pools):
        monkeypatch.setattr(module, "LONG", 128)
    net = Net(generator._model, compiles=False)
    return RunningBatch(net, net, generator._lock, rows=12, memory=2**26)


def asked(prompt: str, tokens: int, **values: Any) -> Request:
    given = {"max_new_tokens": tokens, "seed": 3, "ignore_eos": True, **values}
    return generate.checked(generate.build(prompt, given))


def opened(running: RunningBatch, generator: LocalGenerator, request: Request) -> Job:
    made = job(generator, request)
    running.open(made)
    return made


def until_over(jobs: list[Job]) -> list[list[Step]]:
    found: list[list[Step]] = [[] for _ in jobs]
    while not all(one.stream.over for one in jobs):
        for steps, one in zip(found, jobs, strict=True):
            steps += [step for _, step in one.stream.poll()]
        time.sleep(0.001)
    return found


def test_a_short_text_never_steps_over_a_long_one_and_both_are_what_they_are_alone(
    generator: LocalGenerator, running: RunningBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [asked(WORDS * 20, 12), asked("One two", 12, n=2), asked("A", 12, guidance_scale=1.4)]
    widths: list[tuple[int, int]] = []
    step = running._decode_net.step

    def seen(pool: Any, ids: Tensor, positions: Tensor) -> Tensor:
        widths.append((pool.length, int(positions[positions < pool.length - 1].max())))
        return step(pool, ids, positions)

    monkeypatch.setattr(running._decode_net, "step", seen)
    found = until_over([opened(running, generator, one) for one in requests])
    assert [tokens_of(iter(steps)) for steps in found] == [tokens_of(generator.stream(one)) for one in requests]
    assert {length for length, last in widths if last < 100} == {128}
    assert {length for length, last in widths if last > 128} == {256}


def test_a_text_that_outgrows_its_room_moves_and_goes_on(generator: LocalGenerator, running: RunningBatch) -> None:
    for values in ({"n": 2}, {"guidance_scale": 1.5, "negative_prompt": "One"}, {"prompt_lookup_num_tokens": 5}):
        one = asked(WORDS * 8, 90, **values)
        assert [tokens_of(iter(steps)) for steps in until_over([opened(running, generator, one)])] == [
            tokens_of(generator.stream(one))
        ]


def test_what_a_room_holds_is_found_from_another(
    generator: LocalGenerator, running: RunningBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next turn of a conversation is longer than the one before, and begins alike."""
    fill, read = running._prefill_net.prefill, []

    def seen(pool: Any, first: int, ids: Tensor, positions: Tensor) -> None:
        read.append(ids.numel())
        fill(pool, first, ids, positions)

    monkeypatch.setattr(running._prefill_net, "prefill", seen)
    until_over([opened(running, generator, asked(WORDS * 8, 2))])
    before = sum(read)
    longer = asked(WORDS * 20, 4)
    found = until_over([opened(running, generator, longer)])
    assert tokens_of(iter(found[0])) == tokens_of(generator.stream(longer))
    assert before > 60 and sum(read) - before < len(generator.render(longer).token_ids) - 60


def test_memory_is_counted_by_rooms_and_given_back(generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (kv_slots, slot_pools):
        monkeypatch.setattr(module, "LONG", 128)
    shape = Net(generator._model, compiles=False).shape
    pools = SlotPools(shape, memory=400 * shape.position_bytes * 8)
    short, long = job(generator, asked("One", 20, n=3)), job(generator, asked(WORDS * 20, 20))
    assert pools.bytes_for([short]) == 3 * 128 * shape.position_bytes
    assert pools.bytes_for([short, long]) == (3 * 128 + 256) * shape.position_bytes, "not 4 · 256"
    sequences = [
        SlotSequence(torch.arange(count)[None] + start)
        for count, start in ((60, 0), (70, 500), (200, 1000), (220, 2000))
    ]
    with torch.inference_mode():
        for sequence in sequences:
            pools.reserve(sequence)
            sequence.cached = len(sequence.tokens)
        for sequence in sequences:
            pools.release(sequence)
        pools.shrink()
    assert pools.empty and sum(one.size for one in pools.slots) <= 400 * shape.position_bytes
    assert sequences[3].slot >= 0 or sequences[0].slot >= 0


class Passes:
    """What is read and stepped, in order: ("read", tokens) and ("step", rows)."""

    def __init__(self, running: RunningBatch, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: list[tuple[str, int]] = []
        fill, step = running._prefill_net.prefill, running._decode_net.step

        def reading_(pool: Any, first: int, ids: Tensor, positions: Tensor) -> None:
            self.order.append(("read", ids.shape[1]))
            fill(pool, first, ids, positions)

        def stepping(pool: Any, ids: Tensor, positions: Tensor) -> Tensor:
            self.order.append(("step", len(ids)))
            return step(pool, ids, positions)

        monkeypatch.setattr(running._prefill_net, "prefill", reading_)
        monkeypatch.setattr(running._decode_net, "step", stepping)


def test_a_newcomer_is_read_before_the_rest_of_a_long_prompt(
    generator: LocalGenerator, running: RunningBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked_prefill, "WHOLE", 16)
    monkeypatch.setattr(chunked_prefill, "CHUNK", 16)
    passes, late = Passes(running, monkeypatch), []
    fill = running._prefill_net.prefill

    def newcomer(*given: Any) -> None:
        fill(*given)
        if len(passes.order) == 3:
            late.append(opened(running, generator, asked("A short one", 1)))

    monkeypatch.setattr(running._prefill_net, "prefill", newcomer)
    long = opened(running, generator, asked(WORDS * 40, 1))
    first = until_over([long])[0]
    second = until_over(late)[0]
    assert first[-1].finish == second[-1].finish == "length"
    reads = [kind for kind, _ in passes.order]
    assert reads.index("step") < 6, "the newcomer's token comes while most of the long prompt is unread"
    assert reads.count("read") > 20


def test_rows_step_as_long_between_two_pieces_of_a_long_prompt_as_a_piece_takes(
    generator: LocalGenerator, running: RunningBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked_prefill, "CHUNK", 16)
    prompts = running._prefill
    monkeypatch.setattr(prompts, "stepped", lambda _: setattr(prompts, "_owed", prompts._owed - 1))
    passes = Passes(running, monkeypatch)
    steady = opened(running, generator, asked("A", 120))
    while not steady.stream.poll():
        time.sleep(0.001)
    took = prompts._pass

    def owing(*given: Any, **named: Any) -> None:
        took(*given, **named)
        if prompts._owed:
            prompts._owed = 4.0  # as if a piece took as long as four steps

    monkeypatch.setattr(prompts, "_pass", owing)
    long = opened(running, generator, asked(WORDS * 30, 1))
    until_over([long, steady])
    between = "".join(kind[0] for kind, _ in passes.order).strip("s").split("r")
    assert {len(steps) for steps in between[2:10]} == {4}


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_whoever_is_over_while_his_prompt_is_read_has_no_further_piece_read(
    generator: LocalGenerator, running: RunningBatch, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(chunked_prefill, "WHOLE", 16)
    passes, over = Passes(running, monkeypatch), threading.Event()
    made = job(generator, asked(WORDS * 20, 3, n=2))
    if how == "cancelled":
        over = made.cancelled
    else:
        object.__setattr__(made.setting, "expired", over.is_set)
    fill = running._prefill_net.prefill

    def ending(*given: Any) -> None:
        fill(*given)
        if len(passes.order) == 2:
            over.set()

    monkeypatch.setattr(running._prefill_net, "prefill", ending)
    running.open(made)
    steps = until_over([made])[0]
    assert len(passes.order) == 2
    wanted = [] if how == "cancelled" else [(0, None, "time"), (1, None, "time")]
    assert [(step.row, step.token_id, step.finish) for step in steps] == wanted
    assert running._pools.empty
