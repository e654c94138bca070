"""Temperatures, smoothing, and the samplers that steer by what was chosen, on the columns of a Columns.

What a sampler is set to is read from the sampler; the formulas are those of the registry's records. A steering sampler
follows the row's own tokens, so its states are reckoned first, one number a position, and then it acts everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import TemperatureLogitsWarper

from playground.decoding.columns import Columns
from playground.decoding.samplers import COLDEST, AdaptiveP, DynamicTemperature, Mirostat, QuadraticSmoothing
from playground.decoding.scene import Decision, Scene, decision


def _divided(columns: Columns, by: Tensor, doubt: Tensor | None = None) -> None:
    drift = None if doubt is None else columns.drift + doubt
    columns.move(columns.z / by[:, None], columns.spread / by[:, None], drift=drift)
    columns.zero = columns.zero / by


def _temperature(columns: Columns, stage: TemperatureLogitsWarper) -> None:
    _divided(columns, torch.full_like(columns.zero, stage.temperature))


def _dynamic(columns: Columns, stage: DynamicTemperature) -> None:
    """`doubt` is the relative error of each position's temperature."""
    entropy, error = columns.entropy()
    alive = columns.count.sum(dim=1)
    most = alive.clamp(min=2).log()
    unsure = (entropy / most).clamp(0, 1)
    less = ((entropy - error) / (most + columns.vague / alive.clamp(min=1))).clamp(0, 1)
    more = ((entropy + error) / (most - columns.vague / alive.clamp(min=1)).clamp(min=1e-3)).clamp(0, 1)
    heat = [(stage.low + (stage.high - stage.low) * x**stage.exponent).clamp(min=COLDEST) for x in (unsure, less, more)]
    doubt = (heat[2] - heat[1]).abs() / heat[0]
    single = alive < 2
    columns.unsure = columns.unsure | ((alive < 2 + columns.vague) & (columns.vague > 0))
    _divided(columns, torch.where(single, 1.0, heat[0]), torch.where(single, 0.0, doubt))


def _smoothing(columns: Columns, stage: QuadraticSmoothing) -> None:
    best = columns.best[:, None]
    below = (columns.z - best).clamp(max=0)
    slope = (-2 * stage.square * below + 3 * stage.cube * below**2).abs()
    bend = abs(stage.square) + 3 * stage.cube * (below.abs() + columns.spread)
    shared = columns.drift[:, None] * (columns.z.abs() + below.abs())
    spread = slope * (columns.spread + shared) + bend * columns.spread**2
    moved = best - stage.square * below**2 + stage.cube * below**3
    columns.move(moved, spread, drift=torch.zeros_like(columns.drift), rising=stage.square >= 0)


MOVES: Mapping[type, Callable[[Columns, Any], None]] = {
    TemperatureLogitsWarper: _temperature,
    DynamicTemperature: _dynamic,
    QuadraticSmoothing: _smoothing,
}


class Exactly:
    """What only the chain itself can say of a scene: a position's decision, and a steering sampler's state behind it.

    `states` holds what each steering sampler stood at before every position, as far as that is reckoned; `decided` the
    positions that the chain has decided on the way.
    """

    def __init__(self, scene: Scene, luck: list[Tensor]) -> None:
        self.scene = scene
        self.luck = luck
        self.states: dict[int, list[object]] = {}
        self.decided: dict[int, Decision] = {}

    def decide(self, position: int) -> Decision:
        """By the very chain and pick that wrote the row."""
        if position not in self.decided:
            for link in self.scene.chain.steering:
                if id(link) in self.states:
                    link.restore(self.states[id(link)][position])
            self.decided[position] = self._decided(position)
        return self.decided[position]

    def after(self, link: Any, position: int, state: object) -> Any:
        """The state of a steering sampler behind a position, from that before it."""
        steering = self.scene.chain.steering
        for one in steering[: steering.index(link)]:
            one.restore(self.states[id(one)][position])
        link.restore(state)
        found = self._decided(position)
        if link is steering[-1]:
            self.decided[position] = found
        link.chosen(self.scene.tokens[position])
        return link.snapshot()

    def _decided(self, position: int) -> Decision:
        scene = self.scene
        scores, _ = scene.apply(position)
        scene.luck.rewind(None if scene.setting.greedy else self.luck[position])
        token, _ = scene.luck.pick(scores)
        return decision(scores, token, scene.tokens[position])


