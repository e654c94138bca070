"""Every position of a prepared row decided at once, under other values; what is not certain goes to the chain.

The stages act on columns of almost equal scores, each with its error. Where the winner is not beyond all errors, or it
is open whether the row's own token stays, or a stage is not known here, the chain itself decides. So a token is either
the chain's or certain to be the same; numbers of candidates and log-probabilities may be off by what is open.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from playground import parameters
from playground.decoding.columns import Columns
from playground.decoding.keep import KeptRow
from playground.decoding.prepared import Prepared, prepared
from playground.decoding.scene import Decision, Scene
from playground.decoding.swift_cuts import CUTS
from playground.decoding.swift_edits import EDITING, edit_later, edited
from playground.decoding.swift_moves import MOVES, STEERING, Exactly

_MANY = 6  # positions for the chain that are worth a second thread
_CLOSE = 1e-4  # a race is too close to call below this, in nats
_VAGUE = 0.005  # of a probability, relatively: more than that is left to the chain


@torch.inference_mode()
def decide(row: KeptRow, scene: Scene) -> tuple[list[Decision], int] | None:
    """All positions, and how many of them the chain had to decide; None where it must decide them all, in turn."""
    ready = prepared(row)
    if ready is None or (scene.seed != ready.seed and not scene.setting.greedy):
        return None
    exactly = Exactly(scene, ready.states)
    everywhere = list(range(len(scene.tokens)))
    links = _links(scene, ready)
    if links is None:
        return None if scene.stateful else (_by_chain(exactly, everywhere), len(everywhere))
    columns = _candidates(scene, ready, links, exactly)
    tokens, alive, logprobs, unsure = _race(columns, scene.setting.greedy)
    found = [Decision(*one) for one in zip(tokens.tolist(), alive.tolist(), logprobs.tolist(), strict=True)]
    slow = unsure.nonzero()[:, 0].tolist()
    for position, one in zip(slow, _by_chain(exactly, slow), strict=True):
        found[position] = one
    return found, len(slow)


def _links(scene: Scene, ready: Prepared) -> list[tuple[str, Any]] | None:
    """The stages behind guidance, each with its group; None where one is not known here, or the scores that were
    summed up are not these."""
    group = {record.stage: record.group for record in parameters.REGISTRY if record.stage}
    links = [(group[stage], link) for stage, link in scene.chain.links]
    if links and links[0][0] == "guidance":
        del links[0]
    known = (*MOVES, *CUTS, *STEERING)
    if float(scene.setting.values["guidance_scale"]) != ready.scale:
        return None
    return links if all(name in EDITING or type(link) in known for name, link in links) else None


def _candidates(scene: Scene, ready: Prepared, links: list[tuple[str, Any]], exactly: Exactly) -> Columns:
    first = next((at for at, (name, _) in enumerate(links) if name not in EDITING), len(links))
    columns = edited(scene, ready, [link for _, link in links[:first]])
    for name, link in links[first:]:
        kind = type(link)
        if name in EDITING:
            edit_later(columns, link, scene)
        elif kind in MOVES:
            MOVES[kind](columns, link)
        elif kind in CUTS:
            CUTS[kind](columns, link, scene)
        else:
            STEERING[kind](columns, link, exactly)
    return columns


def _race(columns: Columns, greedy: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Winners, numbers of candidates, the own tokens' log-probabilities, and what is not certain; all [T]."""
    blur, several = columns.blur, columns.count > 1
    luck = torch.zeros_like(columns.luck) if greedy else columns.luck
    second = torch.where(several | ~columns.sure, 0.0, -torch.inf) if greedy else columns.second
    lowest = torch.where(columns.sure, columns.z + luck - blur, -torch.inf)
    highest = torch.where(columns.possible, columns.z + luck + blur, -torch.inf)
    best = lowest.max(dim=1)
    place = best.indices[:, None]
    within = (columns.z + second + blur).gather(1, place)[:, 0]
    rival = highest.scatter(1, place, -torch.inf).max(dim=1).values.maximum(within)
    certain = best.values > rival + _CLOSE
    own_sure, own_possible = columns.at(columns.sure), columns.at(columns.possible)
    certain &= (own_sure | ~own_possible) & (columns.error() < _VAGUE) & ~columns.unsure
    logprobs = torch.where(own_possible, columns.at(columns.likely()), -math.inf)
    alive = columns.count.sum(dim=1).long()
    return columns.ids.gather(1, place)[:, 0], alive, logprobs, ~certain


def _by_chain(exactly: Exactly, positions: list[int]) -> list[Decision]:
    """These positions as the chain decides them; many of them by two hands, where no sampler steers."""
    if exactly.scene.stateful or len(positions) < _MANY:
        return [exactly.decide(position) for position in positions]
    other = Exactly(Scene(exactly.scene.row, exactly.scene.values), exactly.luck)
    with ThreadPoolExecutor(1) as pool:
        half = pool.submit(_decided, other, positions[::2])
        found = dict(zip(positions[1::2], _decided(exactly, positions[1::2]), strict=True))
        found.update(zip(positions[::2], half.result(), strict=True))
    return [found[position] for position in positions]


@torch.inference_mode()
def _decided(exactly: Exactly, positions: list[int]) -> list[Decision]:
    return [exactly.decide(position) for position in positions]
