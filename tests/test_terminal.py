"""The terminal in any encoding: nothing fails, nothing is lost, and a value may begin with a dash."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground import parameters
from playground.cli import main as cli
from playground.cli.flags import given_values, typed
from playground.generators.scripted import ScriptedGenerator
from playground.settings import Limits
from playground.tables import rows
from tests import scripted_batch

SAID = "蓝月 – “café” 🙂 ≥ 3"


class Terminal:
    """Standard output and error of one encoding, as a program finds them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
        self._streams = {name: io.BytesIO() for name in ("stdout", "stderr")}
        for name, stream in self._streams.items():
            monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, encoding=encoding, write_through=True))

    def __getattr__(self, name: str) -> bytes:
        return self._streams[name].getvalue()


@pytest.fixture
def _script(monkeypatch: pytest.MonkeyPatch) -> None:
    script = ScriptedGenerator([SAID], parameters=frozenset(parameters.by_name()))
    monkeypatch.setattr(cli, "_load", lambda _: script)


@pytest.mark.usefixtures("_script")
@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", r'\u84dd\u6708 - "caf\xe9" \U0001f642 >= 3'),
        ("cp1252", r"\u84dd\u6708 – “café” \U0001f642 >= 3"),
        ("gbk", r"蓝月 – “café” \U0001f642 ≥ 3"),
        ("utf-8", SAID),
    ],
)
def test_a_text_is_streamed_with_replacements_and_json_keeps_all_of_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str
) -> None:
    terminal = Terminal(monkeypatch, encoding)
    assert cli.main(["generate", "--prompt", "x", "--seed", "0"]) == 0
    assert terminal.stdout.decode(encoding).rstrip() == shown
    terminal = Terminal(monkeypatch, encoding)
    assert cli.main(["generate", "--prompt", "x", "--seed", "0", "--json"]) == 0
    assert json.loads(terminal.stdout.decode(encoding))["candidates"][0]["text"] == SAID
    assert terminal.stdout.isascii() == (encoding != "utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ["params"], ["params", "--json"], ["tasks"], ["tasks", "--json"],
        ["generate", "--help"], ["batch", "--help"], ["measure", "--help"], ["replay", "--help"], ["--help"],
        ["generate", "--task", "没有"], ["replay", "没有.jsonl"], ["generate", "--语"],
        pytest.param(["models"], marks=pytest.mark.model), pytest.param(["models", "--json"], marks=pytest.mark.model),
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk"])
def test_every_command_prints_in_every_encoding(
    monkeypatch: pytest.MonkeyPatch, words: list[str], encoding: str
) -> None:
    terminal = Terminal(monkeypatch, encoding)
    try:
        code: Any = cli.main(words)
    except SystemExit as end:  # argparse's own way out
        code = end.code
    assert code in (0, 2) and (terminal.stdout or terminal.stderr)
    if "--json" in words:
        assert json.loads(terminal.stdout.decode("ascii"))


def test_a_process_whose_terminal_is_ascii_prints_and_ends_well() -> None:
    for command, said in ((["tasks"], rb"Advertisements by channel / \u5206"), (["params"], b"--temperature")):
        settings = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
        words = [sys.executable, "-m", "playground", *command]
        done = subprocess.run(words, capture_output=True, env=settings, check=False)
        assert done.returncode == 0 and said in done.stdout and done.stdout.isascii() and not done.stderr


def test_words_that_the_locale_cannot_read_are_read_as_utf_8_and_name_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "größe.csv").write_text("x", encoding="utf-8")
    code = (
        "import argparse; from pathlib import Path; from playground.cli import terminal\n"
        "words = terminal.arguments(None); print(ascii(words[:-1]))\n"
        "given = argparse.Namespace(source=words[-1], prompt='x'); terminal.name_files(given, ['source', 'out'])\n"
        "print(Path(given.source).read_bytes())"
    )
    settings = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    words = ["茶é".encode(), "--map=product=Größe".encode(), b"caf\xe9", b"a", os.fsencode(tmp_path / "größe.csv")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, env=settings, check=True)
    assert done.stdout.splitlines() == [ascii(["茶é", "--map=product=Größe", "caf\udce9", "a"]).encode(), b"b'x'"]


