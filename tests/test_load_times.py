"""What is remembered of earlier loads is said of the next, and nothing of it can fail a start."""

from __future__ import annotations

import threading
from pathlib import Path

from playground.generators.scripted import ScriptedGenerator
from playground.machine import load_times
from playground.models.model_choice import ModelChoice
from playground.settings import Settings
from playground.types import ProgressReport, Text
from playground.ui.model_host import ModelHost


def test_the_last_time_is_what_is_expected(own_cache: Path) -> None:
    assert load_times.expected("a model") is None
    load_times.remember("a model", 12.34)
    load_times.remember("another", 3)
    load_times.remember("a model", 8)
    assert load_times.expected("a model") == 8 and load_times.expected("another") == 3
    (own_cache / "load_times.json").write_text('{"a model": "soon"}')
    assert load_times.expected("a model") is None
    (own_cache / "load_times.json").write_text("[")
    assert load_times.expected("a model") is None


def test_a_folder_that_cannot_be_written_to_is_no_reason_to_fail(own_cache: Path) -> None:
    own_cache.write_text("a file where a folder should be")
    load_times.remember("a model", 3)
    assert load_times.expected("a model") is None


def test_the_page_says_how_long_loading_takes(own_cache: Path) -> None:
    said, goes_on = threading.Event(), threading.Event()

    def opener(_: Settings, report: ProgressReport) -> ScriptedGenerator:
        report(Text("Loading X: weights", "正在加载 X：权重"), 0.3)
        said.set()
        goes_on.wait(10)
        return ScriptedGenerator(["One two"])

    host = ModelHost(Settings(), opener)
    host.start()
    assert said.wait(10) and host.stage().en == "Loading X: weights 30%, 0 s so far"
    load_times.remember(host.load_name(ModelChoice.of_settings(Settings())), 70)
    assert host.stage().en.endswith(", about 70 s left") and host.stage().zh.endswith("大约还需 70 秒")
    goes_on.set()
    assert host.wait(10)


def test_a_load_that_succeeds_is_remembered(own_cache: Path) -> None:
    host = ModelHost(Settings(), lambda settings, report: ScriptedGenerator(["One two"]))
    host.start()
    assert host.wait(60) and host.loaded is not None
    assert own_cache.joinpath("load_times.json").is_file()
