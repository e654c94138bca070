"""The scores of several positions at once, as the samplers leave them, and what follows from them.

One class for the rows of a step, on a CPU or a GPU, and for the positions of a replay. Knows no sampler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Array = Any
"""numpy's or torch's array; operators, and functions with `axis` and `keepdims`, mean the same in both."""
NUMPY_DEVICES = ("cpu",)
_REACH = 7.0  # nats below the best within which the leading tokens are looked for
_MOST = 2048  # leading tokens; more of them take as long as sorting all
_FEW = 1 / 8  # share of the vocabulary up to which what is kept is copied, and not what goes struck out


class Candidates:
    """Scores [R, vocab] of R positions; −∞ where a token is no candidate.

    `histories` are the ids [length] before each position, `unconditional` [R, vocab] guidance's second scores,
    `uniform(i)` one number in [0, 1) for position i, which is the same whenever it is asked for.

    float32 scores on a CPU are numpy arrays, others torch tensors, and `xp` is that library: torch shares the work on
    one row of a vocabulary out among its threads, and waits for them milliseconds where the cores are busy. A parameter
    is one number, or a column [R, 1] where rows of a GPU differ. Arrays are replaced and never written to.

    A cut may part tokens of equal score, and only transformers' own sort says which of them stay. `parted` names those
    groups at each position: as many are kept as should be, which of them is open. Stages that look at scores alone are
    right all the same; others put the position into `uncertain`. With `strict` transformers' processors decide at once.
    """

    def __init__(
        self,
        scores: Tensor,
        histories: Sequence[Tensor] = (),
        *,
        unconditional: Tensor | None = None,
        uniform: Callable[[int], float] = lambda _: 0.0,
        strict: bool = False,
    ) -> None:
        self.on_cpu = in_numpy(scores)
        self.xp: Any = np if self.on_cpu else torch
        self.scores: Array = scores.numpy() if self.on_cpu else scores
        self.histories = histories
        self.unconditional = unconditional
        self.uniform = uniform
        self.strict = strict
        self.parted: dict[int, list[np.ndarray]] = {}
        self.uncertain: set[int] = set()
        self._ranked: Array = None
        self._probabilities: Array = None

    def __len__(self) -> int:
        return int(self.scores.shape[0])

    @property
    def vocab(self) -> int:
        return int(self.scores.shape[1])

    @property
    def tensor(self) -> Tensor:
        """The scores [R, vocab] for torch."""
        found: Tensor = torch.from_numpy(self.scores) if self.on_cpu else self.scores
        return found

    def only(self, row: int) -> Candidates:
        """One position by itself."""
        if len(self) == 1:
            return self
        one = slice(row, row + 1)
        return Candidates(
            self.tensor[one],
            self.histories[one] if self.histories else (),
            unconditional=None if self.unconditional is None else self.unconditional[one],
            uniform=lambda _: self.uniform(row),
            strict=self.strict,
        )

    # What follows from the scores

    @property
    def ranked(self) -> Array:
        """The scores [R, vocab] in rising order.

        numpy sorts 49,152 of them in 0.08 ms, torch in 2.3 ms (x86 with AVX-512).
        """
        if self._ranked is None:
            self._ranked = np.sort(self.scores, axis=-1) if self.on_cpu else torch.sort(self.scores, dim=-1).values
        return self._ranked

    @property
    def probabilities(self) -> Array:
        """softmax of the scores [R, vocab]."""
        if self._probabilities is None:
            self._probabilities = self.softmax(self.scores)
        return self._probabilities

    def softmax(self, scores: Array) -> Array:
        """torch's, to the bit, of any array [R, n]."""
        return torch.from_numpy(scores).softmax(dim=-1).numpy() if self.on_cpu else scores.softmax(dim=-1)

    @property
    def alive(self) -> Array:
        """Which tokens [R, vocab] are candidates."""
        return self.scores > -np.inf

    @property
    def usable(self) -> bool:
        """Whether a token can be drawn at every position: the maximum is NaN or infinite as soon as one score is NaN,
        or none is left."""
        return bool(self.xp.isfinite(self.best).all())

    @property
    def best(self) -> Array:
        """The highest score [R, 1]."""
        return self.xp.amax(self.scores, axis=-1, keepdims=True)

    def count(self, mask: Array) -> Array:
        """How many [R, 1] are true, as numbers of the scores' format."""
        total = self.xp.sum(mask, axis=-1, keepdims=True)
        return total.astype(np.float32) if self.on_cpu else total.to(self.scores.dtype)

    def total(self, values: Array) -> Array:
        """The sum [R, 1]."""
        return self.xp.sum(values, axis=-1, keepdims=True)

    def largest(self, count: int | Tensor) -> Array:
        """The score [R, 1] at this rank from above."""
        if isinstance(count, Tensor):
            count = count.clamp(max=self.vocab)
            return self.scores.topk(int(count.max())).values.gather(1, count - 1)
        count = min(count, self.vocab)
        if count == 1:
            return self.best
        if self.on_cpu:
            place = self.vocab - count
            ranked = np.partition(self.scores, place, axis=-1) if self._ranked is None else self._ranked
            return ranked[:, place, None]
        return self.scores.topk(count).values[:, -1:]

    def leading(self, row: int, mass: float) -> np.ndarray | None:
        """The ids of the likeliest tokens of one position on a CPU, the best first: all within some distance of the
        best. None where these are many, or weigh less than this share."""
        scores = self.scores[row]
        ids = np.flatnonzero(scores > scores.max() - _REACH)
        if len(ids) > _MOST or float(self.probabilities[row, ids].sum()) < mass:
            return None
        found: np.ndarray = ids[np.argsort(-scores[ids])]
        return found

    def counts(self, ids: Sequence[Tensor]) -> Array:
        """How often each token [R, vocab] stands in each position's ids; those outside the vocabulary count nowhere."""
        if self.on_cpu:
            size = self.vocab
            each = [np.bincount(one.numpy().clip(max=size), minlength=size + 1)[:size] for one in ids]
            return np.stack(each).astype(np.float32)
        places = _padded(ids, self.vocab)
        counts = self.scores.new_zeros((len(self), self.vocab + 1))
        return counts.scatter_add_(1, places, torch.ones_like(places, dtype=counts.dtype))[:, : self.vocab]

    # What samplers do

    def replace(self, scores: Array) -> None:
        """Other scores, of either library."""
        self.uncertain.update(self.parted)
        self._set(scores.numpy() if self.on_cpu and isinstance(scores, Tensor) else scores)

    def _set(self, scores: Array) -> None:
        self.scores, self._ranked, self._probabilities = scores, None, None

    def replace_alike(self, scores: Array) -> None:
        """Other scores, by a rule that gives equal scores equal ones."""
        self._set(scores)

    def transform(self, change: Callable[[Array], Array]) -> None:
        """The same rising function of every score, by itself."""
        ranked = self._ranked
        self._set(change(self.scores))
        self._ranked = None if ranked is None else change(ranked)

    def edit(self, ids: Sequence[Tensor], change: Callable[[Array], Array]) -> None:
        """Other scores for the tokens in each position's ids, which may repeat one; `change` looks at each alone."""
        if self.on_cpu:
            scores = self.scores.copy()
            for row, one in enumerate(ids):
                here = one.numpy()
                here = here[here < self.vocab]
                scores[row, here] = change(scores[row, here])
            self.replace(scores)
            return
        places = _padded(ids, self.vocab)
        padded = torch.nn.functional.pad(self.scores, (0, 1))
        self.replace(padded.scatter(1, places, change(padded.gather(1, places)))[:, : self.vocab].contiguous())

    def remove(self, gone: Array) -> None:
        """These tokens [R, vocab] are no candidates any more."""
        if not self.on_cpu:
            self._set(self.scores.masked_fill(gone, -torch.inf))
            return
        kept = np.flatnonzero(~gone)
        if len(kept) < self.scores.size * _FEW:
            scores = np.full_like(self.scores, -np.inf)
            scores.ravel()[kept] = self.scores.ravel()[kept]
            self._set(scores)
        else:
            self._set(np.where(gone, np.float32(-np.inf), self.scores))

    def keep(self, kept: Array, least: int | Tensor) -> None:
        """Everything outside `kept` [R, vocab] goes, but never so much that fewer than `least` of the best are left.
        `kept` holds all above some score."""
        if self.on_cpu:
            for row, count in enumerate(np.count_nonzero(kept, axis=-1).tolist()):
                if count < least:
                    kept[row] = self._first(row, int(least))
        else:
            most = int(least.max()) if isinstance(least, Tensor) else least
            best = self.scores.topk(min(most, self.vocab)).indices
            inside = torch.arange(best.shape[1], device=best.device) < least
            kept = kept.scatter(1, best, kept.gather(1, best) | inside)
        self.remove(~kept)

    def keep_best(self, counts: Sequence[int]) -> None:
        """So many of the highest scores of each position stay; of equal ones those with the lowest ids."""
        if self.on_cpu:
            self.remove(~np.stack([self._first(row, count) for row, count in enumerate(counts)]))
            return
        order = torch.sort(self.scores, dim=-1, descending=True, stable=True).indices
        gone = torch.arange(self.vocab, device=order.device) >= torch.tensor(counts, device=order.device)[:, None]
        self.remove(torch.zeros_like(gone).scatter(1, order, gone))

    def _first(self, row: int, count: int) -> np.ndarray:
        """Which tokens [vocab] of one position are among so many of the best."""
        scores, place = self.scores[row], max(self.vocab - count, 0)
        limit = np.partition(scores, place)[place]
        first: np.ndarray = scores > limit
        equal = np.flatnonzero(scores == limit)
        first[equal[: max(count - np.count_nonzero(first), 0)]] = True
        return first

    def keep_leading(self, row: int, ids: np.ndarray, count: int) -> bool:
        """Only the first `count` of these ids, which `leading` gave, stay at this position; whether that can be said
        where equal scores are parted: not if `strict`."""
        scores = self.scores[row]
        if count < len(ids) and scores[ids[count - 1]] == scores[ids[count]]:
            if self.strict:
                return False
            self.parted.setdefault(row, []).append(ids[scores[ids] == scores[ids[count]]])
        left = self.scores.copy() if len(self) > 1 else np.empty_like(self.scores)
        left[row] = -np.inf
        left[row, ids[:count]] = scores[ids[:count]]
        self._set(left)
        return True

    def remove_below(self, limit: Array) -> None:
        """Everything below this score [R, 1]."""
        ranked = self._ranked
        self.remove(self.scores < limit)
        if ranked is not None and self.on_cpu:
            self._ranked = ranked.copy()
            for row in range(len(self)):
                self._ranked[row, : np.searchsorted(ranked[row], limit[row, 0])] = -np.inf

    def remove_lowest(self, counts: Sequence[int]) -> list[int]:
        """Removes so many of the lowest scores of each position, on a CPU; where equal ones are parted, any of them.

        If `strict`, it leaves those positions as they are, and gives them.
        """
        counts = [min(count, self.vocab - 1) for count in counts]
        limits = np.stack([self.ranked[row, count, None] for row, count in enumerate(counts)])
        tied = [
            row
            for row, count in enumerate(counts)
            if count and limits[row, 0] > -np.inf and self.ranked[row, count - 1] == limits[row, 0]
        ]
        if self.strict:
            limits[tied] = -np.inf
        self.remove_below(limits)
        if self.strict:
            return tied
        for row in tied:
            equal = np.flatnonzero(self.scores[row] == limits[row, 0])
            lower = int(np.searchsorted(self.ranked[row], limits[row, 0]))
            self.scores[row, equal[: counts[row] - lower]] = -np.inf
            self.ranked[row, lower : counts[row]] = -np.inf
            self.parted.setdefault(row, []).append(equal)
        return []

    def chances(self, row: int, ids: Sequence[int]) -> list[float]:
        """The probabilities of these tokens of one position."""
        found: list[float] = self.probabilities[row, list(ids)].tolist()
        return found

    def possible(self, row: int) -> np.ndarray:
        """The probabilities [vocab] of one position, where each of the parted tokens has the same, kept or not."""
        found: np.ndarray = self.probabilities[row]
        if row in self.parted:
            found = found.copy()
            for equal in self.parted[row]:
                found[equal] = found[equal].max()
        return found

    def settled(self, row: int, tokens: Sequence[int]) -> bool:
        """Whether all is known of these tokens of one position."""
        open_ = (set(tokens).intersection(equal.tolist()) for equal in self.parted.get(row, ()))
        return row not in self.uncertain and not any(open_)

    def replace_rows(self, rows: Sequence[int], scores: Sequence[Tensor]) -> None:
        """Other scores [1, vocab] for some positions."""
        if rows:
            places = torch.tensor(rows, device=scores[0].device)
            self.replace(self.tensor.index_copy(0, places, torch.cat([*scores])))


def in_numpy(scores: Tensor) -> bool:
    """Whether these scores are numpy's matter."""
    return scores.device.type in NUMPY_DEVICES and scores.dtype == torch.float32


def _padded(pieces: Sequence[Tensor], vocab: int) -> Tensor:
    """Ids [R, longest], where `vocab` stands for what is outside the vocabulary or missing."""
    return pad_sequence(list(pieces), batch_first=True, padding_value=vocab).clamp(max=vocab)
