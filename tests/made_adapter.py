"""Adapters with random weights, made and written by peft itself over a model's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

TARGETS = ("q_proj", "v_proj", "down_proj")


def base_of(folder: Path) -> Any:
    """The model of a folder as plain transformers loads it, in fp32."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def make_adapter(folder: Path, place: Path, *, seed: int = 1, size: float = 0.2, **config: Any) -> Path:
    """An adapter for the model of `folder`, as `save_pretrained` writes it into `place`."""
    config = {"r": 4, "lora_alpha": 8, "target_modules": list(TARGETS), **config}
    model = get_peft_model(base_of(folder), LoraConfig(task_type="CAUSAL_LM", **config))
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                kept = weight if "magnitude" in name or "modules_to_save" in name or "lora_" not in name else 0
                weight.copy_(kept + size * torch.randn(weight.shape, generator=drawn))
    embeddings = {"embed_tokens", "lm_head"} & set(config["target_modules"])
    model.save_pretrained(str(place), save_embedding_layers=bool(embeddings))  # as by itself, but without a warning
    return place


def merged_by_peft(folder: Path, adapter: Path) -> Any:
    """Base and adapter as peft merges them."""
    return PeftModel.from_pretrained(base_of(folder), adapter).merge_and_unload().eval()
