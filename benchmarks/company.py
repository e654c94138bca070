"""How sessions fare beside each other on the fast path: `python -m benchmarks.company`.

A newcomer beside fifteen streams; four readers beside one job of sixteen rows. All inside one process, without a page.
"""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks import asked
from benchmarks.figure import Figure, Findings, share
from benchmarks.readers import Reader, dismiss, read, warm
from benchmarks.scale import FULL, Scale
from benchmarks.speed import fast
from benchmarks.text import words
from playground import models
from playground.generators.local import LocalGenerator
from playground.types import Request

OTHERS = 15
READERS = 4
JOB_ROWS = 16
_SETTLED = 12  # tokens that the others have written before the newcomer comes
_OWN = 4  # tokens that the newcomer writes
_LONG = 2000  # more than is ever written


def newcomer(loaded: models.Loaded, scale: Scale = FULL) -> Findings:
    """Its time to the first token, less what its own prompt takes alone, in steps of the batch that was running."""
    findings, steps, waits, alone = Findings(), [], [], []
    generator = fast(loaded)
    warm(lambda: _join(generator, scale, 0))
    for number in range(1, scale.rounds + 1):
        own = read(generator, [_newcomer(generator, scale, 2 * number)])[0]
        prefill = own.wait - statistics.median(own.gaps)
        wait, step = _join(generator, scale, 2 * number + 1)
        steps.append((wait - prefill) / step)
        waits.append(wait * 1000)
        alone.append(prefill * 1000)
    findings.table += [
        f"a newcomer with {scale.newcomer} tokens of prompt beside {OTHERS} streams, ms",
        f"  {'to its first token':<26}{Figure.of(waits)}",
        f"  {'its prefill, alone':<26}{Figure.of(alone)}",
    ]
    findings.found("newcomer_steps", steps)
    return findings


def fairness(loaded: models.Loaded, scale: Scale = FULL) -> Findings:
    """The p95 gap between tokens of four readers beside a large job, by what they see alone."""
    findings, ratios, alone, beside = Findings(), [], [], []
    generator = fast(loaded)
    warm(lambda: _beside(generator, scale, asked.WARM))
    warm(lambda: read(generator, _four(scale, asked.WARM)))
    for number in range(scale.rounds):
        quiet = [gap for reader in read(generator, _four(scale, number)) for gap in reader.gaps]
        busy = _beside(generator, scale, number)
        alone.append(share(quiet, 0.95) * 1000)
        beside.append(share(busy, 0.95) * 1000)
        ratios.append(beside[-1] / alone[-1])
    findings.table += [
        f"{READERS} readers, p95 of the gaps between tokens, ms",
        f"  {'alone':<26}{Figure.of(alone)}",
        f"  {f'beside {JOB_ROWS} rows':<26}{Figure.of(beside)}",
    ]
    findings.found("fairness_gap_ratio", ratios)
    return findings


def _join(generator: LocalGenerator, scale: Scale, number: int) -> tuple[float, float]:
    """Seconds to the newcomer's first token, and those of a step of the others before it came."""
    others = [Reader(generator, _long(session, number)) for session in range(OTHERS)]
    for reader in others:
        reader.start()
    for reader in others:
        reader.wait_for(_SETTLED)
    step = statistics.median(gap for reader in others for gap in reader.gaps[-_SETTLED // 2 :])
    late = Reader(generator, _newcomer(generator, scale, number))
    late.start()
    late.finish()
    dismiss(others)
    return late.wait, step


def _beside(generator: LocalGenerator, scale: Scale, number: int) -> list[float]:
    """The gaps of four readers who come while a large job runs."""
    job = Reader(generator, _long(READERS, number, n=JOB_ROWS, **asked.ONE))
    job.start()
    job.wait_for(JOB_ROWS * 4)
    gaps = [gap for reader in read(generator, _four(scale, number)) for gap in reader.gaps]
    dismiss([job])
    return gaps


def _four(scale: Scale, number: int) -> list[Request]:
    return [asked.request(asked.arguments(session, scale.stream, number)) for session in range(READERS)]


def _long(session: int, number: int, **values: Any) -> Request:
    return asked.request(asked.arguments(session, _LONG, number, **values))


def _newcomer(generator: LocalGenerator, scale: Scale, number: int) -> Request:
    """A prompt of so many tokens that nobody has sent before."""
    given = asked.arguments(0, _OWN, number, **asked.ONE)
    following = words()[50 * number :]
    for count in range(scale.newcomer // 4, len(following)):
        request = asked.request({**given, "prompt": f"{number}. {' '.join(following[:count])}"})
        if len(generator.render(request).token_ids) >= scale.newcomer:
            return request
    raise LookupError("the text is too short for this prompt")


if __name__ == "__main__":
    model = models.load(weights="bf16")
    print(newcomer(model))
    print(fairness(model))
