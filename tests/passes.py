"""Counts the passes that read prompts, and does something between two of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor

from playground.decoding.lane import Lane


class Reads:
    """`counts` are the tokens of each pass; `after` is called behind each with how many there have been."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: Callable[[int], None] = lambda _: None) -> None:
        self.counts: list[int] = []
        read = Lane.read

        def counted(lane: Lane, count: int | None = None) -> Tensor:
            before = lane.left
            scores = read(lane, count)
            self.counts.append(before - lane.left)
            after(len(self.counts))
            return scores

        monkeypatch.setattr(Lane, "read", counted)
