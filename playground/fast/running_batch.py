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

from playground.amounts import bytes_text
from playground.decoding.fair_lock import FairLock
from playground.decoding.step_stream import StepStream
from playground.fast.chunked_prefill import ChunkedPrefill
from playground.fast.job import ActiveRow, Job
from playground.fast.kv_slots import padded_length
from playground.fast.net import Net
from playground.fast.slot_pools import SlotPools
from playground.fast.stepping import BatchStepper, rows_of_step
from playground.machine.allocator import trim_soon
from playground.types import Refused, Step, Text, Wait
from playground.waiting import wait_before

_QUANTUM = 16  # steps before other rows of large jobs have their turn
_SPARE = 12  # percent of rows and memory that are for visitors without a request in play, where there are shares


class RunningBatch:
    """`decode_net` gives rows their scores, `prefill_net` reads prompts; both may be one net. `rows` is the most in
    one step.

    `memory` bounds the bytes of keys and values; a request that does not fit waits for those before it to end. A
    session and an address that have more than one request in play may hold `shares` percent of both.
    """

    def __init__(
        self,
        decode_net: Net,
        prefill_net: Net,
        lock: FairLock,
        *,
        rows: int,
        memory: int,
        shares: tuple[int, int] = (100, 100),
    ) -> None:
        self._decode_net = decode_net
        self._prefill_net = prefill_net
        self._lock = lock
        self._rows = rows
        self._memory = memory
        self._shares = shares
        self._reset()
        self._waiting: deque[Job] = deque()
        self._jobs: list[Job] = []
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._round = 0
        self._step_s: float | None = None  # what a step takes, as the last ones did

    def _reset(self) -> None:
        """Everything that holds keys and values, empty."""
        self._pools = SlotPools(self._decode_net.shape, self._memory)
        self._prefill = ChunkedPrefill(self._prefill_net, self._pools, self._lock)
        self._stepper = BatchStepper(self._decode_net, self._pools, self._lock, self._leave)

    def stream(self, job: Job) -> Iterator[Step]:
        """The job's Steps. Closing it takes the job out before the next step; raises the error that ended the job."""
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
            self._decode_net.want(*((rows_of_step(some), padded_length(tokens + 1)) for some in (rows, 1)))

    @property
    def lacks(self) -> Text | None:
        """What this machine would need for compiled steps."""
        return None if self._decode_net.compiler is None else self._decode_net.compiler.lacks

    @property
    def slots_bytes(self) -> int:
        """Bytes that all keys and values take now."""
        return sum(slots.size for slots in self._pools.slots)

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
            ahead, steps = wait_before(job, self._line(), self._jobs, self._fits)
        seconds = None if self._step_s is None else steps * self._step_s
        return Wait(ahead, seconds) if ahead else None

    def _line(self) -> list[Job]:
        """The waiting jobs in the order in which they come in: watched ones first."""
        return sorted(self._waiting, key=lambda job: not job.watched)

    def _fits(self, jobs: Sequence[Job]) -> bool:
        """Whether the last of these has room beside the others."""
        return self._has_room(jobs) and self._in_share(jobs)

    def _has_room(self, jobs: Sequence[Job], percent: int = 100) -> bool:
        """Whether these take no more than this part of all rows and all memory."""
        rows = sum(len(job.rows) for job in jobs)
        return rows <= self._rows * percent // 100 and self._pools.bytes_for(jobs) <= self._memory * percent // 100

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
        need = self._pools.bytes_for([job])
        if need > self._memory:
            raise Refused(
                Text(
                    f"This request needs {bytes_text(need)} for its keys and values; this server gives "
                    f"{bytes_text(self._memory)}.",
                    f"此请求的键值缓存需要 {bytes_text(need)}，本服务器只提供 {bytes_text(self._memory)}。",
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
                self._reset()
            for job in left:
                job.end(error)
            raise

    def _any(self) -> bool:
        """Lets waiting jobs in. False ends the thread: no job is left."""
        with self._guard:
            for job in [job for job in self._waiting if job.cancelled.is_set()]:
                self._waiting.remove(job)
                job.end()
            self._admit()
            if not self._jobs:
                self._pools.shrink()
                self._thread = None
                trim_soon()
            return bool(self._jobs)

    def _admit(self) -> None:
        """Waiting jobs come in, in order, as far as rows and memory go; a visitor with a full share is passed over."""
        for job in self._line():
            if self._jobs and not self._has_room([*self._jobs, job]):
                return
            if not self._in_share([*self._jobs, job]):
                continue
            self._waiting.remove(job)
            self._jobs.append(job)
            job.start()

    def _let_go(self) -> None:
        """Ends jobs that were cancelled, and rows whose time is up before their prompt is read."""
        over = not threading.main_thread().is_alive()  # torch aborts a program where a thread that computes is left
        for job in [job for job in self._jobs if over or job.cancelled.is_set()]:
            self._end(job)
        for job in [job for job in self._jobs if job.setting.expired()]:
            for active in [active for active in job.active_rows if not active.ready]:
                self._stepper.send(active, active.row.end_by_time())

    def _advance(self) -> None:
        """A piece of a prompt for rows whose prompt is not read yet, then a token for all other rows."""
        started = time.perf_counter()
        everyone = [active for job in self._jobs for active in job.active_rows]
        unread = [active for active in everyone if not active.ready]
        stepping = len(unread) < len(everyone)
        if unread and self._prefill.due(stepping=stepping):
            self._prefill.read(unread, self._stepper.fail, stepping=stepping)
        before = time.perf_counter()
        active_rows = self._chosen()
        if active_rows:
            self._stepper.advance(active_rows)
            now = time.perf_counter()
            self._prefill.stepped(now - before)
            took = now - started
            self._step_s = took if self._step_s is None else 0.9 * self._step_s + 0.1 * took

    def _chosen(self) -> list[ActiveRow]:
        """Rows of the next step: all that are watched, and beside them no more of the large jobs than of these."""
        ready = [active for job in self._jobs for active in job.active_rows if active.ready]
        watched = [active for active in ready if active.job.watched][: self._rows]
        others = [active for active in ready if not active.job.watched]
        space = self._rows - len(watched)
        if watched:
            space = min(space, max(len(watched), 4))
        self._round += 1
        if len(others) > space > 0:
            turn = self._round // _QUANTUM * space % len(others)
            others = (others[turn:] + others[:turn])[:space]
        return watched + others[:space]

    def _leave(self, active: ActiveRow) -> None:
        for sequence in active.sequences:
            self._pools.release(sequence)
        active.job.active_rows.remove(active)
        if not active.job.active_rows:
            self._end(active.job)

    def _end(self, job: Job) -> None:
        for active in job.active_rows:
            for sequence in active.sequences:
                self._pools.release(sequence)
        with self._guard:
            if job in self._jobs:
                self._jobs.remove(job)
        job.end()


def _session(job: Job) -> str:
    return job.visitor.session


def _address(job: Job) -> str:
    return job.visitor.address
