"""Whether a model keeps packed texts apart: two of them are read in one row, and each alone.

Most of transformers' models tell packed texts apart by their positions; some do not, and would learn one text as the
beginning of the next. Knows no trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from playground.models import Loaded
from playground.training.example import Encoded
from playground.training.row_batches import Collator
from playground.types import InvalidRequest, Text

_TRIED = 24  # tokens of each text
_APART = 0.02  # distance of scores, in parts of how far they are from each other: what rounding in bf16 may do


def check_packing(loaded: Loaded, rows: Sequence[Encoded]) -> None:
    """Raises InvalidRequest where the model mixes packed texts up."""
    if len(rows) < 2:
        return
    first, second = (_short(one) for one in rows[:2])
    if _distance(loaded.model, first, second) > _APART:
        raise InvalidRequest(
            Text(
                f"packing: {loaded.card.title} would read packed texts as one text.",
                f"packing：{loaded.card.title} 会把打包的文本当作一篇来读。",
            ),
            Text("Turn packing off.", "请关闭打包。"),
            parameter="packing",
        )


def _short(one: Encoded) -> Encoded:
    return Encoded(one.ids[:_TRIED], one.learned[:_TRIED], 0, one.row)


@torch.no_grad()
def _distance(model: Any, first: Encoded, second: Encoded) -> float:
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        packed = {name: one.to(device) for name, one in Collator(0, packed=True)([(first, second)]).items()}
        together = model(input_ids=packed["input_ids"], position_ids=packed["position_ids"], use_cache=False).logits
        alone = model(input_ids=torch.tensor([second.ids], device=device), use_cache=False).logits
    except TypeError:  # it knows no positions
        return float("inf")
    finally:
        model.train(training)
    found, wanted = together[0, len(first.ids) :].float(), alone[0].float()
    return float((found - wanted).abs().mean() / wanted.std().clamp(min=1e-6))
