"""The tensors that a group of layers reads, in one order: what a step hands it, and its weights.

The compiler of a group and its caller both list them here, so that both use the same order. Also how a group
travels to another process: its modules whole, its tensors by shape alone. Knows no compiler.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.fast.layer_groups import Given, LayerCache


def step_tensors(hidden: Tensor, given: Sequence[Given]) -> list[Tensor]:
    """What changes from step to step: the hidden state, masks, positions, keys and values. Layers share most of it."""
    found: list[Tensor] = [hidden]
    for args, kwargs in given:
        for one in args:
            _collect(one, found)
        for one in kwargs.values():
            _collect(one, found)
    return found


def _collect(one: Any, found: list[Tensor]) -> None:
    if isinstance(one, Tensor):
        found.append(one)
    elif isinstance(one, LayerCache):
        found += (one.keys, one.values, one.rows, one.positions)
    elif isinstance(one, tuple | list):
        for inner in one:
            _collect(inner, found)


def slot_length(given: Sequence[Given]) -> int:
    """Positions of the slots that these layers read."""
    args, kwargs = given[0]
    return next(one.keys.shape[2] for one in (*args, *kwargs.values()) if isinstance(one, LayerCache))


def refilled(given: Sequence[Given], tensors: Iterator[Tensor]) -> list[Given]:
    """The same structure with other tensors, in the order of `step_tensors` behind its hidden state."""
    return [
        (
            tuple(_refill(one, tensors) for one in args),
            {name: _refill(one, tensors) for name, one in kwargs.items()},
        )
        for args, kwargs in given
    ]


def _refill(one: Any, tensors: Iterator[Tensor]) -> Any:
    if isinstance(one, Tensor):
        return next(tensors)
    if isinstance(one, LayerCache):
        return LayerCache(*(next(tensors) for _ in range(4)))
    if isinstance(one, tuple | list):
        return type(one)(_refill(inner, tensors) for inner in one)
    return one


def first_places(tensors: Sequence[Tensor]) -> list[int]:
    """Where each tensor stands first: a mask that all layers share is handed over once."""
    seen: dict[int, int] = {}
    for place, one in enumerate(tensors):
        seen.setdefault(id(one), place)
    return sorted(seen.values())


def weights_of(layers: Sequence[nn.Module]) -> list[Tensor]:
    """Parameters and buffers of all layers, by layer and name."""
    return [tensor.detach() for _, _, tensor in named_weights(layers)]


def named_weights(layers: Sequence[nn.Module]) -> Iterator[tuple[int, str, Tensor]]:
    for number, layer in enumerate(layers):
        for name, tensor in (*layer.named_parameters(), *layer.named_buffers()):
            yield number, name, tensor


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """One group of layers as an eager step called it: its modules, that call, and how it is to be compiled.

    With `several` any number of rows from two on, else one; slots of LONG positions or more, or of fewer, as those of
    that call. `threads` is how many the compiled code uses, `beside` how
    many items a layer gives beside its hidden state.
    """

    layers: list[nn.Module]
    hidden: Tensor
    given: list[Given]
    several: bool
    threads: int
    beside: int


def packed(spec: GroupSpec) -> bytes:
    """For another process of this program. No tensor's content is in it."""
    target = io.BytesIO()
    _ShapesOnly(target, protocol=pickle.HIGHEST_PROTOCOL).dump(spec)
    return target.getvalue()


def unpacked(data: bytes) -> GroupSpec:
    """What `packed` made; its tensors hold nothing. Only for what this program itself has packed."""
    found = pickle.loads(data)
    assert isinstance(found, GroupSpec)
    return found


class _ShapesOnly(pickle.Pickler):
    def reducer_override(self, one: Any) -> Any:
        if isinstance(one, Tensor):
            shape, strides = tuple(one.shape), tuple(one.stride())
            return _empty, (shape, strides, one.dtype, isinstance(one, nn.Parameter))
        return NotImplemented


def _empty(shape: tuple[int, ...], strides: tuple[int, ...], dtype: torch.dtype, parameter: bool) -> Tensor:
    """Memory that is asked for and never touched takes none."""
    made = torch.empty_strided(shape, strides, dtype=dtype)
    return nn.Parameter(made, requires_grad=False) if parameter else made
