"""One text that an engine writes: its pieces become Steps here, its stop strings act here, its length ends here.

Knows no connection and no kind of engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from playground.decoding.run_store import StoredRow
from playground.decoding.text_writer import TextWriter
from playground.generators.remote.adapter import Piece
from playground.generators.remote.engine_tokenizer import WrittenPieces
from playground.rendering.detokenize import Detokenizer
from playground.token_views import TokenChance
from playground.types import FinishReason, Step, Text

SHOWN = 10  # candidates of a token that a Step holds


class RowWriter:
    """Row `index` of a request. It ends by itself after `most` tokens with the reason `at_most`.

    Without a tokenizer the text comes in pieces whose tokens are not known.
    """

    def __init__(
        self,
        index: int,
        values: Mapping[str, Any],
        tokenizer: Any,
        prompt: tuple[int, ...],
        *,
        most: int,
        at_most: FinishReason,
        visible: Mapping[int, str],
        thinks: str | None,
        stored: StoredRow | None = None,
    ) -> None:
        self.index = index
        self.tokens: list[int] = []
        self.finish: FinishReason | None = None
        self._pieces = WrittenPieces() if tokenizer is None else None
        detokenizer = Detokenizer(self._pieces or tokenizer, () if self._pieces else prompt, visible)
        self._tokenizer = tokenizer
        self._writer = TextWriter(detokenizer, values["stop"], thinks=thinks)
        self._most = most
        self._at_most = at_most
        self._stored = stored
        self._count = 0

    @property
    def stopped(self) -> bool:
        """Whether a stop string ended it, of which the engine does not know."""
        return self.finish == "stop"

    def take_all(self, pieces: Iterable[Piece]) -> Iterator[Step]:
        """The Steps of these pieces, up to the row's end."""
        for piece in pieces:
            if self.finish is None and (step := self.take(piece)) is not None:
                yield step

    def take(self, piece: Piece) -> Step | None:
        """The Step that this piece makes; None for one that adds nothing."""
        token_id, text = piece.token_id, ""
        if token_id is None and not piece.text:
            return None if piece.finish is None else self.end(piece.finish)
        stopped = False
        ends = piece.finish is not None
        if not ends or piece.text:
            pushed = token_id if self._pieces is None else self._pieces.add(piece.text)
            if pushed is not None:
                text, stopped, *_ = self._writer.push(pushed)
        position, self._count = self._count, self._count + 1
        self._keep(piece, position)
        if stopped:
            self.finish = "stop"
        elif ends:
            self.finish = piece.finish
        elif self._count >= self._most:
            self.finish = self._at_most
        if self.finish is not None and not stopped:
            text += self._writer.finish()
        rank, entropy = _rank_and_entropy(piece)
        step = Step(
            row=self.index,
            position=position,
            token_id=token_id,
            text=text,
            logprob=piece.logprob,
            rank=rank,
            entropy_nats=entropy,
            top=self._top(piece),
            finish=self.finish,
            end_token=self._named(token_id) if self.finish == "end" else None,
        )
        if self._stored is not None:
            self._stored.record(step, {})
        return step

    def end(self, finish: FinishReason, reason: Text | None = None) -> Step:
        """The row ends between two tokens, with the text that was held back."""
        self.finish = finish
        step = Step(self.index, self._count, None, self._writer.finish(), finish=finish, reason=reason)
        if self._stored is not None:
            self._stored.record(step, {})
        return step

    def _keep(self, piece: Piece, position: int) -> None:
        if piece.token_id is None:
            return
        self.tokens.append(piece.token_id)
        if self._stored is None:
            return
        scores = piece.scores
        if scores is None or bool(scores.isnan().any()):
            self._stored.expect(position)
        else:
            self._stored.put(position, scores[None], None, torch.float32, None)

    def _top(self, piece: Piece) -> tuple[TokenChance, ...] | None:
        """The likeliest candidates; None where the engine told none."""
        if piece.scores is not None and not bool(piece.scores.isnan().any()):
            values, ids = piece.scores.topk(min(SHOWN, len(piece.scores)))
            pairs = zip(ids.tolist(), values.tolist(), strict=True)
            return tuple(TokenChance(one, self._tokenizer.decode([one]), math.exp(value), None) for one, value in pairs)
        known = [one for one in piece.top if one.token_id is not None]
        return (
            tuple(TokenChance(int(one.token_id or 0), one.text, math.exp(one.logprob), None) for one in known) or None
        )

    def _named(self, token_id: int | None) -> str | None:
        return None if token_id is None else str(self._tokenizer.convert_ids_to_tokens(token_id))


def _rank_and_entropy(piece: Piece) -> tuple[int | None, float | None]:
    """The token's rank under the model (from 1) and the entropy in nats, as far as the figures tell."""
    scores = piece.scores
    if scores is not None and piece.token_id is not None and not bool(scores.isnan().any()):
        entropy = float(torch.special.entr(scores.exp()).sum())
        return int((scores > scores[piece.token_id]).sum()) + 1, entropy
    ids = [one.token_id for one in piece.top]
    if piece.token_id is not None and piece.token_id in ids:
        return ids.index(piece.token_id) + 1, None
    return None, None
