"""Cut-offs by rank or by probability that transformers has too: each keeps to the bit what transformers' own keeps.

Knows no row and no order of stages.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    MinPLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.sampling.candidates import Candidates, Ranked
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, number, same, score
from playground.types import Text

_TINY = 2e-6  # rounding of one probability in float32, and of a sum of few
_PER_RANK = 5e-9  # what a float32 sum loses for each place of the mean rank: four times the worst that was measured
_CLOSE = 1e-5  # sums of probabilities nearer than this to a limit may lie on either side of it


class TopK(Sampler):
    """The k highest scores; those equal to the k-th stay."""

    columns = ("k",)

    def __init__(self, top_k: int, min_tokens_to_keep: int = 1) -> None:
        self.processor = TopKLogitsWarper(top_k, min_tokens_to_keep=min_tokens_to_keep)
        self.k: Any = self.processor.top_k

    def apply(self, candidates: Candidates) -> None:
        candidates.remove(candidates.scores < candidates.largest(self.k))

    def explain(self, io: StageIO) -> Text:
        entered = int(io.alive.sum())
        if entered <= self.k:
            return Text(
                f"only {entered} candidates: all among the {self.k} best",
                f"只有 {entered} 个候选，都在前 {self.k} 名之内",
            )
        last = score(io.entered[io.kept].min())
        return Text(
            f"score number {self.k} is {last}: keep z ≥ {last}", f"第 {self.k} 高的分数为 {last}：保留 z ≥ {last}"
        )

    def explain_removal(self, io: StageIO, token: int) -> Text:
        rank, k = io.rank(token), io.settings["top_k"]
        return Text(f"rank {rank} > {k}", f"排名 {rank} > {k}")


class TopP(Sampler):
    """Removes the least likely tokens that weigh at most 1 − p together."""

    columns = ("tail", "least")

    def __init__(self, top_p: float, min_tokens_to_keep: int = 1) -> None:
        self.processor = TopPLogitsWarper(top_p, min_tokens_to_keep=min_tokens_to_keep)
        self.tail: Any = 1 - self.processor.top_p
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        if not candidates.on_cpu:
            self._by_order(candidates)
            return
        ranked = candidates.leading()
        count = None if ranked is None else self._kept(candidates, ranked)
        if ranked is None or count is None:
            ranked = candidates.ranked()
            # transformers' own sum, over scores that numpy has sorted.
            sums = torch.from_numpy(ranked.scores[::-1].copy()).softmax(dim=-1).cumsum(dim=-1).numpy()
            removed = int(np.searchsorted(sums, np.float32(self.tail), side="right"))
            count = candidates.vocab - min(removed, max(candidates.vocab - self.least, 0))
        if not candidates.keep_first(ranked, count):  # as in transformers, torch's sort decides about equal scores
            scores = candidates.scores.copy()
            scores[0, torch.sort(candidates.tensor[0]).indices[: candidates.vocab - count].numpy()] = -np.inf
            candidates.replace(scores)

    def _kept(self, candidates: Candidates, leading: Ranked) -> int | None:
        """How many of the leading tokens stay; None where rounding decides, or tokens behind them stay too."""
        # Summed in the order of their ids, as softmax does it, float32 loses up to 1e-4 beside a tall peak; from the
        # least likely on, as transformers sums, it does not.
        whole = float(candidates.probabilities.sum(dtype=np.float64))
        chances = np.sort(candidates.probabilities[0, leading.ids])[::-1].astype(np.float64) / whole
        above = chances.cumsum() - chances
        # transformers sums in float32 from the least likely on: so much is lost on the way to the mean rank, at most.
        rank = float((chances * np.arange(len(chances))).sum())
        rank += max(0.0, 1 - float(chances.sum())) * (candidates.vocab + len(chances)) / 2
        off = _TINY + _PER_RANK * rank
        low, high = np.searchsorted(above, [1 - self.tail - off, 1 - self.tail + off]).tolist()
        kept = max(low, self.least)
        return kept if low == high and high < len(chances) and self.least < len(chances) else None

    def _by_order(self, candidates: Candidates) -> None:
        """The same without asking the device for a number; a sort decides about equal scores, as in transformers."""
        ranked, places = torch.sort(candidates.scores, descending=False)
        gone = ranked.softmax(dim=-1).cumsum(dim=-1) <= self.tail
        gone &= torch.arange(candidates.vocab, device=ranked.device) < candidates.vocab - self.least
        candidates.remove(gone.scatter(1, places, gone))

    def explain(self, io: StageIO) -> Text:
        p, count = io.settings["top_p"], io.count
        mass = float(io.logprobs[io.kept].exp().sum())
        sign = "≥" if mass >= p - 1e-6 else "<"
        return Text(
            f"Σ p of the {count} kept = {mass:.4f} {sign} {p:g}; without the last one {mass - io.least_kept:.4f}",
            f"所保留 {count} 个的 Σ p = {mass:.4f} {sign} {p:g}；不含最后一个为 {mass - io.least_kept:.4f}",
        )

    def explain_removal(self, io: StageIO, token: int) -> Text:
        above, p = io.mass_above(token), io.settings["top_p"]
        if above < p:  # a tie with the last one kept, or one that rounding decided
            return super().explain_removal(io, token)
        return Text(f"cumulative {number(above)} > {p:.2f}", f"累计 {number(above)} > {p:.2f}")


class MinP(Sampler):
    """p ≥ min_p · max(p)."""

    columns = ("share", "least")

    def __init__(self, min_p: float, min_tokens_to_keep: int = 1) -> None:
        self.processor = MinPLogitsWarper(min_p, min_tokens_to_keep=min_tokens_to_keep)
        self.share: Any = min_p
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        several = isinstance(self.least, Tensor) or self.least > 1
        chances = candidates.probabilities
        gone = chances < self.share * candidates.xp.amax(chances, axis=-1, keepdims=True)
        # Which of several equal ones stay, topk decides by their number.
        if several and (not candidates.on_cpu or np.count_nonzero(~gone) < self.least):
            Sampler.apply(self, candidates)
        else:
            candidates.remove(gone)

    def explain(self, io: StageIO) -> Text:
        share, best = io.settings["min_p"], io.best
        return io.limit(f"{share:g} · {number(best)} = {number(share * best)}", share * best)

    def explain_removal(self, io: StageIO, token: int) -> Text:
        return same(f"{number(io.probability(token))} < {io.settings['min_p']:g} × {number(io.best)}")


class Epsilon(Sampler):
    """p ≥ ε."""

    columns = ("epsilon", "least")

    def __init__(self, epsilon: float, min_tokens_to_keep: int = 1) -> None:
        self.processor = EpsilonLogitsWarper(epsilon, min_tokens_to_keep=min_tokens_to_keep)
        self.epsilon: Any = epsilon
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        gone = candidates.probabilities < self.epsilon
        candidates.remove(gone & (candidates.scores < candidates.largest(self.least)))

    def explain(self, io: StageIO) -> Text:
        limit = io.settings["epsilon_cutoff"]
        return io.limit(f"ε = {limit:g}", limit)

    def explain_removal(self, io: StageIO, token: int) -> Text:
        return same(f"{number(io.probability(token))} < {io.settings['epsilon_cutoff']:g}")


class Eta(Sampler):
    """p ≥ min(ε, √ε · e^(−H))."""

    columns = ("epsilon", "least")

    def __init__(self, epsilon: float, min_tokens_to_keep: int = 1) -> None:
        self.processor = EtaLogitsWarper(epsilon, min_tokens_to_keep=min_tokens_to_keep)
        self.epsilon: Any = epsilon
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        if candidates.on_cpu:
            chances, epsilon = candidates.probabilities, np.float32(self.epsilon)
            entropy = -candidates.total(chances * np.log(np.maximum(chances, np.finfo(np.float32).tiny)))
            limit = np.minimum(epsilon, np.sqrt(epsilon) * np.exp(-entropy))
            if not np.any(np.abs(chances / limit - 1) < _CLOSE):  # else the last digits of the entropy would decide
                candidates.remove((chances < limit) & (candidates.scores < candidates.largest(self.least)))
                return
        Sampler.apply(self, candidates)

    def explain(self, io: StageIO) -> Text:
        eta, entropy = io.settings["eta_cutoff"], io.entropy
        limit = min(eta, math.sqrt(eta) * math.exp(-entropy))
        return io.limit(f"min({eta:g}, √{eta:g} · e^(−{score(entropy)})) = {number(limit)}", limit)


class TopH(Sampler):
    """Of the hundred likeliest the longest prefix whose part of the entropy is at most h of theirs."""

    columns = ("share",)

    def __init__(self, top_h: float) -> None:
        self.processor = TopHLogitsWarper(top_h)
        self.share: Any = top_h

    def apply(self, candidates: Candidates) -> None:
        size = min(self.processor.top_n, candidates.vocab)
        if not candidates.on_cpu or size == candidates.vocab:
            Sampler.apply(self, candidates)
            return
        ranked = candidates.ranked()
        best = torch.from_numpy(ranked.scores[:size].copy())
        # As torch.distributions.Categorical(logits=best) goes about it, without its checks.
        logits = best - best.logsumexp(dim=-1, keepdim=True)
        chances = logits.softmax(dim=-1)
        entropy = -(logits.clamp(min=torch.finfo(logits.dtype).min) * chances).sum()
        kept = (-chances * torch.log(chances)).cumsum(dim=-1) <= entropy * self.share
        if not candidates.keep_first(ranked, max(int(kept.sum()), 1)):
            candidates.replace(self.reference(candidates))

    def explain(self, io: StageIO) -> Text:
        """Over the likeliest hundred, as the sampler does it."""
        likely = io.logprobs.topk(min(100, io.logprobs.shape[0])).values
        p = (likely - likely.logsumexp(0)).exp().double()
        terms = -torch.xlogy(p, p)
        whole, count, h = float(terms.sum()), io.count, io.settings["top_h"]
        start = f"h · H = {h:g} · {score(whole)} = {score(h * whole)}"
        kept = score(terms[:count].sum())
        return Text(
            f"{start}; −Σ p ln p of the {count} kept: {kept}", f"{start}；所保留 {count} 个的 −Σ p ln p：{kept}"
        )


class Typical(Sampler):
    """The tokens whose surprise is nearest to the entropy, until they weigh enough; those as near as the last stay."""

    columns = ("mass", "least")

    def __init__(self, mass: float, min_tokens_to_keep: int = 1) -> None:
        self.processor = TypicalLogitsWarper(mass, min_tokens_to_keep=min_tokens_to_keep)
        self.mass: Any = mass
        self.least: Any = min_tokens_to_keep

    def apply(self, candidates: Candidates) -> None:
        kept = self._kept(candidates) if candidates.on_cpu else None
        if kept is None:
            Sampler.apply(self, candidates)
        else:
            candidates.remove(~kept[None])

    def _kept(self, one: Candidates) -> np.ndarray | None:
        """Which tokens [vocab] stay; None where rounding or the order of equal ones decides."""
        chances = one.probabilities[0]
        surprise = -one.tensor.log_softmax(dim=-1)[0].numpy()
        entropy = float((chances * np.where(chances > 0, surprise, 0)).sum())
        distance = np.abs(surprise - np.float32(entropy))
        order = np.argsort(distance)
        # transformers' own sum: in float32 its order counts, by up to 1e-4 beside a tall peak.
        sums = torch.from_numpy(one.scores[0, order]).softmax(dim=-1).cumsum(dim=-1).numpy()
        last = min(int(np.searchsorted(sums, self.mass)), len(order) - 1)
        limit = distance[order[last]]
        kept: np.ndarray = distance <= limit
        edge = np.flatnonzero(np.abs(distance - limit) < _CLOSE * (1 + limit))
        parted = len(np.unique(one.scores[0, edge])) > 1  # the last digits of the entropy would decide between them
        close = np.abs(sums[max(last - 1, 0) : last + 1] - self.mass).min() < _CLOSE
        if close or parted or np.count_nonzero(kept) < self.least or not np.isfinite(limit):
            return None
        return kept

    def explain(self, io: StageIO) -> Text:
        mass = io.settings["typical_p"]
        far = float((-io.logprobs[io.kept] - io.entropy).abs().max())
        held = float(io.logprobs[io.kept].exp().sum())
        entropy, sign = score(io.entropy), "≥" if held >= mass - 1e-5 else "<"
        return Text(
            f"|−ln p − {entropy}| ≤ {score(far)} for the {io.count} kept; their Σ p = {held:.4f} {sign} {mass:g}",
            f"所保留的 {io.count} 个满足 |−ln p − {entropy}| ≤ {score(far)}；其 Σ p = {held:.4f} {sign} {mass:g}",
        )

    def explain_removal(self, io: StageIO, token: int) -> Text:
        entropy = io.entropy
        bits = [abs(-float(io.logprobs[token]) - entropy), float((-io.logprobs[io.kept] - entropy).abs().max())]
        mine, most = (value / math.log(2) for value in bits)
        return Text(
            f"its surprise is {mine:.2f} bits from the entropy, the farthest kept {most:.2f}",
            f"意外程度与熵相差 {mine:.2f} 比特，所保留的最多相差 {most:.2f}",
        )
