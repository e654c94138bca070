"""More fields that a task is measured with, beside its defaults and its worked examples: `presets/measured/inputs/`.

A prompt that is tuned until its own examples read well may fail with anything else. Knows no model.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from playground.evaluation import reports
from playground.tasks import schema
from playground.tasks.task import Task
from playground.types import LANGUAGES, InvalidRequest, Language


def load(task: Task, language: Language, folder: Path | None = None) -> list[dict[str, str]]:
    """The fields of each input in this language; none where there are none. Raises SchemaError with file and line."""
    path = (folder or reports.FOLDER / "inputs") / f"{task.id}.yaml"
    if not path.exists():
        return []
    found = []
    for node in schema.read(path).items():
        top = node.mapping(required=("language", "fields"))
        spoken = cast(Language, top["language"].one_of(LANGUAGES))
        given = {name: value.text(empty=True) for name, value in top["fields"].mapping(anything=True).items()}
        try:
            checked = task.checked_fields(given, spoken)
        except InvalidRequest as error:
            raise top["fields"].wrong(error.message.en, error.message.zh) from None
        if spoken == language:
            found.append(dict(checked))
    return found
