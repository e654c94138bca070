"""The scores of several positions at once, as the samplers leave them, and what follows from them.

One class for the rows of a step, on a CPU or a GPU, and for the positions of a replay. Knows no sampler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Array = Any
"""numpy's or torch's array; operators, and functions with `axis` and `keepdims`, mean the same in both."""
NUMPY_DEVICES = ("cpu",)
_REACH = 9.0  # nats below the best within which the leading tokens are looked for
_MOST = 4096  # leading tokens; more of them take as long as sorting all
_FEW = 1 / 8  # share of the vocabulary up to which what is kept is copied, and not what goes struck out


class Ranked(NamedTuple):
    """Tokens of one position on a CPU: their ids [count] in rising order, and their scores [count], the best first."""

    ids: np.ndarray
    scores: np.ndarray


class Candidates:
    """Scores [R, vocab] of R positions; −∞ where a token is no candidate.

    `histories` are the ids [length] before each position, `unconditional` [R, vocab] guidance's second scores,
    `uniform(i)` one number in [0, 1) for position i, which is the same whenever it is asked for.

    Where scores are float32 on a CPU, R is 1 and they are numpy's; others are torch's, and `xp` is that library. (torch
    shares the work on one row of a vocabulary out among its threads, and waits for them milliseconds where the cores
    are busy.) A parameter is one number, or a column [R, 1] where rows differ. Arrays are replaced, never written to.

    A cut may part tokens of equal score, and only transformers' own sort says which of them stay. `parted` holds the
    ids of those groups: as many are kept as should be, which of them is open. Stages that look at scores alone are
    right all the same; others make the position `uncertain`. With `strict` transformers' processors decide at once.
    """

    def __init__(
        self,
        scores: Tensor,
        histories: Sequence[Tensor] = (),
        *,
        unconditional: Tensor | None = None,
        uniform: Callable[[int], float] = lambda _: 0.0,
        strict: bool = False,
        on_cpu: bool | None = None,
    ) -> None:
        self.on_cpu = in_numpy(scores) if on_cpu is None else on_cpu
        self.xp: Any = np if self.on_cpu else torch
        self.scores: Array = scores.numpy() if self.on_cpu else scores
        self.histories = histories
        self.unconditional = unconditional
        self.uniform = uniform
        self.strict = strict
        self.parted: list[np.ndarray] = []
        self.uncertain = False
        self._few: np.ndarray | None = None  # ids that hold all candidates, where a cut left few
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

    def only(self, row: int, *, on_cpu: bool | None = None) -> Candidates:
        """One position by itself, where the scores are or on a CPU."""
        if len(self) == 1 and not on_cpu:
            return self
        one = slice(row, row + 1)
        return Candidates(
            self.tensor[one].cpu() if on_cpu else self.tensor[one],
            [ids.cpu() if on_cpu else ids for ids in self.histories[one]],
            unconditional=None if self.unconditional is None else self.unconditional[one],
            uniform=lambda _: self.uniform(row),
            strict=self.strict or bool(on_cpu),
            on_cpu=on_cpu,
        )

    # What follows from the scores

    @property
    def probabilities(self) -> Array:
        """torch's softmax of the scores [R, vocab]."""
        if self._probabilities is None:
            found = self.tensor.softmax(dim=-1)
            self._probabilities = found.numpy() if self.on_cpu else found
        return self._probabilities

    @property
    def alive(self) -> Array:
        """Which tokens [R, vocab] are candidates."""
        return self.scores > -np.inf

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
            return np.partition(self.scores, place, axis=-1)[:, place, None]
        return self.scores.topk(count).values[:, -1:]

    def ranked(self) -> Ranked:
        """All tokens."""
        return Ranked(_every(self.vocab), np.sort(self.scores[0])[::-1])

    def leading(self) -> Ranked | None:
        """The likeliest tokens: all within some distance of the best. None where these are many."""
        scores = self.scores[0]
        ids = np.flatnonzero(scores > scores.max() - _REACH)
        return None if len(ids) > _MOST else Ranked(ids, np.sort(scores[ids])[::-1])

    def counts(self, ids: Sequence[Tensor]) -> Array:
        """How often each token [R, vocab] stands in each position's ids; those outside the vocabulary count nowhere."""
        if self.on_cpu:
            size = self.vocab
            counts = np.bincount(ids[0].numpy().clip(max=size), minlength=size + 1)[None, :size]
            return counts.astype(np.float32)
        places = _padded(ids, self.vocab)
        counts = self.scores.new_zeros((len(self), self.vocab + 1))
        return counts.scatter_add_(1, places, torch.ones_like(places, dtype=counts.dtype))[:, : self.vocab]

    # What samplers do

    def replace(self, scores: Array) -> None:
        """Other scores, of either library."""
        self.uncertain = self.uncertain or bool(self.parted)
        self._set(scores.numpy() if self.on_cpu and isinstance(scores, Tensor) else scores)

    def _set(self, scores: Array) -> None:
        self.scores, self._probabilities, self._few = scores, None, None

    def replace_alike(self, scores: Array) -> None:
        """Other scores, by a rule that gives equal scores equal ones."""
        self._set(scores)

    def transform(self, change: Callable[[Array], Array]) -> None:
        """The same rising function of every score, by itself."""
        few = self._few
        self._set(change(self.scores))
        self._few = few

    def edit(self, ids: Sequence[Tensor], change: Callable[[Array], Array | float]) -> None:
        """Other scores for the tokens in each position's ids [length], which may repeat one; each changes alone."""
        if self.on_cpu:
            scores, here = self.scores.copy(), ids[0].numpy()
            here = here[here < self.vocab]
            scores[0, here] = change(scores[0, here])
            self.uncertain = self.uncertain or any(np.isin(equal, here).any() for equal in self.parted)
            self._set(scores)
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
        if len(kept) < self.vocab * _FEW:
            self._keep_only(kept)
        else:
            self._set(np.where(gone, np.float32(-np.inf), self.scores))

    def _keep_only(self, ids: np.ndarray) -> None:
        scores = np.full_like(self.scores, -np.inf)
        scores[0, ids] = self.scores[0, ids]
        self._set(scores)
        self._few = ids if len(ids) < self.vocab * _FEW else None

    def keep(self, kept: Array, least: int | Tensor) -> None:
        """Everything outside `kept` [R, vocab] goes, but never so much that fewer than `least` of the best are left.
        `kept` holds all above some score."""
        if self.on_cpu:
            if np.count_nonzero(kept) < least:
                self.keep_best(int(least))
                return
        else:
            most = int(least.max()) if isinstance(least, Tensor) else least
            best = self.scores.topk(min(most, self.vocab)).indices
            inside = torch.arange(best.shape[1], device=best.device) < least
            kept = kept.scatter(1, best, kept.gather(1, best) | inside)
        self.remove(~kept)

    def keep_best(self, count: int) -> None:
        """So many of the highest scores stay, on a CPU; of equal ones those with the lowest ids."""
        scores, place = self.scores[0], max(self.vocab - count, 0)
        limit = np.partition(scores, place)[place]
        above, equal = np.flatnonzero(scores > limit), np.flatnonzero(scores == limit)
        self._keep_only(np.concatenate([above, equal[: max(count - len(above), 0)]]))

    def keep_first(self, ranked: Ranked, count: int) -> bool:
        """Only the first `count` of these tokens, which hold all above some score, stay. False, and nothing is done,
        where that parts equal scores and `strict` is set."""
        ids, limit = ranked.ids, ranked.scores[count - 1]
        scores = self.scores[0, ids]
        kept = ids[scores >= limit]
        if len(kept) > count and limit > -np.inf:
            if self.strict:
                return False
            equal = ids[scores == limit]
            self.parted.append(equal)
            kept = np.concatenate([ids[scores > limit], equal[: count - len(kept)]])
        self._keep_only(kept)
        return True

    def chances(self, ids: Sequence[int]) -> list[float]:
        """The probabilities of these tokens, on a CPU."""
        if self._few is None:
            return list(self.probabilities[0, list(ids)].tolist())
        scores = self.scores[0, self._few]
        best = scores.max()
        return list((np.exp(self.scores[0, list(ids)] - best) / np.exp(scores - best).sum()).tolist())

    def contenders(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids [count] that can be drawn on a CPU, and what each weighs; parted tokens alike, kept or not."""
        if self._few is None or self.parted:
            chances = self.possible()
            here = chances > 0
            if np.count_nonzero(here) > self.vocab * _FEW:
                return _every(self.vocab), chances
            return np.flatnonzero(here), chances[here]
        scores = self.scores[0, self._few]
        return self._few, np.exp(scores - scores.max())

    def possible(self) -> np.ndarray:
        """The probabilities [vocab] on a CPU, where each of the parted tokens has the same, kept or not."""
        found: np.ndarray = self.probabilities[0].copy() if self.parted else self.probabilities[0]
        for equal in self.parted:
            found[equal] = found[equal].max()
        return found

    def exact(self) -> np.ndarray:
        """The probabilities [vocab] on a CPU, to the last bit; which of the parted tokens stay moves that bit."""
        self.uncertain = self.uncertain or bool(self.parted)
        return self.possible()

    def settled(self, tokens: Iterable[int]) -> bool:
        """Whether all is known of these tokens."""
        return not self.uncertain and not any(set(tokens).intersection(equal.tolist()) for equal in self.parted)


@cache
def _every(vocab: int) -> np.ndarray:
    return np.arange(vocab)


def in_numpy(scores: Tensor) -> bool:
    """Whether these scores [R, vocab] are numpy's matter."""
    return scores.device.type in NUMPY_DEVICES and scores.dtype == torch.float32


def _padded(pieces: Sequence[Tensor], vocab: int) -> Tensor:
    """Ids [R, longest], where `vocab` stands for what is outside the vocabulary or missing."""
    return pad_sequence(list(pieces), batch_first=True, padding_value=vocab).clamp(max=vocab)
