"""What must outlive a crash, in one SQLite file: batch jobs with their rows, drafts with their sections.

Whatever was accepted is on the disk before the caller goes on. Knows no task, no model and no page: what a job is about
is JSON of its owner. A job or a draft is found by its key alone, which nobody can guess; there is no list to ask for.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playground.draft import MOST_SECTIONS, Draft, Section
from playground.rows import Result
from playground.types import Busy, InvalidRequest, PlaygroundError, Text

FILE = "playground.sqlite3"
KEPT_DAYS = 30  # jobs that nobody has touched for so long are dropped
DRAFT_DAYS = 365  # drafts too
MOST_DRAFTS = 2_000  # of all visitors together
RowState = Literal["waiting", "done", "failed"]

_JOBS = """
CREATE TABLE job (
    key TEXT PRIMARY KEY, touched REAL NOT NULL, columns TEXT NOT NULL, plan TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE job_row (
    job TEXT NOT NULL REFERENCES job (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    input TEXT NOT NULL,
    state TEXT NOT NULL,
    texts TEXT NOT NULL,
    reason TEXT,
    seed INTEGER,
    PRIMARY KEY (job, number)
) WITHOUT ROWID;
CREATE INDEX job_row_state ON job_row (job, state);
"""
_DRAFTS = """
CREATE TABLE draft (
    key TEXT PRIMARY KEY, touched REAL NOT NULL, head TEXT NOT NULL, next INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE draft_section (
    draft TEXT NOT NULL REFERENCES draft (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    gist TEXT NOT NULL,
    PRIMARY KEY (draft, number)
) WITHOUT ROWID;
"""
_REMARKS = """
ALTER TABLE job_row ADD COLUMN remark TEXT;
CREATE INDEX job_row_remark ON job_row (job) WHERE remark IS NOT NULL;
"""
_TABLES = (_JOBS, _DRAFTS, _REMARKS)  # what each version of the file added to the one before
VERSION = len(_TABLES)  # kept in the file's own user_version


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of a job wait, are done, and have failed; of those that are done, how many have a remark."""

    waiting: int = 0
    done: int = 0
    failed: int = 0
    remarked: int = 0

    @property
    def all(self) -> int:
        return self.waiting + self.done + self.failed


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job without its rows. `plan` is what its owner wrote last, {} before it was run."""

    key: str
    columns: tuple[str, ...]
    plan: Mapping[str, Any]


class Store:
    """The file and its one connection, which threads share by turns.

    WAL lets another process read while this one writes; synchronous=FULL has every transaction on the disk when it
    ends, so that a lost process or a lost machine loses nothing that was accepted.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        self._turn = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=10)
            self.file.chmod(0o600)  # before anything is in it
            for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._connection.execute(f"PRAGMA {setting}")
            self._make_tables()
        except (OSError, sqlite3.Error) as error:
            raise PlaygroundError(
                Text(f"The data folder {folder} cannot be used: {error}.", f"无法使用数据文件夹 {folder}：{error}。"),
                Text("Choose another with --data-folder.", "请用 --data-folder 换一个。"),
            ) from error

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def add_job(self, columns: Sequence[str], inputs: Iterable[Mapping[str, str]]) -> str:
        """Keeps a new job, all of its rows waiting; returns its key."""
        key = secrets.token_urlsafe(32)
        rows = ((key, number, _packed(one), "waiting", "[]") for number, one in enumerate(inputs, start=1))
        with self._transaction() as write:
            write.execute("DELETE FROM job WHERE touched < ?", (time.time() - KEPT_DAYS * 86_400,))
            write.execute("INSERT INTO job VALUES (?, ?, ?, ?)", (key, time.time(), _packed(list(columns)), "{}"))
            write.executemany("INSERT INTO job_row (job, number, input, state, texts) VALUES (?, ?, ?, ?, ?)", rows)
        return key

    def job(self, key: str) -> StoredJob | None:
        found = self._all("SELECT key, columns, plan FROM job WHERE key = ?", key)
        return None if not found else StoredJob(key, tuple(json.loads(found[0][1])), json.loads(found[0][2]))

    def plan(self, key: str, plan: Mapping[str, Any]) -> None:
        """What is to be done with the rows; results of an earlier plan are taken back."""
        with self._transaction() as write:
            write.execute("UPDATE job SET plan = ?, touched = ? WHERE key = ?", (_packed(plan), time.time(), key))
            write.execute(
                "UPDATE job_row SET state = 'waiting', texts = '[]', reason = NULL, seed = NULL, remark = NULL "
                "WHERE job = ?",
                (key,),
            )

    def accept(self, key: str, result: Result) -> None:
        """A row has ended. It is on the disk when this returns."""
        told = [None if text is None else _packed([text.en, text.zh]) for text in (result.reason, result.remark)]
        with self._transaction() as write:
            write.execute(
                "UPDATE job_row SET state = ?, texts = ?, seed = ?, reason = ?, remark = ? "
                "WHERE job = ? AND number = ?",
                (result.state, _packed(list(result.texts)), result.seed, *told, key, result.number),
            )
            write.execute("UPDATE job SET touched = ? WHERE key = ?", (time.time(), key))

    def retry(self, key: str) -> None:
        """Rows that have failed wait again."""
        with self._transaction() as write:
            write.execute(
                "UPDATE job_row SET state = 'waiting', reason = NULL WHERE job = ? AND state = 'failed'", (key,)
            )

    def drop(self, key: str) -> None:
        with self._transaction() as write:
            write.execute("DELETE FROM job WHERE key = ?", (key,))

    def counts(self, key: str) -> Counts:
        states = self._all("SELECT state, count(*) FROM job_row WHERE job = ? GROUP BY state", key)
        remarked = self._all("SELECT count(*) FROM job_row WHERE job = ? AND remark IS NOT NULL", key)[0][0]
        return Counts(**dict(states), remarked=remarked)

    def waiting(self, key: str, after: int = 0) -> tuple[int, Mapping[str, str]] | None:
        """The next row behind this number that waits, by its number and input."""
        found = self._all(
            "SELECT number, input FROM job_row WHERE job = ? AND state = 'waiting' AND number > ? "
            "ORDER BY number LIMIT 1",
            key, after,
        )  # fmt: skip
        return None if not found else (found[0][0], json.loads(found[0][1]))

    def results(
        self, key: str, *, first: int = 1, most: int = 1_000_000, state: RowState | None = None
    ) -> list[Result]:
        """At most so many rows from this number on, in their order; only those in one state where one is named."""
        wanted = "" if state is None else "AND state = ?"
        given = (key, first, *(() if state is None else (state,)), most)
        found = self._all(
            "SELECT number, input, state, texts, seed, reason, remark FROM job_row "
            f"WHERE job = ? AND number >= ? {wanted} ORDER BY number LIMIT ?",
            *given,
        )
        return [_result(row) for row in found]

    def add_draft(self, head: Mapping[str, str]) -> str:
        """Keeps a new draft without sections; returns its key. Busy where too many are kept."""
        key = secrets.token_urlsafe(32)
        with self._transaction() as write:
            write.execute("DELETE FROM draft WHERE touched < ?", (time.time() - DRAFT_DAYS * 86_400,))
            if write.execute("SELECT count(*) FROM draft").fetchone()[0] >= MOST_DRAFTS:
                raise Busy(
                    Text("This server keeps no more drafts.", "此服务器已不能保存更多草稿。"),
                    Text("Delete one that you do not need.", "请删除一份不需要的草稿。"),
                )
            write.execute("INSERT INTO draft VALUES (?, ?, ?, 1)", (key, time.time(), _packed(dict(head))))
        return key

    def draft(self, key: str) -> Draft | None:
        with self._turn:
            head = self._connection.execute("SELECT head FROM draft WHERE key = ?", (key,)).fetchone()
            found = self._connection.execute(
                "SELECT number, heading, text, gist FROM draft_section WHERE draft = ? ORDER BY number", (key,)
            ).fetchall()
        if head is None:
            return None
        kept = json.loads(head[0])
        return Draft("zh" if kept.get("language") == "zh" else "en", kept, tuple(Section(*row) for row in found))

    def keep_head(self, key: str, head: Mapping[str, str]) -> None:
        with self._transaction() as write:
            given = (_packed(dict(head)), time.time(), key)
            write.execute("UPDATE draft SET head = ?, touched = ? WHERE key = ?", given)

    def accept_section(self, key: str, section: Section) -> int:
        """Puts a section behind the others, under the number returned. It is on the disk when this returns."""
        with self._transaction() as write:
            found = write.execute("SELECT next FROM draft WHERE key = ?", (key,)).fetchone()
            kept = write.execute("SELECT count(*) FROM draft_section WHERE draft = ?", (key,)).fetchone()[0]
            if found is None or kept >= MOST_SECTIONS:
                raise InvalidRequest(
                    Text(f"A draft has at most {MOST_SECTIONS} sections.", f"一份草稿最多 {MOST_SECTIONS} 节。")
                    if found
                    else Text("This draft is not kept any more.", "此草稿已不再保留。"),
                    Text("Begin a new one.", "请新建一份。"),
                )
            _insert(write, key, found[0], section)
            write.execute("UPDATE draft SET next = next + 1, touched = ? WHERE key = ?", (time.time(), key))
        return int(found[0])

    def edit_section(self, key: str, section: Section) -> None:
        """Replaces the section of that number. One that is not there any more is not made again."""
        with self._transaction() as write:
            write.execute(
                "UPDATE draft_section SET heading = ?, text = ?, gist = ? WHERE draft = ? AND number = ?",
                (section.heading, section.text, section.gist, key, section.number),
            )
            write.execute("UPDATE draft SET touched = ? WHERE key = ?", (time.time(), key))

    def remove_section(self, key: str, number: int) -> None:
        with self._transaction() as write:
            write.execute("DELETE FROM draft_section WHERE draft = ? AND number = ?", (key, number))
            write.execute("UPDATE draft SET touched = ? WHERE key = ?", (time.time(), key))

    def bring_back(self, key: str, section: Section) -> None:
        """A section that was removed, at its old place; nothing where that was never its place."""
        with self._transaction() as write:
            found = write.execute("SELECT next FROM draft WHERE key = ?", (key,)).fetchone()
            taken = "SELECT 1 FROM draft_section WHERE draft = ? AND number = ?"
            if found and 1 <= section.number < found[0] and not write.execute(taken, (key, section.number)).fetchone():
                _insert(write, key, section.number, section)

    def drop_draft(self, key: str) -> None:
        with self._transaction() as write:
            write.execute("DELETE FROM draft WHERE key = ?", (key,))

    def _all(self, query: str, *given: Any) -> list[Any]:
        with self._turn:
            return self._connection.execute(query, given).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _make_tables(self) -> None:
        with self._transaction() as write:
            version = write.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise sqlite3.DatabaseError(f"its tables are of version {version}, this program knows {VERSION}")
            for added in _TABLES[version:]:
                for statement in filter(str.strip, added.split(";")):
                    write.execute(statement)
            write.execute(f"PRAGMA user_version={VERSION}")


def _insert(write: sqlite3.Connection, key: str, number: int, section: Section) -> None:
    given = (key, number, section.heading, section.text, section.gist)
    write.execute("INSERT INTO draft_section VALUES (?, ?, ?, ?, ?)", given)


def _packed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _result(row: Sequence[Any]) -> Result:
    number, given, state, texts, seed, *told = row
    reason, remark = (None if text is None else Text(*json.loads(text)) for text in told)
    return Result(number, json.loads(given), state, tuple(json.loads(texts)), reason, seed, remark)
