"""Groups of layers that were compiled ahead of time, one shared library each, kept in the user's cache folder.

Loading one takes a millisecond and no compiler. A library is good for one kind of group, one machine and one set of
versions, all of which its name depends on. Knows no request; compile_worker.py makes the libraries.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from playground.fast.kv_slots import LONG, SHORTEST
from playground.fast.layer_groups import Given, LayerWrapper, build_of
from playground.fast.layer_inputs import slot_length, step_tensors, weights_of
from playground.machine.cache_folder import cache_root

_SOURCES = sorted(
    path for room in ("fast", "kernels") for path in (Path(__file__).parent.parent / room).iterdir() if path.is_file()
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Variant:
    """What a library is good for: one row, or `several`; slots shorter than LONG, or `long` ones."""

    several: bool
    long: bool

    @classmethod
    def of(cls, rows: int, length: int) -> Variant:
        return cls(rows > 1, length >= LONG)

    @property
    def name(self) -> str:
        return ("several" if self.several else "one") + ("-long" if self.long else "")

    @property
    def example(self) -> tuple[int, int]:
        """Rows and positions of a step of this kind."""
        return 2 if self.several else 1, LONG if self.long else SHORTEST


def folder() -> Path:
    return cache_root() / "compiled"


def library_of(group: Sequence[LayerWrapper], config: Any, variant: Variant) -> Path:
    """Where the library of such a group is, or will be; `config` is the model's own."""
    settings = {name: value for name, value in config.to_dict().items() if name not in ("_name_or_path", "dtype")}
    given = [_versions(), machine(), torch.get_num_threads(), repr(build_of(group)), json.dumps(settings, default=repr)]
    key = hashlib.sha256("\n".join(map(str, given)).encode()).hexdigest()[:24]
    return folder() / f"{key}-{variant.name}.so"


@functools.cache
def _versions() -> str:
    sources = hashlib.sha256(b"\n".join(path.read_bytes() for path in _SOURCES)).hexdigest()
    return f"torch {torch.__version__} transformers {transformers.__version__} {sources}"


@functools.cache
def machine() -> str:
    """What machine code is made for: the system, and the processor with all that it can do."""
    flags = ""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:  # not Linux
        pass
    return " ".join([platform.system(), platform.machine(), platform.processor(), flags])


def about(library: Path) -> Path:
    """The file beside a library that says what it is; it is written last, so its library is whole."""
    return library.with_suffix(".about")


def operators(library: Path) -> Path:
    """The file in which torch looks for the library's calls of operators that are not its own; there may be none."""
    return library.with_suffix(".json")


def checksum(library: Path) -> str:
    found = hashlib.sha256(library.read_bytes())
    if operators(library).exists():
        found.update(operators(library).read_bytes())
    return found.hexdigest()


class CompiledLayers:
    """A callable in the place of `layer_groups.run_layers`, for all groups that are built alike."""

    def __init__(self) -> None:
        self._runners: dict[Variant, Any] = {}
        self._order: dict[Variant, list[int]] = {}
        self._weights: dict[int, list[Tensor]] = {}
        self.beside = 0

    def load(self, library: Path, variant: Variant) -> bool:
        """Whether there is such a library. A damaged one is taken away."""
        try:
            said = json.loads(about(library).read_text(encoding="utf-8"))
            if checksum(library) != said["sha256"]:
                raise ValueError("the file was changed")
            os.utime(about(library))  # the oldest are removed one day
            self._runners[variant] = torch._C._aoti.AOTIModelContainerRunnerCpu(str(library), 1)
            self._order[variant], self.beside = said["inputs"], said["beside"]
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            log.warning("Compiled layers cannot be loaded and will be made again: %s", str(error).splitlines()[0])
            about(library).unlink(missing_ok=True)
            return False
        return True

    def __call__(self, layers: Sequence[nn.Module], hidden: Tensor, given: Sequence[Given]) -> Tensor:
        weights = self._weights.get(id(layers[0]))
        if weights is None:
            weights = self._weights[id(layers[0])] = weights_of(layers)
        variant = Variant.of(len(hidden), slot_length(given))
        tensors = step_tensors(hidden, given)
        found: Tensor = self._runners[variant].run([*(tensors[place] for place in self._order[variant]), *weights])[0]
        return found
