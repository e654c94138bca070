"""The terminal's `batch` over a generator that replays texts: `python -m tests.scripted_batch batch --task … `.

Each row that is begun is told on standard error as `begins SEED`. `HANG_AT` in the environment is a seed whose row
never ends, so that a test can kill the process at just that row; `TEXTS` holds other texts, with | between them.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator

from playground import parameters
from playground.cli.batch_command import Load, add_batch
from playground.decoding.step_stream import StepStream
from playground.generators.scripted import ScriptedGenerator
from playground.types import Generator, PlaygroundError, Request, Step

TEXTS = ["one line of text", "another line", "the third"]


class Announcing(ScriptedGenerator):
    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        print(f"begins {request.values['seed']}", file=sys.stderr, flush=True)
        return super().open(request, cancelled)

    def stream(self, request: Request) -> Iterator[Step]:
        if str(request.values["seed"]) == os.environ.get("HANG_AT"):
            return self._never(request)
        return super().stream(request)

    def _never(self, request: Request) -> Iterator[Step]:
        yield from list(super().stream(request))[:1]
        threading.Event().wait()


class Slots(ScriptedGenerator):
    """An engine with so many slots. Its texts end once `wanted` are in play at a time; `most` says how many were."""

    def __init__(self, slots: int, wanted: int) -> None:
        super().__init__(TEXTS, parameters=frozenset(parameters.by_name()))
        self.slots, self.most = slots, 0
        self._wanted, self._playing = wanted, 0
        self._guard, self._together = threading.Lock(), threading.Event()

    def stream(self, request: Request) -> Iterator[Step]:
        with self._guard:
            self._playing += 1
            self.most = max(self.most, self._playing)
            if self._playing == self._wanted:
                self._together.set()
        assert self._together.wait(60), "too few texts are in play"
        try:
            yield from super().stream(request)
        finally:
            with self._guard:
                self._playing -= 1


def load_script(_: argparse.Namespace) -> Generator:
    texts = os.environ.get("TEXTS", "|".join(TEXTS)).split("|")
    return Announcing(texts, parameters=frozenset(parameters.by_name()))


def run(argv: list[str], load: Load = load_script) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_batch(parser.add_subparsers(required=True), load)
    given = parser.parse_args(argv)
    try:
        return int(given.command(given))
    except PlaygroundError as error:
        print(error.say("en"), file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
