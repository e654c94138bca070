"""The running batch: one thread that steps all sessions' rows together, a token each, for as long as there are any.

Requests join between two steps and leave when they end or are closed. Knows no request beyond its rows.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial

import torch

from playground.decoding.fair_lock import FairLock
from playground.decoding.step_stream import StepStream
from playground.fast.job import Job, Live
from playground.fast.net import Net
from playground.fast.reading import Prompts
from playground.fast.rooms import Rooms
from playground.fast.slots import longer
from playground.fast.stepping import Steps, rows_of_step
from playground.machine.allocator import trim_soon
from playground.types import Refused, Step, Text, Wait
from playground.waiting import turn

_QUANTUM = 16  # steps before other rows of large jobs have their turn
_SPARE = 12  # percent of rows and memory that are for whoever has nothing in play, where there are shares


class Running:
    """`step` gives rows their scores, `fill` reads prompts; both may be one net. `rows` is the most in one step.

    `memory` bounds the bytes of keys and values; a request that does not fit waits for those before it to end. A
    session and an address that have more than one request in play may hold `shares` percent of both.
    """

    def __init__(
        self, step: Net, fill: Net, lock: FairLock, *, rows: int, memory: int, shares: tuple[int, int] = (100, 100)
    ) -> None:
        self._step = step
        self._fill = fill
        self._lock = lock
        self._rows = rows
        self._memory = memory
        self._shares = shares
        self._furnish()
        self._waiting: deque[Job] = deque()
        self._jobs: list[Job] = []
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._round = 0
        self._step_s: float | None = None  # what a step takes, as the last ones did

    def _furnish(self) -> None:
        """Everything that holds keys and values, empty."""
        self._rooms = Rooms(self._step.shape, self._memory)
        self._prompts = Prompts(self._fill, self._rooms, self._lock)
        self._steps = Steps(self._step, self._rooms, self._lock, self._leave)

    def stream(self, job: Job) -> Iterator[Step]:
        """The job's Steps. Closing it takes the job out before the next step; whatever ended the job is raised here."""
        self._refuse_what_never_fits(job)
        return self._steps_of(job)

    def open(self, job: Job) -> StepStream:
        """The same for a reader who never waits: the job comes in now, and goes once it is cancelled."""
        self._refuse_what_never_fits(job)
        self._join(job)
        return job.stream

    def expect(self, rows: int, tokens: int) -> None:
        """Gets the steps behind a prompt of so many tokens ready, for so many rows, and for one of them alone."""
        with self._lock:
            self._step.want(*((rows_of_step(some), longer(tokens + 1)) for some in (rows, 1)))

    @property
    def lacks(self) -> Text | None:
        """What this machine would need for compiled steps."""
        return None if self._step.compiler is None else self._step.compiler.lacks

    @property
    def taken(self) -> int:
        """Rows in play or waiting now."""
        with self._guard:
            return sum(len(job.rows) for job in (*self._jobs, *self._waiting))

    def _steps_of(self, job: Job) -> Iterator[Step]:
        self._join(job)
        yield from job.stream.steps()

    def _join(self, job: Job) -> None:
        job.stream.place = partial(self._place, job)
        with self._guard:
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="running-batch")
                self._thread.start()

    def _place(self, job: Job) -> Wait | None:
        """Where this job stands in the line; None once it is in."""
        with self._guard:
            if job not in self._waiting:
                return None
            ahead, steps = turn(job, self._line(), self._jobs, self._fits)
        seconds = None if self._step_s is None else steps * self._step_s
        return Wait(ahead, seconds) if ahead else None

    def _line(self) -> list[Job]:
        """Those who wait, in the order in which they come in: those who are watched first."""
        return sorted(self._waiting, key=lambda job: not job.watched)

    def _fits(self, jobs: Sequence[Job]) -> bool:
        """Whether the last of these has room beside the others."""
        return self._has_room(jobs) and self._in_share(jobs)

    def _has_room(self, jobs: Sequence[Job], percent: int = 100) -> bool:
        """Whether these take no more than this part of all rows and all memory."""
        rows = sum(len(job.rows) for job in jobs)
        return rows <= self._rows * percent // 100 and self._rooms.bytes_for(jobs) <= self._memory * percent // 100

    def _in_share(self, jobs: Sequence[Job]) -> bool:
        """Whether the last of these is within its visitor's share, if the visitor is in play with others already; then
        a last part of everything is not for it, but for those who have nothing yet."""
        *others, one = jobs
        for percent, whose in zip(self._shares, (_session, _address), strict=True):
            mine = [job for job in others if whose(job) and whose(job) == whose(one)]
            if (
                percent < 100
                and mine
                and not (self._has_room([*mine, one], percent) and self._has_room(jobs, 100 - _SPARE))
            ):
                return False
        return True

    def _refuse_what_never_fits(self, job: Job) -> None:
        need = self._rooms.bytes_for([job])
        if need > self._memory:
            raise Refused(
                Text(
                    f"This request needs {need / 2**20:,.0f} MiB for its keys and values; this server gives "
                    f"{self._memory / 2**20:,.0f} MiB.",
                    f"此请求的键值缓存需要 {need / 2**20:,.0f} MiB，本服务器只提供 {self._memory / 2**20:,.0f} MiB。",
                ),
                Text("Ask for fewer candidates or fewer tokens.", "请减少候选数或词元数。"),
                parameter="n" if len(job.rows) > 1 else "max_new_tokens",
            )

    @torch.inference_mode()
    def _work(self) -> None:
        try:
            while self._any():
                self._let_go()
                self._advance()
        except BaseException as error:  # nothing that a request can cause: those end by themselves
            with self._guard:
                left, self._thread = [*self._jobs, *self._waiting], None
                self._jobs.clear()
                self._waiting.clear()
                self._furnish()
            for job in left:
                job.end(error)
            raise

    def _any(self) -> bool:
        """Lets in who waits. False ends the thread: nobody is left."""
        with self._guard:
            for job in [job for job in self._waiting if job.cancelled.is_set()]:
                self._waiting.remove(job)
                job.end()
            self._admit()
            if not self._jobs:
                self._rooms.rest()
                self._thread = None
                trim_soon()
            return bool(self._jobs)

    def _admit(self) -> None:
        """Those who wait come in, in their order, as far as rows and memory go; who has his share lets others by."""
        for job in self._line():
            if self._jobs and not self._has_room([*self._jobs, job]):
                return
            if not self._in_share([*self._jobs, job]):
                continue
            self._waiting.remove(job)
            self._jobs.append(job)
            job.seat()

    def _let_go(self) -> None:
        """Jobs that nobody waits for any more, and rows whose time is up before their prompt is read."""
        over = not threading.main_thread().is_alive()  # torch aborts a program where a thread that computes is left
        for job in [job for job in self._jobs if over or job.cancelled.is_set()]:
            self._end(job)
        for job in [job for job in self._jobs if job.setting.expired()]:
            for live in [live for live in job.lives if not live.ready]:
                self._steps.tell(live, live.row.time_is_up())

    def _advance(self) -> None:
        """A piece of a prompt for whoever has not been read yet, then a token for everyone who has."""
        started = time.perf_counter()
        everyone = [live for job in self._jobs for live in job.lives]
        unread = [live for live in everyone if not live.ready]
        stepping = len(unread) < len(everyone)
        if unread and self._prompts.due(stepping=stepping):
            self._prompts.read(unread, self._steps.fail, stepping=stepping)
        before = time.perf_counter()
        lives = self._chosen()
        if lives:
            self._steps.advance(lives)
            now = time.perf_counter()
            self._prompts.stepped(now - before)
            took = now - started
            self._step_s = took if self._step_s is None else 0.9 * self._step_s + 0.1 * took

    def _chosen(self) -> list[Live]:
        """Rows of the next step: all that are watched, and beside them no more of the large jobs than of these."""
        ready = [live for job in self._jobs for live in job.lives if live.ready]
        watched = [live for live in ready if live.job.watched][: self._rows]
        others = [live for live in ready if not live.job.watched]
        room = self._rows - len(watched)
        if watched:
            room = min(room, max(len(watched), 4))
        self._round += 1
        if len(others) > room > 0:
            turn = self._round // _QUANTUM * room % len(others)
            others = (others[turn:] + others[:turn])[:room]
        return watched + others[:room]

    def _leave(self, live: Live) -> None:
        for seat in live.seats:
            self._rooms.leave(seat)
        live.job.lives.remove(live)
        if not live.job.lives:
            self._end(live.job)

    def _end(self, job: Job) -> None:
        for live in job.lives:
            for seat in live.seats:
                self._rooms.leave(seat)
        with self._guard:
            if job in self._jobs:
                self._jobs.remove(job)
        job.end()


def _session(job: Job) -> str:
    return job.visitor.session


def _address(job: Job) -> str:
    return job.visitor.address
