"""vLLM with a vocabulary that is known here: token ids over /v1/completions, with the figures of all tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from playground import parameters
from playground.generators.remote import failures
from playground.generators.remote.adapter import EngineFacts, Piece, RowRequest, TokenFigures, TopToken
from playground.generators.remote.http_client import EngineClient
from playground.generators.remote.local_vocabulary import LocalVocabulary
from playground.parameters import engines
from playground.parameters.grammar import FORMS
from playground.types import FinishReason, Rendered, Request

KIND = "vLLM"
ALL = -1
"""As many candidates of a token as there are."""
_NAMED = "token_id:"
_NOTHING = -9999.0  # what it writes for a probability of 0
_ENDS: Mapping[str, FinishReason] = {"length": "length"}


class VLLM:
    """One vLLM server. `scores_all`: it was started with --max-logprobs -1 and tells figures before the samplers.
    `top` is how many candidates a token may come with."""

    def __init__(
        self, client: EngineClient, facts: EngineFacts, vocabulary: LocalVocabulary, *, scores_all: bool, top: int
    ) -> None:
        self.facts = facts
        self.scores_all = scores_all
        self.parameters = engines.honoured(KIND)
        self.lacks = engines.refusals(KIND)
        self._host = client.host
        self._vocabulary = vocabulary
        self._top = top

    @property
    def tokenizer(self) -> Any:
        return self._vocabulary.tokenizer

    def render(self, request: Request) -> Rendered:
        return self._vocabulary.render(request)

    def check(self, request: Request) -> None:
        engines.body(KIND, request.values)

    def call(self, row: RowRequest) -> tuple[str, dict[str, Any]]:
        """The path and the body that ask for this text."""
        values = row.request.values
        body = {
            **engines.body(KIND, values),
            "max_tokens": row.most,
            "min_tokens": min(values["min_new_tokens"], row.most),
            "seed": row.seed,
            "stop": [],  # stop strings act here: they must not end a thought
            "stop_token_ids": [] if values["ignore_eos"] else self._vocabulary.ends(row.request),
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._asked(row.rendered.token_ids, ALL if _wants_all(row) else min(row.top, self._top)),
        }
        return "/v1/completions", body

    def reader(self, row: RowRequest) -> VLLMReader:
        return VLLMReader(self._host, self._vocabulary, _wants_all(row), self._vocabulary.ends(row.request))

    def score_call(self, ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
        """Asks for the scores of the one token that follows these ids."""
        neutral = {one.name: one.neutral for one in parameters.REGISTRY}
        body = {**engines.body(KIND, neutral), "max_tokens": 1, "stream": False, **self._asked(ids, ALL)}
        return "/v1/completions", body

    def scores(self, answer: dict[str, Any]) -> Tensor:
        """The log-probabilities [1, vocab] in the answer to `score_call`. Raises EngineError where some are missing."""
        try:
            figures = answer["choices"][0]["logprobs"]["top_logprobs"][0]
        except (KeyError, TypeError, IndexError):
            raise failures.unreadable(self._host) from None
        return whole_scores(figures, len(self._vocabulary), self._host)[None]

    def ids(self, text: str, *, begins: bool, acts: bool, parameter: str) -> list[int]:
        """The ids of a text that is only read."""
        return self._vocabulary.alone(text, begins=begins, acts=acts, parameter=parameter)

    def few_calls(self, ids: Sequence[int], count: int) -> list[tuple[str, dict[str, Any]]]:
        """One for all tokens: it tells what it thought of a prompt."""
        path, body = self.score_call(ids)
        return [(path, {**body, "logprobs": None, "prompt_logprobs": min(count, self._top)})]

    def few_figures(self, answer: dict[str, Any], ids: Sequence[int], place: int) -> list[TokenFigures]:
        """Each token's own figure stands among the likeliest, with its rank. Raises EngineError for an answer that
        cannot be read."""
        try:
            told = answer["choices"][0]["prompt_logprobs"]
            return [self._told(one, token) for one, token in list(zip(told, ids, strict=True))[place:]]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise failures.unreadable(self._host) from None

    def _told(self, told: Mapping[str, Mapping[str, Any]], token: int) -> TokenFigures:
        figures = {int(name): _number(one["logprob"]) for name, one in told.items()}
        order = sorted(figures, key=lambda one: math.inf if (known := figures[one]) is None else -known)
        known = [(one, figures[one]) for one in order]
        top = tuple(TopToken(one, self.tokenizer.decode([one]), own) for one, own in known if own is not None)
        return TokenFigures(figures[token], int(told[str(token)]["rank"]), top)

    def _asked(self, ids: Sequence[int], top: int) -> dict[str, Any]:
        """Ids in place of words: strings of several tokens are equal."""
        return {
            "model": self.facts.model,
            "prompt": list(ids),
            "add_special_tokens": False,
            "logprobs": top,
            "return_tokens_as_token_ids": True,
            "return_token_ids": True,
        }


def _wants_all(row: RowRequest) -> bool:
    """With a form, what it forbids is missing from the figures: they are asked for once more when the text is done."""
    return row.whole and not any(row.request.values[name] for name in FORMS)


class VLLMReader:
    """Events of one text, each with one token or several. `ends` are the tokens that end it."""

    usage = None

    def __init__(self, host: str, vocabulary: LocalVocabulary, whole: bool, ends: Sequence[int]) -> None:
        self._host = host
        self._vocabulary = vocabulary
        self._whole = whole
        self._ends = frozenset(ends)

    def read(self, event: dict[str, Any]) -> Sequence[Piece]:
        """What this event added. Raises EngineError for one that tells of a failure."""
        if event.get("error"):
            said = event["error"].get("message") if isinstance(event["error"], Mapping) else event["error"]
            raise failures.refused(self._host, 500, failures.shortened(str(said)))
        try:
            choices = event.get("choices")
            return self._pieces(choices[0]) if choices else []
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise failures.unreadable(self._host) from None

    def _pieces(self, choice: Mapping[str, Any]) -> list[Piece]:
        ids = [int(one) for one in choice.get("token_ids") or ()]
        figures = choice.get("logprobs") or {}
        own = figures.get("token_logprobs") or [None] * len(ids)
        tops = figures.get("top_logprobs") or [None] * len(ids)
        if not len(ids) == len(own) == len(tops):
            raise ValueError
        pieces = [self._piece(*one) for one in zip(ids, own, tops, strict=True)]
        reason = choice.get("finish_reason")
        if reason is None:
            return pieces
        finish = _ENDS.get(str(reason), "end")
        if finish == "end" and ids and ids[-1] in self._ends:
            last = pieces.pop()
            return [*pieces, Piece("", last.token_id, last.logprob, last.top, last.scores, finish)]
        return [*pieces, Piece(finish=finish)]

    def _piece(self, token_id: int, logprob: Any, top: Mapping[str, Any] | None) -> Piece:
        if not 0 <= token_id < len(self._vocabulary):
            raise ValueError
        number = _number(logprob)
        if self._whole:
            scores = None if top is None else whole_scores(top, len(self._vocabulary), self._host)
            return Piece(token_id=token_id, logprob=number, scores=scores)
        listed = sorted(
            ((int(name.removeprefix(_NAMED)), _number(one)) for name, one in (top or {}).items()),
            key=lambda one: -math.inf if one[1] is None else -one[1],
        )
        candidates = tuple(
            TopToken(one, self._vocabulary.tokenizer.decode([one]), -math.inf if figure is None else figure)
            for one, figure in listed
        )
        return Piece(token_id=token_id, logprob=number, top=candidates)


def whole_scores(figures: Mapping[str, Any], size: int, host: str) -> Tensor:
    """The log-probabilities [vocab] of all tokens from {"token_id:7": number}; a server that was told to give logits
    gives logits. Tokens that only fill up the model's matrix are left out. Raises EngineError if some are missing."""
    try:
        ids = torch.tensor([int(name.removeprefix(_NAMED)) for name in figures])
        told = torch.tensor([math.nan if one is None else one for one in figures.values()], dtype=torch.float32)
        scores = torch.full((max(size, int(ids.max()) + 1),), math.nan)
        scores[ids] = told
    except (TypeError, ValueError, IndexError, RuntimeError):
        raise failures.unreadable(host) from None
    scores = scores[:size]
    scores[scores <= _NOTHING] = -math.inf
    return scores.log_softmax(dim=0)


def _number(number: Any) -> float | None:
    """None for what is no number."""
    if not isinstance(number, int | float) or not math.isfinite(number):
        return None
    return float(number) if number > _NOTHING else -math.inf
