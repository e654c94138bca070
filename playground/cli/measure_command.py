"""`measure`: each task's examples written many times over, and a report of what came out beside the preset.

`--read` shows the texts that were kept for it to a person, who decides which are any good. Knows no model; it is handed
a way to load one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from playground import generate, parameters
from playground.cli.review_command import review_texts, reviewed
from playground.evaluation import inputs, reports, review
from playground.evaluation.metrics import GeneratedTexts, TaskMetrics, task_metrics
from playground.evaluation.reports import TaskReport
from playground.settings import ModelSettings, add_flags
from playground.tasks import loader
from playground.tasks.task import Task
from playground.types import LANGUAGES, Generator, Language, Mode, PlaygroundError, Request
from playground.types import Path as DecodingPath

FIRST_SEED = 1000  # other random draws than those of the worked examples

Load = Callable[[argparse.Namespace], Generator]


def add_measure(commands: Any, load: Load) -> None:
    """Adds the command `measure`; `load` gives it a generator."""
    about = "write each task's examples many times over and report what came out"
    sub = commands.add_parser("measure", help=about, description=about, allow_abbrev=False)
    sub.add_argument("--task", action="append", metavar="ID", help="a task preset, several times; default: all")
    sub.add_argument("--language", choices=LANGUAGES, help="default: both")
    sub.add_argument("--seeds", type=int, default=12, metavar="N", help="texts for each example's fields (12)")
    sub.add_argument("--path", choices=("exact", "fast"), default="fast")
    sub.add_argument("--folder", type=Path, help="where reports are kept (default: presets/measured)")
    sub.add_argument("--show", action="store_true", help="print every text too")
    sub.add_argument("--resume", action="store_true", help="leave out what has a report of this model already")
    sub.add_argument(
        "--read",
        action="store_true",
        help="measure nothing: show the texts that nobody has read, of this --model or of all, and ask which to keep",
    )
    sub.add_argument(
        "--kept",
        metavar="NUMBERS",
        help="with --read, one --task and one --language: the texts to keep, as 1,3 or none",
    )
    sub.add_argument("--rule", default=review.RULE, help="what the reader keeps a text by")
    add_flags(sub, ModelSettings, "measure", refuse=True)
    sub.set_defaults(command=partial(measure, load))


def measure(load: Load, given: argparse.Namespace) -> int:
    """Runs the command; what is wrong with it is found before a model is loaded."""
    parameters.by_name()["n"].accept(given.seeds)
    chosen = [loader.find(id) for id in given.task] if given.task else loader.load_all()
    spoken: tuple[Language, ...] = (given.language,) if given.language else LANGUAGES
    if given.read or given.kept is not None:
        return review_texts(chosen, spoken, given)
    generator = load(given)
    for task in chosen:
        for language in spoken:
            if given.resume and _is_measured(task, language, generator, given):
                continue
            report, written = measured(task, language, generator, given.seeds, given.path)
            if given.show:
                _print_texts(written)
            reports.save(task.id, report, given.folder)
            review.save(task.id, review.chosen(report, written), given.folder)
            print(f"{task.id:20} {language}  {summary(report.metrics)}  {report.seconds:.0f} s", flush=True)
    print(reviewed(generator.card.id, spoken, given.folder))
    return 0


def _is_measured(task: Task, language: Language, generator: Generator, given: argparse.Namespace) -> bool:
    place = (generator.card.id, language, given.path)
    return any(report.place == place for report in reports.load(task.id, given.folder))


def measured(
    task: Task, language: Language, generator: Generator, seeds: int, path: DecodingPath
) -> tuple[TaskReport, list[GeneratedTexts]]:
    """The report of one task in one language, and the texts that it counts."""
    mode: Mode = "chat" if generator.card.has_chat_template else "complete"
    started = time.perf_counter()
    requests = [(fields, _request(task, fields, language, mode, seeds, path)) for fields in _fields(task, language)]
    with ThreadPoolExecutor(len(requests)) as pool:  # on the fast path they share each step
        texts = list(pool.map(partial(_texts, generator), [request for _, request in requests]))
    written = [GeneratedTexts(fields, found) for (fields, _), found in zip(requests, texts, strict=True)]
    card = generator.card
    report = TaskReport(
        model=card.id,
        title=card.title,
        language=language,
        mode=mode,
        path=path,
        weights=generator.fast.weights if path == "fast" else card.dtype,
        seconds=round(time.perf_counter() - started, 1),
        metrics=task_metrics(task, language, written),
    )
    return report, written


def _fields(task: Task, language: Language) -> list[dict[str, str]]:
    """The defaults, the fields of the worked examples and those that are only measured, each once."""
    found = [task.defaults(language), *(dict(one.fields) for one in task.examples if one.language == language)]
    found += inputs.load(task, language)
    return [fields for at, fields in enumerate(found) if fields not in found[:at]]


def _request(
    task: Task, fields: dict[str, str], language: Language, mode: Mode, seeds: int, path: DecodingPath
) -> Request:
    values = task.parameters_for(language, mode)
    drawn = parameters.validate(values)["temperature"] > 0  # without random draws all texts are the same
    count = {"n": seeds if drawn else 1, "seed": FIRST_SEED}
    return generate.checked(replace(task.request(fields, language, mode, count), path=path))


def _texts(generator: Generator, request: Request) -> tuple[str, ...]:
    *_, run = generate.run(request, generator)
    for candidate in run.candidates:
        if candidate.reason is not None:
            raise PlaygroundError(candidate.reason)
    return tuple(run.answers)


def summary(found: TaskMetrics) -> str:
    """One line of shares for a terminal."""
    shares = {
        "form": (found.form, found.texts),
        "named": (found.named, found.texts),
        "copied": (found.copied, found.lines),
        "loops": (found.loops, found.texts),
        "language": (found.language, found.texts),
        "empty": (found.empty, found.texts),
        "identical": (found.identical, found.pairs),
    }
    said = [f"{name} {part / whole:.0%}" if whole else f"{name} -" for name, (part, whole) in shares.items()]
    return f"{found.texts} texts: {', '.join(said)}, distinct-2 {found.distinct_2:.2f}, length {found.length:.0f}"


def _print_texts(written: list[GeneratedTexts]) -> None:
    for run in written:
        print("\n=== " + "; ".join(f"{name}: {value[:80]}" for name, value in run.fields.items()))
        for number, text in enumerate(run.texts, start=1):
            print(f"--- {number}\n{text.strip()}")
    sys.stdout.flush()
