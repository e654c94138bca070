"""The files that a terminal's `batch` writes: where they may stand, one writer at a time, and what is done already.

Knows no model and no command: what a result belongs to is handed in as a plan and its signature.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NoReturn

from filelock import FileLock, Timeout

from playground.batch import Plan
from playground.generate import FRESH_SEED
from playground.machine import disk
from playground.tables import rows
from playground.tables.rows import DONE, FAILED, REFUSED, Result, Table
from playground.types import InvalidRequest, Text

_SHOWN = 60  # characters of a name in a sentence
_FIRST = b'{"row": '  # how a line of ours begins
_HEAD = re.compile(re.escape(_FIRST) + rb"\d{1,9}")
_NEXT = b', "input": {'
_ELSEWHERE = Text("Name a file in a folder that exists and can be written.", "请给出可写入的现有文件夹中的文件名。")


@dataclass(slots=True)
class StoredResults:
    """The results on the disk by row, the plan with the seed that they were drawn with, and what both belong to."""

    plan: Plan
    job: str
    results: dict[int, Result]

    def line(self, result: Result) -> str:
        return json.dumps({**rows.record(result), "job": self.job}, ensure_ascii=False) + "\n"


def places(out: str, sheet: str | None, read: Mapping[str, str]) -> tuple[Path, Path | None]:
    """Where the results and the CSV go, behind any link, once both are known to be writable files of their own.

    `read` are the files that are read, by the names of their flags. Raises InvalidRequest naming the flag.
    """
    if Path(out).suffix.lower() not in (".jsonl", ".ndjson"):
        wrong(
            f"out: {out[-_SHOWN:]!r} must end in .jsonl.",
            f"out：{out[-_SHOWN:]!r} 应以 .jsonl 结尾。",
            Text("--csv FILE writes a CSV beside it.", "--csv FILE 可同时写出 CSV。"),
        )
    try:
        named = {"out": Path(os.path.realpath(out))}
        if sheet is not None:
            named["csv"] = Path(os.path.realpath(sheet))
        sources = [Path(os.path.realpath(one)) for one in read.values()]
    except (OSError, ValueError):  # a name that no file can have
        _cannot_write("out", out)
    for name, place in named.items():
        if not _may_stand(place, any_kind=name == "csv"):
            _cannot_write(name, str(place))
        if any(_same(place, one) for one in sources):
            wrong(
                f"{name} is the file that is read.", f"{name} 与读取的文件相同。", Text("Name another.", "请换一个。")
            )
    file, table = named["out"], named.get("csv")
    if table is not None and any(_same(table, one) for one in (file, _lock(file), _beside(file))):
        wrong(
            "csv is the file that the results go to.",
            "csv 与结果文件相同。",
            Text("Name another for --csv.", "请为 --csv 换一个文件。"),
        )
    for name, place in named.items():
        if not disk.can_write(place):
            _cannot_write(name, str(place))
    return file, table


def _may_stand(place: Path, *, any_kind: bool) -> bool:
    """Whether a file may be of this name. One that is no plain file, such as a pipe, would block its reader."""
    try:
        odd = place.exists() and not place.is_file()
        return not place.is_dir() and place.parent.is_dir() and (any_kind or not odd)
    except (OSError, ValueError):  # a name that no file can have
        return False


def _same(one: Path, other: Path) -> bool:
    """Whether both are the same file, also one that does not exist yet, or has two names."""
    with suppress(OSError):  # one of them does not exist
        return one == other or one.samefile(other)
    return False


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Locks `out` against a second run, which would do rows twice. Raises InvalidRequest where one holds the lock."""
    lock = _lock(out)
    try:
        lock.open("ab").close()  # what cannot be made is no other run's
    except OSError as error:
        if disk.is_full(error):
            raise
        _cannot_write("out", str(out))
    try:
        with FileLock(lock, timeout=0):
            yield
            lock.unlink(missing_ok=True)
    except Timeout:
        wrong(
            f"Another run writes {out.name[-_SHOWN:]!r}.",
            f"另一个进程正在写 {out.name[-_SHOWN:]!r}。",
            Text("Wait for it, or name another file.", "请等它结束，或换一个文件。"),
        )


@contextmanager
def writing(name: str, place: Path) -> Iterator[None]:
    """Turns an OSError while writing into InvalidRequest; that of a full disk, which concerns all files, passes."""
    try:
        yield
    except OSError as error:
        if disk.is_full(error):
            raise
        _cannot_write(name, str(place))


