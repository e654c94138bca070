"""What somebody asks to be loaded: a model by name, and how. Plain values that can be compared, hashed and kept.

Knows no file and no torch; whether there is such a model is found out where it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.models import embedded
from playground.settings import WEIGHTS, ModelSettings
from playground.types import InvalidRequest, Text

LONGEST_NAME = 4096  # characters, as long as a path may be
LONGEST_TEMPLATE = 100_000  # characters
LEAST_CONTEXT = 16  # tokens
MOST_CONTEXT = 2**24


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and how to load it. `max_memory` is bytes for each device, "cpu" or the number of a GPU.

    `name` is a short name, a hub id, a folder, a GGUF file, or the URL of an engine. `context` in tokens bounds the
    model's own; `chat_template` (Jinja) replaces the model's own.
    """

    name: str
    weights: str = "auto"
    max_memory: tuple[tuple[str | int, int], ...] = ()
    context: int | None = None
    chat_template: str | None = None
    trust_remote_code: bool = False

    @property
    def is_engine(self) -> bool:
        """Whether an engine holds the model, and nothing is loaded here."""
        return self.name.lower().startswith(("http://", "https://"))

    @classmethod
    def of_settings(cls, settings: ModelSettings) -> ModelChoice:
        """The model that a server starts with."""
        limits = tuple((settings.max_memory or {}).items())
        name = settings.engine[0] if settings.engine else settings.model or embedded.ID
        return cls(name, settings.weights, limits, trust_remote_code=settings.trust_remote_code)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> ModelChoice:
        """A choice out of plain data that nobody has checked. Raises InvalidRequest that names the field."""
        name = record.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
            raise _wrong("name", Text("the name of a model", "模型名称"))
        weights = record.get("weights", "auto")
        if weights not in WEIGHTS:
            raise _wrong("weights", Text(f"one of {', '.join(WEIGHTS)}", f"以下之一：{'、'.join(WEIGHTS)}"))
        context = record.get("context")
        if context is not None and not (type(context) is int and LEAST_CONTEXT <= context <= MOST_CONTEXT):
            raise _wrong(
                "context",
                Text(
                    f"a whole number from {LEAST_CONTEXT} to {MOST_CONTEXT:,}",
                    f"{LEAST_CONTEXT} 到 {MOST_CONTEXT:,} 之间的整数",
                ),
            )
        template = record.get("chat_template")
        if template is not None and not (isinstance(template, str) and len(template) <= LONGEST_TEMPLATE):
            raise _wrong(
                "chat_template",
                Text(f"a text of at most {LONGEST_TEMPLATE:,} characters", f"最多 {LONGEST_TEMPLATE:,} 个字符的文本"),
            )
        return cls(
            name.strip(),
            weights,
            _limits(record.get("max_memory")),
            context,
            template or None,
            record.get("trust_remote_code") is True,
        )

    def as_record(self) -> dict[str, Any]:
        """Plain data that `of_record` takes; devices as texts."""
        return {
            "name": self.name,
            "weights": self.weights,
            "max_memory": {str(device): size for device, size in self.max_memory},
            "context": self.context,
            "chat_template": self.chat_template,
            "trust_remote_code": self.trust_remote_code,
        }


def _limits(given: object) -> tuple[tuple[str | int, int], ...]:
    """Bytes by device, out of a mapping whose keys are "cpu" or a GPU's number, as a text or not."""
    if not given:
        return ()
    found: list[tuple[str | int, int]] = []
    for device, size in given.items() if isinstance(given, Mapping) else ((None, None),):
        known = device == "cpu" or (str(device).isdecimal() and len(str(device)) <= 4)
        if not known or type(size) is not int or not 0 <= size < 2**60:
            raise _wrong("max_memory", Text("bytes for cpu or the number of a GPU", "cpu 或显卡编号对应的字节数"))
        found.append(("cpu" if device == "cpu" else int(str(device)), size))
    return tuple(found)


def _wrong(name: str, allowed: Text) -> InvalidRequest:
    return InvalidRequest(
        Text(f"{name} of a model must be {allowed.en}.", f"模型的 {name} 应为{allowed.zh}。"), parameter=name
    )
