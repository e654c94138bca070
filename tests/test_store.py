"""The store: what was accepted outlives kill -9, and a job is found by its key alone."""

import sqlite3
import threading
from pathlib import Path

import pytest

from playground.machine.disk import DiskError
from playground.storage.database import FILE, Counts, Store
from playground.storage.migrations import TABLES, VERSION
from playground.tables.rows import Result
from playground.types import Text
from tests.killed import killed

WRITER = """
import sys
from pathlib import Path
from playground.tables.rows import Result
from playground.storage.database import Store
store, key = Store(Path(sys.argv[1])), sys.argv[2]
while (found := store.waiting(key)) is not None:
    store.accept(key, Result(found[0], found[1], "done", (f"text {found[0]} " * 50,), seed=found[0]))
    print(found[0], flush=True)
"""


def test_twenty_kills_lose_nothing_that_was_accepted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.add_job(["a"], [{"a": str(number)} for number in range(1, 100_001)])
    for told in killed(WRITER, tmp_path, key):
        kept = store.counts(key)
        assert told <= kept.done <= told + 1
    assert [result.number for result in store.results(key, state="done")] == list(range(1, kept.done + 1))
    assert all(result.texts == (f"text {result.number} " * 50,) for result in store.results(key, state="done"))
    store.close()


def test_a_job_is_found_by_its_key_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    mine, other = store.add_job(["a"], [{"a": "mine"}]), store.add_job(["a"], [{"a": "theirs"}])
    assert len(mine) >= 40 and mine != other
    assert [result.input for result in store.results(mine)] == [{"a": "mine"}]
    for guess in ("", "%", mine[:-1], mine.lower()):
        assert store.job(guess) is None and store.counts(guess).all == 0 and store.waiting(guess) is None
    store.drop(mine)
    assert store.job(mine) is None and store.counts(other) == Counts(waiting=1)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    store.close()


def test_failed_rows_wait_again_with_nothing_of_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.add_job(["a"], [{"a": "1"}, {"a": "2"}])
    store.accept(key, Result(1, {"a": "1"}, "failed", reason=Text("why", "为何"), seed=3))
    store.accept(key, Result(2, {"a": "2"}, "done", ("x",), seed=4))
    assert store.results(key, state="failed")[0].reason == Text("why", "为何")
    store.retry(key)
    assert store.counts(key) == Counts(waiting=1, done=1)
    assert store.waiting(key) == (1, {"a": "1"}) and store.results(key)[0].reason is None
    store.plan(key, {"task": "slogans"})
    assert store.counts(key) == Counts(waiting=2)
    store.close()


def test_rows_that_are_refused_stay_so_and_are_counted_with_their_reasons(tmp_path: Path) -> None:
    store = Store(tmp_path)
    why = Text("Line 2 has more cells", "第 2 行的单元格过多")
    key = store.add_job(["a"], [{"a": "1"}, {"a": "2"}, {"a": "3"}], refused={1: why})
    assert store.counts(key) == Counts(waiting=2, refused=1) and store.counts(key).all == 3
    assert store.results(key)[0] == Result(1, {"a": "1"}, "refused", reason=why)
    first = store.first_row(key)
    assert first is not None and first.number == 2 and store.waiting(key) == (2, {"a": "2"})
    store.plan(key, {"task": "slogans"})
    store.accept(key, Result(2, {"a": "2"}, "failed", reason=Text("why", "为何")))
    store.retry(key)
    assert store.counts(key) == Counts(waiting=2, refused=1)
    assert store.first_row(store.add_job(["a"], [{"a": "1"}], refused={1: why})) is None
    store.close()


def test_a_file_of_an_earlier_version_is_read_on_with_its_jobs(tmp_path: Path) -> None:
    """As the version before refused rows wrote it."""
    old = sqlite3.connect(tmp_path / FILE)
    for added in TABLES[:3]:
        old.executescript(added)
    old.execute("INSERT INTO job VALUES ('k', 1e12, '[\"a\"]', '{}')")
    for number, state in enumerate(("done", "failed", "waiting"), start=1):
        given = ("k", number, '{"a": "x"}', state, '["t"]', '["why", "为何"]', None, None)
        old.execute("INSERT INTO job_row VALUES (?, ?, ?, ?, ?, ?, ?, ?)", given)
    old.execute("PRAGMA user_version=3")
    old.commit()
    old.close()
    store = Store(tmp_path)
    assert store.counts("k") == Counts(waiting=1, done=1, failed=1)
    assert [one.state for one in store.results("k")] == ["done", "failed", "waiting"]
    assert store._all("PRAGMA user_version")[0][0] == VERSION
    store.close()


def test_threads_share_a_store(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.add_job(["a"], [{"a": str(number)} for number in range(1, 81)])

    def accept(first: int) -> None:
        for number in range(first, 81, 4):
            store.accept(key, Result(number, {}, "done", (str(number),)))

    threads = [threading.Thread(target=accept, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts(key) == Counts(done=80)
    store.close()


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Store(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute(f"PRAGMA user_version={VERSION + 1}")
    other.close()
    with pytest.raises(DiskError):
        Store(tmp_path)
    assert f"its tables are of version {VERSION + 1}" in caplog.text


def test_a_folder_that_cannot_be_used_is_a_sentence_without_its_path_and_named_in_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError) as caught:
        Store(tmp_path / "file")
    assert "terminal" in caught.value.say("en") and "终端" in caught.value.say("zh")
    assert str(tmp_path) not in caught.value.say("en") + caught.value.say("zh")
    assert str(tmp_path / "file") in caplog.text and "--data-folder" in caplog.text