def read_out(out: Path, plan: Plan, table: Table, job: str, *, retry: bool) -> StoredResults:
    """What is done already. A last line that was torn by a crash is cut off; with `retry`, rows that failed are too.

    Rows that the table refuses stand among the results at once; one that was mended since is to be written.
    Raises InvalidRequest, and leaves the file as it is, where it holds anything else.
    """
    with writing("out", out):
        *whole, torn = out.read_bytes().split(b"\n") if out.exists() else [b""]
    found: dict[int, Result] = {}
    seeds: set[int] = set()
    for place, line in enumerate(whole, start=1):
        record, result = _result(line) or _no_result(out, place)
        if result.state == REFUSED and record["job"] == job:
            continue
        belongs = record["job"] == job and result.number <= len(table.rows)
        belongs = belongs and result.input == dict(table.rows[result.number - 1])
        if result.seed is not None:
            seeds.add(result.seed - (result.number - 1) * plan.candidates)
        if not belongs or len(seeds) > 1 or not seeds <= {plan.seed, *(seeds if plan.seed == FRESH_SEED else ())}:
            wrong(
                f"{out.name[-_SHOWN:]!r} holds results of other rows, another task or other settings.",
                f"{out.name[-_SHOWN:]!r} 中是其他数据、其他任务或其他设置的结果。",
                Text("Name another file.", "请换一个文件。"),
            )
        if not (retry and result.state == FAILED):
            found[result.number] = result
    if torn and not _is_torn(torn, after_results=bool(whole)):
        _no_result(out, len(whole) + 1)
    refused = {
        number: Result(number, table.rows[number - 1], REFUSED, reason=why) for number, why in table.refused.items()
    }
    kept = StoredResults(replace(plan, seed=seeds.pop()) if seeds else plan.seeded(), job, {**found, **refused})
    if torn or len(found) < len(whole) or refused:
        rewrite(out, kept)
    return kept


def _result(line: bytes) -> tuple[dict[str, Any], Result] | None:
    """What a line of ours says, and as a result; None where it is not ours."""
    try:
        record = json.loads(line)
        number, given, state, texts, seed = (record[one] for one in ("row", "input", "state", "texts", "seed"))
        job, reason, remark = record["job"], record["reason"], record.get("remark")
        by = [record.get(one) for one in ("model", "revision")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    whole = type(number) is int and number > 0 and (seed is None or type(seed) is int) and type(job) is str
    plain = isinstance(given, dict) and isinstance(texts, list) and all(type(one) is str for one in texts)
    said = state in (DONE, FAILED, REFUSED) and all(one is None or type(one) is str for one in (reason, remark, *by))
    if not (whole and plain and said):
        return None
    why, noted = (text and Text(text, text) for text in (reason, remark))
    return record, Result(number, given, state, tuple(texts), why, seed, noted, *(one or "" for one in by))


def _is_torn(line: bytes, *, after_results: bool) -> bool:
    """Whether a last line without its end is the beginning of a result, or what a crash left behind whole ones."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        head = _HEAD.match(line)
        if head is None:
            return after_results or _FIRST.startswith(line)
        behind = line[head.end() :]
        return after_results or behind.startswith(_NEXT) or _NEXT.startswith(behind)
    return _result(line) is not None


def _no_result(out: Path, place: int) -> NoReturn:
    wrong(
        f"Line {place} of {out.name[-_SHOWN:]!r} is no result of a batch.",
        f"{out.name[-_SHOWN:]!r} 的第 {place} 行不是批量结果。",
        Text("Name another file.", "请换一个文件。"),
    )


def rewrite(out: Path, kept: StoredResults) -> None:
    """The file anew in the rows' order, at once or not at all."""
    beside = _beside(out)
    with writing("out", out):
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(kept.line(kept.results[number]) for number in sorted(kept.results))
            settle(file)
        if out.exists():
            shutil.copymode(out, beside)
        beside.replace(out)


def settle(file: IO[str]) -> None:
    """On the disk, whatever happens to this process or the machine."""
    file.flush()
    os.fsync(file.fileno())


def write_sheet(place: Path, columns: tuple[str, ...], kept: StoredResults) -> None:
    """The CSV of all results so far."""
    ordered = [kept.results[number] for number in sorted(kept.results)]
    with writing("csv", place), place.open("w", encoding="utf-8", newline="") as sheet:
        sheet.writelines(rows.as_csv(columns, ordered, kept.plan.candidates))


def _lock(out: Path) -> Path:
    return out.with_name(f".{out.name}.lock")


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}.new")


def _cannot_write(name: str, place: str) -> NoReturn:
    wrong(f"{name}: {place[-_SHOWN:]!r} cannot be written.", f"{name}：无法写入 {place[-_SHOWN:]!r}。", _ELSEWHERE)


def wrong(en: str, zh: str, hint: Text) -> NoReturn:
    """Raises InvalidRequest for the parameter `out`."""
    raise InvalidRequest(Text(en, zh), hint, parameter="out")
