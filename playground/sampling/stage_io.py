"""What entered a stage at one position and what left it: the numbers that an explanation is made of.

They are measured on the scores; what a parameter is set to is quoted, never applied. Knows no sampler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from playground.types import Text

NAMED = 3  # tokens that are named before the rest is only counted


@dataclass(frozen=True)
class StageIO:
    """One stage at one position.

    `entered` and `left` are scores [vocab]. `settings` are the parameters of the stage by their names, `written` is how
    many tokens of the answer stood before, `uniform` the position's number in [0, 1), and `name` gives a token's text.
    """

    stage: str
    entered: Tensor
    left: Tensor
    settings: Mapping[str, Any]
    written: int = 0
    uniform: float = 0.0
    name: Callable[[int], str] = str

    @cached_property
    def logprobs(self) -> Tensor:
        """Natural log-probabilities [vocab] of what entered."""
        return torch.log_softmax(self.entered, dim=-1)

    @cached_property
    def alive(self) -> Tensor:
        """Which tokens [vocab] entered as candidates."""
        return torch.isfinite(self.entered)

    @cached_property
    def kept(self) -> Tensor:
        """Which tokens [vocab] left as candidates."""
        return torch.isfinite(self.left)

    @property
    def removed(self) -> Tensor:
        """Which tokens [vocab] entered as candidates and did not leave as such."""
        return ~self.kept & self.alive

    @property
    def count(self) -> int:
        """How many were kept."""
        return int(self.kept.sum())

    def probability(self, token: int) -> float:
        return math.exp(float(self.logprobs[token]))

    def rank(self, token: int) -> int:
        """From 1, among those that entered; tokens of equal probability share the first place of theirs."""
        return int((self.logprobs > self.logprobs[token]).sum()) + 1

    def mass_above(self, token: int) -> float:
        """The probability of all tokens that are likelier than this one."""
        return float(self.logprobs[self.logprobs > self.logprobs[token]].exp().sum())

    @property
    def best(self) -> float:
        """The highest probability that entered."""
        return math.exp(float(self.logprobs.max()))

    @property
    def least_kept(self) -> float:
        """The probability of the least likely token that was kept, as it entered."""
        return math.exp(float(self.logprobs[self.kept].min())) if self.count else 0.0

    @property
    def entropy(self) -> float:
        """Of what entered, in nats."""
        p = self.logprobs.exp()
        return float(-(p * self.logprobs.clamp(min=-1e30)).sum())

    @property
    def moved(self) -> Tensor:
        """Which tokens [vocab] have another score that is finite still."""
        return (self.left != self.entered) & self.kept & self.alive

    @property
    def example(self) -> int | None:
        """The likeliest token whose score was moved."""
        moved = self.moved
        return int(self.logprobs.masked_fill(~moved, -torch.inf).argmax()) if bool(moved.any()) else None

    @property
    def widest(self) -> int:
        """The token whose score is farthest from zero among the ten likeliest: a quotient is read off best there."""
        near = self.logprobs.topk(min(10, self.logprobs.shape[0])).indices.tolist()
        alive = [token for token in near if torch.isfinite(self.left[token])]
        return max(alive, key=lambda token: abs(float(self.entered[token])))

    def equation(self, token: int, terms: str) -> Text:
        """“token”: terms = its score behind the stage."""
        words = f"“{self.name(token)}”: {terms} = {score(self.left[token])}"
        return Text(words, words.replace("”: ", "”："))

    def limit(self, formula: str, value: float) -> Text:
        """p ≥ limit, and the probabilities on either side of it."""
        out = self.removed
        rest = math.exp(float(self.logprobs[out].max())) if bool(out.any()) else None
        least = self.least_kept
        words = f"{formula}: {number(least)} {'≥' if least >= value * (1 - 1e-5) else '<'} {number(value)}"
        return same(words if rest is None or rest >= value else f"{words} > {number(rest)}")


def number(x: float) -> str:
    """Three digits that say something: 0.913, 0.0031, 4.1e-07, 12.5."""
    return f"{x:.3f}" if 0.1 <= x < 10 else f"{x:.3g}"


def score(value: Any) -> str:
    """A score, with as many digits as one can calculate with."""
    value = float(value)
    return (f"{value:.3f}" if abs(value) < 100 else f"{value:.5g}").replace("-", "−")


def in_brackets(value: Any) -> str:
    """A score that follows a sign: in brackets where it is negative."""
    text = score(value)
    return f"({text})" if text.startswith("−") else text


def brief(value: float) -> str:
    """A parameter inside a sum: in brackets where it is negative."""
    return f"(−{-value:g})" if value < 0 else f"{value:g}"


def same(words: str) -> Text:
    """Words that are the same in both languages."""
    return Text(words, words)


def explain_by_least_likely(io: StageIO, token: int) -> Text:
    """Of a removed token: its probability beside that of the least likely one kept."""
    chance, least = io.probability(token), io.least_kept
    if chance < least:
        return Text(
            f"{number(chance)} is below {number(least)}, the least likely token kept",
            f"{number(chance)} 低于所保留的最低概率 {number(least)}",
        )
    return Text(f"removed at probability {number(chance)}", f"以概率 {number(chance)} 被去掉")


def explain_forbidden(io: StageIO, token: int) -> Text:
    """Of a token that a stage removes by its id."""
    chance = number(io.probability(token))
    return Text(f"forbidden, whatever its probability ({chance})", f"禁止使用，与概率（{chance}）无关")


def banned(io: StageIO) -> Text | None:
    """z = −∞ for the tokens that were removed."""
    gone = io.removed.nonzero()[:, 0].tolist()
    if not gone:
        return None
    gone.sort(key=lambda token: -float(io.logprobs[token]))
    names = [f"“{io.name(token)}”" for token in gone[:NAMED]]
    more = len(gone) - len(names)
    return Text(
        f"z = −∞ for {', '.join(names)}" + (f" and {more:,} more" if more else ""),
        f"z = −∞：{'、'.join(names)}" + (f" 等共 {len(gone):,} 个" if more else ""),
    )
