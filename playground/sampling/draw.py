"""The random numbers of one row, and the draw under them: one exponential race for every path.

`torch.multinomial` with one draw is argmax p_i / E_i with E_i ~ Exp(1), and it advances the generator by the same
amount whatever p is. So the noise of a position can be kept and used again on other probabilities. Knows no sampler.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

import numpy as np
import torch
from torch import Tensor

from playground.sampling.noise import Noise

_CLOSE = 1e-5  # a race nearer than this share is decided by the very numbers of torch
_FEW = 8192  # of so many candidates noise is worked out at once; of more, only where one can win


class RowRNG:
    """One row's random numbers, for scores on `device`. Seeded alike, it draws what `torch.manual_seed(seed)` and
    `generate()` would draw there; `portable`, what they would draw on a CPU, since every kind of device has its own."""

    def __init__(self, seed: int, device: torch.device, *, greedy: bool, portable: bool = False) -> None:
        self.seed = seed
        self.greedy = greedy
        self._device = device
        self._generator = torch.Generator(device="cpu" if portable else device)
        self._generator.manual_seed(seed)
        self._coming: tuple[Tensor, Future[Noise]] | None = None  # the state before it, and what is being drawn

    @property
    def early(self) -> bool:
        """Whether noise can be drawn before the scores are known: not for the best token, and not on a GPU, whose
        generator draws in another way."""
        return not self.greedy and self._generator.device.type == "cpu"

    def prepare(self, size: int, beside: Executor) -> None:
        """Begin to draw the noise of the next token in another thread, while this one does something else."""
        if self.early and self._coming is None:
            self._coming = self._generator.get_state(), beside.submit(Noise, self._generator, size)

    def draw(self, size: int) -> Noise | None:
        """The noise of the next token, where it can be drawn early."""
        if not self.early:
            return None
        coming, self._coming = self._coming, None
        if coming is None or coming[1].cancel():  # the other thread is late: no use in waiting
            return Noise(self._generator, size)
        return coming[1].result()

    def noise(self, size: int) -> Tensor:
        """The E [1, size] of the next token beside the scores; advances as the draw would."""
        self._settle()
        return torch.empty((1, size), device=self._generator.device).exponential_(1, generator=self._generator).to(
            self._device
        )

    def multinomial(self, probabilities: Tensor) -> int:
        """The token that `torch.multinomial` draws from probabilities [1, vocab] of any number format."""
        if self._generator.device.type != probabilities.device.type:
            return int((probabilities / self.noise(probabilities.shape[-1])).argmax())
        self._settle()
        return int(torch.multinomial(probabilities, num_samples=1, generator=self._generator))

    def skip(self, size: int) -> None:
        """Advance as a draw from `size` tokens would."""
        if self.draw(size) is None and not self.greedy:
            self.noise(size)

    def state(self) -> Tensor | None:
        """The generator's state [bytes] before a draw, which `rewind` takes; None where nothing is drawn."""
        if self._coming is not None:
            return self._coming[0]
        return None if self.greedy else self._generator.get_state()

    def rewind(self, state: Tensor | None) -> None:
        """Back to a state [bytes] that `state` gave."""
        if state is not None:
            self._settle()
            self._generator.set_state(state)

    def uniform(self, position: int) -> float:
        """A second source, in [0, 1): made from the seed and the position alone, so that it needs no rewinding."""
        digest = hashlib.blake2b(f"{self.seed}:{position}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / (1 << 53)

    def _settle(self) -> None:
        """As if nothing had been prepared."""
        if self._coming is not None:
            state, drawn = self._coming
            self._coming = None
            if not drawn.cancel():
                drawn.result()
                self._generator.set_state(state)


def draw(probabilities: Tensor, rngs: Sequence[RowRNG]) -> Tensor:
    """One token [R] a row from probabilities [R, vocab] on any device, each under its row's next noise; of a greedy
    row the likeliest. Asks the device for nothing."""
    size = probabilities.shape[1]
    noise = [None if rng.greedy else rng.noise(size) for rng in rngs]
    even = torch.ones((1, size), device=probabilities.device)
    return (probabilities / torch.cat([even if one is None else one for one in noise])).argmax(dim=-1)


def race(ids: np.ndarray, weights: np.ndarray, noise: Noise, exact: Callable[[], np.ndarray]) -> int:
    """argmax p / E over the candidates' ids [count] and weights [count] on a CPU: the token that `torch.multinomial`
    draws from the probabilities [vocab] that `exact` gives.

    The exponential numbers are worked out where one can win; where two are too close, all of them in float32.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(ids) > _FEW:
            # E is nowhere smaller than `least`, so only these can beat what one good token reaches.
            least = noise.least()
            bounds = weights / (least if len(ids) == len(least) else least[ids])
            good = bounds.argmax()
            chosen = np.flatnonzero(bounds >= (weights[good] / noise.at(ids[good : good + 1])) * (1 - _CLOSE))
            ids, weights = ids[chosen], weights[chosen]
        marks = weights / noise.at(ids)
        if len(ids):
            winner = int(marks.argmax())
            if np.count_nonzero(marks >= marks[winner] * (1 - _CLOSE)) == 1:
                return int(ids[winner])
    return int((torch.from_numpy(exact()) / noise.whole()[0]).argmax())
