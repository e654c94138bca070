"""`train export`: what a training has learned as a folder for peft, for transformers or for llama.cpp.

Knows no torch: it is imported only once there is something to write.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from playground.settings import Settings, add_flags
from playground.settings.kinds import NotAllowed, ShareKind
from playground.training.model_card import FORMS, NUMBERS
from playground.training.training_folder import find_folder
from playground.training.trainings import Trainings
from playground.types import ProgressReport


def add_export(
    commands: Any, trainings: Callable[[argparse.Namespace], Trainings], report: ProgressReport
) -> None:
    """Adds the command; `trainings` finds those of the data folder."""
    about = "write what a training has learned into a new folder, for peft, transformers or llama.cpp"
    sub = commands.add_parser("export", help=about, description=about, allow_abbrev=False)
    sub.add_argument("id", metavar="ID", help="as `train list` names it")
    sub.add_argument("target", metavar="FOLDER", help="a folder that is not there yet")
    sub.add_argument(
        "--form",
        choices=FORMS,
        default="adapter",
        help="adapter: peft's own format; merged: safetensors with the base; gguf: one file for llama.cpp",
    )
    sub.add_argument(
        "--numbers", choices=NUMBERS, default="bf16", help="number format of merged weights; q8_0 for gguf only"
    )
    sub.add_argument(
        "--merged-share", type=_share, default=1.0, metavar="0..1", help="share of the adapter to merge (default: all)"
    )
    add_flags(sub, Settings, "train", refuse=True)
    sub.set_defaults(command=partial(_export, trainings=trainings, report=report))


def _export(
    given: argparse.Namespace, trainings: Callable[[argparse.Namespace], Trainings], report: ProgressReport
) -> int:
    from playground.training.learned_export import export_learned  # lazy: imports torch

    folder = find_folder(trainings(given).root, given.id)
    target = Path(given.target).expanduser()
    export_learned(folder, given.form, target, share=given.merged_share, numbers=given.numbers, report=report)
    print(target)
    return 0


def _share(text: str) -> float:
    try:
        return ShareKind().read(text)
    except NotAllowed as error:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {error.allowed.en}") from None
