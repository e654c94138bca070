"""Turns a GGUF file into a folder that loads in two seconds: config, tokenizer.json and safetensors.

Tensors are unpacked a few rows at a time and written at once, so that memory holds a fraction of the model; or they
stay in memory in fp32, which loses nothing. Knows nothing of where the file came from or where the folder ends up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor
from transformers import (
    TOKENIZER_MAPPING,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    GgufConfig,
    PreTrainedTokenizerFast,
)
from transformers import modeling_gguf_pytorch_utils as legacy

from playground.models import gguf_config, weight_grids
from playground.models.gguf_tensors import GgufTensors
from playground.types import ProgressReport, Text

# The file's weights are 4-bit blocks, w = d·q + m. They are stored in bf16, rounded once here (relative error below
# 2^-8, a tenth of what the four bits cost): half the disk and half the start of fp32, and what `--weights auto` runs.
# So bf16 equals a load of the GGUF file itself in bf16, and fp32 computes in fp32 on the same rounded weights.
STORED = torch.bfloat16
WEIGHTS = "model.safetensors"
EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"

# What transformers does to a tensor once it is unpacked, where that is done row by row or to small tensors only.
_KNOWN = (
    legacy.TensorProcessor,
    legacy.LlamaTensorProcessor,
    legacy.Gemma2TensorProcessor,
    legacy.NemotronTensorProcessor,
)
_REORDERED = (".attn_q.", ".attn_k.")  # whose rows the second of them puts into another order
_UNPACKING = Text("Preparing the model, once: unpacking its weights", "首次准备模型：解压权重")
_UNPACKING_EACH_TIME = Text("Unpacking the model's weights", "正在解压模型权重")


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which tensor of the file each parameter is, by its name."""

    kind: Any  # the model's class
    config: Any
    processor: Any
    sources: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file's model before it is put together: transformers' class, its configuration and tokenizer, and the values of
    its parameters in fp32, by their names."""

    kind: Any
    config: Any
    tokenizer: Any
    values: dict[str, Tensor]


def convert(source: Path, target: Path, report: ProgressReport) -> None:
    """Write `source` into the empty folder `target`: 8 s for 135 million weights on two cores, a minute for a billion.

    A file whose matrix of the output is that of the input, rounded in another way, gives a model in which both are
    one, as they were trained: the finer of the two. Families whose tensors are not one to one those of transformers
    are unpacked by transformers itself, in memory and in fp32.
    """
    report(Text("Preparing the model, once: reading its tokenizer", "首次准备模型：读取分词器"), 0.0)
    with source.open("rb") as file:
        found = _opened(source, file)
        if found is None:
            _convert_in_memory(source, target, report)
            return
        plan, tensors = found
        _tokenizer(source, plan).save_pretrained(target)
        report(_UNPACKING, 0.1)
        _write_weights(target / WEIGHTS, plan, tensors, report)
        weight_grids.write(target, _grids(plan, tensors))
        plan.config.save_pretrained(target)
        GenerationConfig.from_model_config(plan.config).save_pretrained(target)
    report(Text("The model is prepared", "模型已准备好"), 1.0)


def reads(source: Path) -> bool:
    """Whether a file is read tensor by tensor; any other is unpacked whole."""
    with source.open("rb") as file:
        return _opened(source, file) is not None


def unpacked(source: Path, report: ProgressReport) -> Unpacked | None:
    """The file's own values; None for a file that is not read tensor by tensor. What `report` raises ends it."""
    with source.open("rb") as file:
        found = _opened(source, file)
        if found is None:
            return None
        plan, tensors = found
        values, done = {}, 0
        whole = sum(map(prod, plan.shapes.values()))
        tokenizer = _tokenizer(source, plan)
        for name, place in plan.sources.items():
            values[name] = torch.empty(plan.shapes[name])
            filled = 0
            for rows in _converted(plan, tensors, place):
                values[name].view(-1)[filled : filled + rows.numel()] = rows.reshape(-1)
                filled, done = filled + rows.numel(), done + rows.numel()
                report(_UNPACKING_EACH_TIME, 0.9 * done / whole)
        plan.config.dtype = torch.float32
        return Unpacked(plan.kind, plan.config, tokenizer, values)


def shared_matrix(tensors: GgufTensors) -> str | None:
    """The finer of the matrices of input and output where they are one in two roundings; None where they are not."""
    if not tensors.by_name.keys() >= {EMBEDDING, OUTPUT} or not tensors.same_matrix(EMBEDDING, OUTPUT):
        return None
    return max(OUTPUT, EMBEDDING, key=tensors.bits)


def _opened(source: Path, file: BinaryIO) -> tuple[_Plan, GgufTensors] | None:
    """None for a file that is left to transformers, which says what is wrong with it, or reads it all the same."""
    try:
        tensors = GgufTensors(file, source)
        plan = _planned(source, tensors)
    except (ValueError, KeyError, NotImplementedError):
        return None
    return None if plan is None else (plan, tensors)


