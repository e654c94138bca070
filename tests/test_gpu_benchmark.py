"""The benchmark for a GPU runs to its last line, and says in one sentence where there is none."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import gpu


def last_line(said: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(said.splitlines()[-1])
    return found


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    gpu.main([])
    said = capsys.readouterr().out
    assert said.startswith("There is no GPU here") and len(said.splitlines()) == 2
    assert last_line(said) == {"gpu": None}


@pytest.mark.long
def test_a_tiny_model_is_measured_in_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    gpu.main(["--tiny"])
    said = capsys.readouterr().out
    found = last_line(said)
    assert found["notes"] == {}
    for name in ("one_stream", "batch"):
        figures = found[name]
        assert isinstance(figures, dict)
        assert figures.keys() == {"playground", "generate", "continuous_batching"}
        assert all(one["low"] <= one["median"] <= one["high"] for one in figures.values())
    assert isinstance(found["share_of_floor"], float) and "of the floor" in said
