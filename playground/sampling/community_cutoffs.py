"""Cut-offs that transformers lacks. Each keeps at least `min_tokens_to_keep` tokens.

Knows no row and no order of stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from playground.sampling.candidates import Candidates
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, number, same, score
from playground.types import Text


class TopA(Sampler):
    """p ≥ a · max(p)²."""

    columns = ("top_a", "least")

    def __init__(self, top_a: float, min_tokens_to_keep: int = 1) -> None:
        self.top_a: Any = top_a
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        chances = candidates.probabilities
        limit = self.top_a * candidates.xp.amax(chances, axis=-1, keepdims=True) ** 2
        candidates.keep(chances >= limit, self.least)

    def explain(self, io: StageIO) -> Text:
        share, best = io.settings["top_a"], io.best
        return io.limit(f"{share:g} · {number(best)}^2 = {number(share * best**2)}", share * best**2)

    def explain_removal(self, io: StageIO, token: int) -> Text:
        return same(f"{number(io.probability(token))} < {io.settings['top_a']:g} × {number(io.best)}²")


class TailFree(Sampler):
    """Cuts where the running sum of the normalized |second difference| of the sorted probabilities exceeds z.

    The second difference over three neighbours belongs to the middle one, as in the original implementation; behind
    the last of them the sum is complete, so the last candidate always lies in the tail, unless the curve is straight.
    """

    on_cpu_only = True

    def __init__(self, z: float, min_tokens_to_keep: int = 1) -> None:
        self.z, self.least = z, min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        ranked = candidates.ranked().scores
        best = ranked[ranked > -np.inf]
        chances = torch.from_numpy(best).softmax(dim=-1)
        bends = chances.diff().diff().abs()
        total = float(bends.sum())
        kept = len(best)
        if self.z < 1 and total > 0:  # an empty sum too: fewer than three candidates have no tail
            kept = int(((bends / total).cumsum(dim=0) <= self.z).sum()) + 1
        candidates.keep_best(max(kept, self.least))

    def explain(self, io: StageIO) -> Text | None:
        z, count = io.settings["tfs"], io.count
        p = io.logprobs[io.alive].sort(descending=True).values.exp().double()
        bends = p.diff().diff().abs()
        if not len(bends) or not float(bends.sum()):
            return None
        running = bends.cumsum(0) / bends.sum()
        last = float(running[min(count, len(running)) - 2]) if count > 1 else 0.0
        total, sign = f"Σ w = {last:.4f}", f"{'≤' if last <= z + 1e-5 else '>'} {z:g}"
        behind = "" if count - 1 >= len(running) else f"{float(running[count - 1]):.4f}"
        return Text(
            f"{total} up to number {count} {sign}" + (f"; {behind} with the next" if behind else ""),
            f"到第 {count} 名为止 {total} {sign}" + (f"；加上下一个为 {behind}" if behind else ""),
        )


class TopNSigma(Sampler):
    """z ≥ max(z) − n · σ(z), with σ over finite scores only: after a cut-off it would be infinite otherwise."""

    columns = ("n", "least")

    def __init__(self, n: float, min_tokens_to_keep: int = 1) -> None:
        self.n: Any = n
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        alive, scores, xp = candidates.alive, candidates.scores, candidates.xp
        count = candidates.count(alive)
        mean = candidates.total(xp.where(alive, scores, 0.0)) / count
        variance = candidates.total(xp.where(alive, scores - mean, 0.0) ** 2) / count
        candidates.keep(scores >= candidates.best - self.n * xp.sqrt(variance), self.least)

    def explain(self, io: StageIO) -> Text:
        finite = io.entered[io.alive].double()
        best, sigma, n = float(finite.max()), float(finite.std(correction=0)), io.settings["top_n_sigma"]
        limit = f"{score(best)} − {n:g} · {score(sigma)} = {score(best - n * sigma)}"
        return Text(f"keep z ≥ {limit}", f"保留 z ≥ {limit}")

    def explain_removal(self, io: StageIO, token: int) -> Text:
        least = float(io.entered[io.kept].min())
        return Text(
            f"score {float(io.entered[token]):.2f} is below {least:.2f}, the lowest kept",
            f"分数 {float(io.entered[token]):.2f} 低于所保留的最低分 {least:.2f}",
        )


class XTC(Sampler):
    """With some probability drops every token with p ≥ t but the least likely of them; of equal ones the last id stays.

    Nothing is dropped when that would hit the end of text or a line break, for those give a text its form.
    """

    on_cpu_only = True

    def __init__(
        self,
        probability: float,
        threshold: float,
        tokenizer: Any,
        eos_token_id: Sequence[int],
        min_tokens_to_keep: int = 1,
    ) -> None:
        self.probability, self.threshold, self.least = probability, threshold, min_tokens_to_keep
        self.protected = [*eos_token_id, *tokenizer("\n", add_special_tokens=False).input_ids[-1:]]

    def apply(self, candidates: Candidates) -> None:
        if candidates.uniform(0) >= self.probability:
            return
        chances = candidates.probabilities[0]
        likely = np.flatnonzero(chances >= self.threshold)
        gone = likely[np.argsort(-chances[likely], kind="stable")[:-1]]
        left = np.count_nonzero(candidates.alive) - len(gone)
        if left >= self.least and not np.isin(gone, self.protected).any():
            candidates.edit([torch.from_numpy(gone)], lambda _: -np.inf)

    def explain(self, io: StageIO) -> Text:
        drawn, q, t = io.uniform, io.settings["xtc_probability"], io.settings["xtc_threshold"]
        if drawn >= q:
            return Text(f"u = {drawn:.3f} ≥ {q:g}: nothing is dropped", f"u = {drawn:.3f} ≥ {q:g}：不丢弃任何词元")
        reach, gone = int((io.logprobs.exp() >= t).sum()), int(io.removed.sum())
        return Text(
            f"u = {drawn:.3f} < {q:g}; tokens with p ≥ {t:g}: {reach}, of which {gone} dropped",
            f"u = {drawn:.3f} < {q:g}；p ≥ {t:g} 的词元有 {reach} 个，其中丢弃 {gone} 个",
        )

    def explain_removal(self, io: StageIO, token: int) -> Text:
        chance, threshold = number(io.probability(token)), io.settings["xtc_threshold"]
        return Text(
            f"{chance} ≥ {threshold:g}, and a less likely token reaches that too",
            f"{chance} ≥ {threshold:g}，且还有概率更低的词元也达到该阈值",
        )
