"""What there is to say of a pick: the model's own view of it, and the chain's. No sorting of the vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
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
    scores = raw[0].float().numpy(force=True)
    ids = best(scores, TOP)
    chance, *after = chances([token, *ids.tolist()])
    far = scores - scores[ids[0]]
    weights = np.exp(far)
    total = float(weights.sum())
    lost = float((weights * far).sum())  # no dot product: BLAS would wake its threads, and wait for them
    if not math.isfinite(lost):  # 0 · ln 0 counts as 0
        lost = float((weights * np.maximum(far, -1e30)).sum())
    size = math.log(total)
    top = tuple(
        TokenChance(token_id, labels[token_id], weight / total, p_chain)
        for token_id, weight, p_chain in zip(ids.tolist(), weights[ids].tolist(), after, strict=True)
    )
    rank = int(np.count_nonzero(far > far[token])) + 1
    return Sight(float(far[token]) - size, chance, rank, size - lost / total, top)


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
