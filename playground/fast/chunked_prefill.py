"""Prompts on their way into the slots: pieces of them between two steps, as large as time allows.

Knows no sampler and no reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from playground.decoding.fair_lock import FairLock
from playground.fast.job import ActiveRow, SlotSequence
from playground.fast.kv_slots import padded_length
from playground.fast.net import Net
from playground.fast.slot_pools import SlotPools

Piece = tuple[ActiveRow, SlotSequence, list[int]]
"""A row, one of its sequences, and what is to be read there next."""
Fail = Callable[[ActiveRow, Exception], None]
CHUNK = 128  # tokens of a piece at most between two steps, which then take about as long: a reader hardly notices
WHOLE = 512  # the same where no row steps
_FIRST, _LEAST = 32, 16  # tokens of the first piece, and of every other
_BESIDE_S, _ALONE_S = 0.15, 0.25  # what a piece may take, where others wait for its end and where none do
_OLDEST = 4  # one piece in so many is of the prompt that came first, the others of the shortest


class ChunkedPrefill:
    """`read` takes one pass; `due` says whether it is its turn beside rows that step: they get as much time."""

    def __init__(self, net: Net, pools: SlotPools, lock: FairLock) -> None:
        self._net = net
        self._pools = pools
        self._lock = lock
        self._token_s: float | None = None  # what a token took, as the last passes did
        self._owed = 0.0  # seconds that rows may step before the next piece of a long prompt
        self._passes = 0

    def due(self, *, stepping: bool) -> bool:
        return not stepping or self._owed <= 0

    def stepped(self, seconds: float) -> None:
        self._owed -= seconds

    def read(self, unread: Sequence[ActiveRow], fail: Fail, *, stepping: bool) -> None:
        """Reads on in these rows' prompts; `fail` is called with rows that cannot be read, and only with them."""
        pieces = self._pieces(self._ordered(unread), self._most(stepping=stepping), fail)
        if not pieces:
            return
        long = any(sequence.unread - len(piece) > 1 for _, sequence, piece in pieces)
        try:
            self._pass(pieces, behind=long and not stepping)
        except Exception as error:  # noqa: BLE001 - whose fault it is, each piece by itself tells
            if len(pieces) == 1:
                fail(pieces[0][0], error)
                return
            for piece in pieces:
                if piece[0].row.finish is not None:  # its other sequence has failed
                    continue
                try:
                    self._pass([piece], behind=False)
                except Exception as own:  # noqa: BLE001 - sent to its reader
                    fail(piece[0], own)

    def _ordered(self, unread: Sequence[ActiveRow]) -> list[ActiveRow]:
        """Watched rows first, and of them those with the fewest unread tokens; sometimes the first to come."""
        self._passes += 1
        if self._passes % _OLDEST == 0:
            return sorted(unread, key=lambda active: not active.job.watched)
        return sorted(
            unread, key=lambda active: (not active.job.watched, sum(sequence.unread for sequence in active.sequences))
        )

    def _most(self, *, stepping: bool) -> int:
        """Tokens of the next pass."""
        if self._token_s is None:
            return _FIRST
        beside = stepping or self._lock.waiting > 0
        fitting = (_BESIDE_S if beside else _ALONE_S) / self._token_s
        most = CHUNK if beside else WHOLE
        while most > max(fitting, _LEAST):
            most //= 2
        return max(most, _LEAST)

    def _pieces(self, unread: Sequence[ActiveRow], most: int, fail: Fail) -> list[Piece]:
        """What to read in one pass: about so many tokens, of the first rows first. What one reads for another waits."""
        found: list[Piece] = []
        for active in unread:
            for sequence in active.sequences:
                if (
                    sequence.unread < 2
                    or active.row.finish is not None
                    or any(sequence.follows(one) for _, one, _ in found)
                ):
                    continue
                try:
                    self._pools.reserve(sequence)  # and with it what another slot has read already
                except Exception as error:  # noqa: BLE001 - for want of memory; sent to its reader
                    fail(active, error)
                    continue
                piece = sequence.tokens[sequence.cached : min(sequence.cached + most, len(sequence.tokens) - 1)]
                longest = max([len(piece), *(len(other) for _, _, other in found)])
                alike = not found or (found[0][1].pool == sequence.pool and (len(found) + 1) * longest <= most)
                if piece and alike:
                    found.append((active, sequence, piece))
        return [one for one in found if one[0].row.finish is None]

    def _pass(self, pieces: Sequence[Piece], *, behind: bool) -> None:
        """One pass over these pieces, in a turn behind the steps of other requests, or as one of them."""
        sequences = [sequence for _, sequence, _ in pieces]
        pool = self._pools.reserve(sequences[0])
        if len(sequences) > 1:  # one alone is read in its own slot
            pool.arrange(sequences, len(sequences))
        end = max(sequence.cached + len(piece) for _, sequence, piece in pieces)
        pool.grow(end)
        length = min(padded_length(end + 1), pool.slots.length)
        longest = max(len(piece) for _, _, piece in pieces)
        # What only fills up the shape is written where no sequence ever reads.
        spare = [longest - len(piece) for _, _, piece in pieces]
        tokens = [piece + [0] * left for (_, _, piece), left in zip(pieces, spare, strict=True)]
        positions = [
            [*range(sequence.cached, sequence.cached + len(piece)), *[length - 1] * left]
            for (_, sequence, piece), left in zip(pieces, spare, strict=True)
        ]
        given = torch.tensor([tokens, positions], device=pool.slots.shape.device)

        def prefill() -> None:
            began = time.perf_counter()
            self._net.prefill(pool.slots, sequences[0].slot, given[0], given[1])
            took = time.perf_counter() - began
            self._owed = (
                took if behind or any(sequence.unread - len(piece) > 1 for _, sequence, piece in pieces) else 0.0
            )
            each = took / (longest * len(pieces))  # grows with what stands before, so the last one counts most
            self._token_s = each if self._token_s is None else max(each, 0.5 * (self._token_s + each))

        if behind:
            with self._lock.chunk(lambda: all(active.job.cancelled.is_set() for active, _, _ in pieces)) as acquired:
                if not acquired:
                    return
                prefill()
        else:
            with self._lock:
                prefill()
        for _, sequence, piece in pieces:
            sequence.cached += len(piece)
