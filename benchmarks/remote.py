"""What the way through Playground costs an engine: `python -m benchmarks.remote URL`, with a llama.cpp server there.

64 rows, as a batch job sends them, against the same requests by a plain client of the server at the same concurrency,
in turns. Only the ratio carries to another machine.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from playground import parameters
from playground.generators.remote.adapter import RowRequest
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.opening import open_engine
from playground.types import Request

ROWS = 64
LENGTH = 16  # tokens a row
ROUNDS = 3


def requests() -> list[Request]:
    """Rows with prompts of their own, none of which ends early."""
    values = {"max_new_tokens": LENGTH, "ignore_eos": True}
    return [
        Request(f"{row}. A slogan for a tea house:", parameters.validate({**values, "seed": row}), watched=False)
        for row in range(ROWS)
    ]


def through(engine: RemoteGenerator) -> int:
    """The tokens of all rows, sent at once; the engine's line bounds how many run."""
    sources = [engine.open(one, threading.Event()) for one in requests()]
    count = 0
    while not all(source.over for source in sources):
        count += sum(step.token_id is not None for source in sources for _, step in source.poll())
        time.sleep(0.02)
    return count


def directly(engine: RemoteGenerator) -> int:
    """The same by as many threads as the engine has slots, each with one request at a time."""
    bodies = []
    for one in requests():
        path, body = engine.adapter.call(RowRequest(one, engine.render(one), one.values["seed"], LENGTH))
        bodies.append((engine.client.address.base + path, json.dumps({**body, "n_probs": 0}).encode()))

    def ask(given: tuple[str, bytes]) -> int:
        url, body = given
        count = 0
        asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=600) as answer:
            for line in answer:
                if line.startswith(b"data:"):
                    count = max(count, int(json.loads(line[5:]).get("tokens_predicted", 0)))
        return count

    with ThreadPoolExecutor(engine.facts.slots or 1) as pool:
        return sum(pool.map(ask, bodies))


def rate(way: Callable[[RemoteGenerator], int], engine: RemoteGenerator) -> float:
    """Tokens a second."""
    begun = time.perf_counter()
    count = way(engine)
    assert count >= ROWS * LENGTH * 0.99, f"{count} tokens came"
    return count / (time.perf_counter() - begun)


def main() -> None:
    """Prints a line for each round, and the middle of the ratios."""
    engine = open_engine(sys.argv[1])
    _ = engine.adapter.tokenizer
    ratios = []
    for turn in range(ROUNDS):
        ways = [through, directly] if turn % 2 == 0 else [directly, through]
        found = {way: rate(way, engine) for way in ways}
        ratios.append(found[through] / found[directly])
        print(f"{found[through]:.1f} tokens/s through Playground, {found[directly]:.1f} directly: {ratios[-1]:.3f}")
    print(f"{engine.facts.slots} at once, {ROWS} rows: {statistics.median(ratios):.3f}")
    engine.close()


if __name__ == "__main__":
    main()
