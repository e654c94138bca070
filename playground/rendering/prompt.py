"""A request as the model will see it: its texts through the chat template, as token ids, with what acts and what ends.

Knows one model's tokenizer and no weights. May be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from playground import thinking
from playground.rendering.chat import ChatTemplate, Conversation, Message
from playground.rendering.control import ControlTokens, Part, undecided
from playground.rendering.encode import Encoder
from playground.rendering.ends import text_ends, turn_ends
from playground.types import InvalidRequest, Rendered, Request, Text

_NO_SYSTEM = Text(
    "{title}'s chat template has no system prompt: it stands in front of a message.",
    "{title} 的对话模板没有系统提示词：系统提示词放在消息之前。",
)
_FORGETS = Text("{title}'s chat template leaves out earlier turns.", "{title} 的对话模板会省略之前的轮次。")


class Answered(NamedTuple):
    """A prompt's token ids as `render` gives them, and those of an answer behind it, with what ends the answer."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]


class _Asked(NamedTuple):
    """A conversation up to where the answer begins: its parts, what its thought was opened with, what is to be said."""

    parts: list[Part]
    opened: str
    notice: Text | None


class Prompts:
    """Renders requests for one loaded model. `told_ends` are the ends of a turn that its file names; a chat template
    that writes the date writes that of `now` (seconds since 1970), without it today's."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        title: str,
        context: int,
        told_ends: tuple[int, ...] = (),
        now: float | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._title = title
        self._context = context
        self._told_ends = told_ends
        self._template = ChatTemplate(tokenizer, title, now)
        self._making = threading.Lock()
        self.rows = embedding_rows(model)
        if not undecided(tokenizer, self._template.source):  # else the template has to be tried, which may wait
            _ = self.encoder

    @property
    def encoder(self) -> Encoder:
        with self._making:
            return self._encoder

    def render(self, request: Request) -> Rendered:
        """The request as token ids, as the model reads it.

        Raises Refused where the template or the vocabulary cannot take what was written, and InvalidRequest where the
        prompt has no token.
        """
        if request.mode == "chat":
            return self._chat(request, self._asked(request))
        text = request.prompt + request.prefill
        prompt = self._control.mark([Part(text, not request.special_tokens)])
        before = self.encoder.before
        ids = before + self.encoder.marked(prompt)
        for name in ("prompt", "prefill"):
            self.encoder.check((), name, getattr(request, name))
        self.encoder.check(ids, "prompt", text)
        if not ids:
            begins = self._tokenizer.bos_token_id
            if begins is None:
                raise InvalidRequest(Text("The prompt holds no token.", "提示词不含任何词元。"), parameter="prompt")
            ids = before = [begins]
        front = self._tokenizer.decode(before, clean_up_tokenization_spaces=False) if before else ""
        shift = len(front)
        acting = [(begins + shift, ends + shift) for begins, ends in prompt.acting]
        return Rendered(
            front + text,
            tuple(ids),
            self._context,
            controls=((0, shift), *acting) if shift else tuple(acting),
            as_text=_names(prompt.text, prompt.inert),
        )

    def ends(self, request: Request) -> list[int]:
        """The tokens that end this request's text: those of `generate()`, and in a chat those that end a turn too."""
        found = text_ends(self._model, self._tokenizer, self.rows)
        if request.mode == "chat":
            found += [one for one in self._turn_ends if one not in found]
        return [one for one in found if 0 <= one < self.rows]

    def shown(self, request: Request) -> Mapping[int, str]:
        """Special tokens that a text of this request shows all the same: the marks of a thought in a chat."""
        return self._thought_marks if request.mode == "chat" else {}

    def answered(self, request: Request, answer: str) -> Answered:
        """The ids of a request and of an answer right behind it, as somebody would have it who asks for that answer.

        The prompt is to the id what `render` gives: no token of it grows into the answer. In a chat the template's own
        words around an answer belong to it: what it writes before one that has no beginning yet (an empty thought,
        the name of a channel), and the token that ends the turn. Raises what `render` raises.
        """
        if request.mode == "chat":
            asked = self._asked(request)
            prompt = self._chat(request, asked).token_ids
            ids = self._behind(prompt, asked.parts, self._spoken(request, answer, asked.opened), [])
        else:
            prompt = self.render(request).token_ids
            typed = not request.special_tokens
            before = [Part(request.prompt + request.prefill, typed)]
            ids = self._behind(prompt, before, [Part(answer, typed)], self.encoder.before)
        self.encoder.check((), "answer", answer)
        self.encoder.check(ids, "answer")
        ends = self.ends(request)
        if ends and (not ids or ids[-1] not in ends):
            own = self._tokenizer.eos_token_id
            ids = [*ids, own if own in ends else ends[0]]
        return Answered(prompt, tuple(ids))

    def _behind(self, prompt: Sequence[int], before: list[Part], spoken: list[Part], front: list[int]) -> list[int]:
        """The ids of `spoken` behind a prompt, which consists of `front` and `before`."""
        together = front + self.encoder.marked(self._control.mark([*before, *spoken]), "answer")
        if together[: len(prompt)] == list(prompt):
            return together[len(prompt) :]
        alone = self._control.mark(spoken)  # a token would reach over the border
        return self.encoder.marked(alone._replace(seams=(0, *alone.seams)), "answer")

    def _spoken(self, request: Request, answer: str, opened: str) -> list[Part]:
        """An answer as the template writes one: with what stands before it and what ends the turn."""
        header, begun = self._template.abilities.header, request.prefill
        parsed = thinking.split_reasoning(begun + answer, opened=opened)
        before = ""
        if not begun and opened and parsed.thinks:  # the answer holds no thought, so the thought is an empty one
            before = header if parsed.close in header else f"\n{parsed.close}\n\n"
        frame = thinking.frame(begun + answer, opened)
        if not begun and not opened and not frame:
            before = header
        acts = tuple((start - len(begun), end - len(begun)) for start, end in frame if start >= len(begun))
        parts = [
            Part(before, False),
            Part(answer, not request.special_tokens, acts),
            Part(self._closing(request), False),
        ]
        return [part for part in parts if part.text]

    def _closing(self, request: Request) -> str:
        """What the template writes behind an answer, up to the token that ends the turn; "" where it writes none."""
        ends = self.ends(request)
        for text in self._template.abilities.behind:
            for begins, stops in self._control.find(text)[:1]:
                if self._control.id_of(text[begins:stops]) in ends:
                    return text[:stops]
        return ""

    def _asked(self, request: Request) -> _Asked:
        talk = self._template.render(self._messages(request), self._control)
        parts = [Part(part.text, part.typed and not request.special_tokens) for part in talk.parts]
        opened = self._opens(talk)
        frame = tuple(thinking.frame(request.prefill, opened)) if request.prefill else ()
        if request.prefill and not opened and not frame:
            parts.append(Part(self._template.abilities.header, False))
        parts.append(Part(request.prefill, not request.special_tokens, frame))
        return _Asked(parts, opened, self._notice(talk))

    def _chat(self, request: Request, asked: _Asked) -> Rendered:
        prompt = self._control.mark(asked.parts)
        ids = self.encoder.marked(prompt, "prompt")
        for name in ("prompt", "prefill", "system"):
            self.encoder.check((), name, getattr(request, name))
        self.encoder.check((), "turns", *(text for _, text in request.turns))
        self.encoder.check(ids, "prompt")
        return Rendered(
            prompt.text,
            tuple(ids),
            self._context,
            asked.opened,
            controls=prompt.acting,
            as_text=_names(prompt.text, prompt.inert),
            notice=asked.notice,
        )

    def _notice(self, talk: Conversation) -> Text | None:
        said = [text for text, says in ((_NO_SYSTEM, talk.joined), (_FORGETS, talk.forgets)) if says]
        if not said:
            return None
        reason = Text(" ".join(text.en for text in said), "".join(text.zh for text in said))
        return reason.filled(title=self._title)

    def _messages(self, request: Request) -> list[Message]:
        """What was said, without what the model thought before it did."""
        opened = self._opened if request.turns else ""
        said: list[Message] = [("system", request.system)] if request.system else []
        for role, text in request.turns:
            said.append((role, thinking.answer_alone(text, opened) if role == "assistant" else text))
        return [*said, ("user", request.prompt)]

    @cached_property
    def _opened(self) -> str:
        """What the template opens every answer's thought with."""
        begun = self._template.render([("user", "?")], self._control)
        return thinking.opens("".join(part.text for part in begun.parts))

    def _opens(self, talk: Conversation) -> str:
        """What the template opens this answer's thought with, behind whatever was typed: that opens none."""
        behind = ""
        for part in talk.parts:
            behind = "" if part.typed else behind + part.text
        opened = thinking.opens(behind)
        typed = any(part.typed for part in talk.parts)  # else nobody knows who wrote the end
        return opened if not opened or typed else self._opened

    @property
    def _control(self) -> ControlTokens:
        return self.encoder.control

    @cached_property
    def _encoder(self) -> Encoder:
        """Made at the first request: some control tokens are known only once the template has been tried."""
        source = self._template.source
        written = self._template.written if undecided(self._tokenizer, source) else ()
        return Encoder(self._tokenizer, ControlTokens(self._tokenizer, source, written), self.rows)

    @cached_property
    def _turn_ends(self) -> list[int]:
        return turn_ends(self._tokenizer, self._template, self._control, self._told_ends)

    @cached_property
    def _thought_marks(self) -> Mapping[int, str]:
        channels = thinking.CHANNEL_MARKS if self._control.id_of(thinking.CHANNEL) is not None else ()
        names = (name for name in (*thinking.marks(), *channels) if self._control.is_special(name))
        return {number: name for name in names if (number := self._control.id_of(name)) is not None}


def embedding_rows(model: Any) -> int:
    """How many token ids the model can read."""
    try:
        embedding = model.get_input_embeddings()
    except (AttributeError, NotImplementedError):  # models of some kinds do not have it
        embedding = None
    rows = getattr(embedding, "num_embeddings", None)
    if isinstance(rows, int):
        return rows
    weight = getattr(embedding, "weight", None)
    return int(weight.shape[0]) if weight is not None else int(model.config.get_text_config(decoder=True).vocab_size)


def _names(text: str, spans: tuple[tuple[int, int], ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text[begins:ends] for begins, ends in spans))
