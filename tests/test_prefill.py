"""Long prompts are read in chunks: the same text, others have their turn in between, and nobody reads on in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from playground import models
from playground.decoding import prefill
from playground.decoding.deadline import Deadline
from playground.decoding.kv_sequence import KVSequence
from playground.decoding.prefill import Sizes
from playground.generators.local import LocalGenerator
from playground.types import Step
from tests import reference
from tests.passes import Reads

PROMPT = "Write a slogan for a coffee shop called the morning light, which stands at the harbour of a small old town:"
CHUNK = 5
VALUES: list[dict[str, Any]] = [
    {"temperature": 0.8, "top_p": 0.9},
    {"temperature": 0.0},
    {"encoder_repetition_penalty": 1.4, "encoder_no_repeat_ngram_size": 2},
    {"guidance_scale": 1.5, "negative_prompt": "A sad text about rain."},
]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of five tokens, so that a sentence has several."""
    monkeypatch.setattr(prefill, "sizes", lambda _: Sizes(12, CHUNK))


def in_chunks(loaded: models.Loaded, asked: Any, ids: tuple[int, ...], size: int | None) -> list[list[int]]:
    """What `generate()` writes where it reads the prompt in chunks of this size."""
    config = loaded.model.generation_config
    config.prefill_chunk_size = size
    try:
        return reference.generated(loaded, asked, ids)
    finally:
        config.prefill_chunk_size = None


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("values", VALUES, ids=str)
def test_a_prompt_in_chunks_writes_what_generate_writes_with_and_without_them(
    tiny: models.Loaded, values: dict[str, Any]
) -> None:
    generator = LocalGenerator(tiny)
    asked = reference.request(PROMPT, {**values, "seed": 5, "max_new_tokens": 20})
    ids = generator.render(asked).token_ids
    assert len(ids) > 4 * CHUNK
    ours = reference.written(generator, asked)
    assert ours == in_chunks(tiny, asked, ids, CHUNK) == in_chunks(tiny, asked, ids, None)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("values", VALUES[:3], ids=str)
def test_in_bf16_it_writes_what_generate_writes_with_the_same_chunks(
    tiny_bf16: models.Loaded, values: dict[str, Any]
) -> None:
    generator = LocalGenerator(tiny_bf16)
    asked = reference.request(PROMPT, {**values, "seed": 5, "max_new_tokens": 20})
    ids = generator.render(asked).token_ids
    assert reference.written(generator, asked) == in_chunks(tiny_bf16, asked, ids, CHUNK)


