"""The cut-offs, each told by the columns of a Columns what the chain's own sampler would keep. What a sampler is set to
is read from the sampler; the formulas are those of the registry's records."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    MinPLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from playground.decoding.columns import Columns
from playground.decoding.samplers import XTC, TailFree, TopA, TopNSigma
from playground.decoding.scene import Scene

_EXACT = 4e-6  # relative error of one float32 probability beside another


def _top_k(columns: Columns, stage: TopKLogitsWarper, scene: Scene) -> None:
    columns.keep(*columns.first(torch.full_like(columns.zero, stage.top_k), ties=True))


def _top_p(columns: Columns, stage: TopPLogitsWarper, scene: Scene) -> None:
    """A token stays while those above it do not weigh p together."""
    columns.order()
    weights, total, best = columns.weights()
    above = weights.cumsum(dim=1) - weights
    each = torch.exp(columns.z - best[:, None]).clamp(1e-300, 1.0)
    wanted, error = (total * stage.top_p)[:, None], (columns.error() * total)[:, None]

    def kept(weight: Tensor) -> Tensor:
        return ((weight - above) / each).ceil().clamp(min=0).minimum(columns.count)

    inside, partly, number = columns.first(torch.full_like(total, stage.min_tokens_to_keep))
    fewest, most = kept(wanted - error), kept(wanted + error)
    sure, possible = columns.widened(fewest == columns.count, above < wanted + error)
    doubt = most.maximum(number) - fewest.maximum(number)
    columns.keep(sure | inside, possible | partly, kept(wanted).maximum(number), doubt)


def _min_p(columns: Columns, stage: MinPLogitsWarper, scene: Scene) -> None:
    gate = columns.best + math.log(max(stage.min_p, 1e-300))
    columns.keep_above(gate, torch.full_like(gate, _EXACT), stage.min_tokens_to_keep)


def _at_least(columns: Columns, chance: Tensor, error: Tensor, least: int, *, ties: bool) -> None:
    """Keep tokens of at least this log-probability [T]."""
    _, total, best = columns.weights()
    columns.keep_above(chance + best + total.log(), error + columns.error() + _EXACT, least, ties=ties)


def _epsilon(columns: Columns, stage: EpsilonLogitsWarper, scene: Scene) -> None:
    chance = torch.full_like(columns.zero, math.log(stage.epsilon))
    _at_least(columns, chance, torch.zeros_like(chance), stage.min_tokens_to_keep, ties=True)


def _eta(columns: Columns, stage: EtaLogitsWarper, scene: Scene) -> None:
    entropy, error = columns.entropy()
    limit = math.log(float(stage.epsilon))
    _at_least(columns, (limit / 2 - entropy).clamp(max=limit), error, stage.min_tokens_to_keep, ties=True)


def _top_a(columns: Columns, stage: TopA, scene: Scene) -> None:
    _, total, _ = columns.weights()
    _at_least(columns, math.log(stage.top_a) - 2 * total.log(), columns.error(), stage.least, ties=False)


def _top_n_sigma(columns: Columns, stage: TopNSigma, scene: Scene) -> None:
    """The tokens of a column lie around its mean, which makes the true σ a little larger."""
    alive = columns.count.sum(dim=1).clamp(min=1)
    mean = (columns.count * columns.z).sum(dim=1) / alive
    apart = (columns.z - mean[:, None]) ** 2
    variance = (columns.count * apart).sum(dim=1) / alive
    within = (columns.count * columns.spread**2).sum(dim=1) / alive
    lowest = torch.where(columns.possible, columns.z, torch.inf).min(dim=1).values
    doubt = 2 * columns.vague / alive * (columns.best - lowest) ** 2
    sigma = variance.sqrt()
    error = (variance + within + doubt).sqrt() - sigma + sigma * (1e-5 + columns.drift)
    columns.keep_above(columns.best - stage.n * sigma, stage.n * error, stage.least)


def _top_h(columns: Columns, stage: TopHLogitsWarper, scene: Scene) -> None:
    """Over the likeliest candidates alone: a prefix whose entropy is a share of theirs."""
    inside, partly, number = columns.first(torch.full_like(columns.zero, stage.top_n))
    each = torch.exp(columns.z - columns.best[:, None]).clamp(max=1.0)
    chance = each / (number * each).sum(dim=1, keepdim=True)
    term = -torch.xlogy(chance, chance)
    weighed = number * term
    through = weighed.cumsum(dim=1)
    above = through - weighed
    limit = through[:, -1:] * stage.top_h
    doubt = (number * chance * columns.spread).sum(dim=1) + columns.error()
    error = doubt[:, None] * (1 + limit) + 1e-6

    def kept(most: Tensor) -> Tensor:
        return ((most - above) / term.clamp(min=1e-300)).floor().clamp(min=0).minimum(number)

    first = (number > 0) & (number.cumsum(dim=1) - number == 0)
    one = first.double()
    fewest, most = kept(limit - error).maximum(one), kept(limit + error).maximum(one)
    sure, possible = columns.widened(fewest == columns.count, (most > 0) | (above <= limit + error))
    doubt = torch.where(columns.spread == 0, most - fewest, columns.count)
    columns.keep(sure & inside, possible & partly, kept(limit).maximum(one), doubt)


def _typical(columns: Columns, stage: TypicalLogitsWarper, scene: Scene) -> None:
    """The tokens whose surprise lies nearest to the entropy, until they weigh enough; ties with the last one stay."""
    entropy, off = columns.entropy()
    weights, total, _ = columns.weights()
    error = columns.error()
    key = (-columns.likely() - entropy[:, None]).abs().masked_fill(~columns.possible, torch.inf)
    order = key.argsort(dim=1)
    ranked = key.gather(1, order)
    share = weights / total[:, None]
    through = share.gather(1, order).cumsum(dim=1)
    most = columns.possible.sum(dim=1, keepdim=True) - 1

    def last(mass: Tensor) -> Tensor:
        return ranked.gather(1, torch.searchsorted(through, mass[:, None]).minimum(most))

    mass = torch.full_like(total, stage.mass)
    low, high = last(mass * (1 - error)), last(mass * (1 + error))
    blur = 2 * (columns.blur + (off + error)[:, None])
    level = (key == low) & (columns.spread == 0)
    # Whatever lies about as far away may come before the last one or after it; where that is too light to matter, the
    # last one is known all the same.
    beside = (share * (((key - low).abs() <= blur) & ~level)).sum(dim=1)
    before, behind = (share * (key < low)).sum(dim=1), (share * (key <= low)).sum(dim=1)
    known = (before + beside < mass * (1 - error)) & (behind - beside > mass * (1 + error))
    sure, possible = (key + blur < low) | (level & known[:, None]), key - blur <= high
    kept, doubt = torch.where(key <= last(mass), columns.count, 0.0), columns.count
    if stage.min_tokens_to_keep > 1:
        more, whole, partly = _nearest(columns, key, order, blur, stage.min_tokens_to_keep)
        doubt = torch.where(possible, columns.count, 0.0)
        sure, possible, kept = sure | whole, possible | partly, kept.maximum(more)
    columns.keep(sure, possible, kept, doubt)


def _nearest(columns: Columns, key: Tensor, order: Tensor, blur: Tensor, least: int) -> tuple[Tensor, Tensor, Tensor]:
    """How many tokens of each column are among the so many of the smallest key, and where all or some surely are."""
    number = columns.count.gather(1, order)
    before = torch.empty_like(number).scatter_(1, order, number.cumsum(dim=1) - number)
    more = (least - before).clamp(min=0).minimum(columns.count)
    edge = torch.where(more > 0, key, 0.0).max(dim=1, keepdim=True).values
    beside = (key - edge).abs() <= blur
    whole = (more == columns.count) & ((key + blur < edge) | (beside.sum(dim=1, keepdim=True) == 1))
    return more, whole, (more > 0) | beside


def _tail_free(columns: Columns, stage: TailFree, scene: Scene) -> None:
    """The second differences of the sorted probabilities, summed up: nothing is within a run of equal ones, so only
    the first and the last token of a column have any. The last candidate of all always lies in the tail."""
    if stage.z >= 1:
        return
    columns.order()
    here, count = columns.count > 0, columns.count
    chance = torch.exp(columns.likely())
    at_first, at_last, starts, ends = _bends(torch.where(here, chance, 0.0), here, count)
    through = (at_first + at_last).cumsum(dim=1)
    until_first = through - at_last
    # What a column of several scores hides within it: its tokens fall from twice its spread above to below.
    hidden = (8 * chance * columns.blur * (here & (columns.spread > 0))).cumsum(dim=1)
    rough = columns.loose[:, None] + 1e-6
    total, most = through[:, -1:], hidden[:, -1:] + rough
    columns.unsure = columns.unsure | (total <= most)[:, 0]
    off = hidden + rough + 1e-5 * through
    low, high = stage.z * (total - most), stage.z * (total + most)
    begins, stays = until_first + off <= low, through + off <= low
    settled = stays | (begins & (through - off > high)) | (until_first - off > high)
    single = count <= 1
    inner = torch.where(through <= stage.z * total, count, (count - 1).clamp(min=0) * (until_first <= stage.z * total))
    kept = torch.where(ends, inner.minimum(count - 1), inner).maximum(starts.double())
    sure = (stays & ~ends) | (starts & single)
    possible = ((until_first - off <= high) & ~(ends & single)) | starts
    sure, possible = columns.widened(sure & here, possible)
    if stage.least > 1:
        inside, among, number = columns.first(torch.full_like(columns.zero, stage.least))
        sure, possible, kept = sure | inside, possible | among, kept.maximum(number)
    columns.keep(sure, possible, kept, torch.where(settled, 0.0, count))


def _bends(chance: Tensor, here: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """|Δ²p| [T, C] at the first and at the last token of each column, and which columns are the first and the last."""
    behind = chance.flip(1).cummax(dim=1).values.flip(1)
    behind = torch.cat([behind[:, 1:], torch.zeros_like(behind[:, :1])], dim=1)
    before = torch.where(here, chance, torch.inf).cummin(dim=1).values
    before = torch.cat([torch.full_like(before[:, :1], torch.inf), before[:, :-1]], dim=1)
    starts = here & torch.isinf(before)
    ends = here & (count.cumsum(dim=1) == count.sum(dim=1, keepdim=True))
    fall = torch.where(here & ~starts, before - chance, 0.0)
    next_fall = torch.where(here & ~ends, chance - behind, 0.0)
    several = count > 1
    at_first = torch.where(several, fall, (fall - next_fall).abs()).masked_fill(starts | (ends & ~several), 0.0)
    return at_first, torch.where(several, next_fall, 0.0), starts, ends


def _xtc(columns: Columns, stage: XTC, scene: Scene) -> None:
    """Of the tokens that reach the threshold only the least likely stays."""
    if not set(columns.known.tolist()).issuperset(stage.untouchable):
        columns.unsure = torch.ones_like(columns.unsure)
        return
    heads = [scene.luck.coin(position) < stage.probability for position in range(len(scene.tokens))]
    strikes = torch.tensor(heads, device=columns.z.device)
    columns.order()
    chance, error = torch.exp(columns.likely()), (columns.error() + _EXACT)[:, None] + columns.blur
    alive = columns.possible
    reach = alive & (chance >= stage.threshold)
    doubtful = alive & ((chance / stage.threshold - 1).abs() <= error) & strikes[:, None]
    columns.unsure = columns.unsure | doubtful.any(dim=1)
    last = torch.where(reach, columns.z, torch.inf).min(dim=1, keepdim=True).values
    number = (columns.count * reach).sum(dim=1)
    gone = alive & (columns.z > last)
    form = torch.zeros_like(alive)
    for token in stage.untouchable:
        form = form | (alive & (columns.ids == token))
    spared = (form & gone).any(dim=1) | (number < 2)
    left = columns.count.sum(dim=1) - number + 1
    columns.unsure = columns.unsure | (strikes & ((left - stage.least).abs() <= columns.vague) & (columns.vague > 0))
    level = alive & (columns.z + columns.blur >= last) & (columns.z - columns.blur <= last)
    tied = (columns.count * level).sum(dim=1) > 1
    # Who of several equally likely ones stays is for the chain to say, and whether a line break is among the others.
    columns.unsure = columns.unsure | (strikes & tied & (form & level).any(dim=1) & ~spared)
    acts = (strikes & ~spared & (left >= stage.least))[:, None]
    edge = level & tied[:, None]
    one = edge & (edge.cumsum(dim=1) == edge.sum(dim=1, keepdim=True))
    kept = torch.where(gone | (edge & ~one), 0.0, torch.where(one, 1.0, columns.count))
    sure, possible = ~acts | ~(gone | edge), ~acts | ~gone | edge
    columns.keep(sure, possible, torch.where(acts, kept, columns.count), torch.where(acts & edge, 0.0, columns.count))


CUTS: Mapping[type, Callable[[Columns, Any, Scene], None]] = {
    TopKLogitsWarper: _top_k,
    TopPLogitsWarper: _top_p,
    MinPLogitsWarper: _min_p,
    EpsilonLogitsWarper: _epsilon,
    EtaLogitsWarper: _eta,
    TopA: _top_a,
    TopNSigma: _top_n_sigma,
    TopHLogitsWarper: _top_h,
    TypicalLogitsWarper: _typical,
    TailFree: _tail_free,
    XTC: _xtc,
}
