"""The next token of rows whose prompts are read: one pass for all of them, or several tokens of one that has guessed.

What fails is tried again for each row by itself, so that only the row whose fault it is ends. Knows no waiting request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from playground.decoding.fair_lock import FairLock
from playground.decoding.row import advance
from playground.fast.job import ActiveRow, SlotSequence
from playground.fast.kv_slots import LONG
from playground.fast.net import Net
from playground.fast.slot_allocator import SlotAllocator
from playground.fast.slot_pools import SlotPools
from playground.sampling.step import prepare
from playground.sampling.transfer import fetched, sent
from playground.types import Step

_COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # rows of a step: few shapes, each compiled once
Scored = tuple[list[ActiveRow], Tensor, Tensor | None]
"""Rows with their scores [rows, vocab], and guidance's second ones where they have them."""


class BatchStepper:
    """`advance` gives rows their tokens and sends the Steps; `leave` is called with each row that has ended."""

    def __init__(self, net: Net, pools: SlotPools, lock: FairLock, leave: Callable[[ActiveRow], None]) -> None:
        self._net = net
        self._pools = pools
        self._lock = lock
        self._leave = leave
        self._answered: set[int] = set()  # rows that have got their Step in this round
        self._width = 0  # of the scores; known after the first step

    def advance(self, active_rows: Sequence[ActiveRow]) -> None:
        """A token for each of these rows; several for one that is alone and has guessed them. Raises nothing."""
        self._answered.clear()
        try:
            self._advance(active_rows)
        except Exception as error:  # noqa: BLE001 - sent to the readers; the thread has others to step
            self._fail_unanswered(active_rows, error)

    def _advance(self, active_rows: Sequence[ActiveRow]) -> None:
        if len(active_rows) == 1 and (guesses := active_rows[0].guesses()):
            self._verify(active_rows[0], guesses)
            return
        if self._width:
            prepare([active.row for active in active_rows], self._width)
        for some, raw, second in self._scored(active_rows):
            self._width = raw.shape[-1]
            try:
                self._accept(some, raw, second)
            except Exception as error:  # noqa: BLE001 - as above
                self._fail_unanswered(some, error)

    def fail(self, active: ActiveRow, error: Exception) -> None:
        """Ends this row with the error, and no other."""
        sent_tokens = len(active.sequence.tokens) - active.job.setting.prompt.shape[1]
        self.send(active, active.row.fail(error, sent_tokens))

    def send(self, active: ActiveRow, step: Step) -> None:
        self._answered.add(id(active))
        if active.stored is not None:
            active.stored.record(step, active.row.forbidden)
        active.apply(step)
        active.job.stream.put(step)
        if active.row.finish is not None:
            self._leave(active)

    def _fail_unanswered(self, active_rows: Sequence[ActiveRow], error: Exception) -> None:
        """What fails outside of a row's own samplers ends the rows that got no Step in this round."""
        for active in active_rows:
            if id(active) not in self._answered:
                self.fail(active, error)

    def _scored(self, active_rows: Sequence[ActiveRow]) -> list[Scored]:
        """The scores of all these rows; where the pass fails, of each by itself, and those that fail again end."""
        try:
            return self._scores(active_rows)
        except Exception as error:  # noqa: BLE001 - whose fault it is, each row by itself tells
            if len(active_rows) == 1:
                self.fail(active_rows[0], error)
                return []
        found: list[Scored] = []
        for active in active_rows:
            try:
                found += self._scores([active])
            except Exception as error:  # noqa: BLE001 - sent to its reader
                self.fail(active, error)
        return found

    def _scores(self, active_rows: Sequence[ActiveRow]) -> list[Scored]:
        """Nothing is changed where this raises: what a pass has written, the next one writes again."""
        guided = [active for active in active_rows if active.unconditional is not None]
        plain = [active for active in active_rows if active.unconditional is None]
        first = [active.sequence for active in plain + guided]
        sequences = first + [active.unconditional for active in guided if active.unconditional is not None]
        for sequence in sequences:
            self._pools.reserve(sequence)
        parts = [(some, self._pass(pool, some)) for pool, some in self._pools.by_pool(sequences)]
        if len(parts) == 1 and parts[0][0] == sequences:
            scores = parts[0][1]
        else:
            rows = {id(sequence): row for some, part in parts for sequence, row in zip(some, part, strict=False)}
            scores = torch.stack([rows[id(sequence)] for sequence in sequences])
        for sequence in sequences:
            sequence.cached += 1
        split, count = len(plain), len(first)
        found: list[Scored] = [(plain, scores[:split], None)] if plain else []
        return [*found, (guided, scores[split:count], scores[count : count + len(guided)])] if guided else found

    def _pass(self, pool: SlotAllocator, sequences: list[SlotSequence]) -> Tensor:
        """The scores [sequences or more, vocab] after each sequence's last token; the sequences are all of one pool."""
        count = rows_of_step(len(sequences)) if pool.slots.length <= LONG else len(sequences)
        pool.arrange(sequences, count)
        pool.grow(max(sequence.cached for sequence in sequences) + 1)
        slots, spare = pool.slots, count - len(sequences)
        # Rows that only fill up the shape write where no sequence ever reads.
        tokens = [sequence.tokens[-1] for sequence in sequences] + [0] * spare
        positions = [sequence.cached for sequence in sequences] + [slots.length - 1] * spare
        given = sent([tokens, positions], slots.shape.device)
        with self._lock:
            return self._net.step(slots, given[0], given[1])

    def _accept(self, active_rows: Sequence[ActiveRow], raw: Tensor, unconditional: Tensor | None) -> None:
        if any(active.stored is not None for active in active_rows):
            scores = fetched(raw, self._net.dtype)
            for place, active in enumerate(active_rows):
                one = slice(place, place + 1)
                self._store(active, scores[one], None if unconditional is None else unconditional[one])
        for active, step in zip(
            active_rows, advance([active.row for active in active_rows], raw, unconditional), strict=True
        ):
            self.send(active, step)

    def _verify(self, active: ActiveRow, guesses: list[int]) -> None:
        """One pass over the guessed tokens: Steps as long as the row draws just these, and the token it draws then.

        Every token is drawn by the row's own samplers and noise from the scores after those before it, so a
        guess decides how long the text takes and never what it says.
        """
        sequence = active.sequence
        pool = self._pools.reserve(sequence, 1 + len(guesses))
        pool.grow(sequence.cached + 1 + len(guesses))
        with self._lock:
            tokens = torch.tensor([sequence.tokens[-1], *guesses], device=pool.slots.shape.device)
            scores = self._net.verify(pool.slots, sequence.slot, tokens, sequence.cached)
        for place, guessed in enumerate((*guesses, None)):
            raw = scores[place : place + 1]
            sequence.cached += 1
            self._store(active, raw, None)
            step = active.row.advance(raw)
            right = guessed is not None and guessed == step.token_id and not step.retract
            proposed = 0 if place else len(guesses)
            self.send(active, replace(step, proposed=proposed, accepted=int(right)))
            if not right or step.finish is not None:
                return

    def _store(self, active: ActiveRow, raw: Tensor, unconditional: Tensor | None) -> None:
        if active.stored is not None:
            dtype = self._net.dtype
            second = None if unconditional is None else unconditional.to(dtype)
            active.stored.put(len(active.row.tokens), raw, second, dtype, active.row.rng.state())


def rows_of_step(rows: int) -> int:
    """The rows of the step that so many take part in; those beyond them only fill it up."""
    return next((count for count in _COUNTS if count >= rows), rows)
