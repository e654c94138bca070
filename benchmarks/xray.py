"""What looking inside costs: `python -m benchmarks.xray`.

A run whose logits are kept, and one that tells every stage as it goes, against one that does neither, in turns, on the
exact path with one stream; then how long replay takes for each parameter. Only ratios carry to another machine.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figure import Findings
from playground import models, parameters
from playground.decoding.keep import STORE, KeptRow
from playground.generators.local import LocalGenerator
from playground.inspection.replay import decisions
from playground.types import Request

PROMPT = "The old lighthouse keeper climbed the stairs one last time, and"
OWN: dict[str, Any] = {"temperature": 0.9, "top_p": 0.95, "seed": 7, "ignore_eos": True}
ROUNDS = 6
LENGTH = 32  # tokens a round
REPLAYED = 256  # tokens of the run that is replayed
RUN = "benchmark"

KNOBS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 1.3},
    "temperature 0": {"temperature": 0.0},
    "dynamic temperature": {"dynatemp_high": 1.5},
    "smoothing": {"smoothing_factor": 0.3, "smoothing_curve": 2.0},
    "top_k": {"top_k": 40},
    "top_p": {"top_p": 0.8},
    "min_p": {"min_p": 0.05},
    "top_a": {"top_a": 0.2},
    "epsilon_cutoff": {"epsilon_cutoff": 0.0003},
    "eta_cutoff": {"eta_cutoff": 0.002},
    "typical_p": {"typical_p": 0.8},
    "tfs": {"tfs": 0.9},
    "top_h": {"top_h": 0.5},
    "top_n_sigma": {"top_n_sigma": 1.5},
    "xtc": {"xtc_probability": 0.5},
    "mirostat": {"mirostat_tau": 3.0},
    "adaptive_p": {"adaptive_target": 0.3, "min_p": 0.02},
    "repetition_penalty": {"repetition_penalty": 1.2},
    "presence and frequency": {"presence_penalty": 0.5, "frequency_penalty": 0.5},
    "no_repeat_ngram_size": {"no_repeat_ngram_size": 3},
    "dry": {"dry_multiplier": 0.8},
    "logit_bias": {"logit_bias": {" zebra": 4.0}},
    "suppress_tokens": {"suppress_tokens": [28, 30]},
    "banned_phrases": {"banned_phrases": ["the "]},
    "min_tokens_to_keep": {"min_tokens_to_keep": 4, "top_p": 0.3},
    "order llama.cpp": {"order": "llama.cpp", "temperature": 1.5, "min_p": 0.05, "repetition_penalty": 1.1},
    "penalties last": {"order": "temperature,top_p,repetition_penalty", "repetition_penalty": 1.2},
    "watermark": {"watermark": True},
    "watermark, self hash": {"watermark": True, "watermark_seeding": "selfhash"},
    "encoder_repetition_penalty": {"encoder_repetition_penalty": 1.2},
    "encoder_no_repeat_ngram": {"encoder_no_repeat_ngram_size": 2},
    "bad_words_ids": {"bad_words_ids": [[28], [30, 31]]},
    "begin_suppress_tokens": {"begin_suppress_tokens": [28, 30]},
    "min_new_tokens": {"min_new_tokens": 40, "ignore_eos": False},
    "exponential_decay": {"exponential_decay_factor": 1.02},
    "regex": {"regex": "(.|\\n)*", "ignore_eos": False},
}


@dataclass(frozen=True, slots=True)
class Overhead:
    """One round: seconds for the same tokens, alone, with the logits kept, and with every stage told as well."""

    plain: float
    kept: float
    told: float


@dataclass(frozen=True, slots=True)
class Replay:
    """One round: milliseconds for one knob over the whole row, those of processor time in them (all threads).

    `first` tells a knob's first answer, before anything is remembered, from later ones, as when a slider moves on.
    """

    knob: str
    milliseconds: float
    worked: float
    first: bool


def overhead(loaded: models.Loaded, rounds: int = ROUNDS, length: int = LENGTH) -> list[Overhead]:
    """Alternating rounds, after one that does not count. All three write the same tokens, or there is no figure."""
    quiet, telling = LocalGenerator(loaded), LocalGenerator(loaded, trace=True)
    found = []
    for number in range(rounds + 1):
        seconds, texts = [], []
        for generator, keep in ((quiet, ""), (quiet, RUN), (telling, RUN)):
            began = time.perf_counter()
            steps = list(generator.stream(_request({**OWN, "seed": number, "max_new_tokens": length}, keep)))
            seconds.append(time.perf_counter() - began)
            texts.append([step.token_id for step in steps])
            STORE.forget(RUN)
        if texts[0] != texts[1] or texts[0] != texts[2]:
            raise AssertionError("looking inside changed the text")
        found.append(Overhead(*seconds))
    return found[1:]


def replay(loaded: models.Loaded, length: int = REPLAYED, rounds: int = 3) -> list[Replay]:
    """The rounds of every parameter, over one run of so many tokens."""
    list(LocalGenerator(loaded).stream(_request({**OWN, "max_new_tokens": length}, RUN)))
    run = STORE.get(RUN)
    if run is None:
        raise AssertionError("the run does not fit into the memory for kept runs")
    row = run.rows[0]
    found = [one for knob, change in KNOBS.items() for one in _answers(row, knob, change, rounds)]
    STORE.forget(RUN)
    return found


def _answers(row: KeptRow, knob: str, change: Mapping[str, Any], rounds: int) -> list[Replay]:
    values = parameters.validate({**OWN, "max_new_tokens": len(row.tokens), **change})
    found = []
    for number in range(rounds + 1):
        row.run.prepared.clear()
        began, idle = time.perf_counter(), time.process_time()
        decisions(row, values)
        took, worked = time.perf_counter() - began, time.process_time() - idle
        found.append(Replay(knob, took * 1000, worked * 1000, number == 0))
    return found


def _request(values: Mapping[str, Any], keep: str) -> Request:
    return Request(prompt=PROMPT, values=parameters.validate(values), keep=keep)


def trace_overhead(loaded: models.Loaded, rounds: int = ROUNDS, length: int = LENGTH) -> Findings:
    """What telling every stage adds to a run, and what keeping its logits alone does, as a share of it."""
    findings, found = Findings(), overhead(loaded, rounds, length)
    findings.table += overhead_table(found, length).splitlines()
    findings.found("trace_overhead", (one.told / one.plain - 1 for one in found))
    findings.found("keep_overhead", (one.kept / one.plain - 1 for one in found))
    return findings


def replay_time(loaded: models.Loaded, length: int = REPLAYED, rounds: int = 3) -> Findings:
    """Milliseconds of a later answer; the spread is that of the kinds of knobs, the highest being the slowest kind."""
    findings, found = Findings(), replay(loaded, length, rounds)
    findings.table += replay_table(found, length).splitlines()
    later = {knob: [one.milliseconds for one in found if one.knob == knob and not one.first] for knob in KNOBS}
    findings.found("replay_256_ms", (statistics.median(times) for times in later.values()))
    return findings


def overhead_table(rounds: Sequence[Overhead], length: int = LENGTH) -> str:
    plain = statistics.median(one.plain for one in rounds)
    lines = [f"{length} tokens, exact path, one stream: median of {len(rounds)} rounds (lowest, highest)"]
    for name in ("plain", "kept", "told"):
        seconds = [getattr(one, name) for one in rounds]
        ratio = statistics.median(getattr(one, name) / one.plain for one in rounds)
        middle = statistics.median(seconds)
        lines.append(
            f"{name:<8}{middle:>8.2f} s ({min(seconds):.2f}, {max(seconds):.2f})"
            f"{length / middle:>8.1f} tokens/s{(ratio - 1) * 100:>+8.1f} %"
        )
    return "\n".join([*lines, f"plain took {plain / length * 1000:.1f} ms a token"])


def replay_table(rounds: Sequence[Replay], length: int = REPLAYED) -> str:
    lines = [
        f"{length} tokens",
        f"{'knob':<26}{'first':>9}{'later':>9}{'lowest':>9}{'worked':>9}",
    ]
    for knob in dict.fromkeys(one.knob for one in rounds):
        mine = [one for one in rounds if one.knob == knob]
        later = [one.milliseconds for one in mine if not one.first]
        first = next(one.milliseconds for one in mine if one.first)
        worked = min(one.worked for one in mine if not one.first)
        numbers = f"{first:>9.0f}{statistics.median(later):>9.0f}{min(later):>9.0f}{worked:>9.0f}"
        lines.append(f"{knob:<26}{numbers}")
    return "\n".join([*lines, "milliseconds for a whole row; worked: processor time of both cores, the lowest"])


def _main() -> None:
    loaded = models.load(weights="bf16")
    before = os.getloadavg()[0]
    print(overhead_table(overhead(loaded)))
    print(replay_table(replay(loaded)))
    print(f"load of the machine: {before:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")


if __name__ == "__main__":
    _main()
