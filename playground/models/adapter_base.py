"""On which weights an adapter was trained: a few of them kept beside it, and compared with those of another model.

Names of models say little: one model goes by several names, and two that share all sizes may hold other weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from playground.models import adapter_failures
from playground.models.adapters import BASE, Adapter, short_base
from playground.types import Text

_MATRICES = 8  # of which some weights are kept
_KEPT = 64  # weights of each
_MOST = 1_000_000  # bytes of the file
# Rounding to 4 bits leaves a cosine above 0.99 and fine-tuning one above 0.9; of two models that were trained from
# different random weights it is about 0.
_ALIKE = 0.9
_SAME = 1e-3  # of a weight's size, as bf16 rounds it: 2 ** -9


def write(folder: Path, net: Any, id: str, revision: str = "") -> None:
    """Keeps beside an adapter in `folder` what its base is called, and some of the base's weights. Raises OSError.

    `net` is the base as transformers loaded it; matrices that peft put beside its weights are no part of it."""
    matrices = {
        name.replace(".base_layer.", "."): one
        for name, one in net.named_parameters()
        if one.dim() == 2 and one.device.type != "meta" and ".lora_" not in name
    }
    names = sorted(matrices)[:: -(-len(matrices) // _MATRICES) or 1]
    kept = {name: _first(matrices[name]) for name in names}
    record = {"id": short_base(id), "revision": revision, "weights": kept}
    (folder / BASE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def check(adapter: Adapter, net: Any, title: str, names: Sequence[str]) -> Text | None:
    """A notice where the adapter was trained on other weights of the same kind. Raises ModelError where it was trained
    on another model. `names` are those of the loaded one; what keeps no weights of its base is compared by name."""
    record = _record(adapter.folder / BASE)
    trained = short_base(record.get("id")) or adapter.base
    found = _compared(record.get("weights"), dict(net.named_parameters()))
    if found is None:
        known = not trained or _last(trained) in {_last(name) for name in names}
        return None if known else adapter_failures.other_revision(adapter.name, trained, title)
    cosine, furthest = found
    if cosine < _ALIKE:
        raise adapter_failures.another_base(adapter.name, title, trained, adapter_failures.OTHER_WEIGHTS)
    return None if furthest <= _SAME else adapter_failures.other_revision(adapter.name, trained, title)


def _compared(kept: object, own: Mapping[str, Any]) -> tuple[float, float] | None:
    """The cosine between the kept weights and these, and how far they are from each other by their size; None where
    nothing can be compared."""
    theirs: list[float] = []
    ours: list[float] = []
    for name, values in kept.items() if isinstance(kept, Mapping) else ():
        if name not in own or not isinstance(values, list) or not 0 < len(values) <= _KEPT:
            continue
        first = _first(own[name])[: len(values)]
        if len(first) == len(values) and all(type(one) is float and math.isfinite(one) for one in values):
            theirs += values
            ours += first
    length = math.hypot(*theirs) * math.hypot(*ours)
    if not length:
        return None
    cosine = sum(one * other for one, other in zip(theirs, ours, strict=True)) / length
    apart = math.dist(theirs, ours) / math.hypot(*ours)
    return cosine, apart


def _first(weight: torch.Tensor) -> list[float]:
    """Some weights of a matrix, as bf16 holds them."""
    rows = weight.detach().flatten()[:_KEPT].to("cpu", torch.bfloat16)
    return [float(one) for one in rows]


def _record(file: Path) -> Mapping[str, Any]:
    """What was kept; nothing where nothing was, or what is no such file."""
    try:
        if file.stat().st_size > _MOST:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2].lower()
