"""Beam search: what `generate()` finds, seeded, a turn for each pass, and cancelled within one."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground import models, parameters
from playground.decoding import beam_model, beam_search, prefill
from playground.decoding.prefill import Sizes
from playground.generators.local import LocalGenerator
from playground.one_state import GLOBAL_STATE
from playground.types import Refused
from tests import reference
from tests.passes import Reads
from tests.reference import request

PROMPT = "Three words about the morning:"
LONG = "Write three words about the morning light, which comes over the harbour of a small old town:"

SETTINGS: list[dict[str, Any]] = [
    {"num_beams": 3},
    {"num_beams": 3, "n": 3, "temperature": 0.0},
    {"num_beams": 4, "n": 2, "temperature": 0.7, "top_p": 0.9, "top_k": 30, "repetition_penalty": 1.2},
    {"num_beams": 2, "early_stopping": "true", "length_penalty": -1.0, "no_repeat_ngram_size": 2, "ignore_eos": True},
    {"num_beams": 3, "early_stopping": "never", "typical_p": 0.5, "logit_bias": {"the": 3.0}},
    {"num_beams": 2, "watermark": True, "min_new_tokens": 5},
]


@pytest.fixture(scope="module")
def generator(tiny: models.Loaded) -> LocalGenerator:
    return LocalGenerator(tiny)


@pytest.mark.parametrize("values", SETTINGS, ids=str)
def test_beams_find_what_generate_finds(tiny: models.Loaded, generator: LocalGenerator, values: dict[str, Any]) -> None:
    asked = request(PROMPT, {"seed": 4, "max_new_tokens": 12, **values})
    ours = reference.written(generator, asked)
    assert ours == reference.generated(tiny, asked, generator.render(asked).token_ids)


@pytest.mark.model
@pytest.mark.parametrize("values", [SETTINGS[1], SETTINGS[2]], ids=str)
def test_beams_of_the_embedded_model_find_what_generate_finds(loaded: models.Loaded, values: dict[str, Any]) -> None:
    generator = LocalGenerator(loaded)
    asked = request(PROMPT, {"seed": 4, "max_new_tokens": 6, **values}, mode="chat")
    ours = reference.written(generator, asked)
    assert ours == reference.generated(loaded, asked, generator.render(asked).token_ids)


@pytest.fixture
def small_chunks(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of five tokens, so that a sentence has several."""
    monkeypatch.setattr(prefill, "sizes", lambda _: Sizes(6, 5))
    monkeypatch.setattr(beam_model, "sizes", lambda _: Sizes(6, 5))
    prefill._CONTINUES[tiny.model] = True


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("values", SETTINGS, ids=str)
def test_behind_a_prompt_in_chunks_they_find_the_same(
    tiny: models.Loaded, generator: LocalGenerator, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    asked = request(LONG, {"seed": 4, "max_new_tokens": 12, **values})
    ids = generator.render(asked).token_ids
    assert reference.written(generator, asked) == reference.generated(tiny, asked, ids)
    assert sum(reads.counts) == len(ids) and max(reads.counts) == 5, "once, for all beams"


@pytest.mark.usefixtures("small_chunks")
def test_others_have_their_turn_between_all_passes(
    tiny: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who comes during a pass goes before the next, be it a chunk of the prompt or a step."""
    order: list[str] = []
    others: list[threading.Thread] = []
    lock, forward = generator._lock, tiny.model.forward

    def other() -> None:
        with lock:
            order.append("other")

    def passing(*given: Any, **named: Any) -> Any:
        order.append("pass")
        others.append(threading.Thread(target=other))
        others[-1].start()
        while lock.waiting == 0:
            pass
        return forward(*given, **named)

    monkeypatch.setattr(tiny.model, "forward", passing)
    asked = request(LONG, {"seed": 4, "max_new_tokens": 4, "num_beams": 3})
    reference.written(generator, asked)
    for thread in others:
        thread.join()
    chunks = -(-len(generator.render(asked).token_ids) // 5)
    assert order == ["pass", "other"] * (chunks + 3)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_a_search_that_is_over_while_its_prompt_is_read_reads_no_further(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    over, setting = threading.Event(), generator._setting
    if how == "expired":
        monkeypatch.setattr(generator, "_setting", lambda *given: replace(setting(*given), expired=over.is_set))
    cancelled = over if how == "cancelled" else threading.Event()
    reads = Reads(monkeypatch, lambda count: over.set() if count == 2 else None)
    steps = list(generator.open(request(LONG, {"num_beams": 2, "max_new_tokens": 5}), cancelled).steps())
    assert reads.counts == [5, 5]
    assert all(step.token_id is None for step in steps)
    if how == "expired":
        assert steps[-1].finish == "time"


def test_a_search_waits_for_nobody_who_compiles_or_loads(generator: LocalGenerator) -> None:
    asked = request(PROMPT, {"seed": 4, "max_new_tokens": 8, "num_beams": 3})
    with GLOBAL_STATE:
        assert len(reference.written(generator, asked)[0]) == 8


def test_a_search_draws_nothing_from_the_random_numbers_of_the_process(generator: LocalGenerator) -> None:
    asked = request(PROMPT, {"seed": 4, "max_new_tokens": 8, "num_beams": 3})
    first = reference.written(generator, asked)
    torch.manual_seed(77)
    with reference.untouched():
        assert reference.written(generator, asked) == first


def test_sampling_beside_a_search_changes_neither(generator: LocalGenerator) -> None:
    beams = request(PROMPT, {"seed": 4, "max_new_tokens": 20, "num_beams": 3})
    rows = request(PROMPT, {"seed": 5, "max_new_tokens": 20, "n": 2})
    alone = [reference.written(generator, beams), reference.written(generator, rows)]
    together: dict[int, Any] = {}

    def work(number: int, asked: Any) -> None:
        together[number] = reference.written(generator, asked)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate((beams, rows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[0], together[1]] == alone


def test_the_steps_of_a_search_are_its_text(tiny: models.Loaded, generator: LocalGenerator) -> None:
    steps = list(generator.stream(request(PROMPT, {"seed": 4, "max_new_tokens": 12, "num_beams": 3, "n": 2})))
    for row in (0, 1):
        mine = [step for step in steps if step.row == row and step.token_id is not None]
        assert [step.position for step in mine] == list(range(len(mine)))
        decoded = tiny.tokenizer.decode([step.token_id for step in mine], skip_special_tokens=True)
        assert "".join(step.text for step in mine) == decoded
        assert [step.finish for step in mine] == [None] * (len(mine) - 1) + ["length"]


def test_waiting_steps_are_taken_back(generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam_search, "HEARTBEAT_S", 0.001)
    kept: list[Any] = []
    seen = 0
    for step in generator.stream(request(PROMPT, {"seed": 4, "max_new_tokens": 60, "num_beams": 3})):
        if step.retract:
            seen = step.retract
            del kept[-step.retract :]
        kept.append(step)
    assert seen > 0
    assert all(step.token_id is not None for step in kept)


def test_a_stop_string_ends_beams(generator: LocalGenerator) -> None:
    values = {"seed": 4, "max_new_tokens": 40, "num_beams": 2, "stop": ["e", " "]}
    steps = list(generator.stream(request(PROMPT, values)))
    text = "".join(step.text for step in steps)
    assert steps[-1].finish == "stop"
    assert "e" not in text and " " not in text


def test_max_time_ends_a_search_with_what_it_has(generator: LocalGenerator) -> None:
    steps = list(generator.stream(request(PROMPT, {"max_new_tokens": 400, "num_beams": 2, "max_time": 0.3})))
    assert steps[-1].finish == "time"


def test_closing_a_search_frees_the_model(generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam_search, "HEARTBEAT_S", 0.01)
    stream = generator.stream(request(PROMPT, {"max_new_tokens": 480, "num_beams": 4}))
    assert next(stream).token_id is None
    stream.close()  # type: ignore[attr-defined]
    after = list(generator.stream(request(PROMPT, {"max_new_tokens": 1})))
    assert after[-1].finish == "length"


def test_a_search_that_fails_ends_its_rows_with_the_reason(
    tiny: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(tiny.model, "generate", fail)
    steps = list(generator.stream(request(PROMPT, {"max_new_tokens": 3, "num_beams": 2, "n": 2})))
    assert [(step.row, step.finish) for step in steps if step.finish] == [(0, "error"), (1, "error")]
    assert all(step.reason is not None and "memory" in step.reason.en for step in steps if step.finish)


@pytest.mark.parametrize(
    ("name", "value"), [("xtc_probability", 0.5), ("order", "llama.cpp"), ("banned_phrases", ["a"]), ("n", 3)]
)
def test_what_beams_cannot_honour_is_refused_by_name(generator: LocalGenerator, name: str, value: Any) -> None:
    with pytest.raises(Refused, match=re.escape(parameters.title_of(name).en)):
        generator.stream(request(PROMPT, {"num_beams": 2, name: value}))
