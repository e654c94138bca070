"""What a Step holds beside its token: the candidates it was chosen from, and what each stage of the chain did.

Knows no parameter and no model.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenChance:
    """One token among the candidates; `p_model` before the chain, `p_chain` after it."""

    token_id: int
    text: str
    p_model: float
    p_chain: float


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of the chain at one step: candidates alive, and entropy in nats, before and after it."""

    stage: str
    alive_before: int
    alive_after: int
    entropy_before: float
    entropy_after: float
    note: str = ""
