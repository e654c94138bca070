"""A model as its configuration says it is, with weights that have shapes and take no memory, and a few real numbers.

So its size is known without loading it: layers, tied matrices and buffers are those of the real one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from playground.models import hub_cache
from playground.one_state import GLOBAL_STATE

_SAMPLE_ROWS = 64
_MATRICES = ("q_proj.weight", "qkv_proj.weight", "c_attn.weight", "fc1.weight", "down_proj.weight")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """`net` lies on torch's meta device. `sample` are some rows of one of its matrices, where its files are here."""

    net: Any
    sample: Tensor | None = None
    side_bytes: int = 0  # of tokenizer files


def of_folder(folder: Path, gguf: str | None, dtype: torch.dtype, *, code: bool = False) -> Skeleton:
    """Of the files in a folder; the weights themselves need not be there. Raises whatever transformers raises."""
    options: dict[str, Any] = {"trust_remote_code": code, "local_files_only": True}
    if gguf is not None:
        options["gguf_file"] = gguf
    config = AutoConfig.from_pretrained(folder, **options)
    with GLOBAL_STATE, torch.device("meta"):
        net = AutoModelForCausalLM.from_config(config, dtype=dtype, trust_remote_code=code)
    sides = sum(file.stat().st_size for file in folder.glob("tokenizer.*"))
    return Skeleton(net, None if gguf is not None else _sample(folder), sides)


def of_config(config: Mapping[str, Any], dtype: torch.dtype) -> Skeleton:
    """Of a configuration as plain data, `model_type` among it."""
    known = AutoConfig.for_model(**config)
    with GLOBAL_STATE, torch.device("meta"):
        return Skeleton(AutoModelForCausalLM.from_config(known, dtype=dtype))


def _sample(folder: Path) -> Tensor | None:
    """A few rows of a matrix of a layer; None where no safetensors file has one."""
    try:
        for file in _files(folder):
            with safe_open(file, framework="pt") as opened:
                name = next((one for one in opened.keys() if one.endswith(_MATRICES)), None)  # noqa: SIM118 - no dict
                if name is not None:
                    rows: Tensor = opened.get_slice(name)[:_SAMPLE_ROWS]
                    return rows if rows.dim() == 2 else None
    except (OSError, ValueError, RuntimeError, json.JSONDecodeError):
        pass  # what is wrong with a file is said when it is loaded
    return None


def _files(folder: Path) -> list[Path]:
    names = hub_cache.choose([path.name for path in folder.iterdir()])
    return [folder / name for name in names if name.endswith(".safetensors")]
