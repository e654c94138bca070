"""The model card of what was learned: base and licence, settings, figures and curves, and of the data only counts.

Plain data in, the texts of its files out, each sentence in both languages. Knows no file and no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from playground.models import catalogue, embedded, recipes
from playground.training import curves_image
from playground.training.train_settings import SETTINGS
from playground.types import Text

Form = Literal["adapter", "merged", "gguf"]
FORMS: tuple[Form, ...] = get_args(Form)
MERGED_NUMBERS = ("bf16", "fp32")
NUMBERS = (*MERGED_NUMBERS, "q8_0")  # q8_0 in GGUF alone
CARD = "README.md"
CURVES = "curves.svg"
_ABOUT: Mapping[Form, Text] = {
    "adapter": Text("A LoRA adapter for {base}, in peft's format.", "{base} 的 LoRA 适配器，采用 peft 格式。"),
    "merged": Text("{base} with what was learned merged into its weights.", "已将训练所学合入权重的 {base}。"),
    "gguf": Text(
        "{base} with what was learned merged into its weights, as a GGUF file.",
        "已将训练所学合入权重的 {base}，GGUF 文件。",
    ),
}
_USE: Mapping[Form, str] = {
    "adapter": (
        "from peft import AutoPeftModelForCausalLM\n\nmodel = AutoPeftModelForCausalLM.from_pretrained(FOLDER)"
    ),
    "merged": (
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        "model = AutoModelForCausalLM.from_pretrained(FOLDER)\ntokenizer = AutoTokenizer.from_pretrained(FOLDER)"
    ),
    "gguf": "llama-server -m FILE",
}
_COUNTS: Mapping[str, Text] = {
    "rows": Text("rows", "行数"),
    "examples": Text("examples", "样本数"),
    "train": Text("learned from", "用于训练"),
    "validation": Text("for validation", "用于验证"),
    "tokens": Text("tokens", "词元数"),
    "learned": Text("tokens learned", "学习的词元数"),
    "longest": Text("longest, in tokens", "最长（词元）"),
    "cut": Text("cut to the longest length", "因过长被截断"),
    "duplicates": Text("duplicates", "重复"),
}
_NO_DATA = Text("The texts themselves are no part of this card.", "本说明不包含训练文本本身。")
_NO_COUNTS = Text("Nothing was kept of their number.", "没有保留数量信息。")
_LICENCE = Text(
    "The base model's licence is {licence}; it also holds for what was made of it.",
    "基础模型的许可证为 {licence}，同样适用于由它得到的模型。",
)
_NO_LICENCE = Text(
    "The base model's licence is not known here: look at its own page before you pass this on.",
    "此处不知道基础模型的许可证：分发之前请查看它自己的页面。",
)
_SPDX = {"Apache-2.0": "apache-2.0", "MIT": "mit", "Gemma": "gemma"}
_FIGURES = ("step", "validation_loss", "token_accuracy", "perplexity")


@dataclass(frozen=True, slots=True)
class Learned:
    """What a card tells of. `base` is what the base is called here, `metrics` the lines of metrics.jsonl, `data` a
    record of `DataReport` or nothing, `best_step` the step of which the weights are."""

    name: str
    base: str
    settings: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]]
    best_step: int | None = None
    data: Mapping[str, Any] | None = None


def card_files(learned: Learned, form: Form) -> dict[str, str]:
    """The texts of the card and of the image in it, by the names of their files."""
    losses = {"training loss": _line(learned, "loss"), "validation loss": _line(learned, "validation_loss")}
    curves = curves_image.drawn(losses)
    parts = [
        _head(learned, form),
        f"# {_plain(learned.name)}",
        _both(_ABOUT[form].filled(base=public_name(learned.base))),
        f"```{'bash' if form == 'gguf' else 'python'}\n{_USE[form]}\n```",
        _title(Text("Data", "数据")),
        _data(learned),
        _title(Text("Settings", "设置")),
        _settings(learned),
        _title(Text("Figures", "指标")),
        _figures(learned),
        *([f"![]({CURVES})"] if curves else []),
        _title(Text("Licence", "许可证")),
        _licence(learned),
    ]
    files = {CARD: "\n\n".join(parts) + "\n"}
    return {**files, CURVES: curves} if curves else files


def public_name(base: str) -> str:
    """What others call a base model: its id on the hub, or the name of its folder without the way to it."""
    recipe = recipes.find(base)
    if recipe is not None:
        return recipe.repository.removesuffix("-GGUF")
    if base in (embedded.ID, embedded.TITLE):
        return embedded.HUB_ID
    return Path(base).name if base.count("/") != 1 or Path(base).expanduser().exists() else base


def _head(learned: Learned, form: Form) -> str:
    licence = _known_licence(learned)
    languages = [one for one in (learned.data or {}).get("languages", {}) if len(one) == 2]
    facts: dict[str, Any] = {
        "base_model": public_name(learned.base),
        "library_name": {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}[form],
        "pipeline_tag": "text-generation",
        **({"license": _SPDX.get(licence, "other")} if licence else {}),
        **({"language": languages} if languages else {}),
        "tags": ["lora"] if learned.settings.get("method") == "lora" else ["finetuned"],
    }
    return f"---\n{yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)}---"


def _data(learned: Learned) -> str:
    counts = {name: (learned.data or {}).get(name) for name in _COUNTS}
    rows = [(_joined(_COUNTS[name]), f"{value:,}") for name, value in counts.items() if isinstance(value, int)]
    said = _both(_NO_DATA) if rows else _both(Text(f"{_NO_DATA.en} {_NO_COUNTS.en}", _NO_DATA.zh + _NO_COUNTS.zh))
    return said if not rows else f"{said}\n\n{_table(('', ''), rows)}"


def _settings(learned: Learned) -> str:
    rows = [(_joined(one.label), str(learned.settings[one.name])) for one in SETTINGS if one.name in learned.settings]
    return _table(("", ""), rows)


def _figures(learned: Learned) -> str:
    rows = []
    for one in learned.metrics:
        if "validation_loss" in one:
            best = " ★" if one.get("step") == learned.best_step else ""
            figures = [_figure(one.get(name)) for name in _FIGURES[1:]]
            rows.append((f"{one.get('step')}{best}", *figures))
    heads = (
        Text("step", "步"),
        Text("validation loss", "验证损失"),
        Text("token accuracy", "词元准确率"),
        Text("perplexity", "困惑度"),
    )
    none = Text("Nothing was measured on texts kept apart.", "没有用保留的文本测量。")
    return _table(tuple(map(_joined, heads)), rows) if rows else _both(none)


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "–"


def _licence(learned: Learned) -> str:
    licence = _known_licence(learned)
    return _both(_LICENCE.filled(licence=licence) if licence else _NO_LICENCE)


def _known_licence(learned: Learned) -> str | None:
    entry = catalogue.find(learned.base) or catalogue.find(public_name(learned.base))
    return None if entry is None else entry.licence


def _line(learned: Learned, name: str) -> list[tuple[float, float]]:
    found = ((_number(one.get("step")), _number(one.get(name))) for one in learned.metrics)
    return [(step, value) for step, value in found if step is not None and value is not None]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _title(text: Text) -> str:
    return f"## {_joined(text)}"


def _joined(text: Text) -> str:
    return text.en if text.en == text.zh else f"{text.en} · {text.zh}"


def _both(text: Text) -> str:
    return f"{text.en}\n\n{text.zh}"


def _plain(text: str) -> str:
    """On one line of Markdown, with no sign that would be more than itself."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\|<>[]`*" else sign for sign in line)
