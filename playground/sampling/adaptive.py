"""Samplers that steer by what was chosen before; their state belongs to one row and can be wound back.

Knows no row and no order of stages.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from playground.sampling.candidates import Array, Candidates
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, number, score
from playground.types import Text


class Mirostat(Sampler):
    """Version 2: drops what is more surprising than μ bits, then moves μ so that the mean surprise becomes τ.

    μ starts at 2τ; behind each token μ −= η · (s − τ) with its surprise s among the kept (arXiv 2007.14966).
    """

    def __init__(self, tau: float, eta: float, min_tokens_to_keep: int = 1) -> None:
        self.tau, self.eta, self.least = tau, eta, max(min_tokens_to_keep, 1)
        self.limit = 2 * tau
        self._kept: Tensor | None = None

    def apply(self, candidates: Candidates) -> None:
        surprise = -candidates.tensor.log_softmax(dim=-1) / math.log(2)
        candidates.keep((surprise.numpy() if candidates.on_cpu else surprise) <= self.limit, self.least)
        self._kept = candidates.tensor

    def chosen(self, token_id: int) -> None:
        """The surprise counts among the tokens that were kept; one from outside them (a last resort) says nothing."""
        if self._kept is None:
            return
        bits = -float(self._kept[0].log_softmax(dim=-1)[token_id]) / math.log(2)
        if math.isfinite(bits):
            self.limit -= self.eta * (bits - self.tau)

    def snapshot(self) -> object:
        return self.limit, self._kept

    def restore(self, state: Any) -> None:
        self.limit, self._kept = state

    def explain(self, io: StageIO) -> Text:
        bits, limit = -math.log2(max(io.least_kept, 1e-300)), self.limit
        tau, eta = io.settings["mirostat_tau"], io.settings["mirostat_eta"]
        words = f"−log₂ p = {score(bits)} {'≤' if bits <= limit + 1e-5 else '>'} μ = {score(limit)}"
        step = f"μ ← {score(limit)} − {eta:g} · (s − {tau:g})"
        return Text(f"{words} for the least likely kept; then {step}", f"所保留的最低者 {words}；随后 {step}")

    def explain_removal(self, io: StageIO, token: int) -> Text:
        surprise = -float(io.logprobs[token]) / math.log(2)
        most = -math.log2(io.least_kept) if io.least_kept else math.inf
        return Text(
            f"surprise {surprise:.2f} bits, above the threshold; the largest kept is {most:.2f}",
            f"意外程度 {surprise:.2f} 比特，超过阈值；所保留的最大为 {most:.2f}",
        )


class AdaptiveP(Sampler):
    """Favours probabilities near a target that moves against the mean of what was chosen before."""

    WIDTH, PEAK, SHARPNESS = 0.3, 5.0, 10.0  # fixed by the authors

    def __init__(self, target: float, decay: float) -> None:
        self.target, self.decay = target, decay
        # The history begins as if every choice so far had hit the target.
        self.weight = 1 / (1 - decay)
        self.total = target * self.weight
        self._chances: Array = None

    @property
    def aim(self) -> float:
        """The probability that is favoured now."""
        return min(max(2 * self.target - self.total / self.weight, 0.0), 1.0)

    def apply(self, candidates: Candidates) -> None:
        self._chances = candidates.probabilities
        distance = abs(self._chances - self.aim) / self.WIDTH
        bent = self.PEAK - self.SHARPNESS * distance**2 / (1 + distance)
        candidates.replace_alike(candidates.xp.where(candidates.alive, bent, candidates.scores))

    def chosen(self, token_id: int) -> None:
        """The probability that the token had before the bend counts, with a weight that decays."""
        if self._chances is None:
            return
        chance = float(self._chances[0, token_id])
        if math.isfinite(chance):
            self.total = chance + self.decay * self.total
            self.weight = 1 + self.decay * self.weight

    def snapshot(self) -> object:
        return self.total, self.weight, self._chances

    def restore(self, state: Any) -> None:
        self.total, self.weight, self._chances = state

    def explain(self, io: StageIO) -> Text:
        target, mean, aim = io.settings["adaptive_target"], self.total / self.weight, self.aim
        token = int(io.left.argmax())
        chance = io.probability(token)
        distance = abs(chance - aim) / self.WIDTH
        moved = f"t' = 2 · {target:g} − {mean:.4f} = {2 * target - mean:.4f}" + ("" if 0 < aim < 1 else f" → {aim:g}")
        shown = io.equation(token, f"5 - 10 · {distance:.4f}^2 / (1 + {distance:.4f})")
        d = f"d = |{number(chance)} − {aim:.4f}| / {self.WIDTH:g} = {distance:.4f}"
        return Text(f"{moved}; {d}; {shown.en}", f"{moved}；{d}；{shown.zh}")
