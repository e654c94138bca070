"""A writer in a process of its own, killed in the middle of its work again and again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

KILLS = 20


def killed(writer: str, folder: Path, key: str) -> Iterator[int]:
    """Runs this Python twenty times, with `folder` and `key` as its arguments, until it is killed.

    It prints each number once it has kept it, one after the other. Gives after each kill the last that was told.
    """
    luck, told = random.Random(7), 0
    for _ in range(KILLS):
        command = [sys.executable, "-c", writer, str(folder), key]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = int(process.stdout.readline())
            # One may have been kept and not told.
            assert told < first <= told + 2, "a number was used again, or one was left out"
            time.sleep(luck.random() * 0.05)
            process.kill()
            lines = process.stdout.read().splitlines(keepends=True)
            told = max([first, *(int(line) for line in lines if "\n" in line)])
        yield told
