"""From a wish to a growing Run: waits for the model and for a place in the line, then streams at a readable pace.

The page and the API both come through here. Knows no element.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playground import generate
from playground.types import ModelCard, Request, Run, Text
from playground.ui.host import Host
from playground.ui.line import Line
from playground.ui.words import IN_LINE, WAITS

PACE = 1 / 15  # seconds between updates: quick to the eye, and sixteen rows still leave the model its processor
_LOOK = 0.3  # seconds between looks at a model that loads or a line that moves


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing runs yet, because of this."""

    reason: Text


def answer(
    ask: Callable[[ModelCard], Request], host: Host, line: Line, cancelled: threading.Event
) -> Iterator[Waiting | Run]:
    """Yields Waiting until it is this request's turn, then its Run, growing, and once more when it has ended.

    `ask` makes the request once the model is known. Raises PlaygroundError before anything runs. Ends without a Run
    where it was cancelled while waiting.
    """
    while not host.wait(_LOOK):
        if cancelled.is_set():
            return
        stage = host.stage()
        yield Waiting(Text(WAITS.en.replace("{stage}", stage.en), WAITS.zh.replace("{stage}", stage.zh)))
    generator = host.generator
    request = ask(generator.card)
    ticket = line.join()
    try:
        while ahead := line.ahead(ticket, _LOOK):
            if cancelled.is_set():
                return
            yield Waiting(IN_LINE.filled(ahead=ahead))
        yield from paced(generate.run(request, generator, host.settings.limits, cancelled))
    finally:
        line.leave(ticket)


def paced(runs: Iterator[Run]) -> Iterator[Run]:
    """The same growing Run, at most every PACE seconds, and always its last state."""
    shown = 0.0
    run = None
    behind = False
    for run in runs:
        now = time.monotonic()
        behind = now - shown < PACE
        if not behind:
            shown = now
            yield run
    if run is not None and behind:
        yield run
