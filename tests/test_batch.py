"""Many rows through one task: nothing lost, nothing twice, whatever is killed; a bad row fails alone and says why."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from playground import models, parameters
from playground.batch import Batch, Plan, candidates, guess
from playground.fast.job import Job
from playground.generate import build
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.tables import rows
from playground.tables.rows import Result
from playground.tasks import loader, user_task
from playground.types import InvalidRequest, Request, Step
from tests import failing, scripted_batch

ONE_TEXT = parameters.validate({}) | {"n": 1}
OWN = user_task.write("Fox story", user_task.free("{{hero}} in {{place}}:"), {}, ONE_TEXT, "en")
SLOGANS = ("--task", "slogans", "--map", "product=name")


def files(folder: Path) -> tuple[str, ...]:
    return "--in", str(folder / "rows.csv"), "--out", str(folder / "out.jsonl")


def run(folder: Path, *arguments: str) -> int:
    return scripted_batch.run(["batch", *files(folder), *arguments])


def process(folder: Path, module: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", f"tests.{module}", "batch", *files(folder), *arguments]
    settings = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", **environment}
    return subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True)


def killed(folder: Path, lines: int, module: str, *arguments: str, **environment: str) -> bytes:
    """What the file holds when a run was killed with so many lines in it."""
    out = folder / "out.jsonl"
    with process(folder, module, *arguments, **environment) as running:
        here = 0
        while here < lines:
            assert running.poll() is None, "it ended before it could be killed"
            with suppress(FileNotFoundError):  # a run that begins tries whether it may write there
                here = out.read_bytes().count(b"\n")
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
    return out.read_bytes()


def write_rows(folder: Path, count: int) -> None:
    lines = ["name", *(f"Product {number}" for number in range(1, count + 1))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_batch_killed_at_row_37_goes_on_at_38_with_nothing_lost_or_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, 45)
    settings = (*SLOGANS, "--seed", "1")
    before = killed(tmp_path, 37, "scripted_batch", *settings, HANG_AT="38")
    assert before.count(b"\n") == 37
    (tmp_path / "out.jsonl").write_bytes(before + before.splitlines()[0][:40])  # and a line that was torn
    assert run(tmp_path, *settings) == 0
    begun = [line for line in capsys.readouterr().err.splitlines() if line.startswith("begins")]
    assert begun == [f"begins {number}" for number in range(38, 46)]
    assert (tmp_path / "out.jsonl").read_bytes().startswith(before)
    assert [(one["row"], one["seed"], one["state"]) for one in results(tmp_path)] == [
        (number, number, "done") for number in range(1, 46)
    ]
    assert [one["input"]["name"] for one in results(tmp_path)] == [f"Product {number}" for number in range(1, 46)]
    assert run(tmp_path, *settings) == 0
    assert capsys.readouterr().err == "45 of 45 rows done, 0 failed.\n"


def test_an_own_task_in_a_file_runs_and_goes_on_after_a_kill_until_it_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, 6)
    (tmp_path / "fox.yaml").write_text(OWN, encoding="utf-8")
    filled = ("--map", "hero=name", "--set", "place=Hangzhou")
    settings = ("--task-file", str(tmp_path / "fox.yaml"), *filled, "--seed", "1")
    before = killed(tmp_path, 3, "scripted_batch", *settings, HANG_AT="4")
    assert run(tmp_path, *settings) == 0
    begun = [line for line in capsys.readouterr().err.splitlines() if line.startswith("begins")]
    assert begun == [f"begins {number}" for number in (4, 5, 6)]
    assert (tmp_path / "out.jsonl").read_bytes().startswith(before)
    (tmp_path / "fox.yaml").write_text(OWN.replace("{{hero}} in", "{{hero}} near"), encoding="utf-8")
    assert run(tmp_path, *settings) == 2
    assert "another task" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("group: write", "group: poems").encode(), "fox.yaml, line 2, group"),
        (b"id: fox\nfields: !include /etc/passwd\n", "fox.yaml, line 2: this is not valid YAML: tags are not allowed"),
        (b"#" * (user_task.MAX_BYTES + 1), "larger than 64 KB"),
        (b"", "fox.yaml: "),
        (b"\xff", "'fox.yaml' cannot be read as UTF-8 text"),
        (None, "'fox.yaml' cannot be read as UTF-8 text"),
    ],
)
def test_what_is_wrong_with_an_own_task_is_one_sentence_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes | None, said: str
) -> None:
    write_rows(tmp_path, 1)
    if text is not None:
        (tmp_path / "fox.yaml").write_bytes(text)
    assert run(tmp_path, "--task-file", str(tmp_path / "fox.yaml")) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not (tmp_path / "out.jsonl").exists()


def test_an_own_task_of_a_presets_name_is_ones_own_and_nothing_measured_speaks_of_it() -> None:
    own = OWN.replace("id: fox_story", "id: slogans")
    plan = Plan("slogans", mapping={"hero": "p"}, fixed={"place": "Hangzhou"}, seed=1, own=own)
    plan.check(["p"])
    script = ScriptedGenerator(["a text"], parameters=frozenset(parameters.by_name()))
    assert plan.request(plan.read_task(), 1, {"p": "A fox"}, script).prompt == "A fox in Hangzhou:"
    assert "own" not in Plan("slogans").as_json() and Plan(**plan.as_json()) == plan
    with pytest.raises(InvalidRequest, match="no field 'product'"):
        Plan("slogans", mapping={"product": "p"}, own=own).check(["p"])


@pytest.mark.model
def test_many_rows_in_play_at_a_kill_are_done_again_and_each_once(tmp_path: Path) -> None:
    write_rows(tmp_path, 24)
    settings = (*SLOGANS, "--max-new-tokens", "20", "--mode", "complete")
    kept = killed(tmp_path, 5, "tiny_batch", *settings)
    with process(tmp_path, "tiny_batch", *settings) as again:
        assert again.wait(120) == 0, again.stderr and again.stderr.read()
    found = results(tmp_path)
    assert [one["row"] for one in found] == list(range(1, 25))
    seeds = {one["seed"] - one["row"] for one in found}
    assert len(seeds) == 1, "a seed that nobody gave is drawn once and kept"
    assert all(json.loads(line) in found for line in kept.splitlines(keepends=True) if line.endswith(b"\n"))


def test_a_row_that_fails_says_why_and_is_tried_again_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "x" * 90
    (tmp_path / "rows.csv").write_text(f"product;note\nTea;=1+1\n{long};b\n;c\n", encoding="utf-8")
    sheet = tmp_path / "out.csv"
    settings = ("--task", "slogans", "--seed", "5", "--n", "2", "--csv", str(sheet))
    assert run(tmp_path, *settings) == 2
    assert "1 of 3 rows done, 2 failed" in capsys.readouterr().err
    first, second, third = results(tmp_path)
    assert (first["seed"], len(first["texts"])) == (5, 2)
    assert second["reason"] == "Product has 90 characters; at most 80 are allowed." and second["texts"] == []
    assert third["reason"] == "Product is empty; please fill it in."
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    texts = ["result 1", "result 2"]
    assert lines[0] == ["product", "note", *texts, "state", "reason", "seed", "model", "revision", "remark"]
    assert lines[1][1] == "'=1+1" and lines[2][4:6] == ["failed", second["reason"]]
    assert run(tmp_path, *settings) == 2
    assert "begins" not in capsys.readouterr().err
    kept = results(tmp_path)[0]
    assert run(tmp_path, *settings, "--retry-failed") == 2
    assert [one["row"] for one in results(tmp_path)] == [1, 2, 3] and results(tmp_path)[0] == kept


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seed", "2"), "other rows, another task or other settings"),
        (("--seed", "1", "--temperature", "0.3"), "other rows, another task or other settings"),
        (("--seed", "1", "--map", "product=colour"), "no column 'colour'"),
        (("--seed", "1", "--map", "colour=name"), "no field 'colour'"),
        (("--seed", "1", "--map", "product=name"), "map: 'product' is given twice"),
        (("--seed", "1", "--set", "tone=bold", "--set", "tone=calm"), "set: 'tone' is given twice"),
        (("--seed", "1", "--sheet", "Rows"), "only an XLSX has sheets"),
        (("--seed", "1", "--set", "tone=loud"), "Tone must be one of"),
        (("--seed", "1", "--temperature", "-1"), "Temperature"),
        (("--seed", "1", "--out", "nowhere/out.jsonl"), "cannot be written"),
        (("--seed", "1", "--out", "out.csv"), "must end in .jsonl"),
        (("--seed", "1", "--limit-batch-rows", "2"), "Row 3 is one too many"),
    ],
)
def test_what_does_not_fit_is_one_sentence_before_any_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    write_rows(tmp_path, 3)
    if "other" in said:
        assert run(tmp_path, *SLOGANS, "--seed", "1") == 0
    capsys.readouterr()
    assert run(tmp_path, *(SLOGANS[:2] if "product=colour" in arguments else SLOGANS), *arguments) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_rows_that_are_not_in_the_language_asked_for_are_remarked_on_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.csv").write_text("product\n蓝月\n月亮\n", encoding="utf-8")
    settings = ("--task", "slogans", "--language", "zh", "--n", "2", "--seed", "2", "--csv", str(tmp_path / "out.csv"))
    languages = {"TEXTS": "|".join(["清晨的第一口咖啡，唤醒你的每一天。", *["The first cup of the morning."] * 2])}
    with process(tmp_path, "scripted_batch", *settings, **languages) as running:
        assert running.stderr is not None
        assert running.stderr.read().endswith("2 of 2 rows done, 0 failed, 2 not in Chinese.\n")
    remarks = ["texts not in Chinese: 1", "texts not in Chinese: 1, 2"]
    assert [one["remark"] for one in results(tmp_path)] == remarks
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["remark"] for line in csv.DictReader(file)] == remarks
    assert run(tmp_path, *settings) == 0
    assert capsys.readouterr().err == "2 of 2 rows done, 0 failed, 2 not in Chinese.\n"


def test_a_field_that_nothing_fills_is_named_before_any_row() -> None:
    with pytest.raises(InvalidRequest, match="No column fills Product") as caught:
        Plan("slogans", mapping={"about": "a"}).check(["a"])
    assert caught.value.parameter == "product"
    Plan("slogans", mapping={"about": "a"}, fixed={"product": "Tea"}).check(["a"])


def test_a_seed_that_not_all_rows_could_draw_from_is_refused_before_any_row() -> None:
    plan = Plan("slogans", fixed={"product": "Tea"}, values={"n": 4}, seed=2**53 - 40)
    plan.check(["a"], 10)
    with pytest.raises(InvalidRequest, match="the last of 44 would have") as caught:
        plan.check(["a"], 11)
    assert caught.value.parameter == "seed"


def test_columns_find_their_fields_by_name_or_label_in_both_languages() -> None:
    task = loader.find("slogans")
    assert guess(task, ["Product", "Target audience", "TONE", "id"]) == {
        "product": "Product", "audience": "Target audience", "tone": "TONE",
    }  # fmt: skip
    assert guess(task, ["语气", "产品"]) == {"product": "产品", "tone": "语气"}
    assert guess(task, ["id", "x"]) == {}


@pytest.mark.parametrize(
    ("task", "columns", "wanted"),
    [
        ("review", ["ID", "subject", "liked"], {"subject": "subject", "liked": "liked"}),  # no ID in "Did not like"
        ("document", ["Customer", "Total", "facts"], {"facts": "facts"}),  # no "To" in "Total"
        (
            "document",
            ["To", "Facts", "From", "Kind"],
            {"recipient": "To", "facts": "Facts", "sender": "From", "kind": "Kind"},
        ),
        ("slogans", ["Production", "Monotone"], {}),
        ("slogans", ["Product name", "Target audience"], {"product": "Product name", "audience": "Target audience"}),
        ("slogans", ["productName", "the_tone"], {"product": "productName", "tone": "the_tone"}),
        ("slogans", ["Product ID", "SKU of the product", "tone"], {"tone": "tone"}),
        ("slogans", ["Product name", "Product description"], {}),  # two may be meant
        ("slogans", ["Product name", "PRODUCT"], {"product": "PRODUCT"}),
        ("slogans", ["Tone", "tone "], {}),
        ("slogans", ["语气", "tone"], {}),
        ("slogans", ["产品", "产品编号"], {"product": "产品"}),
        ("slogans", ["What", "it", "is"], {}),
        ("slogans", ["About"], {"about": "About"}),
        ("review", ["Not", "5", "Stars"], {"stars": "Stars"}),
        ("reply", ["Customer", "customer's message", "Name"], {"message": "customer's message", "name": "Name"}),
    ],
)
def test_columns_are_matched_by_whole_words_and_by_nothing_else(
    task: str, columns: list[str], wanted: dict[str, str]
) -> None:
    assert guess(loader.find(task), columns) == wanted


def test_a_column_that_several_fields_may_mean_is_nobody_s() -> None:
    own = user_task.write("Two", user_task.free("{{first_name}} {{last_name}}"), {}, parameters.validate({}), "en")
    task = user_task.read(own)
    assert guess(task, ["name"]) == {}
    assert candidates(task, ["name"]) == {"first_name": ["name"], "last_name": ["name"]}
    assert guess(task, ["First name", "LastName"]) == {"first_name": "First name", "last_name": "LastName"}


def test_the_same_row_draws_the_same_luck_after_a_pause() -> None:
    task, script = loader.find("slogans"), ScriptedGenerator(["a"], parameters=frozenset(parameters.by_name()))
    plan = Plan("slogans", mapping={"product": "p"}, values={"n": 3}, seed=10)
    requests = [plan.request(task, number, {"p": "Tea"}, script) for number in (1, 2, 9)]
    assert [request.values["seed"] for request in requests] == [10, 13, 34]
    assert not any(request.watched for request in requests)
    seed = Plan("slogans").seeded().seed
    assert seed >= 0 and Plan("slogans", seed=seed).seeded().seed == seed


def numbered(count: int) -> Callable[[], tuple[int, Mapping[str, str]] | None]:
    left = iter(range(1, count + 1))
    return lambda: next(((number, {"p": f"Tea {number}"}) for number in left), None)


class Failing(ScriptedGenerator):
    """Raises what no generator should, for the row with seed 2."""

    def stream(self, request: Request) -> Iterator[Step]:
        if request.values["seed"] == 2:
            raise ZeroDivisionError
        return super().stream(request)


def test_a_row_on_which_the_model_itself_fails_ends_alone() -> None:
    script = Failing(["a text"], parameters=frozenset(parameters.by_name()))
    work = Batch(Plan("slogans", mapping={"product": "p"}, seed=1), script)
    found = {one.number: one for one in work.results(numbered(3), lambda: 2, threading.Event())}
    assert [found[number].state for number in (1, 2, 3)] == ["done", "failed", "done"]
    assert found[2].reason is not None and "ZeroDivisionError" in found[2].reason.en
    assert work.tokens > 0


def test_one_text_of_a_row_that_fails_says_why_and_leaves_the_others_readable() -> None:
    script = failing.Failing(["an old ferry", "a lamp at night"], fails_at=4)
    work = Batch(Plan("slogans", mapping={"product": "p"}, values={"n": 2, "stop": []}, seed=1), script)
    found = {one.number: one for one in work.results(numbered(3), lambda: 2, threading.Event())}
    assert [found[number].state for number in (1, 2, 3)] == ["done", "failed", "done"]
    row = found[2]
    assert row.reason is not None and row.reason.en == f"Text 2: {failing.REASON.en}"
    assert row.texts == (found[1].texts[0], "an old")
    *_, line = rows.as_csv(["p"], [row], 2)
    assert next(csv.reader([line])) == ["Tea 2", *row.texts, "failed", row.reason.en, "3", row.model, row.revision, ""]
    assert rows.record(row, "zh")["reason"] == f"第 2 个文本：{failing.REASON.zh}"


def test_the_terminal_gives_an_engine_as_many_rows_as_it_has_room_for(tmp_path: Path) -> None:
    rows = "".join(f"Tea {number}\n" for number in range(12))
    (tmp_path / "rows.csv").write_text(f"name\n{rows}", encoding="utf-8")
    engine = scripted_batch.Slots(4, wanted=4)
    assert scripted_batch.run(["batch", *files(tmp_path), *SLOGANS], lambda _: engine) == 0
    assert engine.most == 4


def test_rows_in_play_end_without_a_result_when_they_are_stopped() -> None:
    script = ScriptedGenerator(["a " * 500], delay=0.01, parameters=frozenset(parameters.by_name()))
    plan = Plan("slogans", mapping={"product": "p"}, seed=1, values={"max_new_tokens": 300, "stop": []})
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    assert list(Batch(plan, script).results(numbered(4), lambda: 2, cancelled)) == []


@pytest.mark.model
def test_a_visitor_who_reads_along_goes_before_the_rows_of_a_batch(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    engine = generator._engine.running
    task = loader.find("slogans")
    plan = Plan("slogans", mapping={"product": "p"}, seed=1, mode="complete")
    row = generator._made(plan.request(task, 1, {"p": "Tea"}, generator))
    visitor = generator._made(build("Tea", {"max_new_tokens": 4}, path="fast"))
    assert isinstance(row, Job) and isinstance(visitor, Job)
    assert visitor.watched and not row.watched
    engine._waiting.extend([row, visitor])
    assert engine._line() == [visitor, row]
    engine._waiting.clear()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Other tests compare with processes that have as many threads as they like: figures differ with their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.model
def test_rows_are_written_together_in_one_batch(tiny: models.Loaded, one_thread: None) -> None:
    generator = LocalGenerator(tiny)
    engine = generator._engine.running
    engine._decode_net.compiler = None
    together: list[int] = []
    step = engine._decode_net.step

    def counted(slots: Any, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        together.append(len(tokens))
        return step(slots, tokens, positions)

    engine._decode_net.step = counted  # type: ignore[method-assign]
    values = {"max_new_tokens": 12, "stop": []}
    work = Batch(Plan("slogans", mapping={"product": "p"}, values=values, seed=1, mode="complete"), generator)
    found: list[Result] = list(work.results(numbered(12), lambda: 8, threading.Event()))
    assert sorted(one.number for one in found) == list(range(1, 13))
    assert all(one.state == "done" for one in found)
    assert 6 <= max(together) <= 8
