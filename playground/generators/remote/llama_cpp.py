"""llama.cpp's own server: prompts as token ids over /completion, all its samplers, the whole vocabulary's figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from playground import parameters, thinking
from playground.generators.remote import failures
from playground.generators.remote.adapter import EngineFacts, Piece, RowRequest, TokenFigures, TopToken
from playground.generators.remote.engine_templates import EngineTemplate
from playground.generators.remote.engine_tokenizer import EngineTokenizer
from playground.generators.remote.http_client import EngineClient
from playground.parameters import engines
from playground.types import FinishReason, ModelCard, Rendered, Request

KIND = "llama.cpp"
_ENDS: Mapping[str, FinishReason] = {"eos": "end", "limit": "context", "word": "stop"}
_HALF = 3  # tokens that may follow before a character is whole
_NAMES = re.compile(r"<[^<>\s]{1,48}>|\[[A-Z/_]{2,24}\]")
_KNOWN = ("<s>", "</s>", "<unk>", "<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|end|>",
          "<|endofturn|>", "<end_of_turn>", "<start_of_turn>", "<eos>", "<bos>")  # fmt: skip
_FORCED = 1000.0  # a bias with which a token is drawn for certain
_NOTHING = -3.0e38  # llama.cpp writes the lowest float for a probability of 0


def recognise(client: EngineClient, props: Mapping[str, Any], models: Mapping[str, Any]) -> LlamaCpp:
    """The adapter for a server that answered /props and /v1/models as llama.cpp's does."""
    listed = models.get("data")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    meta = first.get("meta") or {}
    name = str(first.get("id") or props.get("model_alias") or props.get("model_path") or "model")
    title = re.split(r"[/\\]", name)[-1].removesuffix(".gguf")
    settings = props.get("default_generation_settings") or {}
    card = ModelCard(
        id=title,
        title=title,
        revision=str(meta.get("size", "")) or "unknown",
        parameters=int(meta.get("n_params") or 0),
        dtype=str(meta.get("ftype") or props.get("model_ftype") or "unknown"),
        size=int(meta.get("size") or 0),
        context=int(settings.get("n_ctx") or meta.get("n_ctx_train") or 2048) - 1,  # the last place stays empty
        has_chat_template=bool(props.get("chat_template")),
    )
    facts = EngineFacts(
        kind=KIND,
        title=KIND,
        version=str(props.get("build_info") or "unknown"),
        card=card,
        slots=int(props.get("total_slots") or 1),
        vocab_size=int(meta["n_vocab"]) if meta.get("n_vocab") else None,
        model=name,
    )
    return LlamaCpp(client, facts, props)


