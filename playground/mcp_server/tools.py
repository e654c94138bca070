"""The tools as an agent sees them: names, descriptions, and schemas of what they take and give.

Knows no call: calls.py answers them.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.mcp_server import mcp_texts as said
from playground.mcp_server import schemas
from playground.mcp_server.schemas import Schema, object_of

MOST_ALTERNATIVES, ALTERNATIVES = 10, 3
_LISTED: Schema = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `writes` is whether it makes a text, which the same call need not make again."""

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
    writes: bool = False


def all_tools() -> dict[str, Tool]:
    """Every tool by its name. Reads the tasks, whose list is part of the schemas."""
    task, values = schemas.task_ids(), schemas.values(said.PARAMETERS)
    found = (
        Tool("list_tasks", "List the tasks", said.LIST_TASKS, _list_tasks(task), _LISTED),
        Tool("describe_parameters", "Describe parameters", said.DESCRIBE_PARAMETERS, _describe(), _LISTED),
        Tool("write_with_task", "Write with a task", said.WRITE, _write(task, values), schemas.RUN, True),
        Tool("generate", "Generate", said.GENERATE, _generate(values), schemas.RUN, True),
        Tool(
            "what_if",
            "What would another setting have written",
            said.WHAT_IF,
            _what_if({**values, "description": said.CHANGED}),
            schemas.WHAT_IF,
            True,
        ),
        Tool("read_probabilities", "Read a text's probabilities", said.READ, _read(), schemas.READING),
    )
    return {tool.name: tool for tool in found}


def _list_tasks(task: Schema) -> Schema:
    chosen = {"enum": task["enum"], "description": said.TASK_OF_LIST}
    return object_of({"task": chosen, "language": schemas.language(said.LANGUAGE)})


def _describe() -> Schema:
    return object_of({"names": {"type": "array", "items": {"type": "string"}, "description": said.NAMES}})


def _write(task: Schema, values: Schema) -> Schema:
    fields = {"type": "object", "description": said.FIELDS, "additionalProperties": {"type": "string"}}
    return object_of(
        {
            "task": task,
            "fields": fields,
            "language": schemas.language(said.LANGUAGE),
            "mode": schemas.mode(said.MODE),
            "model": schemas.text(said.MODEL),
            "path": schemas.path(),
            "parameters": values,
        },
        "task",
        "fields",
    )


def _generate(values: Schema) -> Schema:
    return object_of(
        {
            "prompt": schemas.text(said.PROMPT),
            "mode": {**schemas.mode(said.MODE_OF_PROMPT), "default": "complete"},
            "system": schemas.text(said.SYSTEM),
            "turns": {"type": "array", "items": {"type": "string"}, "description": said.TURNS},
            "prefill": schemas.text(said.PREFILL),
            "model": schemas.text(said.MODEL),
            "path": schemas.path(),
            "parameters": values,
        },
        "prompt",
    )


def _what_if(values: Schema) -> Schema:
    return object_of(
        {
            "run": schemas.text(said.RUN),
            "candidate": {"type": "integer", "minimum": 0, "default": 0, "description": said.CANDIDATE},
            "parameters": values,
            "write": {"type": "boolean", "default": True, "description": said.ALSO_WRITE},
        },
        "run",
        "parameters",
    )


def _read() -> Schema:
    most = {"minimum": 0, "maximum": MOST_ALTERNATIVES, "default": ALTERNATIVES}
    return object_of(
        {
            "text": schemas.text(said.TEXT),
            "before": schemas.text(said.BEFORE, default=""),
            "model": schemas.text(said.MODEL),
            "alternatives": {"type": "integer", **most, "description": said.ALTERNATIVES},
        },
        "text",
    )
