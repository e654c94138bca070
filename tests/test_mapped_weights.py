"""Pages of weight files go back to the system, and nothing of a weight is lost by it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from playground.machine import mapped_weights

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is given back here")


def resident(file: Path) -> int:
    """kB of this file's pages that lie in memory."""
    found, mine = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            mine = line.endswith(str(file))
        elif mine and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


@pytest.fixture
def mapped(tmp_path: Path) -> tuple[Path, LlamaForCausalLM]:
    config = LlamaConfig(vocab_size=4096, hidden_size=64, intermediate_size=64, num_hidden_layers=1, head_dim=16,
                         num_attention_heads=4, num_key_value_heads=4)  # fmt: skip
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(tmp_path)
    model = LlamaForCausalLM.from_pretrained(tmp_path, dtype=torch.bfloat16, device_map="cpu")
    mapped_weights.note(tmp_path)
    return tmp_path / "model.safetensors", model


def test_pages_go_and_come_again(mapped: tuple[Path, LlamaForCausalLM]) -> None:
    file, model = mapped
    before = [weight.detach().clone() for weight in model.parameters()]
    assert resident(file) > 400
    mapped_weights.release()
    assert resident(file) == 0
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))
    assert resident(file) > 400


def test_what_was_written_stays(mapped: tuple[Path, LlamaForCausalLM]) -> None:
    file, model = mapped
    with torch.no_grad():
        model.get_input_embeddings().weight[7] = 3.0
    mapped_weights.release()
    assert bool((model.get_input_embeddings().weight[7] == 3.0).all())
    assert file.is_file()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / "0a1b"
    blob.parent.mkdir()
    save_file({"a": torch.ones(4)}, blob)
    (tmp_path / "model.safetensors").symlink_to(blob)  # as the hub's cache has it
    mapped_weights.note(tmp_path)

    def clean(file: Path, anonymous: int) -> list[tuple[int, int]]:
        told = (f"7f00-7f01 r--p 00000000 fd:00 12    {file}", "Rss:     4 kB", f"Anonymous:    {anonymous} kB")
        return [*mapped_weights._clean(told)]

    assert clean(blob, 0) == [(0x7F00, 0x7F01)]
    assert not clean(blob, 4) and not clean(tmp_path / "other.safetensors", 0)
