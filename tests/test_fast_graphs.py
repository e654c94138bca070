"""Recorded steps give what the steps themselves give, over the memory they were recorded on and no other.

A stand-in plays here: it runs the step over inputs of its own, as a CUDA graph does. `tests/test_gpu.py` has the graph.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from playground.fast.attention import attend, folded
from playground.fast.graphs import AFTER, Forward, Graphs
from playground.fast.kv_slots import KVSlots
from playground.fast.net import Net
from tests.test_fast_net import model_of

ROWS = 3


class Played:
    """A recording without a card: fixed inputs, and results that are the caller's to keep."""

    made: list[Played]

    def __init__(self, step: Forward, tokens: Tensor, positions: Tensor, pool: Any) -> None:
        self.tokens, self.positions, self.step, self.pool = tokens.clone(), positions.clone(), step, pool
        self.plays = 0
        self.made.append(self)

    def __call__(self, tokens: Tensor, positions: Tensor) -> Tensor:
        self.tokens.copy_(tokens)
        self.positions.copy_(positions)
        self.plays += 1
        return self.step(self.tokens, self.positions)


@pytest.fixture
def net() -> Net:
    Played.made = []
    made = Net(model_of("llama"), compiles=False)
    made._graphs = Graphs(made._stepped, record=Played, pool=object)
    return made


@torch.inference_mode()
def walked(net: Net, slots: KVSlots, ids: Tensor, start: int) -> list[Tensor]:
    """A step at each of these columns [rows, count], from position `start` on."""
    steps = range(ids.shape[1])
    return [net.step(slots, ids[:, at], torch.full((len(ids),), start + at)) for at in steps]


def test_a_recorded_step_gives_what_the_step_gives(net: Net) -> None:
    plain = Net(model_of("llama"), compiles=False)
    ids = torch.randint(3, 99, (ROWS, AFTER + 5))
    slots, others = KVSlots(net.shape), KVSlots(plain.shape)
    slots.fit(ROWS, 128)
    others.fit(ROWS, 128)
    ours, theirs = walked(net, slots, ids, 0), walked(plain, others, ids, 0)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    assert [one.plays for one in Played.made] == [5]


def test_other_memory_has_recordings_of_its_own(net: Net) -> None:
    graphs, slots = net._graphs, KVSlots(net.shape)
    assert graphs is not None
    slots.fit(ROWS, 128)
    ids = torch.randint(3, 99, (ROWS, AFTER + 1))
    walked(net, slots, ids, 0)
    walked(net, slots, ids[:2], AFTER + 1)
    assert graphs.recorded == 2, "one for each number of rows"
    slots.fit(ROWS, 256)
    walked(net, slots, ids[:, :1], AFTER + 1)
    assert graphs.recorded == 0, "nothing plays over memory that is gone"
    walked(net, slots, ids, AFTER + 2)
    assert graphs.recorded == 1
    assert len({one.pool for one in Played.made}) == 2, "recordings that are gone leave their pool alone"


def test_memory_that_changes_at_every_step_is_never_recorded(net: Net) -> None:
    slots = KVSlots(net.shape)
    for count in range(1, 2 * AFTER):
        slots.fit(count, 128)
        walked(net, slots, torch.randint(3, 99, (count, 1)), 0)
    assert Played.made == []


def test_no_graphs_are_made_on_a_cpu() -> None:
    assert Net(model_of("llama"), compiles=False)._graphs is None


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_heads_that_share_keys_may_stand_as_tokens_of_one_head(groups: int) -> None:
    torch.manual_seed(groups)
    query, mask = torch.randn(3, 6, 1, 8), torch.zeros(3, 1, 1, 20)
    key, value = torch.randn(2, 3, groups, 20, 8)
    for row, length in enumerate((1, 7, 20)):
        mask[row, ..., length:] = -torch.inf
    want, _ = attend(torch.nn.Identity(), query, key, value, mask)
    got = folded(query, key, value, mask, 8**-0.5).transpose(1, 2)
    assert torch.allclose(got, want, atol=1e-6)
