"""A request as an engine that has the chat template will read it: the engine renders, control tokens that were typed
stay text. Knows no kind of engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground import thinking
from playground.generators.remote.engine_tokenizer import EngineTokenizer
from playground.types import InvalidRequest, ModelCard, Refused, Rendered, Request, Text

_NO_PLACE = Text(
    "{title}'s chat template changes what was typed, and there are control tokens in it that must not act.",
    "{title} 的对话模板会改动输入的内容，而其中含有不应生效的控制词元。",
)


class EngineTemplate:
    """`apply` renders messages into a prompt that ends where the answer begins; `begins` says whether the engine puts a
    token before a plain text."""

    def __init__(
        self,
        apply: Callable[[list[dict[str, str]]], str],
        tokenizer: EngineTokenizer,
        begins: bool,
    ) -> None:
        self._apply = apply
        self._tokenizer = tokenizer
        self._begins = begins

    def render(self, request: Request, card: ModelCard) -> Rendered:
        """The prompt's text and ids. Raises Refused where the template cannot take what was typed, and InvalidRequest
        where there is no token."""
        if request.mode == "complete":
            text = request.prompt + request.prefill
            typed: Sequence[str] = (text,)
            ids = self._ids(text, typed, request, card)
            if self._begins and self._tokenizer.bos_token_id is not None:
                ids = [self._tokenizer.bos_token_id, *ids]
            if not ids:
                raise InvalidRequest(Text("The prompt holds no token.", "提示词不含任何词元。"), parameter="prompt")
            return Rendered(text, tuple(ids), card.context)
        messages = [{"role": "system", "content": request.system}] if request.system else []
        opened = thinking.opens(self._apply([{"role": "user", "content": "?"}])) if request.turns else ""
        for role, said in request.turns:
            text = thinking.answer_alone(said, opened) if role == "assistant" else said
            messages.append({"role": role, "content": text})
        messages.append({"role": "user", "content": request.prompt})
        frame = self._apply(messages)
        text = frame + request.prefill
        typed = [*(one["content"] for one in messages), request.prefill]
        return Rendered(text, tuple(self._ids(text, typed, request, card)), card.context, thinking.opens(frame))

    def _ids(self, text: str, typed: Sequence[str], request: Request, card: ModelCard) -> list[int]:
        """The ids of a prompt. Where a control token was typed that must not act, that text is encoded by itself."""
        acting = self._tokenizer.encode(text, acts=True)
        if request.special_tokens:
            return acting
        inert = [one for one in dict.fromkeys(typed) if one and self._would_act(one)]
        if not inert:
            return acting
        ids: list[int] = []
        place = 0
        for one in (one for one in typed if one in inert):
            begins = text.find(one, place)
            if begins < 0:
                raise Refused(_NO_PLACE.filled(title=card.title), parameter="prompt")
            ids += self._tokenizer.encode(text[place:begins], acts=True)
            ids += self._tokenizer.encode(one)
            place = begins + len(one)
        return ids + self._tokenizer.encode(text[place:], acts=True)

    def _would_act(self, text: str) -> bool:
        special = self._tokenizer.special
        return any(one in special for one in self._tokenizer.encode(text, acts=True))
