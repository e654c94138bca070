"""A page with nothing but the panel of knobs, for tests: `python -m tests.ui.panel_page --port 7900`."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import gradio as gr

from playground import parameters
from playground.types import PlaygroundError, Text
from playground.ui.blocks import Blocks
from playground.ui.element import data_of
from playground.ui.knobs import KnobPanel, panel_update
from tests.ui.served_page import serve

PRESET = {"temperature": 0.9, "top_p": 0.92, "max_new_tokens": 48}
PRESETS = [
    {"id": "neutral", "title": Text("Neutral", "中性")},
    {"id": "slogans", "title": Text("Slogans <b>", "广告语 <b>")},
]
REASON = Text("No effect: temperature is 0.", "无效：温度为 0。")
_NUMBERS = itertools.count()
HOSTILE = '<img src=x onerror="document.title=1">${document.title=2}{{x}}`'


def said(values: dict[str, Any]) -> str:
    """What arrived, or the sentence that refuses it; numbered, so that two equal answers can be told apart."""
    answer = {"number": next(_NUMBERS), "values": values}
    try:
        parameters.validate(values)
    except PlaygroundError as error:
        answer["refused"] = str(error)
    return json.dumps(answer, ensure_ascii=False)


def picked(event: gr.EventData) -> dict[str, Any]:
    chosen = data_of(event)["id"]
    values = PRESET if chosen == "slogans" else {}
    return panel_update(values=values, active_preset=chosen, preset_values=values)


def late() -> dict[str, Any]:
    """An answer that is older than the hand on the slider."""
    time.sleep(0.5)
    return panel_update(values={"temperature": 0.1, "min_p": 0.25})


def buttons() -> dict[str, dict[str, Any]]:
    """A button each, and the update of the panel that it sends."""
    return {
        "reasons": panel_update(inert={"min_p": REASON}),
        "shared": panel_update(inert={"top_k": REASON, "top_p": REASON, "min_p": REASON}),
        "found": panel_update(
            found={
                "logit_bias": {" no\n": [[(7, " no\n")], [(3, " n"), (9, HOSTILE)]]},
                "logit_bias_ids": {"7": [[(7, " no\n")]], "99": []},
            }
        ),
        "badges": panel_update(badges={"temperature": Text("decided 41 %", "决定 41 %")}),
        "hostile": panel_update(
            values={"stop": [HOSTILE], "negative_prompt": HOSTILE, "logit_bias": {HOSTILE: 1}},
            badges={"top_k": HOSTILE},
            inert={"top_k": HOSTILE},
        ),
    }


def page() -> Blocks:
    with Blocks() as blocks:
        panel = KnobPanel(PRESET, presets=PRESETS, active_preset="slogans", preset_values=PRESET)
        out = gr.Textbox(elem_id="out")
        read = gr.Textbox(elem_id="read")
        panel.input(said, panel, out, trigger_mode="always_last", show_progress="hidden")
        panel.preset(picked, None, panel, show_progress="hidden")
        gr.Button("late").click(late, None, panel, show_progress="hidden")
        gr.Button("read").click(said, panel, read, show_progress="hidden")
        for name, update in buttons().items():
            gr.Button(name).click(lambda update=update: dict(update), None, panel, show_progress="hidden")
    return blocks


if __name__ == "__main__":
    serve(page())
