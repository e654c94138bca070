"""A generator that replays given texts: the same contract without a model, for tests of pages and terminals.

Registered and called like any other peer. Needs no torch; what a script cannot know (chances, ranks) stays None.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from playground.decoding.step_stream import StepStream, from_iterator
from playground.decoding.text_writer import TextWriter
from playground.generators.checks import check_request, check_room, rows_seeds
from playground.rendering.detokenize import Detokenizer
from playground.thinking import opened_after
from playground.types import FastPath, FinishReason, ModelCard, Path, Rendered, Request, Step, Text

HONOURED = frozenset({"n", "seed", "stop", "max_new_tokens"})
CONTEXT = 2048

_PIECES = re.compile(r"\s*\S{1,6}|\s+")


class _Vocabulary:
    """Numbers the pieces of text as they come; looks like a tokenizer as far as a detokenizer asks."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._pieces: list[str] = []

    def encode(self, text: str) -> list[int]:
        found = []
        for piece in _PIECES.findall(text):
            if piece not in self._ids:
                self._ids[piece] = len(self._pieces)
                self._pieces.append(piece)
            found.append(self._ids[piece])
        return found

    def decode(self, ids: Sequence[int], **_: object) -> str:
        return "".join(self._pieces[one] for one in ids)


class ScriptedGenerator:
    """Row k of a request with seed s replays `texts[(s + k) % len(texts)]`, a few characters a token.

    `delay` is the pause before each token in seconds. `parameters` may name more than it honours, for a page that
    sends all of them.
    """

    name = "scripted"
    traces = False
    knows_tokens = True
    own_draws = True
    slots = 1
    lacks: Mapping[str, Text] = {}

    def __init__(
        self, texts: Sequence[str], *, delay: float = 0.0, parameters: frozenset[str] = HONOURED, context: int = CONTEXT
    ) -> None:
        self._texts = list(texts)
        self._delay = delay
        self._context = context
        self._vocabulary = _Vocabulary()
        self.parameters = parameters
        self.paths: frozenset[Path] = frozenset({"exact"})
        self.fast = FastPath(why_not=Text("A script has no fast path.", "脚本没有快速路径。"))

    @property
    def card(self) -> ModelCard:
        return ModelCard(
            id="scripted",
            title="Scripted",
            revision="1",
            parameters=0,
            dtype="none",
            size=0,
            context=self._context,
            has_chat_template=True,
        )

    def render(self, request: Request) -> Rendered:
        check_request(request, self.card, self.paths)
        said = (request.system, *(text for _, text in request.turns)) if request.mode == "chat" else ()
        parts = (*said, request.prompt)
        text = "\n".join(part for part in parts if part) + request.prefill
        return Rendered(text, tuple(self._vocabulary.encode(text)), self._context)

    def stream(self, request: Request) -> Iterator[Step]:
        rendered = self.render(request)
        check_room(rendered, self.card.title)
        return self._replay(request, self._context - len(rendered.token_ids))

    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        return from_iterator(self.stream(request), cancelled)

    def _replay(self, request: Request, room: int) -> Iterator[Step]:
        values = request.values
        thinks = opened_after(request.prefill, "") if request.mode == "chat" else None
        rows = [
            self._row(
                row,
                self._texts[seed % len(self._texts)],
                TextWriter(Detokenizer(self._vocabulary), values["stop"], thinks=thinks),
                values["max_new_tokens"],
                room,
            )
            for row, seed in enumerate(rows_seeds(values["seed"], values["n"]))
        ]
        while rows:
            if self._delay:
                time.sleep(self._delay)
            steps = [(row, next(row, None)) for row in rows]
            rows = [row for row, step in steps if step is not None and step.finish is None]
            yield from (step for _, step in steps if step is not None)

    def _row(self, row: int, text: str, writer: TextWriter, most: int, room: int) -> Iterator[Step]:
        position = -1
        for position, token_id in enumerate(self._vocabulary.encode(text)):
            written = writer.push(token_id)
            finish: FinishReason | None = None
            if written.stopped:
                finish = "stop"
            elif position + 1 >= most:
                finish = "length"
            elif position + 1 >= room:
                finish = "context"
            shown = written.text
            if finish is not None and not written.stopped:
                shown += writer.finish()
            yield Step(row=row, position=position, token_id=token_id, text=shown, finish=finish)
            if finish is not None:
                return
        yield Step(row=row, position=position + 1, token_id=None, text=writer.finish(), finish="end")
