"""What the way through Playground costs an engine: `python -m benchmarks.remote URL`, with a llama.cpp server there.

64 rows of a batch job against the same requests by a plain client of the server at the same concurrency, in turns. Only
the ratio carries to another machine.
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

from playground.batch import Batch, Plan
from playground.generators.remote.adapter import RowRequest
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.opening import open_engine
from playground.tasks import user_task

ROWS = 64
LENGTH = 16  # tokens a row
ROUNDS = 3


def plan() -> Plan:
    """A prompt of its own for each row, and no text that ends early."""
    own = user_task.write("Tea house", user_task.free("{{row}}. A slogan for a tea house:"), {}, {}, "en")
    values = {"max_new_tokens": LENGTH, "ignore_eos": True}
    return Plan("tea-house", own=own, mapping={"row": "row"}, values=values, seed=0, mode="complete")


def through(engine: RemoteGenerator) -> int:
    """The tokens of all rows as a batch job in the terminal writes them."""
    left = iter(enumerate(table(), 1))
    batch = Batch(plan(), engine)
    results = list(batch.results(lambda: next(left, None), lambda: engine.slots, threading.Event()))
    assert all(one.state == "done" for one in results), [one.reason for one in results if one.reason]
    return batch.tokens


def table() -> list[dict[str, str]]:
    return [{"row": str(number)} for number in range(ROWS)]


def directly(engine: RemoteGenerator) -> int:
    """The same by as many threads as the engine has slots, each with one request at a time."""
    bodies, wanted = [], plan()
    for number, row in enumerate(table(), 1):
        one = wanted.request(wanted.read_task(), number, row, engine)
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
