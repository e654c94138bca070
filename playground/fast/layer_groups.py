"""The layers of a net, each with its slots where it expects a cache, run a few at a time where they are compiled.

One compiled piece of code serves all layers that are built alike; calling it costs a quarter of a layer's own time, so
several layers are one call. Knows no model family, no packed format and no compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

MOST_LAYERS = 10  # layers in one call, at most: more of them take longer to compile than they save
Given = tuple[tuple[Any, ...], dict[str, Any]]
"""What one layer is called with behind its hidden state."""
GroupCall = Callable[[Sequence[nn.Module], Tensor, Sequence[Given]], Tensor]
"""Runs the layers of a group one after the other: from a hidden state to the next."""


class LayerCache:
    """One layer's slots in the role of transformers' cache: `update` is all that a layer calls."""

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
class BatchCache:
    """The slots of one forward pass, of all layers, handed on from layer to layer as transformers hands its cache."""

    layers: list[tuple[Tensor, Tensor]]
    rows: Tensor
    positions: Tensor
    compiled: bool
    captures: bool = False  # whether each wrapper remembers what its layer was called with
    waiting: list[Given] = field(default_factory=list)  # of layers that are run by the last one of their group

    def get_seq_length(self, *_: Any) -> int:
        return 0


class LayerWrapper(nn.Module):
    """Takes a layer's place: finds the layer's slots, and runs it, or its whole group where it is the last."""

    def __init__(self, layer: nn.Module, index: int) -> None:
        super().__init__()
        self.layer = layer
        self.given: Given | None = None  # what the layer was called with last, where that was captured
        self.beside = 0  # what the layer gives beside its hidden state: so many items, which its model does not read
        self._index = index
        self._run: GroupCall = run_layers
        self._group: list[LayerWrapper] = [self]

    def join(self, group: list[LayerWrapper], run: GroupCall) -> None:
        """Run together with these, of which this is one, by code that was compiled for such a group."""
        self._group = group
        self._run = run

    def forward(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        cache = next(given for given in (*kwargs.values(), *args) if isinstance(given, BatchCache))
        if not cache.compiled:
            args, kwargs = self._with_own_cache(cache, args, kwargs)
            if cache.captures:
                self.given = args, kwargs
            found = self.layer(hidden, *args, **kwargs)
            self.beside = 0 if isinstance(found, Tensor) else len(found) - 1
            return found
        cache.waiting.append((args, kwargs))
        if self is self._group[-1]:
            given = [
                wrapper._with_own_cache(cache, *one) for wrapper, one in zip(self._group, cache.waiting, strict=True)
            ]
            cache.waiting.clear()
            hidden = self._run([wrapper.layer for wrapper in self._group], hidden, given)
        return (hidden, *[None] * self.beside) if self.beside else hidden

    def _with_own_cache(self, cache: BatchCache, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        """The same with this layer's slots in the place of all of them."""
        layer_cache = LayerCache(*cache.layers[self._index], cache.rows, cache.positions)
        found = {name: layer_cache if given is cache else given for name, given in kwargs.items()}
        return tuple(layer_cache if given is cache else given for given in args), found


def wrap_layers(layers: nn.ModuleList, kinds: Sequence[str]) -> list[list[LayerWrapper]]:
    """Puts a wrapper in the place of each of these layers; `kinds` is the kind of each. Gives their groups."""
    wrapped = [LayerWrapper(layer, index) for index, layer in enumerate(layers)]
    size = group_size(kinds)
    for index, wrapper in enumerate(wrapped):
        layers[index] = wrapper
        _forget_index(wrapper.layer)
    return [wrapped[start : start + size] for start in range(0, len(wrapped), size)]


def build_of(group: Sequence[LayerWrapper]) -> Any:
    """What the code of a group depends on: its layers' modules, and the shapes and types of what they hold."""
    return tuple(
        tuple(
            (name, type(module), tuple((held.shape, held.dtype) for held in _held(module)))
            for name, module in wrapper.layer.named_modules()
        )
        for wrapper in group
    )


def _held(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


def group_size(kinds: Sequence[str]) -> int:
    """How many layers make a group: as many as divide them into groups that are all alike."""
    for size in range(min(MOST_LAYERS, len(kinds)), 1, -1):
        starts = range(0, len(kinds), size)
        if len(kinds) % size == 0 and len({tuple(kinds[start : start + size]) for start in starts}) == 1:
            return size
    return 1


def run_layers(layers: Sequence[nn.Module], hidden: Any, given: Sequence[Given]) -> Any:
    for layer, (args, kwargs) in zip(layers, given, strict=True):
        found = layer(hidden, *args, **kwargs)
        hidden = found if isinstance(found, Tensor) else found[0]
    return hidden


def _forget_index(layer: nn.Module) -> None:
    """A layer's number would be compiled into it, and one compiled layer serves all."""
    for module in layer.modules():
        if getattr(module, "layer_idx", None) is not None:
            module.layer_idx = 0  # type: ignore[assignment]
