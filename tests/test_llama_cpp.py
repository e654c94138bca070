"""llama.cpp's own server behind the page: every knob acts, figures are those of the same weights, closing stops it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from playground import generate, models, parameters
from playground.decoding.run_store import RUN_STORE
from playground.generators.local import LocalGenerator
from playground.generators.remote import failures, opening
from playground.generators.remote.generator import RemoteGenerator
from playground.inspection import inspect_api
from playground.models.model_choice import ModelChoice
from playground.parameters import engines
from playground.settings import Settings
from playground.types import Refused, Request, Step
from playground.ui.model_host import ModelHost
from tests.llama_cpp_server import llama_cpp_server
from tests.own_loop import in_own_loop
from tests.reference import request
from tests.tiny import write_gguf

PROMPT = "A slogan for a small cafe: a small cafe, a small"
SHOWN = 40


@pytest.fixture(scope="module")
def engine(llama_cpp: str) -> Iterator[RemoteGenerator]:
    found = opening.open_engine(llama_cpp, figures="all")
    assert isinstance(found, RemoteGenerator)
    yield found
    found.close()


def left(engine: RemoteGenerator, **given: Any) -> dict[int, float]:
    """The probabilities of the next token as the engine's samplers leave them."""
    values = parameters.validate({"seed": 1, **given})
    body = {
        **engines.body("llama.cpp", values),
        "prompt": PROMPT,
        "n_predict": 1,
        "n_probs": SHOWN,
        "post_sampling_probs": True,
        "cache_prompt": True,
    }
    answer = engine.client.post("/completion", body)
    listed = answer["completion_probabilities"][0]["top_probs"]
    return {one["id"]: one["prob"] for one in listed if one["prob"] > 0}


# For every knob that shapes the next token two settings whose distributions must differ, with what it needs beside it.
ENDS: Mapping[str, tuple[Any, Any, dict[str, Any]]] = {
    "temperature": (0.3, 2.0, {}),
    "dynatemp_high": (0.0, 5.0, {"dynatemp_low": 0.1}),
    "dynatemp_low": (0.1, 4.0, {"dynatemp_high": 5.0, "dynatemp_exponent": 4.0}),
    "dynatemp_exponent": (0.2, 5.0, {"dynatemp_high": 3.0, "dynatemp_low": 0.1}),
    "top_k": (2, 0, {}),
    "top_p": (0.3, 1.0, {}),
    "min_p": (0.5, 0.0, {}),
    "typical_p": (0.2, 1.0, {}),
    "top_n_sigma": (0.5, 0.0, {}),
    "xtc_probability": (1.0, 0.0, {"xtc_threshold": 0.02}),
    "xtc_threshold": (0.02, 0.4, {"xtc_probability": 1.0}),
    "min_tokens_to_keep": (1, 8, {"min_p": 1.0}),
    "adaptive_target": (0.02, 0.0, {}),
    "repetition_penalty": (1.0, 3.0, {}),
    "repetition_penalty_range": (1, 0, {"repetition_penalty": 3.0}),
    "presence_penalty": (-2.0, 2.0, {}),
    "frequency_penalty": (-2.0, 2.0, {}),
    "dry_multiplier": (0.0, 5.0, {}),
    "dry_base": (1.0, 4.0, {"dry_multiplier": 1.0, "dry_allowed_length": 1}),
    "dry_allowed_length": (1, 20, {"dry_multiplier": 5.0}),
    "dry_range": (2, 0, {"dry_multiplier": 5.0}),
    "dry_breakers": ([], [" small"], {"dry_multiplier": 5.0}),
    "bad_words_ids": ([], "best", {}),
    "logit_bias_ids": ({}, "best", {}),
    "suppress_tokens": ([], "best", {}),
    "json_schema": ("", json.dumps({"type": "boolean"}), {}),
    "one_of": ([], ["yes", "no"], {}),
    "order": ("transformers", "llama.cpp", {"temperature": 3.0, "top_p": 0.5}),
}
# What is not seen in one distribution, and the test that sees it.
ELSEWHERE: Mapping[str, str] = {
    "max_new_tokens": "test_generators", "stop": "test_generators", "n": "test_generators", "seed": "test_generators",
    "max_time": "test_time_ends_a_row", "ignore_eos": "test_a_text_without_an_end_of_its_own",
    "mirostat_tau": "test_mirostat_acts", "mirostat_eta": "test_mirostat_acts",
    "adaptive_decay": "test_adaptive_decay_acts", "regex": "test_forms_of_llguidance_act_or_are_refused",
    "grammar": "test_forms_of_llguidance_act_or_are_refused",
}  # fmt: skip


