"""A run on disk: every line is as the format says, and a replay from the file is the replay of the run itself."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground import generate
from playground.cli.main import main
from playground.cli.replay import traced
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api, trace_file
from playground.types import PlaygroundError
from tests import built

ROOT = Path(__file__).parent.parent
PROMPT = "The harbour in the morning light was"
SETTINGS: tuple[dict[str, Any], ...] = (
    {"temperature": 0.9, "top_p": 0.9, "repetition_penalty": 1.2, "n": 2},
    {"temperature": 0},
    {"guidance_scale": 1.5, "negative_prompt": "One two", "min_p": 0.02},
    {"banned_phrases": ("a", " the"), "dry_multiplier": 0.8, "mirostat_tau": 4.0},
    {"xtc_probability": 0.5, "xtc_threshold": 0.05, "logit_bias": {" sea": 3.0}},
)


def run_traced(loaded: Any, file: Path, values: dict[str, Any], most: int = 10**9) -> tuple[Any, str]:
    """The run (left after `most` of its states) and its id; the trace lies in `file`."""
    request = generate.build(PROMPT, {"max_new_tokens": 8, "seed": 5, **values})
    request = replace(generate.checked(request), keep=inspect_api.new_run_id())
    states = traced(generate.run(request, LocalGenerator(loaded)), str(file), request.keep)
    *_, run = itertools.islice(states, most)
    states.close()
    return run, request.keep


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("values", SETTINGS, ids=str)
def test_lines_tell_the_run_and_an_unchanged_replay_from_the_file_differs_nowhere(
    tiny: Any, tmp_path: Path, values: dict[str, Any]
) -> None:
    file = tmp_path / "run.jsonl"
    run, _ = run_traced(tiny, file, values)
    header, *tokens = lines_of(file)
    assert header["path"] == "exact" and header["model"] == "tiny" and header["request"]["prompt"] == PROMPT
    for number, candidate in enumerate(run.candidates):
        mine = [line for line in tokens if line["candidate"] == number]
        assert [line["token_id"] for line in mine] == candidate.token_ids
        told = [step for step in candidate.steps if step.token_id is not None]
        assert [line["logprob"] for line in mine] == pytest.approx([step.logprob for step in told], abs=1e-4)
        assert [line["rank"] for line in mine] == [step.rank for step in told]
        assert [line["drawn"]["probability"] for line in mine] == pytest.approx(
            [step.chosen_prob for step in told], abs=1e-4
        )
        assert trace_file.replay(str(file), number, {}).first is None
    assert all(stage["alive"] > 0 and 0 <= stage["mass_cut"] <= 1 for line in tokens for stage in line["stages"])


@pytest.mark.parametrize("changed", [{"temperature": 1.9}, {"top_k": 1}, {"repetition_penalty": 2.0}, {"seed": 77}])
def test_a_replay_from_the_file_is_the_replay_of_the_run(tiny: Any, tmp_path: Path, changed: dict[str, Any]) -> None:
    file = tmp_path / "run.jsonl"
    run, keep = run_traced(tiny, file, SETTINGS[0])
    for row in (0, 1):
        want = inspect_api.replay(keep, row, {**run.request.values, **changed})
        got = inspect_api.replay_file(str(file), row, changed)
        assert (got.first and got.first.index, got.tokens) == (want.first and want.first.index, want.tokens)


def test_the_document_names_every_field(tiny: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    run_traced(tiny, file, SETTINGS[2])
    header, first, *_ = lines_of(file)
    named = set(re.findall(r"`([^`]+)`", (ROOT / "docs/trace.md").read_text(encoding="utf-8")))
    fields = {*header, *header["request"], *first, *first["drawn"], *first["stages"][0], *first["stages"][0]["top"][0]}
    assert fields - named == set()
    kept = {re.sub(r"\d+", "N", name) for name in load_file(trace_file.logits_of(str(file)))}
    assert kept == {"logits.N", "unconditional.N", "tokenizer"} and kept <= named


def test_a_replay_from_the_file_knows_a_thought_from_its_answer(tmp_path: Path) -> None:
    tokenizer = built.byte_level()
    loaded = built.speaker(tokenizer)
    one = LocalGenerator(loaded)
    values = {"max_new_tokens": 60, "temperature": 0, "seed": 0}
    request = replace(generate.checked(generate.build("a", values, mode="chat")), keep=inspect_api.new_run_id())
    text = "<think>b\nc</think>d\ne"
    ids = tokenizer(text + "<|im_end|>", add_special_tokens=False).input_ids
    built.says(loaded, len(one.render(request).token_ids), ids)
    file = tmp_path / "run.jsonl"
    *_, run = traced(generate.run(request, one), str(file), request.keep)
    assert run.candidates[0].text == text
    first = trace_file.replay(str(file), 0, {"stop": ["\n"]}).first
    assert first is not None
    assert tokenizer.decode(run.candidates[0].token_ids[: first.index]) == "<think>b\nc</think>d\n"


def test_what_was_written_before_an_interruption_is_valid(tiny: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    run, _ = run_traced(tiny, file, {"ignore_eos": True}, most=4)
    assert [line["token_id"] for line in lines_of(file)[1:]] == run.candidates[0].token_ids
    assert trace_file.replay(str(file), 0, {}).first is None


def test_a_file_that_is_no_trace_is_one_sentence(tiny: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with pytest.raises(PlaygroundError, match="not there"):
        inspect_api.replay_file(str(file), 0, {})
    run_traced(tiny, file, {})
    logits = trace_file.logits_of(str(file))
    whole = logits.read_bytes()
    logits.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PlaygroundError, match="damaged"):
        inspect_api.replay_file(str(file), 0, {})
    logits.write_bytes(whole)
    with trace_file.safe_open(logits, framework="pt") as opened:
        facts = json.loads(opened.metadata()["trace"])
    tensors = load_file(logits)
    lies = ({"values": {"temperature": -3}}, {"vocab_size": 10}, {"rows": [{"seed": "x"}]}, {"prompt": ["<b>"]})
    for spoiled in lies:
        save_file(tensors, logits, metadata={"trace": json.dumps({**facts, **spoiled})})
        with pytest.raises(PlaygroundError):
            inspect_api.replay_file(str(file), 0, {})
    without = {name: tensor for name, tensor in tensors.items() if name != "tokenizer"}
    junk = {**without, "tokenizer": torch.zeros(9, dtype=torch.uint8)}
    for spoiled_tensors, said in (
        ({**tensors, "logits.0": torch.zeros(1, 3)}, "damaged"),
        ({**tensors, "logits.0": tensors["logits.0"] * torch.nan}, "damaged"),
        ({"tokenizer": tensors["tokenizer"]}, "damaged"),
        (junk, "damaged"),
        (without, "without its tokenizer"),
    ):
        save_file(spoiled_tensors, logits, metadata={"trace": json.dumps(facts)})
        with pytest.raises(PlaygroundError, match=said):
            inspect_api.replay_file(str(file), 0, {})
    save_file(tensors, logits, metadata={"trace": json.dumps({**facts, "device": "abacus"})})
    with pytest.raises(PlaygroundError, match="abacus"):
        inspect_api.replay_file(str(file), 0, {})
    save_file(tensors, logits, metadata={"trace": json.dumps({**facts, "values": {**facts["values"], "min_p": 0.1}})})
    with pytest.raises(PlaygroundError, match="damaged"):  # of another run than the lines
        inspect_api.replay_file(str(file), 0, {})


def test_the_lines_must_be_those_of_the_logits(tiny: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    run_traced(tiny, file, {})
    header, first, *rest = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for lines in (
        ["{\n"], ["null\n"], [header, rest[0], first], [header, first, "{}\n"], [header, first[:-9]],
        [header, first, *rest, first], ["[" * 100_000 + "\n"], [header.replace('"format": 1', '"format": 2'), first],
    ):  # fmt: skip
        file.write_text("".join(lines), encoding="utf-8")
        with pytest.raises(PlaygroundError, match="damaged"):
            inspect_api.replay_file(str(file), 0, {"top_k": 1})
    file.write_bytes(b"\xff\xfe\n")
    with pytest.raises(PlaygroundError, match="damaged"):
        inspect_api.replay_file(str(file), 0, {})
    file.write_text(header + first, encoding="utf-8")  # cut short between two lines: the rest is valid
    assert inspect_api.replay_file(str(file), 0, {}).first is None


def test_guidance_needs_both_distributions(tiny: Any, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    run_traced(tiny, file, SETTINGS[2])
    logits = trace_file.logits_of(str(file))
    with trace_file.safe_open(logits, framework="pt") as opened:
        told = opened.metadata()
    save_file({name: one for name, one in load_file(logits).items() if "uncond" not in name}, logits, metadata=told)
    with pytest.raises(PlaygroundError, match="damaged"):
        inspect_api.replay_file(str(file), 0, {})


def playground(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.model
def test_the_terminal_traces_and_replays_without_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "run.jsonl")
    asked = ("generate", "--prompt", PROMPT, "--max-new-tokens", "12", "--temperature", "1.2", "--seed", "3")
    assert playground(*asked, "--trace", file).returncode == 0
    assert len(lines_of(Path(file))) <= 13
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "no-model-here"))
    assert playground("replay", file).stdout == "null\n"
    found = json.loads(playground("replay", file, "--temperature", "0").stdout)
    assert found.keys() == {"index", "was", "would_be"}
    for words, said in (
        (("replay", file, "--top-p", "7"), "top_p"),
        (("replay", file, "--guidance-scale", "2"), "needs the model"),
        (("replay", file, "--candidate", "4"), "candidate"),
        (("replay", file, "--prompt", "Another"), "needs the model"),
        ((*asked, "--num-beams", "2", "--trace", file), "beam search"),
        ((*asked, "--trace", str(tmp_path / "no" / "folder")), "folder"),
    ):
        assert main(list(words)) == 2 and said in capsys.readouterr().err
