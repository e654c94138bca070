"""What there is to say of a pick: the model's own view of it, and the chain's. No sorting of the vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from playground.decoding.detokenize import Labels
from playground.types import TokenChance

TOP = 10
_REACH = (3.0, 8.0)  # nats below the best within which the first TOP are looked for, in turn


@dataclass(frozen=True, slots=True)
class Sight:
    """The fields of a Step that say how likely its token was."""

    logprob: float
    chosen_prob: float
    rank: int
    entropy_nats: float
    top: tuple[TokenChance, ...]


def describe(raw: Tensor, token: int, chances: Callable[[Sequence[int]], list[float]], labels: Labels) -> Sight:
    """`raw` [1, vocab] are the model's scores; `chances` gives the probabilities that the chain left to some tokens."""
    view = _view(raw[0].float().numpy(), token) if raw.device.type == "cpu" else _view_there(raw, token)
    chance, *after = chances([token, *view.ids])
    top = tuple(
        TokenChance(token_id, labels[token_id], p_model, p_chain)
        for token_id, p_model, p_chain in zip(view.ids, view.shares, after, strict=True)
    )
    return Sight(view.logprob, chance, view.rank, view.entropy, top)


class _View(NamedTuple):
    """The model's own view of one token, and the likeliest ones with their probabilities."""

    logprob: float
    rank: int
    entropy: float
    ids: list[int]
    shares: list[float]


def _view(scores: np.ndarray, token: int) -> _View:
    ids = best(scores, TOP)
    far = scores - scores[ids[0]]
    weights = np.exp(far)
    total = float(weights.sum())
    # No dot product: BLAS would wake its threads, and wait for them. And 0 · ln 0 counts as 0.
    lost = float((weights * np.maximum(far, -1e30, out=far)).sum())
    size = math.log(total)
    rank = int(np.count_nonzero(scores > scores[token])) + 1
    logprob = float(scores[token] - scores[ids[0]]) - size
    return _View(logprob, rank, size - lost / total, ids.tolist(), (weights[ids] / total).tolist())


def _view_there(raw: Tensor, token: int) -> _View:
    """The same on another device, with one copy from there."""
    likely = torch.log_softmax(raw.float(), dim=-1)[0]
    values, ids = likely.topk(min(TOP, len(likely)))
    above = (likely > likely[token]).sum()
    lost = (likely.exp() * likely.clamp(min=-1e30)).sum()
    figures = torch.stack([likely[token], above, lost]).double()
    logprob, rank, lost, *rest = torch.cat([figures, ids.double(), values.exp().double()]).tolist()
    return _View(logprob, int(rank) + 1, -lost, [int(one) for one in rest[: len(ids)]], rest[len(ids) :])


def best(values: np.ndarray, count: int) -> np.ndarray:
    """The places of the largest values, the largest first; of equal ones the first place comes first."""
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
