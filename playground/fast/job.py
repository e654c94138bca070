"""A request in the running batch: its rows, their sequences in the slots, and the stream to its reader.

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
from playground.fast.prompt_lookup import propose
from playground.types import Step
from playground.visitor import Visitor, current

ALIKE = 8  # tokens that two prompts must share before one waits for the other
FEW = 4  # rows of a request that a person is watching; one with more is a batch job


class SlotSequence:
    """One sequence in one slot of one pool: `tokens` it is to hold, of which the slot has read the first `cached`."""

    def __init__(self, prompt: Tensor) -> None:
        self.tokens: list[int] = prompt[0].tolist()
        self.cached = 0
        self.slot = -1
        self.pool = 0

    @property
    def unread(self) -> int:
        return len(self.tokens) - self.cached

    def apply(self, step: Step) -> None:
        """What a Step did to the sequence: tokens taken back, one added."""
        if step.retract:
            del self.tokens[-step.retract :]
            self.cached = min(self.cached, len(self.tokens))
        if step.token_id is not None:
            self.tokens.append(step.token_id)

    def common_prefix(self, other: SlotSequence) -> int:
        """How many of the first tokens that the other's slot has read are this one's too."""
        most = min(other.cached, len(self.tokens) - 1)
        if self.tokens[:most] == other.tokens[:most]:
            return most
        return next(place for place in range(most) if self.tokens[place] != other.tokens[place])

    def follows(self, other: SlotSequence) -> bool:
        """Whether the other, which reads now, shares a prefix: this one, without a slot yet, need not read it again."""
        return self.slot < 0 and len(self.tokens) > ALIKE and self.tokens[:ALIKE] == other.tokens[:ALIKE]


@dataclass(slots=True, eq=False)
class ActiveRow:
    """One row with its sequence, and guidance's second sequence where it has one."""

    row: Row
    job: Job
    sequence: SlotSequence
    unconditional: SlotSequence | None

    @property
    def sequences(self) -> list[SlotSequence]:
        return [self.sequence] if self.unconditional is None else [self.sequence, self.unconditional]

    @property
    def stored(self) -> StoredRow | None:
        return None if self.job.stored is None else self.job.stored.rows[self.row.index]

    @property
    def ready(self) -> bool:
        return all(sequence.unread == 1 for sequence in self.sequences)

    def guesses(self) -> list[int]:
        """Tokens that may come next, where the request wants them guessed; fewer than it may still write."""
        wanted = self.job.setting.values["prompt_lookup_num_tokens"]
        most = min(wanted, self.job.longest - 2 - len(self.sequence.tokens))
        return propose(self.row.ids.cpu().numpy(), most) if most > 0 else []

    def apply(self, step: Step) -> None:
        for sequence in self.sequences:
            sequence.apply(step)


@dataclass(slots=True, eq=False)
class Job:
    """One request. `stream` carries its Steps to the reader, and in the end None or the error.

    `reader` is whether a person reads along at all: nobody reads a batch job's row. `visitor` sent the request.
    """

    setting: Setting
    rows: Sequence[Row]
    negative: Tensor | None
    stored: StoredRun | None
    active_rows: list[ActiveRow] = field(default_factory=list)
    stream: StepStream = field(default_factory=StepStream)
    reader: bool = True
    visitor: Visitor = field(default_factory=current)

    @property
    def cancelled(self) -> threading.Event:
        return self.stream.cancelled

    @property
    def watched(self) -> bool:
        """Few rows and a reader. Such a job goes before jobs that nobody reads along."""
        return self.reader and len(self.rows) <= FEW

    @property
    def sequence_count(self) -> int:
        return len(self.rows) * (1 if self.negative is None else 2)

    @property
    def left(self) -> int:
        """Steps that it may still take, at most."""
        done = min((len(active.row.tokens) for active in list(self.active_rows)), default=0)
        return max(0, int(self.setting.values["max_new_tokens"]) - done)

    @property
    def longest(self) -> int:
        """Positions that its longest sequence may come to need."""
        prompt = self.setting.prompt.shape[1]
        if self.negative is not None:
            prompt = max(prompt, self.negative.shape[1])
        left = self.setting.context - self.setting.prompt.shape[1]
        return int(prompt + min(self.setting.values["max_new_tokens"], left)) + 1

    def start(self) -> None:
        """It begins: its rows, each with a sequence that has read nothing yet."""
        self.setting.begin()
        for row in self.rows:
            unconditional = None if self.negative is None else SlotSequence(self.negative)
            self.active_rows.append(ActiveRow(row, self, SlotSequence(self.setting.prompt), unconditional))

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will come."""
        self.active_rows.clear()
        if self.stored is not None:
            self.stored.close()
        self.stream.end(error)
