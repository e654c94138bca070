"""JSON schemas of what the tools take and give, drawn from the registry and the tasks.

Knows no tool and no model. A schema describes; what is allowed, the registry and the tasks decide once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from playground import parameters
from playground.parameters import Parameter
from playground.parameters.parameter import LARGEST_ID, MAX_ITEMS, MAX_TEXT, MOST_BIAS
from playground.tasks import loader
from playground.types import LANGUAGES, Mode, Path

Schema = dict[str, Any]

_TOKEN: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
_WORDS: Schema = {"type": "string", "maxLength": MAX_TEXT}
_BIAS: Schema = {"type": "number", "minimum": -MOST_BIAS, "maximum": MOST_BIAS}


def parameter(p: Parameter) -> Schema:
    """The values that a parameter takes."""
    return {"title": p.label.en, **_values(p)}


def _values(p: Parameter) -> Schema:
    match p.kind:
        case "float":
            return _number(p, "number")
        case "int":
            return _number(p, "integer")
        case "bool":
            return {"type": "boolean"}
        case "choice":
            return {"enum": list(p.choices)}
        case "texts":
            return _list(_WORDS)
        case "ids":
            return _list(_TOKEN)
        case "id_lists":
            return _list({**_list(_TOKEN), "minItems": 1})
        case "bias":
            return {"type": "object", "maxProperties": MAX_ITEMS, "additionalProperties": _BIAS}
        case "id_bias":
            names = {"pattern": r"^[0-9]+$"}
            return {"type": "object", "maxProperties": MAX_ITEMS, "propertyNames": names, "additionalProperties": _BIAS}
        case _:
            return _WORDS


def _number(p: Parameter, kind: str) -> Schema:
    """A neutral value that lies outside of the range turns the parameter off, so it is taken too."""
    span: Schema = {}
    if p.hard_low is not None:
        span["exclusiveMinimum" if p.above_low else "minimum"] = p.hard_low
    if p.hard_high is not None:
        span["maximum"] = p.hard_high
    low, high = p.hard_low, p.hard_high
    below = low is not None and (p.neutral < low or (p.above_low and p.neutral == low))
    if below or (high is not None and p.neutral > high):
        return {"type": kind, "anyOf": [span, {"const": p.neutral}]}
    return {"type": kind, **span}


def _list(items: Schema) -> Schema:
    return {"type": "array", "maxItems": MAX_ITEMS, "items": items}


def values(description: str) -> Schema:
    """An object of parameters by name."""
    known = {p.name: parameter(p) for p in parameters.REGISTRY}
    return {"type": "object", "description": description, "properties": known, "additionalProperties": False}


def object_of(properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object that has these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def text(description: str, **more: Any) -> Schema:
    """A text."""
    return {"type": "string", "description": description, **more}


def task_ids() -> Schema:
    """One of the tasks, with what each is for."""
    tasks = loader.load_all()
    listed = "; ".join(f"{task.id}: {task.description.en.rstrip('.')}" for task in tasks)
    return {"enum": [task.id for task in tasks], "description": f"The task. {listed}."}


def language(description: str) -> Schema:
    """One of the page's languages."""
    return {"enum": list(LANGUAGES), "default": LANGUAGES[0], "description": description}


def mode(description: str) -> Schema:
    """Chat or completion."""
    return {"enum": list(get_args(Mode)), "description": description}


def path() -> Schema:
    """One of the two paths."""
    said = "exact: the same seed gives the same text again; fast: many requests share each step, nothing is promised"
    return {"enum": list(get_args(Path)), "default": "exact", "description": said}


_NOTE: Schema = {"type": "string"}
_TEXT: Schema = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "seed": {"type": "integer", "description": "gives this text again on the exact path"},
        "finish_reason": {"type": "string"},
        "reason": {"type": "string", "description": "what went wrong, where something did"},
        "thought": {"type": "string", "description": "what a thinking model wrote before its answer"},
        "answer": {"type": "string", "description": "the text without the thought"},
        "value": {"description": "what the text stands for: a list of items, rows of a table, or a record"},
    },
    "required": ["text", "seed", "finish_reason"],
}
RUN: Schema = {
    "type": "object",
    "properties": {
        "run": {"type": "string", "description": "name of this run, for what_if"},
        "model": {"type": "string"},
        "path": {"type": "string"},
        "prompt_tokens": {"type": "integer"},
        "texts": {"type": "array", "items": _TEXT},
        "remarks": {"type": "array", "items": _NOTE},
    },
    "required": ["run", "model", "path", "prompt_tokens", "texts", "remarks"],
}
WHAT_IF: Schema = {
    "type": "object",
    "properties": {
        "same": {"type": ["boolean", "null"], "description": "whether the text would be the same; null: not known"},
        "first_difference": {
            "type": ["object", "null"],
            "properties": {
                "position": {"type": "integer", "description": "the token, counted from 0"},
                "text_before": {"type": "string"},
                "was": {"type": "string"},
                "would_be": {"type": ["string", "null"], "description": "null: the text would end here"},
            },
            "required": ["position", "text_before", "was", "would_be"],
        },
        "tokens": {"type": "integer"},
        "tokens_that_differ": {"type": ["integer", "null"], "description": "each decided from the text as it stands"},
        "note": {"type": ["string", "null"]},
        "written": {"anyOf": [RUN, {"type": "null"}], "description": "the whole text under the other settings"},
    },
    "required": ["same", "first_difference", "tokens", "tokens_that_differ", "note", "written"],
}
_ALTERNATIVE = object_of({"text": {"type": "string"}, "probability": {"type": "number"}}, "text", "probability")
READING: Schema = {
    "type": "object",
    "properties": {
        "perplexity": {"type": ["number", "null"]},
        "mean_entropy_bits": {"type": ["number", "null"]},
        "tokens": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "probability": {"type": ["number", "null"]},
                    "rank": {"type": ["integer", "null"], "description": "1: the likeliest"},
                    "entropy_bits": {"type": ["number", "null"]},
                    "alternatives": {"type": "array", "items": _ALTERNATIVE},
                },
                "required": ["text", "probability", "rank", "entropy_bits", "alternatives"],
            },
        },
    },
    "required": ["perplexity", "mean_entropy_bits", "tokens"],
}