class LlamaCpp:
    """One llama.cpp server. The vocabulary is asked for once, with the first request that needs it."""

    scores_all = True

    def __init__(self, client: EngineClient, facts: EngineFacts, props: Mapping[str, Any]) -> None:
        self.facts = facts
        self._client = client
        self._props = props
        self.parameters = engines.honoured(KIND)
        self.lacks = engines.refusals(KIND)

    @cached_property
    def tokenizer(self) -> EngineTokenizer:
        """The vocabulary as bytes, from the candidates of one token."""
        size = self.facts.vocab_size or 10**6
        answer = self._client.post("/completion", self._one_token("A", size))
        found = {int(one["id"]): bytes(one["bytes"]) for one in _candidates(answer, self._client.host)}
        pieces = [found.get(number, b"") for number in range(max(found) + 1)]
        return EngineTokenizer(
            pieces,
            self._special_names(pieces),
            self._encode,
            begins=str(self._props.get("bos_token") or ""),
            ends=str(self._props.get("eos_token") or ""),
        )

    @property
    def vocab_size(self) -> int:
        return len(self.tokenizer)

    def render(self, request: Request) -> Rendered:
        return self._template.render(request, self.facts.card)

    def check(self, request: Request) -> None:
        engines.body(KIND, request.values)

    def call(self, row: RowRequest) -> tuple[str, dict[str, Any]]:
        """The path and the body that ask for this text."""
        body = {
            **engines.body(KIND, row.request.values),
            "prompt": list(row.rendered.token_ids),
            # A token is told once its character is whole; of what nobody looks into the text is enough.
            "n_predict": row.most + (_HALF if row.request.watched else 0),
            "seed": row.seed % 0xFFFFFFFF,  # one more would ask for a random one
            "stop": [],  # stop strings act here: they must not end a thought
            "n_probs": self.vocab_size if row.whole else row.top,
            "post_sampling_probs": False,
            "stream": True,
            "return_tokens": True,
            "cache_prompt": True,
        }
        return "/completion", body

    def reader(self, row: RowRequest) -> LlamaCppReader:
        """Reads the stream of this text, and ends it where its own length ends."""
        at_most: FinishReason = "length" if row.most == row.request.values["max_new_tokens"] else "context"
        return LlamaCppReader(self.tokenizer, self._client.host, row.whole, row.most, at_most)

    def score_call(self, ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
        return "/completion", self._one_token(list(ids), self.vocab_size)

    def scores(self, answer: dict[str, Any]) -> Tensor:
        """The log-probabilities [1, vocab] in the answer to `score_call`. Raises EngineError where some are missing."""
        return whole_scores(_candidates(answer, self._client.host), self.vocab_size, self._client.host)[None]

    def ids(self, text: str, *, begins: bool, acts: bool, parameter: str) -> list[int]:
        """The ids of a text that is only read."""
        return self._encode(text, acts, begins)

    def few_calls(self, ids: Sequence[int], count: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """One for each token: it tells nothing of a prompt, but of a token that it is made to draw."""
        for end in range(1, len(ids)):
            yield "/completion", {**self._one_token(list(ids[:end]), count), "logit_bias": [[ids[end], _FORCED]]}

    def few_figures(self, answer: dict[str, Any], ids: Sequence[int], place: int) -> list[TokenFigures]:
        """Nothing of a token that is half a character, or that the engine cannot be made to draw. Raises EngineError
        for an answer that cannot be read."""
        drawn = answer.get("completion_probabilities") or []
        if not isinstance(drawn, list) or not drawn or not isinstance(drawn[0], Mapping):
            return [TokenFigures()]
        try:
            top = tuple(_top(self.tokenizer, one) for one in drawn[0].get("top_logprobs") or ())
            own = _finite(drawn[0].get("logprob")) if drawn[0].get("id") == ids[place] else None
        except (KeyError, TypeError, ValueError, IndexError):
            raise failures.unreadable(self._client.host) from None
        listed = [one.token_id for one in top]
        rank = listed.index(ids[place]) + 1 if ids[place] in listed else None
        return [TokenFigures(own, rank, top)]

    def _one_token(self, prompt: Any, count: int) -> dict[str, Any]:
        neutral = {one.name: one.neutral for one in parameters.REGISTRY}
        return {
            **engines.body(KIND, neutral),
            "prompt": prompt,
            "n_predict": 1,
            "n_probs": count,
            # Figures are those before any bias. Without it half a character might be drawn, which has no figures.
            "logit_bias": [["a", _FORCED]],
            "seed": 1,
            "stop": [],
            "post_sampling_probs": False,
            "stream": False,
            "cache_prompt": True,
        }

    @cached_property
    def _template(self) -> EngineTemplate:
        return EngineTemplate(self._apply_template, self.tokenizer, bool(self._adds_begin))

    @cached_property
    def _adds_begin(self) -> list[int]:
        """What the engine puts before a plain text."""
        bare, begun = self._encode("A", False), self._encode("A", False, True)
        return begun[: len(begun) - len(bare)]

    def _apply_template(self, messages: list[dict[str, str]]) -> str:
        answer = self._client.post("/apply-template", {"messages": messages})
        prompt = answer.get("prompt")
        if not isinstance(prompt, str):
            raise failures.unreadable(self._client.host)
        return prompt

    def _encode(self, text: str, acts: bool, begins: bool = False) -> list[int]:
        asked = {"content": text, "add_special": begins, "parse_special": acts}
        ids = self._client.post("/tokenize", asked).get("tokens")
        if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
            raise failures.unreadable(self._client.host)
        return ids

    def _special_names(self, pieces: Sequence[bytes]) -> dict[int, str]:
        """Names of tokens that write nothing: those that the template and the families use, tried one by one."""
        silent = {number for number, piece in enumerate(pieces) if not piece}
        template = str(self._props.get("chat_template") or "")
        told = [str(self._props.get(name) or "") for name in ("bos_token", "eos_token")]
        marks = [*thinking.marks(), *thinking.CHANNEL_MARKS]
        names: dict[int, str] = {}
        for name in dict.fromkeys([*told, *_NAMES.findall(template), *_KNOWN, *marks]):
            ids = self._encode(name, True) if name else []
            if len(ids) == 1 and ids[0] in silent:
                names.setdefault(ids[0], name)
        return {number: names.get(number, f"<{number}>") for number in silent}


class LlamaCppReader:
    """Events of one text. Tokens that are half a character come with the one that completes it: only that one is told,
    and the others are found by their bytes, if these can be read. The text ends after `most` tokens with the reason
    `at_most`; what follows only tells the last of them."""

    usage = None

    def __init__(
        self, tokenizer: EngineTokenizer, host: str, whole: bool, most: int, at_most: FinishReason = "length"
    ) -> None:
        self._tokenizer = tokenizer
        self._host = host
        self._whole = whole
        self._most = most
        self._at_most = at_most
        self._count = 0
        self._silent: list[Piece] = []  # a token that may be the end of the text

    def read(self, event: dict[str, Any]) -> Sequence[Piece]:
        """What this event added. Raises EngineError for one that tells of a failure."""
        if "error" in event:
            raise _failure(event["error"], self._host)
        try:
            if event.get("stop"):
                return self._last(event)
            pieces = [*self._silent, *self._tokens(event)]
        except (KeyError, TypeError, ValueError, IndexError):
            raise failures.unreadable(self._host) from None
        self._silent = [pieces.pop()] if pieces and pieces[-1].token_id in self._tokenizer.special else []
        return [*pieces, Piece(finish=self._at_most)] if self._count >= self._most and not self._silent else pieces

    def _last(self, event: dict[str, Any]) -> list[Piece]:
        finish = _ENDS.get(event.get("stop_type", ""), "context")
        found = [*self._silent, *(self._tokens(event) if event.get("tokens") else [])]
        if finish == "context" and int(event.get("tokens_predicted") or 0) >= self._most:
            finish = self._at_most
        if finish == "end" and found and found[-1].token_id in self._tokenizer.special:
            *before, last = found
            ended = Piece(last.text, last.token_id, last.logprob, last.top, last.scores, "end")
            return [*before, ended]
        return [*found, Piece(finish=finish)]

    def _tokens(self, event: dict[str, Any]) -> Iterator[Piece]:
        ids = [int(one) for one in event.get("tokens") or ()]
        if not ids:
            return
        size = len(self._tokenizer)
        if not all(0 <= one < size for one in ids):
            raise ValueError
        count = int(event.get("tokens_predicted") or self._count + len(ids))
        start = count - len(ids)
        lost = start - self._count
        self._count = count
        if lost > 0:
            data = str(event.get("content", "")).encode()
            known = b"".join(self._tokenizer.pieces[one] for one in ids)
            before = data[: len(data) - len(known)] if data.endswith(known) else b""
            for one in (self._tokenizer.written_as(before, lost) or [])[: max(0, self._most - start + lost)]:
                yield Piece(token_id=one)
        figures = event.get("completion_probabilities") or []
        for place, one in enumerate(ids[: max(0, self._most - start)]):
            yield self._piece(one, figures[place] if place < len(figures) else {})

    def _piece(self, token_id: int, figures: Mapping[str, Any]) -> Piece:
        listed = figures.get("top_logprobs") or []
        scores = whole_scores(listed, len(self._tokenizer), self._host) if self._whole and listed else None
        top = () if self._whole else tuple(_top(self._tokenizer, one) for one in listed)
        logprob = figures.get("logprob")
        return Piece(token_id=token_id, logprob=_finite(logprob), top=top, scores=scores)


def _top(tokenizer: EngineTokenizer, one: Mapping[str, Any]) -> TopToken:
    number, logprob = int(one["id"]), _finite(one["logprob"])
    return TopToken(number, tokenizer.decode([number]), -math.inf if logprob is None else logprob)


def whole_scores(listed: Sequence[Mapping[str, Any]], size: int, host: str) -> Tensor:
    """The log-probabilities [vocab] of all tokens. Raises EngineError where some are missing or no numbers."""
    try:
        ids = torch.tensor([one["id"] for one in listed])
        found = torch.tensor([math.nan if one["logprob"] is None else one["logprob"] for one in listed])
        scores = torch.full((size,), math.nan)
        scores[ids] = found.float()
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError):
        raise failures.unreadable(host) from None
    scores[scores <= _NOTHING] = -math.inf
    return scores


def _candidates(answer: Mapping[str, Any], host: str) -> Sequence[Mapping[str, Any]]:
    try:
        listed = answer["completion_probabilities"][0]["top_logprobs"]
    except (KeyError, TypeError, IndexError):
        raise failures.unreadable(host) from None
    if not isinstance(listed, list) or not listed:
        raise failures.unreadable(host)
    return listed


def _finite(number: Any) -> float | None:
    """None for what is no number, or not one that a probability has."""
    if not isinstance(number, int | float) or not math.isfinite(number):
        return None
    return float(number) if number > _NOTHING else -math.inf


def _failure(error: Any, host: str) -> failures.EngineError:
    said = error.get("message") if isinstance(error, Mapping) else None
    return failures.refused(host, 500, failures.shortened(said) if isinstance(said, str) else "")
