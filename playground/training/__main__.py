"""`python -m playground.training FOLDER`: the process of one training; `--estimate` only measures what it will take.

torch is imported once it is this training's turn, so that one that waits takes no memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from playground.leave import leave
from playground.training.training_folder import ALIVE, TrainingFolder
from playground.training.training_queue import turn
from playground.types import Text

_NICE = 5  # what the page and others do comes first
_OWN_S = 10.0  # seconds to wait for whoever only looks whether this training lives
_LAUNCH = Text(
    "`accelerate launch` ended without training; the log shows what it said.",
    "accelerate launch 未能开始训练；日志中有其输出。",
)


def main(argv: Sequence[str]) -> int:
    """Runs the training of a folder to its end, to a pause, or to what went wrong, all of which its state says."""
    folder = TrainingFolder(Path(argv[0]).resolve())
    if "--worker" in argv:  # one of several that `accelerate launch` has started
        _train(folder)
        return 0
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    signal.signal(signal.SIGTERM, lambda *_: folder.ask("pause"))
    try:
        with FileLock(folder.lock, timeout=_OWN_S):
            state = folder.written_state()
            folder.write_state(replace(state, begun=True, starts=state.starts + 1))
            if "--estimate" in argv:
                _measure(folder)
            else:
                _in_turn(folder)
    except Timeout:
        print("Another process works at this training.", file=sys.stderr)
        return 1
    return 0


def _in_turn(folder: TrainingFolder) -> None:
    with turn(folder) as mine:
        if not mine:
            phase: Any = "paused" if folder.wish() == "pause" else "stopped"
            folder.write_state(replace(folder.written_state(), phase=phase, ahead=0))
            return
        config = folder.plan().accelerate
        if config is None:
            _train(folder)
        else:
            _launch(folder, config)


def _launch(folder: TrainingFolder, config: str) -> None:
    """The training on all devices of an accelerate configuration."""
    chosen = ["--config_file", config] if config else []
    program = ["-m", "accelerate.commands.launch", *chosen, "--module", "playground.training"]
    subprocess.run([sys.executable, *program, str(folder.path), "--worker"], check=False)
    state = folder.written_state()
    if state.phase in ALIVE:
        folder.write_state(replace(state, phase="failed", trouble=_LAUNCH, doing=None, seconds_left=None))


def _train(folder: TrainingFolder) -> None:
    from playground.training.process import train  # lazy: imports torch

    train(folder)


def _measure(folder: TrainingFolder) -> None:
    from playground.training.estimate import measure  # lazy: imports torch

    measure(folder)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
