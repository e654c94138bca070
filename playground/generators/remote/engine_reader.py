"""An engine as a reader of texts: it is asked for the scores behind a prompt, and of each token of a text.

For engines that tell the log-probabilities of their whole vocabulary. Knows no kind of engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from playground.decoding.run_store import StoredRow, StoredRun
from playground.decoding.score_text import detect_watermark, scored_tokens, unscored_tokens
from playground.generators.checks import check_ids, check_room
from playground.generators.remote.adapter import ReadingAdapter, TokenFigures
from playground.inspection_results import Detection, ReadToken, Token
from playground.rendering.detokenize import BROKEN, Labels
from playground.types import ModelCard, Rendered, Request

if TYPE_CHECKING:
    from playground.generators.remote.generator import RemoteGenerator

LONGEST_WHOLE = 64
"""Tokens up to which a text is read with the figures of the whole vocabulary where each is a request of its own."""
_PIECE = 4  # tokens that are shown together
_FEW_PIECE = 16  # of those that come with a few figures
FEW = 10  # candidates of a token that is read without the whole vocabulary
Halted = Callable[[], bool]


class EngineReader:
    """Reads through one engine; see `VocabularyReader`."""

    def __init__(self, generator: RemoteGenerator, adapter: ReadingAdapter) -> None:
        self._generator = generator
        self._adapter = adapter

    @property
    def tells_all(self) -> bool:
        """Whether the whole vocabulary's figures can be had, or the likeliest few only."""
        return self._adapter.scores_all

    @property
    def card(self) -> ModelCard:
        return self._generator.card

    @property
    def tokenizer(self) -> Any:
        return self._adapter.tokenizer

    @property
    def labels(self) -> Labels:
        return self._generator.labels

    def render(self, request: Request) -> Rendered:
        return self._generator.render(request)

    def look(self, request: Request, halted: Halted = lambda: False) -> StoredRow:
        """The scores behind the prompt: one token's, and it is not drawn."""
        rendered = self.render(request)
        check_room(rendered, self.card.title)
        check_ids(request.values, len(self.tokenizer))
        setting = self._generator.setting(request, rendered)
        stored = StoredRun(None, "", request.values, setting, [request.values["seed"]])
        stored.own_draws = self._generator.own_draws
        (scores,) = self._generator.score_source([rendered.token_ids], halted)
        stored.rows[0].put(0, scores, None, torch.float32, None)
        stored.close()
        return stored.rows[0]

    def tokens(self, text: str, *, special: bool, acts: bool = False, parameter: str = "text") -> list[int]:
        return self._adapter.ids(text, begins=special, acts=acts, parameter=parameter) if text else []

    def written(self, token_id: int) -> str | None:
        """The text that this token writes wherever it stands; None for special tokens and parts of a character."""
        text: str = self.tokenizer.decode([token_id], clean_up_tokenization_spaces=False)
        special = token_id in self.tokenizer.all_special_ids
        return None if special or not text or BROKEN in text else self.labels[token_id]

    def check_reads(self) -> None:
        """Every engine that tells its scores reads."""

    def read(self, ids: Sequence[int], halted: Halted = lambda: False) -> Iterator[list[ReadToken]]:
        """With the whole vocabulary's figures, or where that would take too long with the likeliest few: then entropy
        and ranks beyond them are not known."""
        whole = self.tells_all and len(ids) <= LONGEST_WHOLE
        return self._whole(ids, halted) if whole else self._few(ids, halted)

    def scores(self, ids: Sequence[int], halted: Halted = lambda: False) -> Iterator[tuple[Tensor, list[int]]]:
        """The log-probabilities [count, vocab] behind each token but the last, in pieces, with those that followed."""
        several = self._generator.score_source((ids[:end] for end in range(1, len(ids))), halted)
        gathered: list[Tensor] = []
        for place, scores in enumerate(several, 1):
            gathered.append(scores)
            if len(gathered) == _PIECE or place == len(ids) - 1:
                yield torch.cat(gathered), list(ids[place - len(gathered) + 1 : place + 1])
                gathered = []

    def detect(self, ids: Sequence[int], watermark: dict[str, Any], halted: Halted = lambda: False) -> Detection:
        """Needs the tokens only, and nothing of the engine."""
        first = self.tokenizer.bos_token_id
        config = SimpleNamespace(vocab_size=len(self.tokenizer), bos_token_id=first, is_encoder_decoder=False)
        given = torch.tensor([list(ids)], dtype=torch.long)
        return detect_watermark(config, given, watermark, halted)

    def _whole(self, ids: Sequence[int], halted: Halted) -> Iterator[list[ReadToken]]:
        tokens = unscored_tokens(self.tokenizer, self.labels, ids)
        yield tokens[:1]
        place = 1
        for scores, follow in self.scores(ids, halted):
            named = [one.token for one in tokens[place : place + len(follow)]]
            yield scored_tokens(scores, torch.tensor(follow), named, self.labels, set(self.tokenizer.all_special_ids))
            place += len(follow)

    def _few(self, ids: Sequence[int], halted: Halted) -> Iterator[list[ReadToken]]:
        tokens = unscored_tokens(self.tokenizer, self.labels, ids)
        yield tokens[:1]
        place, gathered = 1, list[ReadToken]()
        for answer in self._generator.score_source.answers(self._adapter.few_calls(ids, FEW), halted):
            for figures in self._adapter.few_figures(dict(answer), ids, place):
                gathered.append(self._read(tokens[place].token, figures))
                place += 1
            if len(gathered) >= _FEW_PIECE or place == len(ids):
                yield gathered
                gathered = []

    def _read(self, token: Token, figures: TokenFigures) -> ReadToken:
        special = set(self.tokenizer.all_special_ids)
        known = [(one.token_id, math.exp(one.logprob)) for one in figures.top if one.token_id is not None]
        top = tuple((Token(one, self.labels[one], one in special), chance) for one, chance in known)
        return ReadToken(token, figures.logprob, figures.rank, None, top)
