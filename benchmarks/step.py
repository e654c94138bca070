"""What sampling, noise and bookkeeping take of a step of 16 rows: `python -m benchmarks.step`.

Timed inside the running loop: from the begin of one step of the net to the begin of the next, and the net's own part
of it. Noise is drawn beside the net on another core, which slows the net; so the net alone is timed as well.
"""

from __future__ import annotations

import time
from typing import Any

import torch

from benchmarks import asked
from benchmarks.figure import Figure, Findings
from benchmarks.readers import read, warm
from benchmarks.scale import FULL, Scale
from benchmarks.speed import SESSIONS, fast
from playground import models
from playground.fast.kv_slots import SHORTEST, KVSlots
from playground.fast.net import Net
from playground.generators.local import LocalGenerator

SETTING: dict[str, Any] = {"temperature": 0.9, "top_p": 0.95}


def sampling(loaded: models.Loaded, scale: Scale = FULL) -> Findings:
    findings, generator = Findings(), fast(loaded)
    times: dict[str, list[float]] = {"the whole loop": [], "the net inside it": [], "the net alone": []}
    net = generator._engine.running._decode_net
    warm(lambda: _loop(generator, net, scale, asked.WARM))
    warm(lambda: _bare(net, scale))
    for number in range(scale.rounds):
        seconds = (*_loop(generator, net, scale, number), _bare(net, scale))
        for found, one in zip(times.values(), seconds, strict=True):
            found.append(one * 1000)
    findings.table.append(f"a step of {SESSIONS} rows with top_p, ms")
    findings.table += [f"  {name:<20}{Figure.of(found)}" for name, found in times.items()]
    whole, inside, bare = times.values()
    findings.found("sampling_share", (1 - own / total for own, total in zip(inside, whole, strict=True)))
    findings.found("sampling_share_of_bare_step", (1 - own / total for own, total in zip(bare, whole, strict=True)))
    return findings


def _loop(generator: LocalGenerator, net: Net, scale: Scale, number: int) -> tuple[float, float]:
    """Mean seconds from step to step, and those inside the net, while all rows take part."""
    marks: list[tuple[int, float, float]] = []
    step = net.step

    def timed(slots: KVSlots, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        began = time.monotonic()
        scores = step(slots, tokens, positions)
        marks.append((len(tokens), began, time.monotonic()))
        return scores

    net.step = timed  # type: ignore[method-assign]  # in its place, to time it
    try:
        given = [asked.arguments(session, scale.looped, number, **SETTING) for session in range(SESSIONS)]
        read(generator, [asked.request(one) for one in given])
    finally:
        net.step = step  # type: ignore[method-assign]  # back again
    full = [at for at, (rows, _, _) in enumerate(marks[:-1]) if rows == marks[at + 1][0] == SESSIONS][1:]
    if not full:
        raise LookupError("the rows never stepped together")
    whole = sum(marks[at + 1][1] - marks[at][1] for at in full)
    inside = sum(marks[at][2] - marks[at][1] for at in full)
    return whole / len(full), inside / len(full)


@torch.inference_mode()
def _bare(net: Net, scale: Scale) -> float:
    """Mean seconds of a step of the same shape with nothing beside it."""
    slots = KVSlots(net.shape)
    slots.fit(SESSIONS, SHORTEST)
    tokens = torch.arange(100, 100 + SESSIONS, device=net.shape.device)
    began = time.monotonic()
    for at in range(scale.bare):
        net.step(slots, tokens, torch.full_like(tokens, at))
    return (time.monotonic() - began) / scale.bare


if __name__ == "__main__":
    print(sampling(models.load(weights="bf16")))
