"""An honest visitor beside requests that keep the model busy: `python -m benchmarks.heavy`.

Beside each of them the seconds to the visitor's first token, on both paths, and from Stop to the request's end. All
inside one process, without a page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from benchmarks import asked
from benchmarks.figure import Figure, Findings
from benchmarks.readers import read, warm
from benchmarks.scale import FULL, Scale
from benchmarks.speed import fast
from benchmarks.text import words
from playground import models
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api
from playground.types import Path, Request, Stopped

PATHS: tuple[Path, ...] = ("fast", "exact")
_SETTLED_S = 4.0  # that a request is busy before the visitor comes, in each round so much longer
_OWN = 4  # tokens that the visitor writes
_AGAIN = 7919  # words between the beginnings of two prompts: a prime, so that none begins like another


class Heavy:
    """One request that runs in a thread until `stop`, which tells how long its end took."""

    def __init__(self, work: Callable[[Callable[[], bool]], object]) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[Callable[[], bool]], object]) -> None:
        with suppress(Stopped):
            work(self._over.is_set)

    def stop(self) -> float:
        began = time.perf_counter()
        self._over.set()
        self._thread.join()
        return time.perf_counter() - began


def kinds(generator: LocalGenerator, scale: Scale) -> dict[str, Callable[[int], Heavy]]:
    """What may keep a model busy, by name; each is begun with the number of its round."""

    def run(path: Path, tokens: int, **values: Any) -> Callable[[int], Heavy]:
        def begin(number: int) -> Heavy:
            given = {"prompt": prompt(generator, tokens, number), "seed": number, "ignore_eos": True, **values}
            request = asked.request({"max_new_tokens": scale.beams, **asked.ONE, **given}, path)
            return Heavy(lambda halted: _followed(generator, request, halted))

        return begin

    def look(number: int) -> Heavy:
        request = asked.request({"prompt": prompt(generator, scale.heavy, number), "seed": 1}, "exact")
        return Heavy(lambda halted: generator.look(request, halted))

    def reading(number: int) -> Heavy:
        text = prompt(generator, scale.heavy, number)
        return Heavy(lambda halted: list(inspect_api.read_on(generator, "", text, halted=halted)))

    long, short = scale.heavy, scale.newcomer
    return {
        f"beams, {long} tokens of prompt": run("exact", long, num_beams=4),
        f"beams, 4 of {scale.beams} tokens": run("exact", short, num_beams=4),
        f"exact path, {long} tokens": run("exact", long),
        f"exact path, {long} tokens, guided": run("exact", long, guidance_scale=1.5),
        f"fast path, {long} tokens": run("fast", long),
        f"fast path, 4 of {long} tokens, guided": run("fast", long, n=4, guidance_scale=1.5),
        f"a look at {long} tokens": look,
        f"reading {long} tokens": reading,
    }


def heavy(loaded: models.Loaded, scale: Scale = FULL) -> Findings:
    """The worst of all kinds in each round: to the visitor's first token, and from Stop to the end."""
    findings, generator = Findings(), fast(loaded)
    warm(lambda: read(generator, [_visitor(generator, scale, 0, "fast")]))
    waits: list[float] = [0.0] * scale.rounds
    stops: list[float] = [0.0] * scale.rounds
    findings.table.append(
        "seconds to an honest visitor's first token (fast path, exact path), and from Stop to the end"
    )
    for name, begin in kinds(generator, scale).items():
        found: dict[str, list[float]] = {"fast": [], "exact": [], "stop": []}
        for number in range(scale.rounds):
            request = begin(number)
            time.sleep(_SETTLED_S * (number + 0.5) if scale is FULL else 0.0)
            for path in PATHS:
                visitor = read(generator, [_visitor(generator, scale, number + 1, path)])[0]
                found[path].append(visitor.wait)
                waits[number] = max(waits[number], visitor.wait)
            found["stop"].append(request.stop())
            stops[number] = max(stops[number], found["stop"][-1])
        told = ", ".join(str(Figure.of(numbers)) for numbers in found.values())
        findings.table.append(f"  {name:<40}{told}")
    findings.found("beside_heavy_s", waits)
    findings.found("stop_heavy_s", stops)
    return findings


def prompt(generator: LocalGenerator, tokens: int, number: int) -> str:
    """A text of about so many tokens that no other number begins with."""
    some = words()
    start = number * _AGAIN % len(some)
    turned = [*some[start:], *some[:start]]
    each = len(generator.tokens(" ".join(turned[:200]), special=True)) / 200
    text = " ".join((turned * (1 + int(tokens / len(turned))))[: int(tokens / each)])
    return f"{number}. {text}"


def _visitor(generator: LocalGenerator, scale: Scale, number: int, path: Path) -> Request:
    given = {"prompt": prompt(generator, scale.newcomer, 100 + number), "seed": number, "max_new_tokens": _OWN}
    return asked.request({**asked.ONE, **given}, path)


def _followed(generator: LocalGenerator, request: Request, halted: Callable[[], bool]) -> None:
    cancelled = threading.Event()
    told = generator.open(request, cancelled)
    while not told.over:
        told.poll()
        if halted():
            cancelled.set()
        time.sleep(0.005)


if __name__ == "__main__":
    print(heavy(models.load(weights="bf16")))
