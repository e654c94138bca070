"""Between this machine's memory and a device without waiting where nobody has to. Knows no row and no model.

A plain copy to a GPU lets the CPU wait for everything before it; one from pinned memory does not.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def sent(values: Any, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Numbers [length] or [rows, length] as a tensor on this device, in the order of its work."""
    made = torch.tensor(values, dtype=dtype)
    return made if device.type == "cpu" else made.pin_memory().to(device, non_blocking=True)


def fetched(scores: Tensor, dtype: torch.dtype) -> Tensor:
    """Scores [rows, vocab] where a CPU can read them: as they are, or in the model's own type in one copy."""
    if scores.device.type == "cpu":
        return scores
    return torch.empty(scores.shape, dtype=dtype, pin_memory=True).copy_(scores.to(dtype))
