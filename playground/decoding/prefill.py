"""How a prompt is read: whole where that is quick, else in chunks, each in a turn of its own.

Between two chunks other requests get the lock; a cancelled request, or one whose time is up, stops reading. Knows
nothing of sampling and texts.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.decoding.fair_lock import FairLock
from playground.decoding.kv_sequence import KVSequence
from playground.models import capabilities

# Parameters times tokens of one forward pass; 512 tokens of 135 million take half a second on two cores.
_CPU, _ELSEWHERE = 7.2e10, 2e13
_FEWEST, _MOST_CPU, _MOST_ELSEWHERE = 16, 512, 4096  # tokens
_PART = 4  # behind thousands of tokens each takes several times as long, since it attends to all of them
_TRIED = 16  # tokens of each of the two chunks that a model is tried with
_CLOSE = 0.25
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sizes:
    """A prompt of up to `whole` tokens is one forward pass; a longer one is read `chunk` tokens at a time."""

    whole: int
    chunk: int


def sizes(model: Any) -> Sizes:
    """Depends only on the model and its device, so that the same prompt is always read in the same way.

    Weights that are fetched anew for each pass (from a disk or another memory) are worth as many tokens as possible.
    """
    if model not in _SIZES:
        kinds = {parameter.device.type for parameter in model.parameters()}
        count = sum(parameter.numel() for parameter in model.parameters())
        budget, most = (_CPU, _MOST_CPU) if kinds == {"cpu"} else (_ELSEWHERE, _MOST_ELSEWHERE)
        fitting = most if "meta" in kinds else min(most, int(budget / max(count, 1)))
        whole = max(_FEWEST, 1 << max(0, fitting.bit_length() - 1))
        _SIZES[model] = Sizes(whole, max(_FEWEST, whole // _PART))
    return _SIZES[model]


def prefill(
    sequence: KVSequence,
    lock: FairLock,
    cancelled: Callable[[], bool] = lambda: False,
    expired: Callable[[], bool] = lambda: False,
) -> Tensor | None:
    """Reads what the sequence has not read yet: the scores [1, vocab] that follow, or None where it was halted before.

    A prompt of one pass is read even if time is up, so that it gets its first token.
    """
    limits = sizes(sequence.model)
    if sequence.left <= limits.whole or not continues(sequence.model, sequence.unread, lock):
        with lock:
            return None if cancelled() else sequence.read()
    scores = None
    while sequence.left:
        with lock.chunk(lambda: cancelled() or expired()) as acquired:
            if not acquired:
                return None
            scores = sequence.read(limits.chunk)
    return scores


def continues(model: Any, ids: Tensor, lock: FairLock) -> bool:
    """Whether this model may read these ids [1, count] in chunks: whether a later one sees those before it.

    Not every architecture's code does, so each model is tried once. Rotary positions that are scaled by the length of
    what is read would be scaled in another way for each chunk.
    """
    able = capabilities.of(model)
    if able.keeps != "cache" or not able.reads or ids.shape[1] > scaled_from(model):
        return False
    if model not in _CONTINUES:
        with lock:
            _CONTINUES[model] = _tried(model, ids[:, : 2 * _TRIED])
    return _CONTINUES[model]


@torch.inference_mode()
def _tried(model: Any, ids: Tensor) -> bool:
    """Whether two chunks give nearly what one pass gives, measured by what the second alone gives."""
    try:
        whole, both = KVSequence(model, ids), KVSequence(model, ids)
        both.read(ids.shape[1] // 2)
        wanted, found = whole.read(), both.read()
        alone = KVSequence(model, ids[:, ids.shape[1] // 2 :]).read()
    except Exception as error:  # noqa: BLE001 - whatever an architecture makes of it, it can read a prompt whole
        log.info("%s reads prompts whole: %s", type(model).__name__, type(error).__name__)
        return False
    return bool((found - wanted).norm() <= _CLOSE * (alone - wanted).norm())


def scaled_from(model: Any) -> float:
    """Tokens beyond which the positions of all of them are scaled anew."""
    config = model.config.get_text_config(decoder=True)
    rope = getattr(config, "rope_parameters", None) or {}
    kinds = [one for one in (rope, *rope.values()) if isinstance(one, dict)]
    lengths = [
        one.get("original_max_position_embeddings") or config.max_position_embeddings
        for one in kinds
        if one.get("rope_type") in ("dynamic", "longrope")
    ]
    return min(lengths, default=float("inf"))


_SIZES: weakref.WeakKeyDictionary[Any, Sizes] = weakref.WeakKeyDictionary()
_CONTINUES: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()
