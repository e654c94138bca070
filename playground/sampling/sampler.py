"""What every sampler offers: its reference, the same over many positions at once, and its explanation.

A sampler of its own overrides `apply`; one that transformers has too names that class as its `processor`, and is held
to it to the bit. Knows no sampler by name.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from playground.sampling.candidates import Candidates
from playground.sampling.stage_io import StageIO, explain_by_least_likely
from playground.sampling.transfer import sent
from playground.types import Text

Processor = Callable[[Tensor, Tensor], Tensor]
"""transformers' signature: from ids [1, length] and scores [1, vocab] to new scores."""


class Sampler:
    """One stage of the pipeline.

    `columns` names the attributes that may differ between rows that are sampled together; None says that each row goes
    through its own sampler. One that is `on_cpu_only` asks for numbers, and is run there for each row by itself. One
    that is `binding` is not overruled where no candidate is left.
    """

    columns: ClassVar[tuple[str, ...] | None] = None
    on_cpu_only: ClassVar[bool] = False
    binding: ClassVar[bool] = False
    processor: Any = None  # a Processor, with the attributes of its own class
    members: Sequence[Any] = ()

    def run(self, candidates: Candidates) -> None:
        """`apply`, as far as it takes these positions together."""
        elsewhere = self.on_cpu_only and not candidates.on_cpu
        if not elsewhere and (len(candidates) == 1 or self.columns is not None):
            self.apply(candidates)
            return
        each = [candidates.only(row, on_cpu=elsewhere or None) for row in range(len(candidates))]
        for row, one in enumerate(each):
            self.of(row).apply(one)
        candidates.replace(torch.cat([one.tensor for one in each]).to(candidates.scores.device))

    def apply(self, candidates: Candidates) -> None:
        """Changes the scores. Here each position goes through its own `processor`."""
        each = [self.of(row).reference(candidates.only(row)) for row in range(len(candidates))]
        candidates.replace(each[0] if len(each) == 1 else torch.cat(each))

    def reference(self, one: Candidates) -> Tensor:
        """The scores [1, vocab] that transformers' own processor leaves of one position; where there is none, this
        sampler's."""
        if self.processor is not None:
            history = one.histories[0][None] if one.histories else _NO_IDS
            found: Tensor = self.processor(history, one.tensor)
            return found
        alone = copy.copy(one)
        self.run(alone)
        return alone.tensor

    def of(self, row: int) -> Self:
        """The sampler of one position."""
        found: Self = self.members[row] if self.members else self
        return found

    def explain(self, io: StageIO) -> Text | None:
        """The formula with the numbers of one position; None where nothing was moved or removed that could be shown."""
        return None

    def explain_removal(self, io: StageIO, token: int) -> Text:
        """Why this token, which entered the stage, did not leave it."""
        return explain_by_least_likely(io, token)


class ProcessorSampler(Sampler):
    """A processor with transformers' signature, as a sampler."""

    def __init__(self, processor: Processor) -> None:
        self.processor = processor


@runtime_checkable
class StatefulSampler(Protocol):
    """A sampler that changes with what was chosen; its state is data, so that a row can be wound back."""

    def chosen(self, token_id: int) -> None: ...

    def snapshot(self) -> object: ...

    def restore(self, state: Any) -> None: ...


def stack(samplers: Sequence[Sampler], device: torch.device) -> Sampler:
    """One sampler for several rows, all of one class: attributes that differ become columns [R, 1]."""
    first = samplers[0]
    if len(samplers) == 1:
        return first
    stacked = copy.copy(first)
    stacked.members = samplers
    for name in first.columns or ():
        values = [getattr(sampler, name) for sampler in samplers]
        if any(value != values[0] for value in values):
            dtype = torch.float32 if isinstance(values[0], float) else None
            setattr(stacked, name, sent([[value] for value in values], device, dtype))
    return stacked


_NO_IDS = torch.zeros((1, 0), dtype=torch.long)
