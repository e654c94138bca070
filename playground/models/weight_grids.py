"""The grids on which a model's weights lie where they came from blocks of few bits: a step and a lowest value a group.

A converted copy keeps them beside its weights, so that what packs the weights again finds the very codes of the file.
Knows no file format and no packed one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

FILE = "grids.safetensors"


@dataclass(frozen=True, slots=True)
class Grid:
    """weight = code · scale + low in groups of so many weights along the input, codes of so many bits.

    `scale` and `low` are fp16 [out, in / group]. With 4 bits a code is 0 to 15; with 8 it is -128 to 127, and without
    `low` its 0 is 0.
    """

    bits: int
    group: int
    scale: Tensor
    low: Tensor | None


_GRIDS = WeakTensorKeyDictionary()


def write(folder: Path, grids: Mapping[str, Grid]) -> None:
    """Keeps the grids by the names of their weights; nothing where there are none."""
    tensors, about = {}, {}
    for name, grid in grids.items():
        tensors[f"{name}.scale"] = grid.scale
        about[name] = f"{grid.bits} {grid.group}"
        if grid.low is not None:
            tensors[f"{name}.low"] = grid.low
    if tensors:
        save_file(tensors, folder / FILE, metadata=about)


def attach(model: Any, folder: Path) -> None:
    """Tells of the model's own parameters on which grids they lie; nothing where the folder keeps no grids."""
    file = folder / FILE
    if not file.is_file():
        return
    parameters = dict(model.named_parameters())
    try:
        with safe_open(file, framework="pt") as stored:
            names = set(stored.keys())
            for name, about in (stored.metadata() or {}).items():
                bits, group = map(int, about.split())
                low = stored.get_tensor(f"{name}.low") if f"{name}.low" in names else None
                grid = Grid(bits, group, stored.get_tensor(f"{name}.scale"), low)
                if name in parameters and _fits(grid, parameters[name]):
                    _GRIDS[parameters[name]] = grid
    except (OSError, ValueError, SafetensorError):
        return  # without them the weights are packed as any others are


def of(weight: Tensor) -> Grid | None:
    """The grid of a parameter [rows, columns], where it is known."""
    found: Grid | None = _GRIDS.get(weight)
    return found


def joined(grids: Sequence[Grid | None]) -> Grid | None:
    """The grid of matrices that are put one below the other; None where one of them has none.

    4 bits below 8 are codes of 8 bits as well. Groups become as small as the smallest.
    """
    known = [grid for grid in grids if grid is not None]
    if not known or len(known) < len(grids):
        return None
    if len(known) == 1:
        return known[0]
    group = min(grid.group for grid in known)
    scales = [grid.scale.repeat_interleave(grid.group // group, dim=1) for grid in known]
    lows = [_low(grid, group) for grid in known] if any(grid.low is not None for grid in known) else None
    return Grid(max(grid.bits for grid in known), group, torch.cat(scales), None if lows is None else torch.cat(lows))


def _low(grid: Grid, group: int) -> Tensor:
    low = torch.zeros_like(grid.scale) if grid.low is None else grid.low
    return low.repeat_interleave(grid.group // group, dim=1)


def _fits(grid: Grid, weight: Tensor) -> bool:
    return weight.dim() == 2 and tuple(grid.scale.shape) == (weight.shape[0], weight.shape[1] // grid.group)
