"""From a choice to a generator: the model loaded, its context bounded, its chat template replaced and tried.

Knows no server: what a generator may take of the machine is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playground.generators.local import LocalGenerator
from playground.models import Loaded, load
from playground.models.model_choice import ModelChoice
from playground.rendering import templates
from playground.types import ModelError, ProgressReport, Text

PACKING = Text("Packing the weights for the fast path", "正在为快速路径压缩权重")


@dataclass(frozen=True, slots=True)
class Bounds:
    """`rows` and `kv_memory` (bytes) of the fast path, `shares` of it in percent, and whether it is prepared at once.
    `offload_folder` takes weights that fit no device."""

    rows: int | None = None
    kv_memory: int | None = None
    shares: tuple[int, int] = (100, 100)
    fast: bool = False
    offload_folder: str | Path | None = None


def open_local(choice: ModelChoice, bounds: Bounds, report: ProgressReport) -> LocalGenerator:
    """Raises ModelError; what was loaded by then is let go of."""
    loaded = load(
        choice.name,
        weights=choice.weights,
        max_memory=dict(choice.max_memory) or None,
        offload_folder=bounds.offload_folder,
        trust_remote_code=choice.trust_remote_code,
        adapter=choice.adapter,
        adapter_share=choice.adapter_share,
        report=report,
    )
    return generator(adapted(loaded, choice), bounds, report)


def generator(loaded: Loaded, bounds: Bounds, report: ProgressReport) -> LocalGenerator:
    """Over a loaded model; with the fast path ready, where it is wanted and the model can take it."""
    made = LocalGenerator(loaded, rows=bounds.rows, kv_memory=bounds.kv_memory, shares=bounds.shares)
    if bounds.fast and "fast" in made.paths:
        report(PACKING, None)
        made.pack()
    return made


def adapted(loaded: Loaded, choice: ModelChoice) -> Loaded:
    """With the context length and the chat template that were chosen. Raises ModelError for a template that fails."""
    card = loaded.card
    if choice.context is not None:
        card = replace(card, context=min(card.context, choice.context))
    if choice.chat_template is not None:
        check_template(choice.chat_template, loaded.tokenizer)
        loaded.tokenizer.chat_template = choice.chat_template
        card = replace(card, has_chat_template=True, chat_template=choice.chat_template)
    return replace(loaded, card=card)


def check_template(source: str, tokenizer: Any = None) -> None:
    """Renders one message by a chat template, in a worker process. Raises ModelError with what it says of itself."""
    said = "One question."
    given = {"messages": [{"role": "user", "content": said}], "add_generation_prompt": True}
    marks = getattr(tokenizer, "special_tokens_map", None) or {}
    shared = {name: text for name, text in marks.items() if isinstance(text, str)}
    found = templates.render(source, [given], {"tools": None, "documents": None, **shared})[0]
    if isinstance(found, str) and said in found:
        return
    dropped = Text("it leaves out what the user says", "它丢掉了用户的话")
    why = dropped if isinstance(found, str) else found.reason
    raise ModelError(
        Text(f"This chat template does not work: {why.en}.", f"此聊天模板无法使用：{why.zh}。"),
        Text("Mend it, or leave it empty for the model's own.", "请修改它，或留空以使用模型自带的模板。"),
    )
