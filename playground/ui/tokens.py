"""The token views' Python side: a candidate's tokens in colour, and the curve of entropy and surprise over them.

Turns Steps and readings into the plain data that the scripts draw. Knows no event, no layout and no model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground.inspection.inspect_api import Reading, Replayed, Token
from playground.types import Step, Text
from playground.ui.element import Element, asset
from playground.ui.page_texts import bilingual, table_of

Value = dict[str, Any]
Names = Callable[[int], Token]
Numbers = Sequence[tuple[Text, str, Text | None]]
"""Of a whole text: what it is called, the figure as it is shown, and what it means."""

TOP = 5  # alternatives sent with each token, for the label on hover; the waterfall brings the rest
BIT = math.log(2)
_SPECIAL = re.compile(r"<[^<>\s]+>|<\|[^<>]*\|>|\[[A-Z]+\]")

PART = Text(
    "Some characters take several tokens: ◦ and ⟨…⟩ stand for a part of one, which is shown with its last token.",
    "有些字符由几个词元组成：◦ 和 ⟨…⟩ 表示其中一部分，字符在最后一个词元处显示。",
)
WORDS: Mapping[str, Text] = {
    "tokens": Text("Tokens", "词元"),
    "candidates": Text("Candidate", "候选"),
    "candidate": Text("Candidate {n}", "候选 {n}"),
    "colour_by": Text("Colour by", "着色依据"),
    "by_probability": Text("probability", "概率"),
    "by_rank": Text("rank", "排名"),
    "by_entropy": Text("entropy", "熵"),
    "by_surprise": Text("surprise", "意外度"),
    "legend_probability": Text(
        "Probability of the token under the model, from 100 % (plain) to 0 % (strongest colour)",
        "模型给该词元的概率：从 100 %（最淡）到 0 %（最深）",
    ),
    "legend_rank": Text(
        "Rank of the token under the model, from 1 (plain) to 1,000 and beyond (strongest colour)",
        "该词元在模型中的排名：从 1（最淡）到 1,000 及以后（最深）",
    ),
    "legend_entropy": Text(
        "How open the choice was: entropy of the model's distribution, from 0 (plain) to 8 bits and more (strongest)",
        "选择余地有多大：模型分布的熵，从 0（最淡）到 8 比特及以上（最深）",
    ),
    "legend_surprise": Text(
        "How unexpected the token was: −log₂ of its probability, from 0 (plain) to 12 bits and more (strongest)",
        "该词元有多意外：概率的 −log₂，从 0（最淡）到 12 比特及以上（最深）",
    ),
    "bits": Text("{n} bits", "{n} 比特"),
    "bits_unit": Text("bits", "比特"),
    "empty": Text("The tokens of a run appear here as they are written.", "运行时，词元会在这里逐个显示。"),
    "toolbar": Text(
        "Tokens of candidate {n}. Arrow keys move, Enter shows how a token came about.",
        "候选 {n} 的词元。方向键移动，回车查看词元的由来。",
    ),
    "finished": Text("Candidate {row} is finished: {count:token|tokens}.", "候选 {row} 已完成：{count} 个词元。"),
    "token": Text("token {n}", "词元 {n}"),
    "special": Text("control token {text}", "特殊词元 {text}"),
    "no_text": Text("part of a character", "字符的一部分"),
    "part": PART,
    "line_break": Text("line break", "换行"),
    "tab": Text("tab", "制表符"),
    "space": Text("space", "空格"),
    "end": Text("end of text", "文本结束"),
    "label_probability": Text("probability {p}", "概率 {p}"),
    "label_rank": Text("rank {n}", "排名 {n}"),
    "label_entropy": Text("entropy {n} bits", "熵 {n} 比特"),
    "label_surprise": Text("surprise {n} bits", "意外度 {n} 比特"),
    "label_would": Text("would become {text}", "会变为 {text}"),
    "tip_model": Text("model", "模型概率"),
    "tip_chain": Text("after all stages", "采样器之后"),
    "unknown": Text("This model gives no probabilities.", "这个生成器不提供概率。"),
    "replay_same": Text(
        "With the present knobs and the same random draws, every token stays.",
        "用现在的参数和同样的随机数，每个词元都不变。",
    ),
    "replay_first": Text(
        "With the present knobs and the same random draws, {count:token stays|tokens stay}; "
        "token {n} “{was}” would become “{would}”.",
        "用现在的参数和同样的随机数，前 {count} 个词元不变；词元 {n}“{was}”会变为“{would}”。",
    ),
    "stop": Text("Stop", "停止"),
    "diverge": Text("Generate from there", "从那里生成"),
    "readout": Text(
        "{n} “{text}” entropy {entropy} · surprise {surprise} bits",
        "{n} “{text}” 熵 {entropy} · 意外度 {surprise} 比特",
    ),
    "curve_label": Text(
        "Entropy and surprise over the tokens of candidate {n}. Arrow keys move, Enter shows the token.",
        "候选 {n} 各词元的熵与意外度。方向键移动，回车查看词元。",
    ),
    "curve_unknown": Text("This model gives no entropy.", "这个生成器不提供熵。"),
    "summary": Text(
        "{count:token|tokens}. Mean entropy {mean} bits; highest {highest} bits at token {n}, {text}.",
        "共 {count} 个词元。平均熵 {mean} 比特；最高 {highest} 比特，位于词元 {n}，{text}。",
    ),
}


def token_values(steps: Sequence[Step], name: Names | None = None, top: int = TOP) -> list[Value]:
    """A row's Steps as tokens: one entry for each token id; text that came without a token joins the one before.

    Entropy in bits. `name` tells an id's own text, for tokens that write nothing (an end of text).
    """
    values: list[Value] = []
    for step in steps:
        if step.token_id is not None:
            values.append(_token(step, name, top))
        elif step.text and values:
            values[-1] = {**values[-1], "text": values[-1]["text"] + step.text, "special": False}
    return values


def _token(step: Step, name: Names | None, top: int) -> Value:
    text, special = step.text, False
    if not text and step.token_id is not None:
        text, special = _own_name(step, step.token_id, name)
    return {
        "text": text,
        "special": special,
        "id": step.token_id,
        "logprob": _rounded(step.logprob),
        "p": _rounded(step.chosen_prob),
        "rank": step.rank,
        "entropy": None if step.entropy_nats is None else _rounded(step.entropy_nats / BIT),
        "top": [{"id": one.token_id, "text": one.text, "p": _rounded(one.p_model)} for one in (step.top or ())[:top]],
    }


def _own_name(step: Step, token_id: int, name: Names | None) -> tuple[str, bool]:
    """What stands for a token that wrote nothing: its own name if it is special; else it only begins a character."""
    if name is not None:
        token = name(token_id)
        return (token.text, True) if token.special else ("", step.finish == "end")
    own = next((one.text for one in step.top or () if one.token_id == token_id), "")
    return (own, True) if _SPECIAL.fullmatch(own) else ("", step.finish == "end")


def reading_values(reading: Reading, top: int = TOP, start: int = 0) -> list[Value]:
    """A text that was only read, as tokens, from one of them on; those of the prompt are marked as context."""
    return [
        {
            **token_value(one.token),
            "logprob": _rounded(one.logprob),
            "p": None,
            "rank": one.rank,
            "entropy": _rounded(one.entropy),
            "top": [{**token_value(token), "p": _rounded(p)} for token, p in one.top[:top]],
            "context": at < reading.prompt_tokens,
        }
        for at, one in enumerate(reading.tokens[start:], start)
    ]


def token_value(token: Token) -> Value:
    return {"id": token.token_id, "text": token.text, "special": token.special}


def whole(run: str, rows: Sequence[Sequence[Value]], numbers: Sequence[Numbers] = ()) -> Value:
    """Finished rows of tokens in one value, for a text that does not grow."""
    parts: list[Value] = []
    for row, tokens in enumerate(rows):
        part: Value = {"row": row, "from": 0, "tokens": list(tokens), "done": True}
        parts.append(part | {"numbers": numbers_value(numbers[row])} if row < len(numbers) else part)
    return {"run": run, "rows": parts}


def numbers_value(numbers: Numbers) -> list[Value]:
    return [{"label": bilingual(label), "value": figure, "hint": bilingual(hint)} for label, figure, hint in numbers]


def replay_value(run: str, row: int, replayed: Replayed, name: Names | None = None) -> Value:
    """What the present knobs would have chosen, as the overlay over one row. Give `{}` to take it away."""
    would = {str(at): _would(replayed.tokens[at], name) for at in replayed.differs if at < len(replayed.tokens)}
    first = replayed.first
    if first is not None:
        ended: Value = {"id": None, "text": "", "special": True}
        would[str(first.index)] = token_value(first.would_be) if first.would_be else ended
    ends = first is None or first.would_be is None  # no other token comes; where the text ends, if not where it did
    sentence = bilingual(replayed.ending) if ends else None
    return {"run": run, "row": row, "first": first.index if first else None, "would": would, "sentence": sentence}


def _would(token_id: int, name: Names | None) -> Value:
    return token_value(name(token_id) if name else Token(token_id, f"#{token_id}"))


class TokenFeed:
    """What the browser has of one run: gives, for its growing rows, values that hold only what is new."""

    def __init__(self, run: str, name: Names | None = None, top: int = TOP) -> None:
        self._run = run
        self._name = name
        self._top = top
        self._sent: dict[int, list[Step]] = {}
        self._ended: set[int] = set()

    def update(
        self, rows: Sequence[Sequence[Step]], done: Sequence[bool], numbers: Callable[[int], Numbers] | None = None
    ) -> Value:
        """Rows of which there is something new, all of them the first time; `numbers` are asked for as a row ends."""
        parts: list[Value] = []
        for row, steps in enumerate(rows):
            first, ends = row not in self._sent, done[row] and row not in self._ended
            part = self._part(row, steps, done[row])
            if ends:
                self._ended.add(row)
                part |= {"numbers": numbers_value(numbers(row))} if numbers else {}
            if first or ends or part["tokens"] or part["from"] < self._length(row):
                parts.append(part)
            self._sent[row] = list(steps)
        return {"run": self._run, "rows": parts}

    def again(self, row: int, steps: Sequence[Step]) -> Value | None:
        """Of a row that has ended, what has changed since; None for nothing."""
        part = self._part(row, steps, True)
        self._sent[row] = list(steps)
        return part if part["tokens"] else None

    def _length(self, row: int) -> int:
        """Tokens that the browser has of a row."""
        return sum(step.token_id is not None for step in self._sent.get(row, ()))

    def _part(self, row: int, steps: Sequence[Step], done: bool) -> Value:
        start = 0
        for old, new in zip(self._sent.get(row, ()), steps, strict=False):
            if old is not new:
                break
            start += 1
        # A step without a token joins the token before it, so the piece must begin at a token.
        while 0 < start < len(steps) and steps[start].token_id is None:
            start -= 1
        place = sum(step.token_id is not None for step in steps[:start])
        return {"row": row, "from": place, "tokens": token_values(steps[start:], self._name, self._top), "done": done}


def piece(value: Value | None = None, **more: Any) -> Value:
    """What a view is sent while something runs: a value, its `status`, or both.

    Each token goes as a list, since names would be most of it; token_rows.js unpacks it.
    """
    if value is None:
        return more
    rows = [{**part, "tokens": [_packed(one) for one in part["tokens"]]} for part in value["rows"]]
    return {"value": {**value, "rows": rows}, **more}


def _packed(token: Value) -> list[Any]:
    top = [[one["id"], one["text"], one["p"], *([1] if one.get("special") else [])] for one in token["top"]]
    marks = int(token["special"]) + 2 * int(token.get("context", False))
    return [token["id"], token["text"], token["logprob"], token["p"], token["rank"], token["entropy"], top, marks]


def build(
    value: Value | None = None,
    *,
    elem_id: str = "tokens",
    row: int | None = None,
    scope: str = "",
    ids: bool = False,
    words: Mapping[str, Text] | None = None,
) -> Element:
    """The tokens in colour. `row` fixes the candidate; without it the reader chooses among those of the run.

    Views of one `scope` speak with each other. `ids` writes each token's number below it; `words` replaces some of
    the view's own. Update with `piece` for its name, of values of `Feed` or `whole` and of status_value(…),
    and with `gr.update(replay=replay_value(…))`.
    Events: `pick` {run, row, position}, `look` {run, row}, `diverge` {run, row, position, token_id}, `stop`, and
    `missed` {run, row} where the piece before one was not heard.
    """
    props: Value = {"row": row, "scope": scope, "ids": ids, "replay": {}}
    return component("tokens", value or {}, elem_id=elem_id, words=words, **props)


def build_curve(
    *,
    elem_id: str = "curve",
    row: int | None = None,
    scope: str = "",
    words: Mapping[str, Text] | None = None,
) -> Element:
    """Entropy and surprise over the tokens of the same scope. Event: `pick`."""
    props: Value = {"row": row, "scope": scope}
    return component("curve", None, elem_id=elem_id, words=words, **props)


def status_value(text: Text, *, stop: bool = False, error: bool = False) -> Value:
    """What is going on with the tokens; `{}` instead takes it away. `stop` puts a button beside it."""
    return {"text": bilingual(text), "stop": stop, "error": error}


def component(
    name: str,
    value: Value | None,
    *,
    elem_id: str,
    folder: str = "tokens",
    words: Mapping[str, Text] | None = None,
    **props: Any,
) -> Element:
    """One of the token views. `words` replaces some of those of its kind."""
    return Element(
        value,
        html_template=asset(f"{name}.html"),
        module=f"{folder}/{name}.js",
        sends=name,
        elem_id=elem_id,
        elem_classes="pg-view",
        words=table_of(words or {}),
        **props,
    )


def _rounded(value: float | None) -> float | None:
    """Five significant digits: what a label shows, at half the bytes. Infinities are not JSON and mean unknown."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.5g}")
