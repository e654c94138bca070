"""Layers compiled once are found again without a compiler, and compiling waits while somebody is answered."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import transformers

from playground.fast import layer_compilers
from playground.fast.compile_queue import CompileQueue
from playground.fast.compile_worker import prune
from playground.fast.compiled_layers import about, folder
from playground.fast.net import Net
from playground.kernels import build
from playground.machine.cache_folder import CACHE_VARIABLE, cache_root
from tests.test_fast_net import FAMILIES, HERE, LENGTHS, SMALL, furthest, model_of

ROWS = (len(LENGTHS), 128)
compiles = pytest.mark.skipif(not HERE, reason="no C++ compiler on this machine")


def short_llama() -> Any:
    """Two layers, one after the other, are a group; the third would be a third of the compiler's time."""
    torch.manual_seed(1)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**SMALL, "num_hidden_layers": 2})).eval()


class Visitor:
    """Whoever is answered, or nobody."""

    def __init__(self) -> None:
        self.answered = threading.Event()

    def quiet_s(self) -> float:
        return 0.0 if self.answered.is_set() else 99.0


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):  # a slow machine with other work takes more than a minute
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def workers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "playground.fast.compile_worker" in one.cmdline()]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder with the libraries of one model, which were made while a visitor came and went."""
    if not HERE:
        pytest.skip("no C++ compiler on this machine")
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.mktemp("cache")
        built = cache_root() / "kernels"
        if built.exists():  # or they are built here
            shutil.copytree(built, cache / "kernels")
        patch.setenv(CACHE_VARIABLE, str(cache))
        patch.setattr(layer_compilers, "QUEUE", CompileQueue(idle=False))
        visitor, before = Visitor(), workers()
        visitor.answered.set()
        model = short_llama()
        net = Net(model, quiet_s=visitor.quiet_s)
        furthest(model, net, steps=1)
        time.sleep(0.5)
        assert workers() == before, "not even the worker starts while somebody is answered"
        visitor.answered.clear()
        until(lambda: len(workers()) > len(before))
        worker = next(one for one in workers() if one not in before)
        visitor.answered.set()
        until(lambda: worker.status() == psutil.STATUS_STOPPED)
        visitor.answered.clear()
        assert net.compiler is not None
        until(lambda: net.compiler is not None and net.compiler.settled)
        assert net.compiler.ready(ROWS)
        yield cache


@pytest.fixture
def no_compiler(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, on a machine without a compiler."""
    monkeypatch.setenv(CACHE_VARIABLE, str(compiled))
    monkeypatch.setattr(build, "compiler", lambda: None)
    return compiled


@pytest.mark.usefixtures("no_compiler")
def test_a_second_start_needs_no_compiler_and_waits_for_nothing() -> None:
    model = short_llama()
    net = Net(model)
    net.want(ROWS)
    assert net.compiler is not None and net.compiler.ready(ROWS) and net.compiler.lacks is None
    assert furthest(model, net) < 1e-5


@pytest.mark.usefixtures("no_compiler")
def test_a_model_of_other_weights_shares_them_and_one_of_other_sizes_does_not() -> None:
    torch.manual_seed(7)
    other = short_llama()
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    net = Net(other)
    net.want(ROWS)
    assert net.compiler is not None and net.compiler.ready(ROWS)
    assert furthest(other, net) < 1e-5
    mistral = Net(model_of("mistral"))
    mistral.want(ROWS)
    assert mistral.compiler is not None and not mistral.compiler.ready(ROWS)


def test_without_a_compiler_steps_stay_eager_and_that_is_said_once(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(build, "compiler", lambda: None)
    model = short_llama()
    net = Net(model)
    with caplog.at_level(logging.WARNING):
        assert furthest(model, net) < 1e-5
        net.want((1, 128))
    assert net.compiler is not None and net.compiler.lacks == layer_compilers.NO_COMPILER
    assert [record.message for record in caplog.records].count(f"Steps stay uncompiled: {net.compiler.lacks.en}") == 1
    assert not own_cache.exists()


def test_where_it_is_switched_off_nothing_is_compiled_and_all_is_right(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(layer_compilers.SWITCH, "1")
    model, before = short_llama(), workers()
    net = Net(model)
    with caplog.at_level(logging.WARNING):
        assert furthest(model, net) < 1e-5
    assert net.compiler is not None and net.compiler.settled and not net.compiler.ready(ROWS)
    assert workers() == before and layer_compilers.SWITCHED_OFF in caplog.text


def test_a_damaged_library_is_never_loaded(no_compiler: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = next(folder().glob("*-several.so"))
    whole, said = library.read_bytes(), about(library).read_bytes()

    def put(content: bytes) -> None:
        part = library.with_suffix(".part")  # never into the file itself, which this process may have mapped
        part.write_bytes(content)
        part.replace(library)

    try:
        put(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
        net = Net(short_llama())
        net.want(ROWS)
        assert net.compiler is not None and not net.compiler.ready(ROWS)
        assert "made again" in caplog.text and not about(library).exists()
    finally:
        put(whole)
        about(library).write_bytes(said)


@compiles
@pytest.mark.long
@pytest.mark.usefixtures("own_cache", "compiling")
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_compiles(family: str) -> None:
    model = model_of(family)
    net = Net(model)
    furthest(model, net, steps=1)
    assert net.compiler is not None
    until(lambda: net.compiler is not None and net.compiler.settled)
    assert net.compiler.ready(ROWS)
    assert furthest(model, net) < 1e-5


def test_libraries_are_bounded_and_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}-one.so").write_bytes(b"x" * 100)
        about(tmp_path / f"{number}-one.so").write_text("{}")
        os.utime(about(tmp_path / f"{number}-one.so"), (1000 + number, 1000 + number))
    for name, age in ((".making-old", 7200), (".making-new", 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "layers.so").write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    prune(tmp_path, most=250)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        ".making-new", "1-one.about", "1-one.so", "2-one.about", "2-one.so",
    ]  # fmt: skip
