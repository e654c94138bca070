"""Tiny random models with the embedded model's tokenizer: for combinations, for servers of the tests, as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from playground import models
from playground.models import embedded
from playground.models.loading import quiet
from playground.types import ModelCard

CONTEXT = 512
WIDTH, LAYERS = 64, 2  # of the model in a file
QUANTIZED = Kind.Q4_1  # as in the embedded model's file


def tiny_model() -> models.Loaded:
    """Two layers: one forward pass takes 2 ms.

    Its output head is scaled up, so that its distributions are peaked like a real model's instead of flat.
    """
    tokenizer = AutoTokenizer.from_pretrained(embedded.ensure(quiet))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(25)
    size = sum(parameter.numel() * 4 for parameter in model.parameters())
    card = ModelCard("tiny", "Tiny", "random", size // 4, "fp32", size, CONTEXT, True)
    return models.Loaded(model, tokenizer, card)


def write_gguf(
    place: Path,
    architecture: str = "llama",
    kinds: Mapping[str, Kind] = MappingProxyType({}),
    width: int = WIDTH,
    output: str = "",
    context: int = 128,
) -> None:
    """A model of two layers in 4 bits, with the beginning of the embedded model's vocabulary, as one GGUF file.

    `kinds` are the types of tensors by the part of the model. It has a matrix of the output where `output` says
    "same", the embedding's own values, or "other".
    """
    source = embedded.gguf_file()
    assert source is not None
    known = gguf.GGUFReader(source).fields
    writer = gguf.GGUFWriter(place, architecture)
    words = 400  # the special tokens, the bytes and the first words, so that reading them takes no time
    tokens = known["tokenizer.ggml.tokens"].contents(slice(0, words))
    merges = [one for one in known["tokenizer.ggml.merges"].contents(slice(0, words)) if one.replace(" ", "") in tokens]
    for name, field in known.items():
        if name.startswith("tokenizer."):
            within = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            cut = {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.merges": merges}
            value = cut[name] if name in cut else field.contents(slice(0, words)) if within else field.contents()
            writer.add_key_value(name, value, field.types[0], sub_type=within)
    for add, value in (
        (writer.add_block_count, LAYERS), (writer.add_context_length, context), (writer.add_embedding_length, width),
        (writer.add_feed_forward_length, 2 * width), (writer.add_head_count, 4), (writer.add_head_count_kv, 2),
        (writer.add_vocab_size, words), (writer.add_rope_dimension_count, width // 4),
        (writer.add_layer_norm_rms_eps, 1e-5),
    ):  # fmt: skip
        add(value)
    drawn = np.random.default_rng(0)
    shapes = {"token_embd.weight": (words, width), "output_norm.weight": (width,)}
    for layer in range(LAYERS):
        for part, shape in {
            "attn_q": (width, width), "attn_k": (width // 2, width), "attn_v": (width // 2, width),
            "attn_output": (width, width), "ffn_gate": (2 * width, width), "ffn_up": (2 * width, width),
            "ffn_down": (width, 2 * width), "attn_norm": (width,), "ffn_norm": (width,),
        }.items():  # fmt: skip
            shapes[f"blk.{layer}.{part}.weight"] = shape
            if architecture == "qwen2" and part in ("attn_q", "attn_k", "attn_v"):
                shapes[f"blk.{layer}.{part}.bias"] = shape[:1]
    if output:
        shapes["output.weight"] = (words, width)
    embedding = drawn.standard_normal((words, width), dtype=np.float32)
    for name, shape in shapes.items():
        kind = kinds.get(name.split(".")[-2], QUANTIZED) if len(shape) == 2 else Kind.F32
        shared = name == "token_embd.weight" or (name == "output.weight" and output == "same")
        weights = embedding if shared else drawn.standard_normal(shape, dtype=np.float32)
        writer.add_tensor(name, blocks(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def blocks(weights: np.ndarray, kind: Kind) -> np.ndarray:
    """The bytes of a matrix in this type; of types that gguf does not write, drawn ones that are as large."""
    if kind not in (Kind.Q4_K, Kind.Q5_K, Kind.Q6_K):
        return gguf.quants.quantize(weights, kind)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    made = np.random.default_rng(1).integers(0, 256, (weights.size // block, size), dtype=np.uint8)
    for place in (208,) if kind == Kind.Q6_K else (0, 2):  # of the steps in fp16
        steps = np.full((len(made), 1), 0.0005 if kind == Kind.Q6_K else 0.002, dtype=np.float16)
        made[:, place : place + 2] = steps.view(np.uint8)
    return made.reshape(weights.shape[0], -1)
