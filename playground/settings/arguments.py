"""Settings from flags and from the environment. A flag comes before a variable, a variable before the default.

An empty text counts as not given. Knows the password and the limits, and no other setting by name.
"""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from playground.settings.kinds import NotAllowed
from playground.settings.server import Settings
from playground.settings.setting import APP, GROUPS, Setting, records
from playground.types import PlaygroundError, Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

D = TypeVar("D", bound="DataclassInstance")
S = TypeVar("S", bound=Settings)

SPACE = "SPACE_HOST"  # Hugging Face's hosting: the name at which it shows the page, in a frame of its own
_FRAME = "https://huggingface.co"
_PROGRAM = "program"  # under this name a parser says whose flags it has read
_SHORTEST_KEY = 16  # characters: shorter ones can be guessed
_LONGEST = 40  # characters of a value in argparse's sentence


class _Parser(argparse.ArgumentParser):
    """argparse with one sentence for an error, where the usage of forty flags would bury it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message[:400]}. See {self.prog} --help.\n")


def server_parser(settings: type[Settings] = Settings) -> argparse.ArgumentParser:
    """The flags of app.py, their values still texts."""
    parser = _Parser(prog=APP, description="Playground: see what every sampling knob does.", allow_abbrev=False)
    own = settings()
    add_flags(parser, own, APP)
    add_flags(parser, own.limits, APP)
    return parser


def add_flags(
    parser: Any, settings: type[DataclassInstance] | DataclassInstance, program: str, *, refuse: bool = False
) -> None:
    """The flags of these settings that the program takes, in their groups.

    With `refuse` argparse itself refuses a value, as it does every other flag of a terminal's command; without, `read`
    raises PlaygroundError.
    """
    parser.set_defaults(**{_PROGRAM: program})
    found = [one for one in records(settings) if one.flag is not None and program in one.programs]
    for group in dict.fromkeys(one.group for one in found):
        section = parser.add_argument_group(GROUPS[group].en)
        for one in (one for one in found if one.group == group):
            _add_flag(section, one, program, partial(_checked, one) if refuse else None)


def _add_flag(section: Any, setting: Setting[Any], program: str, check: Callable[[str], str] | None) -> None:
    options: dict[str, Any] = {"dest": setting.key, "metavar": setting.kind.metavar, "help": _help(setting, program)}
    if check is not None:
        options["type"] = check
    if setting.kind.switch:
        options |= {"nargs": "?", "const": "true"}
    elif setting.kind.many:
        options["action"] = "append"
    section.add_argument(setting.flag, **options)


def _help(setting: Setting[Any], program: str) -> str:
    default = setting.default_text(setting.default).en
    public = setting.default_text(setting.public).en
    said = default if public == default or program != APP else f"{default}, on a public page {public}"
    or_variable = "" if setting.variable is None else f"; or set {setting.variable}"
    return f"{setting.help.en} (default: {said}{or_variable})".replace("%", "%%")


def _checked(setting: Setting[Any], text: str) -> str:
    if text:
        try:
            setting.kind.read(text)
        except NotAllowed as error:
            allowed = error.allowed.en
            shown, noun = repr(text[:_LONGEST]), allowed.removeprefix("a ")
            raise argparse.ArgumentTypeError(f"{shown} is {'not ' if noun == allowed else 'no '}{noun}") from None
    return text


def read(defaults: D, given: argparse.Namespace, environment: Mapping[str, str] | None = None) -> D:
    """The settings with what flags and variables change; `given` is of a parser that `add_flags` filled.

    Raises PlaygroundError for a value that is not allowed.
    """
    environment = os.environ if environment is None else environment
    program, found = getattr(given, _PROGRAM), dict[str, Any]()
    for one in records(defaults):
        if program not in one.programs:
            continue
        said = getattr(given, one.key, None)
        if text := ",".join(said) if isinstance(said, list) else said:
            found[one.name] = one.read(text)
        elif one.variable is not None and (text := environment.get(one.variable)):
            found[one.name] = one.read(text, one.variable)
    return replace(defaults, **found)


def from_arguments(argv: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """A server's settings from its command line. Raises PlaygroundError for a value that is not allowed."""
    return read_server(Settings, argv, environment)


def read_server(kind: type[S], argv: Sequence[str] | None, environment: Mapping[str, str] | None = None) -> S:
    """As `from_arguments`, for a class of settings. Raises PlaygroundError as it does."""
    environment = os.environ if environment is None else environment
    given = server_parser(kind).parse_args(argv)
    settings = read(kind(), given, environment)
    limits = type(settings.limits)
    settings = replace(settings, limits=read(limits.for_public() if settings.public else limits(), given, environment))
    settings = _on_a_space(settings, environment)
    settings = replace(settings, api_keys=_api_keys(settings))
    settings = replace(settings, password=_password(settings))  # behind the others, since it may ask
    if settings.mcp and settings.guarded and not settings.api_keys:
        raise PlaygroundError(
            Text(
                "mcp on a page that is public or has a password needs a key.",
                "公开或有密码的页面使用 mcp 时需要密钥。",
            ),
            Text("Give a file of keys with --api-key-file.", "请用 --api-key-file 给出密钥文件。"),
        )
    return settings


def _on_a_space(settings: S, environment: Mapping[str, str]) -> S:
    space = environment.get(SPACE)
    if not space:
        return settings
    names = next(one for one in records(settings) if one.name == "allowed_hosts").read(space, SPACE)
    return replace(settings, allowed_hosts=(*settings.allowed_hosts, *names), framed_by=(_FRAME,))


def _password(settings: Settings) -> str | None:
    """What is asked for in the terminal comes before the file, and the file before the variable."""
    if settings.ask_password:
        return getpass.getpass("Password for the page: ") or None
    if not settings.password_file:
        return settings.password
    try:
        lines = Path(settings.password_file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    if not lines or not lines[0].strip():
        raise PlaygroundError(
            Text("The password file cannot be read or is empty.", "密码文件无法读取或为空。"),
            Text("Put the password on its first line.", "请把密码写在第一行。"),
        )
    return lines[0].strip()


def _api_keys(settings: Settings) -> tuple[str, ...]:
    """The keys of the file, one on each line, and that of the variable. Raises PlaygroundError for one too short."""
    lines: list[str] = []
    if settings.api_key_file:
        try:
            lines = Path(settings.api_key_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        if not any(line.strip() for line in lines):
            raise PlaygroundError(
                Text("The file of API keys cannot be read or is empty.", "API 密钥文件无法读取或为空。"),
                Text("Put a key on each of its lines.", "请在每行写一个密钥。"),
            )
    keys = tuple(dict.fromkeys(line.strip() for line in [*lines, settings.api_key or ""] if line.strip()))
    if any(len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key for key in keys):
        raise PlaygroundError(
            Text(
                f"An API key is too short or not plain: it takes {_SHORTEST_KEY} letters, digits or signs, no spaces.",
                f"API 密钥过短或含有不允许的字符：至少需要 {_SHORTEST_KEY} 个字母、数字或符号，且不含空格。",
            ),
            Text("Make one with: openssl rand -hex 24.", "可用 openssl rand -hex 24 生成。"),
        )
    return keys
