"""What a generator holds in memory, and what stands in its place once it was let go of. Knows no request."""

from __future__ import annotations

from typing import Any, NoReturn

from torch import nn

from playground.types import ModelError, Text


def size(*modules: nn.Module) -> int:
    """Bytes of all weights and buffers of these modules, each once: those that modules share, and an output matrix that
    is the embedding too. Weights on a disk or on the meta device count as nothing."""
    found: dict[tuple[str, int], int] = {}
    for module in modules:
        for one in (*module.parameters(), *module.buffers()):
            if one.device.type != "meta":
                key = str(one.device), one.data_ptr()
                found[key] = max(found.get(key, 0), one.numel() * one.element_size())
    return sum(found.values())


class Closed:
    """In the place of a model, after its generator was closed: whatever is asked of it is refused."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __getattr__(self, name: str) -> NoReturn:
        raise ModelError(
            Text(f"{self._title} is not loaded any more.", f"{self._title} 已被卸载。"),
            Text("Switch to it again on the tab Model.", "请在“模型”标签页重新切换到它。"),
        )

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        self.__getattr__("call")
