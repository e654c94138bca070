"""The candidates of one position, best first, looked at only as far down as a cut-off reaches.

The best few tokens decide nearly always; a sum over the whole row tells what the others weigh. Where float32 rounding
or the order of equal scores could decide, candidates are held in doubt, and `Unsure` is raised as soon as one in doubt
matters: then the chain itself decides. Scores are exactly those that the samplers' own arithmetic gives. Knows no
sampler and no request.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from playground.decoding.noise import Noise
from playground.kernels import build
from playground.kernels.overview import candidates

Floats = np.ndarray
Border = tuple[int, int, int]
"""How many of the best are kept for certain, how many at the best guess, and how many at most."""

DEPTHS = (7.0, 8.5, 9.5, 10.5, 12.0, 14.0, math.inf)
"""How many nats below the best one looks, in turn."""
TINY = 2e-6  # rounding of one probability in float32, and of a sum of few
PER_RANK = 5e-9  # what a float32 sum loses for each place of the mean rank: four times the worst that was measured
STRICT = 1e-5  # how far the quotient of two probabilities may be off in float32, as a share
LOOSE = 3e-4  # the same of one, which a sum over the unsorted vocabulary divides
CLOSE = 1e-5  # a race is too close to call below this share
DEEPEST = -80.0  # nats: probabilities farther down are no longer normal numbers of float32
# How far a probability that is shown may be off where rounding decides who is still in: of the whole, and of itself. It
# is less than half of the last digit that a page shows; asking the chain takes as long as all else in a row's step.
TOLD, TOLD_SHARE = 2e-4, 4e-3


class Unsure(Exception):
    """Rounding could decide here."""


class Field:
    """One row of final scores in the making. `row` [vocab] float32 is never written to.

    While no cut-off has been at work all tokens are alive and `ids` holds only those that were looked at; later it
    holds all that may still be alive. `ids` and `scores` are sorted, the best first. Of these the first `sure` are
    alive for certain, and `count` of them at the best guess: where equal scores make a border, any so many of them.
    """

    def __init__(self, row: Floats) -> None:
        self.row = row
        self.cut_off = False
        self.sure = self.count = 0
        self.error = 0.0  # how far sums of weights may be off, as a share, because of candidates in doubt
        self._own = False
        self._depth = -1
        self.ids: np.ndarray = np.empty(0, dtype=np.int64)
        self.scores: Floats = np.empty(0, dtype=np.float32)

    # What can be asked

    @cached_property
    def best(self) -> float:
        best = float(self.scores[0]) if self.cut_off else float(self.row.max())
        if not math.isfinite(best):
            raise Unsure
        return best

    @cached_property
    def far(self) -> Floats:
        """How far below the best [vocab] float32, while all are alive."""
        return self.row - np.float32(self.best)

    @cached_property
    def spread(self) -> Floats:
        """The weights [vocab] of all tokens, while all are alive; the best weighs 1."""
        return np.exp(self.far)

    @cached_property
    def weights(self) -> Floats:
        """The weights of those in `ids`, float64; the best weighs 1."""
        return np.exp(self.scores.astype(np.float64) - self.best)

    @cached_property
    def total(self) -> float:
        """What all that are alive weigh together."""
        return float(self.weights[: self.count].sum()) if self.cut_off else float(self.spread.sum())

    @cached_property
    def entropy(self) -> float:
        """In nats."""
        if self.cut_off:
            weights = self.weights[: self.count]
            lost = float((weights * (self.scores[: self.count].astype(np.float64) - self.best)).sum())
        else:
            lost = float((self.spread * np.maximum(self.far, -1e30)).sum())
        return math.log(self.total) - lost / self.total

    @property
    def alive(self) -> int:
        """How many there are."""
        return self.count if self.cut_off else int(np.count_nonzero(self.row > -math.inf))

    @property
    def deviation(self) -> float:
        """The standard deviation of the scores."""
        if self.doubtful or not math.isfinite(self.best):
            raise Unsure
        return float((self.scores if self.cut_off else self.row[self.row > -math.inf]).std())

    @property
    def complete(self) -> bool:
        """Whether `ids` holds all that may be alive."""
        return self.cut_off or self._depth == len(DEPTHS) - 1

    @property
    def rounding(self) -> float:
        """How far a float32 sum of sorted probabilities may be off, as a share of the whole."""
        rank = float((self.weights * np.arange(len(self.weights))).sum()) / self.total
        if not self.complete:
            # Weights only sink: those not looked at lie, in the mean, before the middle of their places.
            rank += max(0.0, 1 - float(self.weights.sum()) / self.total) * (len(self.row) + len(self.ids)) / 2
        return TINY + PER_RANK * rank

    @property
    def depth(self) -> float:
        """Down to how many nats below the best all are known."""
        return math.inf if self.complete else DEPTHS[self._depth]

    @property
    def doubtful(self) -> bool:
        return self.sure < len(self.ids)

    def reaching(self, score: float) -> int:
        """How many of `ids` have at least this score."""
        return len(self.scores) - int(np.searchsorted(self.scores[::-1], np.float32(score), side="left"))

    # What stages do

    def edit(self, places: np.ndarray, change: Callable[[Floats], Floats]) -> None:
        """New scores for single tokens; `change` gets and gives them in the order of `places`, which may repeat one."""
        if len(places) and int(places.max()) >= len(self.row):
            raise Unsure
        if self.cut_off:
            self._edit_few(places, change)
        else:
            if not self._own:
                self.row, self._own = self.row.copy(), True
            self.row[places] = change(self.row[places])
        self._changed()

    def divide(self, temperature: float) -> None:
        if self.cut_off:
            self.scores = self.scores / np.float32(temperature)
        else:
            room = self.row if self._own else None
            self.row, self._own = np.divide(self.row, np.float32(temperature), out=room), True
        self._changed()

    def cut(self, border: Callable[[], Border], *, ties_stay: bool = True) -> None:
        """Keep so many of the best. `border` is asked again after looking deeper, where it may lie below what was seen.

        `ties_stay` says that equal scores share one fate; else a border through them leaves them in doubt.
        """
        self.look_to(1)
        low, count, high = border()
        while high >= len(self.ids) and self.look():
            low, count, high = border()
        high = min(high, len(self.ids))
        if high > low:
            self.error += float(self.weights[low:high].sum()) / self.total
        if not ties_stay:
            low, high = self._around(low, high)
        low, count = min(low, self.sure), min(count, self.count)
        self.cut_off = True
        if high < len(self.ids) or self.count > count:
            self.ids, self.scores, weights = self.ids[:high], self.scores[:high], self.weights[:high]
            self._changed(best=self.best, weights=weights)
        else:
            self._changed(best=self.best, weights=self.weights, total=self.total)
        self.sure, self.count = low, count

    def keep(self, limit: float, margin: float, least: int) -> None:
        """Keep what scores at least `limit`, which may be off by up to `margin`; and in any case the best, and so many
        of the next as make `least`. Of those that score about the same, any may be chosen for that."""

        def border() -> Border:
            self.look_to(least)
            low, count, high = self.band(limit, margin)
            if low < least:
                last = float(self.scores[:least][-1])
                near = self.reaching(last - STRICT)
                sure = least if near <= least else self.reaching(last + STRICT)
                low, count, high = max(low, sure), max(count, least), max(high, near)
            return low, count, high

        self.cut(border)

    def band(self, limit: float, margin: float) -> Border:
        """The border of what scores at least `limit`, which may be off by up to `margin`."""
        if limit - self.best < DEEPEST:
            raise Unsure
        return self.reaching(limit + margin), self.reaching(limit), self.reaching(limit - margin)

    def drop(self, count: int) -> None:
        """The best so many are out."""
        if not self.cut_off:
            self.edit(self.ids[:count], lambda scores: np.full_like(scores, -np.inf))
        elif count >= self.sure:
            raise Unsure
        else:
            self.ids, self.scores = self.ids[count:], self.scores[count:]
            self.sure, self.count = self.sure - count, self.count - count
            self._changed()

    def only(self, first: int, stop: int) -> None:
        """Of those looked at only these stay, for certain."""
        self.ids, self.scores = self.ids[first:stop], self.scores[first:stop]
        self.cut_off, self.sure, self.count = True, stop - first, stop - first
        self._changed()

    def look(self, share: float = 0.0) -> bool:
        """Look deeper, and so deep that what is known weighs at least this share; False where all is known."""
        if self.complete:
            return False
        self._depth += 1
        if build.ready() and self.row.flags.c_contiguous:
            self.ids, self.scores, further, total = candidates(self.row, self.best, DEPTHS[self._depth :], share)
            self._depth += further
            self.__dict__.setdefault("total", total)
        else:
            self._look(share)
        self.sure = self.count = len(self.ids)
        self._forget(("weights",))
        return True

    def _look(self, share: float) -> None:
        found = np.flatnonzero(self.far > -DEPTHS[self._depth])
        while share and not self.complete and float(self.spread[found].sum()) < share * self.total:
            self._depth += 1
            found = np.flatnonzero(self.far > -DEPTHS[self._depth])
        scores = self.row[found]
        order = np.argsort(-scores)
        self.ids, self.scores = found[order], scores[order]

    def look_to(self, count: int) -> None:
        """Look until so many are known, or all."""
        while len(self.ids) < count and self.look():
            pass

    # What becomes of it

    def greedy(self) -> int:
        """The best token; the first of several."""
        best = self.best  # asked for in any case: a row without one has no winner
        if not self.cut_off:
            return int(self.row.argmax())
        equal = self.reaching(best)
        if equal > self.sure:
            raise Unsure
        return int(self.ids[:equal].min())

    def race(self, noise: Noise) -> int:
        """The winner of argmax p / E."""
        if self.cut_off:
            ids, weights, sure = self.ids, self.weights, self.sure
        else:
            # E is nowhere smaller than `least`, so only these can beat what one good runner reaches.
            with np.errstate(divide="ignore", invalid="ignore"):
                hopes = self.spread / noise.least()
            runner = np.array([hopes.argmax()])
            ids = np.flatnonzero(hopes >= (self.spread[runner] / noise.at(runner)) * (1 - CLOSE))
            weights, sure = self.spread[ids], len(ids)
        with np.errstate(divide="ignore", invalid="ignore"):
            marks = weights / noise.at(ids)
        if not len(ids):
            raise Unsure
        winner = int(marks.argmax())
        rivals = marks >= marks[winner] * (1 - CLOSE)
        if winner >= sure or np.count_nonzero(rivals) != 1:
            raise Unsure
        return int(ids[winner])

    def chances(self, places: Sequence[int]) -> list[float]:
        """The probabilities of these tokens."""
        if not self.cut_off:
            return (self.spread[list(places)] / self.total).tolist()
        if self.error > min(TOLD * self.total, TOLD_SHARE):  # the best one weighs 1: it may be off the furthest
            raise Unsure
        found = dict.fromkeys(places, 0.0)
        for at in np.flatnonzero((self.ids == np.array(places)[:, None]).any(axis=0)).tolist():
            if at >= self.sure:
                raise Unsure
            found[int(self.ids[at])] = float(self.weights[at]) / self.total
        return [found[place] for place in places]

    # Inside

    def _around(self, low: int, high: int) -> tuple[int, int]:
        """The same border, moved to where no group of equal scores is parted."""
        scores, size = self.scores, len(self.scores)
        if 0 < low < size and scores[low - 1] == scores[low]:
            low = size - int(np.searchsorted(scores[::-1], scores[low], side="right"))
        if 0 < high < size and scores[high - 1] == scores[high]:
            high = self.reaching(float(scores[high]))
        return low, high

    def _edit_few(self, places: np.ndarray, change: Callable[[Floats], Floats]) -> None:
        if self.doubtful:
            raise Unsure
        order = np.argsort(self.ids)
        spots = np.searchsorted(self.ids, places, sorter=order).clip(max=len(order) - 1)
        spots = order[spots]
        here = self.ids[spots] == places
        scores = np.zeros(len(places), dtype=np.float32)
        scores[here] = self.scores[spots[here]]
        changed = self.scores.copy()
        changed[spots[here]] = change(scores)[here]
        order = np.argsort(-changed)
        order = order[changed[order] > -math.inf]
        if not len(order):
            raise Unsure
        self.ids, self.scores = self.ids[order], changed[order]
        self.sure = self.count = len(order)

    def _changed(self, **known: object) -> None:
        """Forget what was worked out from the scores, but for what is `known` still."""
        self._forget(("best", "far", "spread", "weights", "total", "entropy"))
        self.__dict__.update(known)
        if not self.cut_off:
            self._depth, self.ids, self.scores = -1, self.ids[:0], self.scores[:0]

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self.__dict__.pop(name, None)
