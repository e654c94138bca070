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
    through its own sampler. A sampler that is `binding` is not overruled where no candidate is left.
    """

    columns: ClassVar[tuple[str, ...] | None] = None
    binding: ClassVar[bool] = False
    processor: Any = None  # a Processor, with the attributes of its own class
    members: Sequence[Any] = ()

    def apply(self, candidates: Candidates) -> None:
        """Changes the scores of all positions. Here each goes through `processor` by itself."""
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
        self.apply(alone)
        return alone.tensor

    def by_reference(self, candidates: Candidates, rows: Sequence[int]) -> None:
        """Decides these positions by the reference: for what only the order of equal scores tells."""
        candidates.replace_rows(rows, [self.of(row).reference(candidates.only(row)) for row in rows])

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


class _Each(Sampler):
    """The samplers of several rows that share nothing but their class."""

    def __init__(self, members: Sequence[Sampler]) -> None:
        self.members = members

    def apply(self, candidates: Candidates) -> None:
        found = []
        for row, sampler in enumerate(self.members):
            one = candidates.only(row)
            sampler.apply(one)
            found.append(one.tensor)
        candidates.replace(torch.cat(found))


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
    if first.columns is None:
        return _Each(samplers)
    stacked = copy.copy(first)
    stacked.members = samplers
    for name in first.columns:
        values = [getattr(sampler, name) for sampler in samplers]
        if any(value != values[0] for value in values):
            dtype = torch.float32 if isinstance(values[0], float) else None
            setattr(stacked, name, sent([[value] for value in values], device, dtype))
    return stacked


_NO_IDS = torch.zeros((1, 0), dtype=torch.long)
