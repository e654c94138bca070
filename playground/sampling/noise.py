"""The noise of one draw, made whole and looked at only where it matters. Knows no scores.

On the CPU one exponential number is −log(1 − u) of one uniform u, and drawing the u alone costs a fifth. Whether that
holds in this build of torch is tried out once; where it does not, the exponential numbers themselves are drawn.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

_BITS = (1 << 53) - 1  # of a 64-bit draw, those that make a double in [0, 1)
_UNIT = 2.0**-53
_TRIED = (3, 40_000)  # a size below the vectorized loops, and one that takes several of their chunks


class Noise:
    """E [size] ~ Exp(1) of one draw, which is argmax p / E. Draws on `generator` exactly as torch.multinomial does."""

    def __init__(self, generator: torch.Generator, size: int) -> None:
        self._words: np.ndarray | None = None
        if hidden_uniforms():
            self._words = torch.empty(size, dtype=torch.int64).random_(generator=generator).numpy()
        else:
            self._whole = torch.empty(size).exponential_(1, generator=generator)

    def at(self, places: np.ndarray) -> np.ndarray:
        """E [count] at these places [count], float64, within rounding of float32."""
        if self._words is None:
            return self._whole.numpy()[places].astype(np.float64)
        return -np.log1p((self._words[places] & _BITS) * -_UNIT)

    def least(self) -> np.ndarray:
        """Nowhere larger than E [size], in float32, and cheap: −log(1 − u) ≥ u ≥ its first 24 bits."""
        if self._words is None:
            return self._whole.numpy()
        return ((self._words & _BITS) >> 29).astype(np.float32) * np.float32(2.0**-24)

    def whole(self) -> Tensor:
        """E [1, size] in float32, bit for bit what torch.multinomial divides by."""
        if self._words is None:
            return self._whole[None]
        return _exponential(self._words)[None]


def _exponential(words: np.ndarray) -> Tensor:
    return torch.log1p(torch.from_numpy((words & _BITS) * -_UNIT)).neg_().float()


@cache
def hidden_uniforms() -> bool:
    """Whether this build makes exponential noise from 64-bit draws as `Noise` does, and leaves the same state."""
    return all(_same(size) for size in _TRIED)


def _same(size: int) -> bool:
    one, other = torch.Generator().manual_seed(size), torch.Generator().manual_seed(size)
    wanted = torch.empty(size).exponential_(1, generator=one)
    words = torch.empty(size, dtype=torch.int64).random_(generator=other).numpy()
    return torch.equal(wanted, _exponential(words)) and torch.equal(one.get_state(), other.get_state())
