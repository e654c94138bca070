"""The tables of the store's file, and what each version of it added to the one before. Knows no use of them."""

from __future__ import annotations

import sqlite3

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
# `touched` was of a calendar; from here on it is a day of the store, and whatever is older begins its time anew.
_SHARES = """
CREATE TABLE keeping (day INTEGER NOT NULL, wall REAL NOT NULL, salt BLOB NOT NULL);
INSERT INTO keeping VALUES (0, 0, randomblob(16));
UPDATE job SET touched = 0;
UPDATE draft SET touched = 0;
ALTER TABLE job ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE draft ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
"""
_REFUSED_ROWS = ""  # no new column: rows may be "refused", a state that earlier programs do not know
_WRITERS = """
ALTER TABLE draft_section ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE draft_section ADD COLUMN revision TEXT NOT NULL DEFAULT '';
"""
_PARKED = "ALTER TABLE job ADD COLUMN parked INTEGER NOT NULL DEFAULT 0"
# What each version of the file added to the one before.
TABLES = (_JOBS, _DRAFTS, _REMARKS, _SHARES, _REFUSED_ROWS, _WRITERS, _PARKED)
VERSION = len(TABLES)  # kept in the file's own user_version


def make(write: sqlite3.Connection) -> None:
    """Makes of a file of any earlier version, or of an empty one, one of this; within the caller's transaction.

    Raises DatabaseError for a file of a later version, which is left alone.
    """
    version = write.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise sqlite3.DatabaseError(f"its tables are of version {version}, this program knows {VERSION}")
    for added in TABLES[version:]:
        for statement in filter(str.strip, added.split(";")):
            write.execute(statement)
    write.execute(f"PRAGMA user_version={VERSION}")
