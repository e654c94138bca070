"""`measure --read`: shows the texts of a measurement to a person and keeps what is decided of each. Loads no model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from playground.evaluation import reports, review
from playground.evaluation.review import TextsToRead
from playground.tasks import loader
from playground.tasks.task import Task
from playground.types import InvalidRequest, Language, Text

_ANSWERS = "ynq"  # keep it, do not, end; an empty line leaves a text for later
_YES, _LATER, _QUIT = "y", "", "q"


def review_texts(tasks: Sequence[Task], spoken: Sequence[Language], given: argparse.Namespace) -> int:
    """Asks of each text that nobody has read, or takes the numbers of `--kept`; keeps the answers text by text.

    Raises InvalidRequest where `--kept` does not say of which texts.
    """
    waiting = [
        (task, found)
        for task in tasks
        for found in review.load(task.id, given.folder)
        if found.language in spoken and given.model in (None, found.model)
    ]
    if given.kept is not None:
        _take_numbers(waiting, given)
    elif not _ask(waiting, given):
        return 0
    for model in sorted({found.model for _, found in waiting}):
        print(reviewed(model, spoken, given.folder))
    return 0


def reviewed(model: str, spoken: Sequence[Language], folder: Path | None) -> str:
    """A line for each language: how many texts of a model were read over all tasks, and how many kept."""
    found = [report for task in loader.load_all() for report in reports.load(task.id, folder)]
    lines = []
    for language in spoken:
        counted = review.total(found, model, language)
        said = "no text was read yet" if counted is None else f"read and kept: {counted.kept} of {counted.read}"
        lines.append(f"{model} {language}  {said}")
    return "\n".join(lines)


def _take_numbers(waiting: Sequence[tuple[Task, TextsToRead]], given: argparse.Namespace) -> None:
    if len(waiting) != 1:
        raise InvalidRequest(
            Text(
                f"--kept is about one report; {len(waiting)} were chosen.",
                f"--kept 只针对一份报告，现选中 {len(waiting)} 份。",
            ),
            Text("Name one --task, one --language and the --model.", "请指明一个 --task、一个 --language 和 --model。"),
            parameter="kept",
        )
    task, found = waiting[0]
    chosen = _numbers(given.kept, len(found.texts))
    review.decide(task.id, found, [at in chosen for at in range(1, len(found.texts) + 1)], given.rule, given.folder)


def _numbers(given: str, most: int) -> set[int]:
    words = [] if given.strip() == "none" else [word.strip() for word in given.split(",")]
    if not all(word.isdecimal() and 1 <= int(word) <= most for word in words):
        raise InvalidRequest(
            Text(f"--kept is {given[:60]!r}.", f"--kept 为 {given[:60]!r}。"),
            Text(
                f"Write numbers from 1 to {most} as 1,3, or none.",
                f"请写 1 到 {most} 的编号，如 1,3；都不保留则写 none。",
            ),
            parameter="kept",
        )
    return {int(word) for word in words}


def _ask(waiting: Sequence[tuple[Task, TextsToRead]], given: argparse.Namespace) -> bool:
    """Whether there was anything to read."""
    unread = [(task, found) for task, found in waiting if any(one.kept is None for one in found.texts)]
    if not unread:
        print("Nothing is left to read.")
        return False
    print(f"{given.rule}\ny keeps a text, n does not, return leaves it for later, q ends.")
    for task, found in unread:
        decided = [one.kept for one in found.texts]
        for at, one in enumerate(found.texts):
            if one.kept is not None:
                continue
            print(f"\n=== {task.id} {found.language}, {found.model}, {at + 1} of {len(found.texts)}")
            print("\n".join(f"{name}: {value}" for name, value in one.fields.items() if value))
            print(f"---\n{one.text.strip()}")
            answer = _answer()
            if answer == _QUIT:
                return True
            if answer != _LATER:
                decided[at] = answer == _YES
                review.decide(task.id, found, decided, given.rule, given.folder)
    return True


def _answer() -> str:
    """One of the four answers; the end of the input ends."""
    while True:
        print("Keep? [y/n/return/q] ", end="", flush=True)
        line = sys.stdin.readline()
        answer = line.strip().casefold()[:1] if line else _QUIT
        if answer == _LATER or answer in _ANSWERS:
            return answer
