"""Batch jobs of a server: kept in the store, each run by a thread of its own until it is done, paused or stopped.

Knows no page. A job is found by its key alone; who has the key may do all of this with it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from playground.batch import Batch, Numbered, Plan
from playground.machine.disk import DiskError
from playground.serving.model_pool import ModelPool
from playground.settings import Limits
from playground.storage.database import Counts, Store
from playground.types import Busy, Generator, PlaygroundError, Text
from playground.visitor import Visitor

log = logging.getLogger(__name__)
_STOPPED = Text(
    "The batch stopped because of an error. What is done is kept; it can be resumed.",
    "批量任务因错误而停止。已完成的内容都在，可以继续运行。",
)
_OTHER_MODEL = Text(
    "Paused: this batch is written by {model}. It goes on by itself once that is the current model again.",
    "已暂停：此批量任务由 {model} 生成，待它再次成为当前模型后会自动继续。",
)
_ENDS = 2.0  # seconds that a row which was cancelled may take to end
_SHARE = 2  # batch jobs together take one row in so many of a step, so that interactive requests find room at once


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `seconds_left` is None until a row of this run has ended; `trouble` is why it stopped."""

    counts: Counts
    running: bool
    pausing: bool = False
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    trouble: Text | None = None


@dataclass(slots=True, eq=False)
class _RunningJob:
    """One job that runs. `paused` lets the rows in play end, `cancelled` ends them where they are."""

    batch: Batch
    candidates: int
    visitor: Visitor
    paused: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.perf_counter)
    ended: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    plan: Plan | None = None
    displaced: bool = False  # another model is current: what is left waits for this one


@dataclass(frozen=True, slots=True)
class _Parked:
    """A job that waits for its own model."""

    plan: Plan
    visitor: Visitor


