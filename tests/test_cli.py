"""The terminal: one sentence and exit 2 for bad input, one JSON object with --json, help without torch."""

import json
import subprocess
import sys
from typing import Any

import pytest

from playground import parameters
from playground.cli import main


def playground(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def test_help_never_imports_torch() -> None:
    code = (
        "import sys; from playground.cli import main\n"
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
    assert named in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.model
def test_generate_prints_one_object_that_repeats_itself() -> None:
    arguments = ("generate", "--prompt", "The moon is", "--mode", "complete", "--seed", "5", "--top-p", "0.9")
    runs = [playground(*arguments, "--max-new-tokens", "8", "--n", "2", "--json") for _ in range(2)]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    first, second = (json.loads(run.stdout) for run in runs)
    assert first["candidates"] == second["candidates"]
    assert [candidate["seed"] for candidate in first["candidates"]] == [5, 6]
    assert all(len(candidate["token_ids"]) == 8 for candidate in first["candidates"])
    assert set(first) == {"model", "dtype", "weights", "path", "prompt_tokens", "candidates", "timing"}
    assert first["path"] == "exact" and first["timing"]["ttft_s"] > 0


@pytest.mark.model
def test_text_streams_to_the_terminal_and_the_facts_go_to_stderr() -> None:
    done = playground("generate", "--prompt", "-", "--temperature", "0", "--max-new-tokens", "6", stdin="Say hello.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "6 tokens, length reached" in done.stderr or "end of text" in done.stderr


@pytest.mark.model
def test_a_model_that_is_not_there_is_one_sentence() -> None:
    done = playground("generate", "--prompt", "x", "--model", "./no-such-folder")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "no-such-folder" in done.stderr
