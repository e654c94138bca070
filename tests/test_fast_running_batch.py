"""The running batch: requests come and go, each gets the text it gets alone, and nothing is left behind."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from playground import generate
from playground.decoding.row import Row
from playground.fast.engine import Engine
from playground.fast.job import Job
from playground.fast.net import Net
from playground.fast.running_batch import RunningBatch
from playground.generators.checks import rows_seeds
from playground.generators.local import LocalGenerator
from playground.types import Refused, Request, Step
from playground.visitor import Visitor

PROMPTS = ("The harbour", "The harbour in the morning light was", "One two three four", "A", "港口的清晨")
SETTINGS: tuple[dict[str, Any], ...] = (
    {"temperature": 0.7, "top_p": 0.9},
    {"temperature": 1.2, "min_p": 0.05, "repetition_penalty": 1.2},
    {"temperature": 0},
    {"top_k": 20, "n": 3},
    {"typical_p": 0.8, "mirostat_tau": 3.0},
    {"guidance_scale": 1.5, "negative_prompt": "One two"},
    {"banned_phrases": (" the", "a"), "n": 2},
)


@pytest.fixture(scope="module")
def generator(tiny: Any) -> LocalGenerator:
    return LocalGenerator(tiny)


@pytest.fixture
def running(generator: LocalGenerator) -> RunningBatch:
    net = Net(generator._model, compiles=False)
    return RunningBatch(net, net, generator._lock, rows=12, memory=2**26)


def asked(number: int, path: Any = "exact") -> Request:
    values = {"max_new_tokens": 3 + number % 11, "seed": number, **SETTINGS[number % len(SETTINGS)]}
    return generate.checked(generate.build(PROMPTS[number % len(PROMPTS)], values, path=path))


def job(generator: LocalGenerator, request: Request) -> Job:
    setting = generator._setting(request, generator.render(request))
    seeds = rows_seeds(setting.values["seed"], setting.values["n"])
    rows = [Row(index, seed, setting) for index, seed in enumerate(seeds)]
    return Job(setting, rows, generator._negative(setting), None)


def tokens_of(steps: Iterator[Step], most: int = 10**9) -> list[list[int]]:
    """The token ids of each row; after `most` Steps the reader goes away."""
    rows: dict[int, list[int]] = {}
    for count, step in enumerate(steps, 1):
        row = rows.setdefault(step.row, [])
        if step.retract:
            del row[-step.retract :]
        if step.token_id is not None:
            row.append(step.token_id)
        if count == most:
            break
    getattr(steps, "close", lambda: None)()
    return [rows[row] for row in sorted(rows)]


def threads() -> int:
    """How many there are, but for the one that gives memory back some time after work."""
    return sum(thread.name != "trim" for thread in threading.enumerate())


def settled(running: RunningBatch) -> None:
    """Waits for the thread of the running batch to find out that nobody is left."""
    for thread in threading.enumerate():
        if thread.name == "running-batch":
            thread.join(60)
    assert running.taken == 0
    assert running._thread is None
    assert running._pools.empty


def test_five_hundred_requests_that_come_and_go_get_what_they_get_alone(
    generator: LocalGenerator, running: RunningBatch
) -> None:
    kinds = 60  # requests repeat, so that what each gets alone is found once
    alone = [tokens_of(generator.stream(asked(number))) for number in range(kinds)]
    dice = random.Random(7)
    wishes = [(number % kinds, dice.choice((0, 0, 0, 1, 2, 5))) for number in range(500)]
    got: dict[int, list[list[int]]] = {}
    next_wish = iter(range(len(wishes)))
    guard = threading.Lock()

    def visitor() -> None:
        while True:
            with guard:
                at = next(next_wish, None)
            if at is None:
                return
            number, leaves = wishes[at]
            got[at] = tokens_of(running.stream(job(generator, asked(number))), leaves or 10**9)

    before = threads()
    visitors = [threading.Thread(target=visitor) for _ in range(12)]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    settled(running)
    assert threads() <= before
    wrong = [at for at, (number, leaves) in enumerate(wishes) if not leaves and got[at] != alone[number]]
    assert wrong == []
    for at, (number, leaves) in enumerate(wishes):
        if leaves and number % len(SETTINGS) != 6:  # a row that steps back may be left in the middle of it
            assert all(row == alone[number][place][: len(row)] for place, row in enumerate(got[at]))
    assert sum(slots.count for slots in running._pools.slots) <= 4, "memory is given back"


def test_a_row_that_fails_in_the_model_ends_its_request_and_no_other(
    generator: LocalGenerator, running: RunningBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = running._prefill_net.prefill

    def failing(slots: Any, first: int, tokens: Any, positions: Any) -> None:
        if tokens.shape[1] > 3:
            raise RuntimeError("out of memory")
        fill(slots, first, tokens, positions)

    monkeypatch.setattr(running._prefill_net, "prefill", failing)
    good = running.stream(job(generator, asked(0)))
    first = next(good)
    bad = list(running.stream(job(generator, asked(1))))
    assert [(step.token_id, step.finish) for step in bad] == [(None, "error")]
    assert bad[0].reason is not None and "ran out of memory" in bad[0].reason.en
    assert [[first.token_id, *tokens_of(good)[0]]] == tokens_of(generator.stream(asked(0)))
    settled(running)


def test_what_never_fits_is_refused_with_both_numbers(generator: LocalGenerator) -> None:
    net = Net(generator._model, compiles=False)
    small = RunningBatch(net, net, generator._lock, rows=4, memory=1000)
    with pytest.raises(Refused) as refusal:
        small.stream(job(generator, asked(3)))
    assert "gives 1 kB" in refusal.value.say("en") and refusal.value.parameter == "n"


def test_who_does_not_fit_beside_the_others_waits_and_is_served(generator: LocalGenerator) -> None:
    net = Net(generator._model, compiles=False)
    narrow = RunningBatch(net, net, generator._lock, rows=3, memory=2**26)
    many = [narrow.stream(job(generator, asked(3))) for _ in range(3)]  # three rows each
    got: list[list[list[int]]] = []
    readers = [threading.Thread(target=lambda one=one: got.append(tokens_of(one))) for one in many]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert got == [tokens_of(generator.stream(asked(3)))] * 3
    settled(narrow)


def test_who_waits_is_told_how_many_must_end_and_how_long_that_takes(generator: LocalGenerator) -> None:
    net = Net(generator._model, compiles=False)
    narrow = RunningBatch(net, net, generator._lock, rows=3, memory=2**26)
    long = generate.checked(generate.build("One two", {"n": 3, "max_new_tokens": 300, "ignore_eos": True, "seed": 5}))
    jobs = [narrow.open(job(generator, long)) for _ in range(3)]
    jobs[0].poll()
    while (wait := jobs[1].place()) is None or wait.seconds is None:  # nobody knows how long a step takes before one
        time.sleep(0.002)
    assert jobs[0].place() is None
    waits = [one.place() for one in jobs[1:]]
    assert [wait.ahead for wait in waits if wait] == [1, 2]
    seconds = [wait.seconds for wait in waits if wait]
    assert seconds[0] is not None and seconds[1] is not None and 0 < seconds[0] < seconds[1]
    jobs[0].cancelled.set()
    while not jobs[1].poll():
        time.sleep(0.002)
    assert jobs[1].place() is None
    for one in jobs:
        one.cancelled.set()
    while not all(one.over for one in jobs):
        for one in jobs:
            one.poll()
    settled(narrow)


def test_sixty_four_readers_who_never_wait_take_no_thread_each(generator: LocalGenerator) -> None:
    net = Net(generator._model, compiles=False)
    running = RunningBatch(net, net, generator._lock, rows=64, memory=2**28)
    before = threads()
    many = [running.open(job(generator, asked(number % 6))) for number in range(64)]
    most = 0
    while not all(one.over for one in many):
        most = max(most, threads())
        for one in many:
            one.poll()
        time.sleep(0.002)
    assert most <= before + 4, "the batch's thread and those that draw noise"
    settled(running)


def test_a_reader_is_served_in_every_step_beside_a_large_job(generator: LocalGenerator, running: RunningBatch) -> None:
    """Four rows that are watched step in every round; the large job's rows share what is left, and all end."""
    large = generate.checked(generate.build("One two", {"n": 8, "max_new_tokens": 12, "ignore_eos": True, "seed": 5}))
    rounds: list[int] = []
    step = running._decode_net.step

    def counted(slots: Any, tokens: Any, positions: Any) -> Any:
        rounds.append(len(tokens))
        return step(slots, tokens, positions)

    running._decode_net.step = counted  # type: ignore[method-assign]
    background = running.stream(job(generator, large))
    next(background)
    watched = tokens_of(running.stream(job(generator, asked(0))))
    assert watched == tokens_of(generator.stream(asked(0)))
    assert tokens_of(background)[0] == tokens_of(generator.stream(large))[0][1:]
    assert max(rounds) <= 8
    settled(running)


