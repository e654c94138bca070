"""What several test files need: the embedded model loaded once, a tiny random one for combinations, a Chromium.

It imports no torch: tests of what needs none answer at once. What a test needs is known by its fixtures, and marks it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground.machine.cache_folder import CACHE_VARIABLE
from playground.models import embedded
from tests import chromium as browser

if TYPE_CHECKING:
    from playground import models
    from playground.types import ProgressReport

pytest_plugins = ["tests.report"]

# Who takes one of these fixtures needs the model (tiny ones have its tokenizer), or a page that is served.
NEEDS = {
    "model": {
        "load_embedded", "tiny", "tiny_gguf", "compiled", "embedded_page", "tiny_page", "llama_cpp", "tiny_llama_cpp",
        "other_playground",
    },
    "browser": {"chromium", "starts_server"},
}
CACHE = os.environ.get(CACHE_VARIABLE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: files are dealt out whole, and a short one is left for whoever is done first."""
    items.sort(key=lambda item: "ui" not in item.path.parts)
    for item in items:
        for marker, fixtures in NEEDS.items():
            if not fixtures.isdisjoint(getattr(item, "fixturenames", ())):
                item.add_marker(marker)


@pytest.fixture(autouse=True)
def _only_what_is_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test without the marker gets no embedded model: `make check` takes it for one that needs none."""
    if request.node.get_closest_marker("model") is None:
        ensure = embedded.ensure

        def refuses(report: ProgressReport) -> Path:
            assert os.environ.get(CACHE_VARIABLE) != CACHE, "this test needs the embedded model: mark it `model`"
            return ensure(report)  # into a folder of the test's own, by a converter of the test's own

        monkeypatch.setattr(embedded, "ensure", refuses)


@pytest.fixture(scope="session")
def load_embedded() -> Callable[[str], models.Loaded]:
    """The embedded model by number format, each loaded once: `load_embedded("fp32")`."""
    from playground import models

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
    from playground.fast.net import Net

    monkeypatch.setattr(Net, "want", lambda *_: None)


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test waits for is compiled at once, like any other program's work."""
    from playground.fast import layer_compilers
    from playground.fast.compile_queue import CompileQueue

    monkeypatch.setattr(layer_compilers, "QUEUE", CompileQueue(idle=False))


@pytest.fixture(scope="session")
def tiny() -> models.Loaded:
    from tests.tiny import tiny_model

    return tiny_model()


@pytest.fixture(scope="session")
def other_playground() -> Iterator[str]:
    """The URL of a Playground over the tiny model, once that is loaded."""
    from tests.other_playground import served

    with served() as url:
        yield url


@pytest.fixture(scope="session")
def llama_cpp() -> Iterator[str]:
    """The URL of llama.cpp's own server on the embedded model, four texts at a time."""
    from tests.llama_cpp_server import llama_cpp_server

    with llama_cpp_server(slots=4) as url:
        yield url


@pytest.fixture(scope="session")
def tiny_llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same on a random model of 400 tokens, one text at a time: so the same seed gives the same text."""
    from tests.llama_cpp_server import llama_cpp_server
    from tests.tiny import write_gguf

    place = tmp_path_factory.mktemp("engine") / "tiny.gguf"
    write_gguf(place, context=512)
    with llama_cpp_server(model=place) as url:
        yield url


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of two layers and 400 tokens in one GGUF file."""
    from tests.tiny import write_gguf

    place = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(place)
    return place


@pytest.fixture
def tiny_bf16(tiny: models.Loaded) -> models.Loaded:
    """The tiny model in bf16: a copy, since weights that were rounded once do not come back."""
    import torch

    return replace(tiny, model=deepcopy(tiny.model).to(torch.bfloat16))


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
