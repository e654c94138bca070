"""`train`: a model learns from a file, in a process of its own that outlives the terminal; and what becomes of it.

Knows no torch: the process loads the model. What is trained is what `generate` and the page send.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.amounts import bytes_text
from playground.cli.export_command import add_export
from playground.cli.flags import pairs
from playground.cli.terminal import print_json
from playground.machine.data_folder import data_folder
from playground.models import embedded
from playground.models.model_choice import ModelChoice
from playground.settings import Settings, add_flags, read
from playground.training.plan import TrainPlan
from playground.training.train_presets import PRESETS, find_preset
from playground.training.train_setting import TRAIN_GROUPS
from playground.training.train_settings import train_settings_by_group, validate_settings
from playground.training.training_folder import ALIVE, TrainState
from playground.training.trainings import FOLDER, Trainings, TrainingView
from playground.types import InvalidRequest, PlaygroundError, ProgressReport, Text

_LOOK = 0.2  # seconds between looks at a training that runs
_DETACHED = "It goes on without this terminal. See it with: python -m playground train show {id}"


def add_train(commands: Any, report: ProgressReport) -> None:
    """Adds the command `train` with its own commands; `report` says how far loading a model is."""
    about = "teach a model your own texts, in a process of its own; list, pause, resume and stop such trainings"
    sub = commands.add_parser("train", help=about, description=about, allow_abbrev=False)
    inner = sub.add_subparsers(required=True, metavar="COMMAND")
    _add_start(inner)
    add_export(inner, _trainings, report)
    for name, command, help_text in (
        ("show", _show, "how far a training is, until it ends; Ctrl+C leaves it running"),
        ("pause", _pause, "end a training behind its step, in a checkpoint"),
        ("resume", _resume, "go on behind the last checkpoint"),
        ("stop", _stop, "end a training and keep what is learned"),
        ("delete", _delete, "remove a training with all that it learned"),
    ):
        one = inner.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        one.add_argument("id", metavar="ID", help="as `train list` names it")
        if name in ("show", "resume"):
            one.add_argument("--detach", action="store_true", help="do not wait for its end")
        add_flags(one, Settings, "train", refuse=True)
        one.set_defaults(command=command)
    one = inner.add_parser("list", help="all trainings, the newest first", allow_abbrev=False)
    one.add_argument("--json", action="store_true", help="print a JSON list")
    add_flags(one, Settings, "train", refuse=True)
    one.set_defaults(command=_list)


def _add_start(commands: Any) -> None:
    about = "train on a file of CSV, XLSX, JSONL, JSON, TXT or Markdown"
    sub = commands.add_parser("start", help=about, description=about, allow_abbrev=False)
    sub.add_argument("source", metavar="FILE", help="what is learned")
    sub.add_argument("--validation", metavar="FILE", help="what measures it (default: a share of FILE)")
    sub.add_argument("--name", help="what you call it (default: the file's name)")
    sub.add_argument("--preset", choices=[one.name for one in PRESETS], default="good", help="settings to begin with")
    sub.add_argument("--task", metavar="ID", help="columns fill the fields of this task; see `tasks`")
    sub.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="a field, or a variable")
    sub.add_argument(
        "--set", action="append", default=[], metavar="FIELD=TEXT", help="a task's field alike in all rows"
    )
    sub.add_argument("--prompt", metavar="TEXT", help="a prompt with {{variables}}, in place of a task")
    sub.add_argument("--system", metavar="TEXT", default="", help="system prompt beside --prompt (chat)")
    sub.add_argument("--answer", metavar="COLUMN", help="the column of the text that is wanted")
    sub.add_argument("--text", metavar="COLUMN", help="a column of texts to be continued, in place of a prompt")
    sub.add_argument("--language", choices=("en", "zh"), default="en", help="the task's language")
    sub.add_argument("--mode", choices=("chat", "complete"), default="chat")
    sub.add_argument("--sheet", metavar="NAME", default="", help="of an XLSX with several sheets")
    sub.add_argument("--delimiter", metavar="SIGN", default="", help="of a CSV: comma, semicolon, tab, or the sign")
    sub.add_argument("--encoding", metavar="NAME", default="", help="of a file that is not UTF-8 or UTF-16")
    sub.add_argument(
        "--accelerate", nargs="?", const="", metavar="FILE",
        help="train on all devices that `accelerate config` chose, or of this file of it",
    )  # fmt: skip
    sub.add_argument("--estimate", action="store_true", help="only say what memory and time it takes")
    sub.add_argument("--detach", action="store_true", help="do not wait for its end")
    add_flags(sub, Settings, "train start", refuse=True)
    for group, members in train_settings_by_group().items():
        section = sub.add_argument_group(TRAIN_GROUPS[group].en)
        for one in members:
            about = f"{one.help.en} {one.range_text.en[0].upper()}{one.range_text.en[1:]}; default {one.default!r}."
            options: dict[str, Any] = {"metavar": "|".join(one.choices) or one.kind.upper()}
            if one.kind == "bool":
                options = {"nargs": "?", "const": "true", "metavar": "true|false"}
            section.add_argument(one.flag, dest=f"train_{one.name}", help=about.replace("%", "%%"), **options)
    sub.set_defaults(command=_start)


def _trainings(given: argparse.Namespace) -> Trainings:
    return Trainings(data_folder(read(Settings(), given).data_folder) / FOLDER)


def _start(given: argparse.Namespace) -> int:
    settings = read(Settings(), given)
    source = Path(given.source)
    choice = ModelChoice(
        settings.model or embedded.ID,
        max_memory=tuple((settings.max_memory or {}).items()),
        trust_remote_code=settings.trust_remote_code,
    )
    flags = {name.removeprefix("train_"): value for name, value in vars(given).items() if name.startswith("train_")}
    chosen = {name: value for name, value in flags.items() if value is not None}
    plan = TrainPlan.of_record(
        {
            "name": given.name or source.stem or "?",
            "base": choice.as_record(),
            "mapping": _mapping(given),
            "settings": validate_settings({**find_preset(given.preset).values, **chosen}),
            "reading": {name: getattr(given, name) for name in ("sheet", "delimiter", "encoding")},
            "accelerate": None if given.accelerate is None else _config(given.accelerate),
        }
    )
    trainings = _trainings(given)
    validation = None if given.validation is None else (Path(given.validation).name, _file(given.validation))
    id = trainings.create(plan, (source.name, _file(given.source)), validation)
    if given.estimate:
        return _estimate(trainings, id)
    trainings.start(id)
    print(id)
    return _follow(trainings, id, detach=given.detach)


def _config(given: str) -> str:
    return str(_file(given).absolute()) if given else ""


def _file(name: str) -> Path:
    if not Path(name).is_file():
        raise InvalidRequest(Text(f"There is no file {name!r}.", f"没有文件 {name!r}。"), parameter="file")
    return Path(name)


def _mapping(given: argparse.Namespace) -> dict[str, Any]:
    """What the flags say of the columns; {} leaves it to the file. Raises InvalidRequest where they do not go
    together; what a column must be is checked with the file."""
    kinds = [name for name in ("task", "prompt", "text") if getattr(given, name) is not None]
    if len(kinds) > 1:
        raise InvalidRequest(
            Text("Give one of --task, --prompt and --text.", "--task、--prompt、--text 只能给一个。"),
            parameter=kinds[1],
        )
    columns, fixed = pairs("map", given.map), pairs("set", given.set)
    if given.text is not None:
        return {"kind": "text", "column": given.text}
    if given.task is not None:
        return {
            "kind": "task", "task": given.task, "language": given.language, "mode": given.mode, "columns": columns,
            "fixed": fixed, "answer": given.answer or "",
        }  # fmt: skip
    if given.prompt is not None:
        return {
            "kind": "free", "prompt": given.prompt, "system": given.system, "mode": given.mode, "columns": columns,
            "answer": given.answer or "",
        }  # fmt: skip
    if given.answer or columns or fixed:
        raise InvalidRequest(
            Text(
                "--answer, --map and --set go with --task or --prompt.",
                "--answer、--map、--set 要与 --task 或 --prompt 一起用。",
            ),
            parameter="mapping",
        )
    return {}


def _estimate(trainings: Trainings, id: str) -> int:
    trainings.measure(id)
    state, found = trainings.wait(id), trainings.estimate(id)
    trainings.delete(id)
    if state.trouble is not None or found is None:
        raise PlaygroundError(state.trouble or Text("Nothing was measured.", "没有测得结果。"))
    print(
        f"{bytes_text(found['memory'])} of {bytes_text(found['free'])} free memory, "
        f"{duration(found['seconds'])} for {found['steps']:,} steps and {found['tokens']:,} tokens"
    )
    if found["notice"]:
        print(found["notice"]["en"])
    return 0 if found["fits"] else 1


def _show(given: argparse.Namespace) -> int:
    trainings = _trainings(given)
    print(line(trainings.view(given.id)))
    return _follow(trainings, given.id, detach=given.detach)


def _pause(given: argparse.Namespace) -> int:
    return _asked(given, "pause")


def _stop(given: argparse.Namespace) -> int:
    return _asked(given, "stop")


def _asked(given: argparse.Namespace, wish: str) -> int:
    trainings = _trainings(given)
    (trainings.pause if wish == "pause" else trainings.stop)(given.id)
    print(line_of_state(trainings.wait(given.id)))
    return 0


def _resume(given: argparse.Namespace) -> int:
    trainings = _trainings(given)
    trainings.resume(given.id)
    return _follow(trainings, given.id, detach=given.detach)


def _delete(given: argparse.Namespace) -> int:
    _trainings(given).delete(given.id)
    return 0


def _list(given: argparse.Namespace) -> int:
    found = _trainings(given).views()
    if given.json:
        print_json([asdict(one) for one in found])
        return 0
    for one in found:
        print(line(one))
    return 0


def _follow(trainings: Trainings, id: str, *, detach: bool) -> int:
    """Tells how far it is until it ends; 1 with the reason where it fails. Ctrl+C leaves it running."""
    told, shown = "", len(trainings.metrics(id))
    try:
        while not detach and (state := trainings.state(id)).phase in ALIVE:
            if (said := line_of_state(state)) != told and sys.stderr.isatty():
                print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)
                told = said
            for record in trainings.metrics(id, shown):
                shown += 1
                _tell(record)
            time.sleep(_LOOK)
    except KeyboardInterrupt:
        print(f"\n{_DETACHED.format(id=id)}", file=sys.stderr)
        return 0
    for record in trainings.metrics(id, shown):
        _tell(record)
    state = trainings.state(id)
    print(line_of_state(state))
    if state.trouble is not None:
        raise PlaygroundError(state.trouble)
    if (place := trainings.learned(id)) is not None:
        print(place)
    return 0


def _tell(record: Mapping[str, Any]) -> None:
    """A line for each evaluation."""
    if "validation_loss" in record:
        loss, right = record["validation_loss"], record["token_accuracy"]
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        of = f"step {record['step']:,}" if record["step"] else "base"
        print(f"{start}{of}: validation loss {loss:.4f}, token accuracy {right:.1%}", flush=True)


def line(view: TrainingView) -> str:
    """One training in a list."""
    changed = ", ".join(f"{name} {value}" for name, value in view.changed.items())
    settings = f" ({changed})" if changed else ""
    return f"{view.id}  {view.name}: {line_of_state(view.state)}; {view.base}{settings}"


def line_of_state(state: TrainState) -> str:
    """How far a training is, in one line."""
    said: list[str] = [state.phase]
    if state.phase == "waiting" and state.ahead:
        said.append(f"{state.ahead} before it")
    if state.doing is not None:
        said.append(state.doing.en)
    if state.steps:
        said.append(f"step {state.step:,} of {state.steps:,}")
    if state.best_loss is not None:
        base = "" if state.base_loss is None else f" (base {state.base_loss:.4f})"
        said.append(f"lowest validation loss {state.best_loss:.4f} at step {state.best_step:,}{base}")
    if state.seconds_left:
        said.append(f"{duration(state.seconds_left)} left")
    return ", ".join(said)


def duration(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
