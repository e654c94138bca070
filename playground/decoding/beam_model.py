"""A model as `generate()` sees it in a beam search: every forward pass in a turn of its own, the prompt read in chunks.

What transformers does between two passes runs beside others. Knows no request.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from transformers.utils import ModelOutput

from playground.decoding.fair_lock import FairLock
from playground.decoding.kv_sequence import KVSequence
from playground.decoding.prefill import prefill, sizes
from playground.models import capabilities


class Halted(Exception):
    """The search was given up before its prompt was read."""


@dataclass
class _Prompt(ModelOutput):
    """What a pass over the prompt gives: the scores [beams, 1, vocab] that follow it, and the cache under its name."""

    logits: Tensor | None = None
    past_key_values: Any = None
    cache_params: Any = None


class BeamModel:
    """`model` shares everything with the one that it was made of, but for what stands between the passes.

    Draws come from a generator of its own, seeded with `seed`, so that nobody has to keep off the global one.
    """

    def __init__(self, model: Any, lock: FairLock, halted: Callable[[], bool], seed: int) -> None:
        self._original = model
        self._lock = lock
        self._halted = halted
        self.model = copy.copy(model)
        self.model.forward = functools.update_wrapper(functools.partial(self._forward), model.forward)
        self.model._prefill = functools.partial(self._prefill, self.model._prefill)
        self._draws = _SeededDraws(seed)
        self.model._get_top_k_continuations = functools.partial(self._continue, self.model._get_top_k_continuations)

    def _forward(self, *given: Any, **named: Any) -> Any:
        with self._lock:
            return self._original.forward(*given, **named)

    def _prefill(self, read: Callable[..., Any], ids: Tensor, *given: Any, **named: Any) -> Any:
        """The prompt, which all beams share, is read once; `generate()` itself reads it once a beam. So it does where
        that is quick: in bf16 several rows at once have other scores than one; and where what is read is not kept in
        the common cache."""
        if ids.numel() <= sizes(self._original).whole or capabilities.of(self._original).keeps != "cache":
            return read(ids, *given, **named)
        sequence = KVSequence(self._original, ids[:1])
        scores = prefill(sequence, self._lock, self._halted)
        if scores is None:
            raise Halted
        sequence.select([0] * len(ids))
        name, cache = sequence.cache
        return _Prompt(logits=scores.expand(len(ids), -1)[:, None], **{name: cache})

    def _continue(self, choose: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with self._draws:
            return choose(*given, **named)


class _SeededDraws(TorchFunctionMode):
    """Where torch draws, in this thread, it draws from this generator."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._generators: dict[torch.device, torch.Generator] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if func is torch.multinomial:
            named["generator"] = self._on(args[0].device)
        return func(*args, **named)

    def _on(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._seed)
        return self._generators[device]
