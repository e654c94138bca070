"""Chat templates rendered in a worker process.

A template comes with a model and so from strangers: it may loop, recurse or ask for all memory. Needs Jinja alone, and
knows no tokenizer: text and plain data go in, text or a reason comes out. The environment is the one that transformers
gives a template, so what is rendered is what `apply_chat_template` renders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Template, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from playground.isolation import LimitExceeded, ResourceLimits, run_isolated
from playground.types import Text

_MOST_CHARACTERS = 8_000_000
# One at a time: they are short, and a process for each of two would be started again and again under load.
_MOST = ResourceLimits(seconds=2.0, memory=2**30, output=8 * _MOST_CHARACTERS, at_once=1)
_RAISED = "raise_exception"  # the kind of error that a template's own words are
_EXCEEDED: Mapping[str, Text] = {
    "time": Text(
        f"it does not come to an end within {_MOST.seconds:g} seconds", f"它在 {_MOST.seconds:g} 秒内没有结束"
    ),
    "memory": Text("it needs too much memory", "它需要的内存太多"),
    "output": Text(
        f"it writes more than {_MOST_CHARACTERS:,} characters", f"它写出的内容超过 {_MOST_CHARACTERS:,} 个字符"
    ),
    "crash": Text("it broke the process that renders it", "它使渲染它的进程崩溃"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a template gave no text. `own` is whether the reason is the template's own words, `limit` whether it ran into
    a limit, which takes as long with every other conversation."""

    reason: Text
    own: bool = False
    limit: bool = False


def render(
    template: str, each: Sequence[Mapping[str, Any]], shared: Mapping[str, Any], now: float | None = None
) -> list[str | Failure]:
    """The template's text for each of these variables together with the `shared` ones, or why there is none.

    A template that writes the date writes that of `now` (seconds since 1970), without it today's. Raises Busy where the
    worker process does not come free.
    """
    if not template:
        return ["" for _ in each]
    asked = json.dumps({"template": template, "shared": shared, "each": list(each), "now": now}).encode("ascii")
    try:
        answers = run_isolated("template", {}, asked, _MOST)
    except LimitExceeded as limit:
        return [Failure(_EXCEEDED[limit.what], limit=True) for _ in each]
    return [_read(answer) for answer in answers]


def render_isolated(_: Mapping[str, Any], data: bytes) -> list[dict[str, str]]:
    """What the worker process does for `render`: of each `text`, or the `kind` of the error and its `reason`."""
    asked = json.loads(data)
    clock = {} if asked["now"] is None else {"strftime_now": datetime.fromtimestamp(asked["now"]).strftime}
    return [_answer(asked["template"], {**asked["shared"], **clock, **given}) for given in asked["each"]]


def _read(answer: Mapping[str, str]) -> str | Failure:
    if "text" in answer:
        return answer["text"]
    kind, reason = answer["kind"], answer["reason"].rstrip(".。 ")
    if kind == _RAISED:
        return Failure(Text(reason, reason), own=True)
    if kind in _EXCEEDED:
        return Failure(_EXCEEDED[kind])
    message = f"{kind}: {reason}" if reason else kind
    return Failure(Text(message, message))


class _Generation(Extension):
    """`{% generation %}` marks what a model is trained to write; here it is only what stands inside."""

    tags = {"generation"}  # noqa: RUF012 - Jinja declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


class _Namespace(Namespace):
    """Holds no name that begins with an underscore: those lead out of the sandbox."""

    def __init__(*args: Any, **named: Any) -> None:
        _check_names({**dict(*args[1:]), **named})
        Namespace.__init__(*args, **named)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_names({name: value})
        super().__setitem__(name, value)


class _Dict:
    """`dict` without the rest of Python's type."""

    def __call__(self, *args: Any, **named: Any) -> dict[Any, Any]:
        return dict(*args, **named)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args)


class _Raised(TemplateError):
    """What a template itself refuses, in its own words."""


class _TooLong(Exception):
    """More is written than any model reads."""


def _check_names(names: dict[Any, Any]) -> None:
    for name in names:
        if isinstance(name, str) and name.startswith("_"):
            raise SecurityError(f"a namespace cannot hold {name!r}")


def _raise(message: Any = "") -> None:
    raise _Raised(str(message))


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    made.filters["tojson"] = _to_json
    made.globals.update(raise_exception=_raise, strftime_now=_now, dict=_Dict(), namespace=_Namespace)
    return made


@lru_cache(maxsize=8)
def _compiled(source: str) -> Template:
    return _environment().from_string(source)


def _rendered(source: str, given: dict[str, Any]) -> str:
    pieces, length = [], 0
    for piece in _compiled(source).generate(**given):
        pieces.append(piece)
        length += len(piece)
        if length > _MOST_CHARACTERS:
            raise _TooLong
    return "".join(pieces)


def _answer(source: str, given: dict[str, Any]) -> dict[str, str]:
    try:
        return {"text": _rendered(source, given)}
    except MemoryError:
        raise
    except _TooLong:
        return {"kind": "output", "reason": ""}
    except Exception as error:  # noqa: BLE001 - whatever a template raises is reported to the caller
        kind = _RAISED if isinstance(error, _Raised) else type(error).__name__.lstrip("_")
        lines = str(error).split("\n")
        return {"kind": kind, "reason": lines[0][:300]}
