"""What one training has learned, written as a folder for others: adapter, merged weights or GGUF file, with a card.

Knows the folder of a training, and of formats what export.py and export_gguf.py write.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from playground.models import adapters
from playground.models.loading import quiet
from playground.models.model_choice import ModelChoice
from playground.training import export_gguf
from playground.training.export import export_adapter, export_merged, whole_folder, write_texts
from playground.training.model_card import MERGED_NUMBERS, Form, Learned, card_files
from playground.training.training_folder import TrainingFolder, read_json
from playground.types import InvalidRequest, ProgressReport, Text

DATA = "report.json"  # in a training's folder, where it is kept: what was counted in its data

_NOTHING = Text("This training has learned nothing yet.", "此训练尚未学到任何内容。")
_NOTHING_HINT = Text("Wait for its first checkpoint.", "请等待它的第一个检查点。")
_NO_ADAPTER = Text(
    "A full training changes all weights and has no adapter.", "全参数训练会更新所有权重，因此没有适配器。"
)
_NO_BLOCKS = Text("Merged safetensors are not written in {numbers}.", "合并的 safetensors 不支持 {numbers} 格式。")
_NO_ADAPTER_HINT = Text("Export it merged.", "请选择合并导出。")


def learned_choice(folder: TrainingFolder, share: float = 1.0) -> ModelChoice:
    """What a model that has learned this is loaded as: its base with the adapter, or the whole weights of a full
    training. Raises InvalidRequest where there is nothing yet."""
    plan = folder.plan()
    if (folder.learned / adapters.CONFIG).is_file():
        return replace(plan.choice, adapter=str(folder.learned), adapter_share=share)
    if (folder.learned / "config.json").is_file():
        return replace(plan.choice, name=str(folder.learned))
    raise InvalidRequest(_NOTHING, _NOTHING_HINT, parameter="training")


def export_learned(
    folder: TrainingFolder,
    form: Form,
    target: Path,
    *,
    share: float = 1.0,
    numbers: str = "bf16",
    report: ProgressReport = quiet,
) -> Path:
    """Writes a new folder `target` in this form. `share` is that of the adapter in merged weights, `numbers` their
    format, one of NUMBERS.

    Raises InvalidRequest where there is nothing to export or something stands at the target, ModelError where the form
    cannot hold it, and DiskError."""
    choice = learned_choice(folder, share)
    texts = card_files(learned_of(folder), form)
    if form == "adapter":
        if choice.adapter is None:
            raise InvalidRequest(_NO_ADAPTER, _NO_ADAPTER_HINT, parameter="form")
        return export_adapter(choice.adapter, target, folder.plan().choice.name, texts)
    if form == "merged":
        if numbers not in MERGED_NUMBERS:
            raise InvalidRequest(_NO_BLOCKS.filled(numbers=numbers), parameter="numbers")
        return export_merged(replace(choice, weights=numbers), target, texts, report)
    title = name_of(folder)
    with whole_folder(target) as part, tempfile.TemporaryDirectory(dir=part.parent, prefix=".merged-") as place:
        merged = export_merged(replace(choice, weights="fp32"), Path(place) / "merged", None, report)
        export_gguf.export_gguf(merged, part / f"{target.name}.gguf", title, numbers)
        write_texts(part, texts)
    return target


def learned_of(folder: TrainingFolder) -> Learned:
    """What the card of this training tells of."""
    plan, data = folder.plan(), read_json(folder.path / DATA)
    return Learned(
        name=name_of(folder),
        base=plan.choice.name,
        settings=plan.settings,
        metrics=folder.lines("metrics.jsonl"),
        best_step=folder.written_state().best_step,
        data=data if isinstance(data, dict) else None,
    )


def name_of(folder: TrainingFolder) -> str:
    """What its owner calls a training."""
    return folder.about()["name"] or folder.plan().name
