"""Any OpenAI-compatible server: the fields that all of them know, text by text. What else it can is not guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from playground.generators.remote import failures
from playground.generators.remote.adapter import EngineFacts, Piece, RowRequest, TopToken
from playground.parameters import engines
from playground.types import FinishReason, InvalidRequest, Refused, Rendered, Request, Text

KIND = "OpenAI"
TITLE = "OpenAI-compatible server"
_ENDS: Mapping[str, FinishReason] = {"stop": "end", "length": "length", "content_filter": "end", "tool_calls": "end"}
UNKNOWN_CONTEXT = 2**20  # tokens, where the server does not say


class OpenAIServer:
    """One server. `completes` and `chats` are which of the two ways of asking it has; `top` is how many candidates a
    token may come with, 0 where it gives none."""

    parameters = engines.honoured(KIND)
    tokenizer = None
    scores_all = False

    def __init__(self, host: str, facts: EngineFacts, *, completes: bool, chats: bool, top: int) -> None:
        self.facts = facts
        self.lacks = {**engines.refusals(KIND), "prefill": _no_prefill(host)}
        self._host = host
        self._completes = completes
        self._chats = chats
        self._top = top

    def render(self, request: Request) -> Rendered:
        """The words that are sent; which tokens the server makes of them is not known here."""
        if request.mode == "complete":
            if not self._completes:
                raise Refused(
                    Text(f"The engine at {self._host} only answers in a chat.", f"{self._host} 上的引擎只支持对话。"),
                    Text("Use “Single question” or “Conversation” (mode chat).", "请用单次提问或对话模式。"),
                    parameter="mode",
                )
            return Rendered(request.prompt + request.prefill, (), self.facts.card.context)
        if request.prefill:
            raise Refused(
                _no_prefill(self._host),
                Text("Empty the beginning of the answer.", "请清空回答的开头。"),
                parameter="prefill",
            )
        lines = [f"{one['role']}: {one['content']}" for one in messages(request)]
        return Rendered("\n".join(lines), (), self.facts.card.context)

    def check(self, request: Request) -> None:
        """Raises Refused or InvalidRequest for what such a server cannot be asked."""
        engines.body(KIND, request.values)
        if request.special_tokens:
            raise Refused(
                Text(
                    f"Whether control tokens act is up to the engine at {self._host}.",
                    f"控制词元是否生效由 {self._host} 上的引擎决定。",
                ),
                parameter="special_tokens",
            )
        if not (request.prompt or request.prefill):
            raise InvalidRequest(Text("The prompt is empty.", "提示词为空。"), parameter="prompt")

    def call(self, row: RowRequest) -> tuple[str, dict[str, Any]]:
        """The path and the body that ask for this text."""
        chat = row.request.mode == "chat"
        body = engines.body(KIND, row.request.values)
        # Stop strings act here: they must not end a thought, and a server does not tell whether one ended the text.
        del body["stop"]
        body |= {"model": self.facts.model, "max_tokens": row.most, "seed": row.seed, "stream": True}
        if chat:
            if self._top:
                body |= {"logprobs": True, "top_logprobs": self._top}
            return "/v1/chat/completions", body | {"messages": messages(row.request)}
        if self._top:
            body["logprobs"] = self._top
        return "/v1/completions", body | {"prompt": row.rendered.text}

    def reader(self, row: RowRequest) -> OpenAIReader:
        return OpenAIReader(self._host)

    def score_call(self, ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError

    def scores(self, answer: dict[str, Any]) -> Any:
        raise NotImplementedError


class OpenAIReader:
    """Events of one text, of either way of asking. A thought that comes apart from the answer is set between tags."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._thinks = False
        self.usage: tuple[int, int] | None = None

    def read(self, event: dict[str, Any]) -> Sequence[Piece]:
        """What this event added. Raises EngineError for one that tells of a failure."""
        if event.get("error"):
            said = event["error"].get("message") if isinstance(event["error"], Mapping) else event["error"]
            raise failures.refused(self._host, 500, failures.shortened(str(said)))
        try:
            return self._pieces(event)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise failures.unreadable(self._host) from None

    def _pieces(self, event: Mapping[str, Any]) -> list[Piece]:
        self.usage = _counted(event.get("usage")) or self.usage
        if not (choices := event.get("choices")):
            return []
        choice = choices[0]
        delta = choice.get("delta")
        thought = "" if delta is None else (delta.get("reasoning_content") or delta.get("reasoning") or "")
        text = (choice.get("text") if delta is None else delta.get("content")) or ""
        if not isinstance(thought, str) or not isinstance(text, str):
            raise TypeError
        pieces = self._marked(thought, text, _figures(choice.get("logprobs"), text))
        if choice.get("finish_reason"):
            if self._thinks:
                pieces.append(Piece("\n</think>\n\n"))
            pieces.append(Piece(finish=_ENDS.get(str(choice["finish_reason"]), "end")))
        return pieces

    def _marked(self, thought: str, text: str, answer: list[Piece]) -> list[Piece]:
        found: list[Piece] = []
        if thought:
            if not self._thinks:
                self._thinks = True
                found.append(Piece("<think>\n"))
            found.append(Piece(thought))
        if text:
            if self._thinks:
                self._thinks = False
                found.append(Piece("\n</think>\n\n"))
            found += answer
        return found


def messages(request: Request) -> list[dict[str, str]]:
    """What was said, as OpenAI's API has it."""
    said = [{"role": "system", "content": request.system}] if request.system else []
    said += [{"role": role, "content": text} for role, text in request.turns]
    return [*said, {"role": "user", "content": request.prompt}]


def _no_prefill(host: str) -> Text:
    return Text(
        f"The engine at {host} cannot be told how its answer begins.", f"{host} 上的引擎不支持指定回答的开头。"
    )


def _counted(usage: Any) -> tuple[int, int] | None:
    """Tokens of the prompt and of the text, where the server tells both."""
    told = usage if isinstance(usage, Mapping) else {}
    read, written = told.get("prompt_tokens"), told.get("completion_tokens")
    return (read, written) if type(read) is int and type(written) is int else None


def _figures(logprobs: Any, text: str) -> list[Piece]:
    """The tokens of a delta with their figures, where it has any and they make up its text; else the text alone."""
    tokens: list[Piece] = []
    if isinstance(logprobs, Mapping) and isinstance(logprobs.get("content"), list):
        for one in logprobs["content"]:
            top = tuple(_top(other["token"], other["logprob"]) for other in one.get("top_logprobs") or ())
            tokens.append(Piece(str(one["token"]), logprob=_finite(one["logprob"]), top=top))
    elif isinstance(logprobs, Mapping) and isinstance(logprobs.get("tokens"), list):
        tops = logprobs.get("top_logprobs") or [None] * len(logprobs["tokens"])
        for token, number, others in zip(logprobs["tokens"], logprobs["token_logprobs"], tops, strict=True):
            top = tuple(_top(name, figure) for name, figure in (others or {}).items())
            tokens.append(Piece(str(token), logprob=_finite(number), top=top))
    if "".join(one.text for one in tokens) == text and tokens:
        return tokens
    return [Piece(text)] if text else []


def _top(text: str, logprob: Any) -> TopToken:
    found = _finite(logprob)
    return TopToken(None, str(text), -math.inf if found is None else found)


def _finite(number: Any) -> float | None:
    return float(number) if isinstance(number, int | float) and math.isfinite(number) else None