class Jobs:
    """All that run now, by key. `rows` is what a step of the fast path has room for.

    With a `pool` of models a job whose model is not the current one pauses, and goes on by itself once it is again,
    also after the server was started anew.
    """

    def __init__(self, store: Store, limits: Limits, rows: int, pool: ModelPool | None = None) -> None:
        self.store = store
        self._pool = pool
        self._parked: dict[str, _Parked] = {}
        self._limits = limits
        self._most = max(1, rows // _SHARE)
        self._live: dict[str, _RunningJob] = {}
        self._guard = threading.Lock()
        self._closed = False
        self._trouble: dict[str, Text] = {}
        if pool is not None:
            self._read_parked()
            pool.on_switch(self.resume)

    def start(
        self,
        key: str,
        plan: Plan,
        generator: Generator,
        visitor: Visitor | None = None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """Runs the rows that wait. Nothing happens where the job runs already; Busy where too many run.

        `prepare` changes the job's rows once it has a place among those that run, so that a refusal loses no result.
        """
        plan = plan.of_model(generator.card)
        if not plan.is_for(generator.card):
            self._park(key, plan, visitor or Visitor())
            prepare()
            return
        live = _RunningJob(Batch(plan, generator, self._limits), plan.candidates, visitor or Visitor(), plan=plan)
        fast = plan.is_fast(generator)
        with self._guard:
            if key in self._live or self._closed:
                return
            if len(self._live) >= self._most:
                raise Busy(
                    Text("Too many batches are running right now.", "现在运行的批量任务太多。"),
                    Text("Try again in a while; your rows are kept.", "请稍后再试，你的数据都在。"),
                )
            others = [one.visitor for one in self._live.values()]
            if not live.visitor.fits(others, self._limits.share(self._most)):
                raise Busy(
                    Text("As many of your batches run as one visitor may.", "你运行的批量任务已达单个访客的上限。"),
                    Text("Pause one, or try again once one has ended.", "请暂停其中一个，或等一个结束后再试。"),
                )
            self._live[key] = live
            self._trouble.pop(key, None)
        try:
            self._unpark(key)
            prepare()
        except BaseException:
            self._ended(key, live)
            raise
        threading.Thread(target=self._work, args=(key, live, generator, fast), name="batch job", daemon=True).start()

    def pause(self, key: str) -> None:
        """No row begins any more; those in play end."""
        self._unpark(key)
        live = self._live.get(key)
        if live is not None:
            live.paused.set()

    def stop(self, key: str) -> None:
        """Rows in play end too, as if they had never begun. Returns once they have."""
        self._unpark(key)
        live = self._live.get(key)
        if live is not None:
            live.paused.set()
            live.cancelled.set()
            live.over.wait()

    def pause_all(self, seconds: float) -> None:
        """The server ends: rows in play may end within so many seconds, then they are as if they had never begun."""
        with self._guard:
            self._closed = True
            running = list(self._live.values())
        for live in running:
            live.paused.set()
        until = time.monotonic() + seconds
        for live in running:
            live.over.wait(max(0.0, until - time.monotonic()))
            live.cancelled.set()
        for live in running:
            live.over.wait(_ENDS)

    def progress(self, key: str) -> Progress:
        """Counts of the job's rows; while it runs also its speed (tokens per second) and the time left (seconds)."""
        live, counts = self._live.get(key), self.store.counts(key)
        if live is None:
            return Progress(counts, running=False, trouble=self._trouble.get(key))
        seconds = time.perf_counter() - live.began
        speed = live.batch.tokens / seconds if seconds > 0 else None
        left = counts.waiting * seconds / live.ended if live.ended else None
        return Progress(counts, True, live.paused.is_set(), speed, left)

    def _work(self, key: str, live: _RunningJob, generator: Generator, fast: bool) -> None:
        try:
            with self._holding(generator, live):
                self._write(key, live, generator, fast)
        except PlaygroundError as error:  # a full disk: what was accepted is there, the rest waits to be resumed
            self._trouble[key] = Text(error.say("en"), error.say("zh"))
        except Exception:  # a thread has no caller: the terminal gets the traceback, its owner a sentence
            log.exception("A batch job stopped")
            self._trouble[key] = _STOPPED
        finally:
            # Rows that the pool ended had no time to ask.
            live.displaced = live.displaced or not self._is_current(generator)
            displaced = live.displaced and not live.paused.is_set() and not self._closed
            if displaced and live.plan is not None and self.store.counts(key).waiting:
                self._park(key, live.plan, live.visitor)
            self._ended(key, live)
            if displaced:
                self.resume()  # it may have become current again meanwhile

    def _write(self, key: str, live: _RunningJob, generator: Generator, fast: bool) -> None:
        last = 0

        def take() -> Numbered | None:
            nonlocal last
            live.displaced = live.displaced or not self._is_current(generator)
            found = None if live.paused.is_set() or live.displaced else self.store.waiting(key, last)
            if found is not None:
                last = found[0]
            return found

        def at_once() -> int:
            """Texts in play: an equal share of what batch jobs may take. An engine keeps a place for those who read."""
            most = self._most if fast else generator.slots - 1
            return max(1, most // max(1, len(self._live)))

        with closing(live.batch.results(take, at_once, live.cancelled)) as results:
            for result in results:
                self.store.accept(key, result)
                live.ended += 1

    def _is_current(self, generator: Generator) -> bool:
        """Whether rows may begin on this generator."""
        return self._pool is None or (self._pool.ready and self._pool.current is generator)

    @contextmanager
    def _holding(self, generator: Generator, live: _RunningJob) -> Iterator[None]:
        """The generator is not unloaded under the job; the pool may end its rows as `stop` does."""
        if self._pool is None:
            yield
            return
        with self._pool.using(generator) as ends:
            before, live.cancelled = live.cancelled, ends
            if before.is_set():
                ends.set()
            yield

    def _park(self, key: str, plan: Plan, visitor: Visitor) -> None:
        with self._guard:
            self._parked[key] = _Parked(plan, visitor)
            self._trouble[key] = _OTHER_MODEL.filled(model=plan.model)
        with suppress(DiskError):  # then it has to be resumed by hand after a restart
            self.store.park(key, True)

    def _unpark(self, key: str) -> None:
        with self._guard:
            found = self._parked.pop(key, None)
            if found is not None:
                self._trouble.pop(key, None)
        if found is not None:
            self.store.park(key, False)

    def _read_parked(self) -> None:
        """Those that waited when the server ended. Whose they are is not kept in a form that tells it."""
        for job in self.store.parked():
            try:
                plan = Plan(**job.plan)
            except TypeError:  # of another version of this program: its owner resumes it by hand
                continue
            self._parked[job.key] = _Parked(plan, Visitor())
            self._trouble[job.key] = _OTHER_MODEL.filled(model=plan.model)

    def resume(self) -> None:
        """Jobs whose own model is current again go on."""
        generator = None if self._pool is None or not self._pool.ready else self._pool.current
        if generator is None:
            return
        with self._guard:
            parked = [(key, one) for key, one in self._parked.items() if one.plan.is_for(generator.card)]
        for key, one in parked:
            try:
                self.start(key, one.plan, generator, one.visitor)
            except PlaygroundError as error:  # too many run: it waits to be resumed by hand
                self._trouble[key] = Text(error.say("en"), error.say("zh"))

    def _ended(self, key: str, live: _RunningJob) -> None:
        with self._guard:
            del self._live[key]
        live.over.set()
