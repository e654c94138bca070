"""One stream and many rows on a GPU, beside `model.generate()` and transformers' continuous batching:
`python -m benchmarks.gpu`.

Random weights in the shape of Llama 3 8B, in bf16: speed does not ask what weights say. The floor of a stream is the
time that a copy kernel of the same run needs to read the weights once. The last line is one JSON document. `--tiny`
does the same with a model of two layers, on a CPU too, so that this cannot rot; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from transformers import ContinuousBatchingConfig, GenerationConfig, LlamaConfig, LlamaForCausalLM

from playground import parameters
from playground.decoding.row import Row, Setting, effect
from playground.decoding.turns import Turns
from playground.fast.engine import Engine
from playground.fast.job import Job
from playground.rendering.detokenize import Labels

GOAL = 0.8  # of the floor's tokens a second, for one stream
VALUES = {"temperature": 0.8, "top_p": 0.9}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: the model's shape, tokens a row, rows of the batch, rounds, and bytes of the copy."""

    shape: dict[str, int]
    dtype: torch.dtype
    tokens: int
    skipped: int
    rows: int
    rounds: int
    copied: int


LARGE = Plan(
    {
        "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "intermediate_size": 14336, "vocab_size": 128_256, "max_position_embeddings": 8192,
    },
    torch.bfloat16, tokens=128, skipped=32, rows=32, rounds=5, copied=2**31,
)  # fmt: skip
TINY = Plan(
    {
        "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 64, "vocab_size": 999, "max_position_embeddings": 256,
    },
    torch.float32, tokens=6, skipped=2, rows=3, rounds=2, copied=2**20,
)  # fmt: skip
PROMPT = 32  # tokens


class Numbers:
    """A tokenizer for weights that say nothing: a token's text is its number."""

    all_special_ids: tuple[int, ...] = ()

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return "".join(f" {token}" for token in ids)

    def convert_ids_to_tokens(self, token: int) -> str:
        return str(token)


def model_of(plan: Plan, device: torch.device) -> Any:
    """Random weights, made where they stay; nothing ends a text."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(plan.dtype)
    try:
        with torch.device(device):
            model = LlamaForCausalLM(LlamaConfig(**plan.shape, tie_word_embeddings=False)).eval()
    finally:
        torch.set_default_dtype(before)
    model.generation_config = GenerationConfig(pad_token_id=0)
    return model


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """How long it takes until the device has done it."""
    _settled(device)
    began = time.perf_counter()
    work()
    _settled(device)
    return time.perf_counter() - began


def _settled(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def bandwidth(plan: Plan, device: torch.device) -> float:
    """Bytes a second that a copy kernel reads and writes, at its best."""
    source = torch.ones(plan.copied, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * plan.copied / min(seconds(lambda: target.copy_(source), device) for _ in range(10))


def read_bytes(model: Any) -> int:
    """What one token has to read: all weights but the table of embeddings, of which it reads one line."""
    whole = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    table = model.get_input_embeddings().weight
    return int(whole - table.numel() * table.element_size())


class Ours:
    """The fast path, asked as a request asks it. Rates leave out each row's first tokens, while steps are recorded."""

    def __init__(self, model: Any, plan: Plan, prompt: torch.Tensor) -> None:
        self._plan = plan
        self._engine = Engine(model, Turns(), weights="bf16", rows=plan.rows)
        values, greedy = effect(parameters.validate({**VALUES, "max_new_tokens": plan.tokens}), has_eos=False)
        numbers, size = Numbers(), plan.shape["vocab_size"]
        context = plan.shape["max_position_embeddings"]
        labels = Labels(numbers)
        self._setting = Setting(values, greedy, prompt, numbers, labels, [], size, context, False, lambda: False)

    def rate(self, rows: int) -> float:
        """Tokens a second of so many rows together."""
        job = Job(self._setting, [Row(at, at, self._setting) for at in range(rows)], None, None)
        began, skipped = 0.0, rows * self._plan.skipped
        for count, _ in enumerate(self._engine.running.stream(job), 1):
            if count == skipped:
                began = time.perf_counter()
        return (count - skipped) / (time.perf_counter() - began)

    def warm(self, rows: int) -> None:
        """Until the steps of this shape are compiled, and once more, for what is recorded then."""
        self.rate(rows)
        for thread in threading.enumerate():
            if thread.name == "compile":
                thread.join()
        self.rate(rows)


