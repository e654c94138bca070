"""Why a stage removed a token, in words with the numbers.

The numbers are measured on the scores that entered the stage and on those that left it; what a parameter is set to is
quoted, never applied. A stage without words of its own is told by the least likely token that it kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.types import Text


@dataclass(frozen=True, slots=True)
class Passage:
    """One stage at one position: scores [vocab] and natural log-probabilities that entered, the scores that left, and
    what was kept."""

    stage: str
    entered: Tensor
    likely: Tensor
    left: Tensor
    kept: Tensor
    settings: Mapping[str, Any]

    def chance(self, token: int) -> float:
        return math.exp(float(self.likely[token]))

    def rank(self, token: int) -> int:
        """From 1, among those that entered; tokens of equal probability share the first place of theirs."""
        return int((self.likely > self.likely[token]).sum()) + 1

    def above(self, token: int) -> float:
        """The probability that lies on tokens likelier than this one."""
        return float(self.likely[self.likely > self.likely[token]].exp().sum())

    @property
    def best(self) -> float:
        return math.exp(float(self.likely.max()))

    @property
    def count(self) -> int:
        return int(self.kept.sum())

    @property
    def least(self) -> float:
        """The probability of the least likely token that was kept, as it entered."""
        return math.exp(float(self.likely[self.kept].min())) if self.count else 0.0

    @property
    def entropy(self) -> float:
        """In nats."""
        p = self.likely.exp()
        return float(-(p * self.likely.clamp(min=-1e30)).sum())


def passage(stage: str, before: Tensor, after: Tensor, settings: Mapping[str, Any]) -> Passage:
    """From the scores [1, vocab] before and after the stage."""
    return Passage(stage, before[0], torch.log_softmax(before[0], dim=-1), after[0], torch.isfinite(after[0]), settings)


def reason(at: Passage, token: int) -> Text:
    """Why this token, which entered the stage, did not leave it."""
    if not at.count:
        return Text(f"{at.stage} left no candidate.", f"{at.stage} 没有留下任何候选。")
    told = _TOLD.get(at.stage, _by_least)(at, token)
    return Text(f"{at.stage}: {told.en}", f"{at.stage}：{told.zh}")


def number(x: float) -> str:
    """Three digits that say something: 0.913, 0.0031, 4.1e-07, 12.5."""
    return f"{x:.3f}" if 0.1 <= x < 10 else f"{x:.3g}"


def _by_least(at: Passage, token: int) -> Text:
    chance, least = at.chance(token), at.least
    if chance < least:
        return Text(
            f"{number(chance)} is below {number(least)}, the least likely token kept",
            f"{number(chance)} 低于所保留的最低概率 {number(least)}",
        )
    return Text(f"removed at probability {number(chance)}", f"以概率 {number(chance)} 被去掉")


def _top_k(at: Passage, token: int) -> Text:
    rank, k = at.rank(token), at.settings["top_k"]
    return Text(f"rank {rank} > {k}", f"排名 {rank} > {k}")


def _top_p(at: Passage, token: int) -> Text:
    above, p = at.above(token), at.settings["top_p"]
    if above < p:  # a tie with the last one kept, or one that rounding decided
        return _by_least(at, token)
    return Text(f"cumulative {number(above)} > {p:.2f}", f"累计 {number(above)} > {p:.2f}")


def _min_p(at: Passage, token: int) -> Text:
    share = at.settings["min_p"]
    words = f"{number(at.chance(token))} < {share:g} × {number(at.best)}"
    return Text(words, words)


def _top_a(at: Passage, token: int) -> Text:
    words = f"{number(at.chance(token))} < {at.settings['top_a']:g} × {number(at.best)}²"
    return Text(words, words)


def _epsilon(at: Passage, token: int) -> Text:
    words = f"{number(at.chance(token))} < {at.settings['epsilon_cutoff']:g}"
    return Text(words, words)


def _typical(at: Passage, token: int) -> Text:
    entropy = at.entropy
    bits = [abs(-float(at.likely[token]) - entropy), float((-at.likely[at.kept] - entropy).abs().max())]
    mine, most = (value / math.log(2) for value in bits)
    return Text(
        f"its surprise is {mine:.2f} bits from the entropy, the farthest kept {most:.2f}",
        f"意外程度与熵相差 {mine:.2f} 比特，所保留的最多相差 {most:.2f}",
    )


def _sigma(at: Passage, token: int) -> Text:
    least = float(at.entered[at.kept].min())
    return Text(
        f"score {float(at.entered[token]):.2f} is below {least:.2f}, the lowest kept",
        f"分数 {float(at.entered[token]):.2f} 低于所保留的最低分 {least:.2f}",
    )


def _xtc(at: Passage, token: int) -> Text:
    chance, threshold = at.chance(token), at.settings["xtc_threshold"]
    return Text(
        f"{number(chance)} ≥ {threshold:g}, and a less likely token reaches that too",
        f"{number(chance)} ≥ {threshold:g}，且还有概率更低的词元也达到该阈值",
    )


def _mirostat(at: Passage, token: int) -> Text:
    surprise = -float(at.likely[token]) / math.log(2)
    most = -math.log2(at.least) if at.least else math.inf
    return Text(
        f"surprise {surprise:.2f} bits, above the threshold; the largest kept is {most:.2f}",
        f"意外程度 {surprise:.2f} 比特，超过阈值；所保留的最大为 {most:.2f}",
    )


def _forbidden(at: Passage, token: int) -> Text:
    return Text(
        f"forbidden, whatever its probability ({number(at.chance(token))})",
        f"禁止使用，与概率（{number(at.chance(token))}）无关",
    )


def _repeats(at: Passage, token: int) -> Text:
    n = next(value for value in at.settings.values() if isinstance(value, int))
    return Text(f"would repeat {n} tokens that were written before", f"会重复先前写过的 {n} 个词元")


_TOLD: Mapping[str, Callable[[Passage, int], Text]] = {
    "top_k": _top_k,
    "top_p": _top_p,
    "min_p": _min_p,
    "top_a": _top_a,
    "epsilon_cutoff": _epsilon,
    "typical_p": _typical,
    "top_n_sigma": _sigma,
    "xtc": _xtc,
    "mirostat": _mirostat,
    "bad_words": _forbidden,
    "suppress_tokens": _forbidden,
    "begin_suppress_tokens": _forbidden,
    "ignore_eos": _forbidden,
    "min_new_tokens": _forbidden,
    "no_repeat_ngram_size": _repeats,
    "encoder_no_repeat_ngram_size": _repeats,
}
