"""How long a store keeps, for whom and how much: no jumping clock, no visitor, no full disk takes what is others'."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from playground.machine.disk import DiskError
from playground.settings import PUBLIC_LIMITS, Limits
from playground.storage.age_clock import DAY, AgeClock
from playground.storage.database import DRAFT_DAYS, FILE, KEPT_DAYS, Store
from playground.storage.draft import Section
from playground.types import Busy
from playground.visitor import Visitor

ROWS = [{"p": "Tea"}]


class Time:
    """A clock on the wall and one that only goes on, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = 1.8e9, 500.0
        self.clock = AgeClock(lambda: self.wall, lambda: self.steady)

    def pass_days(self, days: float) -> None:
        self.wall += days * DAY
        self.steady += days * DAY


@pytest.fixture
def time() -> Time:
    return Time()


def opened(folder: Path, time: Time, limits: Limits | None = None) -> Store:
    return Store(folder, limits, time.clock)


def looked_at(store: Store) -> None:
    """What makes a store drop what is too old: something else is kept."""
    store.drop(store.add_job(["p"], ROWS))
    store.drop_draft(store.add_draft({}))


def jump(time: Time, days: float) -> Callable[[], None]:
    def jump() -> None:
        time.wall += days * DAY

    return jump


@pytest.mark.parametrize("days", [31, -400, 4_000, -60 * 365])
def test_a_clock_that_jumps_drops_nothing(tmp_path: Path, time: Time, days: float) -> None:
    store = opened(tmp_path, time)
    job, draft = store.add_job(["p"], ROWS), store.add_draft({"title": "T"})
    for there in (days, -days, days):
        jump(time, there)()
        looked_at(store)
        store.close()
        store = opened(tmp_path, time)  # and again where the program begins under another clock
        looked_at(store)
        assert store.job(job) is not None and store.draft(draft) is not None
    store.close()


def test_days_that_pass_while_it_is_open_count_each(tmp_path: Path, time: Time) -> None:
    store = opened(tmp_path, time)
    job, draft = store.add_job(["p"], ROWS), store.add_draft({})
    touched = store.add_job(["p"], ROWS)
    time.pass_days(KEPT_DAYS)
    looked_at(store)
    assert store.job(job) is not None
    store.plan(touched, {})
    time.pass_days(1)
    looked_at(store)
    assert store.job(job) is None and store.job(touched) is not None and store.draft(draft) is not None
    for _ in range(DRAFT_DAYS):
        time.pass_days(1)
        looked_at(store)
    assert store.draft(draft) is None
    store.close()


def test_a_day_counts_at_most_once_a_start_and_at_most_once_a_day(tmp_path: Path, time: Time) -> None:
    store = opened(tmp_path, time)
    job = store.add_job(["p"], ROWS)
    for _ in range(100):  # a server that is started again every hour grows no older than the hours
        store.close()
        time.pass_days(1 / 24)
        store = opened(tmp_path, time)
        looked_at(store)
    assert store._all("SELECT day FROM keeping") == [(4,)]
    for _ in range(KEPT_DAYS - 4):  # one that is opened each week grows a day older each time
        store.close()
        time.pass_days(7)
        store = opened(tmp_path, time)
        looked_at(store)
        assert store.job(job) is not None
    store.close()
    time.pass_days(1)
    store = opened(tmp_path, time)
    looked_at(store)
    assert store.job(job) is None
    store.close()


def test_two_programs_on_one_store_do_not_count_a_day_twice(tmp_path: Path, time: Time) -> None:
    first, second = opened(tmp_path, time), opened(tmp_path, time)
    for _ in range(5):
        time.pass_days(1)
        looked_at(first)
        looked_at(second)
    assert first._all("SELECT day FROM keeping") == [(5,)]
    first.close()
    second.close()


