"""Promises of loading: whatever is asked for is found, spread over devices, or refused in one clear sentence."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from playground import generate, models
from playground.decoding.failures import NO_FILES
from playground.generators.local import LocalGenerator
from playground.models import catalogue, convert, device_map, embedded, failures, hub, hub_cache, sources
from playground.models.loading import quiet
from playground.types import ModelError
from tests import fake_hub
from tests.reference import request

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PROMPT = "The three primary colours are"


def greedy(loaded: models.Loaded, count: int = 10) -> list[int]:
    given = loaded.tokenizer(PROMPT, return_tensors="pt")
    ids: list[int] = loaded.model.generate(**given, max_new_tokens=count, do_sample=False)[0].tolist()
    return ids


def refusal(model: str, **options: Any) -> ModelError:
    """The error of a load that must fail, in words that a person can use in both languages."""
    with pytest.raises(ModelError) as caught:
        models.load(model, **options)
    error = caught.value
    assert error.hint is not None and CHINESE.search(error.message.zh) and CHINESE.search(error.hint.zh)
    assert "\n" not in error.say("en") and "Traceback" not in error.say("en")
    return error


@pytest.fixture
def asked_hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A hub on this machine that has `someone/tiny`, and an empty hub cache; yields what it is asked."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with fake_hub.serving("someone/tiny", folder) as (address, asked):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        paths = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{repo_id}")
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "".join((address, *paths[1:])))
        yield asked


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty hub cache, and a hub at an address where nobody answers."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")


# What is loaded


@pytest.mark.model
def test_the_card_says_what_is_loaded(load_embedded: Callable[[str], models.Loaded]) -> None:
    card = load_embedded("bf16").card
    assert (card.id, card.dtype, card.parameters, card.context) == ("smollm2", "bf16", 134_515_008, 8192)
    assert card.has_chat_template and card.folder == str(embedded.folder())
    assert card.size == sum(place.size for place in card.placements) == 2 * card.parameters
    layers = [place for place in card.placements if place.module.startswith("model.layers.")]
    assert len(layers) == 30 and {place.device for place in layers} == {layers[0].device}


@pytest.mark.model
@pytest.mark.parametrize("loaded", [pytest.param("fp32", marks=pytest.mark.long), "bf16"], indirect=True)
def test_layers_go_to_disk_under_150_mb_and_the_greedy_text_stays(loaded: models.Loaded) -> None:
    small = models.load(weights=loaded.card.dtype, max_memory={"cpu": 150_000_000})
    devices = [place.device for place in small.card.placements if place.module.startswith("model.layers.")]
    assert devices.count("disk") > 10 and devices.count("cpu") >= 1
    assert small.card.size == loaded.card.size
    assert small.card.notice is not None and "disk" in small.card.notice.en
    assert greedy(small, 3) == greedy(loaded, 3)


def test_a_model_on_disk_whose_files_go_says_so_and_the_text_stays(folder: Path, own_cache: Path) -> None:
    loaded = models.load(str(folder), weights="fp32", max_memory={"cpu": 7_000_000})
    assert "disk" in {place.device for place in loaded.card.placements}
    run = None
    for run in generate.run(request("Hi", {"seed": 1, "max_new_tokens": 8}), LocalGenerator(loaded)):
        if run.candidates[0].token_ids and folder.exists():
            shutil.rmtree(folder)
    assert run is not None and run.finished
    (candidate,) = run.candidates
    assert candidate.reason == NO_FILES and candidate.finish_reason == "error" and candidate.token_ids


@pytest.mark.parametrize("source", ["tiny", pytest.param("embedded", marks=pytest.mark.long)])
def test_the_converted_weights_are_those_of_the_gguf_file(source: str, tiny_gguf: Path, tmp_path: Path) -> None:
    file = embedded.gguf_file() if source == "embedded" else tiny_gguf
    assert file is not None
    if source == "tiny":
        convert.convert(file, tmp_path, quiet)
    ours = models.load(str(tmp_path) if source == "tiny" else None, weights="bf16")
    direct = models.load(str(file), weights="bf16")
    theirs = direct.model.state_dict()
    assert ours.model.state_dict().keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.model.state_dict().items())
    assert greedy(direct) == greedy(ours)
    context = 8192 if source == "embedded" else 128
    assert (direct.card.context, direct.card.limited) == (ours.card.context, ours.card.limited) == (context, True)
    assert direct.tokenizer.chat_template == ours.tokenizer.chat_template
    text = "Ünïcode 中文 🙂\n\tdef f(x): return x**2  <|im_start|>"
    assert direct.tokenizer(text)["input_ids"] == ours.tokenizer(text)["input_ids"]


def test_a_local_folder_is_loaded_with_one_line_a_layer(folder: Path, tiny: models.Loaded) -> None:
    here = models.load(str(folder), weights="fp32")
    assert greedy(here) == greedy(tiny)
    assert [place.module for place in here.card.placements] == [
        "model.embed_tokens", "model.layers.0", "model.layers.1", "model.norm", "lm_head",
    ]  # fmt: skip
    assert here.card.revision == "local folder" and here.card.context == tiny.card.context


def test_shared_weights_are_counted_once() -> None:
    shared = torch.nn.Linear(4, 4, bias=False)
    both = torch.nn.ModuleDict(
        {"embed": shared, "blocks": torch.nn.ModuleList([torch.nn.Linear(2, 2)]), "head": shared}
    )
    lines = device_map.placements(both)
    assert [(line.module, line.size) for line in lines] == [("embed", 64), ("blocks.0", 24)]


def test_the_device_map_is_followed_into_a_split_layer() -> None:
    layer = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2), "b": torch.nn.Linear(2, 2)})
    model = torch.nn.ModuleDict({"layers": torch.nn.ModuleList([layer])})
    model.hf_device_map = {"layers.0.a": 0, "layers.0.b": "disk"}  # type: ignore[assignment]
    assert [(line.module, line.device) for line in device_map.placements(model)] == [
        ("layers.0.a", "cuda:0"), ("layers.0.b", "disk"),
    ]  # fmt: skip


def test_pickled_weights_that_hold_only_tensors_are_loaded(folder: Path, tiny: models.Loaded) -> None:
    torch.save(tiny.model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert greedy(models.load(str(folder), weights="fp32")) == greedy(tiny)


# The hub


def test_a_hub_id_is_downloaded_once_with_the_token_and_then_never_asked_for(
    asked_hub: Any, tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    shares: list[float | None] = []
    first = models.load("someone/tiny", weights="fp32", report=lambda stage, share: shares.append(share))
    assert greedy(first) == greedy(tiny) and first.card.revision == fake_hub.COMMIT[:12]
    assert {header for path, header in asked_hub if "someone/tiny" in path} == {"Bearer hf_secretsecretsecret"}
    assert any(share is not None and share > 0.9 for share in shares)
    asked_hub.clear()
    assert greedy(models.load("someone/tiny", weights="fp32")) == greedy(tiny)
    assert asked_hub == []
    assert "someone/tiny" in [entry.id for entry in catalogue.entries()]


def test_a_wrong_id_is_said_to_be_wrong(asked_hub: Any) -> None:
    assert "no model 'someone/typo'" in refusal("someone/typo").say("en")


def test_a_gated_model_says_how_to_get_in(asked_hub: Any) -> None:
    assert "HF_TOKEN" in refusal(fake_hub.GATED).say("en")


def test_without_a_network_the_hub_is_not_asked(no_hub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "download", lambda *args, **options: pytest.fail("the hub was asked"))
    assert "cannot be reached" in refusal("gpt2").say("en")


def test_the_offline_switch_spares_even_the_probe(no_hub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket, "create_connection", lambda *args, **options: pytest.fail("probed"))
    assert "cannot be reached" in refusal("gpt2").say("en")


def test_what_is_here_is_loaded_without_any_connection(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert models.load(str(folder)).card.dtype == "bf16"


def test_only_the_needed_files_are_chosen() -> None:
    names = ["README.md", "config.json", "merges.txt", "model.safetensors", "pytorch_model.bin", "tf_model.h5"]
    names += ["model.fp16.safetensors", "onnx/model.safetensors", "custom.py", "consolidated.safetensors"]
    assert hub_cache.choose(names) == ["config.json", "merges.txt", "model.safetensors"]
    assert hub_cache.choose(["pytorch_model-00001-of-00002.bin", "a.py"], code=True) == [
        "a.py", "pytorch_model-00001-of-00002.bin",
    ]  # fmt: skip


# Refusals


@pytest.mark.parametrize("name", ["./nowhere", "no/such/folder/deep", "missing.gguf", "bad id!", "../x"])
def test_a_path_that_leads_nowhere_is_said_so(name: str) -> None:
    assert "There is no file or folder" in refusal(name).say("en")


def test_an_unknown_architecture_is_named(folder: Path) -> None:
    spoil(folder, model_type="martian", architectures=["MartianForCausalLM"])
    assert "martian" in refusal(str(folder)).say("en")


def test_an_encoder_is_refused_since_it_writes_nonsense(folder: Path) -> None:
    spoil(folder, model_type="bert", architectures=["BertForMaskedLM"])
    assert "does not write text" in refusal(str(folder)).say("en")


def test_code_that_comes_with_a_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(witness)!r}, 'w')\n", encoding="utf-8")
    spoil(folder, model_type="martian", auto_map={"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"})
    assert "--trust-remote-code" in refusal(str(folder)).say("en")
    assert not witness.exists()


class Bomb:
    """Unpickling it writes a file."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.witness,))


