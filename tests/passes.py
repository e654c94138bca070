"""Counts the passes that read prompts, and does something between two of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor

from playground.decoding.kv_sequence import KVSequence


class Reads:
    """`counts` are the tokens of each pass; `after` is called behind each with how many there have been."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: Callable[[int], None] = lambda _: None) -> None:
        self.counts: list[int] = []
        read = KVSequence.read

        def counted(sequence: KVSequence, count: int | None = None) -> Tensor:
            before = sequence.left
            scores = read(sequence, count)
            self.counts.append(before - sequence.left)
            after(len(self.counts))
            return scores

        monkeypatch.setattr(KVSequence, "read", counted)
