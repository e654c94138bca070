"""Untrusted input in a worker process: what takes too much ends its worker alone, and the next is answered."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from playground.isolation import LimitExceeded, ResourceLimits, pool, run_isolated
from playground.settings import PUBLIC_LIMITS
from playground.tables import rows
from playground.tables import table_reader as tables
from playground.tables.table import TableLimits
from playground.tables.table_reader import Reading
from playground.types import Busy, InvalidRequest
from tests.workbooks import HEAD, row, text, workbook

AMPLE = ResourceLimits(seconds=30, memory=10**9, output=10**8)
WIDE = TableLimits(rows=10**6, size=10**8, cell=10**6)


def asked(data: bytes, kind: str = ".csv", limits: ResourceLimits = AMPLE) -> Any:
    return run_isolated("table", tables.options(kind, Reading(), WIDE), data, limits)


def workers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if pool.worker.__name__ in one.cmdline()]


@pytest.fixture(autouse=True)
def _none_left() -> None:
    pool._POOL.close()


def test_one_worker_is_kept_warm_and_it_knows_nothing_heavy_and_nothing_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("PLAYGROUND_PASSWORD", "secret")
    assert asked(b"a\nx\n")["rows"] == [["x"]]
    (first,) = workers()
    assert asked(b"a\ny\n")["rows"] == [["y"]] and workers() == [first]
    assert not {"HF_TOKEN", "PLAYGROUND_PASSWORD"} & first.environ().keys()
    if sys.platform == "linux":
        loaded = {Path(one.path).name.split(".")[0] for one in first.memory_maps()}
        assert not {"libtorch_cpu", "libtorch", "_multiarray_umath"} & loaded
        assert first.memory_info().rss < 60 * 2**20


def test_what_the_task_refuses_comes_back_as_it_was_said() -> None:
    with pytest.raises(InvalidRequest, match="The file has no rows") as caught:
        asked(b"a\n")
    assert caught.value.parameter == "file" and "数据行" in caught.value.say("zh")
    assert len(workers()) == 1


def test_what_nobody_foresaw_in_a_worker_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LimitExceeded) as caught:
        run_isolated("table", {"kind": ".csv"}, b"a\nx\n", AMPLE)
    assert caught.value.what == "crash" and "could not read a table: KeyError" in caplog.text
    assert asked(b"a\nx\n")["rows"] == [["x"]]


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (ResourceLimits(seconds=1, memory=10**9, output=10**8), "time"),
        (ResourceLimits(seconds=60, memory=3 * 10**7, output=10**8), "memory"),
        (ResourceLimits(seconds=60, memory=10**9, output=10**5), "output"),
    ],
)
def test_what_takes_too_much_ends_its_worker_and_the_next_is_answered(limits: ResourceLimits, what: str) -> None:
    table = b"a,b\n" + b'"x",y\n' * 1_200_000 if what != "output" else b"a,b\n" + b"x,y\n" * 50_000
    with pytest.raises(LimitExceeded) as caught:
        asked(table, limits=limits)
    assert caught.value.what == what
    assert asked(b"a\nx\n")["rows"] == [["x"]]
    assert len(workers()) == 1


def test_a_worker_that_dies_is_a_sentence_and_another_takes_its_place() -> None:
    asked(b"a\nx\n")
    (first,) = workers()
    first.kill()
    first.wait()
    assert asked(b"a\ny\n")["rows"] == [["y"]]

    def kill() -> None:
        while not (found := workers()):
            pass
        found[0].kill()

    pool._POOL.close()  # so that it is the one at work that is killed
    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(LimitExceeded):
        asked(b"a\n" + b'"x"\n' * 900_000)
    killer.join()


def test_where_the_system_enforces_nothing_the_server_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_WATCHES_MEMORY", True)
    table = b"a,b\n" + b'"x",y\n' * 1_200_000
    for limits, what in (
        (ResourceLimits(seconds=60, memory=3 * 10**7, output=10**8), "memory"),
        (ResourceLimits(seconds=0.3, memory=10**9, output=10**8), "time"),
    ):
        with pytest.raises(LimitExceeded) as caught:
            asked(table, limits=limits)
        assert caught.value.what == what
    assert asked(b"a\nx\n")["rows"] == [["x"]]


def test_no_more_than_two_work_at_a_time_and_the_line_for_them_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    most, guard, working = 0, threading.Lock(), 0
    ask, both = pool._Worker.ask, threading.Barrier(pool.MOST)

    def counted(self: Any, *given: Any) -> bytes:
        nonlocal most, working
        with guard:
            working += 1
            most = max(most, working)
        if not both.broken:
            both.wait(timeout=60)  # until as many work as may
        try:
            return ask(self, *given)
        finally:
            with guard:
                working -= 1

    monkeypatch.setattr(pool._Worker, "ask", counted)
    table = b"a\n" + b"x\n" * 5_000
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: len(asked(table)["rows"]), range(6)))
    assert answers == [5_000] * 6 and most == pool.MOST
    both.abort()
    monkeypatch.setattr(pool, "_PATIENCE", 0.01)
    with pool._POOL.worker("table"), pool._POOL.worker("table"):
        with pytest.raises(Busy):
            asked(b"a\nx\n")
        monkeypatch.setattr(pool, "_QUEUE", 0)
        with pytest.raises(Busy):
            asked(b"a\nx\n")
    assert asked(b"a\nx\n")["rows"] == [["x"]]
    assert len(workers()) == pool._WARM


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_of_the_server_has_workers_of_its_own() -> None:
    code = (
        "import os, sys\n"
        "from tests.test_isolation import asked, workers\n"
        "asked(b'a\\nx\\n')\n"
        "mine = workers()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if asked(b'a\\ny\\n')['rows'] == [['y']] and workers() and workers() != mine else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert asked(b'a\\nz\\n')['rows'] == [['z']] and workers() == mine\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_worker_ends_with_a_server_that_was_killed() -> None:
    code = (
        "import os\n"
        "from tests.test_isolation import asked, workers\n"
        "asked(b'a\\nx\\n')\n"
        "print(workers()[0].pid, flush=True)\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    psutil.wait_procs([one for one in [_process(int(done.stdout))] if one is not None], timeout=30)
    assert not psutil.pid_exists(int(done.stdout)) or psutil.Process(int(done.stdout)).status() == "zombie"


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def padded() -> bytes:
    """Sixty kilobytes of rows without a cell."""
    return workbook(HEAD, "<row/>" * 6_000_000, row("", text("A2", "x")))


def shared() -> bytes:
    """Two million strings of one letter."""
    return workbook(HEAD, row(2, '<c r="A2" t="s"><v>0</v></c>'), strings="<si><t>a</t></si>" * 2_200_000)


def entities() -> bytes:
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    grown = f'<!DOCTYPE s [<!ENTITY e0 "0123456789">{names}]><s>&e11;</s>'
    return workbook(more={"xl/sharedStrings.xml": grown.encode(), "xl/worksheets/sheet1.xml": grown.encode()})


@pytest.mark.parametrize("made", [padded, shared, entities], ids=lambda made: made.__name__)
def test_a_hostile_sheet_is_one_sentence_within_a_public_server_s_limits(
    tmp_path: Path, made: Callable[[], bytes]
) -> None:
    (tmp_path / "rows.xlsx").write_bytes(made())
    assert (tmp_path / "rows.xlsx").stat().st_size < 300_000
    with pytest.raises(InvalidRequest) as caught:
        rows.read(tmp_path / "rows.xlsx", replace(PUBLIC_LIMITS, reading_seconds=0.5))
    assert "takes more than 0.5 s" in caught.value.say("en") or "no valid XLSX" in caught.value.say("en")
    assert "需要超过" in caught.value.say("zh") or "不是有效的" in caught.value.say("zh")
