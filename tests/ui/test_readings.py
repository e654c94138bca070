"""What the model reads without writing: the next token before any run, any text, the prompt, the watermark."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from playground import parameters
from playground.decoding import prefill, read
from playground.decoding.keep import KeptRow
from playground.decoding.prefill import Sizes
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.inspection import inspect_api, reading
from playground.settings import Limits, Settings
from playground.types import Busy, Generator, Request
from playground.ui import reader as readers
from playground.ui.ahead import Ahead
from playground.ui.host import Host
from playground.ui.lens import Lens
from playground.ui.line import Desk, Line, Switches
from playground.ui.play import Play
from playground.ui.reader import Reader
from tests.passes import Reads
from tests.ui.conftest import heard

FORM = {"kind": "complete", "language": "en", "prompt": "The harbour at dawn", "fields": {}}
KNOBS = parameters.validate({"seed": 3, "temperature": 0.9, "max_new_tokens": 8, "top_k": 20})
Opened = Callable[..., Host]


@pytest.fixture
def opened() -> Opened:
    """A host that holds this generator."""

    def open_host(generator: Generator, **limits: int) -> Host:
        host = Host(Settings(limits=Limits(**limits)), lambda _settings, _report: generator)
        host.start()
        assert host.wait(10)
        return host

    return open_host


@pytest.fixture
def host(tiny: Any, opened: Opened) -> Host:
    return opened(LocalGenerator(tiny))


def test_the_next_token_follows_the_knobs_without_the_model(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, generator = Ahead(host), host.generator
    assert isinstance(generator, LocalGenerator)
    look, passes = generator.look, []

    def counted(asked: Request, halted: Callable[[], bool]) -> KeptRow:
        passes.append(1)
        return look(asked, halted)

    monkeypatch.setattr(generator, "look", counted)
    first = ahead.look(FORM, {**KNOBS, "seed": -1}, "me")
    assert first is not None and first["draw"] is None and "seed" in first["note"]["en"]
    turned = ahead.turn({**KNOBS, "top_k": 3}, "me")
    assert turned is not None and turned["live"] and turned["draw"] is not None
    top_k = next(stage for stage in turned["stages"] if stage["stage"] == "top_k")
    assert top_k["alive"][1] == 3
    assert passes == [1]
    wrong = ahead.turn({**KNOBS, "top_k": -7}, "me")
    assert wrong is not None and "top_k" in wrong["error"]["en"] and wrong["stages"] == turned["stages"]


def test_the_draw_is_that_of_a_real_run_and_is_not_told_of_beams(host: Host) -> None:
    ahead, play = Ahead(host), Play(host, Line(Limits()), Switches(), Lens())
    shown = ahead.look(FORM, KNOBS, "me")
    run = heard(play.generate(FORM, KNOBS, "me"))[-1]
    assert shown is not None and run["rows"][0]["text"].startswith(shown["draw"]["token"]["text"])
    beams = ahead.turn({**KNOBS, "num_beams": 2}, "me")
    assert beams is not None and beams["draw"] is None and "beam" in beams["note"]["en"]
    several = ahead.turn({**KNOBS, "n": 3}, "me")
    assert several is not None and several["draw"] is not None and "candidate 1" in several["note"]["en"]


def test_each_session_looks_at_its_own_prompt_alone(host: Host) -> None:
    ahead = Ahead(host)
    mine = ahead.look(FORM, KNOBS, "me")
    assert mine is not None
    where = {"run": mine["run"], "row": 0, "position": 0, "text": " boat", "token_id": mine["fates"][0]["id"]}
    assert ahead.turn(KNOBS, "you") is None and ahead.stale(FORM, KNOBS, "you") is None
    assert ahead.ask(where, KNOBS, "you") is None and ahead.start(where, "you") is None
    asked = ahead.ask(where, KNOBS, "me")
    assert asked is not None and asked["asked"] in {fate["id"] for fate in asked["fates"]}
    assert ahead.stale(FORM, {**KNOBS, "temperature": 2.0}, "me") is False
    assert ahead.stale({**FORM, "prompt": "Another"}, KNOBS, "me") is True
    ahead.close("me")
    assert ahead.turn(KNOBS, "me") is None


def test_an_alternative_begins_the_answer(host: Host) -> None:
    ahead, play = Ahead(host), Play(host, Line(Limits()), Switches(), Lens())
    shown = ahead.look({**FORM, "prefill": " is"}, KNOBS, "me")
    assert shown is not None
    fate = next(fate for fate in shown["fates"][1:] if fate["begins"])
    where = {"run": shown["run"], "row": 0, "position": 0}
    for token_id in (None, True, str(fate["id"]), -5):
        assert ahead.start({**where, "token_id": token_id}, "me") is None
    start = ahead.start({**where, "token_id": fate["id"]}, "me")
    assert start is not None
    news = heard(play.begin(start, {**KNOBS, "n": 2}, "me"))
    assert news[-1]["phase"] == "done" and len(news[-1]["rows"]) == 2
    assert all(row["text"].startswith(fate["text"]) for row in news[-1]["rows"])
    assert news[-1]["request"]["prefill"] == "", "a card asked to continue adds its own text"
    assert ahead.turn(KNOBS, "me") is None


def test_what_is_no_text_of_its_own_begins_no_answer(host: Host) -> None:
    ahead = Ahead(host)
    shown = ahead.look(FORM, KNOBS, "me")
    assert shown is not None
    found = ahead.ask({"run": shown["run"], "text": "<|im_end|>"}, KNOBS, "me")
    assert found is not None
    special = [fate for fate in found["fates"] if fate["special"]]
    assert special and not any(fate["begins"] for fate in special)
    assert ahead.start({"run": shown["run"], "token_id": special[0]["id"]}, "me") is None


@pytest.mark.parametrize(
    ("form", "limits", "sentence"),
    [
        ({**FORM, "prompt": " "}, {}, "The prompt is empty."),
        ({**FORM, "prompt": 7}, {}, "prompt must be a text."),
        ({**FORM, "prompt": "x" * 50}, {"prompt_characters": 20}, "at most 20"),
        ({**FORM, "prompt": "word " * 600}, {}, "at most 512"),
    ],
)
def test_what_cannot_be_looked_at_is_said_in_the_panel(
    tiny: Any, opened: Opened, form: dict[str, Any], limits: dict[str, int], sentence: str
) -> None:
    shown = Ahead(opened(LocalGenerator(tiny), **limits)).look(form, KNOBS, "me")
    assert shown is not None and sentence in shown["error"]["en"] and shown["error"]["zh"]
    assert "stages" not in shown


def sentences(updates: list[dict[str, Any]]) -> list[str]:
    return [update["status"]["text"]["en"] for update in updates if update["status"]]


def test_a_text_is_read_with_its_figures(host: Host) -> None:
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


def test_a_single_token_has_only_the_figure_that_it_can_have(host: Host) -> None:
    last = list(Reader(host).read({"text": "a"}, "me"))[-1]
    assert [figure["value"] for figure in last["value"]["rows"][0]["numbers"]] == ["1"]


def test_a_long_text_streams_and_stops_where_it_is_told_to(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PIECE", 32)
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
def test_what_cannot_be_read_is_said_in_place(host: Host, asked: Any, sentence: str) -> None:
    last = list(Reader(host).read(asked, "me"))[-1]
    assert last["status"]["error"] and sentence in last["status"]["text"]["en"] and "value" not in last


def test_the_prompt_is_read_as_the_model_will_see_it(host: Host) -> None:
    form = {"kind": "chat", "message": "Hello", "system": "", "prefill": ""}
    tokens = list(Reader(host).seen(form, KNOBS, "me"))[-1]["value"]["rows"][0]["tokens"]
    assert [tokens[0]["text"], tokens[0]["special"]] == ["<|im_start|>", True]
    assert all(isinstance(token["id"], int) for token in tokens) and "Hello" in [token["text"] for token in tokens]
    empty = list(Reader(host).seen({**form, "message": ""}, KNOBS, "me"))[-1]
    assert "empty" in empty["status"]["text"]["en"]


def test_the_detector_takes_the_present_knobs(host: Host) -> None:
    text = {"text": "One ferry after the other leaves the harbour and none of them ever comes back to it."}
    told = Reader(host).detect(text, {**KNOBS, "watermark_ratio": 0.5, "watermark_seeding": "selfhash"}, "me")
    assert "50% are expected" in told["sentence"]["en"]
    used = {one["label"]["en"]: one["value"] for one in told["used"]}
    assert used["Greenlist ratio"] == "0.5" and used["Watermark seeding"]["zh"] == "自哈希"
    assert "Watermark bias" not in used
    assert "too few" in Reader(host).detect({"text": "short"}, KNOBS, "me")["error"]["en"]
    wrong = Reader(host).detect(text, {**KNOBS, "watermark_context_width": 0}, "me")
    assert "watermark_context_width" in wrong["error"]["en"]


def test_a_model_that_loads_and_a_generator_without_a_vocabulary_say_so(opened: Opened) -> None:
    loading = Host(Settings(), lambda _settings, _report: ScriptedGenerator(["x"]))
    scripted = opened(ScriptedGenerator(["x"], parameters=frozenset(parameters.by_name())))
    for held, sentence in ((loading, "still being loaded"), (scripted, "whole vocabulary")):
        shown = Ahead(held).look(FORM, KNOBS, "me")
        assert shown is not None and sentence in shown["error"]["en"]
        assert sentence in sentences(list(Reader(held).read({"text": "a"}, "me")))[-1]
        assert sentence in sentences(list(Reader(held).seen(FORM, KNOBS, "me")))[-1]
        assert sentence in Reader(held).detect({"text": "a"}, KNOBS, "me")["error"]["en"]


def test_an_error_of_ours_is_one_sentence_and_the_log_has_the_rest(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("inside")

    for name in ("next_token", "read_on", "detect_watermark"):
        monkeypatch.setattr(inspect_api, name, fails)
    shown = Ahead(host).look(FORM, KNOBS, "me")
    read = list(Reader(host).read({"text": "a"}, "me"))
    told = Reader(host).detect({"text": "a"}, KNOBS, "me")
    assert shown is not None
    for error in (shown["error"], read[-1]["status"]["text"], told["error"]):
        assert "Something went wrong" in error["en"]
    assert caplog.text.count("ZeroDivisionError: inside") == 3


def test_the_newest_reading_of_a_session_takes_the_place_of_the_one_before() -> None:
    desk, entered = Desk(at_once=2, waiting=2), threading.Event()

    def newer() -> None:
        with desk.seat("me") as seat:
            assert not seat.over
            entered.set()

    with desk.seat("me") as first:
        thread = threading.Thread(target=newer)
        thread.start()
        while not first.over:
            thread.join(0.01)
        with desk.seat("you") as other:
            assert not other.over
        assert not entered.is_set(), "two readings of one session at a time"
    thread.join(10)
    assert entered.is_set()


@pytest.mark.parametrize("leave", ["close", "newer"])
def test_whoever_leaves_while_a_long_prompt_is_looked_at_has_no_further_chunk_read(
    host: Host, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    monkeypatch.setattr(prefill, "sizes", lambda _: Sizes(12, 5))
    monkeypatch.setattr(prefill, "continues", lambda *_: True)
    ahead = Ahead(host)
    seen: list[Any] = []
    newer = threading.Thread(target=lambda: seen.append(ahead.look(FORM, KNOBS, "me")))

    def after(count: int) -> None:
        if count == 2 and leave == "close":
            ahead.close("me")
        elif count == 2:
            seat = ahead._desk._newest["me"]
            newer.start()
            while not seat.over:
                newer.join(0.001)

    reads = Reads(monkeypatch, after)
    assert ahead.look({**FORM, "prompt": "One ferry after the other " * 6}, KNOBS, "me") is None
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

    ahead, reads = Ahead(opened(LocalGenerator(tiny), max_seconds=60)), Reads(monkeypatch, after)
    shown = ahead.look({**FORM, "prompt": "One ferry after the other " * 6}, KNOBS, "me")
    assert shown is not None and "60 seconds" in shown["error"]["en"] and reads.counts == [5, 5]


def test_a_watermark_is_looked_for_no_longer_than_somebody_waits(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, scored = Reader(host), 0
    score = read.WatermarkDetector._get_ngram_score

    def counted(*given: Any) -> Any:
        nonlocal scored
        scored += 1
        if scored == 3:
            reader.stop("me")
        return score(*given)

    monkeypatch.setattr(read.WatermarkDetector, "_get_ngram_score", counted)
    told = reader.detect({"text": "One ferry after the other leaves the harbour. " * 9}, KNOBS, "me")
    assert "Stopped" in told["error"]["en"] and scored == 3


def test_a_full_desk_says_so_and_leaves_a_running_reading_alone() -> None:
    desk = Desk(at_once=1, waiting=0)
    with desk.seat("me") as seat:
        with pytest.raises(Busy, match="asking the model"), desk.seat("you"):
            pass
        assert not seat.over
    with desk.seat("me") as seat:
        desk.stop("me")
        assert seat.stopped


def test_a_long_text_brings_fewer_alternatives(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "SHORT", 3)
    row = list(Reader(host).read({"text": "One ferry after the other"}, "me"))[-1]["value"]["rows"][0]
    assert {len(token["top"]) for token in row["tokens"][1:]} == {5}
