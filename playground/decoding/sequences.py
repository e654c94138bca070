"""Which kind of sequence a model needs: with a KV cache, with a state of its own, or one that reads all tokens again.

Every caller opens its sequences here. Knows nothing of sampling, texts or stops.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor

from playground.decoding.kv_sequence import KVSequence
from playground.models import capabilities
from playground.models.generate_loop import GenerateLoop


def open_sequence(model: Any, prompt: Tensor) -> KVSequence:
    """A sequence of the kind that this model supports, over `prompt` [1, length]."""
    able = capabilities.of(model)
    if able.keeps == "cache":
        return KVSequence(model, prompt)
    if able.keeps == "state":
        return StateSequence(model, prompt)
    return RecomputedSequence(model, prompt, use_cache=able.use_cache)


class RecomputedSequence(KVSequence):
    """Nothing is kept: each step reads all tokens of all rows. A prompt cannot be read in chunks."""

    def __init__(self, model: Any, prompt: Tensor, *, use_cache: bool) -> None:
        super().__init__(model, prompt)
        self._use_cache = use_cache
        self._ids = prompt[:, :0]  # [rows, length]

    def select(self, rows: list[int]) -> None:
        self._ids = self._ids[rows]
        self.rows = len(rows)

    def restarted(self, generated: Tensor) -> Self:
        alone = super().restarted(generated)
        alone._ids = self.prompt[:, :0]
        return alone

    def _croppable(self) -> bool:
        return False

    def _forward(self, tokens: Tensor, prompt: bool, keep: int = 1) -> Tensor:
        self._ids = torch.cat([self._ids, tokens], dim=1)
        return GenerateLoop(self.model, use_cache=self._use_cache).all(self._ids, keep)


class StateSequence(KVSequence):
    """A state that only the model can read, and nobody can cut or share: each row has its own, and its own passes.

    Some of these architectures mix up the rows of one pass. A row that steps back reads its text anew.
    """

    def __init__(self, model: Any, prompt: Tensor) -> None:
        super().__init__(model, prompt)
        self._loops = [GenerateLoop(model, use_cache=True)]
        self._ids = [prompt[:, :0]]  # each [1, length]

    def select(self, rows: list[int]) -> None:
        taken: set[int] = set()
        loops = []
        for row in rows:
            loops.append(self._loops[row].copy() if row in taken else self._loops[row])
            taken.add(row)
        self._loops, self._ids = loops, [self._ids[row] for row in rows]
        self.rows = len(rows)

    def restarted(self, generated: Tensor) -> Self:
        alone = super().restarted(generated)
        alone._loops, alone._ids = [GenerateLoop(self.model, use_cache=True)], [self.prompt[:, :0]]
        return alone

    def _croppable(self) -> bool:
        return False

    def _forward(self, tokens: Tensor, prompt: bool, keep: int = 1) -> Tensor:
        # What is read anew is read as it was written: some read a prompt in both directions, and no other text.
        pieces = [tokens]
        if tokens.shape[1] > self.prompt.shape[1]:
            pieces = list(tokens.split([self.prompt.shape[1], *[1] * (tokens.shape[1] - self.prompt.shape[1])], dim=1))
        for piece in pieces:
            self._ids = [torch.cat([ids, added[None]], dim=1) for ids, added in zip(self._ids, piece, strict=True)]
            scores = [loop.all(ids, keep) for loop, ids in zip(self._loops, self._ids, strict=True)]
        return torch.cat(scores)
