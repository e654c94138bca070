"""Beam search: what `generate()` finds, seeded, alone on the model, and cancelled within a step."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from playground import models
from playground.decoding import notes, search
from playground.generators.local import LocalGenerator
from playground.types import Refused
from tests import reference
from tests.reference import request

PROMPT = "Three words about the morning:"

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
    monkeypatch.setattr(search, "HEARTBEAT_S", 0.001)
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
    monkeypatch.setattr(search, "HEARTBEAT_S", 0.01)
    stream = generator.stream(request(PROMPT, {"max_new_tokens": 480, "num_beams": 4}))
    assert next(stream).token_id is None
    stream.close()  # type: ignore[attr-defined]
    after = list(generator.stream(request(PROMPT, {"max_new_tokens": 1})))
    assert after[-1].finish == "length"


def test_a_search_that_fails_ends_its_rows_with_the_reason(
    tiny: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no memory left")

    monkeypatch.setattr(tiny.model, "generate", fail)
    steps = list(generator.stream(request(PROMPT, {"max_new_tokens": 3, "num_beams": 2, "n": 2})))
    assert [(step.row, step.finish) for step in steps if step.finish] == [(0, "error"), (1, "error")]
    assert "no memory left" in notes.say(steps[-1].note)[0].en


@pytest.mark.parametrize(
    ("name", "value"), [("xtc_probability", 0.5), ("order", "llama.cpp"), ("banned_phrases", ["a"]), ("n", 3)]
)
def test_what_beams_cannot_honour_is_refused_by_name(generator: LocalGenerator, name: str, value: Any) -> None:
    with pytest.raises(Refused, match=name):
        generator.stream(request(PROMPT, {"num_beams": 2, name: value}))
