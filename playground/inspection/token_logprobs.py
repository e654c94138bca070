"""Log-probabilities of a whole vocabulary, as an API tells them: of a kept run's tokens, and of a prompt's.

They are the model's own, before any sampler. Knows no page and no protocol.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from playground.generators.vocabulary_reader import VocabularyReader
from playground.inspection.run_queries import find
from playground.inspection_results import PositionLogprobs, TokenLogprob
from playground.rendering.detokenize import Labels, token_bytes
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
        found += _positions(scores, tokens[first:last], count, setting.tokenizer, setting.labels)
    return found


def of_prompt(
    generator: VocabularyReader, request: Request, count: int, halted: Callable[[], bool]
) -> list[PositionLogprobs]:
    """The tokens of a request's prompt as the model reads it. Raises Refused where it cannot tell, Stopped once
    `halted`."""
    generator.check_reads()
    ids = list(generator.render(request).token_ids)
    found: list[PositionLogprobs] = []
    for scores, follow in generator.scores(ids, halted):
        if not found:
            first = _named(ids[0], None, generator.tokenizer, generator.labels)
            found.append(PositionLogprobs(first))
        found += _positions(scores, follow, count, generator.tokenizer, generator.labels)
    return found or [PositionLogprobs(_named(ids[0], None, generator.tokenizer, generator.labels))]


@torch.inference_mode()
def _positions(
    scores: Tensor, tokens: Sequence[int], count: int, tokenizer: Any, labels: Labels
) -> list[PositionLogprobs]:
    """From scores [positions, vocab] and the tokens that stand there."""
    logprobs = torch.log_softmax(scores.float(), dim=-1)
    own = logprobs.gather(-1, torch.tensor(tokens, device=scores.device)[:, None])[:, 0].tolist()
    values, places = logprobs.topk(min(count, logprobs.shape[-1]), dim=-1)
    rows = zip(tokens, own, places.tolist(), values.tolist(), strict=True)
    return [
        PositionLogprobs(
            _named(token, logprob, tokenizer, labels),
            tuple(_named(one, value, tokenizer, labels) for one, value in zip(best, numbers, strict=True)),
        )
        for token, logprob, best, numbers in rows
    ]


def _named(token_id: int, logprob: float | None, tokenizer: Any, labels: Labels) -> TokenLogprob:
    usable = None if logprob is None or math.isnan(logprob) else logprob
    return TokenLogprob(token_id, _bytes(tokenizer, labels, token_id), usable)


def _bytes(tokenizer: Any, labels: Labels, token_id: int) -> tuple[int, ...]:
    """Remembered beside the vocabulary's labels, since a whole vocabulary is named at every token."""
    found = labels.data.get(token_id)
    if found is None:
        found = labels.data[token_id] = tuple(token_bytes(tokenizer, labels, token_id))
    return found
