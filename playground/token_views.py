"""What a Step holds beside its token: the candidates it was chosen from, and what each stage of the pipeline did.

Knows no parameter and no model.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenChance:
    """One token among the candidates; `p_model` before the samplers, `p_after` after them (None where not known)."""

    token_id: int
    text: str
    p_model: float
    p_after: float | None


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of the pipeline at one step: candidates alive, and entropy in nats, before and after it."""

    stage: str
    alive_before: int
    alive_after: int
    entropy_before: float
    entropy_after: float
    note: str = ""
