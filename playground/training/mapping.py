"""Which column is what: records of a file become requests with the answers that are wanted.

A row goes the way that a visitor's fields go on the tab Play, so what is trained is what is sent there. Knows no
tokenizer and no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from playground.types import Language, Mode


@dataclass(frozen=True, slots=True)
class TaskMapping:
    """Columns fill the fields of a task (`columns`: field to column), and `answer` is the column of the wanted text.

    `fixed` holds the fields that are the same in all rows. `own` is the YAML of a person's own task; "" for a preset.
    """

    task: str
    language: Language
    mode: Mode
    columns: Mapping[str, str]
    answer: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    own: str = ""


@dataclass(frozen=True, slots=True)
class FreeMapping:
    """A prompt of one's own with `{{variables}}`, and `answer`, the column of the wanted text.

    A variable takes its text from the column that `columns` names for it, else from the column of its own name.
    `system` and `prefill` (chat alone) may hold variables too.
    """

    prompt: str
    answer: str
    system: str = ""
    mode: Mode = "chat"
    prefill: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatMapping:
    """Each answer of a conversation is learned, with the turns before it as Play sends them."""


@dataclass(frozen=True, slots=True)
class TextMapping:
    """Text to be continued: a text file, or the texts in `column`."""

    column: str = ""


DataMapping = TaskMapping | FreeMapping | ChatMapping | TextMapping
KINDS: Mapping[str, type[DataMapping]] = {
    "task": TaskMapping,
    "free": FreeMapping,
    "chat": ChatMapping,
    "text": TextMapping,
}


def as_record(mapping: DataMapping) -> dict[str, Any]:
    """The mapping as plain data, as `of_record` reads it again."""
    kind = next(name for name, one in KINDS.items() if isinstance(mapping, one))
    return {"kind": kind, **asdict(mapping)}
