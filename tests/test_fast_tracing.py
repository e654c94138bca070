"""Who runs a model while another thread compiles is not mistaken for a part of what is compiled."""

from __future__ import annotations

import threading

import torch
from torch import nn

from playground.fast import tracing


class Slow(nn.Module):
    """Waits in the middle of being traced."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()
        self.inner = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.begun.set()
        self.go.wait(30)
        found: torch.Tensor = self.inner(x)
        return found


def test_a_module_runs_while_another_thread_traces_and_the_trace_is_whole() -> None:
    tracing.confine()
    tracing.confine()
    slow, other, found = Slow(), nn.Sequential(nn.Linear(3, 3), nn.ReLU()), []
    thread = threading.Thread(target=lambda: found.append(torch.fx.symbolic_trace(slow)))
    thread.start()
    assert slow.begun.wait(30)
    try:
        assert other(torch.ones(1, 3)).shape == (1, 3)
    finally:
        slow.go.set()
        thread.join(30)
    assert [node.op for node in found[0].graph.nodes] == ["placeholder", "call_module", "output"]
