"""What makes a net's layers run compiled: on a CPU by libraries made ahead of time, on a GPU by torch in this process.

Knows no request. Until a shape is compiled, its steps run eager.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol

import torch
from torch import Tensor

from playground.fast.compile_queue import QUEUE
from playground.fast.compiled_layers import CompiledLayers, Variant, library_of
from playground.fast.layer_groups import LayerWrapper, build_of, run_layers
from playground.fast.layer_inputs import GroupSpec, packed
from playground.kernels import build
from playground.machine.cache_folder import cache_root
from playground.one_state import GLOBAL_STATE
from playground.types import Text

Shape = tuple[int, int]
"""Rows of a step, and positions of each slot."""
NO_COMPILER = Text(
    "No C++ compiler was found, so steps are not compiled and take about twice as long. Install one (on Debian: "
    "apt install g++) and start again.",
    "没有找到 C++ 编译器，因此步骤未经编译，耗时约为两倍。请安装一个（Debian 上：apt install g++）后重新启动。",
)
SWITCH = "TORCH_COMPILE_DISABLE"  # torch's own; its compiler in this process heeds it by itself
SWITCHED_OFF = f"{SWITCH}=1 is set."
_NICE = 10  # of a thread that compiles
_SHAPES = 64  # compiled shapes of one function, before torch gives up and stays eager
log = logging.getLogger(__name__)


class Compiler(Protocol):
    def ready(self, shape: Shape) -> bool:
        """Whether a step of this shape can run compiled now."""

    def want(self, *shapes: Shape) -> None:
        """Gets these shapes ready, the first ones first. Called where nobody else uses the net."""

    @property
    def settled(self) -> bool:
        """Whether nothing that was wanted is still being made."""

    @property
    def lacks(self) -> Text | None:
        """What this machine would need for it."""


class AheadOfTime:
    """Libraries of the user's cache folder; what is not there yet is compiled by another process.

    `call` runs one eager step of a shape over slots of its own, each wrapper remembering how it was called.
    """

    def __init__(
        self,
        groups: Sequence[list[LayerWrapper]],
        config: Any,
        call: Callable[[Shape], Tensor],
        quiet_s: Callable[[], float],
    ) -> None:
        self._config = config
        self._call = call
        self._quiet_s = quiet_s
        self._kinds: dict[Any, tuple[list[LayerWrapper], CompiledLayers]] = {}
        for group in groups:
            _, layers = self._kinds.setdefault(build_of(group), (group, CompiledLayers()))
            for wrapper in group:
                wrapper.join(group, layers)
        self.lacks: Text | None = None
        self._missing: dict[Variant, int] = {}
        self._failed = False
        self._guard = threading.Lock()

    def ready(self, shape: Shape) -> bool:
        return self._missing.get(Variant.of(*shape)) == 0

    @property
    def settled(self) -> bool:
        return self._failed or not any(self._missing.values())

    def want(self, *shapes: Shape) -> None:
        for variant in dict.fromkeys(Variant.of(*shape) for shape in shapes):
            if variant not in self._missing and not self._failed:
                self._get(variant)

    def _get(self, variant: Variant) -> None:
        absent = [
            (kind, group, library)
            for kind, (group, layers) in self._kinds.items()
            if not self._load(layers, group, library := library_of(group, self._config, variant), variant)
        ]
        self._missing[variant] = len(absent)
        if not absent:
            return
        if os.environ.get(SWITCH) == "1":
            self._fail(SWITCHED_OFF)
            return
        if build.compiler() is None:
            self.lacks = NO_COMPILER
            self._fail(NO_COMPILER.en)
            return
        hidden, threads = self._call(variant.example), torch.get_num_threads()
        for kind, group, library in absent:
            given = [wrapper.given for wrapper in group if wrapper.given is not None]
            modules = [wrapper.layer for wrapper in group]
            spec = GroupSpec(modules, hidden, given, variant.several, threads, group[0].beside)
            QUEUE.submit(packed(spec), library, self._quiet_s, self._arrival(kind, library, variant))
        for group, _ in self._kinds.values():
            for wrapper in group:
                wrapper.given = None

    def _load(self, layers: CompiledLayers, group: Sequence[LayerWrapper], library: Path, variant: Variant) -> bool:
        found = layers.load(library, variant)
        for wrapper in group if found else ():
            wrapper.beside = layers.beside
        return found

    def _arrival(self, kind: Any, library: Path, variant: Variant) -> Callable[[str | None], None]:
        """What the queue calls. It waits there for minutes, so it must not keep a model that was let go of."""
        own = weakref.ref(self)

        def arrived(failed: str | None) -> None:
            made = own()
            if made is not None:
                made._arrived(kind, library, variant, failed)

        return arrived

    def _arrived(self, kind: Any, library: Path, variant: Variant, failed: str | None) -> None:
        group, layers = self._kinds[kind]
        if failed is None and not self._load(layers, group, library, variant):
            failed = "the library is not there"
        with self._guard:
            self._missing[variant] -= failed is None
        if failed is not None:
            self._fail(failed)

    def _fail(self, reason: str) -> None:
        with self._guard:
            if not self._failed:
                log.warning("Steps stay uncompiled: %s", reason)
            self._failed = True


class InProcess:
    """torch's own compiler, which compiles each shape in a thread of this program.

    `call` runs one step of a shape over slots of its own, eager or compiled, on modules that nobody else uses.
    """

    def __init__(self, groups: Sequence[list[LayerWrapper]], call: Callable[[Shape, bool], None]) -> None:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "torchinductor"))
        self.lacks: Text | None = None
        self._call = call
        self._ready: set[Shape] = set()
        self._wanted: set[Shape] = set()
        self._failed = False
        self._guard = threading.Lock()
        compiled: dict[Any, Any] = {}
        for group in groups:
            for wrapper in group:
                wrapper.join(group, compiled.setdefault(build_of(group), _compiled()))

    def ready(self, shape: Shape) -> bool:
        return shape in self._ready

    @property
    def settled(self) -> bool:
        return self._failed or self._ready == self._wanted

    def want(self, *shapes: Shape) -> None:
        with self._guard:
            new = [shape for shape in shapes if shape not in self._wanted and not self._failed]
            self._wanted.update(new)
        if new:
            threading.Thread(target=self._compile_all, args=(new,), name="compile").start()

    def _compile_all(self, shapes: Sequence[Shape]) -> None:
        """Behind all others: beside a compilation of equal rights a step of four rows took four times as long."""
        if sys.platform == "linux":  # where each thread, and with it the compilers it starts, has a niceness of its own
            os.nice(_NICE)
        for shape in shapes:
            if not self._failed:
                self._compile(shape)

    @torch.inference_mode()
    def _compile(self, shape: Shape) -> None:
        try:
            torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, _SHAPES)
            with GLOBAL_STATE:
                for compiled in (False, True):  # at first as they are: layers tell what they give
                    self._call(shape, compiled)
        except Exception as error:  # noqa: BLE001 - without a compiler on this machine, steps stay eager and right
            if threading.main_thread().is_alive():  # at the end of a program nothing can be compiled any more
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                log.warning("Steps stay uncompiled: %s", reason)
            self._failed = True
            return
        self._ready.add(shape)


def _compiled() -> Any:
    """For groups that are built alike: nothing of their layers is checked before a call."""
    options: dict[str, Any] = {"guard_filter_fn": _first_shapes, "size_asserts": False, "alignment_asserts": False}
    return torch.compile(_own(run_layers), dynamic=False, options=options)


def _own(function: Any) -> Any:
    """A copy with code of its own: torch keeps what it compiled with the code, and no other net may find it there."""
    return FunctionType(function.__code__.replace(), function.__globals__, function.__name__)


def _first_shapes(entries: Any) -> list[bool]:
    """Of what torch would check before each call only shapes can change, and all layers of a group have the same."""
    asked = ("hidden", "given[0]")
    return [entry.guard_type == "TENSOR_MATCH" and entry.name.startswith(asked) for entry in entries]
