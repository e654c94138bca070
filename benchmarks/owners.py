"""Who holds a server's memory: `python -m benchmarks.owners`.

Loads what a server loads, one part after the other, in this process; nothing is imported before its turn.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil

_MB = 1e6


class Owners:
    """Lines of a table: what each part adds to this process, and the sum."""

    def __init__(self) -> None:
        self.lines = [f"{'MB':<60}{'adds':>8}{'in all':>8}"]
        self._before = 0.0

    def part(self, name: str, work: Callable[[], Any]) -> Any:
        made = work()
        gc.collect()
        allocator = __import__("playground.machine.allocator", fromlist=["trim"])
        allocator.trim()
        now = psutil.Process().memory_info().rss / _MB
        self.lines.append(f"{name:<60}{now - self._before:8.0f}{now:8.0f}")
        self._before = now
        return made


def table() -> list[str]:
    owners = Owners()
    owners.part("Python", lambda: None)
    owners.part("Gradio, FastAPI, pandas and the page", lambda: __import__("playground.ui.serve"))
    owners.part("torch", lambda: __import__("torch"))
    owners.part("transformers and the engine", lambda: __import__("playground.generators.local"))
    from playground import generate, models
    from playground.generators.local import LocalGenerator
    from playground.inspection import inspect_api
    from playground.machine import mapped_weights

    loaded = owners.part("the model, its weights mapped and not read", models.load)
    generator = owners.part("its generator", lambda: LocalGenerator(loaded))
    request = generate.checked(generate.build("One two", {"max_new_tokens": 256, "ignore_eos": True}, path="fast"))
    owners.part("weights in 4 bits, and all pages of the bf16 ones", lambda: generator._engine.running)
    owners.part("an answer of 256 tokens: kernels, layers, keys and values", lambda: list(generator.stream(request)))
    owners.part("the pages of the bf16 weights, given back", mapped_weights.release)
    kept = replace(request, keep=inspect_api.new_run_id())

    def keep() -> None:
        list(generator.stream(kept))
        mapped_weights.release()

    owners.part("the logits of an answer of 256 tokens, kept for a look inside", keep)
    return owners.lines


if __name__ == "__main__":
    print("\n".join(table()))
