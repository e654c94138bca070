"""How much memory a model will take, as it is known before any of it is loaded. Plain numbers, made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Basis = Literal["files", "hub", "recipe", "catalogue", "engine", "unknown"]
"""What an estimate was made from: the headers of files that are here, the hub's, a recipe's configuration, or no more
than a known count. What an engine holds takes nothing here."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes that a model will take, and those there are. What is not known is 0, and `basis` is "unknown".

    `weights` as they are loaded; `packed` the fast path's copy of them; `kv_cache` for one row of `context` tokens
    (`kv_token` for each); `beside` what it takes besides, such as tokenizer, compiled layers and buffers; `peak` on top
    of `held` for a moment while it is loaded. `download` is what has to be fetched first. `loaded_now` is what the
    models take that are loaded, as measured; `free` what this machine has left, up to the cap on loaded models.
    """

    weights: int
    packed: int
    kv_cache: int
    kv_token: int
    beside: int
    peak: int
    context: int
    download: int
    loaded_now: int
    free: int
    basis: Basis
    parameters: int | None = None
    kind: str = ""  # model_type of its configuration

    @property
    def held(self) -> int:
        """What is held once it is loaded, before the first token: comparable with what is measured then."""
        return self.weights + self.packed + self.beside

    @property
    def needed(self) -> int:
        """What must be free for a moment while it is loaded."""
        return self.held + self.peak

    @property
    def total(self) -> int:
        """What it takes to write one text up to the context's end."""
        return self.held + self.kv_cache

    @property
    def fits(self) -> bool:
        """Whether it fits beside what is loaded now; one of which nothing is known is tried."""
        return self.basis in ("engine", "unknown") or max(self.total, self.needed) <= self.free
