"""A file that was sent to the tab Batch: what it is read as, and what has to be asked about it.

Knows no job and no element. The browser keeps the file and sends it again with each answer, so nothing waits here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from playground.settings import Limits
from playground.tables import rows
from playground.tables.rows import NeedsChoice, Reading, Table
from playground.types import Text
from playground.ui.page_texts import bilingual

AGAIN = Text("Choose the file again.", "请重新选择文件。")
_LONGEST = 200  # characters of an answer: the name of a sheet has 31
_TOLD = 5  # refused rows that stand above the table
_READINGS = frozenset(one.name for one in fields(Reading))


def taken(file: Path, sent: Mapping[str, Any], limits: Limits) -> Table:
    """The table in the file that was sent. Raises NeedsChoice where something has to be asked."""
    answers = {name: sent.get(name) for name in _READINGS}
    known = {name: one for name, one in answers.items() if isinstance(one, str) and len(one) <= _LONGEST}
    return rows.read(file, limits, Reading(**known))


def asked(question: NeedsChoice) -> dict[str, Any]:
    """A question as the script puts it; the answer comes back as the value of `option`."""
    choices = [{"value": one.value, "label": bilingual(one.label)} for one in question.choices]
    return {"option": question.option, "choices": choices}


def refusals(refused: Mapping[int, Text | None]) -> list[dict[str, Any]]:
    """The first rows that are refused, with their reasons."""
    return [{"number": number, "reason": bilingual(reason)} for number, reason in list(refused.items())[:_TOLD]]
