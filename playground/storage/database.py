"""What must outlive a crash, in one SQLite file: batch jobs with their rows, drafts with their sections.

Whatever was accepted is on the disk before the caller goes on. Knows no task, no model and no page: what a job is about
is JSON of its owner. A job or a draft is found by its key alone, which nobody can guess; there is no list to ask for.
Days are those of storage/age_clock.py, not of a calendar.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playground.machine.disk import DiskError
from playground.settings import Limits
from playground.storage import migrations
from playground.storage.age_clock import DAY, AgeClock, at_start, while_open
from playground.storage.draft import MOST_SECTIONS, Draft, Section
from playground.storage.quotas import Quotas, Table
from playground.tables.rows import REFUSED, Result
from playground.types import InvalidRequest, Text
from playground.visitor import Visitor

FILE = "playground.sqlite3"
KEPT_DAYS = 30  # jobs that nobody has touched for so long are dropped
DRAFT_DAYS = 365  # drafts too
log = logging.getLogger(__name__)
RowState = Literal["waiting", "done", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of a job wait, are done, have failed, and were refused when the file was read.

    Of those that are done, `remarked` have a remark. `all` are as many rows as the file has.
    """

    waiting: int = 0
    done: int = 0
    failed: int = 0
    refused: int = 0
    remarked: int = 0

    @property
    def ended(self) -> int:
        return self.done + self.failed

    @property
    def all(self) -> int:
        return self.waiting + self.done + self.failed + self.refused


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job without its rows. `plan` is what its owner wrote last, {} before it was run."""

    key: str
    columns: tuple[str, ...]
    plan: Mapping[str, Any]


class Store:
    """The file and its one connection, which threads share by turns.

    WAL lets another process read while this one writes; synchronous=FULL has every transaction on the disk when it
    ends, so that a lost process or a lost machine loses nothing that was accepted. Raises DiskError where the folder
    cannot be used.
    """

    def __init__(self, folder: Path, limits: Limits | None = None, clock: AgeClock | None = None) -> None:
        self.file = folder / FILE
        self._limits, self._clock = limits or Limits(), clock or AgeClock()
        self._turn = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=10)
            self.file.chmod(0o600)  # before anything is in it
            for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._connection.execute(f"PRAGMA {setting}")
            with self._transaction() as write:
                migrations.make(write)
            self._begin()
        except (OSError, sqlite3.Error) as error:
            log.error("The data folder %s cannot be used: %s. --data-folder chooses another.", folder, error)
            raise DiskError(error) from error

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def add_job(
        self,
        columns: Sequence[str],
        inputs: Iterable[Mapping[str, str]],
        visitor: Visitor | None = None,
        refused: Mapping[int, Text] | None = None,
    ) -> str:
        """Keeps a new job, all of its rows waiting but those `refused` with a reason; returns its key.

        Busy where too much is kept.
        """
        key, why = secrets.token_urlsafe(32), refused or {}
        rows = [
            (key, number, _packed(one), REFUSED if number in why else "waiting", "[]", _as_json(why.get(number)))
            for number, one in enumerate(inputs, start=1)
        ]
        size = sum(len(row[2].encode()) for row in rows)
        with self._transaction() as write:
            owner = self._room(write, "job", visitor, KEPT_DAYS, self._limits.batches)
            write.execute(
                "INSERT INTO job (key, touched, columns, plan, session, address, size) VALUES (?, ?, ?, '{}', ?, ?, ?)",
                (key, self._today(write), _packed(list(columns)), *owner, size),
            )
            write.executemany(
                "INSERT INTO job_row (job, number, input, state, texts, reason) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            self._quotas.weigh(write, owner)
        return key

    def job(self, key: str) -> StoredJob | None:
        """The job under this key; None where there is none."""
        found = self._all("SELECT key, columns, plan FROM job WHERE key = ?", key)
        return None if not found else StoredJob(key, tuple(json.loads(found[0][1])), json.loads(found[0][2]))

    def park(self, key: str, yes: bool) -> None:
        """Whether the job waits for its own model, also where the server starts anew."""
        with self._transaction() as write:
            write.execute("UPDATE job SET parked = ? WHERE key = ? AND parked != ?", (int(yes), key, int(yes)))

    def parked(self) -> list[StoredJob]:
        """Those that wait for their own models, for the server itself: nobody's request may ask for a list."""
        found = self._all("SELECT key, columns, plan FROM job WHERE parked")
        return [StoredJob(key, tuple(json.loads(columns)), json.loads(plan)) for key, columns, plan in found]

    def plan(self, key: str, plan: Mapping[str, Any]) -> None:
        """What is to be done with the rows; results of an earlier plan are taken back."""
        with self._transaction() as write:
            given = (_packed(plan), self._today(write), key)
            write.execute("UPDATE job SET plan = ?, touched = ? WHERE key = ?", given)
            write.execute(
                "UPDATE job_row SET state = 'waiting', texts = '[]', reason = NULL, seed = NULL, remark = NULL "
                "WHERE job = ? AND state != ?",
                (key, REFUSED),
            )

    def accept(self, key: str, result: Result) -> None:
        """A row has ended. It is on the disk when this returns."""
        remarks = [_as_json(text) for text in (result.reason, result.remark)]
        with self._transaction() as write:
            write.execute(
                "UPDATE job_row SET state = ?, texts = ?, seed = ?, reason = ?, remark = ? "
                "WHERE job = ? AND number = ?",
                (result.state, _packed(list(result.texts)), result.seed, *remarks, key, result.number),
            )
            write.execute("UPDATE job SET touched = ? WHERE key = ?", (self._today(write), key))

    def retry(self, key: str) -> None:
        """Rows that have failed wait again."""
        with self._transaction() as write:
            write.execute(
                "UPDATE job_row SET state = 'waiting', texts = '[]', reason = NULL WHERE job = ? AND state = 'failed'",
                (key,),
            )

    def drop(self, key: str) -> None:
        with self._transaction() as write:
            write.execute("DELETE FROM job WHERE key = ?", (key,))

    def counts(self, key: str) -> Counts:
        """How many rows of the job are in each state, and how many have a remark."""
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

    def first_row(self, key: str) -> Result | None:
        """The first row that was not refused."""
        found = self._all(f"{_RESULT} WHERE job = ? AND state != ? ORDER BY number LIMIT 1", key, REFUSED)
        return _result(found[0]) if found else None

    def results(
        self, key: str, *, first: int = 1, most: int = 1_000_000, state: RowState | None = None
    ) -> list[Result]:
        """At most so many rows from this number on, in their order; only those in one state where one is named."""
        wanted = "" if state is None else "AND state = ?"
        given = (key, first, *(() if state is None else (state,)), most)
        found = self._all(f"{_RESULT} WHERE job = ? AND number >= ? {wanted} ORDER BY number LIMIT ?", *given)
        return [_result(row) for row in found]

    def add_draft(self, head: Mapping[str, str], visitor: Visitor | None = None) -> str:
        """Keeps a new draft without sections; returns its key. Busy where too much is kept."""
        key = secrets.token_urlsafe(32)
        with self._transaction() as write:
            owner = self._room(write, "draft", visitor, DRAFT_DAYS, self._limits.drafts)
            write.execute(
                "INSERT INTO draft (key, touched, head, next, session, address) VALUES (?, ?, ?, 1, ?, ?)",
                (key, self._today(write), _packed(dict(head)), *owner),
            )
            self._drafted(write, key)
        return key

    def draft(self, key: str) -> Draft | None:
        """The draft under this key with its sections in order; None where there is none."""
        with self._reading() as read:
            head = read.execute("SELECT head FROM draft WHERE key = ?", (key,)).fetchone()
            found = read.execute(
                f"SELECT {_SECTION} FROM draft_section WHERE draft = ? ORDER BY number",
                (key,),
            ).fetchall()
        if head is None:
            return None
        kept = json.loads(head[0])
        return Draft("zh" if kept.get("language") == "zh" else "en", kept, tuple(Section(*row) for row in found))

    def keep_head(self, key: str, head: Mapping[str, str]) -> None:
        with self._transaction() as write:
            write.execute("UPDATE draft SET head = ? WHERE key = ?", (_packed(dict(head)), key))
            self._drafted(write, key)

    def accept_section(self, key: str, section: Section) -> int:
        """Puts a section behind the others, under the number returned. It is on the disk when this returns.

        Raises InvalidRequest where the draft is gone or has `MOST_SECTIONS` already.
        """
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
            write.execute("UPDATE draft SET next = next + 1 WHERE key = ?", (key,))
            self._drafted(write, key)
        return int(found[0])

    def edit_section(self, key: str, section: Section) -> None:
        """Replaces the section of that number. One that is not there any more is not made again."""
        with self._transaction() as write:
            write.execute(
                "UPDATE draft_section SET heading = ?, text = ?, gist = ? WHERE draft = ? AND number = ?",
                (section.heading, section.text, section.gist, key, section.number),
            )
            self._drafted(write, key)

    def remove_section(self, key: str, number: int) -> None:
        with self._transaction() as write:
            write.execute("DELETE FROM draft_section WHERE draft = ? AND number = ?", (key, number))
            self._drafted(write, key)

    def bring_back(self, key: str, section: Section) -> None:
        """A section that was removed, at its old place; nothing where that was never its place."""
        with self._transaction() as write:
            found = write.execute("SELECT next FROM draft WHERE key = ?", (key,)).fetchone()
            taken = "SELECT 1 FROM draft_section WHERE draft = ? AND number = ?"
            if found and 1 <= section.number < found[0] and not write.execute(taken, (key, section.number)).fetchone():
                _insert(write, key, section.number, section)
                self._drafted(write, key)

    def drop_draft(self, key: str) -> None:
        with self._transaction() as write:
            write.execute("DELETE FROM draft WHERE key = ?", (key,))

    def _all(self, query: str, *given: Any) -> list[Any]:
        with self._reading() as read:
            return read.execute(query, given).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time. Raises DiskError, and logs which folder failed."""
        with self._turn:
            try:
                yield self._connection
            except sqlite3.ProgrammingError:
                raise
            except sqlite3.Error as error:
                log.error("%s cannot be read or written: %s", self.file, error)
                raise DiskError(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk may have ended it already
                    connection.execute("ROLLBACK")
                raise

    def _begin(self) -> None:
        """Counts the day since the store was last open, and bounds its file."""
        wall, self._since = self._clock.wall(), self._clock.steady()
        day, then, salt = self._connection.execute("SELECT day, wall, salt FROM keeping").fetchone()
        self._quotas = Quotas(self._limits, salt)
        days = at_start(then, wall) if then else 0
        if days or not then or wall < then - DAY:
            self._connection.execute("UPDATE keeping SET day = ?, wall = ?", (day + days, wall))
        if self._limits.store_bytes:
            page = self._connection.execute("PRAGMA page_size").fetchone()[0]
            self._connection.execute(f"PRAGMA max_page_count={max(1, self._limits.store_bytes // page)}")

    def _today(self, write: sqlite3.Connection) -> int:
        day, then = write.execute("SELECT day, wall FROM keeping").fetchone()
        steady, wall = self._clock.steady() - self._since, self._clock.wall()
        if steady < DAY:
            return int(day)
        self._since += steady - steady % DAY
        day += while_open(steady, then, wall)
        write.execute("UPDATE keeping SET day = ?, wall = ?", (day, wall))
        return int(day)

    def _room(
        self, write: sqlite3.Connection, table: Table, visitor: Visitor | None, days: int, most: int
    ) -> tuple[str, str]:
        """Whose a new row of the table is, once what is too old has gone and there is room for it."""
        write.execute(f"DELETE FROM {table} WHERE touched < ?", (self._today(write) - days,))
        return self._quotas.room(write, table, visitor or Visitor(), most)

    def _drafted(self, write: sqlite3.Connection, key: str) -> None:
        """A draft was changed, today. Busy where it grew beyond its owner's share."""
        sections = "SELECT sum(length(CAST(heading || text || gist AS BLOB))) FROM draft_section WHERE draft = key"
        found = write.execute(
            f"SELECT size, length(CAST(head AS BLOB)) + coalesce(({sections}), 0), session, address "
            "FROM draft WHERE key = ?",
            (key,),
        ).fetchone()
        if found is not None:
            before, size, *owner = found
            write.execute("UPDATE draft SET touched = ?, size = ? WHERE key = ?", (self._today(write), size, key))
            if size > before:
                self._quotas.weigh(write, (owner[0], owner[1]))


def _insert(write: sqlite3.Connection, key: str, number: int, section: Section) -> None:
    given = (key, number, section.heading, section.text, section.gist, section.model, section.revision)
    write.execute("INSERT INTO draft_section VALUES (?, ?, ?, ?, ?, ?, ?)", given)


_SECTION = "number, heading, text, gist, model, revision"
_RESULT = "SELECT number, input, state, texts, seed, reason, remark FROM job_row"


def _as_json(text: Text | None) -> str | None:
    return None if text is None else _packed([text.en, text.zh])


def _packed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _result(row: Sequence[Any]) -> Result:
    number, given, state, texts, seed, *remarks = row
    reason, remark = (None if text is None else Text(*json.loads(text)) for text in remarks)
    return Result(number, json.loads(given), state, tuple(json.loads(texts)), reason, seed, remark)
