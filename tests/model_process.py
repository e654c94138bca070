"""Programs that tests run in a process of their own, since they measure its memory: one line of JSON comes out.

`python -m tests.model_process estimate FOLDER…` loads each model and tells estimate and measure;
`python -m tests.model_process switches MODEL MODEL COUNT` switches between the two.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from playground import generate
from playground.fast.net import Net
from playground.generators import opening
from playground.machine import allocator, process_memory
from playground.models import embedded
from playground.models.loading import quiet
from playground.models.model_choice import ModelChoice
from playground.serving.loaded_models import LoadedModels, give_back
from playground.serving.local_tools import local_tools
from playground.serving.model_pool import ModelPool
from playground.settings import Settings

_SIZES = {"num_hidden_layers": 6, "num_attention_heads": 8, "max_position_embeddings": 1024, "vocab_size": 49_152}
_NAMED = {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head", "max_position_embeddings": "n_positions"}
WIDE = {"hidden_size": 512, "intermediate_size": 1536}


def write_model(kind: str, folder: Path, **more: int) -> None:
    """Random weights of about 100 MB in bf16, with the embedded model's tokenizer."""
    old = kind in ("gpt2", "gptj")
    sizes = {_NAMED.get(name, name) if old else name: size for name, size in _SIZES.items()}
    sizes |= {"n_embd": 512} if old else WIDE
    sizes |= {"rotary_dim": 32} if kind == "gptj" else {}
    sizes |= {} if old else {"num_key_value_heads": 4}
    sizes |= {"head_dim": 64} if kind.startswith("gemma") else {}
    torch.manual_seed(0)
    config = CONFIG_MAPPING[kind](**{**sizes, **more}, bos_token_id=1, eos_token_id=2)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    for file in (*embedded.folder().glob("tokenizer*"), *embedded.folder().glob("*.jinja")):
        (folder / file.name).write_bytes(file.read_bytes())


def estimates(folders: list[str]) -> list[dict[str, float]]:
    """Of each model: bytes estimated and measured, without and with one row up to the context's end. The first one
    only makes the process what it is once any model was loaded, and is left out."""
    found: list[dict[str, float]] = []
    settings = Settings()
    tools = local_tools(settings, LoadedModels(), lambda *_: None)  # type: ignore[arg-type]
    for folder in folders:
        choice = ModelChoice(folder, context=250)
        estimate = tools.estimate(choice)
        give_back()
        before = process_memory.own_bytes()
        made = opening.open_local(choice, opening.Bounds(fast=True), quiet)
        give_back()
        grown = process_memory.own_bytes() - before
        tensors = made.held_bytes
        prompt = "The old ferry " * 65  # nearly to the context's end
        for _run in generate.run(generate.build(prompt, {"max_new_tokens": 2}, mode="complete", path="fast"), made):
            pass
        slots = made.held_bytes - tensors
        found.append(
            {
                "held": estimate.held, "grown": grown, "tensors": tensors,
                "exactly": estimate.weights + estimate.packed, "kv_cache": estimate.kv_cache, "slots": slots,
            }
        )  # fmt: skip
        made.close()
        del made, _run
    return found[1:]


def switches(names: list[str], count: int) -> list[int]:
    """The process's bytes with the first model alone: at first, and after each way to the second one and back."""
    models = LoadedModels()
    tools = local_tools(
        Settings(), models, lambda choice, report: opening.open_local(choice, opening.Bounds(fast=True), report)
    )
    pool = ModelPool(dataclasses.replace(tools, room=lambda _: 10**12), models=models)
    found = []
    for turn in range(2 * count + 1):
        before = pool.choice
        pool.switch(ModelChoice(names[turn % 2]))
        assert pool.wait(600) and pool.choice == ModelChoice(names[turn % 2]), pool.state().reason
        if before is not None:
            pool.unload(before.name)
        with pool.current_in_use() as (generator, _):
            for path in ("exact", "fast"):
                values = {"max_new_tokens": 3, "n": 2, "seed": 1}
                for _run in generate.run(generate.build("The ferry", values, mode="complete", path=path), generator):
                    pass
            del generator, _run
        if turn % 2 == 0:
            give_back()
            found.append(process_memory.own_bytes())
    return found


if __name__ == "__main__":
    allocator.limit_arenas()
    torch.set_num_threads(1)
    Net.want = lambda *_: None  # type: ignore[method-assign] # steps stay eager: nothing is compiled beside what is measured
    if sys.argv[1] == "estimate":
        print(json.dumps(estimates(sys.argv[2:])))
    else:
        print(json.dumps(switches(sys.argv[2:4], int(sys.argv[4]))))
