"""The tab Batch's events over whatever a stranger's script sends: each is answered with a sentence, or with nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from playground import batch, parameters
from playground.batch import Plan
from playground.generators.scripted import ScriptedGenerator
from playground.settings import Limits, Settings
from playground.tables.rows import Result
from playground.tasks import user_task
from playground.types import Busy, InvalidRequest
from playground.ui.batch_tab import BatchTab
from playground.ui.model_host import ModelHost
from playground.ui.page_texts import UNEXPECTED, bilingual
from playground.ui.request_queue import RequestQueue
from playground.ui.shared_store import SharedStore
from playground.ui.uploads import AT_ONCE, Uploads
from playground.visitor import Visitor, answer_to
from tests.ui.conftest import heard
from tests.ui.events import Screen

OWN = user_task.write("Fox story", user_task.free("About {{product}}:"), {}, parameters.validate({}), "en")
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 1.5, float("nan"), float("inf"), 10**400, 2**63, -(2**64), "", " ", "x", "\ud800",
    "a\0b", "k" * 100_000, "../../etc/passwd", "/etc/passwd", [], [1], ["\ud800"], {}, {"\ud800": "\udfff"}, {"a": []},
    "id: fox\ntitle: \"\\ud800\"\n", "{a: " * 10_000,
]  # fmt: skip
# What each event reads beside the job's key.
READS: dict[str, tuple[str, ...]] = {
    "open": (),
    "piece": ("at", "size", "from", "data", "name", "sheet", "delimiter", "encoding"),
    "about": ("task", "own", "language", "at"),
    "look": ("task", "own", "language", "mapping", "fixed", "n", "seed", "knobs"),
    "go": ("task", "own", "language", "mapping", "fixed", "n", "seed", "knobs", "first"),
    "follow": ("first",),
    "pause": (),
    "halt": (),
    "save": ("kind", "language", "at"),
}


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchTab]:
    settings = Settings(data_folder=str(tmp_path_factory.mktemp("data")))
    script = ScriptedGenerator(["One."], parameters=frozenset(parameters.by_name()))
    host = ModelHost(settings, lambda _settings, _report: script)
    host.start()
    assert host.wait(20)
    kept = SharedStore(settings)
    tab = BatchTab(host, RequestQueue(Limits()), kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_LOOK", 0.001)  # some hundred jobs of two rows each
        yield tab
        while tab._jobs._live:
            time.sleep(0.01)
    kept.store.close()


def answers(
    tab: BatchTab, event: str, sent: object, knobs: Any = None, act: Any = None, session: str = "me"
) -> list[dict[str, Any]]:
    """All that a handler of the tab answers, as it would go to the browser."""
    told, request = gr.EventData(None, sent), SimpleNamespace(session_hash=session)
    match event:
        case "look":
            found, shown = [], Screen()
            for update in heard(tab._look(knobs, act, told)):
                shown.take(update)
                found.append({"preview": shown.shown["batch-preview"]})
        case "go":
            found = [tab._go(knobs, act, told)]
            found += [] if found[0]["status"]["error"] else followed(tab, sent)
        case "piece":
            found = [tab._piece(told, request)]
        case _:
            found = [getattr(tab, f"_{event}")(told)]
    json.dumps(found, ensure_ascii=False).encode()  # nothing that came in goes out unread
    return [one for one in found if one is not None]


def followed(tab: BatchTab, sent: object) -> list[dict[str, Any]]:
    """What a script is told that asks again and again until the job has ended."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["status"]["running"]:
        found.append(tab._follow(gr.EventData(None, sent)))
        time.sleep(0.001)
    return found


def added(tab: BatchTab) -> str:
    return tab._jobs.store.add_job(["p"], [{"p": "Tea"}, {"p": "Coffee"}])


def wish(key: str, **more: Any) -> dict[str, Any]:
    filled = {"task": "slogans", "mapping": {"product": "p"}, "fixed": {}, "n": 1, "seed": 1}
    return {"key": key, **filled, "anew": True, **more}


def state(tab: BatchTab, key: str) -> tuple[Mapping[str, Any], int]:
    job = tab._jobs.store.job(key)
    assert job is not None
    return job.plan, tab._jobs.progress(key).counts.done


