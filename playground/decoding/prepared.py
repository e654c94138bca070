"""A finished row, summed up so that it can be decided again quickly: made once, in the background, when a run ends.

At each position the vocabulary is gathered into columns of (almost) equal scores: how many tokens, and which of them
the noise of the position favours most, for that one wins within its column whatever the settings. The likeliest tokens
get columns of their own where their scores differ. Tokens that the row or its prompt holds are kept apart, one by one,
since penalties move exactly those.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.decoding.keep import BLOCK, KeptRow, KeptRun
from playground.decoding.lane import guide
from playground.decoding.pick import Luck

BINS = 4096  # at most so many columns of several tokens a position, each as narrow as the whole range by this
_ALONE = 1024  # of the likeliest tokens, none shares a column with one of another score
_PIECE = 32  # positions at once: their scores stay in the processor's cache
_NOWHERE = (torch.inf, 0.0, 0.0, -torch.inf, -torch.inf, 0)  # what fills a position with fewer columns than others
_COLUMN_BYTES = 24


@dataclass(frozen=True, slots=True)
class Prepared:
    """One row. T positions, C columns in any order, K known tokens beside them; distances lie below `top` [T], the best
    score.

    `far` [T, C] is the mean distance of a column's tokens, `spread` how far one lies from it at most (0 where all have
    the same), `count` how many there are. `luck` is the largest −log E among them, `second` the next largest, `ids`
    whose the largest is. `known` [K] are ids, `own` [T] the place of the row's token among them, `known_far` and
    `known_luck` [T, K] their distance and −log E. `states` is where the noise stands before each pick, `scale`
    guidance's scale, which the scores include.
    """

    scale: float
    seed: int
    top: Tensor
    far: Tensor
    spread: Tensor
    count: Tensor
    luck: Tensor
    second: Tensor
    ids: Tensor
    known: Tensor
    own: Tensor
    known_far: Tensor
    known_luck: Tensor
    states: list[Tensor]

    @property
    def size(self) -> int:
        columns = (self.far, self.spread, self.count, self.luck, self.second, self.ids)
        tensors = (*columns, self.known_far, self.known_luck, *self.states)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def prepare_soon(run: KeptRun) -> None:
    """In the background, for all rows of a run that has ended.

    No daemon: torch must not be at work while Python goes down. It stops by itself then.
    """
    threading.Thread(target=lambda: [prepared(row) for row in run.rows], name="prepare replay").start()


def prepared(row: KeptRow, apart: frozenset[int] = frozenset()) -> Prepared | None:
    """Made on the first call, once, and again when more tokens are to be kept `apart`; None where the row is empty or
    there is no room to keep it."""
    run = row.run
    if not row.tokens or not run.closed:
        return None
    with row.preparing:
        found: Prepared | None = run.prepared.get(row)
        if row not in run.prepared or (found is not None and not apart.issubset(found.known.tolist())):
            found = run.prepared[row] = _fitting(row, apart, found)
        return found


def _fitting(row: KeptRow, apart: frozenset[int], old: Prepared | None) -> Prepared | None:
    store = row.run.store
    if store is None:
        return _prepare(row, apart)
    if old is None and not store.spare(len(row.tokens) * BINS * _COLUMN_BYTES):
        return None
    made = _prepare(row, apart if old is None else apart.union(old.known.tolist()))
    if made is None:
        return None
    more = made.size - (0 if old is None else old.size)
    return made if store.charge(row.run, more) else None


@torch.inference_mode()
def _prepare(row: KeptRow, apart: frozenset[int]) -> Prepared | None:
    """None where the process ends meanwhile."""
    setting, count = row.run.setting, len(row.tokens)
    device = setting.prompt.device
    scale = float(setting.values["guidance_scale"])
    known = torch.tensor(_known(row, apart), device=device)
    luck = Luck(row.seed, device, greedy=False, portable=setting.portable)
    heads, tables, states = [], [], []
    for start in range(0, count, _PIECE):
        if not threading.main_thread().is_alive():
            return None
        stop = min(start + _PIECE, count, (start // BLOCK + 1) * BLOCK)
        scores = base(row, start, stop, scale)
        noise = torch.empty_like(scores)
        for place in range(stop - start):
            state = luck.state()
            states.append(torch.empty(0) if state is None else state)
            noise[place] = luck.noise(scores.shape[-1])[0]
        head, table = _summed_up(scores, noise.log_().neg_(), known)
        heads.append(head)
        tables.append(table)
    top, known_far, known_luck = (torch.cat(pieces) for pieces in zip(*heads, strict=True))
    far, spread, number, best, second, ids = (
        _stacked(pieces, fill) for pieces, fill in zip(zip(*tables, strict=True), _NOWHERE, strict=True)
    )
    own = torch.searchsorted(known, torch.tensor(row.tokens, device=device))
    return Prepared(
        scale, row.seed, top, far, spread, number, best, second, ids, known, own, known_far, known_luck, states
    )


def _known(row: KeptRow, apart: frozenset[int]) -> list[int]:
    """The tokens that a penalty, a ban, or a sampler's exception may name, in rising order."""
    setting = row.run.setting
    ruled_out = [token for tokens in row.forbidden.values() for token in tokens]
    line_break = setting.tokenizer("\n", add_special_tokens=False).input_ids[-1:]
    listed = {*setting.prompt[0].tolist(), *row.tokens, *setting.eos, *ruled_out, *line_break, *apart}
    return sorted(token for token in listed if token < setting.vocab_size)


