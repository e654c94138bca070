"""What the worker process does with a file of training data: tables, JSON and text become plain data.

Knows no task and no model, and runs nothing that a file holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.tables import table_reader
from playground.tables.encodings import decoded
from playground.tables.table import NeedsChoice, TableLimits, is_text
from playground.training import json_shapes, text_pieces

TEXTS = (".txt", ".md", ".markdown", ".text")
LISTS = (".json",)
KINDS = (*table_reader.KINDS, *LISTS, *TEXTS)


def read(options: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """A file of this kind as plain data; a table that can be read in several ways is answered with a question.

    `columns` and `rows` are a table's, `talks` are conversations, `pieces` those of a text; `refused` are the rows that
    cannot be used. Raises InvalidRequest.
    """
    try:
        return _read(options, data)
    except NeedsChoice as question:
        return table_reader.asked(question)


def _read(options: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    kind, limits = options["kind"], TableLimits(**options["limits"])
    if kind in TEXTS:
        text = decoded(data, options["reading"]["encoding"]).replace("\r\n", "\n").replace("\r", "\n")
        found = text_pieces.pieces(text)
        reason = ["This part holds bytes that are no text.", "这一部分含有不是文本的字节。"]
        bad = {str(number): reason for number, piece in enumerate(found, 1) if not is_text(piece)}
        return {"pieces": found, "refused": bad}
    if kind in (*LISTS, *table_reader.LINES):
        text = decoded(data, options["reading"]["encoding"])
        # Much that is called .json has one object a line.
        whole = kind in LISTS and not text.lstrip().startswith("{")
        return json_shapes.rows(text, limits, whole=whole)
    return table_reader.read(options, data)