def test_one_visitor_leaves_room_for_others(tmp_path: Path) -> None:
    store = Store(tmp_path, Limits(drafts=40, batches=20, session_share=25, address_share=50))
    greedy = [Visitor(f"session {number}", "10.0.0.1") for number in range(4)]
    for _ in range(10):
        store.add_draft({}, greedy[0])
    with pytest.raises(Busy, match="one visitor"):
        store.add_draft({}, greedy[0])
    for _ in range(10):
        store.add_draft({}, greedy[1])
    with pytest.raises(Busy, match="one visitor"):
        store.add_draft({}, greedy[2])  # of the same address
    key = store.add_draft({}, Visitor("other", "10.0.0.2"))
    for _ in range(5):
        store.add_job(["p"], ROWS, greedy[0])
    with pytest.raises(Busy, match="one visitor"):
        store.add_job(["p"], ROWS, greedy[0])
    assert store.add_job(["p"], ROWS, Visitor("other", "10.0.0.2"))
    store.drop_draft(key)
    store.close()
    again = Store(tmp_path, Limits(drafts=40, session_share=25, address_share=50))
    with pytest.raises(Busy, match="one visitor"):
        again.add_draft({}, greedy[0])  # also after a restart
    again.close()
    assert b"10.0.0.1" not in (tmp_path / FILE).read_bytes()


def test_a_visitors_bytes_are_bounded_and_what_makes_room_is_always_allowed(tmp_path: Path) -> None:
    store = Store(tmp_path, Limits(store_bytes=1_000_000, session_share=25, address_share=50))
    mine = Visitor("me", "10.0.0.1")
    key = store.add_draft({"title": "T"}, mine)
    numbers = [store.accept_section(key, Section(0, "", "海" * 20_000)) for _ in range(4)]
    with pytest.raises(Busy, match="one visitor"):
        store.accept_section(key, Section(0, "", "海" * 20_000))
    with pytest.raises(Busy, match="one visitor"):
        store.add_job(["p"], [{"p": "x" * 100_000}], mine)
    store.edit_section(key, Section(numbers[0], "", "short"))
    store.remove_section(key, numbers[1])
    kept = store.draft(key)
    assert kept is not None and [one.number for one in kept.sections] == [1, 3, 4]
    assert store.add_job(["p"], [{"p": "x" * 50_000}], mine)
    store.close()


def test_a_full_disk_is_one_sentence_and_takes_nothing_that_was_kept(tmp_path: Path) -> None:
    store = Store(tmp_path, Limits(store_bytes=200_000))
    key = store.add_draft({"title": "T"})
    number = store.accept_section(key, Section(0, "", "first"))
    with pytest.raises(DiskError) as caught:
        store.accept_section(key, Section(0, "", "x" * 400_000))
    assert caught.value.full and "full" in caught.value.say("en") and "已满" in caught.value.say("zh")
    with pytest.raises(DiskError):
        store.add_job(["p"], [{"p": "x" * 400_000}])
    kept = store.draft(key)
    assert kept is not None and [one.text for one in kept.sections] == ["first"]
    store.edit_section(key, Section(number, "", "still writable"))
    store.close()


def test_a_damaged_file_is_one_sentence_that_names_no_path(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    key = store.add_draft({"title": "T"})
    for _ in range(50):
        store.accept_section(key, Section(0, "", "x" * 10_000))
    store.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    content[8_192:] = b"\xff" * (len(content) - 8_192)
    (tmp_path / FILE).write_bytes(content)

    def used() -> None:
        with closing(Store(tmp_path)) as broken:
            broken.draft(key)
            broken.add_draft({})

    with pytest.raises(DiskError) as caught:
        used()
    assert not caught.value.full and str(tmp_path) not in caught.value.say("en")
    assert str(tmp_path) in caplog.text


def test_a_store_of_before_keeps_its_rows_and_they_begin_anew(tmp_path: Path, time: Time) -> None:
    store = opened(tmp_path, time)
    job = store.add_job(["p"], ROWS)
    store.close()
    with sqlite3.connect(tmp_path / FILE) as old:  # as the version before wrote it: of a calendar
        old.execute("UPDATE job SET touched = 1e9")
        old.execute("DROP TABLE keeping")
        for table in ("job", "draft"):
            for column in ("session", "address", "size"):
                old.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        old.execute("ALTER TABLE job DROP COLUMN parked")
        for column in ("model", "revision"):
            old.execute(f"ALTER TABLE draft_section DROP COLUMN {column}")
        old.execute("PRAGMA user_version=3")
    old.close()
    store = opened(tmp_path, time)
    time.pass_days(KEPT_DAYS - 1)
    looked_at(store)
    assert store.job(job) is not None
    store.close()


def test_strangers_share_and_the_owner_does_not() -> None:
    assert Limits().share(40) == (40, 40)
    session, address = PUBLIC_LIMITS.share(2_000)
    assert session <= 500 and session < address <= 1_000
    assert PUBLIC_LIMITS.share(1) == (1, 1)
