"""What each stage of the pipeline did to the candidates, as StageViews. Knows no stage by name."""

from __future__ import annotations

import torch
from torch import Tensor

from playground.token_views import StageView


class Trace:
    """Collects one step, as the `on_stage` of `SamplerPipeline.apply`; `views()` hands it over and starts anew."""

    def __init__(self) -> None:
        self._views: list[StageView] = []
        self._last: tuple[Tensor, int, float] | None = None

    def __call__(self, stage: str, before: Tensor, after: Tensor) -> None:
        # A stage begins where the one before it ended, so each distribution is measured once.
        if self._last is None or self._last[0] is not before:
            self._last = (before, *_measure(before))
        _, alive_before, entropy_before = self._last
        self._last = (after, *_measure(after))
        _, alive_after, entropy_after = self._last
        self._views.append(StageView(stage, alive_before, alive_after, entropy_before, entropy_after))

    def views(self) -> tuple[StageView, ...]:
        """One a stage, in their order; the trace is empty afterwards."""
        views, self._views, self._last = tuple(self._views), [], None
        return views


def _measure(scores: Tensor) -> tuple[int, float]:
    """How many candidates are alive, and the entropy of their distribution in nats: ln Σ w − Σ w d / Σ w, with the
    distance d from the best and w = e^d. Only those alive are looked at: behind a cut-off they are few."""
    row = scores[0]
    far = row[torch.isfinite(row)]
    if not len(far):
        return 0, 0.0
    far = far - far.max()
    weights = far.exp()
    total = weights.sum()
    return len(far), float(total.log() - torch.dot(weights, far) / total)
