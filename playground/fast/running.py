"""The running batch: one thread that steps all sessions' rows together, a token each, for as long as there are any.

Requests join between two steps and leave when they end or are closed. Knows no request beyond its rows.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch

from playground.decoding.together import advance, prepare
from playground.decoding.told import Told
from playground.decoding.transfer import fetched, sent
from playground.decoding.turns import Turns
from playground.fast.job import Job, Live, Seat
from playground.fast.net import Net
from playground.fast.seating import Seating
from playground.fast.slots import longer
from playground.types import Refused, Step, Text, Wait
from playground.waiting import turn

Piece = tuple[Live, Seat, list[int]]
"""A row, one of its seats, and what is to be read there next."""
CHUNK = 128  # tokens of a prompt between two steps, which take about as long: who reads along hardly notices
WHOLE = 512  # the same where nobody waits for a step
_COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # rows of a step: few shapes, each compiled once
_QUANTUM = 16  # steps before other rows of large jobs have their turn


class Running:
    """`step` gives rows their scores, `fill` reads prompts; both may be one net. `rows` is the most in one step.

    `memory` bounds the bytes of keys and values; a request that does not fit waits for those before it to end.
    """

    def __init__(self, step: Net, fill: Net, turns: Turns, *, rows: int, memory: int) -> None:
        self._step = step
        self._fill = fill
        self._turns = turns
        self._rows = rows
        self._memory = memory
        self._seating = Seating(step.shape)
        self._waiting: deque[Job] = deque()
        self._jobs: list[Job] = []
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._round = 0
        self._width = 0  # of the scores; known after the first step
        self._step_s: float | None = None  # what a step takes, as the last ones did

    def stream(self, job: Job) -> Iterator[Step]:
        """The job's Steps. Closing it takes the job out before the next step; whatever ended the job is raised here."""
        self._refuse_what_never_fits(job)
        return self._told(job)

    def open(self, job: Job) -> Told:
        """The same for a reader who never waits: the job comes in now, and goes once it is cancelled."""
        self._refuse_what_never_fits(job)
        self._join(job)
        return job.told

    def expect(self, rows: int, tokens: int) -> None:
        """Gets the steps behind a prompt of so many tokens ready, for so many rows, and for one of them alone."""
        self._step.want(*((_count(some), longer(tokens + 1)) for some in (rows, 1)))

    @property
    def taken(self) -> int:
        """Rows in play or waiting now."""
        with self._guard:
            return sum(len(job.rows) for job in (*self._jobs, *self._waiting))

    def _told(self, job: Job) -> Iterator[Step]:
        self._join(job)
        yield from job.told.steps()

    def _join(self, job: Job) -> None:
        job.told.place = partial(self._place, job)
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
        """Whether these have room beside each other."""
        rows = sum(len(job.rows) for job in jobs)
        seats, longest = sum(job.seats for job in jobs), max(job.longest for job in jobs)
        return rows <= self._rows and self._seating.bytes_for(seats, longest) <= self._memory

    def _refuse_what_never_fits(self, job: Job) -> None:
        need = self._seating.bytes_for(job.seats, job.longest)
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
        main = threading.main_thread()
        try:
            while self._any():
                for job in [job for job in self._jobs if job.cancelled.is_set() or not main.is_alive()]:
                    self._end(job)  # the program ends: torch aborts it where a thread that computes is left behind
                self._advance()
        except BaseException as error:
            with self._guard:
                left, self._thread = [*self._jobs, *self._waiting], None
                self._jobs.clear()
                self._waiting.clear()
                self._seating = Seating(self._step.shape)
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
                self._seating.rest()
                self._thread = None
            return bool(self._jobs)

    def _admit(self) -> None:
        """Those who wait come in, in their order, as far as rows and memory go."""
        for job in self._line():
            if self._jobs and not self._fits([*self._jobs, job]):
                return
            self._waiting.remove(job)
            self._jobs.append(job)
            job.seat()

    def _advance(self) -> None:
        """A piece of a prompt for whoever has not been read yet, then a token for everyone who has."""
        started = time.perf_counter()
        everyone = [live for job in self._jobs for live in job.lives]
        unread = sorted((live for live in everyone if not live.ready), key=lambda live: not live.job.watched)
        if pieces := self._pieces(unread, CHUNK if len(unread) < len(everyone) else WHOLE):
            self._guarded([live for live, _, _ in pieces], partial(self._read, pieces))
        lives = self._chosen()
        if lives:
            self._guarded(lives, partial(self._pick, lives))
            took = time.perf_counter() - started
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

    def _pieces(self, unread: list[Live], most: int) -> list[Piece]:
        """What to read in one pass: about so many tokens, of the first rows first. What one reads for another waits."""
        found: list[Piece] = []
        for live in unread:
            for seat in live.seats:
                if seat.unread > 1 and not any(seat.follows(other) for _, other, _ in found):
                    self._seating.take(seat)  # and with it what another slot has read already
                    piece = seat.tokens[seat.cached : min(seat.cached + most, len(seat.tokens) - 1)]
                    longest = max([len(piece), *(len(other) for _, _, other in found)])
                    if piece and (not found or (len(found) + 1) * longest <= most):
                        found.append((live, seat, piece))
        return found

    def _read(self, pieces: list[Piece]) -> None:
        """One pass over these pieces of prompts."""
        seats = [seat for _, seat, _ in pieces]
        if len(seats) > 1:  # one alone is read where it sits
            self._seating.arrange(seats, len(seats))
        self._seating.grow(max(seat.cached + len(piece) for _, seat, piece in pieces))
        slots, longest = self._seating.slots, max(len(piece) for _, _, piece in pieces)
        # What only fills up the shape is written where nobody ever reads.
        spare = [longest - len(piece) for _, _, piece in pieces]
        tokens = [piece + [0] * left for (_, _, piece), left in zip(pieces, spare, strict=True)]
        positions = [
            [*range(seat.cached, seat.cached + len(piece)), *[slots.length - 1] * left]
            for (_, seat, piece), left in zip(pieces, spare, strict=True)
        ]
        given = torch.tensor([tokens, positions], device=slots.shape.device)
        with self._turns:
            self._fill.fill(slots, seats[0].slot, given[0], given[1])
        for _, seat, piece in pieces:
            seat.cached += len(piece)

    def _pick(self, lives: list[Live]) -> None:
        """A token for each of these rows; several for one that is alone and has guessed them."""
        if len(lives) == 1 and (guesses := lives[0].guesses()):
            self._check(lives[0], guesses)
            return
        guided = [live for live in lives if live.second is not None]
        lives = [live for live in lives if live.second is None] + guided
        if self._width:
            prepare([live.row for live in lives], self._width)
        scores = self._scores([live.seat for live in lives] + [live.second for live in guided if live.second])
        self._width = scores.shape[-1]
        split, count = len(lives) - len(guided), len(lives)
        self._settle(lives[:split], scores[:split], None)
        self._settle(guided, scores[split:count], scores[count:])

    def _settle(self, lives: list[Live], raw: torch.Tensor, unconditional: torch.Tensor | None) -> None:
        keeping = [(slice(place, place + 1), live) for place, live in enumerate(lives) if live.kept is not None]
        kept = fetched(raw, self._step.dtype) if keeping else raw
        for one, live in keeping:
            self._keep(live, kept[one], None if unconditional is None else unconditional[one])
        for live, step in zip(lives, advance([live.row for live in lives], raw, unconditional), strict=True):
            self._tell(live, step)

    def _keep(self, live: Live, raw: torch.Tensor, unconditional: torch.Tensor | None) -> None:
        if live.kept is not None:
            dtype = self._step.dtype
            second = None if unconditional is None else unconditional.to(dtype)
            live.kept.put(len(live.row.tokens), raw, second, dtype, live.row.luck.state())

    def _tell(self, live: Live, step: Step) -> None:
        if live.kept is not None:
            live.kept.settle(step, live.row.forbidden)
        live.settle(step)
        live.job.told.put(step)
        if live.row.finish is not None:
            self._leave(live)

    def _check(self, live: Live, guesses: list[int]) -> None:
        """One pass over what was guessed: tokens as long as the row picks just these, and the one it picks then.

        Every token is picked by the row's own chain and luck from the scores after those before it, so a guess decides
        how long the text takes and never what it says.
        """
        seat = live.seat
        self._seating.take(seat)
        self._seating.grow(seat.cached + 1 + len(guesses))
        slots = self._seating.slots
        with self._turns:
            tokens = torch.tensor([seat.tokens[-1], *guesses], device=slots.shape.device)
            scores = self._step.check(slots, seat.slot, tokens, seat.cached)
        for place, guessed in enumerate((*guesses, None)):
            raw = scores[place : place + 1]
            seat.cached += 1
            self._keep(live, raw, None)
            step = live.row.advance(raw)
            right = guessed is not None and guessed == step.token_id and not step.retract
            proposed = 0 if place else len(guesses)
            self._tell(live, replace(step, proposed=proposed, accepted=int(right)))
            if not right or step.finish is not None:
                return

    def _scores(self, seats: list[Seat]) -> torch.Tensor:
        """The scores [seats, vocab] after each seat's last token."""
        for seat in seats:
            self._seating.take(seat)
        count = _count(len(seats))
        self._seating.arrange(seats, count)
        self._seating.grow(max(seat.cached for seat in seats) + 1)
        slots, spare = self._seating.slots, count - len(seats)
        # Rows that only fill up the shape write where nobody ever reads.
        tokens = [seat.tokens[-1] for seat in seats] + [0] * spare
        positions = [seat.cached for seat in seats] + [slots.length - 1] * spare
        given = sent([tokens, positions], slots.shape.device)
        with self._turns:
            scores = self._step.step(slots, given[0], given[1])
        for seat in seats:
            seat.cached += 1
        return scores

    def _guarded(self, lives: list[Live], work: Callable[[], bool | None]) -> bool:
        """What fails in the model ends the jobs that took part, and no others."""
        try:
            return bool(work())
        except Exception as error:  # noqa: BLE001 - handed on to the readers, who raise it
            for job in {live.job for live in lives}:
                self._end(job, error)
            return True

    def _leave(self, live: Live) -> None:
        for seat in live.seats:
            self._seating.leave(seat)
        live.job.lives.remove(live)
        if not live.job.lives:
            self._end(live.job)

    def _end(self, job: Job, error: BaseException | None = None) -> None:
        for live in job.lives:
            for seat in live.seats:
                self._seating.leave(seat)
        with self._guard:
            if job in self._jobs:
                self._jobs.remove(job)
        job.end(error)


def _count(rows: int) -> int:
    """The rows of the step that so many take part in; those beyond them only fill it up."""
    return next((count for count in _COUNTS if count >= rows), rows)
