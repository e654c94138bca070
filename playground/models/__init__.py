"""The model room: which models there are, where their weights come from, and how they are loaded.

`load`, `load_or_embedded` and `Loaded` arrive on first use, since they import torch; the catalogue does without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.models.loading import Loaded, load, load_or_embedded

__all__ = ["Loaded", "load", "load_or_embedded"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("playground.models.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