def test_a_pickle_that_runs_code_is_not_read(folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    (folder / "model.safetensors").unlink()
    torch.save({"model.norm.weight": Bomb(witness)}, folder / "pytorch_model.bin")
    assert "pickle" in refusal(str(folder)).say("en")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(witness)))
    assert "pickle" in refusal(str(folder)).say("en")
    assert not witness.exists()


def test_cut_weights_and_missing_tensors_are_said_to_be_damaged(folder: Path, tiny: models.Loaded) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    assert "is cut off" in refusal(str(folder)).say("en")
    (folder / "model.safetensors").unlink()
    torch.save({"model.norm.weight": torch.ones(32)}, folder / "pytorch_model.bin")
    assert "tensors are missing" in refusal(str(folder)).say("en")


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fake.gguf").write_bytes(b"not a model" * 100)
    assert "damaged" in refusal(str(tmp_path / "fake.gguf")).say("en")


def test_a_folder_without_weights_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    (folder / "model.safetensors").unlink()
    assert "no weights" in refusal(str(tmp_path / "empty")).say("en")
    assert "no weights" in refusal(str(folder)).say("en")


def test_a_budget_below_the_largest_part_is_too_little_memory(folder: Path) -> None:
    message = refusal(str(folder), max_memory={"cpu": 100_000}).say("en")
    assert "too little memory" in message and "--max-memory" in message


