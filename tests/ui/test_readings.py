"""What the model reads without writing: the next token before any run, any text, the prompt, the watermark."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from playground import parameters
from playground.decoding import prefill, score_text
from playground.decoding.prefill import Sizes
from playground.decoding.run_store import StoredRow
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.inspection import inspect_api, reading
from playground.settings import Limits, Settings
from playground.types import Busy, Generator, Request
from playground.ui import reader as readers
from playground.ui.model_host import ModelHost
from playground.ui.next_token_preview import NextTokenPreview
from playground.ui.play import Play
from playground.ui.reader import Reader
from playground.ui.request_queue import ReadQueue, RequestQueue, StopSwitches
from playground.ui.run_view import RunView
from tests.passes import Reads
from tests.ui.conftest import heard

FORM = {"kind": "complete", "language": "en", "prompt": "The harbour at dawn", "fields": {}}
KNOBS = parameters.validate({"seed": 3, "temperature": 0.9, "max_new_tokens": 8, "top_k": 20})
Opened = Callable[..., ModelHost]


@pytest.fixture
def opened() -> Opened:
    """A host that holds this generator."""

    def open_host(generator: Generator, **limits: int) -> ModelHost:
        host = ModelHost(Settings(limits=Limits(**limits)), lambda _settings, _report: generator)
        host.start()
        assert host.wait(10)
        return host

    return open_host


@pytest.fixture
def host(tiny: Any, opened: Opened) -> ModelHost:
    return opened(LocalGenerator(tiny))


def test_the_next_token_follows_the_knobs_without_the_model(host: ModelHost, monkeypatch: pytest.MonkeyPatch) -> None:
    preview, generator = NextTokenPreview(host), host.generator
    assert isinstance(generator, LocalGenerator)
    look, passes = generator.look, []

    def counted(asked: Request, halted: Callable[[], bool]) -> StoredRow:
        passes.append(1)
        return look(asked, halted)

    monkeypatch.setattr(generator, "look", counted)
    first = preview.look(FORM, {**KNOBS, "seed": -1}, "me")
    assert first is not None and first["draw"] is None and "seed" in first["note"]["en"]
    turned = preview.update({**KNOBS, "top_k": 3}, "me")
    assert turned is not None and turned["live"] and turned["draw"] is not None
    top_k = next(stage for stage in turned["stages"] if stage["stage"] == "top_k")
    assert top_k["alive"][1] == 3
    assert passes == [1]
    wrong = preview.update({**KNOBS, "top_k": -7}, "me")
    assert wrong is not None and "top_k" in wrong["error"]["en"] and wrong["stages"] == turned["stages"]


def test_the_draw_is_that_of_a_real_run_and_is_not_told_of_beams(host: ModelHost) -> None:
    preview, play = NextTokenPreview(host), Play(host, RequestQueue(Limits()), StopSwitches(), RunView())
    shown = preview.look(FORM, KNOBS, "me")
    run = heard(play.generate(FORM, KNOBS, "me"))[-1]
    assert shown is not None and run["rows"][0]["text"].startswith(shown["draw"]["token"]["text"])
    beams = preview.update({**KNOBS, "num_beams": 2}, "me")
    assert beams is not None and beams["draw"] is None and "beam" in beams["note"]["en"]
    several = preview.update({**KNOBS, "n": 3}, "me")
    assert several is not None and several["draw"] is not None and "candidate 1" in several["note"]["en"]


def test_each_session_looks_at_its_own_prompt_alone(host: ModelHost) -> None:
    preview = NextTokenPreview(host)
    mine = preview.look(FORM, KNOBS, "me")
    assert mine is not None
    where = {"run": mine["run"], "row": 0, "position": 0, "text": " boat", "token_id": mine["outcomes"][0]["id"]}
    assert preview.update(KNOBS, "you") is None and preview.stale(FORM, KNOBS, "you") is None
    assert preview.ask(where, KNOBS, "you") is None and preview.start(where, "you") is None
    asked = preview.ask(where, KNOBS, "me")
    assert asked is not None and asked["asked"] in {outcome["id"] for outcome in asked["outcomes"]}
    assert preview.stale(FORM, {**KNOBS, "temperature": 2.0}, "me") is False
    assert preview.stale({**FORM, "prompt": "Another"}, KNOBS, "me") is True
    preview.close("me")
    assert preview.update(KNOBS, "me") is None


def test_an_alternative_begins_the_answer(host: ModelHost) -> None:
    preview, play = NextTokenPreview(host), Play(host, RequestQueue(Limits()), StopSwitches(), RunView())
    shown = preview.look({**FORM, "prefill": " is"}, KNOBS, "me")
    assert shown is not None
    outcome = next(outcome for outcome in shown["outcomes"][1:] if outcome["begins"])
    where = {"run": shown["run"], "row": 0, "position": 0}
    for token_id in (None, True, str(outcome["id"]), -5):
        assert preview.start({**where, "token_id": token_id}, "me") is None
    start = preview.start({**where, "token_id": outcome["id"]}, "me")
    assert start is not None
    news = heard(play.generate_from_token(start, {**KNOBS, "n": 2}, "me"))
    assert news[-1]["phase"] == "done" and len(news[-1]["rows"]) == 2
    assert all(row["text"].startswith(outcome["text"]) for row in news[-1]["rows"])
    assert news[-1]["request"]["prefill"] == "", "a card asked to continue adds its own text"
    assert preview.update(KNOBS, "me") is None


def test_what_is_no_text_of_its_own_begins_no_answer(host: ModelHost) -> None:
    preview = NextTokenPreview(host)
    shown = preview.look(FORM, KNOBS, "me")
    assert shown is not None
    found = preview.ask({"run": shown["run"], "text": "<|im_end|>"}, KNOBS, "me")
    assert found is not None
    special = [outcome for outcome in found["outcomes"] if outcome["special"]]
    assert special and not any(outcome["begins"] for outcome in special)
    assert preview.start({"run": shown["run"], "token_id": special[0]["id"]}, "me") is None


@pytest.mark.parametrize(
    ("form", "limits", "sentence"),
    [
        ({**FORM, "prompt": " "}, {}, "The prompt is empty."),
        ({**FORM, "prompt": 7}, {}, "Prompt must be a text."),
        ({**FORM, "prompt": "x" * 50}, {"prompt_characters": 20}, "at most 20"),
        ({**FORM, "prompt": "word " * 600}, {}, "at most 512"),
    ],
)
def test_what_cannot_be_looked_at_is_said_in_the_panel(
    tiny: Any, opened: Opened, form: dict[str, Any], limits: dict[str, int], sentence: str
) -> None:
    shown = NextTokenPreview(opened(LocalGenerator(tiny), **limits)).look(form, KNOBS, "me")
    assert shown is not None and sentence in shown["error"]["en"] and shown["error"]["zh"]
    assert "stages" not in shown


def sentences(updates: list[dict[str, Any]]) -> list[str]:
    return [update["status"]["text"]["en"] for update in updates if update["status"]]


def test_a_text_is_read_with_its_figures(host: ModelHost) -> None:
    updates = list(Reader(host).read({"prompt": "The harbour", "text": " at dawn, and a boat."}, "me"))
    assert sentences(updates) == ["Reading…"] and updates[-1]["status"] == {}
    row = updates[-1]["value"]["rows"][0]
    assert "".join(token["text"] for token in row["tokens"]) == "The harbour at dawn, and a boat."
    context = [token["context"] for token in row["tokens"]]
    assert context == sorted(context, reverse=True) and True in context and False in context
    assert row["done"] and all(len(token["top"]) == 10 for token in row["tokens"][1:])
    figures = {figure["label"]["en"]: figure["value"] for figure in row["numbers"]}
    assert set(figures) == {
        "tokens", "perplexity", "mean entropy", "bits a character", "first choice", "in the first ten",
    }  # fmt: skip
    assert figures["tokens"] == str(context.count(False))


def test_a_single_token_has_only_the_figure_that_it_can_have(host: ModelHost) -> None:
    last = list(Reader(host).read({"text": "a"}, "me"))[-1]
    assert [figure["value"] for figure in last["value"]["rows"][0]["numbers"]] == ["1"]


def test_a_long_text_streams_and_stops_where_it_is_told_to(host: ModelHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_text, "PIECE", 32)
    reader = Reader(host)
    asked = {"prompt": "", "text": "One ferry after the other leaves the harbour. " * 40}
    reading = reader.read(asked, "me")
    held: list[dict[str, Any]] = []
    for update in reading:
        if "value" not in update:
            continue
        part = update["value"]["rows"][0]
        assert part["from"] == len(held), "told twice, or a gap"
        held += part["tokens"]
        if len(held) > 100:
            reader.stop("you")
        if len(held) > 200:
            reader.stop("me")
    assert "Stopped" in update["status"]["text"]["en"] and not update["status"]["stop"]
    parts = [update["value"]["rows"][0] for update in reader.read(asked, "me") if "value" in update]
    whole = [token for part in parts for token in part["tokens"]]
    assert held == whole[: len(held)] and len(held) < len(whole) and parts[-1]["done"] and parts[-1]["numbers"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [({"text": ""}, "no text to read"), ({"text": 7}, "no text to read"), (None, "no text to read"),
     ({"text": "a\ud800"}, "half a character"), ({"text": "word " * 600}, "at most 512")],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_place(host: ModelHost, asked: Any, sentence: str) -> None:
    last = list(Reader(host).read(asked, "me"))[-1]
    assert last["status"]["error"] and sentence in last["status"]["text"]["en"] and "value" not in last


def test_what_was_read_before_is_taken_away_before_anything_is_said_of_another_text(host: ModelHost) -> None:
    first, last = (lambda told: (told[0], told[-1]))(list(Reader(host).read({"text": "word " * 600}, "me")))
    assert first["value"]["rows"][0]["tokens"] == [] and first["status"]["stop"]
    assert last["status"]["error"]


@pytest.mark.parametrize("where", ["prompt", "text"])
def test_a_typed_control_token_is_text_unless_it_is_to_act(host: ModelHost, where: str) -> None:
    asked: dict[str, Any] = {"prompt": "The harbour ", "text": " at dawn"}
    asked[where] += "<|im_end|>hello"

    def special(**more: Any) -> list[str]:
        value = list(Reader(host).read({**asked, **more}, "me"))[-1]["value"]
        found = value["rows"][0]["tokens"]
        assert "".join(token["text"] for token in found) == asked["prompt"] + asked["text"]
        return [token["text"] for token in found if token["special"]]

    assert special() == special(special_tokens="yes") == []
    assert special(special_tokens=True) == ["<|im_end|>"]


@pytest.mark.parametrize(
    ("z", "p", "said"),
    [(3.01, 0.0013, "carries the watermark"), (2.9, 0.002, "one text in 500"), (1.0, 0.16, "No watermark was")],
)
def test_a_verdict_says_its_threshold_and_calls_nothing_absent_that_is_only_not_certain(
    z: float, p: float, said: str
) -> None:
    sentence = score_text._sentence(z, p, 0.62, 120, 0.5)
    assert said in sentence.en and "z = 3" in sentence.en and "z = 3" in sentence.zh
    assert ("No watermark" in sentence.en) == ("未发现" in sentence.zh) == (p > 0.05)


def test_the_prompt_is_read_as_the_model_will_see_it(host: ModelHost) -> None:
    form = {"kind": "chat", "message": "Hello", "system": "", "prefill": ""}
    tokens = list(Reader(host).seen(form, KNOBS, "me"))[-1]["value"]["rows"][0]["tokens"]
    assert [tokens[0]["text"], tokens[0]["special"]] == ["<|im_start|>", True]
    assert all(isinstance(token["id"], int) for token in tokens) and "Hello" in [token["text"] for token in tokens]
    empty = list(Reader(host).seen({**form, "message": ""}, KNOBS, "me"))[-1]
    assert "empty" in empty["status"]["text"]["en"]


def test_the_detector_takes_the_present_knobs(host: ModelHost) -> None:
    text = {"text": "One ferry after the other leaves the harbour and none of them ever comes back to it."}
    told = Reader(host).detect(text, {**KNOBS, "watermark_ratio": 0.5, "watermark_seeding": "selfhash"}, "me")
    assert "50% are expected" in told["sentence"]["en"]
    used = {one["label"]["en"]: one["value"] for one in told["used"]}
    assert used["Green list share"] == "0.5" and used["Watermark seeding"]["zh"] == "含候选词元"
    assert "Watermark bias" not in used
    assert "too few" in Reader(host).detect({"text": "short"}, KNOBS, "me")["error"]["en"]
    wrong = Reader(host).detect(text, {**KNOBS, "watermark_context_width": 0}, "me")
    assert "watermark_context_width" in wrong["error"]["en"]


def test_a_model_that_loads_and_a_generator_without_a_vocabulary_say_so(opened: Opened) -> None:
    loading = ModelHost(Settings(), lambda _settings, _report: ScriptedGenerator(["x"]))
    scripted = opened(ScriptedGenerator(["x"], parameters=frozenset(parameters.by_name())))
    for held, sentence in ((loading, "still being loaded"), (scripted, "whole vocabulary")):
        shown = NextTokenPreview(held).look(FORM, KNOBS, "me")
        assert shown is not None and sentence in shown["error"]["en"]
        assert sentence in sentences(list(Reader(held).read({"text": "a"}, "me")))[-1]
        assert sentence in sentences(list(Reader(held).seen(FORM, KNOBS, "me")))[-1]
        assert sentence in Reader(held).detect({"text": "a"}, KNOBS, "me")["error"]["en"]


def test_an_error_of_ours_is_one_sentence_and_the_log_has_the_rest(
    host: ModelHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("inside")

    for name in ("next_token", "read_on", "detect_watermark"):
        monkeypatch.setattr(inspect_api, name, fails)
    shown = NextTokenPreview(host).look(FORM, KNOBS, "me")
    read = list(Reader(host).read({"text": "a"}, "me"))
    told = Reader(host).detect({"text": "a"}, KNOBS, "me")
    assert shown is not None
    for error in (shown["error"], read[-1]["status"]["text"], told["error"]):
        assert "Something went wrong" in error["en"]
    assert caplog.text.count("ZeroDivisionError: inside") == 3


def test_the_newest_reading_of_a_session_takes_the_place_of_the_one_before() -> None:
    desk, entered = ReadQueue(at_once=2, waiting=2), threading.Event()

    def newer() -> None:
        with desk.place("me") as place:
            assert not place.over
            entered.set()

    with desk.place("me") as first:
        thread = threading.Thread(target=newer)
        thread.start()
        while not first.over:
            thread.join(0.01)
        with desk.place("you") as other:
            assert not other.over
        assert not entered.is_set(), "two readings of one session at a time"
    thread.join(10)
    assert entered.is_set()


@pytest.mark.parametrize("leave", ["close", "newer"])
def test_whoever_leaves_while_a_long_prompt_is_looked_at_has_no_further_chunk_read(
    host: ModelHost, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    monkeypatch.setattr(prefill, "sizes", lambda _: Sizes(12, 5))
    monkeypatch.setattr(prefill, "continues", lambda *_: True)
    preview = NextTokenPreview(host)
    seen: list[Any] = []
    newer = threading.Thread(target=lambda: seen.append(preview.look(FORM, KNOBS, "me")))

    def after(count: int) -> None:
        if count == 2 and leave == "close":
            preview.close("me")
        elif count == 2:
            place = preview._queue._newest["me"]
            newer.start()
            while not place.over:
                newer.join(0.001)

    reads = Reads(monkeypatch, after)
    assert preview.look({**FORM, "prompt": "One ferry after the other " * 6}, KNOBS, "me") is None
    if leave == "newer":
        newer.join()
    assert reads.counts[:2] == [5, 5] and reads.counts[2:] == ([] if leave == "close" else [4])
    assert len(seen) == (leave == "newer") and all(value is not None for value in seen)


def test_a_prompt_that_is_looked_at_for_too_long_says_so(
    tiny: Any, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefill, "sizes", lambda _: Sizes(12, 5))
    monkeypatch.setattr(prefill, "continues", lambda *_: True)
    late = 0.0
    monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: late))

    def after(count: int) -> None:
        nonlocal late
        late = 100.0 if count == 2 else 0.0

    preview, reads = NextTokenPreview(opened(LocalGenerator(tiny), max_seconds=60)), Reads(monkeypatch, after)
    shown = preview.look({**FORM, "prompt": "One ferry after the other " * 6}, KNOBS, "me")
    assert shown is not None and "60 seconds" in shown["error"]["en"] and reads.counts == [5, 5]


def test_a_watermark_is_looked_for_no_longer_than_somebody_waits(
    host: ModelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, scored = Reader(host), 0
    score = score_text.WatermarkDetector._get_ngram_score

    def counted(*given: Any) -> Any:
        nonlocal scored
        scored += 1
        if scored == 3:
            reader.stop("me")
        return score(*given)

    monkeypatch.setattr(score_text.WatermarkDetector, "_get_ngram_score", counted)
    told = reader.detect({"text": "One ferry after the other leaves the harbour. " * 9}, KNOBS, "me")
    assert "Stopped" in told["error"]["en"] and scored == 3


def test_a_full_desk_says_so_and_leaves_a_running_reading_alone() -> None:
    desk = ReadQueue(at_once=1, waiting=0)
    with desk.place("me") as place:
        with pytest.raises(Busy, match="asking the model"), desk.place("you"):
            pass
        assert not place.over
    with desk.place("me") as place:
        desk.stop("me")
        assert place.stopped


def test_a_long_text_brings_fewer_alternatives(host: ModelHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "SHORT", 3)
    row = list(Reader(host).read({"text": "One ferry after the other"}, "me"))[-1]["value"]["rows"][0]
    assert {len(token["top"]) for token in row["tokens"][1:]} == {5}
