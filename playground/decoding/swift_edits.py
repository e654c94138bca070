"""Penalties, bans and biases in a quick replay: stages that move a few tokens one by one and leave the others alone.

They are run as they stand, on the scores of every position; what they did is read off. Most of them move only tokens
of the prompt and of the row, which a prepared row keeps apart; where they move others, it is prepared anew with those.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import SuppressTokensLogitsProcessor

from playground import parameters
from playground.decoding.chain import Processor
from playground.decoding.columns import Columns
from playground.decoding.keep import BLOCK
from playground.decoding.prepared import Prepared, base, prepared
from playground.decoding.row import without
from playground.decoding.scene import Scene

EDITING = ("repetition", "words", "length")  # groups of stages that move single tokens
_REMEMBERED = 4
_PIECE = 16  # positions at once, whose scores stay in the processor's cache
_FEW = 256  # more tokens than these are not worth keeping apart
_OFTEN = 0.05  # share of positions at which another token is moved that makes it worth it


def edited(scene: Scene, ready: Prepared, edits: list[Processor]) -> Columns:
    """The candidates behind the first stages, once for all answers that differ in other stages: a slider moves one at
    a time."""
    moving = {p.name: scene.setting.values[p.name] for p in parameters.REGISTRY if p.group in EDITING}
    key = repr((moving, scene.setting.values["order"], scene.forbidden, len(edits)))
    known = scene.row.run.prepared.setdefault(("moved", scene.row), {})
    if key not in known:
        while len(known) >= _REMEMBERED:
            known.pop(next(iter(known)), None)
        far, unsure, strangers = _at_the_start(scene, ready, edits)
        if strangers and len(strangers) <= _FEW and unsure.float().mean() > _OFTEN:
            more = prepared(scene.row, frozenset(strangers))
            if more is not None:
                ready = more
                far, unsure, _ = _at_the_start(scene, ready, edits)
        known[key] = Columns(ready, far, unsure)
    found: Columns = known[key]
    return found.copy()


def _at_the_start(scene: Scene, ready: Prepared, edits: list[Processor]) -> tuple[Tensor, Tensor, list[int]]:
    """The known tokens' distances [T, K] after these stages, where another token was moved too [T], and those."""
    count, known = len(scene.tokens), ready.known
    unsure = torch.zeros(count, dtype=torch.bool, device=ready.top.device)
    if not edits and not scene.forbidden:
        return ready.known_far, unsure, []
    # What forbids the same tokens everywhere is done for many positions at once: −∞ stays −∞ whatever comes later.
    always = [edit for edit in edits if type(edit) is SuppressTokensLogitsProcessor]
    single = [edit for edit in edits if type(edit) is not SuppressTokensLogitsProcessor]
    far = ready.known_far.clone()
    strangers = torch.zeros(scene.setting.vocab_size, dtype=torch.bool, device=unsure.device)
    for first in range(0, count, _PIECE):
        stop = min(first + _PIECE, count, (first // BLOCK + 1) * BLOCK)
        before = base(scene.row, first, stop, ready.scale)
        after = before
        for edit in always:
            after = edit(scene.history(first), after)
        if single or scene.forbidden:
            rows = [_moved(scene, first + at, after[at : at + 1], single) for at in range(stop - first)]
            after = torch.cat(rows)
        far[first:stop] = ready.top[first:stop, None] - after[:, known]
        changed = after != before
        unsure[first:stop] = changed.sum(dim=1) > changed[:, known].sum(dim=1)
        strangers |= changed.any(dim=0)
    strangers[known] = False
    return far, unsure, strangers.nonzero()[:, 0].tolist()


def _moved(scene: Scene, position: int, scores: Tensor, edits: list[Processor]) -> Tensor:
    forbidden = scene.forbidden.get(position)
    if forbidden:
        scores = without(scores, forbidden)
    for edit in edits:
        scores = edit(scene.history(position), scores)
    return scores


def edit_later(columns: Columns, edit: Processor, scene: Scene) -> None:
    """The same behind other stages: only the known tokens' scores count, and others that are moved are told apart from
    them by having been 0."""
    places, known = columns.places, columns.known
    z = columns.z.gather(1, places)
    there = columns.possible.gather(1, places)
    before = torch.where(there, z + columns.zero[:, None], -torch.inf).float()
    blank = torch.zeros((1, scene.setting.vocab_size), device=before.device)
    rows, strange = [], []
    for position, mine in enumerate(before.split(1)):
        given = blank.index_copy(1, known, mine)
        moved = edit(scene.history(position), given)
        rows.append(moved[:, known])
        strange.append((moved != given).sum() > (rows[-1] != mine).sum())
    after = torch.cat(rows)
    columns.unsure = columns.unsure | torch.stack(strange)
    gone = there & torch.isneginf(after)
    shifted = there & ~gone & (after != before)
    apart = columns.zero.abs()[:, None] + before.abs() + after.abs()
    spread = columns.spread.gather(1, places)
    columns.unsure = columns.unsure | (shifted & (spread > 0)).any(dim=1)
    spread = torch.where(shifted, (columns.drift[:, None] + 1e-6) * apart.double(), spread)
    z = torch.where(shifted, after.double() - columns.zero[:, None], z)
    left = torch.ones_like(columns.possible).scatter(1, places, ~gone)
    columns.keep(left, left, columns.count * left)
    columns.move(columns.z.scatter(1, places, z), columns.spread.scatter(1, places, spread), rising=False)