@pytest.mark.usefixtures("_script")
@pytest.mark.parametrize("flag", ["--turns", "--bad-words-ids", "--json-schema"])
@pytest.mark.parametrize("written", ["[" * 100_000, "[" * 900 + "]" * 900, '{"a":' * 100_000, "[" + "9" * 5000 + "]"])
def test_json_without_end_is_one_sentence(capsys: pytest.CaptureFixture[str], flag: str, written: str) -> None:
    assert cli.main(["generate", "--prompt", "x", flag, written]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and len(told) < 500 and flag.strip("-").split("-")[0] in told.lower()


@pytest.mark.usefixtures("_script")
def test_a_text_that_is_too_long_is_told_by_what_a_text_may_have(capsys: pytest.CaptureFixture[str]) -> None:
    for flag, value in (("--banned-phrases", "x" * 100_000), ("--logit-bias", "x" * 100_000 + "=5")):
        assert cli.main(["generate", "--prompt", "x", flag, value]) == 2
        assert "of at most 20000 characters" in capsys.readouterr().err
    assert cli.main(["generate", "--prompt", "x", "--logit-bias", "a=5", "--logit-bias", "a=6"]) == 2
    assert "logit_bias: 'a' is given twice" in capsys.readouterr().err


@pytest.mark.usefixtures("_script")
def test_a_trace_that_cannot_be_written_is_told_before_a_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("/proc/t.jsonl", str(tmp_path), str(tmp_path / "none" / "t.jsonl"), str(tmp_path / ("x" * 300))):
        assert cli.main(["generate", "--prompt", "x", "--trace", place]) == 2
        found = capsys.readouterr()
        assert "cannot be written" in found.err and not found.out


def test_a_word_that_nobody_knows_is_not_repeated_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["generate", "--prompt", "x", "--nothing", "(" * 100_000])
    assert "unrecognized" in (told := capsys.readouterr().err) and len(told) < 600


@pytest.mark.parametrize("flag", ["--limit-batch-rows", "--limit-batch-cell"])
def test_a_limit_that_is_no_count_is_refused_as_a_flag(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    for value in ("0", "-5", "many", "1.5"):
        with pytest.raises(SystemExit):
            cli._parser().parse_args(["batch", "--task", "t", "--in", "a", "--out", "b", flag, value])
        assert f"argument {flag}: {value!r} is no whole number from 1 on" in capsys.readouterr().err


def test_a_command_takes_its_settings_from_variables_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYGROUND_WEIGHTS", "int3")
    assert cli.main(["generate", "--prompt", "x"]) == 2
    assert "weights is int3, not one of auto, fp32" in (said := capsys.readouterr().err)
    assert "Change PLAYGROUND_WEIGHTS." in said and said.count("\n") == 1
    monkeypatch.delenv("PLAYGROUND_WEIGHTS")
    sheet = tmp_path / "rows.csv"
    sheet.write_text("product\na\nb\n", encoding="utf-8")
    words = ["batch", "--task", "slogans", "--in", str(sheet), "--out", str(tmp_path / "out.jsonl")]
    monkeypatch.setenv("PLAYGROUND_LIMIT_BATCH_ROWS", "1")
    assert cli.main(words) == 2
    assert "Row 2 is one too many" in capsys.readouterr().err


@pytest.mark.usefixtures("_script")
@pytest.mark.parametrize(
    ("data", "encoding", "read"),
    [
        ("蓝月".encode(), "ascii", "蓝月"), ("蓝月".encode("gbk"), "gbk", "蓝月"),
        ("café".encode("cp1252"), "cp1252", "café"), ("\ufeffa\r\nb".encode(), "cp1252", "a\nb"),
        ("蓝月".encode("gbk"), "ascii", None),
    ],
)  # fmt: skip
def test_a_prompt_from_standard_input_is_read_in_the_terminal_s_encoding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: bytes, encoding: str, read: str | None
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding=encoding))
    seen: list[str] = []
    build = cli.generate.build

    def noted(prompt: str, *given: Any, **more: Any) -> Any:
        seen.append(prompt)
        return build(prompt, *given, **more)

    monkeypatch.setattr(cli.generate, "build", noted)
    assert cli.main(["generate", "--prompt", "-", "--seed", "0"]) == (2 if read is None else 0)
    assert set(seen) == ({read} if read else set())
    if read is None:
        assert "Standard input is neither UTF-8 nor ascii text." in capsys.readouterr().err


