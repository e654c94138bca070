"""`generate --trace FILE` and `replay FILE`: a run on disk, and what other knobs would have made of it.

Knows no model.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from playground import parameters
from playground.cli.flags import add_parameters, given_values
from playground.cli.terminal import print_json
from playground.inspection import inspect_api
from playground.machine import disk
from playground.run import Run
from playground.settings import ModelSettings, records
from playground.types import PlaygroundError, Refused, Request, Text

NEEDS_THE_MODEL = (
    "prompt", "task", "set", "language", "mode", "system", "prefill", "turns", "special_tokens", "path",
    *(one.key for one in records(ModelSettings)),
)  # fmt: skip


def add_replay(commands: Any) -> None:
    """Adds the command `replay`, with a flag for each parameter."""
    about = "decide a traced run again under other values, with the same random draws and without the model"
    sub = commands.add_parser("replay", help=about, description=about, allow_abbrev=False)
    sub.add_argument("file", metavar="FILE", help="what `generate --trace FILE` wrote")
    sub.add_argument("--candidate", type=int, default=0, metavar="N", help="which candidate, counted from 0")
    for name in NEEDS_THE_MODEL:
        sub.add_argument(_flag(name), nargs="?", const="", help=argparse.SUPPRESS)
    add_parameters(sub)
    sub.set_defaults(command=_replay)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _replay(given: argparse.Namespace) -> int:
    for name in NEEDS_THE_MODEL:
        if getattr(given, name) is not None:
            flag = _flag(name)
            raise Refused(
                Text(f"A replay cannot change {flag}: that needs the model.", f"重放不能更改 {flag}：这需要模型。"),
                Text("Use generate.", "请使用 generate。"),
                parameter=name,
            )
    found = inspect_api.replay_file(given.file, given.candidate, given_values(given))
    first = None
    if found.first is not None:
        was, would_be = found.first.was, found.first.would_be
        ends = None if would_be is None else {"token_id": would_be.token_id, "text": would_be.text}
        first = {
            "index": found.first.index,
            "was": {"token_id": was.token_id, "text": was.text},
            "would_be": ends,
        }
    print_json(first)
    if found.ending is not None:
        print(found.ending.en, file=sys.stderr)
    return 0


def check_place(file: str, request: Request) -> None:
    """Checks before a model is loaded that there will be a trace, and that `file` can be written.

    Raises Refused for a beam search, and PlaygroundError for a file that cannot be written.
    """
    if request.values["num_beams"] > 1:
        raise Refused(
            Text("A beam search passes no chain, so it has no trace.", "束搜索不经过采样链，因此没有可记录的过程。"),
            Text("Set num_beams to 1, or leave --trace out.", "请把 num_beams 设为 1，或去掉 --trace。"),
            parameter="num_beams",
        )
    if not disk.can_write(Path(os.path.realpath(file))):
        raise PlaygroundError(
            Text(f"trace: {file!r} cannot be written.", f"trace：无法写入 {file!r}。"),
            Text("Name a file in a folder that exists and can be written.", "请给出可写入的现有文件夹中的文件名。"),
        )


def traced(runs: Iterator[Run], file: str | None, run_id: str) -> Generator[Run, None, None]:
    """The same run; when it has ended, however it ended, what was written so far is on disk."""
    run: Run | None = None
    try:
        for run in runs:
            yield run
    finally:
        close = getattr(runs, "close", None)
        if close is not None:
            close()
        if file is not None and run is not None:
            request = run.request
            asked = {
                "prompt": request.prompt, "mode": request.mode, "system": request.system, "prefill": request.prefill,
                "task": request.task, "turns": request.turns, "special_tokens": request.special_tokens,
                "values": parameters.changed(request.values),
            }  # fmt: skip
            inspect_api.write_trace(
                run_id, file, {"request": asked, "model": run.model, "dtype": run.dtype, "path": request.path}
            )
