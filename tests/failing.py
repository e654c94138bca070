"""A generator of which one row fails in the middle of its text, as the local model's may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playground import parameters
from playground.generators.scripted import ScriptedGenerator
from playground.types import Request, Step, Text

REASON = Text("The machine ran out of memory; what was written is kept.", "机器内存不足；已写出的内容仍保留。")


class Failing(ScriptedGenerator):
    """The row with seed `fails_at` ends after two tokens."""

    def __init__(self, texts: list[str], fails_at: int) -> None:
        super().__init__(texts, parameters=frozenset(parameters.by_name()))
        self._fails_at = fails_at

    def stream(self, request: Request) -> Iterator[Step]:
        return broken(super().stream(request), self._fails_at - request.values["seed"])


def broken(steps: Iterator[Step], row: int) -> Iterator[Step]:
    """These Steps, but for those of this row from its third token on."""
    for step in steps:
        if step.row != row or step.position < 2:
            yield step
        elif step.position == 2:
            yield replace(step, token_id=None, text="", finish="error", reason=REASON)
