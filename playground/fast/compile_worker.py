"""Compiles groups of layers in a process of its own, at the lowest priority: `-m playground.fast.compile_worker`.

Reads specs from its standard input, each with the path of its library, and answers each with a line of JSON. It ends
with its input, or with the program that started it. Knows no model: a spec has shapes and no weights.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

import playground.fast.net  # noqa: F401 - registers the attention that layers ask for
from playground.fast.compile_queue import IDLE, LENGTH
from playground.fast.compiled_layers import about, checksum, operators
from playground.fast.kv_slots import LONG
from playground.fast.layer_groups import LayerCache, run_layers
from playground.fast.layer_inputs import (
    GroupSpec,
    first_places,
    named_weights,
    refilled,
    slot_length,
    step_tensors,
    unpacked,
    weights_of,
)
from playground.kernels import build, int4, int8_groups

_PARENT_ENDED = 1  # PR_SET_PDEATHSIG, see prctl(2)
_MAKING = ".making-"
_LEFT_S = 3600.0  # seconds after which what is being made is nobody's any more
_MOST_BYTES = 500_000_000  # of all libraries together; those that were used longest ago go


class _Group(nn.Module):
    """The group as a function of tensors alone: those of a step, each once, and the weights."""

    def __init__(self, spec: GroupSpec, places: list[int]) -> None:
        super().__init__()
        self._layers = tuple(spec.layers)  # a tuple, so that their weights are inputs and no constants
        self._names = [(number, name) for number, name, _ in named_weights(spec.layers)]
        tensors = step_tensors(spec.hidden, spec.given)
        same = {id(tensors[place]): order for order, place in enumerate(places)}
        self._order = [same[id(one)] for one in tensors]
        self._given = spec.given

    def forward(self, step: list[Tensor], weights: list[Tensor]) -> Tensor:
        hidden, *others = (step[order] for order in self._order)
        given = refilled(self._given, iter(others))
        bound = [_Bound(layer, self._own(number, weights)) for number, layer in enumerate(self._layers)]
        found: Tensor = run_layers(bound, hidden, given)  # type: ignore[arg-type]
        return found

    def _own(self, number: int, weights: list[Tensor]) -> dict[str, Tensor]:
        return {name: one for (layer, name), one in zip(self._names, weights, strict=True) if layer == number}


class _Bound:
    """A layer that is called with these weights in place of its own."""

    def __init__(self, layer: nn.Module, weights: dict[str, Tensor]) -> None:
        self._layer = layer
        self._weights = weights

    def __call__(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        return torch.func.functional_call(self._layer, self._weights, (hidden, *args), kwargs)


def compile_group(spec: GroupSpec, library: Path) -> None:
    """Writes the library, and beside it what it takes; both are whole or not there."""
    torch.set_num_threads(spec.threads)
    if build.available():  # the operators of packed weights
        int4.describe()
        int8_groups.describe()
    tensors, weights = step_tensors(spec.hidden, spec.given), weights_of(spec.layers)
    places = first_places(tensors)
    given = [tensors[place] for place in places], weights
    dynamic = _dynamic(given[0], spec), [None] * len(weights)
    with torch.no_grad(), tempfile.TemporaryDirectory(dir=library.parent, prefix=_MAKING) as making:
        program = torch.export.export(_Group(spec, places), given, dynamic_shapes=dynamic, strict=False)
        made = Path(making, "layers.so")
        torch._inductor.aot_compile(program.module(), given, options={"aot_inductor.output_path": str(made)})
        for found in Path(making).glob("*.wrapper.json"):  # torch looks for it by the library's name
            found.replace(operators(made))
        said = {"sha256": checksum(made), "inputs": places, "beside": spec.beside}
        about(made).write_text(json.dumps(said), encoding="utf-8")
        for file in (Path, operators, about):
            if file(made).exists():
                file(made).replace(file(library))


def _dynamic(step: Sequence[Tensor], spec: GroupSpec) -> list[dict[int, Any] | None]:
    """Which sizes may differ from call to call: the length of the slots, and with several rows their number."""
    many = slot_length(spec.given) >= LONG
    length = torch.export.Dim("length", min=LONG if many else 2, max=1 << 24 if many else LONG - 1)
    rows = torch.export.Dim("rows", min=2, max=1 << 16) if spec.several else None
    memory = {id(one) for args, kwargs in spec.given for one in _slots((*args, *kwargs.values()))}
    found: list[dict[int, Any] | None] = []
    for one in step:
        sizes: dict[int, Any] = {}
        if rows is not None and one.shape[0] == len(spec.hidden):
            sizes[0] = rows
        if one.dim() == 4:  # keys and values [rows, heads, length, width], or a mask [rows, 1, tokens, length]
            sizes[2 if id(one) in memory else 3] = length
        found.append(sizes or None)
    return found


def _slots(given: Sequence[Any]) -> list[Tensor]:
    return [one for place in given if isinstance(place, LayerCache) for one in (place.keys, place.values)]


def prune(folder: Path, most: int = _MOST_BYTES) -> None:
    """Removes what a killed process left, and where all libraries together are too large those used longest ago."""
    for left in folder.glob(f"{_MAKING}*"):
        with suppress(OSError):  # the process that made it has just removed it
            if time.time() - left.stat().st_mtime > _LEFT_S:
                shutil.rmtree(left)
    kept = sorted(folder.glob("*.about"), key=lambda one: one.stat().st_mtime, reverse=True)
    size = 0
    for said in kept:
        library = said.with_suffix(".so")
        size += library.stat().st_size if library.exists() else 0
        if size > most:
            for file in (about, operators, Path):
                file(library).unlink(missing_ok=True)


def _end_with_parent() -> None:
    """This process may be stopped when the program that started it is killed, and would stay so for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_ENDED, signal.SIGKILL)


def _lowest_priority() -> None:
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if hasattr(os, "nice"):
        os.nice(19)


def main(source: BinaryIO, answers: BinaryIO) -> int:
    """One spec after the other until the input ends."""
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        size, path_size = LENGTH.unpack(head)
        library = Path(source.read(path_size).decode())
        try:
            spec = unpacked(source.read(size))
            library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            compile_group(spec, library)
            prune(library.parent)
            failed = None
        except Exception as error:  # noqa: BLE001 - sent to the program, which goes on uncompiled and says so
            failed = f"{type(error).__name__}: {error}".splitlines()[0][:400]
        answers.write(json.dumps({"error": failed}).encode() + b"\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    _end_with_parent()
    if IDLE in sys.argv:
        _lowest_priority()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as own:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
        sys.exit(main(sys.stdin.buffer, own))
