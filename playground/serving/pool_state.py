"""What a pool of models tells of itself: its loaded models, what it is doing, and what happened. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.models.download_progress import DownloadProgress
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.types import Generator, ModelCard, Text

Phase = Literal["idle", "estimating", "downloading", "waiting", "unloading", "loading", "failed"]
EventKind = Literal["loaded", "switched", "unloaded", "failed", "cancelled", "restored"]


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """A loaded model. `measured` is what its tensors hold now, in bytes (weights, packed copy, KV cache); `grown` by
    how much the process grew while it was loaded, None where something else ran meanwhile.

    `busy` counts the runs that hold it; `idle` is seconds since the last of them ended, 0 while one runs.
    """

    choice: ModelChoice
    card: ModelCard
    generator: Generator
    current: bool
    measured: int
    grown: int | None
    estimate: MemoryEstimate | None
    busy: int
    idle: float


@dataclass(frozen=True, slots=True)
class PoolState:
    """What the pool is doing for whom. `share` is of the stage, 0 to 1, None where it is not known.

    `waits_for` counts the runs that must end first. `reason` says why the last switch failed, `phase` "failed". It
    stays until the next switch begins. `estimate` is that of `choice`, once it is known. Once `loaded`, runs begin with
    the new model, though something is still looked at.
    """

    phase: Phase = "idle"
    choice: ModelChoice | None = None
    stage: Text | None = None
    share: float | None = None
    download: DownloadProgress | None = None
    waits_for: int = 0
    reason: Text | None = None
    estimate: MemoryEstimate | None = None
    seconds: float = 0.0  # since the switch began
    cancelling: bool = False
    loaded: bool = False

    @property
    def busy(self) -> bool:
        """Whether a switch is under way: another one is refused meanwhile."""
        return self.phase not in ("idle", "failed")


@dataclass(frozen=True, slots=True)
class PoolEvent:
    """What happened to a model, in words; `at` in seconds since the epoch."""

    at: float
    kind: EventKind
    name: str
    text: Text
