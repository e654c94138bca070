"""How quick the first answers after a start are: `python -m benchmarks.first_minute`.

A first start has an empty cache folder but for the converted model, a second start what the first has left there. Each
answers ten requests over HTTP, one after the other, as soon as the page is up. Shares are of what the same server gives
once everything is compiled; the eager speed, which is what a first start has, is measured by a server that compiles
nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from gradio_client import Client

from benchmarks import asked
from benchmarks.figure import Findings
from benchmarks.scale import FULL, Scale
from benchmarks.server import App, app
from playground.kernels import build
from playground.machine.cache_folder import CACHE_VARIABLE, cache_root
from playground.models import embedded
from playground.models.loading import quiet

ANSWERS = 10
JUDGED = 3  # most people judge by so many


def first_minute(scale: Scale = FULL) -> Findings:
    findings = Findings()
    first, second, eager, full = [], [], [], []
    for _ in range(scale.starts):
        with _cache("models", "kernels") as folder, _server(folder, PATH="") as opened:  # without a compiler
            eager.append(median(_speeds(opened, scale, JUDGED)))
        with _cache("models") as folder:
            with _server(folder) as opened:
                first.append(_speeds(opened, scale, ANSWERS))
                opened.rest()
            with _server(folder) as opened:
                second.append(_speeds(opened, scale, ANSWERS))
                full.append(median(_speeds(opened, scale, JUDGED)))
    findings.table.append(f"tokens/s of answers 1 to {ANSWERS}, of {scale.stream} tokens each, medians of the starts")
    for name, starts in (("first start", first), ("second start", second)):
        findings.table.append(f"  {name:<14}" + " ".join(f"{_middle(starts, at):6.1f}" for at in range(ANSWERS)))
    findings.table += [f"  {'eager':<14}{median(eager):6.1f}", f"  {'full speed':<14}{median(full):6.1f}"]
    pairs = list(zip(first, eager, strict=True))
    findings.found("first_start_share", (min(speeds[:JUDGED]) / base for speeds, base in pairs))
    findings.found(
        "second_start_share", (min(speeds[:JUDGED]) / base for speeds, base in zip(second, full, strict=True))
    )
    return findings


def _middle(starts: Sequence[Sequence[float]], at: int) -> float:
    return median(speeds[at] for speeds in starts)


def _speeds(opened: App, scale: Scale, count: int) -> list[float]:
    """Tokens/s after the first token of so many answers, one after the other; the first waits for the model."""
    client = Client(opened.url, verbose=False)
    found = []
    for number in range(count):
        given = asked.arguments(0, scale.stream, number, **asked.ONE)
        ended: dict[str, Any] = client.predict(api_name="/generate", path="fast", **given)
        found.append(float(ended["timing"]["tokens_per_second"]))
    return found


@contextmanager
def _cache(*parts: str) -> Iterator[Path]:
    """A cache folder with these parts of the user's own, and nothing else."""
    embedded.ensure(quiet)
    build.available()
    with tempfile.TemporaryDirectory() as name:
        for part in parts:
            if (cache_root() / part).exists():
                Path(name, part).symlink_to(cache_root() / part, target_is_directory=True)
        yield Path(name)


@contextmanager
def _server(folder: Path, **environment: str) -> Iterator[App]:
    with app(environment={CACHE_VARIABLE: str(folder), **environment}) as opened:
        yield opened
        time.sleep(0.5)  # what is being written to the disk is whole


if __name__ == "__main__":
    print(first_minute())
