"""Which part of a model sits where: one line a layer, with its device and its bytes.

Knows modules and parameters only, neither how they were placed nor how they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from playground.types import Placement


def placements(model: nn.Module) -> tuple[Placement, ...]:
    """One Placement for each layer and for each module outside the layers, in the model's own order.

    Weights that two modules share (an embedding and the output head) are counted where they stand first.
    """
    device_map: dict[str, Any] = getattr(model, "hf_device_map", {})
    counted: set[int] = set()
    lines = []
    for name, module in _lines(model, "", device_map):
        size = 0
        for parameter in (*module.parameters(), *module.buffers()):
            if id(parameter) not in counted:
                counted.add(id(parameter))
                size += parameter.numel() * parameter.element_size()
        lines.append(Placement(name, _device(name, module, device_map), size))
    return tuple(lines)


def _lines(module: nn.Module, name: str, device_map: dict[str, Any]) -> Iterator[tuple[str, nn.Module]]:
    """Walk down to where a layer begins, or further where the map splits it."""
    split = any(key.startswith(f"{name}." if name else "") and key != name for key in device_map)
    holds_layers = any(isinstance(part, nn.ModuleList) and len(part) for part in module.modules())
    in_layer = any(piece.isdigit() for piece in name.split("."))
    children = list(module.named_children())
    if children and (split or (holds_layers and not in_layer)):
        for child_name, child in children:
            yield from _lines(child, f"{name}.{child_name}" if name else child_name, device_map)
    elif name and next(iter(module.parameters()), None) is not None:
        yield name, module


def _device(name: str, module: nn.Module, device_map: dict[str, Any]) -> str:
    """The map's word for this module or for the nearest one above it; else where its weights are."""
    path = name
    while True:
        if path in device_map:
            place = device_map[path]
            return f"cuda:{place}" if isinstance(place, int) else str(place)
        if not path:
            return str(next(module.parameters()).device)
        path = path.rpartition(".")[0]
