"""What a run leaves behind for later questions: each row's raw logits, whole, and its random generator's states.

Bounded in bytes; the oldest runs are dropped first. Knows no sampler and no page.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from playground.decoding.row import Setting
from playground.types import FinishReason, Step

log = logging.getLogger(__name__)
BLOCK = 64  # positions of one allocation: a row grows without copying, and pays for what it uses
LARGEST = 2 * 2**30
SHARE = 0.1  # of this machine's memory


def default_limit() -> int:
    """Bytes that all stored runs may take together: 2 GiB, or a tenth of the memory where that is less."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not a POSIX system, or one that does not say
        return LARGEST // 4
    return min(LARGEST, int(memory * SHARE))


class StoredRow:
    """One row. Its history is that of the final text: what was taken back is overwritten.

    `forbidden` maps a position to the tokens that banned phrases ruled out there, each with its phrase.
    """

    def __init__(self, run: StoredRun, seed: int) -> None:
        self.run = run
        self.seed = seed
        self.tokens: list[int] = []
        self.forbidden: dict[int, dict[int, str]] = {}
        self.finish: FinishReason | None = None
        self.lock = threading.Lock()
        self.preparing = threading.Lock()
        self._raw: list[Tensor] = []
        self._unconditional: list[Tensor] = []
        self._noise_states: list[Tensor | None] = []

    def put(
        self, position: int, raw: Tensor, unconditional: Tensor | None, dtype: torch.dtype, noise_state: Tensor | None
    ) -> None:
        """The scores [1, vocab] of a position, in the model's own type `dtype` (nothing is lost by that), and where
        the generator stood before its draw. Where that fails, the store drops the run, and the row goes on."""
        if self.run.lost:
            return
        try:
            self._put(position, raw, unconditional, dtype, noise_state)
        except Exception as error:
            if self.run.store is None:
                raise
            log.warning("A run cannot be looked into: %s", type(error).__name__)
            self.run.lost = True
            self.run.store.forget(self.run.run_id)

    def _put(
        self, position: int, raw: Tensor, unconditional: Tensor | None, dtype: torch.dtype, noise_state: Tensor | None
    ) -> None:
        with self.lock:
            del self._noise_states[position:]
            self._noise_states.append(noise_state)
            for blocks, scores, kind in (
                (self._raw, raw, dtype),
                (self._unconditional, unconditional, None if unconditional is None else unconditional.dtype),
            ):
                if scores is None or kind is None:
                    continue
                number, place = divmod(position, BLOCK)
                if number == len(blocks):
                    size = BLOCK * (
                        scores.shape[-1] * kind.itemsize + (0 if noise_state is None else noise_state.numel())
                    )
                    if self.run.store is not None and not self.run.store.charge(self.run, size):
                        return
                    blocks.append(torch.empty((BLOCK, scores.shape[-1]), dtype=kind))
                if number < len(blocks):
                    blocks[number][place].copy_(scores[0])

    def record(self, step: Step, forbidden: Mapping[int, Mapping[int, str]]) -> None:
        """What the row made of the scores: its tokens, and what stepping back has forbidden so far."""
        with self.lock:
            if step.retract:
                del self.tokens[-step.retract :]
            if step.token_id is not None:
                self.tokens.append(step.token_id)
            self.finish = step.finish
            self.forbidden = {at: dict(tokens) for at, tokens in forbidden.items() if at < len(self.tokens)}

    def scores(self, position: int) -> tuple[Tensor, Tensor | None]:
        """The scores [1, vocab] of a position as the row got them (float32), and guidance's second ones."""
        number, place = divmod(position, BLOCK)
        device = self.run.setting.prompt.device
        with self.lock:
            raw = self._raw[number][place : place + 1].to(copy=True, dtype=torch.float32, device=device)
            if not self._unconditional:
                return raw, None
            return raw, self._unconditional[number][place : place + 1].to(copy=True, device=device)

    def whole(self) -> tuple[Tensor | None, Tensor | None]:
        """All scores [positions, vocab] in the model's own type, and guidance's second ones; None for none."""
        count = len(self.tokens)
        with self.lock:
            whole = [
                torch.cat(blocks)[:count].clone() if blocks and count else None
                for blocks in (self._raw, self._unconditional)
            ]
        return whole[0], whole[1]

    def noise_state(self, position: int) -> Tensor | None:
        """The state of the row's generator before a position's draw; None where the row drew nothing."""
        with self.lock:
            return self._noise_states[position] if position < len(self._noise_states) else None

    def several(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """The same of the positions from `start` up to `stop`, which lie in one block."""
        number, place = divmod(start, BLOCK)
        span = slice(place, place + stop - start)
        device = self.run.setting.prompt.device
        raw = self._raw[number][span].to(copy=True, dtype=torch.float32, device=device)
        return raw, self._unconditional[number][span].to(device) if self._unconditional else None


class StoredRun:
    """All rows of one request. `values` are those that were asked for; The samplers were built from `setting`.

    Without a store its size has no bound; the caller keeps it. `prepared` remembers what was decided under other
    values, and is dropped with the run.
    """

    def __init__(
        self, store: RunStore | None, run_id: str, values: Mapping[str, Any], setting: Setting, seeds: Sequence[int]
    ) -> None:
        self.store = store
        self.run_id = run_id
        self.values = values
        self.setting = setting
        self.rows = [StoredRow(self, seed) for seed in seeds]
        self.closed = False
        self.lost = False  # what it was to keep could not be kept
        self.own_draws = True  # its tokens were drawn here, from noise that is known
        self.size = 0
        self.prepared: dict[Any, Any] = {}

    def close(self) -> None:
        """No row grows any more: finished, stopped or failed."""
        self.closed = True


class RunStore:
    """Runs by their ids, within `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._runs: dict[str, StoredRun] = {}  # oldest first
        self._guard = threading.Lock()

    @property
    def size(self) -> int:
        with self._guard:
            return sum(run.size for run in self._runs.values())

    def open(self, run_id: str, values: Mapping[str, Any], setting: Setting, seeds: Sequence[int]) -> StoredRun:
        run = StoredRun(self, run_id, values, setting, seeds)
        with self._guard:
            self._runs.pop(run_id, None)
            self._runs[run_id] = run
        return run

    def get(self, run_id: str) -> StoredRun | None:
        with self._guard:
            return self._runs.get(run_id)

    def forget(self, run_id: str) -> None:
        with self._guard:
            self._runs.pop(run_id, None)

    def set_limit(self, limit: int) -> None:
        with self._guard:
            self.limit = limit
            self._shrink()

    def charge(self, run: StoredRun, size: int) -> bool:
        """Makes room for `size` more bytes of this run; False where it is not kept (any more)."""
        with self._guard:
            if self._runs.get(run.run_id) is not run:
                return False
            run.size += size
            self._shrink()
            return self._runs.get(run.run_id) is run

    def spare(self, size: int) -> bool:
        """Whether so many bytes fit without dropping a run."""
        with self._guard:
            return sum(run.size for run in self._runs.values()) + size <= self.limit

    def _shrink(self) -> None:
        """The oldest go first; one that is too large by itself goes last, for it is then the only one."""
        used = sum(run.size for run in self._runs.values())
        while self._runs and used > self.limit:
            oldest = next(iter(self._runs))
            used -= self._runs.pop(oldest).size


RUN_STORE = RunStore(default_limit())
"""The runs of this process. One for all models: a stored run needs no model any more."""
