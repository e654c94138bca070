"""Drafts in the store: what was accepted outlives kill -9, and a draft is found by its key alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from playground.settings import Limits
from playground.storage.database import FILE, Store
from playground.storage.draft import MOST_SECTIONS, Section
from playground.storage.migrations import TABLES, VERSION
from playground.tables.rows import Result
from playground.types import Busy, InvalidRequest
from tests.killed import killed

WRITER = """
import sys
from pathlib import Path
from playground.storage.draft import Section
from playground.storage.database import Store
store, key = Store(Path(sys.argv[1])), sys.argv[2]
while True:
    if len(store.draft(key).sections) >= 200:
        store.remove_section(key, store.draft(key).sections[0].number)
    number = store.accept_section(key, Section(0, "heading", "some text " * 200))
    store.edit_section(key, Section(number, f"heading {number}", f"text {number} " * 200))
    print(number, flush=True)
"""


def test_twenty_kills_lose_no_section_that_was_accepted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.add_draft({"title": "T", "language": "en"})
    for told in killed(WRITER, tmp_path, key):
        draft = store.draft(key)
        assert draft is not None
        numbers = [one.number for one in draft.sections]
        assert told <= numbers[-1] <= told + 1 and numbers == list(range(numbers[0], numbers[-1] + 1))
        written = {one.number: one for one in draft.sections}
        assert written[told] == Section(told, f"heading {told}", f"text {told} " * 200)
    store.close()


def test_a_draft_is_found_by_its_key_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    mine, other = store.add_draft({"title": "mine"}), store.add_draft({"title": "theirs"})
    assert len(mine) >= 40 and mine != other
    store.accept_section(mine, Section(0, "", "my text"))
    for guess in ("", "%", mine[:-1], mine.swapcase()):
        assert store.draft(guess) is None
        with pytest.raises(InvalidRequest, match="not kept"):
            store.accept_section(guess, Section(0, "", "x"))
        store.edit_section(guess, Section(1, "", "x"))
        store.remove_section(guess, 1)
    kept = store.draft(mine)
    assert kept is not None and kept.says("title") == "mine" and kept.sections == (Section(1, "", "my text"),)
    store.drop_draft(mine)
    left = store.draft(other)
    assert store.draft(mine) is None and left is not None and left.sections == ()
    store.close()


def test_a_section_is_edited_removed_and_brought_back_to_its_place(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.add_draft({})
    assert [store.accept_section(key, Section(0, "", text)) for text in ("a", "b", "c")] == [1, 2, 3]
    store.edit_section(key, Section(2, "B", "bee", "of b"))
    store.remove_section(key, 3)
    store.remove_section(key, 1)
    store.bring_back(key, Section(1, "", "a"))
    store.bring_back(key, Section(1, "", "twice"))
    store.bring_back(key, Section(9, "", "never there"))
    assert store.accept_section(key, Section(0, "", "d")) == 4, "the number of a removed section is not used again"
    draft = store.draft(key)
    assert draft is not None
    assert draft.sections == (Section(1, "", "a"), Section(2, "B", "bee", "of b"), Section(4, "", "d"))
    store.close()


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.add_draft({})
    for _ in range(MOST_SECTIONS):
        store.accept_section(key, Section(0, "", "x"))
    with pytest.raises(InvalidRequest, match=f"at most {MOST_SECTIONS}"):
        store.accept_section(key, Section(0, "", "x"))
    store.close()
    small = Store(tmp_path, Limits(drafts=2))
    small.add_draft({})
    with pytest.raises(Busy):
        small.add_draft({})
    small.drop_draft(key)
    assert small.add_draft({})
    small.close()


def test_a_file_of_the_first_version_keeps_its_jobs_and_learns_drafts(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as old:
        old.executescript(TABLES[0])
        old.execute("INSERT INTO job VALUES ('k', 1e12, '[\"a\"]', '{}')")
        old.execute("INSERT INTO job_row VALUES ('k', 1, '{}', 'done', '[\"a text\"]', NULL, 7)")
        old.execute("PRAGMA user_version=1")
    old.close()
    store = Store(tmp_path)
    assert store.job("k") is not None and store.draft(store.add_draft({})) is not None
    assert store.results("k") == [Result(1, {}, "done", ("a text",), seed=7)]
    assert store._all("PRAGMA user_version") == [(VERSION,)]
    store.close()
