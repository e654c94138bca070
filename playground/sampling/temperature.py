"""Samplers that move all scores and remove none: temperature, dynamic temperature, quadratic smoothing, guidance.

Knows no row and no order of stages.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from transformers import TemperatureLogitsWarper

from playground.sampling.candidates import Array, Candidates
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, brief, in_brackets, same, score
from playground.types import Text

COLDEST = 1e-5
"""Below this a division would make scores infinite; the most likely token is long certain by then."""
COLDEST_DYNAMIC = 0.01
"""Dynamic temperature never falls below this: at 0 a division would leave no finite score."""


class Temperature(Sampler):
    """z / T."""

    columns = ("temperature",)

    def __init__(self, temperature: float) -> None:
        self.temperature: Any = max(temperature, COLDEST)
        self.processor = TemperatureLogitsWarper(self.temperature)

    def apply(self, candidates: Candidates) -> None:
        by = self.temperature
        candidates.transform(lambda scores: divided(scores, by))

    def explain(self, io: StageIO) -> Text:
        token = io.widest
        return io.equation(token, f"{score(io.entered[token])} / {max(io.settings['temperature'], COLDEST):g}")


def divided(scores: Array, by: float | Tensor) -> Array:
    """As `scores / number` divides scores [R, n]: CUDA multiplies by the number's reciprocal, and a CPU does not."""
    if isinstance(by, Tensor) and by.device.type != "cpu":
        return scores * by.reciprocal()
    return scores / by


class DynamicTemperature(Sampler):
    """Temperature between `low` and `high` by how unsure the model is: T = lo + (hi − lo) · (H / ln n)^e."""

    columns = ("high", "low", "exponent")

    def __init__(self, high: float, low: float, exponent: float) -> None:
        self.high: Any = high
        self.low: Any = low
        self.exponent: Any = exponent

    def apply(self, candidates: Candidates) -> None:
        xp, alive = candidates.xp, candidates.alive
        count = candidates.count(alive)
        far = xp.where(alive, candidates.scores - candidates.best, 0.0)
        weights = xp.where(alive, xp.exp(far), 0.0)
        # What all but one of the best weigh: beside that one, float32 would lose what little there is.
        rest = (candidates.count(alive & (far == 0)) - 1) + candidates.total(xp.where(far < 0, weights, 0.0))
        entropy = xp.log1p(rest) - candidates.total(weights * far) / (1 + rest)
        unsure = xp.clip(entropy / xp.log(xp.clip(count, 2, None)), 0.0, 1.0)
        heat = xp.clip(self.low + (self.high - self.low) * unsure**self.exponent, COLDEST_DYNAMIC, None)
        heat = xp.where(count < 2, 1.0, heat)
        candidates.transform(lambda scores: scores / heat)

    def explain(self, io: StageIO) -> Text:
        alive = int(io.alive.sum())
        if alive < 2:
            return Text("a single candidate: nothing to divide", "只有一个候选：无需相除")
        high, low, power = (io.settings[name] for name in ("dynatemp_high", "dynatemp_low", "dynatemp_exponent"))
        heat = low + (high - low) * min(io.entropy / math.log(alive), 1.0) ** power
        words = f"T = {low:g} + ({high:g} − {low:g}) · ({score(io.entropy)} / ln {alive})^{power:g} = {score(heat)}"
        if heat < COLDEST_DYNAMIC:
            words += f" → {COLDEST_DYNAMIC:g}"
        token = io.widest
        return same(f"{words}; {score(io.entered[token])} / T = {score(io.left[token])}")


class QuadraticSmoothing(Sampler):
    """Scores bent around the best: z' = z_max − k·f·d² + s·f·d³ with d = z − z_max."""

    columns = ("square", "cube")

    def __init__(self, factor: float, curve: float) -> None:
        self.square: Any = factor * (3 - curve) / 2
        self.cube: Any = factor * (curve - 1) / 2

    def apply(self, candidates: Candidates) -> None:
        best, scores = candidates.best, candidates.scores
        below = scores - best
        square = below * below
        bent = best - self.square * square + self.cube * square * below
        candidates.replace_alike(candidates.xp.where(candidates.alive, bent, scores))

    def explain(self, io: StageIO) -> Text | None:
        best = float(io.entered[io.alive].max())
        token, factor, curve = io.example, io.settings["smoothing_factor"], io.settings["smoothing_curve"]
        if token is None:
            return None
        below = score(float(io.entered[token]) - best)
        k, s = (3 - curve) / 2, (curve - 1) / 2
        square = f"{score(best)} − {brief(k)} · {factor:g} · ({below})^2"
        return io.equation(token, square + (f" + {brief(s)} · {factor:g} · ({below})^3" if s else ""))


class Guidance(Sampler):
    """Classifier-free guidance: s · (ln p − ln q) + ln q, with q from the unconditional scores (arXiv 2306.17806)."""

    columns = ("scale",)

    def __init__(self, scale: float) -> None:
        self.scale: Any = scale

    def apply(self, candidates: Candidates) -> None:
        if candidates.unconditional is None:
            raise LookupError("guidance needs the unconditional scores")
        likely = torch.log_softmax(candidates.tensor, dim=-1)
        unlikely = torch.log_softmax(candidates.unconditional, dim=-1)
        candidates.replace(self.scale * (likely - unlikely) + unlikely)

    def explain(self, io: StageIO) -> Text:
        """q follows from what left the stage: it is the only other unknown."""
        token, scale = int(io.left.argmax()), io.settings["guidance_scale"]
        likely, left = float(io.logprobs[token]), float(io.left[token])
        other = (left - scale * likely) / (1 - scale)
        return io.equation(token, f"{scale:g} · ({score(likely)} − {in_brackets(other)}) + {in_brackets(other)}")
