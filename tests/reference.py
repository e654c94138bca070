"""What `model.generate()` writes for the same settings: the other side of every parity test.

Spells out transformers' own names by hand, so that it shares no definition with the registry that it checks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import torch
from transformers import WatermarkingConfig

from playground import parameters
from playground.generators.local import LocalGenerator
from playground.types import Request

OFF: dict[str, Any] = {
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": None,
    "top_h": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
}

SAME_NAME = (
    "top_k",
    "top_p",
    "min_p",
    "top_h",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
    "min_new_tokens",
    "guidance_scale",
    "num_beams",
    "length_penalty",
)

# Each native sampler alone, weak and strong.
SINGLE: list[dict[str, Any]] = [
    {},
    {"temperature": 0.0},
    {"temperature": 0.3},
    {"temperature": 1.7},
    {"top_k": 1},
    {"top_k": 40},
    {"top_p": 0.3},
    {"top_p": 0.95},
    {"min_p": 0.05},
    {"min_p": 0.5},
    {"top_h": 0.4},
    {"top_h": 1.0},
    {"typical_p": 0.2},
    {"typical_p": 0.95},
    {"epsilon_cutoff": 0.0009},
    {"eta_cutoff": 0.002},
    {"repetition_penalty": 0.9},
    {"repetition_penalty": 1.3},
    {"no_repeat_ngram_size": 1},
    {"no_repeat_ngram_size": 2},
    {"encoder_repetition_penalty": 1.4},
    {"encoder_no_repeat_ngram_size": 2},
    {"bad_words_ids": [[28], [253, 5356]]},
    {"suppress_tokens": [28, 30, 198]},
    {"begin_suppress_tokens": [504, 28, 198]},
    {"ignore_eos": True},
    {"min_new_tokens": 12},
    {"exponential_decay_factor": 1.3, "exponential_decay_start": 4},
    {"logit_bias": {" coffee": 6.0, "the": -5.0, " morning light": 4.0}, "logit_bias_ids": {"28": -4.0, "253": 3.0}},
    {"watermark": True},
    {"watermark": True, "watermark_seeding": "selfhash", "watermark_ratio": 0.5, "watermark_bias": 4.0},
    {"watermark": True, "watermark_context_width": 3},
    {"guidance_scale": 1.5},
    {"guidance_scale": 0.7},
    {"guidance_scale": 2.0, "negative_prompt": "A very sad text about rain."},
    {"temperature": 0.0, "repetition_penalty": 1.2, "no_repeat_ngram_size": 3},
    {"temperature": 0.0, "watermark": True, "guidance_scale": 1.5},
]

PIECES: list[dict[str, Any]] = [setting for setting in SINGLE if setting and setting.get("temperature") != 0.0]


def request(prompt: str, values: Mapping[str, Any], **fields: Any) -> Request:
    return Request(prompt=prompt, values=parameters.validate(values), **fields)


def written(generator: LocalGenerator, asked: Request) -> list[list[int]]:
    """Token ids of every row, after whatever was taken back."""
    rows: list[list[int]] = [[] for _ in range(asked.values["n"])]
    for step in generator.stream(asked):
        if step.retract:
            del rows[step.row][-step.retract :]
        if step.token_id is not None:
            rows[step.row].append(step.token_id)
    return rows


def generated(loaded: Any, asked: Request, ids: tuple[int, ...]) -> list[list[int]]:
    """What `generate()` writes after `torch.manual_seed(seed)`, without the prompt; every row of a beam search."""
    values = asked.values
    changed = parameters.changed(values)
    arguments: dict[str, Any] = {**OFF, **{name: changed[name] for name in SAME_NAME if name in changed}}
    arguments.update(_shaped(loaded, changed), max_new_tokens=values["max_new_tokens"])
    if values["temperature"] == 0:
        arguments["do_sample"] = False
    else:
        arguments.update(do_sample=True, temperature=values["temperature"])
    if values["n"] > 1:
        arguments["num_return_sequences"] = values["n"]
    prompt = torch.tensor([ids])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(values["seed"])
        out = loaded.model.generate(prompt, attention_mask=torch.ones_like(prompt), **arguments)
    eos = loaded.model.generation_config.eos_token_id
    rows = [row[prompt.shape[1] :].tolist() for row in out]
    return [row[: row.index(eos) + 1] if eos in row else row for row in rows]


def _shaped(loaded: Any, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What has another shape or name in transformers."""
    tokenizer = loaded.tokenizer
    shaped: dict[str, Any] = {}
    if "exponential_decay_factor" in changed:
        start = changed.get("exponential_decay_start", 0)
        shaped["exponential_decay_length_penalty"] = (start, changed["exponential_decay_factor"])
    if "logit_bias" in changed:
        bias: dict[tuple[int, ...], float] = {}
        for text, number in changed["logit_bias"].items():
            for form in (text,) if text.startswith(" ") else (text, " " + text):
                ids = tuple(tokenizer(form, add_special_tokens=False).input_ids)
                for length in range(1 if number > 0 else len(ids), len(ids) + 1):
                    bias[ids[:length]] = float(number)
        bias |= {(int(token),): float(number) for token, number in changed.get("logit_bias_ids", {}).items()}
        shaped["sequence_bias"] = bias
    if "ignore_eos" in changed:
        eos = loaded.model.generation_config.eos_token_id
        shaped["suppress_tokens"] = [*changed.get("suppress_tokens", []), eos]
    if "watermark" in changed:
        names = {"ratio": "greenlist_ratio", "bias": "bias", "context_width": "context_width"}
        names["seeding"] = "seeding_scheme"
        given = {name: changed[f"watermark_{ours}"] for ours, name in names.items() if f"watermark_{ours}" in changed}
        shaped["watermarking_config"] = WatermarkingConfig(**given)
    if "negative_prompt" in changed:
        shaped["negative_prompt_ids"] = torch.tensor([tokenizer(changed["negative_prompt"]).input_ids])
    if "early_stopping" in changed:
        shaped["early_stopping"] = {"true": True, "never": "never"}[changed["early_stopping"]]
    return shaped


@contextlib.contextmanager
def untouched() -> Any:
    """Fails when what runs inside draws from the process's own random numbers."""
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(before, torch.random.get_rng_state())
