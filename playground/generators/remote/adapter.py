"""What a kind of engine must be able to say and do, so that one generator speaks with all of them.

An adapter knows its kind's fields and events; it knows no page, no run and no thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from playground.types import FinishReason, ModelCard, Rendered, Request, Text

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine said of itself. `slots` is how many texts it writes at once, None where it does not say."""

    kind: str
    title: str
    version: str
    card: ModelCard
    slots: int | None = None
    vocab_size: int | None = None
    model: str = ""  # as its `model` field wants it


@dataclass(frozen=True, slots=True)
class RowRequest:
    """One text that an engine is asked for.

    `most` is how many tokens it may have, `seed` is the row's own. `top` is how many candidates a token should come
    with; `whole` asks for the log-probabilities of the whole vocabulary.
    """

    request: Request
    rendered: Rendered
    seed: int
    most: int
    top: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class TopToken:
    """One candidate of a token; `logprob` is natural, before the samplers."""

    token_id: int | None
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event added: a token, or text whose tokens the engine does not tell (`token_id` None).

    `scores` [vocab] are the log-probabilities of the whole vocabulary, where they were asked for. A piece with `finish`
    is the last one.
    """

    text: str = ""
    token_id: int | None = None
    logprob: float | None = None
    top: tuple[TopToken, ...] = ()
    scores: Tensor | None = None
    finish: FinishReason | None = None


class EventReader(Protocol):
    """Reads the events of one text, in their order."""

    @property
    def usage(self) -> tuple[int, int] | None:
        """Tokens of the prompt and of the text as the engine counts them, once it has told; it may do so after the end.
        None where the text's tokens are known anyway."""

    def read(self, event: dict[str, Any]) -> Sequence[Piece]:
        """What this event added. Raises EngineError for one that tells of a failure."""


class Adapter(Protocol):
    """One kind of engine, at one address."""

    @property
    def facts(self) -> EngineFacts: ...

    @property
    def parameters(self) -> frozenset[str]:
        """The registry's parameters that this engine honours."""

    @property
    def lacks(self) -> Mapping[str, Text]:
        """The others, each with the reason in a sentence."""

    @property
    def tokenizer(self) -> Any:
        """The engine's vocabulary with what transformers' tokenizers can do of it; None where it is not known here."""

    @property
    def scores_all(self) -> bool:
        """Whether it gives the log-probabilities of its whole vocabulary."""

    def render(self, request: Request) -> Rendered:
        """The request as the engine will read it. Raises Refused where it cannot."""

    def check(self, request: Request) -> None:
        """Raises Refused, naming the parameter, for a value that this engine cannot honour."""

    def call(self, row: RowRequest) -> tuple[str, dict[str, Any]]:
        """The path and the body that ask for this text; every honoured parameter stands in it, neutral ones too."""

    def reader(self, row: RowRequest) -> EventReader: ...

    def score_call(self, ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
        """Asks for the scores of the one token that follows these ids."""

    def scores(self, answer: dict[str, Any]) -> Tensor:
        """The log-probabilities [1, vocab] in the answer to `score_call`. Raises EngineError where some are missing."""


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """What an engine told of a token that stands in a text: its natural `logprob`, its `rank` under the model (from 1)
    and the likeliest there, each as far as it is known."""

    logprob: float | None = None
    rank: int | None = None
    top: tuple[TopToken, ...] = ()


class ReadingAdapter(Adapter, Protocol):
    """An engine whose tokens are known here, so that a text can be read token by token."""

    def ids(self, text: str, *, begins: bool, acts: bool, parameter: str) -> list[int]:
        """The ids of a text that is only read; `begins` puts before it what the engine puts before plain text, and
        control tokens in it are text unless it `acts`. Raises PlaygroundError where it cannot be read so."""

    def few_calls(self, ids: Sequence[int], count: int) -> Iterable[tuple[str, dict[str, Any]]]:
        """The questions that tell of every token of `ids` but the first its own figure and the `count` likeliest."""

    def few_figures(self, answer: dict[str, Any], ids: Sequence[int], place: int) -> list[TokenFigures]:
        """What an answer tells, of the tokens from `place` on. Raises EngineError for one that cannot be read."""


@dataclass(slots=True)
class Waiting:
    """How long a request still waits: `ahead` texts before it, `seconds` as the engine asked for."""

    ahead: int = 0
    seconds: float | None = None
    begun: bool = field(default=False)
