"""What one training is to do, as plain data that is kept in its folder. Knows no model, and reads no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from playground.models.model_choice import ModelChoice
from playground.training.file_reader import KINDS
from playground.training.train_settings import validate_settings
from playground.types import InvalidRequest, Text

LONGEST_NAME = 200  # characters, of a training
LONGEST_NOTE = 20_000


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What is learned from what. `base` is the model, `data` and `validation` are names of files in the folder's data
    folder; their own names are in `files`. `mapping` is a record of `training.mapping`, `settings` are complete. An
    empty mapping is what the file itself says; `reading` is how a table is read that does not show it by itself.

    `accelerate` is None for a process on one device; else what `accelerate launch` gets as its --config_file, ""
    for its own default. `id` and `created` (seconds since 1970) are set when a folder is made for it.
    """

    name: str
    base: Mapping[str, Any]
    mapping: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: str = ""
    validation: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, str] = field(default_factory=dict)
    accelerate: str | None = None
    id: str = ""
    created: float = 0.0

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> TrainPlan:
        """A plan out of plain data that nobody has checked, but for its mapping, which is read with the data. Raises
        InvalidRequest that names the field."""
        mapping, files = record.get("mapping") or {}, record.get("files") or {}
        reading = record.get("reading") or {}
        if not all(isinstance(one, Mapping) for one in (mapping, files, reading)):
            raise InvalidRequest(Text("mapping must be a record.", "mapping 应为记录。"), parameter="mapping")
        settings = record.get("settings") or {}
        if not isinstance(settings, Mapping):
            raise InvalidRequest(Text("settings must be a record.", "settings 应为记录。"), parameter="settings")
        base = record.get("base")
        if not isinstance(base, Mapping):
            raise InvalidRequest(Text("base must be a record of a model.", "base 应为模型记录。"), parameter="base")
        accelerate = record.get("accelerate")
        return cls(
            name=checked_name(record.get("name")),
            base=ModelChoice.of_record(base).as_record(),
            mapping=dict(mapping),
            settings=validate_settings(settings),
            data=str(record.get("data") or ""),
            validation=str(record.get("validation") or ""),
            reading={str(name): str(value) for name, value in reading.items()},
            files={str(name): str(own) for name, own in files.items()},
            accelerate=accelerate if isinstance(accelerate, str) else None,
            id=str(record.get("id") or ""),
            created=float(record.get("created") or 0.0),
        )

    def as_record(self) -> dict[str, Any]:
        """Plain data that `of_record` takes."""
        return {
            "name": self.name,
            "base": dict(self.base),
            "mapping": dict(self.mapping),
            "settings": dict(self.settings),
            "data": self.data,
            "validation": self.validation,
            "files": dict(self.files),
            "reading": dict(self.reading),
            "accelerate": self.accelerate,
            "id": self.id,
            "created": self.created,
        }

    @property
    def choice(self) -> ModelChoice:
        return ModelChoice.of_record(self.base)

    def with_files(self, data: str, validation: str = "") -> TrainPlan:
        """The plan with its files under names that are safe in a folder; `data` and `validation` are their own."""
        names = {stored_name("data", data): data}
        if validation:
            names[stored_name("validation", validation)] = validation
        stored = list(names)
        return replace(self, data=stored[0], validation=stored[1] if validation else "", files=names)


def stored_name(what: str, own: str) -> str:
    """`data.csv` for a file of that kind, whatever its own name is. Raises InvalidRequest for other kinds."""
    ending = next((one for one in KINDS if own.lower().endswith(one)), None)
    if ending is None:
        raise InvalidRequest(
            Text(f"A training reads no files like {own[-60:]!r}.", f"训练无法读取 {own[-60:]!r} 这类文件。"),
            Text(f"It reads {', '.join(KINDS)}.", f"可读取 {'、'.join(KINDS)}。"),
            parameter="data",
        )
    return what + ending


def checked_name(name: object) -> str:
    """What a person calls a training: one line of text, which never becomes a path. Raises InvalidRequest."""
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(
            Text(
                f"name must be one line of at most {LONGEST_NAME} characters.",
                f"名称应为一行、最多 {LONGEST_NAME} 个字符。",
            ),
            parameter="name",
        )
    return name.strip()