def test_a_batch_writes_utf_8_whatever_the_terminal_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source, out, sheet = (tmp_path / name for name in ("rows.csv", "out.jsonl", "out.csv"))
    source.write_text("产品\n蓝月 “é” 🙂\n", encoding="utf-8")
    terminal = Terminal(monkeypatch, "ascii")
    cli.prepare()
    words = ["--in", str(source), "--out", str(out), "--csv", str(sheet), "--seed", "1"]
    assert scripted_batch.run(["batch", "--task", "slogans", *words]) == 0
    assert rb"from the column '\u4ea7\u54c1'" in terminal.stderr
    assert json.loads(out.read_bytes().decode("utf-8"))["input"] == {"产品": "蓝月 “é” 🙂"}
    assert sheet.read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows.read(sheet, Limits()).rows[0]["产品"] == "蓝月 “é” 🙂"


def given(*words: str) -> dict[str, Any]:
    return given_values(cli._parser().parse_args(["generate", "--prompt", "x", *words]))


def test_escapes_are_read_as_the_page_reads_them() -> None:
    assert [typed(one) for one in (r"\n", r"\\n", r"\t\r", r"\\\n", r"\x", "a", "\\", "\n")] == [
        "\n", r"\n", "\t\r", "\\\n", r"\x", "a", "\\", "\n",
    ]  # fmt: skip
    assert given("--stop", r"\n", "--stop", r"\\n", "--banned-phrases", r"a\tb", "--logit-bias", r"\n=5") == {
        "stop": ["\n", r"\n"], "banned_phrases": ["a\tb"], "logit_bias": {"\n": "5"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--stop", "---"], {"stop": ["---"]}),
        (["--stop", "--", "--stop", "-"], {"stop": ["--", "-"]}),
        (["--stop", "--- end", "--stop=-x"], {"stop": ["--- end", "-x"]}),
        (["--banned-phrases", "- item"], {"banned_phrases": ["- item"]}),
        (["--negative-prompt", "-no"], {"negative_prompt": "-no"}),
        (["--logit-bias", "-=5"], {"logit_bias": {"-": "5"}}),
        (["--regex", "-?[0-9]+"], {"regex": "-?[0-9]+"}),
        (["--temperature", "-1"], {"temperature": "-1"}),
        (["--watermark", "--stop", "x"], {"watermark": "true", "stop": ["x"]}),
    ],
)
def test_a_value_may_begin_with_a_dash(words: list[str], wanted: dict[str, Any]) -> None:
    assert given(*words) == wanted


def test_prompts_fields_and_columns_may_begin_with_a_dash_and_a_forgotten_value_is_still_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    read = cli._parser().parse_args
    assert read(["generate", "--prompt", "--- a list"]).prompt == "--- a list"
    assert read(["generate", "--prompt", "x", "--prefill", "- one", "--system", "-"]).prefill == "- one"
    batch = read(["batch", "--task", "t", "--in", "a", "--out", "b", "--map", "-x=y", "--delimiter", "-"])
    assert batch.map == ["-x=y"] and batch.delimiter == "-"
    with pytest.raises(SystemExit):
        read(["generate", "--prompt", "--json"])
    assert "expected one argument" in capsys.readouterr().err
    assert read(["generate", "--prompt=--json"]).prompt == "--json"
