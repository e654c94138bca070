"""Tiny random models with the embedded model's tokenizer: for combinations, for servers of the tests, as a file."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from playground import models
from playground.models import embedded
from playground.models.loading import quiet
from playground.types import ModelCard

CONTEXT = 512
WIDTH, LAYERS = 64, 2  # of the model in a file
QUANTIZED = gguf.GGMLQuantizationType.Q4_1  # as in the embedded model's file


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


def write_gguf(place: Path, context: int = 128) -> None:
    """A llama of two layers in 4 bits, with the beginning of the embedded model's vocabulary, as one GGUF file."""
    source = embedded.gguf_file()
    assert source is not None
    known = gguf.GGUFReader(source).fields
    writer = gguf.GGUFWriter(place, "llama")
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
        (writer.add_block_count, LAYERS), (writer.add_context_length, context), (writer.add_embedding_length, WIDTH),
        (writer.add_feed_forward_length, 2 * WIDTH), (writer.add_head_count, 4), (writer.add_head_count_kv, 2),
        (writer.add_vocab_size, words), (writer.add_rope_dimension_count, WIDTH // 4),
        (writer.add_layer_norm_rms_eps, 1e-5),
    ):  # fmt: skip
        add(value)
    drawn = np.random.default_rng(0)
    shapes = {"token_embd.weight": (words, WIDTH), "output_norm.weight": (WIDTH,)}
    for layer in range(LAYERS):
        for part, shape in {
            "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH // 2, WIDTH), "attn_v": (WIDTH // 2, WIDTH),
            "attn_output": (WIDTH, WIDTH), "ffn_gate": (2 * WIDTH, WIDTH), "ffn_up": (2 * WIDTH, WIDTH),
            "ffn_down": (WIDTH, 2 * WIDTH), "attn_norm": (WIDTH,), "ffn_norm": (WIDTH,),
        }.items():  # fmt: skip
            shapes[f"blk.{layer}.{part}.weight"] = shape
    for name, shape in shapes.items():
        weights = drawn.standard_normal(shape, dtype=np.float32)
        kind = QUANTIZED if len(shape) == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
