"""`batch`: every row of a file through one task, into a JSONL file that a second run of the same command completes.

The file is the whole memory of a job: what it holds is not done again. Knows no model; loading one is handed in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

from filelock import FileLock, Timeout

from playground import counsel, own_task, parameters, rows
from playground.batch import DONE, FAILED, Batch, Numbered, Plan, guess
from playground.flags import add_parameters, given_values, pair
from playground.generate import FRESH_SEED
from playground.rows import Result, Table
from playground.settings import ROWS, Limits, add_model_flags
from playground.types import Generator, InvalidRequest, Text

Load = Callable[[argparse.Namespace], Generator]
_SHOWN = 60  # characters of a name in a sentence


def add_batch(commands: Any, load: Load) -> None:
    about = "write a text for every row of a CSV, XLSX or JSONL file; run again, it goes on where it was"
    sub = commands.add_parser("batch", help=about, description=about, allow_abbrev=False)
    task = sub.add_mutually_exclusive_group(required=True)
    task.add_argument("--task", metavar="ID", help="a task preset; see `tasks`")
    task.add_argument("--task-file", metavar="FILE", help="a task of your own: YAML, as the page exports it")
    sub.add_argument("--in", required=True, dest="source", metavar="FILE", help="the rows: .csv, .xlsx or .jsonl")
    sub.add_argument("--out", required=True, metavar="FILE", help="the results, one JSON object a line: .jsonl")
    sub.add_argument("--csv", metavar="FILE", help="in the end the same as CSV, for a spreadsheet")
    sub.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="default: by the names")
    sub.add_argument("--set", action="append", default=[], metavar="FIELD=TEXT", help="a field alike in all rows")
    sub.add_argument("--language", choices=("en", "zh"), default="en", help="the task's language")
    sub.add_argument("--mode", choices=("chat", "complete"), help="default: chat where the model has a template")
    sub.add_argument("--path", choices=("exact", "fast"), default="fast", help="fast: many rows in one step")
    sub.add_argument("--retry-failed", action="store_true", help="try rows again that failed")
    sub.add_argument("--limit-batch-rows", type=int, default=Limits().batch_rows, metavar="N", help="most rows")
    add_model_flags(sub)
    add_parameters(sub)
    sub.set_defaults(command=partial(_batch, load=load))


def _batch(given: argparse.Namespace, load: Load) -> int:
    limits = Limits()
    table = rows.read(Path(given.source), most_rows=given.limit_batch_rows, most_bytes=limits.batch_bytes)
    plan = _plan(given, table)
    out = Path(given.out)
    _check_places(given)
    with _held(out):
        kept = _read_out(out, plan, table, _signature(plan, given), retry=given.retry_failed)
        todo = [number for number in range(1, len(table.rows) + 1) if number not in kept.results]
        if todo:
            _write(table, todo, kept, out, load(given))
        if given.csv is not None:
            ordered = [kept.results[number] for number in sorted(kept.results)]
            lines = rows.as_csv(table.columns, ordered, kept.plan.candidates)
            with Path(given.csv).open("w", encoding="utf-8", newline="") as sheet:
                sheet.writelines(lines)
    failed = sum(one.state == FAILED for one in kept.results.values())
    strayed = counsel.of_rows(sum(one.remark is not None for one in kept.results.values()), plan.language)
    told = f"{len(kept.results) - failed} of {len(table.rows)} rows done, {failed} failed"
    print(f"{told}, {strayed.en}." if strayed else f"{told}.", file=sys.stderr)
    return 2 if failed or len(kept.results) < len(table.rows) else 0


def _plan(given: argparse.Namespace, table: Table) -> Plan:
    """What the flags ask for; everything wrong with it is found before a model is loaded."""
    own = "" if given.task_file is None else _read_task(Path(given.task_file))
    task = Plan(given.task or "", own=own).read_task()
    values = given_values(given)
    seed = parameters.validate({"seed": values.pop("seed", FRESH_SEED)})["seed"]
    chosen = parameters.validate(values)
    fixed = dict(pair("set", item) for item in given.set)
    guessed = {name: column for name, column in guess(task, table.columns).items() if name not in fixed}
    plan = Plan(
        task=task.id,
        language=given.language,
        mapping={**guessed, **dict(pair("map", item) for item in given.map)},
        fixed=fixed,
        values={name: chosen[name] for name in values},
        seed=seed,
        path=given.path,
        mode=given.mode,
        own=own,
    )
    plan.check(table.columns)
    return plan


def _read_task(file: Path) -> str:
    """The YAML of a person's own task, once it is known to be one. Raises SchemaError with the line."""
    try:
        with file.open("rb") as opened:
            found = opened.read(own_task.MAX_BYTES + 1)
        text = found.decode("utf-8-sig", "strict" if len(found) <= own_task.MAX_BYTES else "replace")
    except (OSError, UnicodeDecodeError):
        shown = file.name[-_SHOWN:]
        raise InvalidRequest(
            Text(f"{shown!r} cannot be read as UTF-8 text.", f"无法按 UTF-8 文本读取 {shown!r}。"),
            Text("Name the YAML file of a task.", "请给出任务的 YAML 文件。"),
            parameter="task-file",
        ) from None
    own_task.read(text, file.name[-_SHOWN:])
    return text