def base(row: KeptRow, start: int, stop: int, scale: float) -> Tensor:
    """The scores [count, vocab] of positions in one block, after guidance."""
    scores, unconditional = row.several(start, stop)
    return scores if scale == 1 or unconditional is None else guide(scores, unconditional, scale)


def _summed_up(scores: Tensor, luck: Tensor, known: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What is kept a position, and the columns of Prepared, from scores and −log E, both [count, vocab]."""
    top = scores.max(dim=-1).values
    far = top[:, None] - scores
    head = top, far[:, known], luck[:, known]
    far[:, known] = torch.inf  # from here on only the others count
    others = torch.isfinite(far)
    widest = torch.where(others, far, 0.0).max(dim=-1, keepdim=True).values
    width = (widest / (BINS - 1)).clamp(min=1e-6)
    single = _single(far, luck, width)
    struck = single[-1].long()
    others.scatter_(1, struck, others.gather(1, struck) & ~torch.isfinite(single[0]))
    place = (far / width).floor_().clamp_(0, BINS - 1).nan_to_num_(nan=BINS - 1).long()
    none = ~others
    counts = torch.zeros((len(scores), BINS), device=scores.device).scatter_add_(1, place, others.float())
    sums = torch.zeros_like(counts).scatter_add_(1, place, far.masked_fill(none, 0.0))
    nearest = -_largest(counts, place, far.neg().masked_fill_(none, -torch.inf))
    farthest = _largest(counts, place, far.masked_fill_(none, -torch.inf))
    mean = torch.where(farthest == nearest, farthest, sums / counts)
    spread = torch.where(farthest == nearest, 0.0, torch.maximum(farthest - mean, mean - nearest))
    luck = luck.masked_fill(none, -torch.inf)
    best = _largest(counts, place, luck)
    winning = (luck == best.gather(1, place)) & others
    rows, tokens = winning.nonzero(as_tuple=True)
    ids = torch.zeros_like(counts, dtype=torch.int32)
    ids[rows, place[rows, tokens]] = tokens.int()
    second = _largest(counts, place, luck.masked_fill_(winning, -torch.inf))
    columns = _without_gaps(mean, spread, counts, best, second, ids)
    return head, tuple(torch.cat(pair, dim=1) for pair in zip(columns, single, strict=True))


def _single(far: Tensor, luck: Tensor, width: Tensor) -> tuple[Tensor, ...]:
    """Columns of one token: the likeliest, where one of another score would share theirs."""
    near, ids = far.topk(min(_ALONE, far.shape[1]), dim=1, largest=False)
    place = (near / width).floor().clamp(0, BINS - 1)
    crowded = (place[:, 1:] == place[:, :-1]) & (near[:, 1:] != near[:, :-1])
    mixed = torch.zeros((len(far), BINS), dtype=torch.bool, device=far.device)
    mixed.scatter_reduce_(1, place[:, 1:].long(), crowded, "amax")
    apart = mixed.gather(1, place.long()) & torch.isfinite(near)
    size = int(apart.sum(dim=1).max())
    chosen = apart.float().topk(size, dim=1)
    there, places = chosen.values > 0, chosen.indices
    near, ids = near.gather(1, places), ids.gather(1, places)
    noise = luck.gather(1, ids).masked_fill(~there, -torch.inf)
    none = torch.full_like(noise, -torch.inf)
    far_off = near.masked_fill(~there, torch.inf)
    return far_off, torch.zeros_like(near), there.float(), noise, none, ids.int()


def _largest(like: Tensor, place: Tensor, values: Tensor) -> Tensor:
    return torch.full_like(like, -torch.inf).scatter_reduce_(1, place, values, "amax")


def _without_gaps(mean: Tensor, spread: Tensor, counts: Tensor, *lucks: Tensor) -> tuple[Tensor, ...]:
    """Only the columns that hold tokens, as many as the position with the most has."""
    held = counts > 0
    rows, places = held.nonzero(as_tuple=True)
    target = held.cumsum(1)[rows, places] - 1
    shape = len(counts), int(held.sum(1).max())
    packed = []
    for table, fill in zip((mean, spread, counts, *lucks), _NOWHERE, strict=True):
        column = torch.full(shape, fill, dtype=table.dtype, device=table.device)
        column[rows, target] = table[rows, places]
        packed.append(column)
    return tuple(packed)


def _stacked(pieces: tuple[Tensor, ...], fill: float) -> Tensor:
    """Pieces of as many columns as they need, one above the other."""
    widest = max(piece.shape[1] for piece in pieces)
    return torch.cat([torch.nn.functional.pad(piece, (0, widest - piece.shape[1]), value=fill) for piece in pieces])
