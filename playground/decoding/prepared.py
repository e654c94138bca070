"""A finished row, summed up so that it can be decided again quickly: made once, in the background, when a run ends.

At each position the scores of the vocabulary are counted into narrow bins, and with the noise of the position known,
only the tokens that no likelier one beats in it can ever win: a few dozen, whatever the temperature and the cut-off.
Tokens that the row or its prompt holds are kept apart, one by one, since penalties move exactly those.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.decoding.keep import BLOCK, KeptRow, KeptRun
from playground.decoding.lane import guide
from playground.decoding.pick import Luck

BINS = 6144
_PIECE = 32  # positions at once: their scores stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Prepared:
    """One row. T positions, B bins, K known tokens, C others that can win; distances lie below `top`, in score units.

    `counts` and `means` [T, B] tell how many tokens a bin holds and their mean distance, without the known ones, and
    `level` whether they all have the same. `known` [K] are the ids of those, `own` [T] the place of the row's token
    among them, `known_far` and `known_luck` [T, K] their distance and −log E; `ids`, `far` and `luck` [T, C] those of
    the others that can win (filled up with far = ∞). `states` is where the noise stands before each pick, `scale`
    guidance's scale, which the scores include.
    """

    scale: float
    seed: int
    top: Tensor
    width: Tensor
    counts: Tensor
    means: Tensor
    level: Tensor
    known: Tensor
    own: Tensor
    known_far: Tensor
    known_luck: Tensor
    ids: Tensor
    far: Tensor
    luck: Tensor
    states: list[Tensor]

    @property
    def size(self) -> int:
        by_bin, known = (self.counts, self.means, self.level), (self.known_far, self.known_luck)
        tensors = (*by_bin, *known, self.ids, self.far, self.luck, *self.states)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def prepare_soon(run: KeptRun) -> None:
    """In the background, for all rows of a run that has ended."""
    threading.Thread(target=lambda: [prepared(row) for row in run.rows], name="prepare replay", daemon=True).start()


def prepared(row: KeptRow) -> Prepared | None:
    """Made on the first call, once; None where the row is empty or there is no room to keep it."""
    run = row.run
    if run.store is None or not row.tokens or not run.closed:
        return None
    with row.preparing:
        if row not in run.prepared:
            size = len(row.tokens) * BINS * 8
            made = _prepare(row) if run.store.spare(size) else None
            if made is not None and not run.store.charge(run, made.size):
                made = None
            run.prepared[row] = made
        found: Prepared | None = run.prepared[row]
        return found


@torch.inference_mode()
def _prepare(row: KeptRow) -> Prepared:
    setting, count = row.run.setting, len(row.tokens)
    device = setting.prompt.device
    scale = float(setting.values["guidance_scale"])
    ruled_out = [token for tokens in row.forbidden.values() for token in tokens]
    listed = {*setting.prompt[0].tolist(), *row.tokens, *setting.eos, *ruled_out}
    known = torch.tensor(sorted(token for token in listed if token < setting.vocab_size), device=device)
    luck = Luck(row.seed, device, greedy=False)
    pieces, states = [], []
    for start in range(0, count, _PIECE):
        stop = min(start + _PIECE, count, (start // BLOCK + 1) * BLOCK)
        scores = base(row, start, stop, scale)
        noise = torch.empty_like(scores)
        for place in range(stop - start):
            state = luck.state()
            states.append(torch.empty(0) if state is None else state)
            noise[place] = luck.noise(scores.shape[-1])[0]
        pieces.append(_summed_up(scores, noise.log_().neg_(), known))
    widest = max(piece[-1].shape[1] for piece in pieces)
    columns = list(zip(*pieces, strict=True))
    top, width, counts, means, level, known_far, known_luck = (torch.cat(column) for column in columns[:7])
    ids, far, lucks = (
        torch.cat([_filled(part, widest, fill) for part in column])
        for column, fill in zip(columns[7:], (0, torch.inf, 0.0), strict=True)
    )
    own = torch.searchsorted(known, torch.tensor(row.tokens, device=device))
    return Prepared(
        scale, row.seed, top, width, counts, means, level, known, own, known_far, known_luck, ids, far, lucks, states
    )


def base(row: KeptRow, start: int, stop: int, scale: float) -> Tensor:
    """The scores [count, vocab] of positions in one block, after guidance."""
    scores, unconditional = row.several(start, stop)
    return scores if scale == 1 or unconditional is None else guide(scores, unconditional, scale)


def bins(far: Tensor, width: Tensor) -> Tensor:
    """The bin of each distance [T, *]."""
    return (far / width[:, None]).floor().clamp(0, BINS - 1).nan_to_num(nan=BINS - 1).long()


def _summed_up(scores: Tensor, luck: Tensor, known: Tensor) -> tuple[Tensor, ...]:
    """Columns of Prepared for some positions: of scores and −log E, both [count, vocab]."""
    top = scores.max(dim=-1).values
    finite = torch.isfinite(scores)
    low = torch.where(finite, scores, top[:, None]).min(dim=-1).values
    width = ((top - low) / (BINS - 1)).clamp(min=1e-6)
    far = top[:, None] - scores
    known_far, known_luck = far[:, known], luck[:, known]
    place = bins(far, width)
    others = finite
    others[:, known] = False
    counts = torch.zeros((len(scores), BINS), device=scores.device).scatter_add_(1, place, others.float())
    sums = torch.zeros_like(counts).scatter_add_(1, place, far.masked_fill(~others, 0.0))
    none = torch.full_like(counts, torch.inf)
    farthest = (-none).scatter_reduce_(1, place, far.masked_fill(~others, -torch.inf), "amax")
    nearest = none.scatter_reduce_(1, place, far.masked_fill(~others, torch.inf), "amin")
    level = (farthest == nearest) | (counts == 0)
    means = torch.where(level, farthest, sums / counts).masked_fill(counts == 0, 0.0)
    luck = luck.masked_fill(~others, -torch.inf)
    best = torch.full_like(counts, -torch.inf).scatter_reduce_(1, place, luck, "amax").cummax(dim=1).values
    above = torch.cat([torch.full_like(best[:, :1], -torch.inf), best[:, :-1]], dim=1)
    winning = luck > above.gather(1, place)
    most = int(winning.sum(dim=1).max())
    # The winners of each position, in any order: as many as the position with the most has, the rest struck out.
    chosen = winning.float().topk(max(most, 1), dim=1)
    ids = chosen.indices
    struck = chosen.values == 0
    return (
        top,
        width,
        counts,
        means,
        level,
        known_far,
        known_luck,
        ids,
        far.gather(1, ids).masked_fill(struck, torch.inf),
        luck.gather(1, ids).masked_fill(struck, 0.0),
    )


def _filled(column: Tensor, width: int, fill: float) -> Tensor:
    return torch.nn.functional.pad(column, (0, width - column.shape[1]), value=fill)
