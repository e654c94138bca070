"""What each element of the page tells the server: its events, and the data of each by name and type.

Both sides are held to this table: `python -m playground.ui.events` writes it for the scripts as scripts/events.d.ts, by
which tsc checks them; of what a visitor sends, only what fits reaches a handler (Blocks). Knows no handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Fields = Mapping[str, str]
"""A type by name; with "?" behind it, the field may be left out or be null."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "number": (int, float),
    "text": (str,),
    "flag": (bool,),
    "list": (list,),
    "map": (dict,),
    "int or text": (int, str),
}
_TYPESCRIPT: Mapping[str, str] = {
    "int": "number",
    "number": "number",
    "text": "string",
    "flag": "boolean",
    "list": "any[]",
    "map": "Record<string, any>",
    "int or text": "number | string",
}
_NOTHING: Fields = {}
_AT: Fields = {"run": "text?", "row": "int"}
_LOOK: Fields = {**_AT, "sent": "number?"}  # when, by the page's clock
_TOKEN: Fields = {**_AT, "position": "int"}
_OTHER_TOKEN: Fields = {**_TOKEN, "token_id": "int?"}
_JOB: Fields = {"key": "text"}
_ASKED_AT: Fields = {"at": "int"}
_BATCH_FORM: Fields = {"task": "text", "own": "text", "language": "text"}
_BATCH_WISH: Fields = {
    **_BATCH_FORM,
    "n": "int or text",
    "seed": "int or text",
    "knobs": "flag",
    "mapping": "map",
    "fixed": "map",
}
_BATCH_PAGE: Fields = {**_JOB, "first": "int"}
_READING: Fields = {"sheet": "text?", "delimiter": "text?", "encoding": "text?"}  # Reading of table_reader.py
_DRAFT: Fields = {
    "key": "text?",
    "head": "map",
    "at": "int",
    "length": "int or text",
    "room": "int or text",
    "n": "int or text",
    "seed": "int or text",
    "knobs": "flag",
}
_SECTION: Fields = {"number": "int", "heading": "text", "text": "text", "gist": "text"}
_WRITER: Fields = {"model": "text?", "revision": "text?"}
_MODEL: Fields = {
    **_ASKED_AT,
    "name": "text",
    "weights": "text",
    "max_memory": "text",
    "context": "text",
    "chat_template": "text?",
    "trust_remote_code": "flag",
    "adapter": "text",
    "adapter_share": "number",
}
_LOADED: Fields = {**_ASKED_AT, "key": "text"}
_TRAINING: Fields = {**_ASKED_AT, "id": "text"}
_TRAIN_FORM: Fields = {
    **_ASKED_AT,
    "data": "text",
    "validation": "text?",
    "base": "text?",
    "name": "text",
    "mapping": "map?",
    "settings": "map",
    "draft": "text?",
}
_TASK_FILE: Fields = {**_ASKED_AT, "key": "text?"}

