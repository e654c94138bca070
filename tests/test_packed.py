"""The fast path's layers: close to the weights they pack, and honest about which they can pack in 4 bits."""

from typing import Any

import pytest
import torch
from torch import nn

from playground import generate
from playground.decoding import packed
from playground.generators.local import LocalGenerator


def relative_error(packed_layer: nn.Module, layer: nn.Linear) -> float:
    x = torch.randn(5, layer.in_features, dtype=torch.bfloat16)
    bias = None if layer.bias is None else layer.bias.detach().float()
    want = nn.functional.linear(x.float(), layer.weight.detach().float(), bias)
    got = packed_layer(x).float().detach()
    return float((got - want).norm() / want.norm())


def four_bit_layer(rows: int = 64, columns: int = 128) -> nn.Linear:
    layer = nn.Linear(columns, rows, bias=False)
    codes = torch.randint(0, 16, (rows, columns // 32, 32)).float()
    codes[..., 0], codes[..., 1] = 0, 15
    grid = codes * torch.rand(rows, columns // 32, 1) - torch.rand(rows, columns // 32, 1)
    layer.weight.data = grid.view(rows, columns)
    return layer


def test_a_layer_that_came_from_four_bits_keeps_them() -> None:
    torch.manual_seed(0)
    layer = four_bit_layer()
    layer_packed = packed._packed(layer)
    assert isinstance(layer_packed, packed.Int4Linear)
    assert relative_error(layer_packed, layer) < 0.01


@pytest.mark.parametrize("bias", [False, True])
def test_any_other_layer_is_packed_in_eight(bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(128, 64, bias=bias)
    layer_packed = packed._packed(layer)
    assert not isinstance(layer_packed, packed.Int4Linear)
    assert relative_error(layer_packed, layer) < 0.02


def test_an_odd_width_is_no_obstacle() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(48, 20)
    assert relative_error(packed._packed(layer), layer) < 0.02


@pytest.mark.model
def test_the_packed_model_is_near_the_exact_one_and_leaves_it_alone(loaded: Any) -> None:
    model, tokenizer = loaded.model, loaded.tokenizer
    ids = tokenizer("The harbour was quiet, and the boats lay side by side in the morning mist.", return_tensors="pt")
    with torch.inference_mode():
        before = model(**ids).logits.float()
        fast = packed.pack(model)(**ids).logits.float()
        after = model(**ids).logits.float()
    assert torch.equal(before, after)
    exact, quick = before.log_softmax(-1), fast.log_softmax(-1)
    divergence = float((exact.exp() * (exact - quick)).sum(-1).mean())
    assert 0 < divergence < 0.03, "nats a token"
    assert packed.can_pack(model)


@pytest.mark.model
@pytest.mark.parametrize("values", [{"temperature": 0}, {"n": 2}, {"num_beams": 2}])
def test_a_fast_run_says_so_and_repeats_itself(loaded: Any, values: dict[str, Any]) -> None:
    generator = LocalGenerator(loaded)
    given = {"max_new_tokens": 6, "seed": 4, **values}
    fast = [list(generate.run(generate.build("The capital of France is", given, path="fast"), generator))[-1]]
    fast += [list(generate.run(generate.build("The capital of France is", given, path="fast"), generator))[-1]]
    assert fast[0].as_json()["path"] == "fast"
    assert fast[0].as_json()["candidates"] == fast[1].as_json()["candidates"]
    assert all(len(candidate.token_ids) == 6 for candidate in fast[0].candidates)