@pytest.mark.parametrize("values", [{"temperature": 0}, {"n": 2}, {"top_p": 0.5, "n": 5}])
def test_a_fast_run_in_fp32_says_so_and_writes_what_the_exact_path_writes(
    generator: LocalGenerator, values: dict[str, Any]
) -> None:
    given = {"max_new_tokens": 6, "seed": 4, **values}
    runs = [
        list(generate.run(generate.build("The capital of France is", given, path=path), generator))[-1].as_json()
        for path in ("fast", "exact")
    ]
    assert runs[0]["path"] == "fast" and runs[1]["path"] == "exact"
    assert runs[0]["candidates"] == runs[1]["candidates"]


def test_beams_and_unknown_families_are_refused_by_name(generator: LocalGenerator) -> None:
    with pytest.raises(Refused, match="exact path"):
        generator.stream(generate.checked(generate.build("One", {"num_beams": 2}, path="fast")))


def test_weights_say_how_the_fast_path_packs(tiny: Any) -> None:
    made = {weights: Engine(tiny.model, LocalGenerator(tiny)._lock, weights=weights).format for weights in
            ("auto", "fp32", "bf16", "int8", "int4")}  # fmt: skip
    assert made == {"auto": "dense", "fp32": "dense", "bf16": "dense", "int8": "int8", "int4": "int4"}


