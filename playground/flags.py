"""The registry's parameters as flags of a terminal, and what they were given. Knows no command."""

from __future__ import annotations

import argparse
import json
from typing import Any

from playground import parameters
from playground.parameters.record import Parameter
from playground.types import InvalidRequest, Text


def add_parameters(sub: Any) -> None:
    """Every parameter as --kebab-case, in the registry's groups."""
    for group, members in parameters.grouped().items():
        section = sub.add_argument_group(parameters.GROUPS[group].en)
        for parameter in members:
            _add_flag(section, parameter)


def _add_flag(section: Any, parameter: Parameter) -> None:
    about = f"{parameter.help.en} Neutral: {parameter.neutral!r}.".replace("%", "%%")
    match parameter.kind:
        case "bool":
            section.add_argument(
                parameter.flag, dest=parameter.name, nargs="?", const="true", metavar="true|false", help=about
            )
        case "texts" | "ids" | "bias":
            metavar = {"texts": "TEXT", "ids": "ID", "bias": "TEXT=NUMBER"}[parameter.kind]
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
        except ValueError:
            return value
    if parameter.kind == "bias":
        return dict(pair(parameter.name, item) for item in value)
    return value


def pair(name: str, text: str) -> tuple[str, str]:
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