def mirostat(columns: Columns, stage: Mirostat, exactly: Exactly) -> None:
    """The limit before each position, from the surprise of the row's own tokens; then the cut."""
    columns.order()
    weights, total, best = columns.weights()
    bits = columns.likely() / -math.log(2)
    share = (weights.cumsum(dim=1) / total[:, None]).tolist()
    number = columns.count.cumsum(dim=1)
    own, blur = columns.at(bits).tolist(), (columns.blur / math.log(2)).tolist()
    known = (columns.at(columns.sure) | ~columns.at(columns.possible)).tolist()
    there, certain = columns.at(columns.sure).tolist(), (~columns.unsure & (columns.loose == 0)).tolist()
    error = (columns.error() / math.log(2) + 1e-6).tolist()
    rows, least = bits.tolist(), max(stage.least, 1)
    enough = (number < least).sum(dim=1).tolist()
    limit, off = stage.limit, 0.0
    limits, offs, states = list[float](), list[float](), list[object]()
    for position, row in enumerate(rows):
        limits.append(limit)
        offs.append(off)
        states.append((limit, None))
        room = error[position] + off
        kept = _reached(row, limit)
        near = any(
            abs(row[place] - limit) <= room + blur[position][place]
            for place in (kept - 2, kept - 1, kept, kept + 1)
            if 0 <= place < len(row)
        )
        if near or not (certain[position] and known[position]) or kept <= enough[position]:
            limit, _ = exactly.after(stage, position, states[-1])
        elif there[position] and own[position] <= limit:
            limit -= stage.eta * (own[position] + math.log2(share[position][kept - 1]) - stage.tau)
            off += stage.eta * 2 * error[position]
    exactly.states[id(stage)] = states
    most = torch.tensor(limits, dtype=torch.float64, device=best.device)
    doubt = torch.tensor(offs, dtype=torch.float64, device=best.device) * math.log(2) + columns.error() + 1e-6
    columns.keep_above(best + total.log() - most * math.log(2), doubt, least, reaches=False)


def _reached(row: list[float], limit: float) -> int:
    """How many of these rising numbers are at most the limit."""
    low, high = 0, len(row)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if row[middle] <= limit else (low, middle)
    return low


def adaptive(columns: Columns, stage: AdaptiveP, exactly: Exactly) -> None:
    """The aim before each position, from the probabilities of the row's own tokens; then the bend around it."""
    chance = torch.exp(columns.likely()) * columns.possible
    error = columns.error()
    own, relative = columns.at(chance).tolist(), (error + columns.at(columns.blur)).tolist()
    there = columns.at(columns.sure).tolist()
    known = ((columns.at(columns.sure) | ~columns.at(columns.possible)) & ~columns.unsure & (error < 1e-3)).tolist()
    total, weight, off = stage.total, stage.weight, 0.0
    aims, offs, states = list[float](), list[float](), list[object]()
    for position, mine in enumerate(own):
        aims.append(min(max(2 * stage.target - total / weight, 0.0), 1.0))
        offs.append(off / weight)
        states.append((total, weight, None))
        if known[position]:
            total = (mine if there[position] else 0.0) + stage.decay * total
            weight = 1 + stage.decay * weight
            off = mine * relative[position] + stage.decay * off
        else:
            total, weight, _ = exactly.after(stage, position, states[-1])
            off *= stage.decay
    exactly.states[id(stage)] = states
    aim, doubt = (torch.tensor(column, dtype=torch.float64, device=chance.device)[:, None] for column in (aims, offs))
    distance = (chance - aim).abs() / stage.WIDTH
    steepest = stage.SHARPNESS / stage.WIDTH
    spread = steepest * (chance * (torch.expm1(columns.blur) + error[:, None]) + doubt)
    bent = stage.PEAK - stage.SHARPNESS * distance**2 / (1 + distance)
    columns.move(bent, spread, drift=torch.zeros_like(error), rising=False)
    columns.zero = torch.zeros_like(columns.zero)


STEERING: Mapping[type, Callable[[Columns, Any, Exactly], None]] = {Mirostat: mirostat, AdaptiveP: adaptive}
