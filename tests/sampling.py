"""For tests of samplers: run one on plain numbers, and a tokenizer of a few words. Imported, not collected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from playground.sampling.candidates import Candidates
from playground.sampling.pipeline import SamplerPipeline
from playground.sampling.sampler import Sampler

INF = math.inf
MARGIN = 1e-4  # float32 against float64: settings in which a threshold is met more closely than this prove nothing

logits = st.lists(
    st.one_of(st.floats(-12, 12, width=32), st.sampled_from([-INF, 0.0, 1.0])), min_size=1, max_size=24
).filter(lambda z: any(math.isfinite(x) for x in z))


def run(sampler: Sampler, z: Sequence[float], ids: Sequence[int] = (), *, uniform: float = 0.0) -> list[float]:
    """What a sampler leaves of plain scores."""
    scores = torch.tensor([z], dtype=torch.float32)
    before = scores.clone()
    history = [torch.tensor(list(ids), dtype=torch.long)]
    one = Candidates(scores, history, uniform=lambda _: uniform, strict=True)
    after = SamplerPipeline([("one", sampler)]).apply(one)
    assert torch.equal(scores, before), "a sampler must not change what it is given"
    assert after.shape == scores.shape and after.dtype == torch.float32
    return [float(x) for x in after[0]]


def softmax(z: Sequence[float]) -> list[float]:
    top = max(z)
    weights = [math.exp(x - top) if x > -INF else 0.0 for x in z]
    return [w / sum(weights) for w in weights]


def alive(z: Sequence[float]) -> set[int]:
    return {i for i, x in enumerate(z) if x > -INF}


def same(got: Sequence[float], want: Sequence[float]) -> None:
    assert got == pytest.approx(list(want), rel=1e-3, abs=1e-3)


def likely_rows(count: int, seed: int, *, coarse: bool = False) -> Tensor:
    """Scores [count, 49152] as peaked as a language model's; `coarse` as a bf16 model gives them, with many ties."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn((count, 49152), generator=generator) * 2
    for row in scores:
        some = torch.randint(0, 49152, (60,), generator=generator)
        row[some] += torch.rand(60, generator=generator) * 14
    return scores.bfloat16().float() if coarse else scores


class Words:
    """A tokenizer of a few whole tokens; what it does not know it takes letter by letter as id 0."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __call__(self, text: str, add_special_tokens: bool) -> Any:
        assert not add_special_tokens
        ids: list[int] = []
        while text:
            fitting = [t for t in self.texts if t and text.startswith(t)]
            best = max(fitting, key=len, default="")
            ids.append(self.texts.index(best) if best else 0)
            text = text[len(best) or 1 :]
        return type("Encoding", (), {"input_ids": ids})

    def convert_tokens_to_ids(self, name: str) -> int | None:
        return self.texts.index(name) if name in self.texts else None

    def convert_ids_to_tokens(self, token: int) -> str:
        return self.texts[token]

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return "".join(self.texts[one] for one in ids)

    def batch_decode(self, lists: list[list[int]]) -> list[str]:
        return ["".join(self.texts[i] for i in ids) for ids in lists]


PLAIN = Words("<unk>", "\n", "<end>", "a")
