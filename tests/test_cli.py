"""The terminal: one sentence and exit 2 for bad input, one JSON object with --json, help without torch."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import models, parameters
from playground.cli import main as cli
from playground.cli.main import main
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from tests.failing import REASON, Failing


def playground(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def test_help_never_imports_torch() -> None:
    code = (
        "import sys; from playground.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'gradio')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "generate" in done.stdout


def test_every_parameter_has_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["generate", "--help"])
    shown = capsys.readouterr().out
    missing = [p.flag for p in parameters.REGISTRY if f"{p.flag} " not in shown]
    assert not missing


def test_params_are_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["name"] for record in records] == [p.name for p in parameters.REGISTRY]
    assert all(record["help"]["zh"] and record["flag"].startswith("--") for record in records)
    assert main(["params"]) == 0
    assert "--top-p" in capsys.readouterr().out


@pytest.mark.model
def test_models_and_tasks_are_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    assert all("id" in item for item in json.loads(capsys.readouterr().out))
    assert main(["tasks", "--json"]) == 0
    assert {"slogans", "keywords", "poems", "recommendations"} <= {
        item["id"] for item in json.loads(capsys.readouterr().out)
    }
    assert main(["models"]) == 0
    assert main(["tasks"]) == 0
    assert "slogans" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--prompt", "x", "--temperature", "nan"], "temperature"),
        (["--prompt", "x", "--temperature", "-1"], "temperature"),
        (["--prompt", "x", "--top-k", "2.5"], "top_k"),
        (["--prompt", "x", "--top-p", "lots"], "top_p"),
        (["--prompt", "x", "--typical-p", "0"], "typical_p"),
        (["--prompt", "x", "--early-stopping", "maybe"], "early_stopping"),
        (["--prompt", "x", "--bad-words-ids", "[1"], "bad_words_ids"),
        (["--prompt", "x", "--logit-bias", "magic"], "logit_bias"),
        (["--prompt", "x", "--logit-bias", "magic=900"], "logit_bias"),
        (["--prompt", "x", "--order", "top_p,top_q"], "order"),
        (["--prompt", "x", "--temperature", "0", "--n", "2"], "n"),
        (["--prompt", "x", "--frobnicate", "1"], "frobnicate"),
        (["--prompt", " \n"], "prompt"),
        (["--prompt", "a\x07b"], "U+0007"),
        (["--prompt", "x", "--max-memory", "cpu=lots"], "max-memory"),
        (["--task", "slogans", "--set", "product"], "set"),
        (["--task", "slogans", "--set", "colour=red"], "colour"),
        (["--task", "sloggans"], "sloggans"),
        (["--prompt", "x", "--task", "slogans"], "--task"),
        (["--task", "slogans", "--system", "x"], "--system"),
        (["--prompt", "x", "--json-schema", '{"type": "strin"}'], "json_schema"),
        (["--prompt", "x", "--regex", "("], "regex"),
        (["--prompt", "x", "--grammar", "start: missing"], "grammar"),
        (["--prompt", "x", "--one-of", "a", "--regex", "b"], "one_of"),
        ([], "--prompt"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: Any = main(["generate", *arguments])
    except SystemExit as stop:  # argparse's own way out
        code = stop.code
    said = capsys.readouterr().err
    assert code == 2
    assert named in said or named in said.casefold().replace(" ", "_")  # a label that spells its name stands alone
    assert len(said.strip().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_sentence_and_exit_2() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "playground", "params"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "No space is left on the disk" in done.stderr and done.stderr.count("\n") == 1


def test_generate_prints_one_object_that_repeats_itself(
    load_embedded: Callable[[str], models.Loaded], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a process of its own and, over a model that others use too, in this one."""
    arguments = ["generate", "--prompt", "The moon is", "--mode", "complete", "--seed", "5", "--top-p", "0.9"]
    arguments += ["--max-new-tokens", "8", "--n", "2", "--json"]
    run = playground(*arguments)
    assert run.returncode == 0, run.stderr
    monkeypatch.setattr(cli, "_load", lambda _: LocalGenerator(load_embedded("bf16")))
    assert main(arguments) == 0
    first, second = json.loads(run.stdout), json.loads(capsys.readouterr().out)
    assert first["candidates"] == second["candidates"]
    assert [candidate["seed"] for candidate in first["candidates"]] == [5, 6]
    assert all(len(candidate["token_ids"]) == 8 for candidate in first["candidates"])
    keys = {"model", "revision", "dtype", "weights", "path", "prompt_tokens", "candidates", "timing", "remarks"}
    assert set(first) == keys
    assert first["path"] == "exact" and first["timing"]["ttft_s"] > 0


