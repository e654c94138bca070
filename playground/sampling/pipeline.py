"""The pipeline: an ordered list of samplers, built for one row from the registry's records.

Knows no sampler by name: a record names its class, and the class's own signature says what it needs. So a new sampler
needs no edit here.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from playground import parameters
from playground.parameters.parameter import Parameter
from playground.sampling import (
    adaptive,
    community_cutoffs,
    constraints,
    cutoffs,
    form,
    penalties,
    temperature,
    watermark,
)
from playground.sampling.candidates import Array, Candidates
from playground.sampling.sampler import ProcessorSampler, Sampler, StatefulSampler
from playground.types import InvalidRequest, Text

OnStage = Callable[[str, Tensor, Tensor], None]
"""A stage's name, and the scores [R, vocab] before and after it."""
MODULES = (temperature, cutoffs, community_cutoffs, penalties, constraints, adaptive, form, watermark)

# What transformers' constructors call the same things.
ALIASES = {
    "prompt_length_to_skip": "prompt_length",
    "input_ids_seq_length": "prompt_length",
    "begin_index": "prompt_length",
    "encoder_input_ids": "prompt_ids",
    "prompt_ignore_length": "prompt_length",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a sampler may ask for beside its own parameters, by the names of its constructor's arguments.

    `written` is the end of the prompt that an earlier answer wrote and this one continues.
    """

    device: torch.device
    eos_token_id: list[int]
    prompt_ids: Tensor
    tokenizer: Any
    vocab_size: int
    min_tokens_to_keep: int
    written: str = ""

    @property
    def prompt_length(self) -> int:
        return int(self.prompt_ids.shape[1])

    def offers(self, name: str) -> bool:
        return name in type(self).__dataclass_fields__ or name == "prompt_length"


class SamplerPipeline:
    """Turns the model's scores into those from which a token is drawn."""

    def __init__(self, stages: Iterable[tuple[str, Sampler]]) -> None:
        self.stages = list(stages)
        self.samplers = [sampler for _, sampler in self.stages]
        self.stateful = [sampler for sampler in self.samplers if isinstance(sampler, StatefulSampler)]
        self.signature = tuple(type(sampler) for sampler in self.samplers)
        """Rows of one signature may be sampled together."""
        self.companions: tuple[list[SamplerPipeline], list[tuple[str, Sampler]]] | None = None
        """The pipelines that this one was last stacked with, and the stages of all."""
        self._binding: list[Any] = [sampler for sampler in self.samplers if sampler.binding]

    @classmethod
    def build(cls, values: Mapping[str, Any], context: Context) -> SamplerPipeline:
        """The active stages of these values, in the order they ask for; `values` are those that have an effect."""
        stages = []
        for stage in parameters.stages(values["order"]):
            records = [record for record in parameters.REGISTRY if record.stage == stage]
            if all(record.is_neutral(values[record.name]) for record in records if record.needs is None):
                continue
            sampler = _build(records, values, context)
            if sampler is not None:
                stages.append((stage, sampler))
        return cls(stages)

    def apply(self, candidates: Candidates, on_stage: OnStage | None = None) -> Tensor:
        """The scores [R, vocab] after every stage, of positions that all belong to this pipeline."""
        if candidates.on_cpu and len(candidates) > 1:
            return torch.cat([self.apply(candidates.only(row), on_stage) for row in range(len(candidates))])
        return run(self.stages, candidates, on_stage)

    def reference(self, one: Candidates) -> Tensor:
        """The scores [1, vocab] after every sampler's reference: the measure of `apply`."""
        with np.errstate(all="ignore"):
            for sampler in self.samplers:
                one.replace(sampler.reference(one))
        return one.tensor

    def last_resort(self, one: Candidates, on_stage: OnStage | None = None) -> Tensor:
        """The scores [1, vocab] of one position where `apply` leaves no candidate: the best token of the last stage
        that left one. Raises FloatingPointError where the model's own scores are no numbers."""
        seen, first = [one.tensor], copy.copy(one)

        def after(stage: str, before: Tensor, left: Tensor) -> None:
            seen.append(left)
            if on_stage is not None:
                on_stage(stage, before, left)

        run(self.stages, one, after)
        if usable(seen[-1]):
            return seen[-1]
        if not any(map(usable, seen)):
            raise FloatingPointError("the model's scores are not numbers")
        # Even where stepping back has ruled out all that a form allows, the form is kept.
        fallbacks = (self._bound(first, before) for before in (*reversed(seen), torch.zeros_like(seen[0])))
        left = next(before for before in fallbacks if usable(before))
        return torch.full_like(left, -torch.inf).scatter_(-1, left.argmax(dim=-1, keepdim=True), 0.0)

    def unfinished(self, ids: Tensor) -> bool:
        """Whether a text that ended behind these ids [length] would break off before a binding sampler calls it
        whole."""
        return not all(sampler.whole(ids[None]) for sampler in self._binding)

    def _bound(self, one: Candidates, scores: Tensor) -> Tensor:
        bound = copy.copy(one)
        bound.replace(scores)
        for sampler in self._binding:
            sampler.run(bound)
        return bound.tensor

    def chosen(self, token_id: int) -> None:
        for sampler in self.stateful:
            sampler.chosen(token_id)

    def snapshot(self) -> list[object]:
        return [sampler.snapshot() for sampler in self.stateful]

    def restore(self, states: list[object]) -> None:
        for sampler, state in zip(self.stateful, states, strict=True):
            sampler.restore(state)


def run(stages: Sequence[tuple[str, Sampler]], candidates: Candidates, on_stage: OnStage | None = None) -> Tensor:
    """The scores [R, vocab] after these stages."""
    with np.errstate(all="ignore"):  # −∞ is no mistake here
        for stage, sampler in stages:
            before = candidates.tensor
            sampler.run(candidates)
            if on_stage is not None:
                on_stage(stage, before, candidates.tensor)
    return candidates.tensor


def _build(records: list[Parameter], values: Mapping[str, Any], context: Context) -> Sampler | None:
    maker = sampler_class(next(record.sampler for record in records if record.sampler))
    given = {record.argument: values[record.name] for record in records if record.argument}
    for argument in inspect.signature(maker).parameters.values():
        if argument.name in given:
            continue
        if context.offers(argument.name):
            given[argument.name] = getattr(context, argument.name)
        elif argument.name in ALIASES and argument.default is inspect.Parameter.empty:
            given[argument.name] = getattr(context, ALIASES[argument.name])
    try:
        made = maker(**given)
    except ValueError as error:
        raise InvalidRequest(
            Text(f"{records[0].name}: {error}", f"{records[0].name}：{error}"), parameter=records[0].name
        ) from error
    return made if made is None or isinstance(made, Sampler) else ProcessorSampler(made)


def sampler_class(name: str) -> Callable[..., Any]:
    """What a record names: a sampler of this package, or one of transformers' processors. LookupError where none is."""
    for module in (*MODULES, transformers):
        found: Callable[..., Any] | None = getattr(module, name, None)
        if found is not None:
            return found
    raise LookupError(f"no sampler is called {name}")


def usable(scores: Array) -> bool:
    """Whether a token can be drawn from scores [1, vocab]: the maximum is NaN as soon as one of them is."""
    return math.isfinite(scores.max())
