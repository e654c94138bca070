"""A tiny random model with the embedded model's tokenizer, for combinations and for servers that tests start."""

from __future__ import annotations

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from playground import models
from playground.models import embedded
from playground.models.loading import quiet
from playground.types import ModelCard

CONTEXT = 512


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
