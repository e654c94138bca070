"""`batch`: every row of a file through one task, into a JSONL file that a second run of the same command completes.

The file is the whole memory of a job: what it holds is not done again. Knows no model; loading one is handed in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from playground import parameters
from playground.batch import Batch, Numbered, Plan, candidates, guess
from playground.cli import result_files
from playground.cli.flags import add_parameters, given_values, pair, pairs
from playground.cli.result_files import StoredResults
from playground.evaluation import recommend
from playground.generate import FRESH_SEED
from playground.settings import ROWS, Limits, ModelSettings, add_flags, read
from playground.tables import rows
from playground.tables.rows import DONE, FAILED, REFUSED, NeedsChoice, Reading, Result, Table
from playground.tasks import user_task
from playground.tasks.task import Task
from playground.types import Generator, InvalidRequest, Text

Load = Callable[[argparse.Namespace], Generator]
LEAVE_OUT = "none"  # in place of a field's name
_SHOWN = 60  # characters of a name in a sentence
_LISTED = 10  # columns or rows in a list


def add_batch(commands: Any, load: Load) -> None:
    """Adds the command `batch`; `load` gives it a generator."""
    about = "write a text for every row of a CSV, XLSX or JSONL file; run again, it goes on where it was"
    sub = commands.add_parser("batch", help=about, description=about, allow_abbrev=False)
    task = sub.add_mutually_exclusive_group(required=True)
    task.add_argument("--task", metavar="ID", help="a task preset; see `tasks`")
    task.add_argument("--task-file", metavar="FILE", help="a task of your own: YAML, as the page exports it")
    sub.add_argument("--in", required=True, dest="source", metavar="FILE", help="the rows: .csv, .xlsx or .jsonl")
    sub.add_argument("--sheet", metavar="NAME", default="", help="of an XLSX with several sheets, or a hidden one")
    sub.add_argument("--delimiter", metavar="SIGN", default="", help="of a CSV: comma, semicolon, tab, or the sign")
    sub.add_argument("--encoding", metavar="NAME", default="", help="of a CSV or JSONL that is not UTF-8 or UTF-16")
    sub.add_argument("--out", required=True, metavar="FILE", help="the results, one JSON object a line: .jsonl")
    sub.add_argument("--csv", metavar="FILE", help="in the end the same as CSV, for a spreadsheet")
    sub.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help=f"default: by the names, as it is printed before the first row; {LEAVE_OUT}=COLUMN leaves a column out",
    )
    sub.add_argument("--set", action="append", default=[], metavar="FIELD=TEXT", help="a field alike in all rows")
    sub.add_argument("--language", choices=("en", "zh"), default="en", help="the task's language")
    sub.add_argument("--mode", choices=("chat", "complete"), help="default: chat where the model has a template")
    sub.add_argument("--path", choices=("exact", "fast"), default="fast", help="fast: many rows in one step")
    sub.add_argument("--retry-failed", action="store_true", help="try rows again that failed")
    add_flags(sub, Limits, "batch", refuse=True)
    add_flags(sub, ModelSettings, "batch", refuse=True)
    add_parameters(sub)
    sub.set_defaults(command=partial(_batch, load=load))


def _batch(given: argparse.Namespace, load: Load) -> int:
    table = _read(given)
    plan = _plan(given, table)
    read = {"in": given.source} | ({} if given.task_file is None else {"task-file": given.task_file})
    out, sheet = result_files.places(given.out, given.csv, read)
    with result_files.held(out):
        kept = result_files.read_out(out, plan, table, _signature(plan, given), retry=given.retry_failed)
        todo = [number for number in range(1, len(table.rows) + 1) if number not in kept.results]
        if todo:
            _print_plan(plan, table)
            _write(table, todo, kept, out, load(given))
        if sheet is not None:
            result_files.write_sheet(sheet, table.columns, kept)
    states = [one.state for one in kept.results.values()]
    failed, refused, done = (states.count(state) for state in (FAILED, REFUSED, DONE))
    strayed = recommend.of_rows(sum(one.remark is not None for one in kept.results.values()), plan.language)
    summary = f"{done} of {len(table.rows)} rows done, {failed} failed" + (f", {refused} refused" if refused else "")
    print(f"{summary}, {strayed.en}." if strayed else f"{summary}.", file=sys.stderr)
    return 0 if done == len(table.rows) else 2


def _read(given: argparse.Namespace) -> Table:
    """The table of the file that is named; what can be read in several ways is asked by naming the flag."""
    limits = read(Limits(), given)
    try:
        return rows.read(Path(given.source), limits, Reading(given.sheet, given.delimiter, given.encoding))
    except NeedsChoice as question:
        flag = f"--{question.option}"
        listed = "; ".join(one.label.en for one in question.choices)
        listed_zh = "；".join(one.label.zh for one in question.choices)
        hint = Text(f"Say which with {flag}: {listed}.", f"请用 {flag} 指定：{listed_zh}。")
        raise InvalidRequest(question.message, hint, parameter=question.option) from None


def _print_plan(plan: Plan, table: Table) -> None:
    """What fills each field, which columns nobody reads, and which rows are refused, before anything is written."""
    several = candidates(plan.read_task(), table.columns)
    for one in plan.read_task().fields:
        if one.name in plan.mapping:
            source = f"from the column {plan.mapping[one.name][:_SHOWN]!r}"
        elif one.name in plan.fixed:
            source = f"the same in all rows: {plan.fixed[one.name][:_SHOWN]!r}"
        elif len(several[one.name]) > 1:
            columns = ", ".join(repr(column[:_SHOWN]) for column in several[one.name])
            source = f"left empty; --map may choose one of {columns}"
        else:
            source = "left empty"
        print(f"  {one.name:14} {source}", file=sys.stderr)
    unread = [repr(column[:_SHOWN]) for column in table.columns if column not in plan.mapping.values()]
    if unread:
        print(f"  not read: {', '.join(unread)}", file=sys.stderr)
    for number, reason in list(table.refused.items())[:_LISTED]:
        print(f"  row {number} is refused: {reason.en}", file=sys.stderr)
    if len(table.refused) > _LISTED:
        print(f"  and {len(table.refused) - _LISTED} more rows are refused", file=sys.stderr)


def _plan(given: argparse.Namespace, table: Table) -> Plan:
    """What the flags ask for; everything wrong with it is found before a model is loaded."""
    own = "" if given.task_file is None else _read_task(Path(given.task_file))
    task = Plan(given.task or "", own=own).read_task()
    values = given_values(given)
    seed = parameters.validate({"seed": values.pop("seed", FRESH_SEED)})["seed"]
    chosen = parameters.validate(values)
    fixed = pairs("set", given.set)
    left_out = _left_out([pair("map", item) for item in given.map], task, table)
    said = pairs("map", [item for item in given.map if not left_out or pair("map", item)[0] != LEAVE_OUT])
    offered = [column for column in table.columns if column not in left_out]
    guessed = {name: column for name, column in guess(task, offered).items() if name not in fixed}
    plan = Plan(
        task=task.id,
        language=given.language,
        mapping={**guessed, **said},
        fixed=fixed,
        values={name: chosen[name] for name in values},
        seed=seed,
        path=given.path,
        mode=given.mode,
        own=own,
    )
    plan.check(table.columns, len(table.rows) + len(table.refused))
    return plan


def _left_out(said: Sequence[tuple[str, str]], task: Task, table: Table) -> set[str]:
    """The columns that `--map none=COLUMN` leaves out. A task that has a field of that name keeps it."""
    if any(one.name == LEAVE_OUT for one in task.fields):
        return set()
    found = {column for name, column in said if name == LEAVE_OUT}
    for column in found - set(table.columns):
        _no_column(column, table)
    return found


def _no_column(column: str, table: Table) -> NoReturn:
    listed = ", ".join(one[:_SHOWN] for one in table.columns[:_LISTED])
    shown = column[:_SHOWN]
    raise InvalidRequest(
        Text(f"The file has no column {shown!r}.", f"文件中没有 {shown!r} 列。"),
        Text(f"Its columns are {listed}.", f"文件的列有 {listed}。"),
        parameter="map",
    )


def _read_task(file: Path) -> str:
    """The YAML of a person's own task, once it is known to be one. Raises SchemaError with the line."""
    try:
        with file.open("rb") as opened:
            found = opened.read(user_task.MAX_BYTES + 1)
        text = found.decode("utf-8-sig", "strict" if len(found) <= user_task.MAX_BYTES else "replace")
    except (OSError, UnicodeDecodeError):
        shown = file.name[-_SHOWN:]
        raise InvalidRequest(
            Text(f"{shown!r} cannot be read as UTF-8 text.", f"无法按 UTF-8 文本读取 {shown!r}。"),
            Text("Name the YAML file of a task.", "请给出任务的 YAML 文件。"),
            parameter="task-file",
        ) from None
    user_task.read(text, file.name[-_SHOWN:])
    return text


