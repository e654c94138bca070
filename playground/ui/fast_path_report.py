"""What the page says of the fast path: the number format it holds the weights in, and how close it is as measured.

Knows no element and no model library.
"""

from __future__ import annotations

from typing import Any

from playground.fast.measured import Measured, measured
from playground.types import Generator, Text
from playground.ui.page_texts import bilingual

NOT_MEASURED = Text("not measured", "未测量")
WEIGHTS = Text("Number format", "数值格式")
KL = Text("KL divergence from the stored values, in fp32", "与存储值（fp32）的 KL 散度")
KL_VALUE = Text("{ratio} × that of plain bf16", "为普通 bf16 的 {ratio} 倍")
PERPLEXITY = Text("Perplexity", "困惑度")
ALONE = Text("Seeds whose text differs from the exact path's", "文本与精确路径不同的种子")
IN_COMPANY = Text("Seeds whose text changes beside other rows", "与其他候选同算时文本改变的种子")
OF_TEXTS = Text("{share} of {texts:text|texts} of {tokens:token|tokens}", "{texts} 段 {tokens} 词元的文本中占 {share}")
MEASURED_ON = Text("Measured on {model}, {day}.", "在 {model} 上测得，{day}。")
UNDATED = Text("Figures are of {model}.", "数值针对 {model}。")
ANOTHER = Text("The loaded model is another; its figures may well differ.", "当前加载的是另一个模型，数值很可能不同。")


def path_data(generator: Generator) -> dict[str, Any]:
    """Everything that path_choice.js shows, as plain data."""
    fast = generator.fast
    if fast.why_not is not None:
        return {"why_not": bilingual(fast.why_not)}
    found = measured(fast.weights)  # what "auto" came to: its figures are of a file that became int4
    facts = [(WEIGHTS, Text(fast.weights, fast.weights)), *figures(found)]
    return {
        "why_not": None,
        "weights": fast.weights,
        "change": _change_of_this(found, generator),
        "facts": [{"label": bilingual(label), "value": bilingual(value or NOT_MEASURED)} for label, value in facts],
        "notes": [bilingual(note) for note in _notes(found, generator)],
    }


def figures(found: Measured) -> list[tuple[Text, Text | None]]:
    """What was measured, each with its name; None where it was not."""
    ratio, percent = found.kl_ratio, perplexity_change(found)
    return [
        (KL, None if ratio is None else KL_VALUE.filled(ratio=f"{ratio:.2f}")),
        (PERPLEXITY, None if percent is None else Text(percent, percent)),
        (ALONE, _share(found.alone, found)),
        (IN_COMPANY, _share(found.in_company, found)),
    ]


def perplexity_change(found: Measured) -> str | None:
    """By how much the perplexity differs from that of the stored values, as "+0.3 %"; None where nobody measured."""
    if found.perplexity_ratio is None:
        return None
    percent = f"{(found.perplexity_ratio - 1) * 100:+.1f} %".replace("-", "−")
    return "±0.0 %" if percent in ("−0.0 %", "+0.0 %") else percent


def _change_of_this(found: Measured, generator: Generator) -> str | None:
    """The change of the perplexity, where it was measured on the model that is loaded."""
    return perplexity_change(found) if _is_of(found, generator) else None


def _is_of(found: Measured, generator: Generator) -> bool:
    return found.model in (generator.card.title, generator.card.id.rpartition("/")[2])


def _share(share: float | None, found: Measured) -> Text | None:
    if share is None:
        return None
    return OF_TEXTS.filled(share=f"{share * 100:.0f} %", texts=found.texts, tokens=found.tokens)


def _notes(found: Measured, generator: Generator) -> list[Text]:
    lacks = [] if generator.fast.lacks is None else [generator.fast.lacks]
    on = (UNDATED if found.day is None else MEASURED_ON).filled(model=found.model, day=found.day)
    return [*lacks, on] if _is_of(found, generator) else [*lacks, on, ANOTHER]
