"""What only a card can show: recorded steps, luck and parity on CUDA, and that nothing waits between two tokens."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground import generate, models, parameters
from playground.decoding.row import Row, Setting, advance, effect
from playground.fast.graphs import AFTER
from playground.fast.layer_compilers import InProcess
from playground.fast.net import Net
from playground.fast.slots import Slots
from playground.generators.local import LocalGenerator
from playground.rendering.detokenize import Labels
from playground.sampling.step import _read, figures
from playground.sampling.transfer import fetched, sent
from tests.reference import OFF, request, written
from tests.sampling import likely_rows
from tests.test_fast_net import FAMILIES, furthest, model_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]
CARD = torch.device("cuda")
PROMPT = "Once upon a time in the west"
NATIVE: list[dict[str, Any]] = [
    {},
    {"temperature": 0.7, "top_p": 0.9},
    {"temperature": 1.3, "top_k": 40, "min_p": 0.05},
    {"repetition_penalty": 1.2, "typical_p": 0.9},
    {"temperature": 0.0, "repetition_penalty": 1.1},
]
MIXED = (*NATIVE, {"frequency_penalty": 0.5}, {"suppress_tokens": [5, 6]}, {"min_new_tokens": 5, "top_p": 0.5})


@pytest.fixture(scope="module")
def there(tiny: models.Loaded) -> models.Loaded:
    """The tiny model on the card."""
    return replace(tiny, model=copy.deepcopy(tiny.model).to(CARD))


def setting_of(tiny: models.Loaded, values: dict[str, Any], device: torch.device = CARD) -> Setting:
    effective, greedy = effect(parameters.validate({"max_new_tokens": 24, **values}), has_eos=True)
    ids = torch.tensor([tiny.tokenizer(PROMPT).input_ids], device=device)
    labels = Labels(tiny.tokenizer)
    return Setting(effective, greedy, ids, tiny.tokenizer, labels, [2], 49152, 512, False, lambda: False)


@contextmanager
def no_waiting() -> Iterator[None]:
    """Fails where the CPU waits for the card."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_every_family_s_recorded_step_gives_what_its_step_gives(family: str) -> None:
    net = Net(model_of(family).to(CARD), compiles=False)
    slots, others = Slots(net.shape), Slots(net.shape)
    slots.fit(3, 128)
    others.fit(3, 128)
    assert net._graphs is not None
    for at in range(AFTER + 6):
        tokens, positions = torch.randint(3, 99, (3,), device=CARD), torch.full((3,), at, device=CARD)
        want = net._stepped(others, tokens, positions, False)
        assert torch.allclose(net.step(slots, tokens, positions), want, atol=1e-5)
    assert net._graphs.recorded == 1


def test_a_compiled_step_is_recorded_too() -> None:
    model = model_of("llama").to(CARD)
    net = Net(model)
    assert isinstance(net.compiler, InProcess) and net._graphs is not None
    net.compiler._compile((3, 128))
    assert net.compiler.ready((3, 128))
    with torch.device(CARD):
        assert furthest(model, net, steps=AFTER + 6) < 1e-4
    assert net._graphs.recorded


@pytest.mark.parametrize("values", NATIVE)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_row_alone_in_fp32_writes_what_generate_does(there: models.Loaded, values: dict[str, Any], seed: int) -> None:
    asked = request(PROMPT, {"max_new_tokens": 24, "seed": seed, **values}, mode="complete")
    ids = torch.tensor([there.tokenizer(PROMPT).input_ids], device=CARD)
    told: dict[str, Any] = {**OFF, **values, "max_new_tokens": 24, "do_sample": values.get("temperature") != 0}
    if not told["do_sample"]:
        del told["temperature"]
    with torch.random.fork_rng(devices=[0]):
        torch.manual_seed(seed)
        out = there.model.generate(ids, attention_mask=torch.ones_like(ids), **told)
    assert written(LocalGenerator(there), asked) == [out[0, ids.shape[1] :].tolist()]


def test_rows_together_pick_what_each_one_s_own_samplers_pick(tiny: models.Loaded) -> None:
    several = [setting_of(tiny, values) for values in MIXED]
    rows, alone = ([Row(at, at, one, by_reference=on) for at, one in enumerate(several)] for on in (False, True))
    for step in range(12):
        scores = likely_rows(len(rows), seed=step).to(CARD)
        for ours, one in zip(advance(rows, scores), alone, strict=True):
            theirs = one.advance(scores[one.index : one.index + 1])
            assert (ours.token_id, ours.rank) == (theirs.token_id, theirs.rank)
            assert ours.chosen_prob == pytest.approx(theirs.chosen_prob, abs=3e-5)


@torch.inference_mode()
def test_nothing_waits_for_the_card_between_a_step_and_its_picks(there: models.Loaded) -> None:
    rows = [Row(at, at, setting_of(there, MIXED[at % len(MIXED)])) for at in range(32)]
    net, count = Net(there.model, compiles=False), 32
    slots = Slots(net.shape)
    slots.fit(count, 128)

    def step(at: int) -> Any:
        given = sent([[5] * count, [at] * count], CARD)
        scores = net.step(slots, given[0], given[1])
        return figures(rows, list(range(count)), scores)

    for at in range(AFTER + 2):
        launched = step(at)  # what is set up once may wait
    with no_waiting():
        launched = step(AFTER + 2)
    assert len(_read(rows, launched)) == count


def test_what_is_kept_comes_back_whole() -> None:
    scores = torch.randn(3, 99).bfloat16()
    assert torch.equal(fetched(scores.float().to(CARD), torch.bfloat16), scores)


def test_portable_luck_writes_on_a_card_what_it_writes_on_a_cpu(tiny: models.Loaded, there: models.Loaded) -> None:
    asked = request(PROMPT, {"max_new_tokens": 24, "seed": 9, "portable_luck": True, "n": 3}, mode="complete")
    assert written(LocalGenerator(there), asked) == written(LocalGenerator(tiny), asked)


def test_the_fast_path_runs_on_a_card(there: models.Loaded) -> None:
    values = {"max_new_tokens": 24, "seed": 4, "n": 4, "temperature": 0.8}
    run = list(generate.run(generate.build(PROMPT, values, path="fast"), LocalGenerator(there)))[-1]
    assert [one.finish_reason in ("end", "length") and len(one.token_ids) > 0 for one in run.candidates] == [True] * 4
