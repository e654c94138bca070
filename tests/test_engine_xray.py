"""Looking inside what an engine wrote: its scores come when they are wanted, and every view works on them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground import generate, parameters, visitor
from playground.decoding.run_store import RUN_STORE, StoredRow
from playground.generators.remote import engine_reader, opening
from playground.generators.remote.generator import RemoteGenerator
from playground.inspection import diagnose, inspect_api
from playground.run import Run
from playground.settings import Settings
from playground.types import PlaygroundError, Refused, Stopped
from playground.ui import engine_figures
from playground.ui.model_host import ModelHost
from playground.ui.next_token_preview import NextTokenPreview
from playground.ui.run_view import RunView
from playground.visitor import Visitor
from tests.reference import request
from tests.test_generators import openai_compatible

VALUES = {"seed": 8, "max_new_tokens": 12, "top_k": 40, "ignore_eos": True}
FORM = {"prompt": "A slogan:", "mode": "complete"}


@pytest.fixture(scope="module")
def engine(tiny_llama_cpp: str) -> Iterator[RemoteGenerator]:
    found = opening.open_engine(tiny_llama_cpp)
    yield found
    found.close()


def kept(run_id: str) -> StoredRow:
    run = RUN_STORE.get(run_id)
    assert run is not None
    return run.rows[0]


def ran(engine: RemoteGenerator, **values: Any) -> Run:
    asked = replace(request("A slogan:", {**VALUES, **values}), keep=inspect_api.new_run_id())
    return list(generate.run(asked, engine))[-1]


def test_scores_come_only_when_they_are_wanted_and_only_those(tiny_llama_cpp: str, engine: RemoteGenerator) -> None:
    run = ran(engine)
    keep, count = run.request.keep, len(run.candidates[0].token_ids)
    assert any(step.logprob is not None and step.top for step in run.candidates[0].steps)
    assert inspect_api.missing(keep, 0) == count and RUN_STORE.get(keep) is not None
    inspect_api.stage_breakdown(keep, 0, 5)
    assert inspect_api.missing(keep, 0) == count - 1 and not inspect_api.missing(keep, 0, 5)
    assert list(inspect_api.fetch(keep, 0))[-1] == 0 and inspect_api.missing(keep, 0) == 0
    whole = opening.open_engine(tiny_llama_cpp, figures="all")
    other = ran(whole)
    whole.close()
    assert not inspect_api.missing(other.request.keep, 0)
    assert other.candidates[0].token_ids == run.candidates[0].token_ids
    for place in range(count):
        one, same = kept(keep).scores(place)[0], kept(other.request.keep).scores(place)[0]
        assert float((one.exp() - same.exp()).abs().max()) < 1e-3


def test_a_question_that_nobody_waits_for_any_more_is_given_up(engine: RemoteGenerator) -> None:
    run = ran(engine)
    gone = threading.Event()
    left = inspect_api.fetch(run.request.keep, 0, gone.is_set)
    assert next(left) > 0
    gone.set()
    with pytest.raises(Stopped):
        next(left)
    assert 0 < inspect_api.missing(run.request.keep, 0) < len(run.candidates[0].token_ids)


def test_an_engine_that_is_gone_is_a_sentence_and_the_text_stays(tiny_gguf: Path) -> None:
    from tests.llama_cpp_server import llama_cpp_server

    with llama_cpp_server(model=tiny_gguf) as url:
        engine = opening.open_engine(url)
        run = ran(engine)
    with pytest.raises(PlaygroundError, match="Nothing answers"):
        inspect_api.stage_breakdown(run.request.keep, 0, 0)
    assert diagnose.examine(run, 0, run.request.keep) is not None
    engine.close()


def test_the_page_says_that_the_engine_is_asked_and_then_every_view_works(engine: RemoteGenerator) -> None:
    run = ran(engine)
    view = RunView(400)
    view.add("mine", "run-1", run, FORM, None, "")
    view.tokens("mine", "run-1")
    knobs, other = run.request.values, {**run.request.values, "top_k": 2}
    assert view.badges("mine", knobs) == {} and view.figures("mine") is None
    assert "Asking the engine" in view.replay("mine", other)["sentence"]["en"]
    where = {"run": "run-1", "row": 0, "position": 3}
    assert "Asking the engine" in (view.asks("mine", where) or {})["error"]["en"]
    assert view.breakdown("mine", where)["error"] is None and view.asks("mine", where) is None
    said = [one["sentence"]["en"] for one, more in view.asking("mine") if not more]
    count = len(run.candidates[0].token_ids)
    assert f"{count} tokens: 1 are here" in said[0] and f"{count} tokens: 5 are here" in said[1]
    assert "other random draws" in view.badges("mine", knobs)["top_k"].en
    assert "Other random draws" in view.replay("mine", other)["sentence"]["en"]
    cold = view.replay("mine", {**knobs, "temperature": 0})
    assert cold["would"] or cold["first"] is None  # at temperature 0 nothing is drawn, so it is known
    figures = view.figures("mine")
    assert figures is not None and figures["rows"][0]["from"] == 0
    told = [step for step in run.candidates[0].steps if step.token_id is not None]
    assert all(step.entropy_nats is not None and step.rank is not None for step in told)


def test_a_long_text_is_asked_about_in_parts_up_to_a_bound_that_the_page_says(
    engine: RemoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_figures, "PART", 4)
    monkeypatch.setattr(engine_figures, "MOST", 8)
    run, view = ran(engine), RunView(400)
    keep, knobs = run.request.keep, run.request.values
    view.add("mine", "run-1", run, FORM, None, "")
    assert view.badges("mine", knobs) == {}
    later = {"run": "run-1", "row": 0, "position": 9}
    assert view.breakdown("mine", later)["error"] is None  # what is asked for does not wait
    told = [view.badges("mine", knobs)["top_k"].en for _, more in view.asking("mine") if more]
    assert [text.split("of ")[1].split(" ")[0] for text in told] == ["4", "8"]
    count = len(run.candidates[0].token_ids)
    assert inspect_api.told(keep, 0) == 8 and inspect_api.missing(keep, 0) == count - 9 > 0
    assert list(view.asking("mine")) == []
    assert "the first 8 of a text are asked for" in view.replay("mine", {**knobs, "top_k": 2})["sentence"]["en"]
    list(inspect_api.fetch(keep, 0))
    assert f"of {count} tokens" in view.badges("mine", knobs)["top_k"].en
    assert inspect_api.badges(keep, 0, knobs, 4) != inspect_api.badges(keep, 0, knobs)


def test_one_text_of_a_session_is_asked_about_at_a_time(engine: RemoteGenerator) -> None:
    visitor.answer_to(Visitor("mine", "127.0.0.1"))
    views = [RunView(400), RunView(400)]
    for view in views:
        view.add("mine", "run-1", ran(engine), FORM, None, "")
    first, second = (view.asking("mine") for view in views)
    next(first), next(first), next(second)
    gone = threading.Timer(0.5, lambda: views[1].leave("mine"))
    gone.start()
    assert list(second) == []  # it waited until nobody looked any more
    gone.join()
    assert list(first)
    visitor.answer_to(Visitor())


def test_the_doctor_tells_of_candidates_without_the_engines_random_numbers(engine: RemoteGenerator) -> None:
    run = ran(engine, temperature=1.5, min_p=0.05, top_k=1)
    list(inspect_api.fetch(run.request.keep, 0))
    (single,) = [one for one in diagnose.examine(run, 0, run.request.keep) if one.kind == "single"]
    assert single.preview is not None and "single candidate" in single.preview.en and "others" not in single.preview.en


def test_the_next_token_follows_the_knobs_and_at_temperature_0_is_the_engines(tiny_llama_cpp: str) -> None:
    host = ModelHost(Settings(engine=(tiny_llama_cpp,), path="exact"))
    host.start()
    assert host.wait(60)
    preview, engine = NextTokenPreview(host), host.generator
    form = {"kind": "complete", "language": "en", "prompt": "A slogan:", "fields": {}}
    knobs = parameters.validate({"seed": 1, "top_k": 3})
    value = preview.look(form, knobs, "mine")
    assert value is not None and value.get("error") is None and "random numbers of its own" in value["note"]["en"]
    assert len([one for one in value["outcomes"] if one["p_after"] > 0]) == 3
    wide = preview.update({**knobs, "top_k": 0}, "mine")
    assert wide is not None and len([one for one in wide["outcomes"] if one["p_after"] > 0]) > 3
    refused = preview.update({**knobs, "top_a": 0.5}, "mine")
    assert refused is not None and "llama.cpp" in refused["error"]["en"]
    asked = request("A slogan:", {"seed": 1, "temperature": 0, "max_new_tokens": 1})
    found = inspect_api.next_token(engine, asked)
    assert found.draw is not None and found.draw.token.token_id == next(engine.stream(asked)).token_id
    assert isinstance(engine, RemoteGenerator)
    engine.close()


def test_a_text_is_read_in_growing_pieces_with_figures_of_the_whole_vocabulary(
    engine: RemoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = list(inspect_api.read_on(engine, "One ", "two three four five"))
    counts, last = [len(one.tokens) for one in pieces], pieces[-1]
    assert counts == sorted(set(counts)) and len(counts) > 2 and counts[-1] == last.length
    assert "".join(one.token.text for one in last.tokens) == "One two three four five"
    assert all(one.entropy is not None and one.rank for one in last.tokens[1:]) and last.perplexity
    monkeypatch.setattr(engine_reader, "LONGEST_WHOLE", 0)
    quick = inspect_api.read(engine, "One ", "two three four five")
    assert quick.mean_entropy is None
    told = [(one, few) for one, few in zip(last.tokens[1:], quick.tokens[1:], strict=True) if few.logprob is not None]
    assert len(told) > len(last.tokens) / 2
    for one, few in told:
        assert few.logprob == pytest.approx(one.logprob, abs=0.01) and few.rank in (one.rank, None)
    seen = inspect_api.seen(engine, request("A slogan:", {}))
    assert seen.length == len(engine.render(request("A slogan:", {})).token_ids)


def test_a_reading_that_nobody_waits_for_is_given_up(engine: RemoteGenerator) -> None:
    gone = threading.Event()
    reading = inspect_api.read_on(engine, "", "one two three four five six seven", None, gone.is_set)
    next(reading)
    gone.set()
    with pytest.raises(Stopped):
        list(reading)


def test_an_engine_whose_tokens_are_unknown_says_what_is_missing(tiny_llama_cpp: str) -> None:
    engine = openai_compatible(tiny_llama_cpp)
    assert isinstance(engine, RemoteGenerator)
    assert not inspect_api.tells_vocabulary(engine) and inspect_api.biased(engine, parameters.validate({})) == {}
    with pytest.raises(Refused, match="tokens are not known here") as caught:
        inspect_api.read(engine, "", "text")
    assert "词元" in caught.value.say("zh")
    with pytest.raises(Refused, match="tokens are not known here"):
        inspect_api.next_token(engine, request("A", {}))
    engine.close()


def test_an_engine_that_tells_the_likeliest_only_says_so_and_how_to_get_all(tiny_llama_cpp: str) -> None:
    engine = opening.open_engine(tiny_llama_cpp, figures="top")
    run = ran(engine)
    engine.close()
    view = RunView()
    view.add("mine", "run-1", run, FORM, None, "")
    panel = view.breakdown("mine", {"run": "run-1", "row": 0, "position": 3})
    assert "likeliest candidates only" in panel["error"]["en"] and "--engine-figures later" in panel["error"]["en"]
    assert "未知" in panel["error"]["zh"]
    step = run.candidates[0].steps[3]
    assert panel["token"]["id"] == step.token_id
    assert [one["id"] for one in panel["known"]] == [one.token_id for one in step.top or ()] and len(panel["known"]) > 1
    assert all(one["after"] is None and 0 < one["before"] <= 1 for one in panel["known"])
    turned = view.replay("mine", {**run.request.values, "temperature": 0.0})
    assert "unknown here" in turned["sentence"]["en"]
    tokens = view.tokens("mine", "run-1")
    assert tokens is not None and tokens["rows"][0]["tokens"][3]["top"], "what is known is shown"


def test_biased_texts_are_shown_as_the_engines_tokens(engine: RemoteGenerator) -> None:
    texts = {number: inspect_api.written(engine, number) for number in range(len(engine.adapter.tokenizer))}
    number, text = next((one, text) for one, text in texts.items() if text and text.strip() == text)
    found = inspect_api.biased(engine, parameters.validate({"logit_bias": {text: 2.0}, "logit_bias_ids": {"65": 1.0}}))
    assert [(number, text)] in found["logit_bias"][text]
    assert found["logit_bias_ids"]["65"] == [[(65, engine.labels[65])]]


def test_a_trace_of_a_run_that_was_drawn_here_is_replayed(tiny_llama_cpp: str, tmp_path: Path) -> None:
    engine = opening.open_engine(tiny_llama_cpp, sample_here=True)
    run = ran(engine, top_a=0.01, dry_multiplier=0.8, dry_breakers=["\n", "e"], logit_bias={"o": 1.5})
    file = str(tmp_path / "run.jsonl")
    header = {"request": {"values": parameters.changed(run.request.values)}}
    inspect_api.write_trace(run.request.keep, file, header)
    engine.close()
    inspect_api.forget(run.request.keep)
    assert inspect_api.replay_file(file, 0, {}).first is None
    assert inspect_api.replay_file(file, 0, {"top_k": 1, "temperature": 2.0}).differs
    with pytest.raises(PlaygroundError, match="does not tell how its engine writes"):
        inspect_api.replay_file(file, 0, {"logit_bias": {"something else": 1.0}})
    stored = Path(f"{file}.safetensors").read_bytes()
    assert b"A slogan" not in stored  # what others typed at this engine is no part of a trace


def test_a_trace_of_a_run_that_the_engine_drew_tells_no_draw(engine: RemoteGenerator, tmp_path: Path) -> None:
    run = ran(engine)
    file = str(tmp_path / "run.jsonl")
    header = {"request": {"values": parameters.changed(run.request.values)}}
    inspect_api.write_trace(run.request.keep, file, header)
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()[1:]]
    assert len(lines) == len(run.candidates[0].token_ids) and all(line["drawn"]["runner_up"] is None for line in lines)
    with pytest.raises(Refused, match="Other random draws"):
        inspect_api.replay_file(file, 0, {"top_k": 2})
    assert inspect_api.replay_file(file, 0, {"temperature": 0}) is not None


def test_a_watermark_is_looked_for_with_the_engines_tokens(engine: RemoteGenerator) -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    found = inspect_api.detect_watermark(engine, text, parameters.validate({"watermark_bias": 2.0}))
    assert found.tokens_scored >= 16 and 0 <= found.green_share <= 1


def test_many_positions_are_asked_beside_a_text_that_is_written(engine: RemoteGenerator) -> None:
    """One text at a time is all that this engine writes: neither keeps the other from its end."""
    run = ran(engine)
    other = engine.open(request("Another:", {"seed": 1, "max_new_tokens": 40}), threading.Event())
    list(inspect_api.fetch(run.request.keep, 0))
    end = time.monotonic() + 60
    while not other.over and time.monotonic() < end:
        other.poll()
        time.sleep(0.01)
    assert other.over and inspect_api.missing(run.request.keep, 0) == 0
