"""The figures that take longer than one has patience for, written where the page shows them: `make bench-long`.

What each format of the weights costs in quality, and how often a seed's text changes on the fast path.
`python -m benchmarks.long --texts 40` looks at fewer texts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import quality
from benchmarks.changes import Changes, changes
from benchmarks.machine import ROOT
from playground import models
from playground.models import embedded

TARGET = ROOT / "playground" / "fast" / "measured.json"
TEXTS = 200
TOKENS = 128


def document(found: Mapping[str, quality.Loss], parted: Changes) -> dict[str, Any]:
    """What measured.json holds; ratios of KL and perplexity are to plain bf16 and to fp32."""
    return {
        "model": embedded.TITLE,
        "weights": {
            weights: {
                "kl_ratio": round(one.kl / found["bf16"].kl, 3),
                "perplexity_ratio": round(one.perplexity_ratio, 5),
            }
            for weights, one in found.items()
        },
        "changes": {
            "texts": len(parted.alone),
            "tokens": parted.tokens,
            "alone": round(parted.share(parted.alone), 3),
            "in_company": round(parted.share(parted.company), 3),
        },
        "measured": time.strftime("%Y-%m-%d"),
    }


def write(found: dict[str, Any], target: Path = TARGET) -> None:
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _tell(line: str) -> None:
    print(f"\r{line:<40}", end="", file=sys.stderr, flush=True)


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    given = parser.parse_args()
    measure = quality.reference()
    if measure is None:
        print(f"The figures need the embedded model's file: {embedded.INSTALL}", file=sys.stderr)
        return 2
    loaded = models.load(weights="bf16")
    found = quality.losses(loaded, measure, quality.MAIN)
    print("\n".join([*quality.table(quality.MAIN, found), *quality.alone(loaded, measure)]), flush=True)
    for other in quality.TEXTS[1:]:
        print("\n".join(quality.table(other, quality.losses(loaded, measure, other))), flush=True)
    parted = changes(loaded, given.texts, given.tokens, _tell)
    print("\n" + "\n".join(parted.table()))
    write(document(found, parted))
    print(f"written: {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