def _signature(plan: Plan, given: argparse.Namespace) -> str:
    """What a file of results belongs to: everything that shapes a row but its seed, which the rows tell."""
    chosen = read(ModelSettings(), given)
    about = {**plan.as_json(), "seed": None, "model": chosen.model, "weights": chosen.weights}
    plain = json.dumps(about, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def _write(table: Table, todo: Sequence[int], kept: StoredResults, out: Path, generator: Generator) -> None:
    """Every row that is missing, each on the disk before it counts; in the end the file stands in the rows' order."""
    left = iter(todo)

    def take() -> Numbered | None:
        number = next(left, None)
        return None if number is None else (number, table.rows[number - 1])

    plan = kept.plan
    remark = recommend.beforehand(plan.read_task(), plan.language, generator.card, own=bool(plan.own))
    if remark is not None:
        print(remark.en, file=sys.stderr)
    batch = Batch(plan, generator)
    at_once = ROWS if plan.is_fast(generator) else generator.slots
    began, before = time.perf_counter(), len(kept.results)
    with (
        out.open("a", encoding="utf-8", newline="\n") as file,
        closing(batch.results(take, lambda: at_once, threading.Event())) as results,
    ):
        for result in results:
            with result_files.writing("out", out):
                file.write(kept.line(result))
                result_files.settle(file)
            kept.results[result.number] = result
            _say(kept.results, before, len(table.rows), batch.tokens, time.perf_counter() - began)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    result_files.rewrite(out, kept)


def _say(results: Mapping[int, Result], before: int, every: int, tokens: int, seconds: float) -> None:
    if not sys.stderr.isatty():
        return
    left = (every - len(results)) * seconds / (len(results) - before)
    failed = sum(one.state == FAILED for one in results.values())
    words = f"{len(results)} of {every} rows, {failed} failed, {tokens / seconds:.0f} tokens/s, {left:.0f} s left"
    print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
