"""Log-probabilities of a whole vocabulary, as an API tells them: of a kept run's tokens, and of a prompt's.

They are the model's own, before any sampler. Knows no page and no protocol.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from playground.generators.vocabulary_reader import VocabularyReader
from playground.inspection.run_queries import find
from playground.inspection_results import PositionLogprobs, TokenData, TokenLogprob, TopTokens
from playground.types import Request

_PIECE = 16  # positions whose scores are sorted together


def of_run(run_id: str, row: int, start: int, stop: int, count: int) -> list[PositionLogprobs]:
    """The tokens from `start` up to `stop` of a kept row, each with the `count` likeliest at its place.

    Raises PlaygroundError where the run is not kept, InvalidRequest where it has no such row.
    """
    kept = find(run_id, row)
    setting = kept.run.setting
    tokens, found = list(kept.tokens), list[PositionLogprobs]()
    for first in range(start, min(stop, len(tokens)), _PIECE):
        last = min(first + _PIECE, stop, len(tokens))
        scores = torch.cat([kept.scores(place)[0] for place in range(first, last)])
        found += _positions(scores, tokens[first:last], count, setting.labels.data)
    return found


def of_prompt(
    generator: VocabularyReader, request: Request, count: int, halted: Callable[[], bool]
) -> list[PositionLogprobs]:
    """The tokens of a request's prompt as the model reads it. Raises Refused where it cannot tell, Stopped once
    `halted`."""
    generator.check_reads()
    ids, data = list(generator.render(request).token_ids), generator.labels.data
    found: list[PositionLogprobs] = []
    for scores, follow in generator.scores(ids, halted):
        found = found or [_first(ids[0], data)]
        found += _positions(scores, follow, count, data)
    return found or [_first(ids[0], data)]


def _first(token_id: int, data: TokenData) -> PositionLogprobs:
    return PositionLogprobs(TokenLogprob(token_id, data[token_id], None))


@torch.inference_mode()
def _positions(scores: Tensor, tokens: Sequence[int], count: int, data: TokenData) -> list[PositionLogprobs]:
    """From scores [positions, vocab] and the tokens that stand there. Of all tokens, equal ones come by their ids."""
    logprobs = torch.log_softmax(scores.float(), dim=-1)
    own = logprobs.gather(-1, torch.tensor(tokens, device=scores.device)[:, None])[:, 0].tolist()
    if whole := count >= logprobs.shape[-1]:
        values, places = logprobs.sort(dim=-1, descending=True, stable=True)
    else:
        values, places = logprobs.topk(count, dim=-1)
    return [
        PositionLogprobs(
            TokenLogprob(token, data[token], None if math.isnan(logprob) else logprob),
            TopTokens(best, numbers, data, whole=whole),
        )
        for token, logprob, best, numbers in zip(tokens, own, places.tolist(), values.tolist(), strict=True)
    ]
