"""The candidates of all positions of a prepared row at once, in columns of almost equal scores, as the stages leave
them; and how far each number may be off, so that whoever asks knows what is certain.

A score is known up to `blur`, a sum of probabilities up to `error`; a column is `sure` to be kept or only `possible`.
Knows no stage.
"""

from __future__ import annotations

import torch
from torch import Tensor

from playground.decoding.prepared import Prepared

_ROUGH = 1e-5  # relative error of a sum of float32 probabilities in the chain
_ROUNDING = 4e-7  # of a score in float32, relative to its size
_NOWHERE = -1e9  # the score of what is no candidate: far from infinity, so that it can be reckoned with
_FAINTEST = 40.0  # nats below the best, at most, of a candidate whose weight can matter


class Columns:
    """T positions, C columns; scores `z` [T, C] lie relative to the best candidate's at first.

    `count` are the tokens of a column that are still alive, `spread` how far one's score may lie from `z`, `drift` [T]
    a relative error that all scores of a position share, `zero` [T] the score in the chain of z = 0. `luck`, `second`
    and `ids` are those of Prepared. The tokens `known` [K] have columns of their own, at `places` [T, K]; `own` [T] is
    the row's token among them. Stages replace tensors and never write to them, so that a copy costs nothing.
    """

    def __init__(self, ready: Prepared, known_far: Tensor, unsure: Tensor) -> None:
        there = torch.isfinite(known_far)
        alone = torch.zeros_like(known_far)
        far = torch.cat([ready.far, known_far], dim=1)
        order = far.argsort(dim=1, stable=True)

        def sorted_in(columns: Tensor, known: Tensor) -> Tensor:
            return torch.cat([columns, known], dim=1).gather(1, order)

        self.z = far.gather(1, order).double().neg().clamp(min=_NOWHERE)
        self.count = sorted_in(ready.count, there.to(ready.count.dtype)).double()
        self.spread = sorted_in(ready.spread, alone).double()
        self.luck = sorted_in(ready.luck, ready.known_luck).double()
        self.second = sorted_in(ready.second, alone - torch.inf).double()
        self.ids = sorted_in(ready.ids, ready.known.int().expand(known_far.shape))
        self.own = ready.own
        places = torch.arange(order.shape[1], device=order.device).expand_as(order)
        self.places = torch.empty_like(order).scatter_(1, order, places)[:, ready.far.shape[1] :]
        self.known = ready.known
        self.zero = ready.top.double()
        self.drift = torch.zeros_like(self.zero)
        self.unsure = unsure
        self.sure = self.possible = self.count > 0
        self.loose = torch.zeros_like(self.zero)  # share of the total that may be there or not
        self.vague = torch.zeros_like(self.zero)  # number of tokens that may be there or not
        self._ordered = True
        self._sums: tuple[Tensor, Tensor, Tensor] | None = None

    def copy(self) -> Columns:
        twin = object.__new__(Columns)
        twin.__dict__.update(self.__dict__)
        return twin

    def order(self) -> None:
        """Columns by falling score; those without a candidate anywhere."""
        if self._ordered:
            return
        order = self.z.argsort(dim=1, descending=True, stable=True)
        for name in ("z", "count", "spread", "luck", "second", "ids", "sure", "possible"):
            setattr(self, name, getattr(self, name).gather(1, order))
        places = torch.arange(order.shape[1], device=order.device).expand_as(order)
        self.places = torch.empty_like(order).scatter_(1, order, places).gather(1, self.places)
        self._ordered, self._sums = True, None

    @property
    def best(self) -> Tensor:
        """The score [T] of the best candidate."""
        return self.weights()[2]

    @property
    def blur(self) -> Tensor:
        """How far the score of any token of a column [T, C] may lie from `z`."""
        size = self.z.abs()
        return self.spread + self.drift[:, None] * size + _ROUNDING * (size + self.zero.abs()[:, None])

    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of each column [T, C], where one best candidate weighs 1; of all together [T]; and the best one's score."""
        if self._sums is None:
            best = self.z.masked_fill(self.count == 0, -torch.inf).max(dim=1).values
            weights = self.count * torch.exp(self.z - best[:, None]).clamp(max=1.0)
            self._sums = weights, weights.sum(dim=1), best
        return self._sums

    def likely(self) -> Tensor:
        """The natural log-probability [T, C] of one token of a column."""
        _, total, best = self.weights()
        return self.z - (best + total.log())[:, None]

    def error(self) -> Tensor:
        """How far a probability or a sum of them may be off, relatively [T].

        A mean stands for all tokens of a column, which is wrong in the second order only; an error that the scores of
        a position share is wrong in the first.
        """
        weights, total, best = self.weights()
        curved = (weights * self.spread**2).sum(dim=1) / total
        shared = self.drift * (weights * (best[:, None] - self.z)).sum(dim=1) / total
        return _ROUGH + curved + shared + self.loose

    def entropy(self) -> tuple[Tensor, Tensor]:
        """In nats [T], and how far it may be off."""
        weights, total, _ = self.weights()
        entropy = -(weights * self.likely()).sum(dim=1) / total
        return entropy, self.error() * (2 + entropy) + _FAINTEST * self.loose

    def move(self, z: Tensor, spread: Tensor, *, drift: Tensor | None = None, rising: bool = True) -> None:
        """New scores with their errors; `rising` says that they keep the order of the old ones."""
        self.z = torch.where(self.z > _NOWHERE, z, _NOWHERE)
        self.spread = spread
        self.drift = self.drift if drift is None else drift
        self._ordered, self._sums = self._ordered and rising, None

    def keep(self, sure: Tensor, possible: Tensor, kept: Tensor, doubt: Tensor | None = None) -> None:
        """Narrow the candidates, all [T, C]: `kept` is how many of a column's tokens stay at the best guess, `doubt`
        how many more or fewer it may be (all of a column that may stay, if nothing is said)."""
        possible = possible & self.possible
        sure = sure & self.sure & possible
        doubt = (self.count if doubt is None else doubt.minimum(self.count)) * (possible & ~sure)
        weights, _, before = self.weights()
        heavy = (weights * doubt / self.count.clamp(min=1)).sum(dim=1)
        self.vague = self.vague + doubt.sum(dim=1)
        self.count = torch.minimum(kept, self.count) * possible
        self.sure, self.possible, self._sums = sure, possible, None
        _, total, best = self.weights()
        share = heavy * torch.exp(before - best) / total
        self.loose = self.loose + torch.where(heavy > 0, share, 0.0)

    def keep_above(
        self, gate: Tensor, error: Tensor, least: int = 1, *, ties: bool = False, reaches: bool = True
    ) -> None:
        """Keep every token of at least this score [T], known up to `error`, and `least` of the best.

        `ties` says that whoever has the last one's score stays with it, `reaches` that the best score always does.
        """
        self.order()
        blur, best = self.blur, self.best[:, None]
        gate, room = gate[:, None], error[:, None]
        highest = (self.z == best) & reaches
        sure = (self.z - blur >= gate + room) | highest
        possible = (self.z + blur >= gate - room) | highest
        kept = torch.where((self.z >= gate) | highest, self.count, 0.0)
        if least == 1 and reaches:
            self.keep(sure, possible, kept)
            return
        more, perhaps, number = self.first(torch.full_like(self.best, least), ties=ties)
        doubt = torch.where(possible, self.count, 0.0)
        self.keep(sure | more, possible | perhaps, kept.maximum(number), doubt)

    def first(self, number: Tensor, *, ties: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Where the so many [T] best candidates surely and possibly are, and how many of them in each column."""
        self.order()
        through = self.count.cumsum(dim=1)
        before = through - self.count
        self.unsure = self.unsure | ((self.vague > 0) & (through[:, -1] + self.vague > number))
        inside = through <= number[:, None]
        partly = (before < number[:, None]) & ~inside
        if not ties:
            kept = (number[:, None] - before).clamp(min=0).minimum(self.count)
            return (*self.widened(inside, inside | partly), kept)
        reached = (inside | partly) & (self.count > 0)
        last = torch.where(reached, self.z, torch.inf).min(dim=1, keepdim=True).values
        level = self.z == last  # whoever has exactly this score stays, if all of its column have
        exactly = level & ((self.spread * level).max(dim=1, keepdim=True).values == 0)
        blur = self.blur
        room = torch.where(level, blur, 0.0).max(dim=1, keepdim=True).values
        sure = exactly | (self.z - blur > last + room)
        possible = level | (self.z + blur >= last - room)
        return sure, possible, torch.where(self.z >= last, self.count, 0.0)

    def widened(self, sure: Tensor, possible: Tensor) -> tuple[Tensor, Tensor]:
        """A cut by rank: where scores of two columns may lie on either side of each other, so may the cut."""
        blur = self.blur
        low, high = self.z - blur, self.z + blur
        edge = torch.where(self.possible & ~sure, high, -torch.inf).max(dim=1, keepdim=True).values
        rim = torch.where(possible, low, torch.inf).min(dim=1, keepdim=True).values
        return sure & (low > edge), possible | (self.possible & (high >= rim))

    def at(self, table: Tensor) -> Tensor:
        """The entries [T] of the row's own tokens."""
        return table.gather(1, self.places.gather(1, self.own[:, None]))[:, 0]
