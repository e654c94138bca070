"""Every figure of goals.py on the embedded model, as a table, and as JSON in the last line: `make bench`.

`--quick` only shows that everything works; `--only newcomer_steps,sampling_share` leaves the rest out; `--record` keeps
the table in results.md. A figure that could not be measured is null, and a note says why.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import company, first_minute, heavy, memory, quality, served, server, speed, step, xray
from benchmarks.figure import Findings
from benchmarks.goals import GOALS
from benchmarks.machine import ROOT, machine, versions
from benchmarks.scale import FULL, QUICK, Scale
from playground import models

RESULTS = ROOT / "benchmarks" / "results.md"
Section = tuple[tuple[str, ...], Callable[[], Findings]]


def sections(loaded: models.Loaded, scale: Scale) -> list[Section]:
    """What is measured, in turn, with the goals that each part is to find."""

    def losses() -> Findings:
        return quality.quality(loaded, quality.reference(), scale)

    return [
        (("one_stream_vs_generate", "one_stream_vs_llama_cpp"), partial(speed.one_stream, loaded, scale)),
        (("sixteen_vs_generate",), partial(speed.sixteen, loaded, scale)),
        (("newcomer_steps",), partial(company.newcomer, loaded, scale)),
        (("fairness_gap_ratio",), partial(company.fairness, loaded, scale)),
        (("beside_heavy_s", "stop_heavy_s"), partial(heavy.heavy, loaded, scale)),
        (("sampling_share",), partial(step.sampling, loaded, scale)),
        (("client_share_1", "client_share_16"), partial(served.client_shares, loaded, scale)),
        (("second_start_s",), partial(server.second_start, scale)),
        (("first_start_share", "second_start_share"), partial(first_minute.first_minute, scale)),
        (("memory_ready_mb", "memory_loaded_mb", "memory_after_ratio"), partial(memory.server, scale)),
        (("auto_kl_ratio", "auto_perplexity_ratio"), losses),
        (("trace_overhead",), partial(xray.trace_overhead, loaded, scale.rounds, scale.traced)),
        (("replay_256_ms",), partial(xray.replay_time, loaded, scale.replayed, scale.knob_rounds)),
    ]


def chosen(parts: Sequence[Section], only: str) -> list[Section]:
    """The parts that find one of these figures, named with commas between them; all where none is named."""
    names = set(filter(None, only.split(",")))
    return [(found, work) for found, work in parts if not names or names.intersection(found)]


def measure(parts: Iterable[Section], tell: Callable[[str], None]) -> Findings:
    """All parts. One that fails leaves its figures out and the others alone."""
    everything = Findings()
    for names, work in parts:
        began = time.monotonic()
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - told in the notes, which is what they are for
            found = Findings()
            found.missing(names, f"{type(error).__name__}: {error}".splitlines()[0])
        tell(f"{found}\n({time.monotonic() - began:.0f} s)\n")
        everything.add(found)
    return everything


def document(found: Findings, here: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The last line: every figure under its own name, null where there is none."""
    figures = {name: None if one is None else one.as_json() for name, one in found.figures.items()}
    absent = {name: None for name in GOALS if name not in figures}
    notes = {**dict.fromkeys(absent, "Left out."), **found.notes}
    return {"machine": here, "versions": versions(), **figures, **absent, "notes": notes, "seconds": round(seconds)}


def goals_table(found: Findings) -> list[str]:
    lines = ["| figure | median (low, high) | goal | |", "|---|---|---|---|"]
    for name, goal in GOALS.items():
        figure = found.figures.get(name)
        if figure is None:
            why = found.notes.get(name, "left out")
            lines.append(f"| {name} | not measured: {why} | {goal} | {goal.means} |")
        else:
            lines.append(f"| {name} | {figure} | {goal}{'' if goal.met(figure) else ', missed'} | {goal.means} |")
    others = [name for name in found.figures if name not in GOALS]
    return [*lines, *(f"| {name} | {found.figures[name] or found.notes[name]} | | |" for name in others)]


def record(found: Findings, here: dict[str, Any], target: Path = RESULTS) -> None:
    """The newest entry goes below the heading's text, above the entries before it."""
    made = versions()
    packages = ", ".join(f"{name} {number}" for name, number in made.items() if name != "commit")
    entry = [
        f"## {time.strftime('%Y-%m-%d')}, {made['commit']}",
        "",
        f"{here['cores']} cores of {here['processor']} ({here['simd'][0] if here['simd'] else 'plain'}), "
        f"{here['gpu'] or 'no GPU'}; load {here['load_before']} before; {packages}.",
        "",
        *goals_table(found),
        "",
        "```text",
        *found.table,
        "```",
        "",
    ]
    head, mark, rest = target.read_text(encoding="utf-8").partition("\n## ")
    target.write_text("\n".join([head.rstrip("\n"), "", *entry]) + (mark + rest).lstrip("\n"), encoding="utf-8")


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="a few tokens of everything: the figures mean nothing")
    parser.add_argument("--only", metavar="FIGURE,…", default="", help="nothing but the parts that find these")
    parser.add_argument("--record", action="store_true", help=f"keep the table in {RESULTS.name}")
    given = parser.parse_args()
    here, began = machine(), time.monotonic()
    loaded = models.load(weights="bf16")
    parts = sections(loaded, QUICK if given.quick else FULL)
    found = measure(chosen(parts, given.only), lambda line: print(line, flush=True))
    print("\n".join(goals_table(found)))
    if given.record:
        record(found, here)
    print(json.dumps(document(found, here, time.monotonic() - began)))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
