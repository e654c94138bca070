"""How much memory is free on this machine for another model: that of the GPUs that may be used, and the main memory."""

from __future__ import annotations

from collections.abc import Mapping

import psutil
import torch

from playground.models import packing

_RESERVE, _LEAST = 0.05, 400_000_000  # of all memory, and bytes: what runs and the system keep


def free_bytes(max_memory: Mapping[str | int, int] | None) -> int:
    """Bytes, within the limits for each device."""
    memory = psutil.virtual_memory()
    main = max(0, memory.available - max(_LEAST, int(memory.total * _RESERVE)))
    limits = max_memory or {}
    main = min(main, limits.get("cpu", main))
    if packing.target(max_memory) != "cuda":
        return main
    devices = [device for device in range(torch.cuda.device_count()) if not limits or device in limits]
    free = [torch.cuda.mem_get_info(device)[0] for device in devices]
    return sum(min(size, limits.get(device, size)) for device, size in zip(devices, free, strict=True)) + main
