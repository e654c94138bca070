"""What the cards are sent: a Run, a wait or a refusal, as the plain data that cards.js draws.

Knows no model and no event; every sentence goes in both languages.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

from playground.decoding.notes import CUT_SHORT
from playground.evaluation import recommend
from playground.run import Candidate, Run
from playground.tasks.loader import Task
from playground.thinking import ParsedReasoning, opened_after, split_reasoning
from playground.types import LANGUAGES, InvalidRequest, Language, ModelCard, PlaygroundError, Text
from playground.ui.compose_form import card_request
from playground.ui.page_texts import bilingual

CardUpdate = dict[str, Any]
_LONGEST = 200  # characters of a token, or of a version's id
# Two equal updates in a row would not be noticed by the browser, and old ones are not taken: also after a restart.
_numbers = itertools.count(time.time_ns() // 1_000_000)


def card_update(phase: str, run: str, **more: Any) -> CardUpdate:
    """An update of a run in this phase, with a number of its own; what `more` does not name is empty."""
    empty: CardUpdate = {
        "rows": [],
        "target": None,
        "parted": None,
        "status": None,
        "notice": None,
        "error": None,
        "request": None,
    }
    return {**empty, "number": next(_numbers), "phase": phase, "run": run, **more}


def run_update(
    name: str,
    run: Run,
    card: ModelCard,
    asked: Mapping[str, Any],
    target: Any = None,
    base: str = "",
    parted: CardUpdate | None = None,
    task: Task | None = None,
) -> CardUpdate:
    """The growing Run of a task or of none; `card` is of the model where the Run does not say.

    `base` is the text that stood on the card before and is shown in front.
    """
    fields = asked.get("fields") or {}
    over = run.finished
    writer = run.card or card
    made = {"path": run.request.path, "weights": run.weights, "model": writer.title, "revision": writer.revision}
    chat = run.request.mode == "chat"
    rows = [
        _row(candidate, base, parsed, task, fields) | made | {"end_token": candidate.end_token if chat else None}
        for candidate, parsed in _parsed(run, base)
    ]
    language = asked.get("language")
    if over:
        texts = [_answer(row) for row in rows]
        if task is not None and language in LANGUAGES:
            known = {name: value for name, value in fields.items() if isinstance(value, str)}
            remarks = recommend.afterwards(task, language, known, texts, writer)
        else:
            formed = recommend.has_form(run.request.values)
            remarks = recommend.unlike(run.request.prompt, texts, writer, formed)
        rows = [{**row, "remark": bilingual(remark)} for row, remark in zip(rows, remarks, strict=True)]
    more: CardUpdate = {"target": target, "parted": parted, "notice": bilingual(run.notice), "request": asked}
    if run.error is not None:
        more["error"] = {"parameter": None, "text": bilingual(run.error)}
    return card_update("done" if over else "running", name, rows=rows, **more)


def _parsed(run: Run, base: str) -> Iterator[tuple[Candidate, ParsedReasoning]]:
    """Each text with what was thought in it. Only in a chat: what a prompt is continued with may hold any tag."""
    before = run.request.prefill.removesuffix(base)  # the beginning of the answer that no card shows
    opened = opened_after(before, run.thinks)
    for candidate in run.candidates:
        text = base + candidate.text
        if run.request.mode == "chat":
            yield candidate, split_reasoning(text, opened=opened, whole=candidate.finish_reason is not None)
        else:
            yield candidate, ParsedReasoning("", text)


def _answer(row: CardUpdate) -> str:
    return row["text"] if row["answer"] is None else row["answer"]


def branch_point(sent: Mapping[str, Any]) -> CardUpdate:
    """Where a card's new version parts from the one it grows from, as cards.js keeps it.

    `kind` is branch, continue or regenerate; `parent` the version's id; `position` and `offset` count the parent's own
    tokens and the characters (UTF-16) before the parting; `was` and `became` are the tokens there. All of it may come
    from a browser and goes back to that one alone.
    """
    given = sent.get("parted")
    given = given if isinstance(given, Mapping) else {}
    kind = given.get("kind") if given.get("kind") == "branch" else sent.get("action")
    found: CardUpdate = {"kind": "continue" if kind not in ("branch", "regenerate") else kind}
    for name in ("parent", "was", "became"):
        found[name] = given[name][:_LONGEST] if isinstance(given.get(name), str) else None
    for name in ("position", "offset"):
        found[name] = given[name] if type(given.get(name)) is int and given[name] >= 0 else None
    return found


def _row(
    candidate: Candidate, base: str, parsed: ParsedReasoning, task: Task | None, fields: Mapping[str, str]
) -> CardUpdate:
    """`answer` is None where it is the whole text, as mostly. Lists and tables are drawn once a text has ended."""
    over = candidate.finish_reason is not None
    text = base + candidate.text
    return {
        "text": text,
        "thought": parsed.thought,
        "answer": None if parsed.answer == text else parsed.answer,
        "thinks": parsed.thinks,
        "closes": parsed.close,
        "tokens": candidate.written,
        "speed": _shown(candidate.tokens_per_second),
        "first": None if candidate.first_token_s is None or candidate.at_once else round(candidate.first_token_s, 3),
        "proposed": candidate.proposed,
        "accepted": candidate.accepted,
        "finish": candidate.finish_reason,
        "reason": bilingual(candidate.reason),
        "seed": candidate.seed,
        "items": _items(parsed.answer, task, fields) if over else None,
        "numbered": task is not None and task.numbered,
        "table": _table(parsed.answer, task) if over else None,
        "short": any(step.note.endswith(CUT_SHORT) for step in candidate.steps[-1:]),
    }


def _shown(speed: float | None) -> float | None:
    """Tokens a second as a card shows them, so that it is not another number with every token."""
    return None if speed is None else round(speed, 1 if speed < 10 else 0)


def _table(text: str, task: Task | None) -> CardUpdate | None:
    """Headings and rows, as far as the rows are whole; of a JSON object a row a property, without headings."""
    if task is not None and task.output.kind == "json":
        return {"head": [], "rows": [[bilingual(name), bilingual(value)] for name, value in task.output.record(text)]}
    if task is None or task.output.kind != "table":
        return None
    rows = [list(row.values()) for row in task.output.table(text)]
    return {"head": [bilingual(column.label) for column in task.output.columns], "rows": rows}


def _items(text: str, task: Task | None, fields: Mapping[str, str]) -> list[str] | None:
    if task is None or task.output.kind != "list":
        return None
    return task.clean(text, {name: value for name, value in fields.items() if isinstance(value, str)})


def waiting_update(name: str, reason: Text) -> CardUpdate:
    return card_update("waiting", name, status=bilingual(reason))


def refused_update(name: str, error: PlaygroundError) -> CardUpdate:
    parameter = error.parameter if isinstance(error, InvalidRequest) else None
    text = Text(error.say("en"), error.say("zh"))
    return card_update("refused", name, error={"parameter": parameter, "text": bilingual(text)})


def worked_example(task: Task, language: Language) -> CardUpdate | None:
    """A task's worked example, which is drawn as a run and labelled as an example; the same with every start."""
    shown = task.example(language)
    if shown is None:
        return None
    rows = [
        {
            "text": text,
            "tokens": None,
            "finish": "example",
            "seed": shown.seed + number,
            "items": _items(text, task, shown.fields),
            "numbered": task.numbered,
            "table": _table(text, task),
        }
        for number, text in enumerate(shown.texts)
    ]
    request = task.request(shown.fields, language, shown.mode)
    asked = card_request(request, {"fields": dict(shown.fields), "own": "", "language": language})
    return {"id": "example", "rows": rows, "request": asked, "example": {"model": shown.model, "seed": shown.seed}}
