"""The watermark: a changing, keyed part of the vocabulary becomes likelier. Knows no row and no model."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import WatermarkLogitsProcessor

from playground.sampling.candidates import Candidates
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, brief, score
from playground.types import Text

REMEMBERED = 4096  # green lists: those of a text of some thousand tokens
_TRIED = 40  # of the likeliest tokens self hash looks at so many, as in transformers


class Watermark(Sampler):
    """z += δ for the green tokens that the tokens before choose (arXiv 2306.04634)."""

    columns = ("bias",)

    def __init__(
        self,
        vocab_size: int,
        device: torch.device,
        greenlist_ratio: float,
        bias: float,
        seeding_scheme: str,
        context_width: int,
    ) -> None:
        self.lists = _green_lists(
            vocab_size=vocab_size,
            device=device,
            greenlist_ratio=greenlist_ratio,
            seeding_scheme=seeding_scheme,
            context_width=context_width,
        )
        self.bias: Any = bias

    def processor(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """transformers' own on scores [1, vocab] behind ids [1, length], with a generator of its own."""
        return self.lists.processor(self.bias)(input_ids, scores)

    def apply(self, candidates: Candidates) -> None:
        scores, bias = candidates.tensor, self.bias
        green = [self.of(row).lists.green(ids, scores[row]) for row, ids in enumerate(candidates.histories)]
        candidates.edit(green, lambda some: some + bias)

    def explain(self, io: StageIO) -> Text | None:
        token, raised = io.example, int(io.moved.sum())
        if token is None:
            return None
        shown = io.equation(token, f"{score(io.entered[token])} + {brief(io.settings['watermark_bias'])}")
        return Text(f"{raised:,} green candidates; {shown.en}", f"{raised:,} 个绿色候选；{shown.zh}")


class _Watermark(WatermarkLogitsProcessor):
    """Survives a step at which self hash finds no green token: transformers then indexes with a list of floats."""

    def _score_rejection_sampling(self, input_seq: Tensor, scores: Tensor) -> Tensor:
        found: Tensor = super()._score_rejection_sampling(input_seq, scores)
        return found.long()


class _GreenLists:
    """The green tokens behind a text, remembered: shuffling a vocabulary takes a millisecond, forty with self hash."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._own = _Watermark(bias=1.0, **settings)
        self._known: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()  # a bit a token
        self._guard = threading.Lock()

    def processor(self, bias: float) -> WatermarkLogitsProcessor:
        return _Watermark(bias=bias, **self._settings)

    def green(self, ids: Tensor, scores: Tensor) -> Tensor:
        """The green tokens [count] behind `ids` [length]; `scores` [vocab] matter to self hash only."""
        own = self._own
        if len(ids) < own.context_width:
            return ids[:0]
        if own.seeding_scheme == "lefthash":
            return self._remembered((int(ids[-1]),), lambda: own._get_greenlist_ids(ids))
        # The same order as the whole sort's, unless scores are equal; then that sort decides.
        best = scores.topk(min(_TRIED + 1, len(scores)))
        order = best.indices
        if bool((best.values[1:] == best.values[:-1]).any()):
            order = scores.sort(dim=-1, descending=True).indices
        key = (*ids[-own.context_width :].tolist(), *order[:_TRIED].tolist())
        return self._remembered(key, lambda: own._score_rejection_sampling(ids, scores))

    def _remembered(self, key: tuple[int, ...], find: Callable[[], Tensor]) -> Tensor:
        size = self._own.vocab_size
        with self._guard:
            if self._own.rng.device.type != "cpu":
                return find()
            if key not in self._known:
                mask = np.zeros(size, dtype=bool)
                mask[find().numpy()] = True
                self._known[key] = np.packbits(mask)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return torch.from_numpy(np.flatnonzero(np.unpackbits(self._known[key], count=size)))


_green_lists = lru_cache(maxsize=4)(_GreenLists)
