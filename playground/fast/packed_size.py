"""How many bytes the fast path will take for a model that is not loaded: its packed copy, and keys and values.

Everything is done as with a loaded model, on weights that have a shape and no memory. Knows no file.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from playground.fast.formats import FORMATS, on_a_grid
from playground.fast.fuse import pack
from playground.fast.kv_slots import padded_length
from playground.fast.net import FAMILIES, shape_of

_FP32_PARTS = 4  # of a matrix while it is packed: its weights, steps above the lowest, codes and what is made of them


def runs(config: Any) -> bool:
    """Whether the fast path knows this kind of model, by its text configuration."""
    return config.model_type in FAMILIES


def packed_bytes(model: Any, weights: str, sample: torch.Tensor | None) -> tuple[int, int]:
    """Bytes of the packed copy of a model on the meta device, beside the weights that it shares, and of what packing
    its largest matrix takes for a moment. `weights` as asked for; `sample` are some rows [16 · k, in] of a matrix, by
    which "auto" decides."""
    chosen = weights
    if weights == "auto":
        chosen = "int4" if sample is not None and on_a_grid(sample) else "int8"
    if chosen not in ("int4", "int8"):
        return 0, 0
    shared = {id(one): one for one in (*model.parameters(), *model.buffers())}
    made = copy.deepcopy(model, memo=dict(shared))
    pack(made, FORMATS[chosen])
    new = {id(one): one.numel() * one.element_size() for one in (*made.parameters(), *made.buffers())}
    largest = max((one.numel() for one in shared.values()), default=0)
    return sum(size for key, size in new.items() if key not in shared), largest * _FP32_PARTS * 4


def kv_bytes_of(model: Any, context: int) -> tuple[int, int]:
    """Bytes of keys and values of one row of so many tokens, and of one token; 0 where the configuration does not say
    what a layer keeps."""
    config = model.config.get_text_config(decoder=True)
    try:
        shape = shape_of(config, model)
    except (AttributeError, TypeError, StopIteration):
        return 0, 0
    length = padded_length(context + 1) if runs(config) else context
    return length * shape.position_bytes, shape.position_bytes
