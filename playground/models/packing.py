"""Weights in 8 or 4 bits on a GPU: which package quantizes them while they are loaded, and its configuration.

On a CPU nothing is packed here; the fast path does that by itself. Written for CUDA and never run on a card.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import torch
from transformers import BitsAndBytesConfig, TorchAoConfig

from playground.models import failures

# The first that is installed packs. torchao's 4 bits want one more package of kernels, so there it comes second.
_MAKERS = {"int8": ("torchao", "bitsandbytes"), "int4": ("bitsandbytes", "torchao")}
_TORCHAO = {"int8": "Int8WeightOnlyConfig", "int4": "Int4WeightOnlyConfig"}


def target(max_memory: Mapping[str | int, int] | None) -> str:
    """The kind of device that the first layers will come to lie on: a GPU, where there is one that may be used."""
    allowed = max_memory is None or any(isinstance(device, int) and size for device, size in max_memory.items())
    return "cuda" if torch.cuda.is_available() and allowed else "cpu"


def installed(package: str) -> bool:
    """Whether Python finds the package; it is not imported."""
    return importlib.util.find_spec(package) is not None


def maker(weights: str, device: str, *, has: Callable[[str], bool] = installed) -> str | None:
    """The package that packs these weights for this kind of device; None where they are loaded as they are.

    Raises ModelError, which names what to install, where there is none.
    """
    if device != "cuda" or weights not in _MAKERS:
        return None
    for package in _MAKERS[weights]:
        if has(package):
            return package
    raise failures.no_packer(weights, _MAKERS[weights])


def config(package: str, weights: str) -> Any:
    """The `quantization_config` of `from_pretrained`; the 4 bits of bitsandbytes are NF4 (arXiv 2305.14314)."""
    if package == "torchao":
        return TorchAoConfig(getattr(importlib.import_module("torchao.quantization"), _TORCHAO[weights])())
    if weights == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