def test_a_text_that_fails_says_why_with_exit_1_and_hides_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_load", lambda _: Failing(["the old ferry", "a lamp at night"], fails_at=1))
    asked = ["generate", "--prompt", "A harbour", "--seed", "0"]
    assert main([*asked, "--n", "2", "--json"]) == 1
    told = capsys.readouterr()
    first, second = json.loads(told.out)["candidates"]
    assert (first["text"], first["finish_reason"], first["reason"]) == ("the old ferry", "end", None)
    assert (second["text"], second["finish_reason"]) == ("a lamp", "error")
    assert second["reason"] == {"en": REASON.en, "zh": REASON.zh} and first.keys() == second.keys()
    assert f"2: {REASON.en}" in told.err
    assert main([*asked, "--n", "2"]) == 1
    told = capsys.readouterr()
    assert "the old ferry" in told.out and "a lamp" in told.out and f"2: {REASON.en}" in told.err
    assert main([*asked[:-1], "1"]) == 1
    assert capsys.readouterr().err.endswith(f": {REASON.en}\n")
    assert main(asked) == 0


def test_a_task_prints_its_result_and_the_remarks_with_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = frozenset(parameters.by_name())
    monkeypatch.setattr(
        cli, "_load", lambda _: ScriptedGenerator(["1. the old ferry\n2. a lamp at night"], parameters=names)
    )
    words = ["--task", "recommendations", "--language", "zh", "--set", "interests=渡轮", "--seed", "0"]
    assert main(["generate", *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["candidates"][0]["value"] == ["the old ferry", "a lamp at night"]
    assert [one["candidate"] for one in found["remarks"]] == [0] and "中文" in found["remarks"][0]["zh"]
    assert main(["generate", *words]) == 0
    told = capsys.readouterr()
    assert "This text is not in Chinese" in told.err and "not in Chinese" not in told.out
    assert main(["generate", "--prompt", "写一首关于港口和渡轮的短诗，要有灯塔。", "--seed", "0"]) == 0
    assert "The prompt is in Chinese" in capsys.readouterr().err


@pytest.mark.model
@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (
            ["--json-schema", '{"type": "array", "items": {"enum": [1, 2]}, "minItems": 2, "maxItems": 2}'],
            r"\[[12], [12]\]",
        ),
        (["--regex", r"[A-Z][a-z]{2,4} \d"], r"[A-Z][a-z]{2,4} [0-9]"),
        (["--one-of", "yes", "--one-of", "no"], "yes|no"),
        (["--grammar", 'start: "- " ("tea" | "milk")'], "- (tea|milk)"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_a_flag_holds_the_text_to_a_form(
    load_embedded: Callable[[str], models.Loaded],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    fits: str,
) -> None:
    monkeypatch.setattr(cli, "_load", lambda _: LocalGenerator(load_embedded("bf16")))
    assert main(["generate", "--prompt", "Tea or milk?", "--max-new-tokens", "40", *words, "--json"]) == 0
    (candidate,) = json.loads(capsys.readouterr().out)["candidates"]
    assert re.fullmatch(fits, candidate["text"]) and candidate["finish_reason"] == "end"


@pytest.mark.model
def test_text_streams_to_the_terminal_and_the_facts_go_to_stderr() -> None:
    done = playground("generate", "--prompt", "-", "--temperature", "0", "--max-new-tokens", "6", stdin="Say hello.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "6 tokens, length reached" in done.stderr or "end of text" in done.stderr


def test_a_model_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--prompt", "x", "--model", "./no-such-folder"]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told and "no-such-folder" in told
