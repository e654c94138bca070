"""The layers of a net, each with its slots where it expects a cache, compiled a few at a time.

One compiled piece of code serves all layers; calling it costs a quarter of a layer's own time, so several layers are
one call. Knows no model family and no packed format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

TOGETHER = 10  # layers in one call, at most: more of them take longer to compile than they save
Given = tuple[tuple[Any, ...], dict[str, Any]]
"""What one layer is called with behind its hidden state."""


class Place:
    """One layer's slots in the role of a cache: update is all that a layer asks of its cache."""

    def __init__(self, keys: Tensor, values: Tensor, rows: Tensor, positions: Tensor) -> None:
        self.keys = keys
        self.values = values
        self.rows = rows
        self.positions = positions

    def update(self, keys: Tensor, values: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write [rows, heads, tokens, width] at these positions [rows, tokens]; give all that the slots have."""
        self.keys[self.rows, :, self.positions] = keys.transpose(1, 2).to(self.keys.dtype)
        self.values[self.rows, :, self.positions] = values.transpose(1, 2).to(self.values.dtype)
        return self.keys, self.values


@dataclass(slots=True)
class Seats:
    """The slots of one forward pass, of all layers, handed on from layer to layer as transformers hands its cache."""

    layers: list[tuple[Tensor, Tensor]]
    rows: Tensor
    positions: Tensor
    compiled: bool
    waiting: list[Given] = field(default_factory=list)  # of layers that are run by the last one of their group

    def get_seq_length(self, *_: Any) -> int:
        return 0


class Region(nn.Module):
    """Stands where a layer stood: finds the layer's slots, and runs it, or its whole group where it is the last."""

    def __init__(self, layer: nn.Module, index: int) -> None:
        super().__init__()
        self.layer = layer
        self.single = False  # whether the layer gives more than its hidden state, and so cannot be run later
        self._index = index
        self._compiled: Any = _run
        self._group: list[Region] = [self]

    def join(self, group: list[Region], compiled: Any) -> None:
        """Run together with these, of which this is one, by code that was compiled for such a group."""
        self._group = group
        self._compiled = compiled

    def forward(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        seats = next(given for given in (*kwargs.values(), *args) if isinstance(given, Seats))
        if not seats.compiled:
            args, kwargs = self._placed(seats, args, kwargs)
            found = self.layer(hidden, *args, **kwargs)
            self.single = not isinstance(found, Tensor)
            return found
        if self.single:
            return self._compiled([self.layer], hidden, [self._placed(seats, args, kwargs)])
        seats.waiting.append((args, kwargs))
        if self is not self._group[-1]:
            return hidden
        given = [region._placed(seats, *one) for region, one in zip(self._group, seats.waiting, strict=True)]
        seats.waiting.clear()
        return self._compiled([region.layer for region in self._group], hidden, given)

    def _placed(self, seats: Seats, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        """The same with this layer's slots in the place of all of them."""
        place = Place(*seats.layers[self._index], seats.rows, seats.positions)
        found = {name: place if given is seats else given for name, given in kwargs.items()}
        return tuple(place if given is seats else given for given in args), found


def place(layers: nn.ModuleList, kinds: Sequence[str]) -> None:
    """A region in the place of each of these layers; `kinds` says of what kind each of them is."""
    regions = [Region(layer, index) for index, layer in enumerate(layers)]
    compiled: dict[Any, Any] = {}
    size = together(kinds)
    for index, region in enumerate(regions):
        layers[index] = region
        group = regions[index - index % size :][:size]
        build = tuple(_build(one.layer) for one in group)
        region.join(group, compiled.setdefault(build, _compiled()))
        _forget_index(region.layer)


def _compiled() -> Any:
    """For groups that are built alike: nothing of their layers is checked before a call."""
    options: dict[str, Any] = {"guard_filter_fn": _first_shapes, "size_asserts": False, "alignment_asserts": False}
    return torch.compile(_own(_run), dynamic=False, options=options)


def _build(layer: nn.Module) -> Any:
    """What one layer's code depends on: its modules, and the shapes and types of what they hold."""
    return tuple(
        (name, type(module), tuple((held.shape, held.dtype) for held in _held(module)))
        for name, module in layer.named_modules()
    )


def _held(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


def together(kinds: Sequence[str]) -> int:
    """How many layers make a group: as many as divide them into groups that are all alike."""
    for size in range(min(TOGETHER, len(kinds)), 1, -1):
        starts = range(0, len(kinds), size)
        if len(kinds) % size == 0 and len({tuple(kinds[start : start + size]) for start in starts}) == 1:
            return size
    return 1


def _run(layers: list[nn.Module], hidden: Any, given: list[Given]) -> Any:
    for layer, (args, kwargs) in zip(layers, given, strict=True):
        hidden = layer(hidden, *args, **kwargs)
    return hidden


def _forget_index(layer: nn.Module) -> None:
    """A layer's number would be compiled into it, and one compiled layer serves all."""
    for module in layer.modules():
        if getattr(module, "layer_idx", None) is not None:
            module.layer_idx = 0  # type: ignore[assignment]


def _own(function: Any) -> Any:
    """A copy with code of its own: torch keeps what it compiled with the code, and no other net may find it there."""
    return FunctionType(function.__code__.replace(), function.__globals__, function.__name__)


def _first_shapes(entries: Any) -> list[bool]:
    """Of what torch would check before each call only shapes can change, and all layers of a group have the same."""
    asked = ("hidden", "given[0]")
    return [entry.guard_type == "TENSOR_MATCH" and entry.name.startswith(asked) for entry in entries]
