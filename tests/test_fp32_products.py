"""Prompts are read in fp32 where a CPU multiplies bf16 slowly: the same products, no second copy of the weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from playground import models
from playground.decoding.fair_lock import FairLock
from playground.fast import engine
from playground.fast.engine import Engine
from playground.fast.fp32_products import Fp32Linear, multiply_in_fp32
from playground.fast.net import Net
from tests.test_fast_net import FAMILIES, furthest, model_of


def matrices(model: nn.Module) -> list[nn.Module]:
    return [one for one in model.modules() if type(one) is nn.Linear or isinstance(one, Conv1D | Fp32Linear)]


@pytest.mark.parametrize("rows", [1, 7, 8, 40])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("outputs", [3, 512, 1300])
def test_a_product_is_the_one_in_fp32_rounded_once(rows: int, bias: bool, outputs: int) -> None:
    torch.manual_seed(rows)
    given = nn.Linear(64, outputs, bias=bias).bfloat16().requires_grad_(False)
    x = torch.randn(2, rows, 64).bfloat16()
    found, exact = Fp32Linear(given)(x), copy.deepcopy(given).float()(x.float())
    assert found.dtype == torch.bfloat16 and found.shape == exact.shape
    torch.testing.assert_close(found, exact.bfloat16(), rtol=2**-7, atol=2**-7)


def test_so_it_is_with_the_weights_the_other_way_round() -> None:
    given = Conv1D(600, 64).bfloat16().requires_grad_(False)
    x = torch.randn(20, 64).bfloat16()
    exact = copy.deepcopy(given).float()(x.float())
    torch.testing.assert_close(Fp32Linear(given)(x), exact.bfloat16(), rtol=2**-7, atol=2**-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_reads_as_exactly_as_in_bf16(family: str) -> None:
    model = model_of(family).bfloat16()
    wide = copy.deepcopy(model).float()
    net = Net(model, compiles=False, in_fp32=True)
    assert all(type(one) is Fp32Linear for one in matrices(net.model))
    own = {one.data_ptr() for one in model.parameters()}
    assert all(one.data_ptr() in own for one in net.model.parameters()), "no weight was copied"
    torch.manual_seed(3)
    plain = furthest(wide, Net(model, compiles=False))
    torch.manual_seed(3)
    assert furthest(wide, net) < 3 * plain


def test_weights_in_fp32_stay_as_they_are() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4).bfloat16())
    multiply_in_fp32(model)
    assert [type(one) for one in model] == [nn.Linear, Fp32Linear]


@pytest.mark.parametrize("weights", ["auto", "bf16"])
@pytest.mark.parametrize("slow", [True, False])
def test_only_prompts_are_read_so_and_only_where_bf16_is_slow(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch, weights: str, slow: bool
) -> None:
    monkeypatch.setattr(engine, "bf16_is_slow", lambda: slow)
    model = copy.deepcopy(tiny.model).bfloat16()
    made = Engine(model, FairLock(), weights=weights)
    running = made.running
    reads = {type(one) for one in matrices(running._prefill_net._model.base_model)}
    steps = {type(one) for one in running._decode_net.model.modules()}
    assert reads == {Fp32Linear} if slow else Fp32Linear not in reads
    assert Fp32Linear not in steps
    assert running._decode_net.compiler is not None
    made.close()
