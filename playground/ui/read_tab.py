"""The tab Read: any text as the model reads it, with its figures and curve, and the watermark's detector.

Lays out the elements and wires them to a Reader; knows no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from playground.types import Text
from playground.ui import tokens, waterfall
from playground.ui.element import Element, element
from playground.ui.knobs import KnobPanel
from playground.ui.page_texts import bilingual
from playground.ui.reader import Reader, watermark_knobs
from playground.ui.updates import pieces_only

SCOPE = "read"

_NOTHING_BEFORE = Text(
    "Nothing stands before this token, so the model expected nothing.", "此词元之前没有内容，模型无从预期。"
)

# What the token views say of a run's candidate, said of a text that stands by itself.
_VIEW: Mapping[str, Text] = {
    "toolbar": Text(
        "Tokens of the text. Arrow keys move, Enter shows what the model expected.",
        "文本的词元。方向键移动，回车查看模型的预期。",
    ),
    "finished": Text("The text is read: {count:token|tokens}.", "文本已读完，共 {count} 个词元。"),
    "curve_unknown": Text(
        "The model predicts each token from those before it. A first token has none before it, so it has no figures.",
        "模型根据前面的词元预测每个词元。第一个词元之前没有内容，因此没有数值。",
    ),
    "unknown": _NOTHING_BEFORE,
    "curve_label": Text(
        "Entropy and surprise over the tokens of the text. Arrow keys move, Enter shows the token.",
        "文本各词元的熵与意外度。方向键移动，回车查看词元。",
    ),
}
_PROMPT: Mapping[str, Text] = {
    "toolbar": Text("Tokens of the prompt. Arrow keys move.", "提示词的词元。方向键移动。"),
    "finished": Text("The prompt is read: {count:token|tokens}.", "提示词已读完，共 {count} 个词元。"),
}
EXPECTED: Mapping[str, Text] = {
    **{name: waterfall.WORDS[name] for name in ("title", "previous_token", "next_token", "close")},
    "expected": Text("What the model expected here", "模型在此处的预期"),
    "stands": Text("stands here", "原文"),
    "was_first": Text("The model's own first choice.", "正是模型的首选。"),
    "would_rather": Text("The model would rather have written “{text}” ({p}).", "模型更想写“{text}”（{p}）。"),
    "nothing_before": _NOTHING_BEFORE,
}


def build_prompt_tokens() -> Element:
    """What the model will see, as tokens with their ids; shown where the prompt's text stands otherwise."""
    return tokens.build(elem_id="seen-tokens", row=0, scope="seen", ids=True, words=_PROMPT)


class ReadTab:
    """The elements of the tab, and the events between them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def layout(self) -> None:
        knobs = [
            {
                "name": p.name,
                "label": bilingual(p.label),
                "choices": {one: bilingual(p.choice_labels[one]) for one in p.choices},
            }
            for p in watermark_knobs()
        ]
        with gr.Column(elem_id="reading"):
            empty = {"prompt": "", "text": "", "special_tokens": False}
            self.form = element("read", empty, folder="read", watermark=knobs, verdict=None)
            self.tokens = tokens.build(elem_id="read-tokens", row=0, scope=SCOPE, words=_VIEW)
            self.curve = tokens.build_curve(elem_id="read-curve", row=0, scope=SCOPE, words=_VIEW)
            self.expected = tokens.component(
                "expected", {}, elem_id="expected", folder="read", words=EXPECTED, scope=SCOPE
            )

    def wire(self, panel: KnobPanel, feed: Element, light: Mapping[str, Any], stop: Mapping[str, Any]) -> None:
        """`feed` takes the updates while the model reads; `light` are the options of an event that waits behind no
        run, `stop` those of one that waits for nothing."""
        self.form.read(self._read, self.form, feed, **{**light, "trigger_mode": "multiple"})
        self.form.detect(self._detect, [self.form, panel], self.form, **light)
        self.tokens.stop(self._stop, None, None, **stop)

    def _read(self, asked: Any, request: gr.Request) -> Iterator[Any]:
        for update in self._reader.read(asked, request.session_hash or ""):
            yield pieces_only({"read-tokens": tokens.piece(**update)})

    def _detect(self, asked: Any, knobs: dict[str, Any], request: gr.Request) -> Any:
        """The verdict, with the mark by which the script knows which of its questions it answers."""
        mark = asked.get("asked")
        verdict = self._reader.detect(asked, knobs, request.session_hash or "")
        return gr.update(verdict={**verdict, "asked": mark if type(mark) is int else None})

    def _stop(self, request: gr.Request) -> None:
        self._reader.stop(request.session_hash or "")
