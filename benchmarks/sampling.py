"""How long it takes to pick a token, with a real model's scores: `python -m benchmarks.sampling`.

The pipeline's `apply` and transformers' own processors take turns, so that both meet the same machine. Only the ratio
means anything on another one. Both must draw the same tokens, or there is no figure.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground import models, parameters
from playground.decoding.keep import KeptRun
from playground.decoding.row import Row, Setting, advance, effect
from playground.rendering.detokenize import Labels
from playground.sampling.step import prepare
from playground.types import Step

TEXT = (
    "Once there was a village at the foot of a mountain, where people told each other stories about the weather, the "
    "animals and an old king. One morning a girl called Ada found a letter under her door. It said: come to the river "
    "at noon, and bring nothing but a question. She put on her coat, took the short way through the orchard, and"
)
SKIPPED = 16  # the first tokens of a text are unlike the others
CASES: dict[str, dict[str, Any]] = {
    "repetition_penalty 1.1, temperature 0.8, top_p 0.9": {
        "repetition_penalty": 1.1,
        "temperature": 0.8,
        "top_p": 0.9,
    },
    "top_k 40, top_p 0.95, temperature 0.7": {"top_k": 40, "top_p": 0.95, "temperature": 0.7},
    "temperature 1.5, top_p 0.95": {"temperature": 1.5, "top_p": 0.95},
    "temperature 1.2, min_p 0.05": {"temperature": 1.2, "min_p": 0.05},
    "temperature 1": {},
    "temperature 0": {"temperature": 0.0},
}


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds a step of `rows` rows, as median, lowest and highest."""

    case: str
    rows: int
    kept: bool
    applied: tuple[float, float, float]
    reference: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        return self.reference[0] / self.applied[0]


class _Rows:
    """Rows that grow, with or without keeping the scores they are given."""

    def __init__(self, setting: Setting, count: int, *, by_reference: bool, kept: bool) -> None:
        self.rows = [Row(index, index, setting, by_reference=by_reference) for index in range(count)]
        run = KeptRun(None, "", setting.values, setting, list(range(count))) if kept else None
        self.keepers = run.rows if run is not None else []

    def step(self, scores: Tensor, dtype: torch.dtype) -> tuple[list[Step], float]:
        began = time.perf_counter()
        prepare(self.rows, scores.shape[-1])
        for place, keeper in enumerate(self.keepers):
            row = self.rows[place]
            keeper.put(len(row.tokens), scores[place : place + 1], None, dtype, row.rng.state())
        steps = advance(self.rows, scores)
        for keeper, row, step in zip(self.keepers, self.rows, steps, strict=False):
            keeper.settle(step, row.forbidden)
        return steps, (time.perf_counter() - began) * 1000


def scores_of(loaded: models.Loaded) -> tuple[Tensor, Tensor]:
    """The ids [1, length] of a text, and the model's scores [positions, vocab] along it."""
    ids = loaded.tokenizer(TEXT, return_tensors="pt").input_ids
    with torch.inference_mode():
        return ids, loaded.model(ids).logits[0, SKIPPED:].float()


def setting_of(loaded: models.Loaded, ids: Tensor, values: Mapping[str, Any]) -> Setting:
    effective, greedy = effect(parameters.validate(values), has_eos=True)
    labels = Labels(loaded.tokenizer)
    return Setting(effective, greedy, ids, loaded.tokenizer, labels, [], 0, 10**9, False, lambda: False)


@torch.inference_mode()
def measure(loaded: models.Loaded, case: str, rows: int, *, kept: bool = False, rounds: int = 24) -> Figure:
    """One case, in alternating rounds after two that do not count."""
    ids, scores = scores_of(loaded)
    setting = setting_of(loaded, ids, {**CASES[case], "max_new_tokens": parameters.by_name()["max_new_tokens"].high})
    applied, reference = (_Rows(setting, rows, by_reference=one, kept=kept) for one in (False, True))
    chance = torch.Generator().manual_seed(0)
    times: list[tuple[float, float]] = []
    for _ in range(rounds + 2):
        given = scores[torch.randint(0, len(scores), (rows,), generator=chance)]
        ours, took = applied.step(given, loaded.model.dtype)
        theirs, takes = reference.step(given, loaded.model.dtype)
        if [step.token_id for step in ours] != [step.token_id for step in theirs]:
            raise AssertionError(f"{case}: another token was drawn")
        times.append((took, takes))
    found = [(statistics.median(one), min(one), max(one)) for one in zip(*times[2:], strict=True)]
    return Figure(case, rows, kept, found[0], found[1])


def figures(loaded: models.Loaded) -> list[Figure]:
    """Every case at 1 and 16 rows, and the first one with its scores kept as well."""
    first = next(iter(CASES))
    return [
        *(measure(loaded, case, rows) for case in CASES for rows in (1, 16)),
        *(measure(loaded, first, rows, kept=True) for rows in (1, 16)),
    ]


def table(found: Sequence[Figure]) -> str:
    lines = [f"{'settings':<52}{'rows':>5}{'applied':>9}{'low':>8}{'reference':>10}{'low':>8}{'ratio':>8}"]
    for one in found:
        name = one.case + (", kept" if one.kept else "")
        lines.append(
            f"{name:<52}{one.rows:>5}{one.applied[0]:>9.2f}{one.applied[1]:>8.2f}"
            f"{one.reference[0]:>10.2f}{one.reference[1]:>8.2f}{one.ratio:>7.1f}x"
        )
    return "\n".join([*lines, "ms a step of all rows: median and lowest"])


if __name__ == "__main__":
    print(table(figures(models.load(weights="bf16"))))
