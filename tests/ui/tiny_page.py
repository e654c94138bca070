"""The real page over a tiny random model on both its paths: `python -m tests.ui.tiny_page --port 7900`.

`--pause` is the least time of a step in seconds, so that runs stay open for as long as a test looks at them;
`--patience` is how long the server waits for somebody to read, and keeps what it has for a session without a page.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from playground.generators.local import LocalGenerator
from playground.leave import leave
from playground.settings import Settings
from playground.types import Generator, ProgressReport
from playground.ui import event_queue, sessions
from playground.ui.serve import main
from tests.tiny import tiny_model


def run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--patience", type=float)
    wanted, rest = parser.parse_known_args(argv)
    if wanted.patience is not None:
        event_queue.UNREAD = event_queue.KEPT = sessions.GRACE = wanted.patience

    def opened(settings: Settings, _: ProgressReport) -> Generator:
        generator = LocalGenerator(tiny_model(), rows=settings.rows, kv_memory=settings.kv_memory)
        net = generator._engine.running._decode_net
        net.compiler = None  # this machine's processors belong to the test
        step = net.step

        def slowly(*given: Any) -> Any:
            time.sleep(wanted.pause)
            return step(*given)

        net.step = slowly  # type: ignore[method-assign, assignment]
        return generator

    return main(rest, opened)


if __name__ == "__main__":
    leave(run(sys.argv[1:]))