def _planned(source: Path, tensors: GgufTensors) -> _Plan | None:
    """None for a family that is not read here."""
    found = gguf_config.read(source)
    if found is None:
        return None
    architecture, config = found
    processor = legacy.TENSOR_PROCESSORS.get(architecture, legacy.TensorProcessor)(config=config.to_dict())
    if type(processor) not in _KNOWN:
        return None
    shared = shared_matrix(tensors)
    config.tie_word_embeddings = tied = config.tie_word_embeddings or shared is not None
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=STORED)
    config.architectures = [type(model).__name__]
    config.dtype = STORED
    names = {ours: theirs for theirs, ours in legacy.get_gguf_hf_weights_map(model, processor).items()}
    output = model.get_output_embeddings()
    sources, shapes = {}, {}
    for name, parameter in model.state_dict().items():
        if tied and output is not None and name == _name_of(model, output):
            continue
        sources[name] = shared if shared is not None and names[name] == EMBEDDING else names[name]
        shapes[name] = tuple(parameter.shape)
        if tensors.by_name[sources[name]].shape != shapes[name]:
            return None
    return _Plan(type(model), config, processor, sources, shapes)


def _name_of(model: Any, module: Any) -> str:
    return next(f"{name}.weight" for name, one in model.named_modules() if one is module)


def _tokenizer(source: Path, plan: _Plan) -> Any:
    """Of the class that AutoTokenizer takes; it would look for the kind of the model in the file, which takes 20 s."""
    kind = TOKENIZER_MAPPING.get(type(plan.config), PreTrainedTokenizerFast)
    tokenizer = kind.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer.model_max_length = plan.config.max_position_embeddings
    return tokenizer


def _write_weights(file: Path, plan: _Plan, tensors: GgufTensors, report: ProgressReport) -> None:
    """The tensors one after the other, as safetensors has them: https://github.com/huggingface/safetensors#format"""
    places: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in sorted(plan.sources):
        begin, end = end, end + prod(plan.shapes[name]) * STORED.itemsize
        places[name] = {"dtype": "BF16", "shape": plan.shapes[name], "data_offsets": [begin, end]}
    head = json.dumps(places, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    done = 0
    with file.open("wb") as opened:
        opened.write(len(head).to_bytes(8, "little") + head)
        for name in sorted(plan.sources):
            for rows in _converted(plan, tensors, plan.sources[name]):
                opened.write(rows.to(STORED).contiguous().view(torch.uint8).numpy().data)
                done += rows.numel() * STORED.itemsize
                report(_UNPACKING, 0.1 + 0.85 * done / end)


def _converted(plan: _Plan, tensors: GgufTensors, source: str) -> Iterator[Tensor]:
    """A tensor of the file in fp32 with its rows in the order of transformers, some rows at a time."""
    if len(tensors.by_name[source].shape) == 1 or _reordered(plan, source):
        yield _processed(plan, tensors.whole(source), source)
    else:
        yield from tensors.values(source)


def _reordered(plan: _Plan, source: str) -> bool:
    return isinstance(plan.processor, legacy.LlamaTensorProcessor) and any(part in source for part in _REORDERED)


def _processed(plan: _Plan, tensor: Tensor, source: str) -> Tensor:
    made: Tensor = torch.from_numpy(plan.processor.process(tensor.numpy(), source).weights.copy())
    return made


def _grids(plan: _Plan, tensors: GgufTensors) -> dict[str, weight_grids.Grid]:
    """Of the matrices of the layers; those of the vocabulary are packed in another way."""
    found = {}
    for name, source in plan.sources.items():
        grid = tensors.grid(source) if source not in (EMBEDDING, OUTPUT) else None
        if grid is not None and _reordered(plan, source):
            low = None if grid.low is None else _processed(plan, grid.low, source)
            grid = weight_grids.Grid(grid.bits, grid.group, _processed(plan, grid.scale, source), low)
        if grid is not None:
            found[name] = grid
    return found


def _convert_in_memory(source: Path, target: Path, report: ProgressReport) -> None:
    """The same by transformers' own loader, which needs the whole model in fp32."""
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    report(_UNPACKING, 0.3)
    packed = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    report(Text("Preparing the model, once: writing it to the cache", "首次准备模型：写入缓存"), 0.9)
    # A model that came from a GGUF file refuses to be saved as such, so its weights go into a fresh module.
    settings = packed.config.to_dict()
    settings.pop("quantization_config", None)
    settings.pop("_name_or_path", None)
    config = type(packed.config).from_dict(settings)
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config, dtype=STORED)
    plain.load_state_dict({name: tensor.to(STORED) for name, tensor in packed.state_dict().items()}, assign=True)
    plain.tie_weights()
    plain.generation_config = packed.generation_config
    plain.save_pretrained(target)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(target)
    report(Text("The model is prepared", "模型已准备好"), 1.0)
