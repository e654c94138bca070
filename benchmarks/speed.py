"""One stream and sixteen against `model.generate()` in bf16, and one against llama.cpp: `python -m benchmarks.speed`.

All take turns in every round, so that they meet the same machine. Rates of one stream leave the prompt out; those of
sixteen include it. Steps are compiled before the first round. `python -m benchmarks.speed FILE.gguf` times one stream
of another model, beside its own `model.generate()`.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import asked, llama_cpp
from benchmarks.figure import Figure, Findings
from benchmarks.peer import generate, generate_rate
from benchmarks.readers import read, total, warm
from benchmarks.scale import FULL, Scale
from playground import models
from playground.generators.local import LocalGenerator

SESSIONS = 16


def fast(loaded: models.Loaded, weights: str = "auto") -> LocalGenerator:
    """A generator over this model whose fast path packs as asked."""
    return LocalGenerator(replace(loaded, weights=weights))


def one_stream(loaded: models.Loaded, scale: Scale = FULL, file: Path | None = None) -> Findings:
    """`loaded` is in bf16. llama-bench takes its turn where it is at hand, on `file` or the embedded one in BF16."""
    findings, rates = Findings(), dict[str, list[float]]()
    bench = llama_cpp.binary()
    weights = None if bench is None else file or llama_cpp.bf16_file()
    generators = {name: fast(loaded, name) for name in ("auto", "bf16")}
    for generator in generators.values():
        warm(partial(_rate, generator, scale, asked.WARM))
    for number in range(scale.rounds):
        found = {name: _rate(generator, scale, number) for name, generator in generators.items()}
        found["generate()"] = generate_rate(loaded, asked.arguments(0, scale.stream, number, **asked.ONE))
        if bench is not None and weights is not None:
            found["llama.cpp"] = llama_cpp.rate(bench, weights, scale.stream)
        for name, rate in found.items():
            rates.setdefault(name, []).append(rate)
    findings.table.append(f"one stream, {scale.stream} tokens, tokens/s after the first")
    findings.table += [f"  {name:<12}{Figure.of(rounds)}" for name, rounds in rates.items()]
    _compare(findings, rates, "generate", "generate()")
    if bench is None:
        findings.missing(("one_stream_vs_llama_cpp", "bf16_vs_llama_cpp"), llama_cpp.ABSENT)
    else:
        _compare(findings, rates, "llama_cpp", "llama.cpp")
    return findings


def sixteen(loaded: models.Loaded, scale: Scale = FULL) -> Findings:
    """Sixteen sessions with their own settings and seeds, together and one after the other."""
    findings, ours, theirs = Findings(), [], []
    generator = fast(loaded)
    warm(lambda: _together(generator, scale, asked.WARM))
    for number in range(scale.rounds):
        ours.append(_together(generator, scale, number))
        began = time.monotonic()
        for session in range(SESSIONS):
            generate(loaded, asked.arguments(session, scale.company, number))
        theirs.append(SESSIONS * scale.company / (time.monotonic() - began))
    findings.table += [
        f"{SESSIONS} sessions, {scale.company} tokens each, tokens/s of all, prompts included",
        f"  {'together':<20}{Figure.of(ours)}",
        f"  {'generate() in turn':<20}{Figure.of(theirs)}",
    ]
    findings.found("sixteen_vs_generate", (own / other for own, other in zip(ours, theirs, strict=True)))
    return findings


def _rate(generator: LocalGenerator, scale: Scale, number: int) -> float:
    given = asked.arguments(0, scale.stream, number, **asked.ONE)
    return read(generator, [asked.request(given)])[0].rate


def _together(generator: LocalGenerator, scale: Scale, number: int) -> float:
    given = [asked.arguments(session, scale.company, number) for session in range(SESSIONS)]
    return total(read(generator, [asked.request(one) for one in given]))


def _compare(findings: Findings, rates: dict[str, list[float]], name: str, peer: str) -> None:
    for ours, key in (("auto", f"one_stream_vs_{name}"), ("bf16", f"bf16_vs_{name}")):
        findings.found(key, (own / other for own, other in zip(rates[ours], rates[peer], strict=True)))


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    model = models.load(str(given) if given else None, weights="bf16")
    print(one_stream(model, file=given))
    if given is None:
        print(sixteen(model))
