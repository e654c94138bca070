"""What a Step says of its token: the model's own view of it, and what the samplers left. Sorts no vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from playground.kernels import build
from playground.kernels import overview as kernel
from playground.rendering.detokenize import Labels
from playground.token_views import TokenChance

TOP = 10
_REACH = (3.0, 8.0)  # nats below the best within which the first TOP are looked for, in turn


@dataclass(frozen=True, slots=True)
class TokenStats:
    """The fields of a Step that say how likely its token was."""

    logprob: float
    chosen_prob: float
    rank: int
    entropy_nats: float
    top: tuple[TokenChance, ...]


class Seen(NamedTuple):
    """What there is to say of a row of scores, whatever is drawn from it."""

    size: float  # the logarithm of the sum of all weights, where the best one's is 1
    entropy: float
    ids: list[int]
    shares: list[float]


def survey(raw: Tensor) -> list[Seen | None]:
    """Every row of scores [rows, vocab]; None where it is to be worked out by itself."""
    if raw.device.type != "cpu" or raw.dtype != torch.float32 or not build.ready():
        return [None] * len(raw)
    count = min(TOP, raw.shape[1])
    views = kernel.overview(raw, count).tolist()
    return [
        None if math.isnan(size) else Seen(size, entropy, [int(one) for one in rest[:count]], rest[count:])
        for size, entropy, *rest in views
    ]


def describe(
    raw: Tensor,
    token: int,
    chances: Callable[[Sequence[int]], list[float]],
    labels: Labels,
    seen: Seen | None = None,
) -> TokenStats:
    """`raw` [1, vocab] are the model's scores; `chances` gives the probabilities that the samplers left to some tokens;
    `seen` is what `survey` said of these scores, if it was asked."""
    view = _view(raw.float().numpy()[0], token, seen) if raw.device.type == "cpu" else _view_there(raw, token)
    return token_stats(view, chances([token, *view.ids]), labels)


def token_stats(view: View, chances: Sequence[float], labels: Labels) -> TokenStats:
    """`chances` are the probabilities that the samplers left to the token, and to each of the view's ids."""
    chance, *after = chances
    top = tuple(
        TokenChance(token_id, labels[token_id], p_model, p_chain)
        for token_id, p_model, p_chain in zip(view.ids, view.shares, after, strict=True)
    )
    return TokenStats(view.logprob, chance, view.rank, view.entropy, top)


class View(NamedTuple):
    """The model's own view of one token, and the likeliest ones with their probabilities."""

    logprob: float
    rank: int
    entropy: float
    ids: list[int]
    shares: list[float]


def _view(scores: np.ndarray, token: int, seen: Seen | None = None) -> View:
    size, entropy, ids, shares = seen or _seen(scores)
    own = scores[token]
    # The rank of one of the best follows from them alone.
    above = scores[ids] > own if token in ids else scores > own
    logprob = float(own - scores[ids[0]]) - size
    return View(logprob, int(np.count_nonzero(above)) + 1, entropy, ids, shares)


def _seen(scores: np.ndarray) -> Seen:
    ids = best(scores, TOP)
    far = scores - scores[ids[0]]
    weights = np.exp(far)
    total = float(weights.sum())
    if far.min() == -math.inf:
        np.maximum(far, -1e30, out=far)  # 0 · ln 0 counts as 0
    lost = float(np.einsum("i,i->", weights, far))  # no dot product: BLAS would wake its threads, and wait for them
    size = math.log(total)
    return Seen(size, size - lost / total, ids.tolist(), (weights[ids] / total).tolist())


def _view_there(raw: Tensor, token: int) -> View:
    """The same on another device, with one copy from there."""
    _, figures = overview(raw, torch.full((1, 1), token, device=raw.device))
    return view_of(figures[0].tolist())


def overview(raw: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Of scores [rows, vocab] and a token a row [rows, 1]: the likeliest ones' ids [rows, count], and everything that
    `view_of` reads, a row each, in float64. Nothing is copied from the device; of equal scores any may come first."""
    likely = torch.log_softmax(raw.float(), dim=-1)
    ids = raw.topk(min(TOP, raw.shape[1])).indices  # of the scores: a logarithm of theirs may round them to the same
    above = (raw > raw.gather(1, tokens)).sum(dim=-1, keepdim=True)
    lost = (likely.exp() * likely.clamp(min=-1e30)).sum(dim=-1, keepdim=True)
    figures = likely.gather(1, tokens), above, lost, ids, likely.gather(1, ids).exp()
    return ids, torch.cat([one.double() for one in figures], dim=1)


def view_of(figures: Sequence[float]) -> View:
    """One row of an overview, once it is here."""
    logprob, above, lost, *rest = figures
    count = len(rest) // 2
    return View(logprob, int(above) + 1, -lost, [int(one) for one in rest[:count]], list(rest[count:]))


def best(values: np.ndarray, count: int) -> np.ndarray:
    """The places [count] of the largest values [size], the largest first; of equal ones the first place comes first."""
    count = min(count, len(values))
    highest = values.max()
    for reach in _REACH:
        places = np.flatnonzero(values > highest - reach)
        if len(places) >= count:
            break
    else:
        places = np.arange(len(values))
    some = values[places]
    if len(places) > 4 * count:
        near = np.flatnonzero(some >= np.partition(some, -count)[-count])
        places, some = places[near], some[near]
    return places[np.argsort(-some, kind="stable")[:count]]