class Wanted:
    """A compiler that only notes what it is asked for, and is never done."""

    lacks = None
    settled = True

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []

    def ready(self, shape: tuple[int, int]) -> bool:
        return False

    def want(self, *shapes: tuple[int, int]) -> None:
        self.shapes += [shape for shape in shapes if shape not in self.shapes]


def test_what_a_first_visitor_needs_is_wanted_before_anybody_asks(generator: LocalGenerator) -> None:
    net = Net(generator._model, compiles=False)
    net.compiler = wanted = Wanted()
    running = RunningBatch(net, net, generator._lock, rows=12, memory=2**26)
    request = asked(3)
    running.expect(request.values["n"], len(generator.render(request).token_ids))
    assert wanted.shapes == [(4, 128), (1, 128)], "three rows step as four, and one of them may be the last"
    tokens_of(running.stream(job(generator, request)))
    settled(running)
    assert set(wanted.shapes) <= {(4, 128), (1, 128), (2, 128)}, "nothing else of the first run is left to be compiled"


def test_one_address_does_not_take_the_running_batch_from_the_others(generator: LocalGenerator) -> None:
    net = Net(generator._model, compiles=False)
    shared = RunningBatch(net, net, generator._lock, rows=16, memory=2**26, shares=(25, 50))
    long = generate.checked(generate.build("One", {"n": 4, "max_new_tokens": 400, "ignore_eos": True, "seed": 1}))

    def opened(session: str, address: str) -> Job:
        made = job(generator, long)
        made.visitor = Visitor(session, address)
        shared.open(made)
        return made

    greedy = [opened(f"tab {number}", "10.0.0.1") for number in range(4)]
    greedy[0].stream.poll()
    while not greedy[1].active_rows:
        time.sleep(0.002)
    other = opened("tab", "10.0.0.2")
    same = opened("tab", "10.0.0.2")
    while not other.active_rows:
        time.sleep(0.002)
    assert [bool(one.active_rows) for one in greedy] == [True, True, False, False], "half of sixteen rows"
    assert not same.active_rows and same.stream.place() is not None, "a quarter for one session, which waits in line"
    late = opened("", "10.0.0.3")
    while not late.active_rows:
        time.sleep(0.002)
    assert shared.taken == 7 * 4 and sum(bool(one.active_rows) for one in (*greedy, other, same, late)) == 4
    for one in (*greedy, other, same, late):
        one.cancelled.set()
    settled(shared)


def test_without_shares_a_visitor_may_take_all_of_it(generator: LocalGenerator, running: RunningBatch) -> None:
    long = generate.checked(generate.build("One", {"n": 4, "max_new_tokens": 200, "ignore_eos": True, "seed": 1}))
    mine = [job(generator, long) for _ in range(3)]
    for one in mine:
        one.visitor = Visitor("tab", "10.0.0.1")
        running.open(one)
    while not all(one.active_rows for one in mine):
        time.sleep(0.002)
    for one in mine:
        one.cancelled.set()
    settled(running)