def _check_places(given: argparse.Namespace) -> None:
    if Path(given.out).suffix.lower() not in (".jsonl", ".ndjson"):
        _wrong(
            f"out: {given.out[-_SHOWN:]!r} must end in .jsonl.",
            f"out：{given.out[-_SHOWN:]!r} 应以 .jsonl 结尾。",
            Text("--csv FILE writes a CSV beside it.", "--csv FILE 可同时写出 CSV。"),
        )
    for name in ("out", "csv"):
        place = getattr(given, name)
        if place is None:
            continue
        if Path(place).is_dir() or not Path(place).absolute().parent.is_dir():
            _wrong(
                f"{name}: {place[-_SHOWN:]!r} cannot be written.",
                f"{name}：无法写入 {place[-_SHOWN:]!r}。",
                Text("Name a file in a folder that exists.", "请给出现有文件夹中的文件名。"),
            )
        read = [given.source, *([] if given.task_file is None else [given.task_file])]
        if Path(place).exists() and any(Path(place).samefile(one) for one in read):
            _wrong(
                f"{name} is the file that is read.", f"{name} 与读取的文件相同。", Text("Name another.", "请换一个。")
            )


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Two runs into one file would do rows twice."""
    lock = out.with_name(f".{out.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            yield
            lock.unlink(missing_ok=True)
    except Timeout:
        _wrong(
            f"Another run writes {out.name[-_SHOWN:]!r}.",
            f"另一个进程正在写 {out.name[-_SHOWN:]!r}。",
            Text("Wait for it, or name another file.", "请等它结束，或换一个文件。"),
        )


@dataclass(slots=True)
class _Kept:
    """The results on the disk by row, the plan with the seed that they were drawn with, and what both belong to."""

    plan: Plan
    job: str
    results: dict[int, Result]


def _signature(plan: Plan, given: argparse.Namespace) -> str:
    """What a file of results belongs to: everything that shapes a row but its seed, which the rows tell."""
    about = {**plan.as_json(), "seed": None, "model": given.model, "weights": given.weights}
    plain = json.dumps(about, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def _read_out(out: Path, plan: Plan, table: Table, job: str, *, retry: bool) -> _Kept:
    """What is done already. A last line that was torn by a crash is cut off; with `retry`, rows that failed are too."""
    lines = out.read_bytes().splitlines(keepends=True) if out.exists() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    found: dict[int, Result] = {}
    seeds: set[int] = set()
    for place, line in enumerate(whole, start=1):
        try:
            told = json.loads(line)
            belongs = told["job"] == job and told["input"] == dict(table.rows[told["row"] - 1])
            seed, texts = told["seed"], tuple(told["texts"])
            reason, remark = (text and Text(text, text) for text in (told["reason"], told.get("remark")))
            result = Result(told["row"], told["input"], told["state"], texts, reason, seed, remark)
        except (ValueError, KeyError, TypeError, IndexError):
            _wrong(
                f"Line {place} of {out.name[-_SHOWN:]!r} is no result of a batch.",
                f"{out.name[-_SHOWN:]!r} 的第 {place} 行不是批量结果。",
                Text("Name another file.", "请换一个文件。"),
            )
        if seed is not None:
            seeds.add(seed - (result.number - 1) * plan.candidates)
        if not belongs or len(seeds) > 1 or not seeds <= {plan.seed, *(seeds if plan.seed == FRESH_SEED else ())}:
            _wrong(
                f"{out.name[-_SHOWN:]!r} holds results of other rows, another task or other settings.",
                f"{out.name[-_SHOWN:]!r} 中是其他数据、其他任务或其他设置的结果。",
                Text("Name another file.", "请换一个文件。"),
            )
        if not (retry and result.state == FAILED):
            found[result.number] = result
    kept = _Kept(replace(plan, seed=seeds.pop()) if seeds else plan.seeded(), job, found)
    if len(lines) > len(whole) or len(found) < len(whole):
        _rewrite(out, kept)
    return kept


def _line(kept: _Kept, result: Result) -> str:
    return json.dumps({**rows.record(result), "job": kept.job}, ensure_ascii=False) + "\n"


def _rewrite(out: Path, kept: _Kept) -> None:
    """The file anew in the rows' order, at once or not at all."""
    beside = out.with_name(f".{out.name}.new")
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_line(kept, kept.results[number]) for number in sorted(kept.results))
        _settle(file)
    beside.replace(out)


def _settle(file: IO[str]) -> None:
    """On the disk, whatever happens to this process or the machine."""
    file.flush()
    os.fsync(file.fileno())


def _write(table: Table, todo: Sequence[int], kept: _Kept, out: Path, generator: Generator) -> None:
    """Every row that is missing, each on the disk before it counts; in the end the file stands in the rows' order."""
    left = iter(todo)

    def take() -> Numbered | None:
        number = next(left, None)
        return None if number is None else (number, table.rows[number - 1])

    plan = kept.plan
    remark = counsel.beforehand(plan.read_task(), plan.language, generator.card, own=bool(plan.own))
    if remark is not None:
        print(remark.en, file=sys.stderr)
    batch = Batch(plan, generator)
    at_once = ROWS if plan.path == "fast" and "fast" in generator.paths else 1
    began, before = time.perf_counter(), len(kept.results)
    with (
        out.open("a", encoding="utf-8", newline="\n") as file,
        closing(batch.results(take, lambda: at_once, threading.Event())) as results,
    ):
        for result in results:
            file.write(_line(kept, result))
            _settle(file)
            kept.results[result.number] = result
            _say(kept.results, before, len(table.rows), batch.tokens, time.perf_counter() - began)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    _rewrite(out, kept)


def _say(results: Mapping[int, Result], before: int, every: int, tokens: int, seconds: float) -> None:
    if not sys.stderr.isatty():
        return
    left = (every - len(results)) * seconds / (len(results) - before)
    failed = sum(one.state != DONE for one in results.values())
    words = f"{len(results)} of {every} rows, {failed} failed, {tokens / seconds:.0f} tokens/s, {left:.0f} s left"
    print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _wrong(en: str, zh: str, hint: Text) -> NoReturn:
    raise InvalidRequest(Text(en, zh), hint, parameter="out")
