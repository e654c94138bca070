"""Which package packs weights on a GPU is decided by what is installed, and where none is, one sentence says what is
missing. On a CPU loading packs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import transformers

from playground.fast.net import why_not
from playground.models import packing
from playground.settings import WEIGHTS
from playground.types import ModelError
from tests.test_fast_net import model_of


def having(*packages: str) -> Callable[[str], bool]:
    return packages.__contains__


@pytest.mark.parametrize("weights", WEIGHTS)
def test_a_cpu_needs_no_package(weights: str) -> None:
    assert packing.maker(weights, "cpu", has=having()) is None


@pytest.mark.parametrize("weights", ["auto", "fp32", "bf16"])
def test_weights_that_stay_as_they_are_need_no_package_on_a_gpu(weights: str) -> None:
    assert packing.maker(weights, "cuda", has=having()) is None


@pytest.mark.parametrize(
    ("weights", "there", "takes"),
    [
        ("int8", ("torchao", "bitsandbytes"), "torchao"),
        ("int8", ("bitsandbytes",), "bitsandbytes"),
        ("int4", ("torchao", "bitsandbytes"), "bitsandbytes"),
        ("int4", ("torchao",), "torchao"),
    ],
)
def test_what_is_installed_packs(weights: str, there: tuple[str, ...], takes: str) -> None:
    assert packing.maker(weights, "cuda", has=having(*there)) == takes


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_where_nothing_is_installed_one_sentence_says_what_to_install(weights: str) -> None:
    with pytest.raises(ModelError) as caught:
        packing.maker(weights, "cuda", has=having())
    for language in ("en", "zh"):
        said = caught.value.say(language)
        assert "torchao" in said and "bitsandbytes" in said and "pip install" in said and weights in said


def test_only_a_gpu_that_may_be_used_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packing.target(None) in ("cpu", "cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert packing.target(None) == packing.target({"cpu": 1, 0: 1}) == "cuda"
    assert packing.target({"cpu": 1}) == packing.target({"cpu": 1, 0: 0}) == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert packing.target(None) == packing.target({0: 1}) == "cpu"


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("package", ["torchao", "bitsandbytes"])
def test_transformers_is_told_in_its_own_words(package: str, weights: str) -> None:
    if not packing.installed(package):
        pytest.skip(f"{package} is not installed")
    told = packing.config(package, weights)
    assert told.quant_method == package
    assert package == "torchao" or (told.load_in_8bit, told.load_in_4bit) == (weights == "int8", weights == "int4")


def test_weights_packed_by_others_stay_on_the_exact_path() -> None:
    model = model_of("llama")
    told: Any = transformers.GgufConfig(dequantize=True)
    model.hf_quantizer = type("Quantizer", (), {"quantization_config": told})()
    assert why_not(model) is None, "a GGUF file was unpacked while it was loaded"
    told.quant_method = transformers.utils.quantization_config.QuantizationMethod.BITS_AND_BYTES
    reason = why_not(model)
    assert reason is not None and "bitsandbytes" in reason.en
