"""A pool of scripted models; temporary."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from playground.models.download import DownloadProgress
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving.model_pool import ModelPool, PoolEntry, PoolEvent, PoolState
from playground.types import ModelError, Text
from playground.ui.model_host import ModelHost

GB = 10**9


class ScriptedPool(ModelPool):
    hold: Path | None = None

    def __init__(self, host: Any) -> None:
        self._host = host
        self._state = PoolState()
        self._old: list[PoolEntry] = []
        self._events: list[PoolEvent] = []
        self._choice = ModelChoice("scripted")
        self._cancelled = threading.Event()

    @property
    def current(self) -> Any:
        return self._host._generator

    def entries(self) -> list[PoolEntry]:
        if self.current is None:
            return []
        return [self._entry(self._choice, self.current, True), *self._old]

    def _entry(self, choice, generator, current):
        return PoolEntry(choice, generator.card, generator, current, 220_000_000, 1, self.estimate(choice), 0, 130.0)

    def events(self) -> list[PoolEvent]:
        return self._events

    def estimate(self, choice: ModelChoice) -> MemoryEstimate:
        if "missing" in choice.name:
            raise ModelError(Text(f"There is no model {choice.name!r} on the hub.", f"模型库中没有 {choice.name!r}。"))
        big = 40 if "big" in choice.name else 1
        return MemoryEstimate(big * GB, GB // 2, GB // 10, 100, GB // 20, 0, choice.context or 2048, 988_000_000, 220_000_000, 6 * GB, "hub")

    def switch(self, choice: ModelChoice, *, running: str = "wait") -> None:
        self._cancelled.clear()
        self._state = PoolState("estimating", choice)
        threading.Thread(target=self._run, args=(choice,), daemon=True).start()

    def _run(self, choice):
        self._state = PoolState("downloading", choice, None, None, DownloadProgress(123_000_000, 988_000_000, 8_300_000, 104), 0, None, None, 15.2)
        while self.hold and "download" in self.hold.read_text().split() and not self._cancelled.is_set():
            time.sleep(0.05)
        if self._cancelled.is_set():
            self._state = PoolState()
            return
        if "fails" in choice.name:
            self._state = PoolState("failed", choice, reason=Text("The file is damaged. Download or copy it again.", "文件已损坏。请重新下载或复制。"))
            return
        self._state = PoolState("loading", choice, Text("Converting weights", "正在转换权重"), 0.42)
        time.sleep(0.3)
        import copy
        old = self._entry(self._choice, self.current, False)
        new = copy.copy(self.current)
        base = type(new)
        title = choice.name.rpartition("/")[2]
        new.__class__ = type("Other", (base,), {"card": property(lambda one: replace(base.card.fget(one), id=choice.name, title=title, revision="abcdef123456", generation_defaults={"temperature": 0.7, "top_k": 20, "do_sample": True}))})
        self._old.insert(0, old)
        self._choice = choice
        self._host._generator = new
        self._events.insert(0, PoolEvent(time.time(), "switched", choice.name, Text(f"{title} is loaded.", f"{title} 已加载。")))
        self._state = PoolState()

    def cancel(self) -> None:
        self._cancelled.set()

    def unload(self, name: str) -> None:
        self._old = [one for one in self._old if one.choice.name != name]
        self._events.insert(0, PoolEvent(time.time(), "unloaded", name, Text(f"{name} was unloaded by its owner.", f"{name} 已由所有者卸载。")))

    def state(self) -> PoolState:
        return self._state


def install(hold: Path | None) -> None:
    ScriptedPool.hold = hold
    ModelHost.pool = cached_property(lambda host: ScriptedPool(host))
    ModelHost.pool.__set_name__(ModelHost, "pool")
