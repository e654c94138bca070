"""Attention of few queries over slots, for transformers' attention interface.

Grouped heads share their keys without copying them. On a CPU one query over few positions is multiplied and summed, not
handed to a matrix product, whose start costs more than its work. Knows no cache.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from playground.fast.kv_slots import LONG


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    dropout: float = 0.0,
    scaling: float | None = None,
    softcap: float | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """Queries [rows, heads, tokens, width] over keys and values [rows, groups, length, width].

    `attention_mask` [rows, 1, tokens, length] is added to the scores: 0 where a token may look, −∞ elsewhere.
    Gives [rows, tokens, heads, width], as transformers' interface wants it, and no weights.
    """
    width = query.shape[-1]
    scale = width**-0.5 if scaling is None else scaling
    if query.shape[2] > 1 and softcap is None:
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask.to(query.dtype), scale=scale, enable_gqa=True
        )
        return mixed.transpose(1, 2), None
    # Over 8,192 positions multiplying and summing takes fifteen times as long, for four rows.
    if softcap is None and (query.device.type == "cuda" or key.shape[2] >= LONG):
        return folded(query, key, value, attention_mask, scale).transpose(1, 2), None
    rows, heads, tokens, _ = query.shape
    groups = key.shape[1]
    grouped = query.reshape(rows, groups, heads // groups, tokens, width)
    if tokens == 1 and query.device.type == "cpu":
        scores = (grouped.float() * key[:, :, None].float()).sum(-1)[..., None, :] * scale
    else:
        scores = torch.matmul(grouped.reshape(rows, groups, -1, width), key.transpose(2, 3))
        scores = scores.reshape(rows, groups, heads // groups, tokens, -1).float() * scale
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    weights = torch.softmax(scores + attention_mask[:, :, None], dim=-1)
    if tokens == 1 and query.device.type == "cpu":
        mixed = (weights[..., 0, :, None] * value[:, :, None].float()).sum(3, keepdim=True).to(query.dtype)
    else:
        mixed = torch.matmul(weights.to(value.dtype).reshape(rows, groups, -1, key.shape[2]), value)
    return mixed.reshape(rows, heads, tokens, width).transpose(1, 2), None


def folded(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> Tensor:
    """One query a row [rows, heads, 1, width] by torch's fused kernel, which takes grouped heads and a mask together
    only by copying the keys: the heads that share keys stand as so many tokens of one head instead."""
    rows, heads, _, width = query.shape
    groups = key.shape[1]
    several = query.reshape(rows, groups, heads // groups, width)
    seen = mask.to(query.dtype).expand(rows, groups, heads // groups, key.shape[2])
    mixed = functional.scaled_dot_product_attention(several, key, value, attn_mask=seen, scale=scale)
    return mixed.reshape(rows, heads, 1, width)
