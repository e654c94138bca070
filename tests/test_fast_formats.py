"""Packed weights: close to what they pack, honest about what fits into 4 bits, and fused without a difference."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from playground.fast import formats
from playground.fast.fuse import pack
from playground.fast.kv_slots import KVSlots
from playground.fast.net import Net


def relative_error(packed: nn.Module, layer: nn.Linear) -> float:
    x = torch.randn(5, layer.in_features, dtype=torch.bfloat16)
    bias = None if layer.bias is None else layer.bias.detach().float()
    want = nn.functional.linear(x.float(), layer.weight.detach().float(), bias)
    return float((packed(x).float().detach() - want).norm() / want.norm())


def four_bit_layer(rows: int = 64, columns: int = 128) -> nn.Linear:
    layer = nn.Linear(columns, rows, bias=False)
    codes = torch.randint(0, 16, (rows, columns // 32, 32)).float()
    codes[..., 0], codes[..., 1] = 0, 15
    grid = codes * torch.rand(rows, columns // 32, 1) - torch.rand(rows, columns // 32, 1)
    layer.weight.data = grid.view(rows, columns)
    return layer


def made(format_name: str, layer: nn.Linear) -> nn.Module:
    bias = None if layer.bias is None else layer.bias.detach()
    return formats.FORMATS[format_name](layer.weight.detach(), bias, None)


def test_a_layer_that_came_from_four_bits_keeps_them() -> None:
    torch.manual_seed(0)
    layer = four_bit_layer()
    packed = made("auto", layer)
    assert isinstance(packed, formats.Int4Linear | formats.TorchInt4Linear)  # by our kernel, or by torch's
    assert relative_error(packed, layer) < 0.01


@pytest.mark.parametrize("bias", [False, True])
def test_any_other_layer_is_packed_in_eight(bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(128, 64, bias=bias)
    packed = made("auto", layer)
    assert not isinstance(packed, formats.Int4Linear | formats.TorchInt4Linear)
    assert relative_error(packed, layer) < 0.02


@pytest.mark.parametrize(("name", "most"), [("int8", 0.02), ("int4", 0.15), ("dense", 0.01)])
def test_each_format_is_as_near_as_its_bits_allow_whatever_the_width(name: str, most: float) -> None:
    torch.manual_seed(0)
    for rows, columns in ((64, 128), (20, 48), (32, 32)):
        layer = nn.Linear(columns, rows).to(torch.bfloat16)
        assert relative_error(made(name, layer), layer) < most, (rows, columns)


@pytest.mark.model
def test_the_packed_model_is_near_the_exact_one_and_leaves_it_alone(loaded: Any) -> None:
    model, tokenizer = loaded.model, loaded.tokenizer
    ids = tokenizer("The harbour was quiet, and the boats lay side by side in the mist.", return_tensors="pt").input_ids
    with torch.inference_mode():
        before = model(ids).logits.float()
        net = Net(model, formats.auto, compiles=False)
        slots = KVSlots(net.shape)
        slots.fit(1, 64)
        places = torch.arange(ids.shape[1])
        fast = torch.cat([net.step(slots, ids[0, at : at + 1], places[at : at + 1]) for at in range(len(places))])
        after = model(ids).logits.float()
    assert torch.equal(before, after)
    exact, quick = before[0].log_softmax(-1), fast.log_softmax(-1)
    divergence = float((exact.exp() * (exact - quick)).sum(-1).mean())
    assert 0 < divergence < 0.03, "nats a token"


def test_packing_leaves_no_plain_matrix_and_no_copy_of_the_embedding(tiny: Any) -> None:
    net = Net(tiny.model, formats.int8, compiles=False)
    kinds = {type(module) for module in net._model.modules()}
    assert nn.Linear not in kinds and formats.Int8Linear in kinds
    assert net._model.get_input_embeddings().weight is tiny.model.get_input_embeddings().weight
    assert any(type(module) is nn.Linear for module in tiny.model.modules())


def test_a_model_without_separate_heads_is_packed_too() -> None:
    block = nn.Sequential(nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 32))
    pack(block, formats.int8)
    assert not any(type(module) is nn.Linear for module in block.modules())
