"""What is trained: a request with the answer that is wanted, and the same as token ids. Knows no file and no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.types import Request

CutPart = Literal["", "turns", "prompt", "answer"]


@dataclass(frozen=True, slots=True)
class Example:
    """A request as Play sends it, and the text that should follow right behind it. `row` counts from 1 in the file.

    Continued text has a request without a prompt. A `piece` of it is a part of one long text: it goes on where the
    piece of the row before ends. What is no piece is a text by itself.
    """

    request: Request
    answer: str
    row: int
    piece: bool = False

    @property
    def continued(self) -> bool:
        """Whether this is text to be continued: all of it is learned, and no prompt stands before it."""
        request = self.request
        return request.mode == "complete" and not request.prompt and not request.prefill


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids as the model reads them in training, and which of them it learns to write; both are equally long.

    `cut` tokens of the row were left out because it was too long, and `part` says of what: the oldest turns of a
    conversation, the prompt's end and all of the answer, or the answer's end.
    """

    ids: tuple[int, ...]
    learned: tuple[bool, ...]
    cut: int
    row: int
    part: CutPart = ""

    @property
    def count(self) -> int:
        """How many tokens are learned. The first token of a row has nothing before it, so nobody learns it."""
        return sum(self.learned[1:])
