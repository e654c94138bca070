"""What several test files need: the embedded model loaded once, a tiny random one for combinations, a Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from playground import models
from playground.fast import layer_compilers
from playground.fast.compile_queue import CompileQueue
from playground.fast.net import Net
from playground.machine.cache_folder import CACHE_VARIABLE
from playground.models import embedded
from playground.models.loading import quiet
from playground.types import ModelCard
from tests import chromium as browser

pytest_plugins = ["tests.report"]

TINY_CONTEXT = 512


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: files are dealt out whole, and a short one is left for whoever is done first."""
    items.sort(key=lambda item: "ui" not in item.path.parts)


@pytest.fixture(scope="session")
def load_embedded() -> Callable[[str], models.Loaded]:
    """The embedded model by number format, each loaded once: `load_embedded("fp32")`."""
    kept: dict[str, models.Loaded] = {}

    def get(weights: str) -> models.Loaded:
        if weights not in kept:
            kept[weights] = models.load(weights=weights)
        return kept[weights]

    return get


@pytest.fixture(scope="session", params=["fp32"])
def loaded(request: pytest.FixtureRequest, load_embedded: Callable[[str], models.Loaded]) -> models.Loaded:
    """The embedded model in fp32; `parametrize("loaded", ["fp32", "bf16"], indirect=True)` asks for others."""
    return load_embedded(request.param)


@pytest.fixture
def folder(tiny: models.Loaded, tmp_path: Path) -> Path:
    """A whole model folder of three megabytes with safetensors, to be spoiled."""
    place = tmp_path / "tiny-model"
    tiny.model.save_pretrained(place)
    tiny.tokenizer.save_pretrained(place)
    return place


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps stay eager: on two cores a few hundred of them are over before their shapes are compiled."""
    monkeypatch.setattr(Net, "want", lambda *_: None)


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test waits for is compiled at once, like any other program's work."""
    monkeypatch.setattr(layer_compilers, "QUEUE", CompileQueue(idle=False))


@pytest.fixture(scope="session")
def tiny() -> models.Loaded:
    return tiny_model()


@pytest.fixture
def tiny_bf16(tiny: models.Loaded) -> Iterator[models.Loaded]:
    """The tiny model in bf16."""
    tiny.model.to(torch.bfloat16)
    yield tiny
    tiny.model.to(torch.float32)


def tiny_model() -> models.Loaded:
    """A random two-layer model with the embedded model's tokenizer: one forward pass takes 2 ms.

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
        max_position_embeddings=TINY_CONTEXT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(25)
    size = sum(parameter.numel() * 4 for parameter in model.parameters())
    card = ModelCard("tiny", "Tiny", "random", size // 4, "fp32", size, TINY_CONTEXT, True)
    return models.Loaded(model, tokenizer, card)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; `make chromium` provides it."""
    path = browser.find()
    assert path, "no Chromium here: run make chromium"
    return path


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"
