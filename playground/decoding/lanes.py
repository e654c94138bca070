"""Which kind of lane a model reads in: with the common cache, with a state of its own, or reading all again each time.

Every caller takes its lanes from here. Knows nothing of sampling, texts or stops.
"""

from __future__ import annotations

import copy
from typing import Any, Self

import torch
from torch import Tensor

from playground.decoding.lane import Lane
from playground.models import capabilities
from playground.models.generate_loop import GenerateLoop


def open_lane(model: Any, prompt: Tensor) -> Lane:
    """A lane of the kind that this model can do, over `prompt` [1, length]."""
    able = capabilities.of(model)
    if able.keeps == "cache":
        return Lane(model, prompt)
    if able.keeps == "state":
        return StateLane(model, prompt)
    return WholeLane(model, prompt, use_cache=able.use_cache)


class WholeLane(Lane):
    """Nothing is kept: each step reads all tokens of all rows. A prompt cannot be read in chunks."""

    def __init__(self, model: Any, prompt: Tensor, *, use_cache: bool) -> None:
        super().__init__(model, prompt)
        self._use_cache = use_cache
        self._ids = prompt[:, :0]  # [rows, length]

    def select(self, rows: list[int]) -> None:
        self._ids = self._ids[rows]
        self.rows = len(rows)

    def split(self, row: int, generated: Tensor) -> Self:
        alone = copy.copy(self)
        alone.unread = torch.cat([self.prompt, generated], dim=1)
        alone._ids, alone.length, alone.rows = self.prompt[:, :0], 0, 1
        return alone

    def _forward(self, tokens: Tensor, prompt: bool, keep: int = 1) -> Tensor:
        self._ids = torch.cat([self._ids, tokens], dim=1)
        return GenerateLoop(self.model, use_cache=self._use_cache).all(self._ids, keep)


class StateLane(Lane):
    """A state that nobody but the model can read, cut or share: each row has its own, and its own passes.

    Some of these architectures mix up the rows of one pass. A row that steps back reads its text anew.
    """

    def __init__(self, model: Any, prompt: Tensor) -> None:
        super().__init__(model, prompt)
        self._begin()

    def _begin(self) -> None:
        self._loops = [GenerateLoop(self.model, use_cache=True)]
        self._ids = [self.prompt[:, :0]]  # each [1, length]
        self.length, self.rows = 0, 1

    def select(self, rows: list[int]) -> None:
        self._loops = [
            self._loops[row] if row not in rows[:place] else self._loops[row].copy() for place, row in enumerate(rows)
        ]
        self._ids = [self._ids[row] for row in rows]
        self.rows = len(rows)

    def split(self, row: int, generated: Tensor) -> Self:
        alone = copy.copy(self)
        alone._begin()
        alone.unread = torch.cat([self.prompt, generated], dim=1)
        return alone

    def _forward(self, tokens: Tensor, prompt: bool, keep: int = 1) -> Tensor:
        self._ids = [torch.cat([ids, added[None]], dim=1) for ids, added in zip(self._ids, tokens, strict=True)]
        return torch.cat([loop.all(ids, keep) for loop, ids in zip(self._loops, self._ids, strict=True)])
