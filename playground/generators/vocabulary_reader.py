"""What a generator can do whose whole vocabulary is known here: read a text, and tell the scores behind any prompt.

Whether one can is asked of it: it has such a reader, or a sentence why not. Knows no kind of generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from playground.types import Generator, ModelCard, Refused, Rendered, Request, Text

if TYPE_CHECKING:
    from torch import Tensor

    from playground.decoding.run_store import StoredRow
    from playground.inspection_results import Detection, ReadToken
    from playground.rendering.detokenize import Labels

Halted = Callable[[], bool]


class VocabularyReader(Protocol):
    """Everything here raises PlaygroundError where it cannot be done, and Stopped soon after `halted` is true."""

    @property
    def tells_all(self) -> bool:
        """Whether `look` and `scores` work; else only `read` does, with the likeliest few."""

    @property
    def card(self) -> ModelCard: ...

    @property
    def tokenizer(self) -> Any: ...

    @property
    def labels(self) -> Labels: ...

    def render(self, request: Request) -> Rendered: ...

    def look(self, request: Request, halted: Halted) -> StoredRow:
        """A row without a token, whose first scores are those behind the request's prompt."""

    def tokens(self, text: str, *, special: bool, acts: bool = False, parameter: str = "text") -> list[int]:
        """The ids of a text that is only read. Control tokens in it are text unless it `acts`; `special` adds what
        the tokenizer puts before plain text."""

    def written(self, token_id: int) -> str | None:
        """The text that this token writes wherever it stands; None for special tokens and parts of a character."""

    def check_reads(self) -> None:
        """Raises Refused where it cannot say of each token what it expected there."""

    def read(self, ids: Sequence[int], halted: Halted) -> Iterator[list[ReadToken]]:
        """What the model thinks of these tokens, one after the other, in pieces."""

    def scores(self, ids: Sequence[int], halted: Halted) -> Iterator[tuple[Tensor, list[int]]]:
        """The scores [count, vocab] behind each token but the last, in pieces, with those that really followed."""

    def detect(self, ids: Sequence[int], watermark: dict[str, Any], halted: Halted) -> Detection:
        """Whether these tokens carry the watermark."""


def find(generator: Generator) -> VocabularyReader | None:
    """What reads for this generator; None where its tokens or their figures are not known here."""
    found: VocabularyReader | None = getattr(generator, "vocabulary", None)
    return found


def tells_all(generator: Generator) -> bool:
    """Whether it tells the scores of a whole vocabulary."""
    found = find(generator)
    return found is not None and found.tells_all


def needed(generator: Generator, *, whole: bool = True) -> VocabularyReader:
    """What reads for this generator, with the `whole` vocabulary's scores. Raises Refused, with what it lacks."""
    found = find(generator)
    if found is not None and (found.tells_all or not whole):
        return found
    name = generator.name
    why = Text(
        f"{name} tells no probabilities of a whole vocabulary.",
        f"{name} 不提供整个词表的概率。",
    )
    if not generator.knows_tokens:
        why = Text(
            f"{name}'s tokens are not known here, so a text is unknown here token by token.",
            f"这里不知道 {name} 的词元，因此无法逐个词元查看文本。",
        )
    raise Refused(
        why, Text("Choose a model on this machine, or a llama.cpp server.", "请选择本机上的模型，或 llama.cpp 服务器。")
    )
