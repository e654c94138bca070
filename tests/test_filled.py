"""Each stage's formula with the numbers filled in: the sums come out, in both languages, and say what the stage did."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest
import torch

from playground import parameters
from playground.decoding.keep import KeptRow
from playground.inspection.replay_context import ReplayContext
from playground.inspection.stage_breakdown import here
from playground.inspection_results import StageChange
from tests.test_replay_exact import SEED, made_up

ACTING: dict[str, dict[str, Any]] = {
    "guidance": {"guidance_scale": 1.5},
    "temperature": {"temperature": 0.8},
    "dynatemp": {"dynatemp_high": 2.0, "dynatemp_exponent": 1.5},
    "smoothing": {"smoothing_factor": 0.3, "smoothing_curve": 2.0},
    "top_k": {"top_k": 20},
    "top_p": {"top_p": 0.8},
    "min_p": {"min_p": 0.05},
    "top_a": {"top_a": 0.3},
    "epsilon_cutoff": {"epsilon_cutoff": 0.001},
    "eta_cutoff": {"eta_cutoff": 0.005},
    "top_h": {"top_h": 0.5},
    "typical_p": {"typical_p": 0.6},
    "tfs": {"tfs": 0.8},
    "top_n_sigma": {"top_n_sigma": 1.5},
    "xtc": {"xtc_probability": 0.6, "xtc_threshold": 0.02},
    "mirostat": {"mirostat_tau": 4.0},
    "adaptive_p": {"adaptive_target": 0.3},
    "repetition_penalty": {"repetition_penalty": 1.3},
    "encoder_repetition_penalty": {"encoder_repetition_penalty": 1.3},
    "presence_penalty": {"presence_penalty": 0.7},
    "frequency_penalty": {"frequency_penalty": 0.6},
    "dry": {"dry_multiplier": 0.8, "dry_allowed_length": 1},
    "logit_bias": {"logit_bias": {" 40": 3.5}},
    "exponential_decay": {"exponential_decay_factor": 1.2, "exponential_decay_start": 2},
    "watermark": {"watermark": True},
    "min_new_tokens": {"min_new_tokens": 4},
    "bad_words": {"bad_words_ids": [[12], [13]]},
    "suppress_tokens": {"suppress_tokens": [12, 14, 16, 18]},
    "begin_suppress_tokens": {"begin_suppress_tokens": [12]},
    "ignore_eos": {"ignore_eos": True},
    "no_repeat_ngram_size": {"no_repeat_ngram_size": 1},
    "encoder_no_repeat_ngram_size": {"encoder_no_repeat_ngram_size": 1},
}


@pytest.fixture(scope="module")
def row() -> KeptRow:
    made = made_up(torch.float32, size=400, count=8, guided=True)
    made.tokens[3:6] = [made.tokens[0], 9, 7]  # a token that comes again, and a run that the prompt holds
    return made


def stages(row: KeptRow, stage: str) -> list[StageChange]:
    """What this stage alone did at every position."""
    scene = ReplayContext(row, parameters.validate({"seed": SEED, **ACTING[stage]}))
    found = []
    for position in range(len(row.tokens)):
        fall = here(scene, position)
        scene.chosen(position)
        found += [change for change in fall.stages if change.stage == stage]
    return found


def reckoned(terms: str) -> float | None:
    """A sum as it is written on the page; None where it holds anything but numbers."""
    python = re.sub(r"√([\d.e-]+)", r"sqrt(\1)", terms.replace(",", "") if "min(" not in terms else terms)
    for sign, operator in (("·", "*"), ("^", "**"), ("−", "-"), ("ln ", "log "), ("μ", ""), ("h * H", "")):
        python = python.replace(sign, operator)
    python = re.sub(r"\|([^|]*)\|", r"abs(\1)", re.sub(r"log (\d+)", r"log(\1)", python))
    names = {"sqrt": math.sqrt, "log": math.log, "abs": abs, "min": min, "e": math.e}
    if set(re.findall(r"[^\W\d]+", re.sub(r"\d[\d.]*e-\d+", "", python))) - names.keys():
        return None
    try:
        return float(eval(python, {"__builtins__": {}}, names))
    except SyntaxError:
        return None


def equations(words: str) -> list[tuple[float, float]]:
    """Left and right of every `=` that has a sum on its left and a number on its right."""
    found = []
    for part in re.split(r"[;；]|”[:：]|: | → |：", words):
        sides = part.split(" = ")
        for left, right in itertools.pairwise(sides):
            number = re.match(r"-?[\d.]+(e-?\d+)?", right.replace("−", "-"))
            value = reckoned(left.split(" z ≥ ")[-1])
            if number is not None and value is not None:
                found.append((value, float(number[0])))
    return found


@pytest.mark.parametrize("stage", ACTING)
def test_the_sums_of_every_stage_come_out(row: KeptRow, stage: str) -> None:
    told = [change.filled for change in stages(row, stage) if change.filled is not None]
    assert told
    for words in told:
        assert re.search(r"[\d∞]", words.en) and words.zh
        assert equations(words.en) == equations(words.zh)
        for left, right in equations(words.en):
            assert left == pytest.approx(right, rel=0.02, abs=0.01), words.en


SUMS = ("guidance", "temperature", "dynatemp", "smoothing", "min_p", "top_a", "eta_cutoff", "top_h", "top_n_sigma",
        "adaptive_p", "repetition_penalty", "encoder_repetition_penalty", "presence_penalty", "frequency_penalty",
        "dry", "logit_bias", "exponential_decay", "watermark")  # fmt: skip


@pytest.mark.parametrize("stage", SUMS)
def test_a_stage_that_reckons_shows_its_sum(row: KeptRow, stage: str) -> None:
    assert any(equations(change.filled.en) for change in stages(row, stage) if change.filled is not None)


def test_every_stage_of_the_registry_has_its_formula_filled() -> None:
    told_otherwise = {"form"}  # a grammar is no formula
    assert {p.stage for p in parameters.REGISTRY if p.stage is not None} == ACTING.keys() | told_otherwise


def test_what_was_kept_lies_on_the_right_side_of_the_limit(row: KeptRow) -> None:
    for stage in ("min_p", "top_a", "epsilon_cutoff", "eta_cutoff"):
        for change in stages(row, stage):
            assert change.filled is not None
            least, limit, *rest = re.findall(r"[\d.]+(?:e-\d+)?", change.filled.en.rpartition(": ")[2])
            assert float(least) >= float(limit)
            assert not rest or float(limit) >= float(rest[0])
    for change in stages(row, "top_p"):
        assert change.filled is not None
        mass, p, without = (float(n) for n in re.findall(r"\d\.\d+", change.filled.en))
        assert mass >= p > without
        assert change.mass_cut == pytest.approx(1 - mass, abs=1e-4)


def test_xtc_says_what_its_number_did(row: KeptRow) -> None:
    for change in stages(row, "xtc"):
        assert change.filled is not None
        dropped = change.alive_before - change.alive_after
        assert ("nothing is dropped" in change.filled.en) or f"of which {dropped} dropped" in change.filled.en
        if dropped:
            assert re.search(r"u = 0\.\d+ < 0\.6", change.filled.en)


def test_mirostat_s_limit_moves_as_it_says(row: KeptRow) -> None:
    limits = []
    for change in stages(row, "mirostat"):
        assert change.filled is not None
        found = re.search(r"μ = ([\d.]+) .*μ ← ([\d.]+) − 0\.1", change.filled.en)
        assert found is not None and found[1] == found[2]
        limits.append(float(found[1]))
    assert limits[0] == pytest.approx(8.0) and len(set(limits)) > 1
