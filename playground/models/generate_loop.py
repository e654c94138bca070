"""Forward passes over a growing text with exactly the arguments that `generate()` of transformers would use.

For models whose own code decides what it is given: which inputs, under which name it keeps its state, whether it keeps
any. Follows GenerationMixin.generate and _sample step by step; knows nothing of sampling.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any, Self

import torch
from torch import Tensor
from transformers import DynamicCache

_STATES = ("past_key_values", "cache_params", "state")  # names under which a model is handed what it has kept


class GenerateLoop:
    """Passes over one text a row, all of the same length. Without `use_cache` each reads all of it.

    `read` is how many tokens of a row the last pass was given, `returned` whether it gave back what it keeps.
    """

    def __init__(self, model: Any, *, use_cache: bool) -> None:
        self._model = model
        self._use_cache = use_cache
        self._given: dict[str, Any] = {}
        self.read = 0
        self.returned = False

    def copy(self) -> Self:
        """The same as far as it has read; from here on each goes its own way."""
        copied = copy.copy(self)
        copied._given = copy.deepcopy(self._given)
        return copied

    @property
    def state(self) -> Any:
        """What is kept between two passes: a cache of transformers, something of the model's own, or None."""
        return next((found for name in _STATES if (found := self._given.get(name)) is not None), None)

    def __call__(self, ids: Tensor) -> Tensor:
        """The scores [rows, vocab] that follow `ids` [rows, length], which is all there is so far.

        With `use_cache` each call has to hold one more token a row than the one before.
        """
        return self.all(ids, keep=1)[:, -1]

    def all(self, ids: Tensor, keep: int = 0) -> Tensor:
        """As a call, but the scores [rows, count, vocab] at the last `keep` tokens that are read; at all of them for 0.

        A model that reads more than the text, or answers for its last token only, gives another count.
        """
        first = not self._given
        if first:
            self._given = self._begin(ids)
        inputs = self._model.prepare_inputs_for_generation(
            ids,
            next_sequence_length=1 if self._use_cache and not first else None,
            is_first_iteration=first,
            **self._given,
        )
        if "logits_to_keep" in inputs:
            inputs["logits_to_keep"] = keep
        outputs = self._model(**inputs, return_dict=True)
        self.read = inputs["input_ids"].shape[1]
        self.returned = any(name in outputs for name in _STATES)
        self._given = self._model._update_model_kwargs_for_generation(outputs, self._given)
        logits: Tensor = outputs.logits
        return logits

    def _begin(self, ids: Tensor) -> dict[str, Any]:
        """What `generate()` has prepared before its first pass; a mask that hides nothing it leaves out again."""
        takes = inspect.signature(self._model.forward).parameters
        given: dict[str, Any] = {"use_cache": self._use_cache}
        if "position_ids" in takes:
            mask = {"attention_mask": torch.ones_like(ids)} if "attention_mask" in takes else {}
            given["position_ids"] = self._model._prepare_position_ids_for_generation(ids, mask)
        if "attention_mask" in takes:
            given["attention_mask"] = None
        if "logits_to_keep" in takes:
            given["logits_to_keep"] = 1
        if self._use_cache and self._model._supports_default_dynamic_cache():
            name = "cache_params" if "mamba" in type(self._model).__name__.lower() else "past_key_values"
            given[name] = DynamicCache(config=self._model.config.get_text_config(decoder=True))
        return given
