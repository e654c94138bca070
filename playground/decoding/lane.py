"""One sequence of forward passes with its cache: a prompt is read once, then rows grow a token a step.

Calls the model with exactly the arguments that `generate()` uses, since in bf16 another shape is another text. Knows
nothing of sampling, texts or stops.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any, Self

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from playground.models import capabilities


class Lane:
    """The prompt's lane. `length` counts the tokens in the cache, which all rows share.

    `unread` [1, count] is what is to be read before the next step, in one pass or in several.
    """

    def __init__(self, model: Any, prompt: Tensor) -> None:
        self.model = model
        self.prompt = prompt
        self.unread = prompt
        self.length = 0
        self.rows = 1
        self.dtype: torch.dtype = torch.float32  # of the scores as the model gives them
        self._cache: Any = None

    def read(self, count: int | None = None) -> Tensor:
        """The scores [1, vocab] that follow the next `count` tokens of what is unread; all of it by default."""
        count = self.left if count is None else count
        scores = self._advance(self.unread[:, :count], prompt=True)
        self.unread = self.unread[:, count:]
        return scores

    def read_each(self, count: int) -> Tensor:
        """As `read`, but the scores [count, vocab] that follow each of these tokens, in the model's own type."""
        pieces = self.unread[:, :count]
        logits = self._forward(pieces, prompt=True, keep=0)
        self.length += pieces.shape[1]
        self.unread = self.unread[:, count:]
        return logits[0].to(pieces.device)

    @property
    def left(self) -> int:
        """How many tokens are unread."""
        return self.unread.shape[1]

    def step(self, tokens: Tensor) -> Tensor:
        """The scores [rows, vocab] that follow one more token a row; `tokens` is [rows]."""
        return self._advance(tokens[:, None], prompt=False)

    def select(self, rows: list[int]) -> None:
        """Keep these rows, in this order; a row named twice is copied."""
        if rows != list(range(self.rows)):
            self._cache.reorder_cache(torch.tensor(rows, device=self.prompt.device))
            self.rows = len(rows)

    @property
    def cache(self) -> tuple[str, Any]:
        """The cache of all rows, and what the model calls it."""
        return _cache_name(self.model), self._cache

    def split(self, row: int, generated: Tensor) -> Self:
        """A lane of this row alone whose tokens are its prompt and `generated` [1, count], and nothing later.

        Where the cache cannot be cut back to that, they are `unread`.
        """
        if not self._croppable():
            return self.anew(generated)
        alone = copy.copy(self)
        target = self.prompt.shape[1] + generated.shape[1]
        alone._cache = copy.copy(self._cache)
        alone._cache.layers = [copy.copy(layer) for layer in self._cache.layers]
        alone.select([row])
        if target < self.length:
            alone._cache.crop(target - self.length)
        alone.length = target
        return alone

    def anew(self, generated: Tensor) -> Self:
        """A lane of one row that has its prompt and `generated` [1, count] still to read."""
        alone = copy.copy(self)
        alone._cache, alone.length, alone.rows = None, 0, 1
        alone.unread = torch.cat([self.prompt, generated], dim=1)
        return alone

    def _croppable(self) -> bool:
        """Whether the cache is made of plain layers, which may be shared and cut; others are read anew."""
        return all(type(layer) is DynamicLayer for layer in self._cache.layers)

    def _advance(self, tokens: Tensor, *, prompt: bool) -> Tensor:
        logits = self._forward(tokens, prompt)
        self.length += tokens.shape[1]
        self.dtype = logits.dtype
        return logits[:, -1].to(copy=True, dtype=torch.float32, device=tokens.device)

    def _forward(self, tokens: Tensor, prompt: bool, keep: int = 1) -> Tensor:
        """As `generate()` calls the model: to it every chunk of a prompt is the first iteration. `keep` 0 asks for the
        scores of all positions."""
        if self._cache is None:
            self._cache = DynamicCache(config=self.model.config.get_text_config(decoder=True))
        given = _forward_arguments(type(self.model))
        extra: dict[str, Any] = {}
        if "position_ids" in given:
            places = torch.arange(self.length, self.length + tokens.shape[1], device=tokens.device)
            extra["position_ids"] = places[None].expand(tokens.shape[0], -1).contiguous()
        if "logits_to_keep" in given:
            extra["logits_to_keep"] = keep
        name = _cache_name(self.model)
        extra[name] = self._cache
        inputs = self.model.prepare_inputs_for_generation(tokens, use_cache=True, is_first_iteration=prompt, **extra)
        if "logits_to_keep" in inputs:  # some architectures put their own there
            inputs["logits_to_keep"] = keep
        outputs = self.model(**inputs, return_dict=True)
        self._cache = outputs.get(name, self._cache)  # where it is not given back, it was written into
        return outputs.logits


class NegativeLane(Lane):
    """The unconditional lane of guidance, called as transformers' UnbatchedClassifierFreeGuidance calls the model."""

    def _advance(self, tokens: Tensor, *, prompt: bool) -> Tensor:
        """As above, but in the model's own type: transformers takes its log-softmax there."""
        logits = self._forward(tokens, prompt)
        self.length += tokens.shape[1]
        return logits[:, -1].to(copy=True, device=tokens.device)

    def _forward(self, tokens: Tensor, prompt: bool, keep: int = 1) -> Tensor:
        seen = torch.ones((tokens.shape[0], self.length + tokens.shape[1]), dtype=torch.long, device=tokens.device)
        outputs = self.model(tokens, attention_mask=seen, use_cache=True, past_key_values=self._cache)
        self._cache = outputs.past_key_values
        return outputs.logits


def can_guide(model: Any) -> bool:
    """Whether transformers' guidance keeps the second lane's memory, which it looks for under this one name."""
    return capabilities.of(model).guides and "past_key_values" in _forward_arguments(type(model))


def _cache_name(model: Any) -> str:
    return "past_key_values" if "past_key_values" in _forward_arguments(type(model)) else "cache_params"


_ARGUMENTS: dict[type[torch.nn.Module], frozenset[str]] = {}


def _forward_arguments(kind: type[torch.nn.Module]) -> frozenset[str]:
    if kind not in _ARGUMENTS:
        _ARGUMENTS[kind] = frozenset(inspect.signature(kind.forward).parameters)
    return _ARGUMENTS[kind]
