"""The next token of several rows at once. Rows may differ in everything but the size of the vocabulary.

Where there is a second core, another thread draws the noise, and goes the long way for rows that need it. Scores on
another device than the CPU are not fetched for it: there the rows go through their chains as one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from torch import Tensor

from playground.decoding.batched import choose
from playground.decoding.describe import Seen, survey
from playground.decoding.row import Row
from playground.types import Step

log = logging.getLogger(__name__)
_CORES = os.cpu_count() or 1
_BESIDE = ThreadPoolExecutor(max(1, min(4, _CORES - 1)), thread_name_prefix="noise") if _CORES > 1 else None
"""Has no thread before it is needed."""


def prepare(rows: Sequence[Row], size: int) -> None:
    """Begin to draw the noise of the next `advance` over a vocabulary of this size.

    To be called as soon as it is known who takes part, where there is something else to do until then. One row alone
    draws faster by itself than another thread wakes up.
    """
    if _BESIDE is not None and len(rows) > 1:
        for row in rows:
            row.prepare(size, _BESIDE)


def advance(rows: Sequence[Row], raw: Tensor, unconditional: Tensor | None = None) -> list[Step]:
    """One Step a row, from scores [rows, vocab]; exactly what each row's own `advance` gives.

    A row that fails ends with its Step; what is done for all rows at once and fails, each row does by itself.
    """
    if raw.device.type != "cpu":
        return [row.settle(choice) for row, choice in zip(rows, choose(rows, raw, unconditional), strict=True)]
    prepare(rows, raw.shape[-1])
    beside = _BESIDE if len(rows) > 1 else None
    choices = []
    for place, (row, seen) in enumerate(zip(rows, _surveyed(raw), strict=True)):
        one = slice(place, place + 1)
        choices.append(row.choose(raw[one], None if unconditional is None else unconditional[one], beside, seen))
    return [row.settle(choice) for row, choice in zip(rows, choices, strict=True)]


def _surveyed(raw: Tensor) -> list[Seen | None]:
    try:
        return survey(raw)
    except Exception as error:  # noqa: BLE001 - it only saves time
        log.warning("Scores are surveyed row by row: %s", type(error).__name__)
        return [None] * len(raw)
