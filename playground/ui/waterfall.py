"""How one token came about, as the plain data that breakdown.js names. Knows no event, no layout and no model."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from playground.inspection.inspect_api import Chance, Draw, StageBreakdown, StageChange, Token, TokenOutcome
from playground.types import PlaygroundError, Step, Text
from playground.ui import tokens
from playground.ui.element import Element
from playground.ui.page_texts import bilingual
from playground.ui.tokens import Value, token_value

_numbers = itertools.count(1)  # two equal values in a row would not be noticed by the browser

WORDS: Mapping[str, Text] = {
    "title": Text("“{text}” · token {n}", "“{text}”· 词元 {n}"),
    "title_turned": Text("“{text}” · token {n} · with the knobs as they are now", "“{text}”· 词元 {n} · 按现在的参数"),
    "title_next": Text("The next token", "下一个词元"),
    "previous_token": Text("Token before", "上一个词元"),
    "next_token": Text("Token after", "下一个词元"),
    "close": Text("Close", "关闭"),
    "model": Text("Model", "模型"),
    "alive": Text("tokens left", "剩余候选"),
    "mass": Text("probability removed", "截去的概率"),
    "entropy": Text("entropy", "熵"),
    "bits": Text("{n} bits", "{n} 比特"),
    "bits_unit": Text("bits", "比特"),
    "nats": Text("{n} nats", "{n} 奈特"),
    "idle": Text("Changes nothing here.", "此处不起作用。"),
    "known": Text("The likeliest candidates, which are known", "已知的最可能候选"),
    "removed": Text("removed", "移除"),
    "chosen": Text("chosen", "被选中"),
    "stands": Text("in the text", "文中的词元"),
    "instead": Text("chosen with these knobs", "按现在的参数被选中"),
    "search_begun": Text("the first token of “{text}”", "“{text}”的第一个词元"),
    "more": Text("{n} more", "其余 {n} 个"),
    "draw": Text("Draw", "抽样"),
    "kept_best": Text("No token was left, so the most likely one was kept.", "没有候选剩下，因此保留了最好的一个。"),
    "rank": Text("rank", "排名"),
    "race": Text("draw score", "抽签值"),
    "runner_up": Text("runner-up", "第二名"),
    "lead": Text("behind by", "落后"),
    "alternatives": Text("Alternatives", "其他候选"),
    "token_head": Text("continue from here with", "从这里改为"),
    "p_model": Text("model", "模型"),
    "p_after": Text("after", "采样器之后"),
    "what_became": Text("what became of it", "结果"),
    "survived": Text("could have been drawn", "有可能被抽中"),
    "not_best": Text("not the best, and nothing is drawn", "不是概率最高的，且此处不抽样"),
    "begin_head": Text("begin the answer with", "以此开头生成"),
    "begin": Text("Generate with “{text}” as the beginning of the answer", "以“{text}”作为回答的开头来生成"),
    "waits": Text("The model reads the prompt…", "模型正在读取提示词……"),
    "stale": Text("The prompt has changed since.", "提示词已经改动。"),
    "look_again": Text("Look again", "重新查看"),
    "branch": Text("Continue from here with “{text}”", "从这里以“{text}”继续"),
    "ask": Text("Ask", "查询"),
    "ask_hint": Text("what about…", "查询某个词…"),
    "ask_label": Text("Look up one token by its text", "查询一个词元：输入文字"),
    "forbidden": Text("Ruled out here by a banned phrase: {list}", "因禁用短语在此被排除：{list}"),
    "special": Text("control token {text}", "特殊词元 {text}"),
    "no_text": Text("part of a character", "字符的一部分"),
    "part": tokens.PART,
    "line_break": Text("line break", "换行"),
    "tab": Text("tab", "制表符"),
    "space": Text("space", "空格"),
    "end": Text("end of text", "文本结束"),
}


def waterfall_value(
    run: str,
    row: int,
    found: StageBreakdown,
    *,
    chosen: Token | None = None,
    length: int | None = None,
    search: str | None = None,
    branch: bool = True,
    branch_reason: Text | None = None,
) -> Value:
    """One position for the panel. `chosen` names the token where there is no draw; `length` is the row's in tokens.

    `search` is the text that was asked about, whose first token is among the outcomes. `branch` is False where nothing
    can be continued, and `branch_reason` says why. A next token that nobody drew has neither `chosen` nor a draw.
    """
    token = chosen or (found.draw.token if found.draw else None)
    likeliest = sorted(found.outcomes, key=lambda outcome: outcome.rank)[:10]
    return {
        "number": next(_numbers),
        "run": run,
        "row": row,
        "position": found.position,
        "length": length,
        "token": token_value(token) if token else None,
        "alive": found.alive,
        "entropy": found.entropy,
        "model": [{**token_value(outcome.token), "p": outcome.p_model} for outcome in likeliest],
        "stages": [_stage(stage) for stage in found.stages],
        "outcomes": [_outcome(outcome) for outcome in found.outcomes],
        "forbidden": [token_value(one) for one in found.forbidden],
        "kept_best": found.kept_best,
        "draw": _draw(found.draw) if found.draw else None,
        "asked": found.asked,
        "search": search,
        "branch": branch,
        "branch_reason": bilingual(branch_reason),
        "error": None,
    }


def refused_value(run: str, row: int, position: int, error: PlaygroundError, step: Step | None = None) -> Value:
    """A panel that says why the rest cannot be seen, or why a question cannot be answered; `step` is what is known."""
    text = Text(error.say("en"), error.say("zh"))
    token = None if step is None or step.token_id is None else token_value(Token(step.token_id, step.text))
    known = [
        {**token_value(Token(one.token_id, one.text)), "before": one.p_model, "after": one.p_after}
        for one in (step.top if step and step.top else ())
    ]
    place: Value = {"run": run, "row": row, "position": position, "token": token, "known": known}
    return {"number": next(_numbers), **place, "error": bilingual(text)}


def with_error(value: Value, error: PlaygroundError) -> Value:
    """The same panel with a sentence in it: a question that cannot be answered takes nothing away."""
    text = Text(error.say("en"), error.say("zh"))
    return {**value, "number": next(_numbers), "error": bilingual(text)}


def _chance(chance: Chance) -> Value:
    return {**token_value(chance.token), "before": chance.before, "after": chance.after}


def _stage(stage: StageChange) -> Value:
    return {
        "stage": stage.stage,
        "label": bilingual(stage.label),
        "formula": bilingual(stage.formula),
        "filled": bilingual(stage.filled),
        "settings": dict(stage.settings),
        "alive": [stage.alive_before, stage.alive_after],
        "mass": stage.mass_cut,
        "entropy": [stage.entropy_before, stage.entropy_after],
        "top": [_chance(one) for one in stage.top],
    }


def _outcome(outcome: TokenOutcome) -> Value:
    return {
        **token_value(outcome.token),
        "rank": outcome.rank,
        "p_model": outcome.p_model,
        "p_after": outcome.p_after,
        "stage": outcome.stage,
        "reason": bilingual(outcome.reason),
    }


def _draw(draw: Draw) -> Value:
    second = draw.runner_up
    runner: Value | None = None
    if second is not None:
        runner = {"token": token_value(second.token), "probability": second.probability, "lead": second.lead}
    return {
        "token": token_value(draw.token),
        "probability": draw.probability,
        "rank": draw.rank,
        "race": draw.race,
        "sentence": bilingual(draw.sentence),
        "runner_up": runner,
    }


def build(
    value: dict[str, Any] | None = None,
    *,
    elem_id: str = "waterfall",
    scope: str = "",
    ahead: bool = False,
) -> Element:
    """The panel, closed while its value is empty. Update with `waterfall_value(…)`, or `{}` to close it.

    With `ahead` it shows the next token before any run: there is nothing to walk to, a value's `note` is said of its
    draw, `begins` tells of each outcome whether an answer can begin with it, and a `live` value opens no closed panel.
    `gr.update(stale=True)` says that it is about another prompt. It speaks with the views of its `scope`.
    Events: `pick` {run, row, position}, `branch` {run, row, position, token_id}, `ask` {run, row, position, text},
    `close`.
    """
    props: Value = {"scope": scope, "ahead": ahead, "stale": False}
    return tokens.component("waterfall", value or {}, elem_id=elem_id, **props)
