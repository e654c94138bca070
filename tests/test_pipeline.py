"""The pipeline: which stages there are, in which order, built with what, and what stays when nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from playground import models, parameters
from playground.generators.checks import check_ids
from playground.parameters.record import Parameter
from playground.sampling import cutoffs
from playground.sampling.candidates import Candidates
from playground.sampling.pipeline import Context, SamplerPipeline, usable
from playground.sampling.sampler import ProcessorSampler
from playground.sampling.trace import Trace
from playground.types import InvalidRequest, Text

VOCAB = 49152
PROMPT = torch.tensor([[1, 40, 50, 60]])


@pytest.fixture
def context(tiny: models.Loaded) -> Context:
    return Context(torch.device("cpu"), [2], PROMPT, tiny.tokenizer, VOCAB, 1)


def values(**given: Any) -> dict[str, Any]:
    return parameters.validate(given)


def names(pipeline: SamplerPipeline) -> list[str]:
    return [stage for stage, _ in pipeline.stages]


def scores(seed: int = 0) -> Tensor:
    return torch.randn((1, VOCAB), generator=torch.Generator().manual_seed(seed)) * 4


def left(pipeline: SamplerPipeline, before: Tensor) -> Tensor:
    return pipeline.apply(Candidates(before, [PROMPT[0]]))


def made_up(name: str = "halving", **fields: Any) -> Parameter:
    """A parameter that nobody has heard of, with a stage of its own between temperature and the cut-offs."""
    record = parameters.by_name()["temperature"]
    own: dict[str, Any] = {"name": name, "label": Text(name, name), "stage": name, "sampler": "MadeUp"}
    own.update(order={"transformers": 505, "llama.cpp": 505}, argument="strength", neutral=0.0, default=0.0)
    return replace(record, hard_low=0.0, **{**own, **fields})


def test_neutral_settings_make_an_empty_chain(context: Context) -> None:
    assert SamplerPipeline.build(values(), context).stages == []
    before = scores()
    assert torch.equal(left(SamplerPipeline([]), before), before)


def test_a_dependent_parameter_does_not_wake_its_stage(context: Context) -> None:
    assert names(SamplerPipeline.build(values(xtc_threshold=0.3, dry_base=3.0, mirostat_eta=0.5), context)) == []
    assert names(SamplerPipeline.build(values(xtc_probability=0.5, xtc_threshold=0.3), context)) == ["xtc"]


def test_named_orders_and_own_lists_order_the_stages(context: Context) -> None:
    given = {"temperature": 0.7, "min_p": 0.05, "top_k": 40, "repetition_penalty": 1.1}
    plain = SamplerPipeline.build(values(**given), context)
    assert names(plain) == ["repetition_penalty", "temperature", "top_k", "min_p"]
    llama = SamplerPipeline.build(values(**given, order="llama.cpp"), context)
    assert names(llama) == ["repetition_penalty", "top_k", "min_p", "temperature"]
    own = SamplerPipeline.build(values(**given, order="temperature,repetition_penalty"), context)
    assert names(own) == ["top_k", "min_p", "temperature", "repetition_penalty"]


def test_the_order_decides_what_is_kept(context: Context) -> None:
    given = {"temperature": 3.0, "min_p": 0.05}
    hot, cold = (
        int(left(SamplerPipeline.build(values(**given, order=order), context), scores()).isfinite().sum())
        for order in ("transformers", "llama.cpp")
    )
    assert hot > cold


def test_a_new_sampler_is_built_from_its_own_signature(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    class MadeUp:
        def __init__(self, strength: float, vocab_size: int, prompt_length: int, begin_index: int) -> None:
            self.given = (strength, vocab_size, prompt_length, begin_index)

        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            return scores / 2

    monkeypatch.setattr(cutoffs, "MadeUp", MadeUp, raising=False)
    monkeypatch.setattr(parameters, "REGISTRY", (*parameters.REGISTRY, made_up()))
    pipeline = SamplerPipeline.build(values(halving=1.5, temperature=0.5, top_k=5), context)
    assert names(pipeline) == ["temperature", "halving", "top_k"]
    sampler: Any = pipeline.samplers[1]
    assert sampler.processor.given == (1.5, VOCAB, 4, 4)


def test_a_value_that_transformers_refuses_is_refused_by_name(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        parameters, "REGISTRY", (*parameters.REGISTRY, made_up(sampler="TopP", argument="top_p"))
    )
    with pytest.raises(InvalidRequest, match="halving") as caught:
        SamplerPipeline.build(values(halving=1.5), context)
    assert caught.value.parameter == "halving"


def test_the_best_token_of_the_last_stage_that_left_one_stays() -> None:
    def half(_: Tensor, before: Tensor) -> Tensor:
        return before.masked_fill(torch.arange(VOCAB) < VOCAB // 2, -torch.inf)

    def nothing(_: Tensor, before: Tensor) -> Tensor:
        return torch.full_like(before, -torch.inf)

    def broken(_: Tensor, before: Tensor) -> Tensor:
        return before * torch.nan

    for last in (nothing, broken):
        pipeline = SamplerPipeline([("half", ProcessorSampler(half)), ("last", ProcessorSampler(last))])
        assert not usable(left(pipeline, scores()))
        kept = pipeline.last_resort(Candidates(scores(), [PROMPT[0]]))
        assert int(kept.isfinite().sum()) == 1
        assert int(kept.argmax()) == int(half(PROMPT, scores()).argmax())


def test_scores_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(FloatingPointError):
        SamplerPipeline([]).last_resort(Candidates(torch.full((1, 8), torch.nan)))


def test_a_stateful_sampler_can_be_set_back(context: Context) -> None:
    pipeline = SamplerPipeline.build(values(mirostat_tau=3.0), context)

    def kept(seed: int) -> int:
        return int(left(pipeline, scores(seed)).isfinite().sum())

    start = pipeline.snapshot()
    first = [kept(0)]
    for seed in (1, 2):
        pipeline.chosen(int(scores(seed - 1).argmax()))
        first.append(kept(seed))
    pipeline.restore(start)
    again = [kept(0)]
    for seed in (1, 2):
        pipeline.chosen(int(scores(seed - 1).argmax()))
        again.append(kept(seed))
    assert first == again
    assert len(set(first)) > 1


def test_guidance_stands_where_the_order_puts_it(context: Context) -> None:
    assert names(SamplerPipeline.build(values(guidance_scale=1.5, top_k=5), context)) == ["guidance", "top_k"]
    late = values(guidance_scale=1.5, top_k=5, order="top_k,guidance")
    assert names(SamplerPipeline.build(late, context)) == ["top_k", "guidance"]


FORMS = {"json_schema": '{"type": "object"}', "grammar": 'start: "the" | "a b"'}


def ends(record: Parameter) -> list[Any]:
    """The values at both ends of slider and hard range, or one of each sort where there is no range."""
    match record.kind:
        case "float" | "int":
            found = [record.low, record.high, record.hard_high]
            found += [] if record.above_low else [record.hard_low]
            found += [record.hard_low * 1.001 + 1e-6] if record.above_low and record.hard_low is not None else []
            return [record.accept(value) for value in dict.fromkeys(found) if value is not None]
        case "bool":
            return [not record.neutral]
        case "choice":
            return list(record.choices)
        case "bias":
            return [{"the": 100.0, " a b": -100.0, "😀": 1.0}]
        case "id_bias":
            return [{"0": 100.0, str(VOCAB - 1): -100.0, "7": 1.0}]
        case "ids":
            return [[0, VOCAB - 1], list(range(3, 500))]
        case "id_lists":
            return [[[0], [VOCAB - 1, 5]]]
        case "texts":
            return [["the", "\n", "😀"]]
        case "text":
            return [FORMS.get(record.name, "Something sad.")]
        case _:
            return ["llama.cpp", "temperature,top_k"]


def awake(record: Parameter) -> Mapping[str, Any]:
    """What has to be on for this parameter to matter: its master, at the end of its slider."""
    if record.needs is None:
        return {}
    master = parameters.by_name()[record.needs]
    return {master.name: ends(master)[0 if master.kind == "bool" else 1]}


@pytest.mark.parametrize("name", [record.name for record in parameters.REGISTRY if record.sampler])
def test_no_sampler_changes_the_scores_it_is_given(context: Context, name: str) -> None:
    record = parameters.by_name()[name]
    for value in ends(record):
        pipeline = SamplerPipeline.build(values(**{**awake(record), name: value}), context)
        before = scores()
        pipeline.apply(Candidates(before, [PROMPT[0]], unconditional=scores(1)))
        assert torch.equal(before, scores())


def test_a_token_outside_the_vocabulary_is_refused_with_the_range() -> None:
    for name, value in (("suppress_tokens", [5, VOCAB]), ("bad_words_ids", [[4], [VOCAB]])):
        with pytest.raises(InvalidRequest, match=f"{name}.*{VOCAB - 1}") as caught:
            check_ids(values(**{name: value}), VOCAB)
        assert caught.value.parameter == name


def test_the_trace_tells_what_each_stage_left(context: Context) -> None:
    trace = Trace()
    pipeline = SamplerPipeline.build(values(temperature=0.5, top_k=5, top_p=0.9), context)
    pipeline.apply(Candidates(scores(), [PROMPT[0]]), trace)
    first, second, third = trace.views()
    assert [view.stage for view in (first, second, third)] == ["temperature", "top_k", "top_p"]
    assert (first.alive_before, first.alive_after, second.alive_after) == (VOCAB, VOCAB, 5)
    assert third.alive_before == 5 > third.alive_after >= 1
    assert first.entropy_before > first.entropy_after > second.entropy_after > third.entropy_after
    expected = torch.distributions.Categorical(logits=scores()).entropy()
    assert first.entropy_before == pytest.approx(float(expected), rel=1e-4)
    assert trace.views() == ()
