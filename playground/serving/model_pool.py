"""The models that a server holds: one that new runs use, others that stay loaded while there is memory for them.

Knows no page and no torch; opening a generator and estimating its memory are handed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
import threading

from playground.models.download import DownloadProgress
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
    stays until the next switch begins. `estimate` is that of `choice`, once it is known.
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


class ModelPool:
    """All methods may be called from any thread, and none of them waits for a load except `using`."""

    current: Generator | None  # what new runs use
    choice: ModelChoice | None  # with which it was loaded

    def entries(self) -> list[PoolEntry]:
        """The loaded ones, the current one first, then the most recently used."""
        raise NotImplementedError

    def events(self) -> list[PoolEvent]:
        """What was loaded, unloaded and why, the newest first."""
        raise NotImplementedError

    def estimate(self, choice: ModelChoice) -> MemoryEstimate:
        """What it would take; asks the hub where its files are not here. Raises ModelError where there is no such
        model. May take seconds, so it is called in a thread."""
        raise NotImplementedError

    def switch(self, choice: ModelChoice, *, running: Literal["wait", "stop"] = "wait") -> None:
        """Begins to load `choice`, or makes it current at once where it is loaded. Returns at once; `state` tells.

        Raises Busy while another switch is under way, InvalidRequest where the choice itself is wrong.
        """
        raise NotImplementedError

    def cancel(self) -> None:
        """Ends a download or a load as soon as it can; the model that was current stays."""
        raise NotImplementedError

    def unload(self, name: str) -> None:
        """Lets go of a loaded model. Raises ModelError where it is current or a run holds it, or is not loaded."""
        raise NotImplementedError

    def state(self) -> PoolState:
        raise NotImplementedError

    @contextmanager
    def using(self, generator: Generator) -> Iterator[threading.Event]:
        """While it lasts the generator is not unloaded. The event is set once the run has to end early. Raises
        ModelError where the generator is not loaded any more."""
        raise NotImplementedError
        yield threading.Event()

    @contextmanager
    def current_in_use(self) -> Iterator[tuple[Generator, threading.Event]]:
        """The current generator, held like that; ModelError where there is none."""
        raise NotImplementedError
        yield
