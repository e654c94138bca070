"""What somebody asks to be loaded: a model by name, and how. Plain values that can be compared, hashed and kept.

Knows no file and no torch; whether there is such a model is found out where it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.models import adapter_failures, adapters, embedded
from playground.settings import WEIGHTS, ModelSettings, is_address
from playground.types import InvalidRequest, Text

LONGEST_NAME = 4096  # characters, as long as a path may be
LONGEST_TEMPLATE = 100_000  # characters
LEAST_CONTEXT = 16  # tokens
MOST_CONTEXT = 2**24


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and how to load it. `max_memory` is bytes for each device, "cpu" or the number of a GPU.

    `name` is a short name, a hub id, a folder, a GGUF file, or the URL of an engine. `context` in tokens bounds the
    model's own; `chat_template` (Jinja) replaces the model's own. `adapter` is the folder of an adapter that is merged
    into its weights, by `adapter_share` from 0 to 1.
    """

    name: str
    weights: str = "auto"
    max_memory: tuple[tuple[str | int, int], ...] = ()
    context: int | None = None
    chat_template: str | None = None
    trust_remote_code: bool = False
    adapter: str | None = None
    adapter_share: float = 1.0

    @property
    def label(self) -> str:
        """What it is called in sentences, before it is loaded."""
        return self.name if self.adapter is None else adapters.tuned_title(self.name, self.adapter, self.adapter_share)

    @property
    def is_engine(self) -> bool:
        """Whether an engine holds the model, and nothing is loaded here."""
        return is_address(self.name)

    @classmethod
    def of_settings(cls, settings: ModelSettings) -> ModelChoice:
        """The model that a server starts with."""
        limits = tuple((settings.max_memory or {}).items())
        name = settings.engine[0] if settings.engine else settings.model or embedded.ID
        return cls(
            name,
            settings.weights,
            limits,
            trust_remote_code=settings.trust_remote_code,
            adapter=settings.adapter,
            adapter_share=1.0 if settings.adapter is None else settings.adapter_share,
        )

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
        adapter = record.get("adapter")
        if adapter is not None and not (
            isinstance(adapter, str) and len(adapter) <= LONGEST_NAME and adapter.isprintable()
        ):
            raise _wrong("adapter", Text("the folder of an adapter", "适配器文件夹"))
        adapter = (adapter or "").strip() or None
        made = cls(
            name.strip(),
            weights,
            _limits(record.get("max_memory")),
            context,
            template or None,
            record.get("trust_remote_code") is True,
            adapter,
            1.0 if adapter is None else _share(record.get("adapter_share", 1.0)),
        )
        if made.is_engine and adapter is not None:
            said = adapter_failures.on_an_engine()
            raise InvalidRequest(said.message, said.hint, parameter="adapter")
        return made

    def as_record(self) -> dict[str, Any]:
        """Plain data that `of_record` takes; devices as texts."""
        return {
            "name": self.name,
            "weights": self.weights,
            "max_memory": {str(device): size for device, size in self.max_memory},
            "context": self.context,
            "chat_template": self.chat_template,
            "trust_remote_code": self.trust_remote_code,
            "adapter": self.adapter,
            "adapter_share": self.adapter_share,
        }


def _share(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:  # neither is NaN
        raise _wrong("adapter_share", Text("a number from 0 to 1", "0 到 1 之间的数"))
    return float(given)


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
