"""The bar of the settings: one record added to a class turns up everywhere, with no other edit."""

import argparse
from dataclasses import dataclass, field
from typing import assert_type

import pytest

from playground.cli.flags import Parser
from playground.settings import (
    APP,
    Limits,
    ModelSettings,
    Setting,
    Settings,
    add_flags,
    document,
    read,
    read_server,
    server_parser,
)
from playground.settings.kinds import WholeKind
from playground.types import PlaygroundError, Text


@dataclass(frozen=True, slots=True)
class MadeUpLimits(Limits):
    made_up_most: int = Setting(
        kind=WholeKind(high=99),
        group="limits",
        flag="--limit-made-up",
        help=Text("most of what exists for this test", "只为这个测试而存在的上限"),
        default=9,
        public=3,
    ).value()


@dataclass(frozen=True, slots=True)
class MadeUp(Settings):
    made_up: int = Setting(
        kind=WholeKind(high=99),
        group="engine",
        help=Text("exists for this test alone", "只为这个测试而存在"),
        default=7,
    ).value()
    limits: MadeUpLimits = field(default_factory=MadeUpLimits)


@dataclass(frozen=True, slots=True)
class MadeUpModel(ModelSettings):
    made_up: int | None = Setting(
        kind=WholeKind(high=99),
        group="model",
        help=Text("exists for this test alone", "只为这个测试而存在"),
        programs=(APP, "generate"),
    ).optional()


def test_it_is_an_attribute_with_a_type_a_default_and_one_for_a_public_page() -> None:
    plain, public = read_server(MadeUp, [], {}), read_server(MadeUp, ["--share"], {})
    assert_type(plain.made_up, int)
    assert_type(plain.limits.made_up_most, int)
    assert_type(MadeUpModel().made_up, int | None)
    assert (plain.made_up, plain.limits.made_up_most, public.limits.made_up_most) == (7, 9, 3)
    assert MadeUp(made_up=4).made_up == 4


def test_it_is_a_flag_with_help_and_a_variable_that_the_flag_overrules() -> None:
    shown = " ".join(server_parser(MadeUp).format_help().split())
    assert "--made-up N exists for this test alone (default: 7; or set PLAYGROUND_MADE_UP)" in shown
    assert (
        "most of what exists for this test (default: 9, on a public page 3; or set PLAYGROUND_LIMIT_MADE_UP)" in shown
    )
    environment = {"PLAYGROUND_MADE_UP": "5", "PLAYGROUND_LIMIT_MADE_UP": "6"}
    found = read_server(MadeUp, [], environment)
    assert (found.made_up, found.limits.made_up_most) == (5, 6)
    assert read_server(MadeUp, ["--made-up", "8", "--limit-made-up", ""], environment).made_up == 8


@pytest.mark.parametrize(
    ("argv", "environment", "said"),
    [
        (["--made-up", "100"], {}, "made-up is 100, not a whole number from 1 to 99."),
        (["--limit-made-up", "x y\n"], {}, r"limit-made-up is 'x y\n', not a whole number from 1 to 99."),
        (
            [],
            {"PLAYGROUND_MADE_UP": "1e2"},
            "made-up is 1e2, not a whole number from 1 to 99. Change PLAYGROUND_MADE_UP.",
        ),
    ],
)
def test_its_range_is_checked_with_one_sentence(argv: list[str], environment: dict[str, str], said: str) -> None:
    with pytest.raises(PlaygroundError) as caught:
        read_server(MadeUp, argv, environment)
    assert caught.value.say("en") == said
    assert "1 到 99 之间的整数" in caught.value.say("zh")


def test_it_is_in_the_document() -> None:
    written = document.render(MadeUp)
    assert "| `--made-up`<br>`PLAYGROUND_MADE_UP` | exists for this test alone · 只为这个测试而存在 |" in written
    assert "`9`<br>public · 公开：`3`" in written


def test_a_command_of_the_terminal_takes_it_where_its_record_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def parser(program: str) -> argparse.ArgumentParser:
        made = Parser(prog=program)
        add_flags(made, MadeUpModel, program, refuse=True)
        return made

    environment = {"PLAYGROUND_MADE_UP": "5"}
    assert read(MadeUpModel(), parser("generate").parse_args(["--made-up", "6"]), environment).made_up == 6
    assert read(MadeUpModel(), parser("generate").parse_args([]), environment).made_up == 5
    assert read(MadeUpModel(), parser("measure").parse_args([]), environment).made_up is None
    for program, said in (("generate", "argument --made-up: '0' is no whole number"), ("measure", "unrecognized")):
        with pytest.raises(SystemExit):
            parser(program).parse_args(["--made-up", "0"])
        assert said in capsys.readouterr().err
