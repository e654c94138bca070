"""The chain: an ordered list of samplers, built for one row from the registry's records.

Knows no sampler by name: a record names its class, and the class's own signature says what it needs. So a new sampler
needs no edit here.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from playground import parameters
from playground.parameters.record import Parameter
from playground.types import InvalidRequest, Text

Processor = Callable[[Tensor, Tensor], Tensor]
OnStage = Callable[[str, Tensor, Tensor], None]


@runtime_checkable
class Steering(Protocol):
    """A sampler that changes with what was chosen; its state is data, so that a row can be wound back."""

    def __call__(self, input_ids: Tensor, scores: Tensor, /) -> Tensor: ...

    def chosen(self, token_id: int) -> None: ...

    def snapshot(self) -> object: ...

    def restore(self, state: Any) -> None: ...



# What transformers' constructors call the same things.
_ALIASES = {
    "prompt_length_to_skip": "prompt_length",
    "input_ids_seq_length": "prompt_length",
    "begin_index": "prompt_length",
    "encoder_input_ids": "prompt_ids",
    "prompt_ignore_length": "prompt_length",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a sampler may ask for beside its own parameters, by the names of its constructor's arguments.

    `written` is the end of the prompt that an earlier answer wrote and this one continues. `links` holds what only the
    engine can supply for stages that have no class of their own, by stage.
    """

    device: torch.device
    eos_token_id: list[int]
    prompt_ids: Tensor
    tokenizer: Any
    vocab_size: int
    min_tokens_to_keep: int
    coin: Callable[[], float]
    written: str = ""
    links: Mapping[str, Processor] = field(default_factory=dict)

    @property
    def prompt_length(self) -> int:
        return int(self.prompt_ids.shape[1])

    def offers(self, name: str) -> bool:
        return name != "links" and (name in type(self).__dataclass_fields__ or name == "prompt_length")


class Chain:
    """`apply` turns the model's scores [1, vocab] into those a token is picked from.

    A link that is `binding` is not overruled: where nothing is left, the best token it allows stays.
    """

    def __init__(self, links: Iterable[tuple[str, Processor]]) -> None:
        self.links = list(links)
        self.steering = [link for _, link in self.links if isinstance(link, Steering)]
        self._binding: list[Any] = [link for _, link in self.links if getattr(link, "binding", False)]

    @classmethod
    def build(cls, values: Mapping[str, Any], context: Context) -> Chain:
        """The active stages of these values, in the order they ask for; `values` are those that have an effect."""
        links = []
        for stage in parameters.stages(values["order"]):
            records = [record for record in parameters.REGISTRY if record.stage == stage]
            if all(record.is_neutral(values[record.name]) for record in records if record.needs is None):
                continue
            link = _build(records, values, context)
            if link is not None:
                links.append((stage, link))
        return cls(links)

    def apply(self, input_ids: Tensor, scores: Tensor, on_stage: OnStage | None = None) -> tuple[Tensor, bool]:
        """The scores after every stage, and whether a candidate was left; if none was, the best one stays."""
        seen = [scores]
        for stage, link in self.links:
            after = link(input_ids, seen[-1])
            if on_stage is not None:
                on_stage(stage, seen[-1], after)
            seen.append(after)
        if _usable(seen[-1]):
            return seen[-1], True
        if not any(map(_usable, seen)):
            raise FloatingPointError("the model's scores are not numbers")
        # Even where stepping back has ruled out all that a form allows, the form is kept.
        fallbacks = (self._bound(input_ids, before) for before in (*reversed(seen), torch.zeros_like(scores)))
        return _only_best(next(before for before in fallbacks if _usable(before))), False

    def unfinished(self, input_ids: Tensor) -> bool:
        """Whether a text that ended here would break off before a binding link calls it whole."""
        return not all(link.whole(input_ids) for link in self._binding)

    def _bound(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        for link in self._binding:
            scores = link(input_ids, scores)
        return scores

    def chosen(self, token_id: int) -> None:
        for link in self.steering:
            link.chosen(token_id)

    def snapshot(self) -> list[object]:
        return [link.snapshot() for link in self.steering]

    def restore(self, states: list[object]) -> None:
        for link, state in zip(self.steering, states, strict=True):
            link.restore(state)


def check_ids(values: Mapping[str, Any], vocab_size: int) -> None:
    """Token ids must exist in this model's vocabulary; transformers would fail in the middle of a run."""
    for record in parameters.REGISTRY:
        for token_id in _named(record, values[record.name]):
            if token_id >= vocab_size:
                last = vocab_size - 1
                raise InvalidRequest(
                    Text(
                        f"{record.name} names token {token_id}; this model's tokens go from 0 to {last}.",
                        f"{record.name} 含有词元 {token_id}；此模型的词元编号为 0 至 {last}。",
                    ),
                    parameter=record.name,
                )


def _named(record: Parameter, value: Any) -> Iterable[int]:
    """The token ids that a value names."""
    if record.kind == "id_lists":
        return (token_id for several in value for token_id in several)
    return map(int, value) if record.kind in ("ids", "id_bias") else ()


def _build(records: list[Parameter], values: Mapping[str, Any], context: Context) -> Processor | None:
    name = next((record.processor for record in records if record.processor), None)
    if name is None:
        return context.links.get(records[0].stage or "")
    maker = _find(name)
    given = {record.argument: values[record.name] for record in records if record.argument}
    for argument in inspect.signature(maker).parameters.values():
        if argument.name in given:
            continue
        if context.offers(argument.name):
            given[argument.name] = getattr(context, argument.name)
        elif argument.name in _ALIASES and argument.default is inspect.Parameter.empty:
            given[argument.name] = getattr(context, _ALIASES[argument.name])
    try:
        made: Processor | None = maker(**given)
    except ValueError as error:
        raise InvalidRequest(
            Text(f"{records[0].name}: {error}", f"{records[0].name}：{error}"), parameter=records[0].name
        ) from error
    return made


def _find(name: str) -> Callable[..., Processor | None]:
    for module in ("playground.decoding.samplers", "transformers"):
        found = getattr(importlib.import_module(module), name, None)
        if found is not None:
            return found
    raise LookupError(f"no sampler is called {name}")


def _usable(scores: Tensor) -> bool:
    """Whether a token can be drawn: the maximum is NaN or infinite as soon as one score is NaN, or none is left."""
    return bool(scores.max().isfinite())


def _only_best(scores: Tensor) -> Tensor:
    best = scores.argmax(dim=-1, keepdim=True)
    return torch.full_like(scores, -torch.inf).scatter_(-1, best, 0.0)
