"""The luck of one row, and the pick under it.

`torch.multinomial` with one draw is the exponential race: token = argmax p_i / E_i, and it advances the generator by
the same amount whatever p is. So the luck of a position can be kept and used again on other probabilities.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor, Future

import torch
from torch import Tensor

from playground.decoding.noise import Noise


class Luck:
    """One row's noise, for scores on `device`. Seeded alike, it draws what `torch.manual_seed(seed)` and `generate()`
    would draw there; `portable`, what they would draw on a CPU, since every kind of device deals its own numbers."""

    def __init__(self, seed: int, device: torch.device, *, greedy: bool, portable: bool = False) -> None:
        self.seed = seed
        self.greedy = greedy
        self._device = device
        self._noise = torch.Generator(device="cpu" if portable else device)
        self._noise.manual_seed(seed)
        self._coming: tuple[Tensor, Future[Noise]] | None = None  # where the noise stood, and what is being drawn

    def pick(self, scores: Tensor, noise: Noise | None = None) -> tuple[int, Tensor]:
        """The token drawn from scores [1, vocab], and the probabilities it was drawn from; `noise` is what `draw` gave
        for this pick, if it was called."""
        if self.greedy:
            best = scores.argmax(dim=-1, keepdim=True)
            return int(best), torch.zeros_like(scores).scatter_(-1, best, 1.0)
        probabilities = torch.softmax(scores, dim=-1)
        if noise is not None:
            return int((probabilities / noise.whole().to(scores.device)).argmax()), probabilities
        if self._noise.device.type != scores.device.type:
            return int((probabilities / self.noise(scores.shape[-1])).argmax()), probabilities
        self._settled()
        return int(torch.multinomial(probabilities, num_samples=1, generator=self._noise)), probabilities

    @property
    def early(self) -> bool:
        """Whether noise can be drawn before the scores are known: not for the best token, and not on a GPU, whose
        generator deals its numbers in another way."""
        return not self.greedy and self._noise.device.type == "cpu"

    def prepare(self, size: int, beside: Executor) -> None:
        """Begin to draw the noise of the next pick in another thread, while this one does something else."""
        if self.early and self._coming is None:
            self._coming = self._noise.get_state(), beside.submit(Noise, self._noise, size)

    def draw(self, size: int) -> Noise | None:
        """The noise of the next pick, where it can be drawn early."""
        if not self.early:
            return None
        coming, self._coming = self._coming, None
        if coming is None or coming[1].cancel():  # the other thread is late: no use in waiting
            return Noise(self._noise, size)
        return coming[1].result()

    def noise(self, size: int) -> Tensor:
        """The E [1, size] of the next pick, which is argmax p / E, beside the scores; advances as the pick would."""
        self._settled()
        return torch.empty((1, size), device=self._noise.device).exponential_(1, generator=self._noise).to(self._device)

    def skip(self, size: int) -> None:
        """Advance as a pick from `size` tokens would."""
        if self.draw(size) is None and not self.greedy:
            self.noise(size)

    def state(self) -> Tensor | None:
        """Where the noise stands before a pick; `rewind` returns there."""
        if self._coming is not None:
            return self._coming[0]
        return None if self.greedy else self._noise.get_state()

    def rewind(self, state: Tensor | None) -> None:
        if state is not None:
            self._settled()
            self._noise.set_state(state)

    def coin(self, position: int) -> float:
        """The second source, in [0, 1): one number a position, whether it is used or not.

        Drawn from the seed and the position alone, so it disturbs nothing and needs no rewinding.
        """
        digest = hashlib.blake2b(f"{self.seed}:{position}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / (1 << 53)

    def _settled(self) -> None:
        """As if nothing had been prepared."""
        if self._coming is not None:
            state, drawn = self._coming
            self._coming = None
            if not drawn.cancel():
                drawn.result()
                self._noise.set_state(state)