def test_every_honoured_knob_has_a_test_that_sees_it(engine: RemoteGenerator) -> None:
    assert engine.parameters == ENDS.keys() | ELSEWHERE.keys()
    here = {name for name in globals() if name.startswith("test_")}
    assert set(ELSEWHERE.values()) - {"test_generators"} <= here


@pytest.mark.parametrize("name", ENDS)
def test_a_knob_at_both_ends_changes_the_next_token(engine: RemoteGenerator, name: str) -> None:
    low, high, beside = ENDS[name]
    if high == "best":
        best = max(left(engine), key=lambda one: left(engine)[one])
        high = {"bad_words_ids": [[best]], "logit_bias_ids": {str(best): -50.0}, "suppress_tokens": [best]}[name]
    one, other = left(engine, **beside, **{name: low}), left(engine, **beside, **{name: high})
    most = max(abs(one.get(token, 0.0) - other.get(token, 0.0)) for token in one.keys() | other.keys())
    assert most > 0.01, f"{name}: {low!r} and {high!r} give the same"


def written(engine: RemoteGenerator, **values: Any) -> list[int]:
    steps = list(engine.stream(request(PROMPT, {"seed": 1, **values})))
    return ids_of(steps)


def test_mirostat_acts(engine: RemoteGenerator) -> None:
    asked = {"max_new_tokens": 12, "seed": 3}
    calm, wild = written(engine, mirostat_tau=0.3, **asked), written(engine, mirostat_tau=9.0, **asked)
    assert calm != wild
    quick = written(engine, mirostat_tau=5.0, mirostat_eta=1.0, **asked)
    assert quick != written(engine, mirostat_tau=5.0, mirostat_eta=0.0, **asked)


def test_adaptive_decay_acts(engine: RemoteGenerator) -> None:
    asked = {"max_new_tokens": 16, "adaptive_target": 0.3, "seed": 3}
    assert written(engine, adaptive_decay=0.0, **asked) != written(engine, adaptive_decay=0.99, **asked)


def test_a_text_without_an_end_of_its_own(engine: RemoteGenerator) -> None:
    values = {"max_new_tokens": 4, "logit_bias_ids": {str(engine.adapter.tokenizer.eos_token_id): 100.0}}
    ends = list(engine.stream(request(PROMPT, {"seed": 1, **values})))
    assert [step.finish for step in ends] == ["end"] and ends[0].end_token == "<|im_end|>"
    goes_on = list(engine.stream(request(PROMPT, {"seed": 1, "ignore_eos": True, **values})))
    assert goes_on[-1].finish == "length"


def test_time_ends_a_row(engine: RemoteGenerator) -> None:
    asked = request(PROMPT, {"seed": 1, "max_new_tokens": 400, "max_time": 0.05, "ignore_eos": True})
    assert list(engine.stream(asked))[-1].finish == "time"


@pytest.mark.parametrize("values", [{"regex": "[0-9]{3}"}, {"grammar": 'start: "yes" | "no"'}])
def test_forms_of_llguidance_act_or_are_refused(engine: RemoteGenerator, values: dict[str, str]) -> None:
    steps = list(engine.stream(request(PROMPT, {"seed": 1, "max_new_tokens": 8, **values})))
    if steps[-1].finish == "error":  # a build without llguidance
        assert steps[-1].reason is not None and "refused" in steps[-1].reason.en
        return
    text = "".join(step.text for step in steps)
    assert text in ("yes", "no") or (len(text) == 3 and text.isdigit())


def test_what_it_cannot_say_is_refused_by_name_before_anything_is_sent(engine: RemoteGenerator) -> None:
    with pytest.raises(Refused) as caught:
        engine.stream(request(PROMPT, {"seed": 1, "bad_words_ids": [[1, 2]]}))
    assert caught.value.parameter == "bad_words_ids"
    with pytest.raises(Refused, match="no") as caught:
        generate.check_generator(request(PROMPT, {"top_a": 0.5}), engine)
    assert caught.value.parameter == "top_a"


