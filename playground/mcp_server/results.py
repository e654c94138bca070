"""Runs, replays and readings as the plain data that a tool returns.

Knows no call and no model. Token ids and timing stay out: an agent pays for each word of a result.
"""

from __future__ import annotations

import math
from typing import Any

from playground.inspection_results import Divergence, Reading, ReadToken, Replayed
from playground.run import Run
from playground.types import Language

_DIGITS = 6  # of a probability


def of_run(run: Run, language: Language) -> dict[str, Any]:
    """A finished run, as schemas.RUN describes it."""
    whole = run.as_json()
    return {
        "run": run.request.keep,
        "model": whole["model"],
        "path": whole["path"],
        "prompt_tokens": whole["prompt_tokens"],
        "texts": [_text(one, language) for one in whole["candidates"]],
        "remarks": [one[language] for one in whole["remarks"]],
    }


def _text(one: dict[str, Any], language: Language) -> dict[str, Any]:
    kept = {name: one[name] for name in ("text", "seed", "finish_reason")}
    kept |= {name: one[name] for name in ("thought", "answer", "value") if name in one}
    return kept | ({"reason": one["reason"][language]} if one["reason"] else {})


def difference(run: Run, candidate: int, first: Divergence | None) -> dict[str, Any] | None:
    """The first token that would be another."""
    if first is None:
        return None
    before = run.candidates[candidate].steps[: first.index]
    return {
        "position": first.index,
        "text_before": "".join(step.text for step in before),
        "was": first.was.text,
        "would_be": None if first.would_be is None else first.would_be.text,
    }


def same(replayed: Replayed) -> bool:
    """Whether the text would be the same, its end included."""
    return replayed.first is None and replayed.ending is None


def of_reading(found: Reading, alternatives: int) -> dict[str, Any]:
    """A text that was read, as schemas.READING describes it, without what stood before it."""
    return {
        "perplexity": _rounded(found.perplexity),
        "mean_entropy_bits": _rounded(found.mean_entropy),
        "tokens": [_token(one, alternatives) for one in found.tokens[found.prompt_tokens :]],
    }


def _token(one: ReadToken, alternatives: int) -> dict[str, Any]:
    return {
        "text": one.token.text,
        "probability": None if one.logprob is None else _rounded(math.exp(one.logprob)),
        "rank": one.rank,
        "entropy_bits": _rounded(one.entropy),
        "alternatives": [
            {"text": token.text, "probability": _rounded(chance) or 0.0} for token, chance in one.top[:alternatives]
        ],
    }


def _rounded(number: float | None) -> float | None:
    """JSON has no infinity."""
    return None if number is None or not math.isfinite(number) else float(f"{number:.{_DIGITS}g}")