@pytest.mark.parametrize("event", READS)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_nothing_odd_in_place_of_what_is_sent_or_of_its_key_finds_a_job(tab: BatchTab, event: str, odd: Any) -> None:
    for sent in (odd, {"key": odd}, {"key": odd, "resume": odd, "retry": odd, "kind": odd}):
        for told in answers(tab, event, sent):
            shown = next(value for name, value in told.items() if not name.startswith("_"))
            assert "error" in shown or shown["all"] == 0, "neither a sentence nor nothing"


@pytest.mark.parametrize(("event", "name"), [(event, name) for event, names in READS.items() for name in names])
def test_nothing_odd_beside_a_key_breaks_an_event_or_its_job(tab: BatchTab, event: str, name: str) -> None:
    key = added(tab)
    answers(tab, "go", wish(key))
    ended = state(tab, key)
    assert ended[1] == 2
    for odd in ODD:
        told = answers(tab, event, wish(key) | {name: odd})
        if event == "go":
            assert "error" in told[-1]["status"] or told[-1]["status"]["waiting"] == 0
        else:
            assert told and state(tab, key) == ended


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_nothing_odd_on_the_panel_or_for_a_path_breaks_a_run(tab: BatchTab, odd: Any) -> None:
    key = added(tab)
    knobs = [odd, *({name: odd} for name in ("temperature", "stop", "negative_prompt", "logit_bias", "n", "order"))]
    for turned in knobs:
        told = answers(tab, "go", wish(key, knobs=True), turned, odd)
        assert "error" in told[-1]["status"] or told[-1]["status"]["waiting"] == 0
    assert "error" in answers(tab, "go", wish(key, mapping={"product": odd}, fixed={"product": odd}))[-1]["status"] or (
        isinstance(odd, str) and odd.strip()
    )


def test_what_has_not_been_run_cannot_be_gone_on_with(tab: BatchTab) -> None:
    for wanted in ("resume", "retry"):
        (told,) = answers(tab, "go", {"key": added(tab), wanted: True})
        assert told["status"]["error"]["en"] == "This batch has not been run yet. Choose a task and run it."


def piece(content: bytes, start: int, end: int, **more: Any) -> dict[str, Any]:
    data = base64.b64encode(content[start:end]).decode()
    return {"at": 5, "name": "rows.csv", "size": len(content), "from": start, "data": data, **more}


def test_a_file_comes_in_pieces_and_only_in_their_order(tab: BatchTab) -> None:
    rows = b"p\n" + b"Tea\n" * 40
    (told,) = answers(tab, "piece", piece(rows, 0, 90))
    assert told["taken"] == {"at": 5, "from": 0}
    for wrong in (piece(rows, 0, 9), piece(rows, 99, 120), piece(rows, 90, 99, size=95), piece(rows, 90, 99, data="%")):
        answers(tab, "piece", piece(rows, 0, 90, at=6))
        (told,) = answers(tab, "piece", wrong | {"at": 6})
        assert told["job"]["error"]["en"] == "The file did not arrive whole. Choose the file again."
    answers(tab, "piece", piece(rows, 0, 90))
    (told,) = answers(tab, "piece", piece(rows, 90, 200))
    assert told["job"]["columns"] == ["p"] and tab._jobs.store.counts(told["job"]["key"]).all == 40


def test_no_session_opens_what_another_one_sends(tab: BatchTab) -> None:
    rows = b"p\nTea\n"
    answers(tab, "piece", piece(rows, 0, 3))
    (told,) = answers(tab, "piece", piece(rows, 3, 9), session="another")
    assert "did not arrive whole" in told["job"]["error"]["en"]
    (told,) = answers(tab, "piece", piece(rows, 3, 9))
    assert told["job"]["first"] == {"p": "Tea"}