@pytest.mark.model
def test_the_embedded_model_reads_a_long_prompt_in_chunks_as_generate_does(
    load_embedded: Callable[[str], models.Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_embedded("bf16")
    generator, sizes = LocalGenerator(loaded), prefill.sizes(loaded.model)
    asked = reference.request(PROMPT * 24, {"seed": 5, "max_new_tokens": 6})
    ids = generator.render(asked).token_ids
    assert sizes.whole < len(ids) < 2 * sizes.whole
    reads = Reads(monkeypatch)
    ours = reference.written(generator, asked)
    assert max(reads.counts) == sizes.chunk
    assert ours == in_chunks(loaded, asked, ids, sizes.chunk)


@pytest.mark.usefixtures("small_chunks")
def test_a_row_that_steps_back_and_is_read_anew_is_read_in_chunks_too(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = LocalGenerator(tiny)
    free = reference.written(generator, reference.request(PROMPT, {"n": 2, "seed": 4, "max_new_tokens": 12}))
    ends = [tiny.tokenizer.decode(row[place])[-1] for row, place in ((free[0], 3), (free[1], 7))]
    starts = [tiny.tokenizer.decode(row[place])[0] for row, place in ((free[0], 4), (free[1], 8))]
    phrases = [end + start for end, start in zip(ends, starts, strict=True)]  # each of them over two tokens
    asked = reference.request(PROMPT, {"banned_phrases": phrases, "n": 2, "seed": 4, "max_new_tokens": 12})
    wanted = reference.written(generator, asked)
    monkeypatch.setattr(KVSequence, "_croppable", lambda _: False)
    reads = Reads(monkeypatch)
    assert reference.written(generator, asked) == wanted
    assert max(reads.counts) <= CHUNK and sum(reads.counts) > 2 * len(generator.render(asked).token_ids)


@pytest.mark.usefixtures("small_chunks")
def test_others_have_their_turn_between_two_chunks(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = LocalGenerator(tiny)
    lock, order = generator._lock, []

    def other() -> None:
        with lock:
            order.append("other")

    def after(count: int) -> None:
        order.append(f"chunk {count}")
        if count == 2:
            thread = threading.Thread(target=other)
            thread.start()
            while lock.waiting == 0:
                pass

    reference.written(generator, reference.request(PROMPT, {"max_new_tokens": 1}))  # the model is tried once
    Reads(monkeypatch, after)
    reference.written(generator, reference.request(PROMPT, {"max_new_tokens": 1}))
    assert order[:4] == ["chunk 1", "chunk 2", "other", "chunk 3"]


def begun(generator: LocalGenerator, cancelled: threading.Event, **values: Any) -> list[Step]:
    """Every Step of a request whose reader may cancel it."""
    source = generator.open(reference.request(PROMPT, {"max_new_tokens": 5, **values}), cancelled)
    return list(source.steps())


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("values", [{}, {"guidance_scale": 1.5, "negative_prompt": PROMPT}], ids=str)
def test_whoever_cancels_while_a_prompt_is_read_has_no_further_chunk_read(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]
) -> None:
    generator, cancelled = LocalGenerator(tiny), threading.Event()
    reads = Reads(monkeypatch, lambda count: cancelled.set() if count == 2 else None)
    prefill._CONTINUES[tiny.model] = True
    assert begun(generator, cancelled, **values) == []
    assert reads.counts == [CHUNK, CHUNK]


@pytest.mark.usefixtures("small_chunks")
def test_time_that_is_up_while_a_prompt_is_read_ends_all_rows(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, up = LocalGenerator(tiny), threading.Event()
    setting = generator._setting
    monkeypatch.setattr(generator, "_setting", lambda *given: replace(setting(*given), expired=up.is_set))
    reads = Reads(monkeypatch, lambda count: up.set() if count == 2 else None)
    steps = begun(generator, threading.Event(), n=3)
    assert reads.counts == [CHUNK, CHUNK]
    assert [(step.row, step.finish, step.token_id) for step in steps] == [(row, "time", None) for row in range(3)]


def test_a_model_that_forgets_what_stood_before_a_chunk_reads_prompts_whole(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefill, "sizes", lambda _: Sizes(12, CHUNK))
    forward = tiny.model.forward
    monkeypatch.setattr(prefill, "_CONTINUES", {})
    seen: list[int] = []

    def forgetful(input_ids: Tensor, **given: Any) -> Any:
        seen.append(input_ids.shape[1])
        if input_ids.shape[1] > 1 and given["past_key_values"].get_seq_length():
            given["past_key_values"].crop(-given["past_key_values"].get_seq_length())
        return forward(input_ids=input_ids, **given)

    generator = LocalGenerator(tiny)
    asked = reference.request(PROMPT, {"max_new_tokens": 4, "seed": 3})
    ids = generator.render(asked).token_ids
    wanted = reference.written(generator, asked)
    monkeypatch.setattr(prefill, "_CONTINUES", {})
    monkeypatch.setattr(tiny.model, "forward", forgetful)
    assert reference.written(generator, asked) == wanted
    assert seen[-4] == len(ids), "in one pass"


def test_sizes_depend_on_the_model_alone_and_never_vanish(tiny: models.Loaded) -> None:
    assert prefill.sizes(tiny.model) == Sizes(512, 128)
    with torch.device("meta"):
        assert prefill.sizes(torch.nn.Linear(10**6, 10**4)).chunk >= 512  # weights fetched anew for each pass


def test_time_runs_from_the_beginning_and_not_while_a_request_waits_in_line() -> None:
    now = [0.0]
    deadline = Deadline(5.0, lambda: now[0])
    now[0] = 100.0
    assert not deadline.expired()
    deadline.begin()
    now[0] = 104.0
    deadline.begin()
    assert not deadline.expired()
    now[0] = 105.0
    assert deadline.expired() and not Deadline(0.0).expired()
