"""The registry's parameters as flags of a terminal, what they were given, and a parser for them. Knows no command."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from playground import parameters
from playground.parameters.record import Parameter
from playground.types import InvalidRequest, Text

PROGRAM = "python -m playground"
_LONGEST = 400  # characters of argparse's own sentence, which repeats whatever was given
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_TYPED = r"\n is a line break, \t a tab, \\n the two characters."


class Parser(argparse.ArgumentParser):
    """argparse with one sentence for an error, where the usage of sixty flags would bury it; and with values that begin
    with a dash: what follows a flag that takes a text is that text, unless it is the name of a flag."""

    def error(self, message: str) -> NoReturn:
        """Prints one sentence, with at most `_LONGEST` characters of the message, and exits with status 2."""
        shown = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
        self.exit(2, f"{PROGRAM}: {shown}. See {self.prog} --help.\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(None if args is None else self._joined(list(args)), namespace)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if arg_strings == ["--"] and action.option_strings and action.nargs is None:
            return "--"  # argparse of Python 3.11 would take it away
        return super()._get_values(action, arg_strings)

    def _joined(self, args: Sequence[str]) -> list[str]:
        """`--stop ---` as `--stop=---`."""
        found: list[str] = []
        for arg in args:
            flag = self._option_string_actions.get(found[-1]) if found else None
            takes = flag is not None and flag.nargs is None
            if takes and arg.startswith("-") and arg.partition("=")[0] not in self._option_string_actions:
                found[-1] += f"={arg}"
            else:
                found.append(arg)
        return found


def add_parameters(sub: Any) -> None:
    """Every parameter as --kebab-case, in the registry's groups."""
    for group, members in parameters.grouped().items():
        section = sub.add_argument_group(parameters.GROUPS[group].en)
        for parameter in members:
            _add_flag(section, parameter)


def _add_flag(section: Any, parameter: Parameter) -> None:
    about = f"{parameter.help.en} Neutral: {parameter.neutral!r}."
    if parameter.kind in ("texts", "bias"):
        about += f" {_TYPED}"
    about = about.replace("%", "%%")
    match parameter.kind:
        case "bool":
            section.add_argument(
                parameter.flag, dest=parameter.name, nargs="?", const="true", metavar="true|false", help=about
            )
        case "texts" | "ids" | "bias" | "id_bias":
            metavar = {"texts": "TEXT", "ids": "ID", "bias": "TEXT=NUMBER", "id_bias": "ID=NUMBER"}[parameter.kind]
            section.add_argument(parameter.flag, dest=parameter.name, action="append", metavar=metavar, help=about)
        case _:
            metavar = "|".join(parameter.choices) or parameter.kind.upper()
            section.add_argument(parameter.flag, dest=parameter.name, metavar=metavar, help=about)


def given_values(given: argparse.Namespace) -> dict[str, Any]:
    """What the flags say, in the shapes that `parameters.validate` takes."""
    flags = ((parameter, getattr(given, parameter.name)) for parameter in parameters.REGISTRY)
    return {parameter.name: _shaped(parameter, value) for parameter, value in flags if value is not None}


def _shaped(parameter: Parameter, value: Any) -> Any:
    if parameter.kind == "id_lists":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    if parameter.kind == "texts":
        return [typed(item) for item in value]
    if parameter.kind == "bias":
        return {typed(text): number for text, number in pairs(parameter.name, value).items()}
    if parameter.kind == "id_bias":
        return pairs(parameter.name, value)
    return value


def typed(text: str) -> str:
    """A text as it is typed on one line, here and on the page: `\\n` is a line break, `\\\\n` these two characters."""
    return re.sub(r"\\([ntr\\])", lambda found: _ESCAPES[found[1]], text)


def pairs(name: str, texts: Sequence[str]) -> dict[str, str]:
    """Several NAME=VALUE as a mapping. Raises InvalidRequest where two have the same name or one has no =."""
    found: dict[str, str] = {}
    for key, value in (pair(name, text) for text in texts):
        if key in found:
            shown = key[:60]
            raise InvalidRequest(
                Text(f"{name}: {shown!r} is given twice.", f"{name}：{shown!r} 给出了两次。"),
                Text("Give it once.", "请只给一次。"),
                parameter=name,
            )
        found[key] = value
    return found


def pair(name: str, text: str) -> tuple[str, str]:
    """NAME and VALUE, split at the first =, in a `logit_bias` at the last. Raises InvalidRequest without one."""
    key, equals, value = text.rpartition("=") if name == "logit_bias" else text.partition("=")
    if not equals:
        raise InvalidRequest(
            Text(
                f"{name}: {text[:60]!r} is not of the form NAME=VALUE.",
                f"{name}：{text[:60]!r} 不是 NAME=VALUE 的形式。",
            ),
            parameter=name,
        )
    return key, value