def test_a_path_names_no_file(tab: BatchTab, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("p\nTea\n")
    for sent in ({"path": str(tmp_path / "rows.csv")}, piece(b"p\nTea\n", 0, 9) | {"name": "../../x/rows.csv"}):
        event = "open" if "path" in sent else "piece"
        (told,) = answers(tab, event, sent)
        assert "columns" not in told["job"] if event == "open" else told["job"]["columns"] == ["p"]


def test_files_on_their_way_are_few_and_the_idle_make_room(tab: BatchTab) -> None:
    moment = [0.0]
    uploads = Uploads(Limits(batch_bytes=100), clock=lambda: moment[0])
    begins = {"at": 1, "size": 90, "from": 0, "data": "AAAA"}
    for session in range(AT_ONCE):
        assert uploads.add(str(session), begins) is None
    with pytest.raises(Busy):
        uploads.add("late", begins)
    with pytest.raises(InvalidRequest):
        uploads.add("large", begins | {"size": 101})
    moment[0] = 60.0
    assert uploads.add("late", begins) is None


def test_one_address_cannot_take_all_places_for_files() -> None:
    uploads = Uploads(Limits(batch_bytes=100, session_share=25, address_share=50))
    begins = {"at": 1, "size": 90, "from": 0, "data": "AAAA"}

    def begin(number: int, address: str) -> bytes | None:
        session, own = f"{address} {number}", copy_context()
        own.run(answer_to, Visitor(session, address))
        return own.run(uploads.add, session, begins)

    for number in range(AT_ONCE // 2):
        assert begin(number, "10.0.0.1") is None
    with pytest.raises(Busy, match="your address"):
        begin(AT_ONCE, "10.0.0.1")
    assert begin(0, "10.0.0.2") is None


def whole(content: bytes, **more: Any) -> dict[str, Any]:
    return piece(content, 0, len(content), **more)


def test_what_has_to_be_asked_of_a_file_is_asked_and_the_answer_comes_with_the_file(tab: BatchTab) -> None:
    data = b"p;a,b\nTea;1,2\n"
    (told,) = answers(tab, "piece", whole(data))
    asked = told["job"]["ask"]
    assert asked["option"] == "delimiter" and [one["value"] for one in asked["choices"]] == [",", ";"]
    assert "comma or semicolon" in told["job"]["error"]["en"] and told["job"]["known"]
    (told,) = answers(tab, "piece", whole(data, delimiter=";"))
    assert told["job"]["columns"] == ["p", "a,b"] and told["job"]["first"] == {"p": "Tea", "a,b": "1,2"}
    for name in ("sheet", "delimiter", "encoding"):
        for odd in ODD:
            (told,) = answers(tab, "piece", whole(data) | {name: odd})
            assert "error" in told["job"] or told["job"]["columns"]


def test_rows_that_are_refused_are_told_with_the_file_counted_and_shown(tab: BatchTab) -> None:
    (told,) = answers(tab, "piece", whole(b"p\n,x\nTea\n" + b"\n".join([b"a,b,c"] * 6) + b"\n"))
    job = told["job"]
    assert job["columns"] == ["p"] and job["first"] == {"p": ",x"}
    (told,) = answers(tab, "piece", whole(b"p,q\n1,2,3\nTea,x\n" + b"a,b,c\n" * 6))
    job = told["job"]
    assert [one["number"] for one in job["refused"]] == [1, 3, 4, 5, 6] and job["first"] == {"p": "Tea", "q": "x"}
    assert job["refused"][0]["reason"]["en"].startswith("Line 2 has more cells")
    preview = answers(tab, "look", wish(job["key"]))[-1]["preview"]
    assert "Tea" in preview["prompt"]
    status = answers(tab, "go", wish(job["key"]))[-1]["status"]
    assert (status["done"], status["refused"], status["all"]) == (1, 7, 8)
    assert [one["state"] for one in status["rows"]] == ["refused", "done", *["refused"] * 6]
    (saved,) = answers(tab, "save", {"key": job["key"], "kind": "jsonl", "language": "zh"})
    lines = [json.loads(line) for line in saved["file"]["text"].splitlines()]
    assert len(lines) == 8 and lines[0]["state"] == "refused" and lines[0]["reason"].startswith("文件第 2 行")
    (told,) = answers(tab, "piece", whole(b"p,q\n1,2,3\n"))
    assert "No row of the file" in answers(tab, "look", wish(told["job"]["key"]))[-1]["preview"]["error"]["en"]


def test_a_job_that_has_not_changed_is_told_in_a_word(tab: BatchTab) -> None:
    key = added(tab)
    (first,) = answers(tab, "follow", {"key": key, "number": 1})
    (again,) = answers(tab, "follow", {"key": key, "number": 2, "seen": first["status"]["seen"]})
    assert again["status"] == {"key": key, "first": 1, "number": 2, "seen": first["status"]["seen"], "same": True}
    (other,) = answers(tab, "follow", {"key": key, "number": 3, "first": 2, "seen": first["status"]["seen"]})
    assert [row["number"] for row in other["status"]["rows"]] == [2]


def test_an_own_task_goes_into_the_plan_and_a_broken_one_is_told_with_its_line(tab: BatchTab) -> None:
    key = added(tab)
    sent = wish(key, task="own:a", own=OWN)
    (told,) = answers(tab, "about", {**sent, "mapping": {}, "at": 5})
    assert told["about"] == {"at": 5, "guess": {}, "several": {}, "remark": None}
    answers(tab, "go", sent, None, {"path": "fast"})
    plan, done = state(tab, key)
    assert (plan["task"], plan["own"], plan["path"], done) == ("fox_story", OWN, "exact", 2)  # a script has one path
    (told,) = answers(tab, "open", {"key": key})
    assert told["job"]["own"]["title"]["en"] == "Fox story"
    broken = wish(key, own=OWN.replace("group: write", "group: poems"))
    for event, place in (("about", "about"), ("look", "preview"), ("go", "status")):
        assert "task.yaml, line 2, group" in answers(tab, event, broken)[-1][place]["error"]["en"]
    assert state(tab, key) == (plan, 2)


def test_a_record_is_told_by_its_headings_and_as_it_is_where_its_task_is_gone(tab: BatchTab) -> None:
    key, store = added(tab), tab._jobs.store
    text = '{"name": "Aisha", "when": "Friday", "quantity": 3, "wants": "tea"}'
    plan = Plan("record", mapping={"message": "p"}).as_json()
    record = {
        "en": "Who: Aisha\nWhen: Friday\nHow many: 3\nWhat: tea",
        "zh": "谁：Aisha\n何时：Friday\n多少：3\n要什么：tea",
    }
    for kept, shown in ((plan, record), ({**plan, "task": "gone"}, text)):
        store.plan(key, kept)
        store.accept(key, Result(1, {"p": "Tea"}, "done", (text,)))
        (told,) = answers(tab, "follow", {"key": key})
        assert told["status"]["rows"][0]["texts"] == [shown]


def test_results_are_replaced_only_where_that_was_said(tab: BatchTab) -> None:
    key = added(tab)
    assert not answers(tab, "go", wish(key, anew=False))[0]["status"]["asks"]  # there is nothing to replace
    ended = state(tab, key)
    for odd in (False, None, 0, ""):
        (told, *_) = answers(tab, "go", wish(key, anew=odd, seed=9))
        assert told["status"]["asks"] and told["status"]["done"] == 2 and state(tab, key) == ended
    (told, *_) = answers(tab, "go", wish(key, seed=9))
    assert not told["status"]["asks"] and state(tab, key)[0]["seed"] == 9


def test_a_run_that_finds_no_place_loses_no_result(tab: BatchTab, monkeypatch: pytest.MonkeyPatch) -> None:
    key = added(tab)
    answers(tab, "go", wish(key))
    ended = state(tab, key)
    monkeypatch.setattr(tab._jobs, "_most", 0)
    (told,) = answers(tab, "go", wish(key, seed=9))
    assert "Too many batches" in told["status"]["error"]["en"] and state(tab, key) == ended


@pytest.mark.parametrize("count", [0, -1, 17, 1.5, "", "two", None, True])
def test_how_many_texts_a_row_gets_is_refused_by_its_name_on_the_page(tab: BatchTab, count: Any) -> None:
    key = added(tab)
    for event, place in (("look", "preview"), ("go", "status")):
        told = answers(tab, event, wish(key, n=count))[-1][place]
        assert told["error"] == {
            "en": "Texts per row: a whole number from 1 to 16.", "zh": "每行生成条数：请输入 1 到 16 的整数。"
        }  # fmt: skip
    assert not state(tab, key)[0]


def test_what_nobody_foresaw_is_one_sentence(tab: BatchTab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(tab._jobs, "start", fail)
    told = answers(tab, "go", wish(added(tab)))
    assert told[-1]["status"]["error"] == bilingual(UNEXPECTED)
