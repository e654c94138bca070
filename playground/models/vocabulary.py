"""A model's tokenizer and configuration without its weights, for an engine that holds those. Reads files only."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

_HERE: Any = {"local_files_only": True, "trust_remote_code": False}


def load(folder: Path) -> tuple[Any, Any]:
    """The tokenizer, and what prompts ask of a model: `config` and `generation_config`. Raises what transformers
    raises for files that it cannot read."""
    tokenizer = AutoTokenizer.from_pretrained(folder, **_HERE)
    config = AutoConfig.from_pretrained(folder, **_HERE)
    try:
        defaults = GenerationConfig.from_pretrained(folder, **_HERE)
    except OSError:  # many models have none
        defaults = GenerationConfig()
    return tokenizer, SimpleNamespace(config=config, generation_config=defaults)
