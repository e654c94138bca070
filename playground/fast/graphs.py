"""A step's kernels recorded once and played again, so that a GPU does not wait for each of them to be asked for.

A recording is made of addresses: it is good for one number of rows over one memory of slots, and dropped with it. Knows
no model: it is handed the step. Written for CUDA and never run on a card; what is not CUDA's own is tested on the CPU.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from playground.fast.kv_slots import KVSlots

AFTER = 4  # steps of one shape before it is recorded: while rows still come, each brings new memory

Forward = Callable[[Tensor, Tensor], Tensor]
"""From tokens and positions [rows] to scores [rows, vocab]."""


class Recording:
    """One step over inputs of its own; called like the step, it gives scores that are the caller's to keep."""

    def __init__(self, step: Forward, tokens: Tensor, positions: Tensor, pool: Any) -> None:
        self._tokens, self._positions = tokens.clone(), positions.clone()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(tokens.device):
            beside = torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            # Whatever a first call sets up is no part of the recording. It writes what the next calls write again.
            with torch.cuda.stream(beside):
                step(self._tokens, self._positions)
            torch.cuda.current_stream().wait_stream(beside)
            # Other threads may go on using the card: a net compiles in one of them.
            with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
                self._scores = step(self._tokens, self._positions)

    def __call__(self, tokens: Tensor, positions: Tensor) -> Tensor:
        self._tokens.copy_(tokens)
        self._positions.copy_(positions)
        self._graph.replay()
        return self._scores.clone()  # recordings share their memory, so the next one may write there


@dataclass(slots=True)
class _Memory:
    """What was recorded over one memory of slots, how often each shape was met, and what recordings share."""

    memory: Callable[[], Tensor | None]
    pool: Any
    met: Counter[tuple[int, bool]] = field(default_factory=Counter)
    recordings: dict[tuple[int, bool], Forward] = field(default_factory=dict)


class Graphs:
    """`step` is called like the step it stands for, and plays a recording where there is one.

    `record` makes one from a step over fixed slots, its first inputs and the memory that recordings share.
    """

    def __init__(
        self,
        step: Callable[[KVSlots, Tensor, Tensor, bool], Tensor],
        *,
        record: Callable[[Forward, Tensor, Tensor, Any], Forward] = Recording,
        pool: Callable[[], Any] = torch.cuda.graph_pool_handle,
    ) -> None:
        self._step = step
        self._record = record
        self._make_pool = pool
        self._kept: weakref.WeakKeyDictionary[KVSlots, _Memory] = weakref.WeakKeyDictionary()

    def step(self, slots: KVSlots, tokens: Tensor, positions: Tensor, compiled: bool) -> Tensor:
        """The scores [rows, vocab]; the same as those of the step itself."""
        kept = self._kept.get(slots)
        if kept is None or kept.memory() is not slots.memory:
            # Other memory: recordings of the old one would write where nobody reads. Their pool goes with them.
            kept = self._kept[slots] = _Memory(weakref.ref(slots.memory), self._make_pool())
        shape = len(tokens), compiled
        if shape not in kept.recordings:
            kept.met[shape] += 1
            if kept.met[shape] <= AFTER:
                return self._step(slots, tokens, positions, compiled)

            def forward(tokens: Tensor, positions: Tensor) -> Tensor:
                return self._step(slots, tokens, positions, compiled)

            kept.recordings[shape] = self._record(forward, tokens, positions, kept.pool)
        return kept.recordings[shape](tokens, positions)

    @property
    def recorded(self) -> int:
        """How many shapes play from a recording now."""
        return sum(len(kept.recordings) for kept in self._kept.values())
