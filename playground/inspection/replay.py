"""What a finished row would have become under other values with the same random draws: every position decided again by
the very samplers that wrote it.

Knows no page and runs no model.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from playground.amounts import counted
from playground.decoding.row import Setting
from playground.decoding.run_store import StoredRow
from playground.decoding.text_writer import TextWriter
from playground.inspection.replay_context import Decision, ReplayContext
from playground.inspection_results import Divergence, Replayed, Token
from playground.sampling.draw import RowRNG
from playground.types import Text

_CORES = os.cpu_count() or 1
_MANY = 8  # positions that are worth a second thread
REMEMBERED = 12  # answers a row: a slider that comes back, and the impact of all parameters


def ending(row: StoredRow, values: Mapping[str, Any]) -> tuple[int | None, Text | None]:
    """After how many of the row's own tokens these values would end the text, and a sentence where that is elsewhere.

    The count is None where they end it nowhere within the row.
    """
    setting, count = row.run.setting, len(row.tokens)
    most, stopped = int(values["max_new_tokens"]), None
    if values["stop"] != setting.values["stop"]:
        writer = TextWriter(setting.detokenizer(), stop=values["stop"], thinks=setting.thinks)
        pushed = (place for place, token in enumerate(row.tokens) if token in setting.eos or writer.push(token).stopped)
        stopped = next(pushed, None)
    ends = min(most, count if stopped is None else stopped + 1)
    if ends < count:
        return ends, Text(
            f"The text would end after {counted(ends, 'token', 'tokens')}.", f"文本会在第 {ends} 个词元之后结束。"
        )
    longer = row.finish == "length" and most > count
    if longer or (row.finish == "stop" and stopped is None and values["stop"] != setting.values["stop"]):
        return None, Text(
            "The text would go on behind its last token; how, only the model can tell.",
            "文本会在最后一个词元之后继续；如何继续，只有模型知道。",
        )
    return None, None


def replay(row: StoredRow, values: Mapping[str, Any]) -> Replayed:
    """The whole row under these values. They must be able to replay it."""
    began = time.perf_counter()
    own, found = decisions(row, row.run.values), decisions(row, values)
    setting = row.run.setting
    differs = tuple(at for at, (one, was) in enumerate(zip(found, row.tokens, strict=True)) if one.token != was)
    ends, sentence = ending(row, values)
    first = None
    if differs and (ends is None or differs[0] < ends):
        index = differs[0]
        first = Divergence(index, token_of(setting, row.tokens[index]), token_of(setting, found[index].token))
    elif ends is not None:
        first = Divergence(ends, token_of(setting, row.tokens[ends]), None)
    return Replayed(
        tokens=tuple(one.token for one in found),
        differs=differs,
        first=first,
        logprob=_total(found),
        impossible=sum(one.own_logprob == -math.inf for one in found),
        own_logprob=_total(own),
        own_impossible=sum(one.own_logprob == -math.inf for one in own),
        alive=tuple(one.alive for one in found),
        singles=sum(one.alive == 1 for one in found),
        ending=sentence,
        milliseconds=(time.perf_counter() - began) * 1000,
    )


def decisions(row: StoredRow, values: Mapping[str, Any]) -> list[Decision]:
    """Every position decided again; remembered for a while, unless these are the first tokens of a row only."""
    if not any(row is one for one in row.run.rows):
        return decide(ReplayContext(row, values))
    remembered = row.run.prepared.setdefault(id(row), {})
    key = repr(sorted(values.items()))
    if key not in remembered:
        row.fetch()
        while len(remembered) >= REMEMBERED:
            remembered.pop(next(iter(remembered)), None)
        remembered[key] = decide(ReplayContext(row, values))
    answer: list[Decision] = remembered[key]
    return answer


@torch.inference_mode()
def decide(context: ReplayContext) -> list[Decision]:
    """Every position of a new context: in turn where a sampler is stateful, else on two threads."""
    count, states = len(context.tokens), context.noise_states()
    if context.stateful:
        found = []
        for position in range(count):
            found.append(context.decide(position, context.rng, states[position]))
            context.chosen(position)
        return found
    places = range(count)
    if _CORES == 1 or count < _MANY:
        return _decided(context, places, states)
    with ThreadPoolExecutor(1) as pool:
        other = ReplayContext(context.row, context.values)  # a form's matcher belongs to one thread
        half = pool.submit(_decided, other, places[::2], states)
        mine = _decided(context, places[1::2], states)
        by_place = dict(zip([*places[::2], *places[1::2]], [*half.result(), *mine], strict=True))
    return [by_place[place] for place in places]


@torch.inference_mode()
def _decided(context: ReplayContext, places: range, states: list[Any]) -> list[Decision]:
    setting = context.setting
    rng = RowRNG(context.seed, setting.prompt.device, greedy=setting.greedy, portable=setting.portable)
    return [context.decide(place, rng, states[place]) for place in places]


def _total(found: list[Decision]) -> float:
    return sum(one.own_logprob for one in found if one.own_logprob > -math.inf)


def token_of(setting: Setting, token: int) -> Token:
    """One entry of the vocabulary as the page names it."""
    return Token(token, setting.labels[token], token in setting.tokenizer.all_special_ids)