EVENTS: Mapping[str, Mapping[str, Fields]] = {
    "act": {"generate": _NOTHING, "stop": _NOTHING, "look": _NOTHING, "path": _NOTHING},
    "batch": {
        "about": {**_BATCH_FORM, **_JOB, "at": "int", "columns": "flag?"},
        "follow": {**_BATCH_PAGE, "number": "int", "seen": "text?"},
        # All rows by a form, or of a job that was run those that are left or failed.
        "go": {
            **_BATCH_PAGE,
            **{name: f"{kind}?" for name, kind in _BATCH_WISH.items()},
            "number": "int",
            "anew": "flag?",
            "resume": "flag?",
            "retry": "flag?",
        },
        "halt": _JOB,
        "look": {**_BATCH_PAGE, **_BATCH_WISH},
        "opened": _JOB,
        "pause": _JOB,
        "piece": {**_ASKED_AT, "name": "text", "size": "int", "from": "int", "data": "text", **_READING},
        "save": {**_JOB, "kind": "text", "language": "text", "at": "int"},
    },
    "cards": {
        "again": {"action": "text", "text": "text", "request": "map", "target": "map", "parted": "map"},
        "look": {**_LOOK, "hand": "flag?"},
    },
    "compose": {"look": _NOTHING, "pick": _NOTHING},
    "curve": {"pick": _TOKEN},
    "diagnosis": {},
    "dock_head": {},
    "drawer": {},
    "expected": {},
    "header": {"ask": _NOTHING, "wake": _NOTHING},
    "keys": {},
    "knobs": {"input": {"name": "text?"}, "preset": {"id": "text"}},
    "model": {
        "opened": _NOTHING,
        "estimate": _MODEL,
        "switch": {**_MODEL, "running": "text"},  # Gradio sends "load" by itself
        "use": {**_LOADED, "running": "text"},
        "unload": _LOADED,
        "cancel": _ASKED_AT,
        "halt": _ASKED_AT,
        "template": _ASKED_AT,
    },
    "read": {"read": _NOTHING, "detect": _NOTHING},
    "seen": {"read": _NOTHING},
    "talk": {
        "speak": {
            "talk": "text",
            "system": "text",
            "prefill": "text",
            "left_out": "int",
            "turns": "list",
            "message": "text",
            "goes_on": "flag?",
            "again": "flag?",
        },
    },
    "tokens": {"pick": _TOKEN, "look": _LOOK, "diverge": _OTHER_TOKEN, "stop": _NOTHING, "missed": _LOOK},
    "train": {
        "opened": _ASKED_AT,
        "piece": {
            **_ASKED_AT,
            "side": "text",
            "name": "text",
            "size": "int",
            "from": "int",
            "data": "text",
            **_READING,
        },
        "example": {**_ASKED_AT, "language": "text"},
        "known": {**_ASKED_AT, "side": "text", "key": "text"},
        "guess": {**_ASKED_AT, "key": "text", "task": "text", "own": "text"},
        "check": _TRAIN_FORM,
        "measure": _TRAIN_FORM,
        "begin": _TRAIN_FORM,
        "follow": {**_TRAINING, "starts": "int", "metrics": "int", "samples": "int"},
        "curves": {**_ASKED_AT, "ids": "list"},
        "resume": _TRAINING,
        "pause": _TRAINING,
        "halt": _TRAINING,
        "remove": _TRAINING,
        "describe": {**_TRAINING, "name": "text?", "note": "text?"},
        "use": _TRAINING,
    },
    "user_tasks": {
        "check": {**_TASK_FILE, "yaml": "text", "file": "text?"},
        "keep": {**_TASK_FILE, "title": "text"},
        "start": _TASK_FILE,
    },
    "waterfall": {"pick": _TOKEN, "branch": _OTHER_TOKEN, "ask": {**_TOKEN, "text": "text"}, "close": _NOTHING},
    "write": {
        "forget": {"key": "text"},
        "halt": _NOTHING,
        "accept": {**_DRAFT, "card": "int", "heading": "text", "text": "text", **_WRITER},
        "go": {**_DRAFT, "action": "text", "target": "int?", "text": "text"},
        "keep": _DRAFT,
        "mend": {**_DRAFT, **_SECTION},
        "remove": {**_DRAFT, "number": "int"},
        "restore": {**_DRAFT, **_SECTION, **_WRITER},
        "opened": {"key": "text", "length": "int or text", "room": "int or text", "at": "int"},
        "save": {"key": "text", "kind": "text", "at": "int"},
    },
}


def fitting(sent: object, fields: Fields) -> dict[str, Any]:
    """Of what a script sent, the fields of this event that have their type; of anything but a mapping, none."""
    if not isinstance(sent, Mapping):
        return {}
    return {name: sent[name] for name, kind in fields.items() if name in sent and _fits(sent[name], kind)}


def _fits(value: object, kind: str) -> bool:
    if value is None:
        return kind.endswith("?")
    types = _TYPES[kind.removesuffix("?")]
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _typed(name: str, kind: str) -> str:
    if not kind.endswith("?"):
        return f"{name}: {_TYPESCRIPT[kind]}"
    return f"{name}?: {_TYPESCRIPT[kind.removesuffix('?')]} | null"


def typescript() -> str:
    """The table as a declaration for the scripts; an event without data is null."""
    lines = [
        "// What elements tell the server, written from playground/ui/events.py by `python -m playground.ui.events`.",
        "export interface Events {",
    ]
    for element, events in EVENTS.items():
        lines.append(f"  {element}: {{")
        for event, fields in events.items():
            typed = (_typed(name, kind) for name, kind in fields.items())
            lines.append(f"    {event}: {{ {'; '.join(typed)} }};" if fields else f"    {event}: null;")
        lines.append("  };")
    return "\n".join((*lines, "}", ""))


DECLARATION = Path(__file__).parent / "scripts" / "events.d.ts"

if __name__ == "__main__":
    DECLARATION.write_text(typescript(), encoding="utf-8")
