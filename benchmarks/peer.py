"""transformers' own `model.generate()` under the same settings: what a naive playground gives."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch
from transformers.generation.streamers import BaseStreamer

from playground import models

_NEUTRAL: dict[str, Any] = {"do_sample": True, "top_k": 0}  # left unset, transformers fills top_k with 50
_SHARED = ("temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty", "max_new_tokens")


class Clock(BaseStreamer):
    """Writes down when each token came; the first thing that generate() hands over is the prompt."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._prompt = True

    def put(self, value: torch.Tensor) -> None:
        if not self._prompt:
            self.times.append(time.monotonic())
        self._prompt = False

    def end(self) -> None:
        pass


def generate(loaded: models.Loaded, given: Mapping[str, Any]) -> list[float]:
    """When each token came, in seconds of time.monotonic()."""
    ids = loaded.tokenizer(given["prompt"], return_tensors="pt").input_ids
    eos = loaded.model.generation_config.eos_token_id
    values = {**_NEUTRAL, **{name: given[name] for name in _SHARED if name in given}}
    clock = Clock()
    torch.manual_seed(given["seed"])
    loaded.model.generate(
        ids, attention_mask=torch.ones_like(ids), suppress_tokens=[eos], streamer=clock, **values
    )  # fmt: skip
    return clock.times


def generate_rate(loaded: models.Loaded, given: Mapping[str, Any]) -> float:
    """Tokens/s after the first token."""
    times = generate(loaded, given)
    return (len(times) - 1) / (times[-1] - times[0])