def test_closing_a_stream_stops_the_engine(engine: RemoteGenerator) -> None:
    def busy() -> int:
        slots = in_own_loop(lambda: _slots(engine.client.address.base))
        return sum(slot["is_processing"] for slot in slots)

    stream: Any = engine.stream(request(PROMPT, {"seed": 1, "max_new_tokens": 450, "ignore_eos": True, "n": 2}))
    next(stream)
    assert busy() > 0
    stream.close()
    assert until(lambda: busy() == 0, 20)


async def _slots(base: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        found: list[dict[str, Any]] = (await client.get(base + "/slots")).json()
        return found


def until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_figures_are_those_of_the_same_weights_run_here(
    engine: RemoteGenerator, load_embedded: Callable[[str], models.Loaded]
) -> None:
    """llama.cpp also rounds what goes into each product to 8 bits, so its figures differ a little."""
    here = LocalGenerator(load_embedded("fp32"))
    asked = replace(
        request("The capital of France is", {"seed": 1, "temperature": 0, "max_new_tokens": 4}), keep="beside"
    )
    assert list(here.render(asked).token_ids) == list(engine.render(asked).token_ids)
    there = list(engine.stream(asked))
    assert [step.token_id for step in there] == [step.token_id for step in here.stream(replace(asked, keep=""))]
    read = [one for piece in here.read([*here.render(asked).token_ids, *ids_of(there)]) for one in piece]
    worst = max(abs((step.logprob or 0) - (one.logprob or 0)) for step, one in zip(there, read[-4:], strict=True))
    stored = RUN_STORE.get("beside")
    assert stored is not None and stored.closed
    scores, mine = stored.rows[0].scores(0)[0][0], here.look(asked).scores(0)[0].log_softmax(-1)[0]
    divergence = float((mine.exp() * (mine - scores)).sum())
    print(f"max |Δ logprob| of the text {worst:.3f}; KL over the whole vocabulary {divergence:.4f}")
    assert worst < 0.3 and 0 <= divergence < 0.02
    assert all(step.rank == 1 and step.entropy_nats is not None for step in there)


def ids_of(steps: list[Step]) -> list[int]:
    return [step.token_id for step in steps if step.token_id is not None]


def test_a_kept_run_of_an_engine_can_be_looked_into_and_says_that_it_cannot_be_replayed(tiny_llama_cpp: str) -> None:
    engine = opening.open_engine(tiny_llama_cpp)
    asked = replace(request("A slogan:", {"seed": 8, "max_new_tokens": 12, "top_k": 40}), keep="drawn there")
    steps = [step for step in engine.stream(asked) if step.token_id is not None]
    values = asked.values
    for position, step in enumerate(steps):
        found = inspect_api.stage_breakdown("drawn there", 0, position, values)
        assert found.draw is None and found.stages[0].stage == "top_k"
        if step.logprob is not None:
            chance = next(one.p_model for one in found.outcomes if one.token.token_id == step.token_id)
            assert chance == pytest.approx(math.exp(step.logprob), rel=1e-3)
    assert "other random draws" in inspect_api.badges("drawn there", 0)["top_k"].en
    with pytest.raises(Refused, match="Other random draws"):
        inspect_api.replay("drawn there", 0, {**values, "top_k": 2})
    engine.close()


def test_a_run_that_was_drawn_here_is_replayed_exactly(tiny_llama_cpp: str) -> None:
    engine = opening.open_engine(tiny_llama_cpp, sample_here=True)
    values = {"seed": 8, "max_new_tokens": 12, "top_a": 0.01, "smoothing_factor": 0.2}
    asked = replace(request("A slogan:", values), keep="drawn here")
    steps = list(engine.stream(asked))
    assert inspect_api.replay("drawn here", 0, asked.values).first is None
    assert steps[0].chosen_prob is not None
    for name in ("repetition_penalty", "guidance_scale"):
        with pytest.raises(Refused) as caught:
            generate.check_generator(request("A", {name: 1.5}), engine)
        assert caught.value.parameter == name
    engine.close()


def test_half_characters_are_tokens_too(engine: RemoteGenerator) -> None:
    """llama.cpp tells only the token that completes a character; the others are found by their bytes."""
    values = {"seed": 1, "temperature": 0, "max_new_tokens": 6}
    asked = replace(request("Emoji: 😀😀😀😀", values), keep="halves")
    steps = list(engine.stream(asked))
    tokenizer = engine.adapter.tokenizer
    assert "".join(step.text for step in steps) == "😀😀"
    assert b"".join(tokenizer.pieces[step.token_id] for step in steps if step.token_id is not None).decode() == "😀😀"
    stored = RUN_STORE.get("halves")
    assert stored is not None and all(
        float(stored.rows[0].scores(at)[0].exp().sum()) == pytest.approx(1, rel=1e-3) for at in range(6)
    )


def test_a_text_that_ends_within_a_character_has_all_of_its_tokens(engine: RemoteGenerator) -> None:
    """Six tokens write two characters, three of them each."""
    whole = [step.token_id for step in engine.stream(half_characters(6))]
    for count in (5, 4):
        steps = list(engine.stream(half_characters(count)))
        assert [step.token_id for step in steps] == whole[:count]
        assert "".join(step.text for step in steps) == "😀" and steps[-1].finish == "length"
    unwatched = list(engine.stream(replace(half_characters(5), watched=False)))
    assert "".join(step.text for step in unwatched) == "😀" and unwatched[-1].finish == "length"


def half_characters(count: int) -> Request:
    return request("Emoji: 😀😀😀😀", {"seed": 1, "temperature": 0, "max_new_tokens": count})


def test_control_tokens_that_were_typed_are_text(engine: RemoteGenerator) -> None:
    typed = "Say <|im_end|> now"
    for mode in ("chat", "complete"):
        plain = request(typed, {}, mode=mode)
        ids = engine.render(plain).token_ids
        acting = engine.render(replace(plain, special_tokens=True)).token_ids
        assert ids.count(2) == acting.count(2) - 1


def test_a_server_with_a_key_wants_it_and_nobody_sees_it(tmp_path: Path) -> None:
    place = tmp_path / "tiny.gguf"
    write_gguf(place)
    with llama_cpp_server(model=place, key="sk-secret-1") as url:
        with pytest.raises(failures.EngineError, match="key") as caught:
            opening.open_engine(url)
        file = tmp_path / "key"
        file.write_text("sk-secret-1\n")
        engine = opening.open_engine(url, key_file=file)
        with pytest.raises(failures.EngineError, match="key") as wrong:
            opening.open_engine(url, key="sk-wrong-2")
    said = f"{engine.client.address} {engine!r} {vars(engine)} {caught.value} {wrong.value}"
    assert "secret" not in said and "wrong" not in said
    engine.close()


def test_another_model_than_named_is_refused_with_those_that_are_there(tiny_llama_cpp: str) -> None:
    with pytest.raises(failures.EngineError, match=r"does not serve 'other-7b'.*tiny"):
        opening.open_engine(tiny_llama_cpp, model="other-7b")
    opening.open_engine(tiny_llama_cpp, model="tiny").close()


def test_a_server_changes_between_an_engine_and_a_model_of_its_own(llama_cpp: str, folder: Path) -> None:
    host = ModelHost(Settings(engine=(llama_cpp,), path="exact"))
    host.start()
    assert host.wait(60) and host.generator.name == "llama.cpp"
    engine, choice = host.generator, ModelChoice(llama_cpp)
    assert host.pool.choice == choice and host.pool.estimate(choice).fits and host.pool.estimate(choice).held == 0
    host.pool.switch(ModelChoice(str(folder)))
    assert host.pool.wait(60) and host.generator.name == "local", host.pool.state().reason
    assert {one.choice for one in host.pool.entries()} == {choice, ModelChoice(str(folder))}
    host.pool.switch(choice)
    assert host.generator is engine
    *_, run = generate.run(request("A slogan:", {"max_new_tokens": 3, "seed": 1}), host.generator)
    assert run.finished and run.model == engine.card.id
    host.pool.switch(ModelChoice("http://127.0.0.1:9"))
    assert host.pool.wait(60)
    reason = host.pool.state().reason
    assert reason is not None and "127.0.0.1:9" in reason.en and host.generator is engine
