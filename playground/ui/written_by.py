"""Which model wrote a text: what a card remembers of it, and what is said where another model goes on with the text.

A text goes on by its characters, never by its token ids, so it can be read by any model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from playground.run import Run
from playground.tables.rows import Result
from playground.types import Text

_LONGEST = 200  # characters of a name that a browser sends
_OTHER = Text(
    "The beginning was written by {before}; {now} goes on from its text.", "开头由 {before} 写成；{now} 从其文本继续。"
)


def writer_of(plan: Mapping[str, Any]) -> dict[str, str] | None:
    """The model that writes all rows of a batch, with its revision, out of its plan; None where it was not run, or
    before they were kept."""
    return {"id": plan["model"], "revision": plan.get("revision", "")} if plan.get("model") else None


def of_job(result: Result, plan: Mapping[str, Any]) -> Result:
    """A row of a batch with that model, where it has written something."""
    by = writer_of(plan)
    return replace(result, model=by["id"], revision=by["revision"]) if by and result.texts else result


def signed(run: Run, asked: Mapping[str, Any], base: str) -> dict[str, Any]:
    """What a card needs to be asked again, with the model that writes it. Where the text in front (`base`) is another
    model's, the run's notice says so."""
    before = asked.get("model")
    if run.card is None:
        return dict(asked)
    if base and isinstance(before, str) and before and before != run.card.id:
        said = _OTHER.filled(before=before[:_LONGEST], now=run.card.id)
        notice = run.notice
        run.notice = said if notice is None else Text(f"{notice.en} {said.en}", f"{notice.zh}{said.zh}")
    return {**asked, "model": run.card.id, "revision": run.card.revision}
