"""One switch from the current model to another: estimate, download, make room, load. What fails leaves the old one.

Knows neither torch nor the hub: what does the work is handed in.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from playground.amounts import bytes_text
from playground.machine import allocator, process_memory
from playground.models import embedded
from playground.models.download_progress import DownloadProgress
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving import pool_texts
from playground.serving.loaded_models import LoadedModel, LoadedModels, give_back
from playground.serving.pool_state import Phase, PoolState
from playground.types import Generator, ModelError, PlaygroundError, ProgressReport, Text

_LOOK_S = 0.5  # between two looks at runs that must end
log = logging.getLogger(__name__)

OpenChoice = Callable[[ModelChoice, ProgressReport], Generator]
Fetch = Callable[[ModelChoice, Callable[[DownloadProgress], None]], None]


class Cancelled(ModelError):
    """The switch was given up by who asked for it. A ModelError, so that loaders pass it on."""

    def __init__(self) -> None:
        super().__init__(Text("Cancelled.", "已取消。"))


@dataclass(frozen=True, slots=True)
class Tools:
    """What a switch works with. `room` gives the bytes that another model may take now, `cap` those that all may."""

    open_choice: OpenChoice
    estimate: Callable[[ModelChoice], MemoryEstimate]
    fetch: Fetch
    room: Callable[[ModelChoice], int]
    cap: int | None = None


@dataclass(slots=True)
class Switch:
    """`run` does all of it and raises nothing; `state` says how far it is. `first` opens what a server starts with,
    which brings its own way out of a failure."""

    choice: ModelChoice
    models: LoadedModels
    tools: Tools
    running: Literal["wait", "stop"] = "wait"
    first: OpenChoice | None = None
    state: PoolState = field(default_factory=PoolState)
    cancelled: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.first is None:
            self._tell("estimating", pool_texts.ESTIMATING)
        else:
            self._tell("loading", pool_texts.LOADING)

    def run(self) -> None:
        """All of it, in the caller's thread."""
        old = self.models.current
        reason: Text | None = None
        try:
            model = self._started() if self.first else self._opened()
            self.models.make_current(model)
            self.state = replace(self.state, loaded=True)
            if self.first is not None:
                self._estimate(model)
            if self.running == "stop" and old is not None:
                self.models.end_runs(old)
            self._keep_to_cap()
        except Cancelled:
            self.models.tell("cancelled", self.choice.name, pool_texts.CANCELLED.filled(name=self.choice.label))
        except PlaygroundError as error:
            reason = Text(error.say("en"), error.say("zh"))
        except Exception:  # a thread of its own: what is not caught here would leave the page waiting for ever
            log.exception("Loading the model failed")
            reason = pool_texts.UNEXPECTED
        finally:
            if reason is not None:
                said = pool_texts.FAILED.filled(name=self.choice.label, reason=reason)
                self.models.tell("failed", self.choice.name, said)
            phase: Phase = "idle" if reason is None else "failed"
            estimate = self.state.estimate
            self.state = PoolState(phase, self.choice, reason=reason, estimate=estimate, seconds=self._seconds)
            self.models.admit(True)
            self.over.set()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def now(self) -> PoolState:
        """The state with what changes by itself."""
        if self.over.is_set():
            return self.state
        waits = self.models.running if self.state.phase == "waiting" else 0
        return replace(self.state, seconds=self._seconds, waits_for=waits, cancelling=self.cancelled.is_set())

    def _tell(self, phase: Phase, stage: Text, **more: object) -> None:
        said = stage.filled(name=self.choice.label, **more)
        self.state = PoolState(phase, self.choice, said, estimate=self.state.estimate)

    def _check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def _report(self, stage: Text, share: float | None) -> None:
        self._check()
        self.state = replace(self.state, phase="loading", stage=stage, share=share, download=None)

    def _progress(self, found: DownloadProgress) -> None:
        self._check()
        share = found.done / found.total if found.total else None
        stage = pool_texts.DOWNLOADING.filled(name=self.choice.name)
        self.state = replace(self.state, phase="downloading", stage=stage, share=share, download=found)

    def _started(self) -> LoadedModel:
        assert self.first is not None
        return self._load(self.first, self._report)

    def _estimate(self, model: LoadedModel) -> None:
        """What the model of the start was to take, to stand beside what it takes; runs begin meanwhile."""
        try:
            model.estimate = self.tools.estimate(model.choice)
        except Exception as error:  # noqa: BLE001 - the model is there, whatever its files are
            log.info("The memory of %s was not estimated: %s", model.title, type(error).__name__)

    def _opened(self) -> LoadedModel:
        estimate = self.tools.estimate(self.choice)
        self._check()
        self.state = replace(self.state, estimate=estimate)
        self._refuse_beyond_cap(estimate)
        self._tell("estimating", pool_texts.ASKING)
        self.tools.fetch(self.choice, self._progress)
        self._check()
        gone = self._make_room(estimate)
        self._tell("loading", pool_texts.LOADING)
        try:
            return self._load(self.tools.open_choice, self._report)
        except Exception as error:
            if gone is None:
                raise
            self._restore(gone, error)
            raise

    def _load(self, open_choice: OpenChoice, report: ProgressReport) -> LoadedModel:
        if self.models.all:
            give_back()
        runs, before = self.models.running, process_memory.own_bytes()
        try:
            with allocator.apart():
                generator = open_choice(self.choice, report)
        except BaseException:
            give_back()
            raise
        if getattr(generator, "held_bytes", 0):
            give_back()
        # A first model brings its libraries along, which are nobody's.
        alone = not runs and not self.models.running and self.first is None
        grown = process_memory.own_bytes() - before if alone else None
        choice = self.choice
        if self.first is not None and _is_replaced(choice, generator.card.id):
            choice = ModelChoice(generator.card.id, choice.weights)
        model = LoadedModel(choice, generator, self.state.estimate, grown)
        self.models.add(model)
        return model

    def _refuse_beyond_cap(self, estimate: MemoryEstimate) -> None:
        cap = self.tools.cap
        if cap is not None and estimate.held > cap:
            needed, allowed = bytes_text(estimate.held), bytes_text(cap)
            raise ModelError(
                Text(
                    f"{self.choice.label} takes {needed}; this server holds models of {allowed} at most.",
                    f"{self.choice.label} 需要 {needed}；本服务器的模型最多占 {allowed}。",
                ),
                Text(
                    "Take a smaller number format, or raise --model-memory.",
                    "请选更小的数值格式，或提高 --model-memory。",
                ),
            )

    def _fits(self, estimate: MemoryEstimate) -> bool:
        return estimate.basis == "unknown" or estimate.needed <= self.tools.room(self.choice)

    def _make_room(self, estimate: MemoryEstimate) -> ModelChoice | None:
        """Unloads what must go, the least recently used first and the current one last, whose choice it then returns.

        Runs end first. While they do, none begins; the page says why.
        """
        self._unload_unused(estimate)
        if self._fits(estimate):
            return None
        old = self.models.current
        self.models.admit(False)
        if self.running == "stop":
            self.models.end_runs()
        self._tell("waiting", pool_texts.WAITING, old=old.title if old else "", count=self.models.running)
        with self.models.changed:
            while self.models.running:
                self._check()
                self.models.changed.wait(_LOOK_S)
        self._check()
        self._unload_unused(estimate)
        if self._fits(estimate) or old is None:
            self.models.admit(True)
            return None
        self.state = replace(self.state, phase="unloading", stage=pool_texts.UNLOADING.filled(name=old.title))
        why = pool_texts.UNLOADED_BEFORE.filled(name=old.title, other=self.choice.label)
        self.models.unload(old, why, even_current=True)
        return old.choice

    def _unload_unused(self, estimate: MemoryEstimate) -> None:
        for model in self.models.unused():
            if self._fits(estimate):
                return
            self.models.unload(model, pool_texts.UNLOADED_ROOM.filled(name=model.title, other=self.choice.label))

    def _restore(self, choice: ModelChoice, error: Exception) -> None:
        """The model that had to go is loaded again. Raises where that fails too."""
        wanted, self.choice = self.choice, choice
        stage = pool_texts.RESTORING.filled(name=wanted.label, old=choice.label)
        try:
            self.state = PoolState("loading", wanted, stage)
            model = self._load(self.tools.open_choice, self._restoring)
        except PlaygroundError as other:
            said = error if isinstance(error, PlaygroundError) else ModelError(pool_texts.UNEXPECTED)
            first, second = Text(said.say("en"), said.say("zh")), Text(other.say("en"), other.say("zh"))
            raise ModelError(pool_texts.BOTH_FAILED.filled(reason=first, old=choice.label, other=second)) from None
        finally:
            self.choice = wanted
        self.models.make_current(model)
        self.models.tell("restored", choice.name, pool_texts.RESTORED.filled(name=model.title))

    def _restoring(self, stage: Text, share: float | None) -> None:
        """As `_report`; what is loaded again is not cancelled."""
        self.state = replace(self.state, stage=stage, share=share)

    def _keep_to_cap(self) -> None:
        """Estimates err: once it is loaded, what is over the cap goes."""
        cap = self.tools.cap
        for model in self.models.unused():
            held = self.models.held
            if cap is None or held <= cap:
                return
            said = pool_texts.UNLOADED_CAP.filled(name=model.title, held=bytes_text(held), cap=bytes_text(cap))
            self.models.unload(model, said)


def _is_replaced(choice: ModelChoice, id: str) -> bool:
    """Whether the embedded model was loaded in the place of what a server was to start with. With an adapter no model
    goes by the embedded one's own id."""
    if choice.is_engine:
        return False
    return id != choice.name if choice.adapter is None else id == embedded.ID
