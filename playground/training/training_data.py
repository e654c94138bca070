"""The files of a plan as rows of token ids: read, mapped, split and encoded for one loaded model.

Knows no weights and no trainer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.models import Loaded
from playground.rendering.prompt import Prompts
from playground.tables.rows import Reading
from playground.training import formats, mapping
from playground.training.data_report import DataReport, report
from playground.training.encoding import check_learns, encode_all
from playground.training.example import Encoded, Example
from playground.training.mapped import Mapped, check_any, examples, mapped
from playground.training.plan import TrainPlan
from playground.training.split import split
from playground.types import InvalidRequest, Text


@dataclass(frozen=True, slots=True)
class PreparedData:
    """Rows that are learned and rows that measure it, examples to write samples of, and what is to be known."""

    train: tuple[Encoded, ...]
    validation: tuple[Encoded, ...]
    samples: tuple[Example, ...]
    notice: Text | None
    report: DataReport
    longest: int


def prepared_data(data: Path, plan: TrainPlan, loaded: Loaded) -> PreparedData:
    """The rows of the plan's files, which lie in the folder `data`. Raises InvalidRequest that names the field, and
    ModelError where the files are gone."""
    found, wanted = read_files(data, plan, "chat" if loaded.card.has_chat_template else "complete")
    file: list[Example] | None = None
    if plan.validation:
        file = examples(formats.read(_there(data / plan.validation)), wanted)
    # Whatever day it is resumed on, the rows are those of the day it was made.
    day = plan.created or None
    prompts = Prompts(loaded.model, loaded.tokenizer, loaded.card.title, loaded.card.context, loaded.turn_ends, day)
    return encoded_rows(found, file, plan.settings, prompts, loaded.card.context)


def encoded_rows(
    found: Mapped, file: Sequence[Example] | None, settings: Mapping[str, Any], prompts: Prompts, context: int
) -> PreparedData:
    """Mapped rows, split or measured by those of a `file`, and encoded within the `context` in tokens. Raises
    InvalidRequest that names the field."""
    longest = min(int(settings["cut_length"]), context)
    sides = split(found.examples, settings["validation_share"], settings["seed"], file)
    train = encode_all(sides.train, prompts, longest, settings["learn"])
    check_learns(train, longest)
    validation = encode_all(sides.validation, prompts, longest, settings["learn"])
    return PreparedData(
        train=train.rows,
        validation=validation.rows,
        samples=sides.validation or sides.train,
        notice=sides.notice,
        report=report(found, sides, train, validation, file or ()),
        longest=longest,
    )


def read_files(data: Path, plan: TrainPlan, mode: Any) -> tuple[Mapped, mapping.DataMapping]:
    """The examples of the plan's file, and its mapping; without one, what the file itself says. Raises InvalidRequest
    where it says nothing."""
    records = formats.read(_there(data / plan.data), _reading(plan.reading))
    wanted = mapping.of_record(plan.mapping) if plan.mapping else mapping.suggested(records, mode)
    if wanted is None:
        raise InvalidRequest(
            Text("It is not said which column is the text that is wanted.", "没有指明目标文本是哪一列。"),
            Text(f"The columns are {', '.join(records.columns)}.", f"文件的列有{'、'.join(records.columns)}。"),
            parameter="mapping",
        )
    found = mapped(records, wanted)
    check_any(found)
    return found, wanted


def _there(path: Path) -> Path:
    if path.is_file():
        return path
    raise InvalidRequest(
        Text("The data of this training is gone.", "此训练的数据文件已不存在。"),
        Text("Start a new training with the file.", "请用该文件新建训练。"),
        parameter="data",
    )


def _reading(given: Mapping[str, str]) -> Reading:
    known = {name: value for name, value in given.items() if name in Reading.__dataclass_fields__}
    return Reading(**known)
