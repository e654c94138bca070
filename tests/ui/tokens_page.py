"""A page with nothing but the token views over made-up data: `python -m tests.ui.tokens_page --port 7921`."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import gradio as gr

from playground.inspection.inspect_api import (
    Chance,
    Divergence,
    Draw,
    Replayed,
    RunnerUp,
    StageBreakdown,
    StageChange,
    Token,
    TokenOutcome,
)
from playground.token_views import TokenChance
from playground.types import InvalidRequest, Step, Text
from playground.ui import tokens, waterfall
from playground.ui.blocks import Blocks
from playground.ui.element import Element, data_of
from playground.ui.updates import pieces_only
from tests.ui.served_page import serve

HOSTILE = "<img src=x onerror=\"document.title='hacked'\">{{value}}${value}"
PIECES = [
    "Blue", " Moon", ":", " morning", " magic", " in", " every", " cup", ",", " poured", " slowly", " and", " told",
    " well", ".", "\n\n", "港", "口", "的", "清晨", "，", "一杯", "咖啡", "。", "\n", "\t", "for", " all", "  ",
    "\u202e", " who", " read", " before", " the", " day", " begins", ".", HOSTILE,
]  # fmt: skip
OTHERS = [" mystery", " light", " coffee", " in", " is", "\n", " the", " <b>bold</b>", "咖啡", " a", " moon"]
LABELS = (Text("perplexity", "困惑度"), Text("mean entropy", "平均熵"), Text("one candidate", "单一候选"))
NUMBERS: tokens.Numbers = [
    (LABELS[0], "8.41", Text("How many tokens the model wavers between", "模型平均在多少个词元之间犹豫")),
    (LABELS[1], "2.31", None),
    (LABELS[2], "41 %", None),
    (Text("distinct-1/2/3", "distinct-1/2/3"), "0.71 / 0.93 / 0.99", None),
    (Text("repetition", "重复率"), "3.2 %", None),
]


def step(row: int, position: int, text: str, token_id: int, luck: random.Random) -> Step:
    p = luck.random() ** luck.choice([0.2, 1, 4])
    rest = (1 - p) / 3
    top = [TokenChance(token_id, text, p, p)]
    top += [TokenChance(2000 + at, other, rest / 2**at, 0.0) for at, other in enumerate(OTHERS[:9])]
    entropy = -p * math.log(p) + luck.random() * 3 * (1 - p)
    rank = 1 if p > 0.4 else int(1 / p)
    return Step(row, position, token_id, text, math.log(p), min(1.0, p * 1.3), rank, entropy, tuple(top))


def made(row: int, length: int) -> list[Step]:
    """A row of that length; the last step ends the text and writes nothing."""
    luck = random.Random(row)
    steps = []
    for at in range(length - 1):
        which = at if at < len(PIECES) else luck.randrange(len(PIECES) - 1)
        steps.append(step(row, at, PIECES[which], 100 + which, luck))
    ending = TokenChance(2, "<|im_end|>", 0.6, 0.8)
    return [*steps, Step(row, length - 1, 2, "", math.log(0.6), 0.8, 1, 1.1, (ending,), finish="end")]


# A line from right to left with a word and a number of several tokens inside, and one from left to right.
TURNED = [
    "قه", "وة", " القمر", " Blue", " Mo", "on", "،", " منذ", " 20", "24", " (", "שלום", ")", ".", "\n",
    "Latin", " and", " עב", "רית", ",", " again", ".",
]  # fmt: skip
ROWS = [made(0, len(PIECES) + 1), made(1, 90), made(2, 30)]
ROWS.append([step(3, at, text, 500 + at, random.Random(at)) for at, text in enumerate(TURNED)])


def own(row: int, position: int) -> Token:
    value = tokens.token_values(ROWS[row])[position]
    return Token(value["id"], value["text"], value["special"])


def stage(name: str, label: Text, alive: tuple[int, int], top: list[Chance], **more: Any) -> StageChange:
    cut = sum(one.before for one in top if one.after == 0)
    return StageChange(name, label, *alive, cut, 5.21, more.pop("entropy", 5.21), tuple(top), **more)


def fall(row: int, position: int, asked: str = "") -> StageBreakdown:
    here = own(row, position)
    names = [here, *(Token(2000 + at, text) for at, text in enumerate(OTHERS))]
    model = [0.31, 0.22, 0.13, 0.08, 0.05, 0.03, 0.02, 0.015, 0.01, 0.008, 0.006, 0.004]
    hot = [p**0.8 / 3 for p in model]
    kept = [p / sum(hot[:4]) if at < 4 else 0.0 for at, p in enumerate(hot)]
    warm = [Chance(*three) for three in zip(names, model, hot, strict=True)]
    cut = [Chance(*three) for three in zip(names, hot, kept, strict=True)]
    same = [Chance(one.token, one.before, one.before) for one in warm]
    most, keeps = 49152, Text("keep the smallest set", "保留最小集合")
    stages = (
        stage("penalties", Text("Penalties", "惩罚"), (most, most), same, formula=Text("", ""), settings={}),
        stage(
            "temperature", Text("Temperature", "温度"), (most, most), warm, entropy=5.9, formula=Text("z / T", "z / T"),
            settings={"temperature": 1.25},
            filled=Text("“<b>x</b>”: 12.500 / 1.25 = 10.000", "“<b>x</b>”：12.500 / 1.25 = 10.000"),
        ),
        stage(
            "top_p", Text("top_p", "top_p"), (most, 4), cut, entropy=1.71, formula=keeps, settings={"top_p": 0.9}
        ),
    )  # fmt: skip
    why = Text("top_p: cumulative 0.913 > 0.90", "top_p：累计 0.913 > 0.90")
    outcomes = [
        TokenOutcome(token, at + 1, model[at], kept[at], None if kept[at] else "top_p", None if kept[at] else why)
        for at, token in enumerate(names)
    ]
    asked_id = 4711 if asked else None
    if asked:
        outcomes.append(TokenOutcome(Token(4711, asked), 8123, 0.0000021, 0.0, "top_p", why))
    sentence = Text("Drawn first of 4; “ mystery” came second.", "4 个中抽中第一个；“ mystery”第二。")
    draw = Draw(here, kept[0], 1, 3.14159, RunnerUp(names[1], kept[1], 0.42), sentence)
    banned = (Token(9, " banned"),)
    return StageBreakdown(position, 49152, 5.21, stages, tuple(outcomes), banned, False, False, draw, asked_id)


def stream() -> Iterator[Any]:
    """The rows, ten tokens an update; row 1 steps back once."""
    feed = tokens.TokenFeed("streamed")
    for end in range(10, 100, 10):
        rows = [steps[: min(end, len(steps))] for steps in ROWS]
        if end == 30:
            rows[1] = rows[1][:17]
        value = feed.update(rows, [end >= len(steps) for steps in ROWS], lambda row: [] if row else NUMBERS)
        yield pieces_only({"tokens": tokens.piece(value)})
        time.sleep(0.1)


def replayed(**found: Any) -> Replayed:
    """What replay found; whatever the views do not show is nothing."""
    return Replayed(**dict.fromkeys((field.name for field in fields(Replayed)), 0) | {"ending": None} | found)


def other_luck() -> Replayed:
    ids = [one.token_id or 0 for one in ROWS[0]]
    ids[9] = ids[13] = 2001
    return replayed(tokens=tuple(ids), differs=(9, 13), first=Divergence(9, own(0, 9), Token(2001, " brewed")))


def panel(event: gr.EventData) -> dict[str, Any]:
    where = data_of(event)
    run, row, asked = where["run"], where["row"], where.get("text", "")
    found = fall(row, where["position"], asked)
    shown = waterfall.waterfall_value(run, row, found, length=len(ROWS[row]), search=asked or None)
    if asked == "error":
        return waterfall.with_error(shown, InvalidRequest(Text("No token begins with this.", "没有以此开头的词元。")))
    return shown


def said(event: gr.EventData) -> str:
    return json.dumps(data_of(event), ensure_ascii=False)


def page() -> Blocks:
    whole = tokens.whole("first", [tokens.token_values(steps) for steps in ROWS], [NUMBERS])
    with Blocks() as blocks:
        text = tokens.build(whole)
        curve = tokens.build_curve()
        below = waterfall.build()
        feed = Element(None, html_template="", elem_id="feed", visible="hidden")
        out = gr.Textbox(elem_id="out", label="events")
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        for part in (text, curve, below):
            part.pick(panel, None, below, **quiet)
            part.pick(said, None, out, **quiet)
        below.ask(panel, None, below, **quiet)
        below.branch(said, None, out, **quiet)
        text.diverge(said, None, out, **quiet)
        with gr.Row():
            gr.Button("stream").click(stream, None, feed, **quiet)
            overlay = tokens.replay_value("first", 0, other_luck())
            gr.Button("replay").click(lambda: gr.update(replay=overlay), None, text, **quiet)
            gr.Button("plain").click(lambda: gr.update(replay={}), None, text, **quiet)
            for name, language in (("english", "en"), ("chinese", "zh")):
                turn = f"import('playground/page/language.js').then((page) => page.setLanguage('{language}'))"
                gr.Button(name).click(None, js=f"() => {{ {turn}; }}")
            gr.Button("dark").click(None, js="() => { document.body.classList.toggle('dark'); }")
    return blocks


if __name__ == "__main__":
    serve(page())
