"""The generators that a server holds, who uses each of them, and what became of them. Knows no loading.

A generator that is unloaded is closed, and its memory goes back to the system at once.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playground.machine import allocator, mapped_weights
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving import pool_texts
from playground.serving.pool_state import EventKind, PoolEntry, PoolEvent
from playground.types import Generator, ModelError, Text

_EVENTS = 100  # that are remembered


@dataclass(slots=True, eq=False)
class LoadedModel:
    """One generator. `uses` holds an event for each run that uses it, which is set where the run has to end early."""

    choice: ModelChoice
    generator: Generator
    estimate: MemoryEstimate | None = None
    grown: int | None = None
    last_used: float = 0.0
    uses: list[threading.Event] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.generator.card.title

    @property
    def held(self) -> int:
        """Bytes of its tensors; of a generator that holds none here, 0."""
        return int(getattr(self.generator, "held_bytes", 0))


class LoadedModels:
    """All of them; methods may be called from any thread. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.changed = threading.Condition()
        self.current: LoadedModel | None = None
        self._clock = clock
        self._models: list[LoadedModel] = []
        self._admits = True  # whether new runs may begin
        self._events: deque[PoolEvent] = deque(maxlen=_EVENTS)

    @property
    def all(self) -> list[LoadedModel]:
        """The current one first, then the most recently used."""
        with self.changed:
            return sorted(self._models, key=lambda one: (one is not self.current, -one.last_used))

    @property
    def entries(self) -> list[PoolEntry]:
        """All of them as plain data, in the order of `all`."""
        now = self._clock()
        return [
            PoolEntry(
                one.choice, one.generator.card, one.generator, one is self.current, one.held, one.grown, one.estimate,
                len(one.uses), 0.0 if one.uses else max(0.0, now - one.last_used),
            )
            for one in self.all
        ]  # fmt: skip

    @property
    def held(self) -> int:
        """Bytes of all their tensors."""
        return sum(one.held for one in self.all)

    @property
    def events(self) -> list[PoolEvent]:
        """The newest first."""
        with self.changed:
            return list(reversed(self._events))

    @property
    def ready(self) -> bool:
        """Whether a run can begin now."""
        with self.changed:
            return self._admits and self.current is not None

    def find(self, choice: ModelChoice) -> LoadedModel | None:
        return next((one for one in self.all if one.choice == choice), None)

    def tell(self, kind: EventKind, name: str, text: Text) -> None:
        """Called with `changed` held where the event must be seen together with what it tells of."""
        with self.changed:
            self._events.append(PoolEvent(time.time(), kind, name, text))
            self.changed.notify_all()

    def add(self, model: LoadedModel) -> None:
        """Another one, which nobody uses yet."""
        with self.changed:
            model.last_used = self._clock()
            self._models.append(model)
            self.tell("loaded", model.choice.name, pool_texts.LOADED.filled(name=model.title))

    def make_current(self, model: LoadedModel) -> None:
        """New runs use this one from now on."""
        with self.changed:
            if self.current is not None:
                self.current.last_used = self._clock()
            before, self.current, self._admits = self.current, model, True
            self.changed.notify_all()
            if before is not None and before is not model:
                self.tell("switched", model.choice.name, pool_texts.SWITCHED.filled(name=model.title))

    @contextmanager
    def use(self, generator: Generator | None = None) -> Iterator[tuple[Generator, threading.Event]]:
        """The current generator, or this one, is held while it lasts. The event is set once the run has to end. Raises
        ModelError where it is not loaded, or where no run may begin on the current one."""
        ends = threading.Event()
        with self.changed:
            model = self.current if generator is None else self._of(generator)
            if model is None or (generator is None and not self._admits):
                raise ModelError(pool_texts.NONE_LOADED, pool_texts.NOT_LOADED_HINT)
            model.uses.append(ends)
        try:
            yield model.generator, ends
        finally:
            with self.changed:
                model.uses.remove(ends)
                model.last_used = self._clock()
                self.changed.notify_all()

    def _of(self, generator: Generator) -> LoadedModel:
        for model in self._models:
            if model.generator is generator:
                return model
        name = generator.card.title
        raise ModelError(pool_texts.NOT_LOADED.filled(name=name), pool_texts.NOT_LOADED_HINT)

    def admit(self, yes: bool) -> None:
        """Whether new runs may begin on the current one."""
        with self.changed:
            self._admits = yes
            self.changed.notify_all()

    @property
    def running(self) -> int:
        """Runs that use any of them."""
        with self.changed:
            return sum(len(one.uses) for one in self._models)

    def end_runs(self, model: LoadedModel | None = None) -> None:
        """Has the runs of this one end early, or those of all."""
        with self.changed:
            for one in self._models if model is None else [model]:
                for ends in one.uses:
                    ends.set()

    def unused(self) -> list[LoadedModel]:
        """Those that neither a run nor new runs use, the least recently used first."""
        with self.changed:
            free = [one for one in self._models if not one.uses and one is not self.current]
            return sorted(free, key=lambda one: one.last_used)

    def unload(self, model: LoadedModel, why: Text, *, even_current: bool = False) -> bool:
        """Whether it was let go of: not where a run uses it, or new runs do."""
        with self.changed:
            if model not in self._models or model.uses or (model is self.current and not even_current):
                return False
            self._models.remove(model)
            if model is self.current:
                self.current = None
            self.tell("unloaded", model.choice.name, why)
        close(model.generator)
        return True

    def idle_since(self, seconds: float) -> tuple[list[LoadedModel], float | None]:
        """Those that nobody has used for so long, and in how many seconds the next one will be so; None for none."""
        now = self._clock()
        ages = [(one, now - one.last_used) for one in self.unused()]
        over = [one for one, age in ages if age >= seconds]
        return over, min((seconds - age for one, age in ages if age < seconds), default=None)


def named(generators: Iterable[Generator], name: str) -> Generator | None:
    """The first of them that goes by this name, its id or its title; None where none does."""
    return next((one for one in generators if name in (one.card.id, one.card.title)), None)


def close(generator: Generator) -> None:
    """Closes a generator that can be closed, and gives its memory back to the system."""
    end = getattr(generator, "close", None)
    if end is not None:
        end()
    give_back()


def give_back() -> None:
    """What nobody refers to any more goes back to the system now."""
    gc.collect()
    allocator.trim()
    mapped_weights.release()
