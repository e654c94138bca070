"""From what the tab's form holds to a training's plan, and what its data is: report and first rows, token by token.

All that comes from a browser is checked here. Knows no element; asks a loaded model for its prompts, and computes
nothing with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from playground.models.model_choice import ModelChoice
from playground.serving.model_pool import ModelPool, PoolEntry
from playground.training import mapping
from playground.training.data_report import DataReport, preview
from playground.training.example import Encoded, Example
from playground.training.mapped import check_any, examples, mapped
from playground.training.plan import TrainPlan
from playground.training.train_settings import validate_settings
from playground.training.trainable import check_trainable
from playground.training.training_data import encoded_rows
from playground.types import Generator, InvalidRequest, ModelError, PlaygroundError, Text
from playground.ui.model_data import entry_key
from playground.ui.page_texts import bilingual
from playground.ui.train_files import StagedFile, StagedFiles

SHOWN = 3  # first rows that are shown token by token
_TOKENS = 1500  # of one row that are shown
_NO_MODEL = Text("No model is loaded that could be trained.", "没有已加载的可训练模型。")
_LOAD = Text("Load one on the tab Model.", "请在“模型”页加载一个。")
_NOT_HERE = Text("{title} is not a model on this machine, so it cannot be trained.", "{title} 不在本机，无法训练。")
_UNMAPPED = Text("It is not said which column is the text that is wanted.", "没有指明目标文本是哪一列。")
_CHOOSE = Text("Choose a column.", "请选择一列。")
Sent = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """What the form asks for: the plan, the files it needs, and the loaded model that is its base."""

    plan: TrainPlan
    data: StagedFile
    validation: StagedFile | None
    generator: Generator

    @property
    def mark(self) -> tuple[Any, ...]:
        """Equal for two forms that ask for the same training."""
        return self.plan, self.data.key, self.validation and self.validation.key


@dataclass(frozen=True, slots=True)
class PreviewedData:
    """What there is to know of a form's data; `first` are rows as the model will see them."""

    report: DataReport
    first: tuple[Encoded, ...]
    tokenizer: Any

    def as_record(self) -> dict[str, Any]:
        """Plain data for the page: of each row its tokens as [text, whether it is learned]."""
        rows = [
            {
                "row": one.row,
                "count": len(one.ids),
                "learned": one.count,
                "cut": one.cut,
                "part": one.part,
                "tokens": preview(_beginning(one), self.tokenizer),
                "more": max(0, len(one.ids) - _TOKENS),
            }
            for one in self.first
        ]
        return {"report": _report_record(self.report), "first": rows}


def bases(pool: ModelPool) -> list[dict[str, Any]]:
    """The loaded models, the current one first: each with why it cannot be trained, where it cannot."""
    return [
        {
            "key": entry_key(entry.choice),
            "title": entry.card.title,
            "context": entry.card.context,
            "chat": entry.card.has_chat_template,
            "trouble": bilingual(_trouble(entry)),
        }
        for entry in pool.entries()
    ]


def base_choice(choice: ModelChoice) -> ModelChoice:
    """The model itself: an adapter is no part of it, and a training has a number format of its own."""
    return replace(choice, weights="auto", adapter=None, adapter_share=1.0)


def checked_form(sent: Sent, files: StagedFiles, pool: ModelPool) -> CheckedForm:
    """What the form asks for. Raises InvalidRequest that names the field, and ModelError for the base."""
    data = files.find(sent.get("data"))
    key = sent.get("validation")
    validation = files.find(key, "validation") if key else None
    entry = _base(sent.get("base"), pool)
    check_trainable(base_choice(entry.choice))
    settings = sent.get("settings")
    wanted = sent.get("mapping") or None
    if wanted is None:
        found = mapping.suggested(data.records, "chat" if entry.card.has_chat_template else "complete")
        if found is None:
            raise InvalidRequest(_UNMAPPED, _CHOOSE, parameter="answer")
        wanted = mapping.as_record(found)
    plan = TrainPlan.of_record(
        {
            "name": str(sent.get("name") or "").strip() or data.name,
            "base": base_choice(entry.choice).as_record(),
            "mapping": mapping.as_record(mapping.of_record(wanted)),
            "settings": validate_settings(settings if isinstance(settings, Mapping) else {}),
            "reading": dict(data.reading),
        }
    )
    return CheckedForm(plan, data, validation, entry.generator)


def previewed(form: CheckedForm) -> PreviewedData:
    """Maps, splits and encodes all rows as the training will. Raises InvalidRequest that names the field, and
    ModelError where the current model encodes no text here."""
    wanted, generator = mapping.of_record(form.plan.mapping), form.generator
    prompts, tokenizer = getattr(generator, "prompts", None), getattr(generator, "tokenizer", None)
    if prompts is None or tokenizer is None:
        raise ModelError(_NOT_HERE.filled(title=generator.card.title), _LOAD)
    found = mapped(form.data.records, wanted)
    check_any(found)
    file = None if form.validation is None else _of_validation(form.validation, wanted)
    data = encoded_rows(found, file, form.plan.settings, prompts, generator.card.context)
    return PreviewedData(data.report, data.train[:SHOWN], tokenizer)


def _of_validation(file: StagedFile, wanted: mapping.DataMapping) -> list[Example]:
    """The examples of the file of validation; what is wrong with it is said of that file."""
    try:
        return examples(file.records, wanted)
    except InvalidRequest as wrong:
        raise InvalidRequest(wrong.message, wrong.hint, parameter="validation") from None


def _base(key: object, pool: ModelPool) -> PoolEntry:
    entries = pool.entries()
    for entry in entries:
        if entry_key(entry.choice) == key:
            return entry
    if not entries:
        raise ModelError(_NO_MODEL, _LOAD)
    if key:
        raise InvalidRequest(Text("This model is not loaded any more.", "此模型已不再加载。"), _LOAD, parameter="base")
    return entries[0]


def _trouble(entry: PoolEntry) -> Text | None:
    try:
        check_trainable(base_choice(entry.choice))
    except PlaygroundError as error:
        return Text(error.say("en"), error.say("zh"))
    if getattr(entry.generator, "prompts", None) is None:
        return Text(_NOT_HERE.filled(title=entry.card.title).en, _NOT_HERE.filled(title=entry.card.title).zh)
    return None


def _beginning(row: Encoded) -> Encoded:
    return replace(row, ids=row.ids[:_TOKENS], learned=row.learned[:_TOKENS])


def _report_record(told: DataReport) -> dict[str, Any]:
    return {
        **told.as_record(),
        "notice": bilingual(told.notice),
        "reasons": [{"row": row, "reason": bilingual(reason)} for row, reason in told.reasons],
    }
