"""The models that a server holds: one that new runs use, others that stay loaded while there is memory for them.

Knows no page and no torch; opening a generator, estimating its memory and fetching its files are handed in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving import pool_texts
from playground.serving.loaded_models import LoadedModels
from playground.serving.model_switch import OpenChoice, Switch, Tools
from playground.serving.pool_state import EventKind, Phase, PoolEntry, PoolEvent, PoolState
from playground.types import Busy, Generator, ModelError

__all__ = ["EventKind", "ModelPool", "Phase", "PoolEntry", "PoolEvent", "PoolState", "Tools"]


class ModelPool:
    """All methods may be called from any thread, and none of them waits for a load.

    Models that nobody has used for `idle` seconds are unloaded, 0 keeps them; the current one stays.
    """

    def __init__(self, tools: Tools, *, idle: float = 0.0, models: LoadedModels | None = None) -> None:
        self.models = models or LoadedModels()
        self._tools = tools
        self._idle = idle
        self._switch: Switch | None = None
        self._guard = threading.Lock()
        self._tidying = False
        self._heard: list[Callable[[], None]] = []

    @property
    def current(self) -> Generator | None:
        """What new runs use; None while none is loaded."""
        model = self.models.current
        return None if model is None else model.generator

    @property
    def choice(self) -> ModelChoice | None:
        """With which the current one was loaded."""
        model = self.models.current
        return None if model is None else model.choice

    @property
    def ready(self) -> bool:
        """Whether a run can begin now."""
        return self.models.ready

    def entries(self) -> list[PoolEntry]:
        """The loaded ones, the current one first, then the most recently used."""
        return self.models.entries

    def events(self) -> list[PoolEvent]:
        """What was loaded, unloaded and why, the newest first."""
        return self.models.events

    def estimate(self, choice: ModelChoice) -> MemoryEstimate:
        """What it would take; asks the hub where its files are not here. Raises ModelError where there is no such
        model. May take seconds, so it is called in a thread."""
        return self._tools.estimate(choice)

    def on_switch(self, heard: Callable[[], None]) -> None:
        """Has this called, in a thread, after every switch, also one that failed or was cancelled: runs may begin."""
        self._heard.append(heard)

    def start(self, choice: ModelChoice, opener: OpenChoice) -> None:
        """Loads what the server starts with, by an opener that brings its own way out of a failure."""
        self._begin(Switch(choice, self.models, self._tools, first=opener))

    def switch(self, choice: ModelChoice, *, running: Literal["wait", "stop"] = "wait") -> None:
        """Begins to load `choice`, or makes it current at once where it is loaded. Returns at once; `state` tells.

        With "stop" texts that the old model is writing end now; with "wait" they go on, and only where both models do
        not fit into memory the new one waits for them. Raises Busy while another switch is under way.
        """
        with self._guard:
            self._refuse_second()
            loaded = self.models.find(choice)
            old = self.models.current
            if loaded is not None:
                self._switch = None
                self.models.make_current(loaded)
        if loaded is None:
            self._begin(Switch(choice, self.models, self._tools, running))
        elif loaded is not old:
            if running == "stop" and old is not None:
                self.models.end_runs(old)
            self._switched()

    def cancel(self) -> None:
        """Ends a download or a load as soon as it can; the model that was current stays."""
        switch = self._switch
        if switch is not None:
            switch.cancelled.set()
            with self.models.changed:
                self.models.changed.notify_all()

    def stop_waiting(self) -> None:
        """Has the runs end that a switch waits for; nothing where it waits for none. The switch goes on."""
        if self.state().phase == "waiting":
            self.models.end_runs()

    def unload(self, wanted: ModelChoice | str) -> None:
        """Lets go of a loaded model, named by its name or, where several have it, by its choice. Raises ModelError
        where it is current or a run holds it, or is not loaded."""
        name = wanted if isinstance(wanted, str) else wanted.name
        named = [one for one in self.models.all if name in (one.choice.name, one.generator.card.id)]
        model = next((one for one in named if wanted in (one.choice, name)), None)
        if model is None:
            raise ModelError(pool_texts.NOT_LOADED.filled(name=name), pool_texts.NOT_LOADED_HINT)
        if model is self.models.current:
            raise ModelError(pool_texts.IS_CURRENT.filled(name=model.title), pool_texts.IS_CURRENT_HINT)
        if not self.models.unload(model, pool_texts.UNLOADED_ASKED.filled(name=model.title)):
            said = pool_texts.IN_USE.filled(name=model.title, count=len(model.uses))
            raise ModelError(said, pool_texts.IN_USE_HINT)

    def state(self) -> PoolState:
        """What is being done for whom, or how the last switch ended."""
        switch = self._switch
        return PoolState() if switch is None else switch.now()

    def wait(self, seconds: float) -> bool:
        """True once no switch is under way."""
        switch = self._switch
        return switch is None or switch.over.wait(seconds)

    @contextmanager
    def using(self, generator: Generator) -> Iterator[threading.Event]:
        """While it lasts the generator is not unloaded. The event is set once the run has to end early. Raises
        ModelError where the generator is not loaded any more."""
        with self.models.use(generator) as (_, ends):
            yield ends

    @contextmanager
    def current_in_use(self) -> Iterator[tuple[Generator, threading.Event]]:
        """The current generator, held like that; ModelError where there is none, or none yet."""
        with self.models.use() as found:
            yield found

    def _begin(self, switch: Switch) -> None:
        with self._guard:
            self._refuse_second()
            self._switch = switch
        threading.Thread(target=self._run, args=(switch,), name="load-model", daemon=True).start()

    def _refuse_second(self) -> None:
        """Called with the guard held."""
        under_way = self._switch
        if under_way is not None and not under_way.over.is_set():
            raise Busy(pool_texts.UNDER_WAY.filled(name=under_way.choice.label), pool_texts.UNDER_WAY_HINT)

    def _run(self, switch: Switch) -> None:
        switch.run()
        self._switched()

    def _switched(self) -> None:
        """Another model is current: models that are not may become idle, and who waits for this one is told."""
        with self._guard:
            begins = self._idle > 0 and not self._tidying and len(self.models.all) > 1
            self._tidying = self._tidying or begins
        if begins:
            threading.Thread(target=self._tidy, name="model-idle", daemon=True).start()
        for heard in self._heard:
            threading.Thread(target=heard, name="model-switched", daemon=True).start()

    def _tidy(self) -> None:
        """Unloads what is idle, until only the current model is left."""
        while True:
            over, left = self.models.idle_since(self._idle)
            for model in over:
                said = pool_texts.UNLOADED_IDLE.filled(name=model.title, seconds=round(self._idle))
                self.models.unload(model, said)
            with self._guard:
                if len(self.models.all) < 2:
                    self._tidying = False
                    return
            with self.models.changed:
                self.models.changed.wait(left if left is not None else self._idle)
