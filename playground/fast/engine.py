"""The fast path of one model: which nets it runs on, packed on the first use, and its running batch.

Knows no request.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Any

import psutil
import torch

from playground.decoding.fair_lock import FairLock
from playground.fast.formats import FORMATS, on_a_grid
from playground.fast.fp32_products import bf16_is_slow
from playground.fast.net import Net, why_not
from playground.fast.running_batch import RunningBatch
from playground.machine.allocator import trim_soon
from playground.models import weight_grids
from playground.settings import ROWS
from playground.types import FastPath

_SHARE = 0.15  # of the memory there is, for keys and values


class Engine:
    """`running` may be asked for from any thread; `path` says what it is, or why there is none.

    `weights` is what the owner asked for: with "auto" a model in bf16 on a CPU is packed into 4 or 8 bits. Prompts are
    read with the model's own weights, since packed ones gain nothing where many tokens are read at once; in fp32 where
    the CPU multiplies bf16 slowly.
    """

    def __init__(
        self,
        model: Any,
        lock: FairLock,
        *,
        weights: str = "auto",
        rows: int | None = None,
        memory: int | None = None,
        shares: tuple[int, int] = (100, 100),
    ) -> None:
        self._model = model
        self._lock = lock
        self._rows = ROWS if rows is None else rows
        self._memory = memory
        self._shares = shares
        self._device = next(model.parameters()).device
        self.format = _format(model, weights)
        reason = why_not(model)
        self._path = FastPath(why_not=reason) if reason else _described(model, self.format)
        self._running: RunningBatch | None = None
        self._making = threading.Lock()
        self._packed: Any = None

    @property
    def modules(self) -> tuple[Any, ...]:
        """The model and the packed copy of it, which share what was not packed."""
        return (self._model,) if self._packed is None else (self._model, self._packed)

    @property
    def slots_bytes(self) -> int:
        """Bytes that keys and values take now."""
        return 0 if self._running is None else self._running.slots_bytes

    def close(self) -> None:
        """Lets go of the model. Nobody may be using it."""
        with self._making:
            self._running = self._packed = None

    @property
    def path(self) -> FastPath:
        """What the fast path is here; what it lacks is known once it has begun."""
        return self._path if self._running is None else replace(self._path, lacks=self._running.lacks)

    @property
    def running(self) -> RunningBatch:
        with self._making:
            if self._running is None:
                quiet_s = partial(_quiet_s, self._lock)
                reads_in_fp32 = _reads_in_fp32(self._model)
                own = Net(
                    self._model,
                    compiles=self.format == "dense" and not reads_in_fp32,
                    in_fp32=reads_in_fp32,
                    quiet_s=quiet_s,
                )
                packed = own
                if self.format != "dense" or reads_in_fp32:
                    make = None if self.format == "dense" else FORMATS[self.format]
                    packed = Net(self._model, make, quiet_s=quiet_s)
                memory = kv_bytes(self._device) if self._memory is None else self._memory
                self._running = RunningBatch(
                    packed, own, self._lock, rows=self._rows, memory=memory, shares=self._shares
                )
                self._packed = packed.model
                trim_soon()  # packing went through the weights in fp32
            return self._running


def _reads_in_fp32(model: Any) -> bool:
    parameter = next(model.parameters())
    return bool(parameter.device.type == "cpu" and parameter.dtype == torch.bfloat16 and bf16_is_slow())


def _quiet_s(lock: FairLock) -> float:
    """Asked by what compiles, which may outlive the model, so that it must not hold more of it than its lock."""
    return lock.quiet_s


def kv_bytes(device: torch.device) -> int:
    """Bytes that keys and values may take by default."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * 0.5)
    return int(psutil.virtual_memory().total * _SHARE)


def _format(model: Any, weights: str) -> str:
    """Packed kernels are the CPU's; weights asked for in fp32 or bf16 stay what they are."""
    parameter = next(model.parameters())
    if parameter.device.type != "cpu" or weights not in ("auto", "int8", "int4"):
        return "dense"
    return "dense" if weights == "auto" and parameter.dtype != torch.bfloat16 else weights


def _described(model: Any, name: str) -> FastPath:
    """The format by the names that a reader knows; what "auto" comes to is seen in a matrix of the first layer."""
    if name == "dense":
        stored = next(model.parameters()).dtype
        dense = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}.get(stored, str(stored))
        return FastPath(dense, dense)
    if name != "auto":
        return FastPath(name, name)
    matrix = next((module.weight for module in model.modules() if type(module) is torch.nn.Linear), None)
    grid = None if matrix is None else weight_grids.of(matrix)
    four = grid.bits == 4 if grid is not None else matrix is not None and on_a_grid(matrix.detach())
    return FastPath(name, "int4" if four else "int8")
