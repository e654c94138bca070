"""What a run leaves behind for later questions: each row's raw logits, whole, and its random generator's states.

Where a row was written without its scores, they are asked for once somebody wants them, position by position. Bounded
in bytes; the oldest runs are dropped first. Knows no sampler and no page.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from playground.decoding.row import Setting
from playground.types import FinishReason, PlaygroundError, Step, Text

log = logging.getLogger(__name__)
BLOCK = 64  # positions of one allocation: a row grows without copying, and pays for what it uses
LARGEST = 2 * 2**30
SHARE = 0.1  # of this machine's memory
_BARE = 64  # bytes of a position without scores, about
GONE = Text("This run's numbers are not kept any more.", "此次运行的数据已不再保留。")
AGAIN = Text("Run it again to look inside.", "请重新运行后再查看。")
_REASONS = 1000  # of runs that nothing is kept of


class ScoreSource(Protocol):
    """Who tells the scores that a row was written without."""

    def __call__(self, prompts: Iterable[Sequence[int]], halted: Callable[[], bool]) -> Iterator[Tensor]:
        """Behind each of these token ids, in their order, the scores [1, vocab] of the next one.

        Raises PlaygroundError where they cannot be had, Stopped soon after `halted` is true.
        """


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
        self._fetching = threading.Lock()  # so that nothing is asked for twice
        self._absent: set[int] = set()  # positions without scores
        self._raw: dict[int, Tensor] = {}  # by the number of the block
        self._unconditional: dict[int, Tensor] = {}
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
        except Exception as error:  # whatever fails, memory above all: only the look inside is lost
            if self.run.store is None:
                raise
            log.warning("A run cannot be looked into: %s", type(error).__name__)
            self.run.lost = True
            self.run.store.forget(self.run.run_id)

    def _put(
        self, position: int, raw: Tensor, unconditional: Tensor | None, dtype: torch.dtype, noise_state: Tensor | None
    ) -> None:
        with self.lock:
            self._begin(position, noise_state)
            self._absent.discard(position)
            beside = 0 if noise_state is None else noise_state.numel()
            if self._write(self._raw, position, raw, dtype, beside) and unconditional is not None:
                self._write(self._unconditional, position, unconditional, unconditional.dtype, beside)

    def _begin(self, position: int, noise_state: Tensor | None) -> None:
        """What stood at this position and behind it is forgotten."""
        del self._noise_states[position:]
        self._noise_states.append(noise_state)

    def _write(
        self, blocks: dict[int, Tensor], position: int, scores: Tensor, dtype: torch.dtype, beside: int = 0
    ) -> bool:
        """False where the run is not kept any more."""
        number, place = divmod(position, BLOCK)
        if number not in blocks:
            size = BLOCK * (scores.shape[-1] * dtype.itemsize + beside)
            if self.run.store is not None and not self.run.store.charge(self.run, size):
                return False
            with torch.inference_mode(False):  # others write into it later, and not in that mode
                blocks[number] = torch.empty((BLOCK, scores.shape[-1]), dtype=dtype)
        blocks[number][place].copy_(scores[0])
        return True

    def expect(self, position: int) -> None:
        """A position whose scores did not come with its token; the run's `source` tells them when they are wanted."""
        with self.lock:
            self._begin(position, None)
            self._absent.add(position)
            if position % BLOCK == 0 and self.run.store is not None:
                prompt = 0 if position else self.run.setting.prompt.nbytes
                self.run.store.charge(self.run, _BARE * BLOCK + prompt)

    def beginning(self, count: int) -> StoredRow:
        """The same row as if it had ended after so many tokens, to be looked into only."""
        found = copy.copy(self)
        found.tokens = self.tokens[:count]
        return found

    def absent(self) -> list[int]:
        """The positions of the text whose scores are not here."""
        with self.lock:
            return sorted(position for position in self._absent if position < len(self.tokens))

    def holds(self, start: int, stop: int) -> bool:
        """Whether the scores of these positions are here."""
        with self.lock:
            return self._absent.isdisjoint(range(start, stop))

    def fetch(self, positions: Sequence[int] | None = None, halted: Callable[[], bool] = lambda: False) -> None:
        """Asks for the scores that are not here, of these positions or all.

        Raises PlaygroundError where they cannot be had, Stopped soon after `halted` is true; what came stays.
        """
        if self.run.source is None or not self.absent():
            return
        with self._fetching:
            wanted = [one for one in self.absent() if positions is None or one in positions]
            prompt = self.run.setting.prompt[0].tolist()
            scores = self.run.source(([*prompt, *self.tokens[:one]] for one in wanted), halted)
            for position, raw in zip(wanted, scores, strict=True):
                with self.lock:
                    if not self._write(self._raw, position, raw, raw.dtype):
                        raise PlaygroundError(GONE, AGAIN)
                    self._absent.discard(position)

    def _need(self, start: int, stop: int) -> None:
        if not self.holds(start, stop):
            self.fetch(range(start, stop))

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
        """The scores [1, vocab] of a position as the row got them (float32), and guidance's second ones.

        Here and below, those that are not here are asked for. Raises as `fetch`.
        """
        self._need(position, position + 1)
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
        self._need(0, count)
        with self.lock:
            whole = [
                torch.cat([blocks[number] for number in sorted(blocks)])[:count].clone() if blocks and count else None
                for blocks in (self._raw, self._unconditional)
            ]
        return whole[0], whole[1]

    def noise_state(self, position: int) -> Tensor | None:
        """The state of the row's generator before a position's draw; None where the row drew nothing."""
        with self.lock:
            return self._noise_states[position] if position < len(self._noise_states) else None

    def several(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """The same of the positions from `start` up to `stop`, which lie in one block."""
        self._need(start, stop)
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
        self.source: ScoreSource | None = None  # who tells scores that did not come with a token
        self.size = 0
        self.prepared: dict[Any, Any] = {}

    def draws_known(self, values: Mapping[str, Any]) -> bool:
        """Whether it is known what would be drawn under these values: at temperature 0 nothing is."""
        return self.own_draws or values["temperature"] == 0

    def close(self) -> None:
        """No row grows any more: finished, stopped or failed."""
        self.closed = True


class RunStore:
    """Runs by their ids, within `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._runs: dict[str, StoredRun] = {}  # oldest first
        self._withheld: dict[str, Text] = {}  # oldest first
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

    def withhold(self, run_id: str, why: Text) -> None:
        """This run's scores never come, and why."""
        with self._guard:
            self._withheld[run_id] = why
            while len(self._withheld) > _REASONS:
                self._withheld.pop(next(iter(self._withheld)))

    def lost(self, run_id: str) -> PlaygroundError:
        """Why there is nothing of this run."""
        with self._guard:
            why = self._withheld.get(run_id)
        return PlaygroundError(GONE, AGAIN) if why is None else PlaygroundError(why)

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