def test_a_gpu_that_is_not_there_is_named() -> None:
    assert "GPU 97" in refusal("smollm2", max_memory={97: 10**9}).say("en")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), torch.OutOfMemoryError()],
)
def test_running_out_of_memory_is_said_in_words(error: Exception) -> None:
    with pytest.raises(ModelError, match="too little memory"), failures.explained("big"):
        raise error


def test_a_token_never_shows_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "odd-token-123")
    with pytest.raises(ModelError) as caught, failures.explained("x"):
        raise RuntimeError("header Bearer odd-token-123 and hf_abcdefghijkl were sent")
    assert "odd-token" not in caught.value.say("en") and "hf_abc" not in caught.value.say("zh")
    assert caught.value.__suppress_context__


@pytest.mark.model
def test_the_app_starts_with_the_embedded_model_and_says_why(no_hub: None) -> None:
    loaded = models.load_or_embedded("gpt2", weights="bf16")
    assert loaded.card.id == "smollm2" and loaded.card.notice is not None
    assert "'gpt2' is not on this machine" in loaded.card.notice.en and "内置模型" in loaded.card.notice.zh


def test_without_package_copy_and_network_one_sentence_says_how_to_get_the_model(
    no_hub: None, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "gguf_file", lambda: None)
    assert embedded.INSTALL in refusal("smollm2").say("en")


def test_without_the_package_the_hub_s_copy_is_taken(
    asked_hub: Any, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "gguf_file", lambda: None)
    monkeypatch.setattr(embedded, "HUB_ID", "someone/tiny")
    assert sources.find(None, quiet).title == embedded.TITLE


# The list


@pytest.mark.model
def test_the_list_begins_with_the_embedded_model_and_its_folder() -> None:
    listed = catalogue.entries(quiet)
    assert listed[0].id == "smollm2" and listed[0].folder == str(embedded.folder())
    asked_for = {"gpt2", "distilgpt2", "gpt2-medium", "gpt2-large", "EleutherAI/gpt-j-6B", "Qwen/Qwen3-0.6B"}
    assert asked_for < {entry.id for entry in listed}
    records = json.loads(json.dumps(catalogue.records()))
    assert all(record["languages"] for record in records if "folder" not in record)
    assert all(record["memory"] > record["size"] > 0 for record in records)
    assert all(record["id"] for record in records) and Path(records[0]["folder"], "model.safetensors").is_file()


def test_the_list_is_made_without_torch_or_a_http_library() -> None:
    code = "import sys, playground.models.catalogue as c; c.entries(); "
    code += "sys.exit(bool({'torch', 'httpx2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def spoil(folder: Path, **changes: Any) -> None:
    """Overwrite fields of the model's config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_the_default_offload_folder_is_in_the_cache(own_cache: Path, folder: Path) -> None:
    models.load(str(folder), max_memory={"cpu": 7_000_000})
    assert not own_cache.exists() or {path.name for path in own_cache.iterdir()} <= {"offload"}
    shutil.rmtree(own_cache, ignore_errors=True)
