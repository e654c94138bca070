"""Renders chat templates, in a process of its own that can be ended: started as a script by `worker.py`.

A template comes with a model and so from strangers: it may loop, recurse or ask for all memory. Needs Jinja alone.
Each line of standard input is a request as JSON, each line of standard output its answer. The environment is the one
that transformers gives a template, so what is rendered is what `apply_chat_template` renders.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Template, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

resource: Any = None  # where there is none, whoever waits for an answer ends this process
with suppress(ImportError):
    resource = importlib.import_module("resource")

SECONDS = 2  # of processor time for one request, however busy the machine is
MEMORY = 1 << 30  # bytes of address space
MOST_CHARACTERS = 8_000_000
RAISED = "raise_exception"  # the kind of error that a template's own words are


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
        if length > MOST_CHARACTERS:
            raise _TooLong(f"it writes more than {MOST_CHARACTERS:,} characters")
    return "".join(pieces)


def answer(source: str, given: dict[str, Any]) -> dict[str, str]:
    """`text`, or the `kind` of the error and its `reason` in one line."""
    try:
        return {"text": _rendered(source, given)}
    except MemoryError:
        return {"kind": "MemoryError", "reason": "it needs too much memory"}
    except Exception as error:  # noqa: BLE001 - whatever a template does is told to whoever asked
        kind = RAISED if isinstance(error, _Raised) else type(error).__name__.lstrip("_")
        lines = str(error).split("\n")
        return {"kind": kind, "reason": lines[0][:300]}


def _limit() -> None:
    """Whatever exceeds this is ended by the system."""
    if resource is None:
        return
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _allow_seconds() -> None:
    if resource is None:
        return
    with suppress(OSError, ValueError):
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS, hard))


def main() -> None:
    _limit()
    for line in sys.stdin.buffer:
        _allow_seconds()
        asked = json.loads(line)
        answers = [answer(asked["template"], {**asked["shared"], **given}) for given in asked["each"]]
        sys.stdout.buffer.write(json.dumps(answers).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
