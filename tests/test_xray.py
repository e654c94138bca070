"""The page's door: badges, the next token before a run, reading any text, the watermark detector, clear refusals."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground import models, parameters
from playground.decoding import kv_sequence, score_text
from playground.decoding.run_store import RUN_STORE, StoredRow
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.inspection import inspect_api
from playground.settings import Limits
from playground.types import InvalidRequest, PlaygroundError, Refused, Request
from tests import reference

PROMPT = "The capital of France is"


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    RUN_STORE.forget("x")


def write(loaded: models.Loaded, **values: Any) -> list[int]:
    asked = reference.request(PROMPT, {"seed": 9, "max_new_tokens": 20, **values}, keep="x")
    return reference.written(LocalGenerator(loaded), asked)[0]


def test_importing_it_loads_no_torch() -> None:
    code = "import sys; from playground.inspection import diagnose, inspect_api; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ids_cannot_be_guessed_and_runs_can_be_forgotten(tiny: models.Loaded) -> None:
    assert len({inspect_api.new_run_id() for _ in range(100)}) == 100 and len(inspect_api.new_run_id()) >= 20
    write(tiny)
    assert inspect_api.available("x")
    inspect_api.forget("x")
    assert not inspect_api.available("x")
    plain = inspect_api.unavailable("gone", parameters.validate({}))
    assert plain.zh and inspect_api.unavailable("gone", parameters.validate({"num_beams": 2})) != plain
    with pytest.raises(PlaygroundError, match="not kept"):
        inspect_api.stage_breakdown("x", 0, 0)


@pytest.mark.model
def test_a_badge_counts_what_the_knob_decided(loaded: models.Loaded) -> None:
    tokens = write(loaded, temperature=0.7, top_k=3, min_p=1e-6, presence_penalty=0.01, xtc_threshold=0.3)
    found = inspect_api.badges("x", 0)
    assert set(found) == {"temperature", "top_k", "min_p", "presence_penalty", "xtc_threshold"}
    values = parameters.validate({"seed": 9, "max_new_tokens": 20, "temperature": 0.7, "top_k": 3, "min_p": 1e-6,
                                  "presence_penalty": 0.01, "xtc_threshold": 0.3})  # fmt: skip
    for name in ("temperature", "top_k"):
        differing = len(inspect_api.replay("x", 0, {**values, name: parameters.by_name()[name].neutral}).differs)
        wanted = f"({differing} of {len(tokens)} tokens)" if differing else f"changed none of {len(tokens)} tokens"
        assert wanted in found[name].en and str(differing) in found[name].zh
    assert found["min_p"].en == "no effect: top_k cut first"
    assert "While" in found["xtc_threshold"].en or "while" in found["xtc_threshold"].en


def test_a_greedy_run_says_which_knobs_it_ignored(tiny: models.Loaded) -> None:
    write(tiny, temperature=0, top_k=5)
    assert "temperature 0" in inspect_api.badges("x", 0)["top_k"].en


@pytest.mark.model
def test_the_next_token_is_that_of_a_run_and_sliders_make_no_pass(
    loaded: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = LocalGenerator(loaded)
    passes = []
    forward = kv_sequence.KVSequence.read

    def counted(self: kv_sequence.KVSequence) -> torch.Tensor:
        passes.append(1)
        return forward(self)

    monkeypatch.setattr(kv_sequence.KVSequence, "read", counted)
    asked = reference.request(PROMPT, {"seed": 9})
    changes: list[dict[str, Any]] = [{}, {"temperature": 2.5}, {"top_k": 2, "seed": 4}, {"temperature": 0}]
    for change in changes:
        values = parameters.validate({"seed": 9, "max_new_tokens": 1, **change})
        found = inspect_api.next_token(generator, asked, values, session="s", search=" Paris")
        assert len(passes) == 1
        real = reference.written(generator, replace(asked, values=values))[0][0]
        passes.pop()
        assert found.draw is not None and found.draw.token.token_id == real
        assert any(outcome.token.text == " Paris" for outcome in found.outcomes)
    assert inspect_api.next_token(generator, asked, parameters.validate({}), session="s").draw is None
    inspect_api.next_token(generator, replace(asked, prompt="Another"), session="s")
    assert len(passes) == 2


@pytest.mark.model
def test_reading_a_text_agrees_with_one_plain_pass(loaded: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_text, "PIECE", 5)
    generator = LocalGenerator(loaded)
    found = inspect_api.read(generator, PROMPT, " Paris. It is a large city with many trees.")
    ids = torch.tensor([[token.token.token_id for token in found.tokens]])
    with torch.inference_mode():
        likely = loaded.model(ids).logits[0].log_softmax(-1)
    assert found.tokens[0].logprob is None
    for position, token in enumerate(found.tokens[1:]):
        own = likely[position, ids[0, position + 1]]
        assert token.logprob == pytest.approx(float(own), abs=1e-3)
        assert token.rank == int((likely[position] > own).sum()) + 1
        bits = -(likely[position].exp() * likely[position]).sum() / math.log(2)
        assert token.entropy == pytest.approx(float(bits), abs=1e-3)
        assert token.top[0][0].token_id == int(likely[position].argmax())
    text = [token.logprob for token in found.tokens[found.prompt_tokens :] if token.logprob is not None]
    assert found.perplexity == pytest.approx(math.exp(-sum(text) / len(text)))
    assert "".join(token.token.text for token in found.tokens) == PROMPT + " Paris. It is a large city with many trees."


def test_what_the_model_saw_is_the_rendered_prompt_with_its_special_tokens(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    asked = reference.request("Hello", {}, mode="chat")
    found = inspect_api.seen(generator, asked)
    assert tuple(token.token.token_id for token in found.tokens) == generator.render(asked).token_ids
    assert found.tokens[0].token.special and not found.tokens[1].token.special
    assert all(token.rank is not None for token in found.tokens[1:])


def test_a_single_token_has_no_numbers(tiny: models.Loaded) -> None:
    found = inspect_api.read(LocalGenerator(tiny), "", "a")
    assert len(found.tokens) == 1 and found.perplexity is None and found.mean_entropy is None


def test_texts_that_cannot_be_read_are_refused_with_a_sentence(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    with pytest.raises(InvalidRequest, match="no text"):
        inspect_api.read(generator, "x", "")
    with pytest.raises(Refused, match="at most 512"):
        inspect_api.read(generator, "", "word " * 600)
    with pytest.raises(Refused, match="at most 10"):
        inspect_api.read(generator, "", "word " * 6, Limits(prompt_characters=10))
    with pytest.raises(InvalidRequest, match="half a character"):
        inspect_api.read(generator, "", "a\ud800")


def test_a_reading_grows_piece_by_piece_and_ends_whole(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_text, "PIECE", 4)
    generator = LocalGenerator(tiny)
    grown = list(inspect_api.read_on(generator, PROMPT, " Paris, and the ferry leaves at noon."))
    assert [len(one.tokens) for one in grown[:2]] == [5, 9] and len(grown) > 2
    assert {one.length for one in grown} == {len(grown[-1].tokens)}
    assert all(grown[-1].tokens[: len(one.tokens)] == one.tokens for one in grown)
    assert grown[-1] == inspect_api.read(generator, PROMPT, " Paris, and the ferry leaves at noon.")


def test_a_character_of_several_tokens_is_shown_once_and_whole(tiny: models.Loaded) -> None:
    text = "床前明月光，疑是地上霜。🙂"
    tokens = inspect_api.read(LocalGenerator(tiny), "", text).tokens
    assert "".join(one.token.text for one in tokens) == text
    assert "" in [one.token.text for one in tokens]


def test_what_a_token_writes_is_told_only_where_it_stands_for_itself(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    assert inspect_api.written(generator, generator.tokens(" Paris", special=False)[0]) == " Paris"
    assert inspect_api.written(generator, generator.tokens("<|im_end|>", special=False, acts=True)[0]) is None
    assert inspect_api.written(generator, generator.tokens("🙂", special=False)[0]) is None


def test_a_prompt_that_was_looked_at_can_be_forgotten(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = LocalGenerator(tiny)
    looks, look = [], generator.look

    def counted(request: Request, halted: Callable[[], bool]) -> StoredRow:
        looks.append(request)
        return look(request, halted)

    monkeypatch.setattr(generator, "look", counted)
    asked = reference.request(PROMPT, {})
    for _ in range(2):
        inspect_api.next_token(generator, asked, session="closing")
    assert len(looks) == 1
    inspect_api.forget_next("closing")
    inspect_api.next_token(generator, asked, session="closing")
    assert len(looks) == 2


def test_a_generator_without_a_vocabulary_is_refused(tmp_path: Any) -> None:
    scripted = object.__new__(ScriptedGenerator)
    with pytest.raises(Refused, match="whole vocabulary"):
        inspect_api.read(scripted, "", "text")


@pytest.mark.model
@pytest.mark.parametrize("seeding", ["lefthash", "selfhash"])
def test_the_watermark_is_found_in_its_own_text_only(loaded: models.Loaded, seeding: str) -> None:
    generator = LocalGenerator(loaded)
    values = {"watermark": True, "watermark_bias": 6.0, "watermark_seeding": seeding, "seed": 2, "max_new_tokens": 40}
    marked = "".join(step.text for step in generator.stream(reference.request(PROMPT, values)))
    plain = "Paris, which is a large and old city in the north of the country, and many people live there happily."
    found = inspect_api.detect_watermark(generator, marked, parameters.validate(values))
    assert found.prediction and found.z_score > 3 and found.p_value < 0.01 and "carries" in found.sentence.en
    other = inspect_api.detect_watermark(generator, plain, parameters.validate(values))
    assert not other.prediction and other.z_score < 3 and "No watermark" in other.sentence.en
    with pytest.raises(InvalidRequest, match="too few"):
        inspect_api.detect_watermark(generator, "short", parameters.validate(values))
