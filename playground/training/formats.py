"""Files of training data: tables, conversations and plain text become records. Knows no task and no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from playground.types import Text, Turn

Kind = Literal["columns", "chat", "pairs", "text"]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation. It begins with a message, its turns alternate, and `learned` names the turns (from 0) whose
    answers are to be learned."""

    system: str
    turns: tuple[Turn, ...]
    learned: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """What a file holds, row by row, counted from 1. `refused` are the rows that cannot be used, with the reason.

    "columns" and "pairs" (columns of a known meaning, as Alpaca has them) have rows of texts by column, "chat" has
    conversations, "text" has the pieces of one long text, which together are that text.
    """

    kind: Kind
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str] | Talk | str, ...]
    refused: Mapping[int, Text] = field(default_factory=dict)