def generated(model: Any, plan: Plan, prompt: torch.Tensor, rows: int) -> float:
    """Tokens a second of `model.generate()`, its prompt included."""
    ids = prompt.expand(rows, -1)
    told = {**VALUES, "top_k": 0, "do_sample": True, "max_new_tokens": plan.tokens}
    took = seconds(lambda: model.generate(ids, attention_mask=torch.ones_like(ids), **told), prompt.device)
    return rows * plan.tokens / took


def batched(model: Any, plan: Plan, prompt: torch.Tensor, rows: int) -> float:
    """Tokens a second of transformers' continuous batching, its prompt included, its start not."""
    length = PROMPT + plan.tokens
    config = ContinuousBatchingConfig(page_size=32, num_blocks=(length // 32 + 2) * rows, max_batch_tokens=1024)
    told = GenerationConfig(
        **VALUES,
        top_k=plan.shape["vocab_size"] - 1,
        do_sample=True,
        max_new_tokens=plan.tokens,
        pad_token_id=0,
        eos_token_id=-1,  # none
    )
    running = model.continuous_batching_context_manager(generation_config=told, continuous_batching_config=config)
    with running as manager:
        for _ in range(2):  # the first time is its start
            began, left, tokens = time.perf_counter(), rows, 0
            for _ in range(rows):
                manager.add_request(prompt[0].tolist(), max_new_tokens=plan.tokens)
            while left:
                found = manager.get_result(timeout=1)
                if found is not None and found.is_finished():
                    if found.error:
                        raise RuntimeError(found.error)
                    left, tokens = left - 1, tokens + len(found.generated_tokens)
            took = time.perf_counter() - began
    return tokens / took


def spread(rates: Sequence[float]) -> dict[str, float] | None:
    if not rates:
        return None
    return {"median": statistics.median(rates), "low": min(rates), "high": max(rates)}


def measure(plan: Plan, device: torch.device) -> dict[str, Any]:
    """Every figure, the ways taking turns. A way that fails has none, and a note that says why."""
    model = model_of(plan, device)
    prompt = torch.randint(3, plan.shape["vocab_size"], (1, PROMPT), device=device)
    ours, notes = Ours(model, plan, prompt), {}
    ways: dict[str, Callable[[int], float]] = {
        "playground": ours.rate,
        "generate": lambda rows: generated(model, plan, prompt, rows),
        "continuous_batching": lambda rows: batched(model, plan, prompt, rows),
    }
    floor = read_bytes(model) / bandwidth(plan, device)
    found: dict[str, Any] = {"floor_ms": floor * 1000, "rows": plan.rows}
    for name, rows in (("one_stream", 1), ("batch", plan.rows)):
        rates: dict[str, list[float]] = {way: [] for way in ways}
        ours.warm(rows)
        for _ in range(plan.rounds):
            for way, rate in ways.items():
                if f"{name}.{way}" in notes:
                    continue
                try:
                    rates[way].append(rate(rows))
                except Exception as error:  # noqa: BLE001 - a figure that is missing says why, and the others count
                    notes[f"{name}.{way}"] = f"{type(error).__name__}: {error}".splitlines()[0]
        found[name] = {way: spread(some) for way, some in rates.items()}
    alone = found["one_stream"]["playground"]
    found["share_of_floor"] = None if alone is None else alone["median"] * floor
    return {**found, "notes": notes}


def table(found: dict[str, Any]) -> str:
    lines = [f"{'tokens/s':<30}{'median':>10}{'low':>10}{'high':>10}"]
    for name, rows in (("one_stream", 1), ("batch", found["rows"])):
        for way, one in found[name].items():
            figures = "not measured" if one is None else "".join(f"{figure:>10.1f}" for figure in one.values())
            lines.append(f"{f'{way}, rows: {rows}':<30}{figures}")
    if found["share_of_floor"] is not None:
        share, floor = found["share_of_floor"], found["floor_ms"]
        lines.append(f"one stream at {share:.0%} of the floor, {floor:.2f} ms a token (goal {GOAL:.0%})")
    return "\n".join([*lines, *(f"{name}: {note}" for name, note in found["notes"].items())])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a tiny model, on a CPU too")
    tiny = parser.parse_args(arguments).tiny
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    if card is None and not tiny:
        print("There is no GPU here, so there is nothing to measure.")
        print(json.dumps({"gpu": None}))
        return
    found = measure(TINY if tiny else LARGE, torch.device("cpu" if card is None else "cuda"))
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    print(f"{card or 'CPU'}, torch {torch.__version__}, transformers {transformers.__version__}")
    print(table(found))
    print(json.dumps({"gpu": card, "tiny": tiny, **versions, **found}))


if __name__ == "__main__":
    main()
