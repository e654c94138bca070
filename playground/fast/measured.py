"""What the fast path costs, as it was measured: read from measured.json, which the benchmark writes.

Knows no model library, so that the page can show the figures before anything is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one number format; None where nobody has measured.

    `kl_ratio` is the divergence from the file's values in fp32 by that of plain bf16, `perplexity_ratio` the
    perplexity by that in fp32. Of `texts` texts of `tokens` tokens, `alone` is the share that the same seed writes
    otherwise on the exact path, `in_company` the share that the fast path writes otherwise beside other rows.
    """

    model: str
    kl_ratio: float | None
    perplexity_ratio: float | None
    texts: int | None
    tokens: int | None
    alone: float | None
    in_company: float | None
    day: str | None


def measured(weights: str, file: Path = FILE) -> Measured:
    """What is known of these `--weights`."""
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    loss, changes = found["weights"].get(weights) or {}, found["changes"]
    return Measured(
        model=found["model"],
        kl_ratio=loss.get("kl_ratio"),
        perplexity_ratio=loss.get("perplexity_ratio"),
        texts=changes.get("texts"),
        tokens=changes.get("tokens"),
        alone=changes.get("alone"),
        in_company=changes.get("in_company"),
        day=found.get("measured"),
    )
