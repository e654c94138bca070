"""Engines of a known kind whose tokens are not known here: each kind's own fields over OpenAI's API, text by text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.generators.remote.adapter import EngineFacts, RowRequest
from playground.generators.remote.openai_server import OpenAIServer, messages
from playground.parameters import engines
from playground.types import InvalidRequest, Refused, Rendered, Request, Text


@dataclass(frozen=True, slots=True)
class Ways:
    """What a kind of engine can beside its parameters: go on with an answer that is begun, tell of its tokens, count
    them where asked to, end at stop strings where none are given as an empty list."""

    continues: bool
    top: int
    counts: bool


WAYS: Mapping[str, Ways] = {
    "vLLM": Ways(continues=True, top=20, counts=True),
    "SGLang": Ways(continues=True, top=20, counts=True),
    "transformers serve": Ways(continues=False, top=0, counts=False),
}


class KnownServer(OpenAIServer):
    """`ignored` are parameters that its kind honours and this server does not, each with the reason."""

    def __init__(self, kind: str, host: str, facts: EngineFacts, ignored: Mapping[str, Text] | None = None) -> None:
        ways = WAYS[kind]
        super().__init__(host, facts, completes=True, chats=facts.card.has_chat_template, top=ways.top)
        self._kind = kind
        self._ways = ways
        self.parameters = engines.honoured(kind) - (ignored or {}).keys()
        lacks = {**engines.refusals(kind), **(ignored or {})}
        self.lacks = lacks if ways.continues else {**lacks, "prefill": self.lacks["prefill"]}

    def render(self, request: Request) -> Rendered:
        """As the engine will see it, as far as that is known here."""
        if request.mode == "complete" or not (request.prefill and self._ways.continues):
            return super().render(request)
        lines = [f"{one['role']}: {one['content']}" for one in self._messages(request)]
        return Rendered("\n".join(lines), (), self.facts.card.context)

    def check(self, request: Request) -> None:
        """Raises Refused for what this engine cannot honour, InvalidRequest for no prompt."""
        engines.body(self._kind, request.values)
        if request.special_tokens:
            raise Refused(
                Text(
                    f"Whether control tokens act is up to {self._kind}, whose tokens are not known here.",
                    f"控制词元是否生效由 {self._kind} 决定，这里不知道它的词元。",
                ),
                parameter="special_tokens",
            )
        if not (request.prompt or request.prefill or request.turns):
            raise InvalidRequest(Text("The prompt is empty.", "提示词为空。"), parameter="prompt")

    def call(self, row: RowRequest) -> tuple[str, dict[str, Any]]:
        """The path and the body of the request for one row."""
        chat = row.request.mode == "chat"
        body = {
            **_limited(engines.body(self._kind, row.request.values), row.most),
            "model": self.facts.model,
            "seed": row.seed,
            "stream": True,
        }
        body.pop("stop", None)  # they act here: they must not end a thought
        if self._ways.counts:
            body["stream_options"] = {"include_usage": True}
        top = min(row.top, self._top)
        if not chat:
            return "/v1/completions", body | {"prompt": row.rendered.text} | ({"logprobs": top} if top else {})
        body |= {"messages": self._messages(row.request)}
        if row.request.prefill:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return "/v1/chat/completions", body | ({"logprobs": True, "top_logprobs": top} if top else {})

    def _messages(self, request: Request) -> list[dict[str, str]]:
        begun = [{"role": "assistant", "content": request.prefill}] if request.prefill else []
        return messages(request) + begun


def _limited(body: dict[str, Any], most: int) -> dict[str, Any]:
    """With so many tokens at most. `transformers serve` wants its mapping as a JSON text."""
    config = body.get("generation_config")
    if config is None:
        return {**body, "max_tokens": most, "min_tokens": min(body.get("min_tokens", 0), most)}
    config = {**config, "max_new_tokens": most, "min_new_tokens": min(config["min_new_tokens"], most)}
    config.pop("stop_strings", None)
    return {**body, "generation_config": json.dumps(config)}
