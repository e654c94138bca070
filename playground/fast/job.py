"""What the running batch holds of one request: its rows, the seat of each in the slots, and the way back to its reader.

Knows no model and no other request.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from playground.decoding.row import Row, Setting
from playground.decoding.run_store import StoredRow, StoredRun
from playground.decoding.step_stream import StepStream
from playground.fast.lookup import guess
from playground.types import Step
from playground.visitor import Visitor, current

ALIKE = 8  # tokens that two prompts must go on alike, before one waits for the other
FEW = 4  # rows of a request that somebody is watching; one with more is a batch job


class Seat:
    """One sequence in one slot of one room: `tokens` it is to hold, of which the slot has read the first `cached`."""

    def __init__(self, prompt: Tensor) -> None:
        self.tokens: list[int] = prompt[0].tolist()
        self.cached = 0
        self.slot = -1
        self.room = 0

    @property
    def unread(self) -> int:
        return len(self.tokens) - self.cached

    def settle(self, step: Step) -> None:
        """What a Step did to the sequence: tokens taken back, one added."""
        if step.retract:
            del self.tokens[-step.retract :]
            self.cached = min(self.cached, len(self.tokens))
        if step.token_id is not None:
            self.tokens.append(step.token_id)

    def agrees(self, other: Seat) -> int:
        """How many of the first tokens that the other's slot has read are this one's too."""
        most = min(other.cached, len(self.tokens) - 1)
        if self.tokens[:most] == other.tokens[:most]:
            return most
        return next(place for place in range(most) if self.tokens[place] != other.tokens[place])

    def follows(self, other: Seat) -> bool:
        """Whether the other, which reads now, begins alike: then this one, not seated yet, need not read that again."""
        return self.slot < 0 and len(self.tokens) > ALIKE and self.tokens[:ALIKE] == other.tokens[:ALIKE]


@dataclass(slots=True, eq=False)
class Live:
    """One row with its seat, and guidance's second seat where it has one."""

    row: Row
    job: Job
    seat: Seat
    second: Seat | None

    @property
    def seats(self) -> list[Seat]:
        return [self.seat] if self.second is None else [self.seat, self.second]

    @property
    def stored(self) -> StoredRow | None:
        return None if self.job.stored is None else self.job.stored.rows[self.row.index]

    @property
    def ready(self) -> bool:
        return all(seat.unread == 1 for seat in self.seats)

    def guesses(self) -> list[int]:
        """Tokens that may come next, where the request wants them guessed; fewer than it may still write."""
        wanted = self.job.setting.values["prompt_lookup_num_tokens"]
        most = min(wanted, self.job.longest - 2 - len(self.seat.tokens))
        return guess(self.row.ids.cpu().numpy(), most) if most > 0 else []

    def settle(self, step: Step) -> None:
        for seat in self.seats:
            seat.settle(step)


@dataclass(slots=True, eq=False)
class Job:
    """One request. `stream` carries its Steps to the reader, and in the end None or what went wrong.

    `reader` is whether anybody reads along at all: of a batch job's row nobody does. `visitor` is who asks.
    """

    setting: Setting
    rows: Sequence[Row]
    negative: Tensor | None
    stored: StoredRun | None
    lives: list[Live] = field(default_factory=list)
    stream: StepStream = field(default_factory=StepStream)
    reader: bool = True
    visitor: Visitor = field(default_factory=current)

    @property
    def cancelled(self) -> threading.Event:
        return self.stream.cancelled

    @property
    def watched(self) -> bool:
        """Few rows: somebody reads along. Such a job goes before those that only want to be finished."""
        return self.reader and len(self.rows) <= FEW

    @property
    def seats(self) -> int:
        return len(self.rows) * (1 if self.negative is None else 2)

    @property
    def left(self) -> int:
        """Steps that it may still take, at most."""
        done = min((len(live.row.tokens) for live in list(self.lives)), default=0)
        return max(0, int(self.setting.values["max_new_tokens"]) - done)

    @property
    def longest(self) -> int:
        """Positions that its longest sequence may come to need."""
        prompt = self.setting.prompt.shape[1]
        if self.negative is not None:
            prompt = max(prompt, self.negative.shape[1])
        left = self.setting.context - self.setting.prompt.shape[1]
        return int(prompt + min(self.setting.values["max_new_tokens"], left)) + 1

    def seat(self) -> None:
        """It begins: its rows, each with a seat that has read nothing yet."""
        self.setting.begin()
        for row in self.rows:
            second = None if self.negative is None else Seat(self.negative)
            self.lives.append(Live(row, self, Seat(self.setting.prompt), second))

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will come."""
        self.lives.clear()
        if self.stored is not None:
            self.stored.close()
        self.stream.end(error)
