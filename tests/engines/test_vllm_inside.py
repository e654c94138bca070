"""Looking inside what vLLM writes and reading with it, on a real server; compared with the same model here.

`make test-engines` runs this; vLLM's address comes from the script that starts it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import torch

from playground import generate, models
from playground.decoding.run_store import RUN_STORE
from playground.generators.local import LocalGenerator
from playground.generators.remote.engine_reader import LONGEST_WHOLE
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.opening import open_engine
from playground.inspection import diagnose, inspect_api
from playground.run import Run
from tests.engines.test_effects import VLLM_URL
from tests.reference import request

pytestmark = [
    pytest.mark.engines,
    pytest.mark.model,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(VLLM_URL not in os.environ, reason=f"{VLLM_URL} names no server"),
]
NEAR = 0.35  # of two log-probabilities: vLLM reckons in bf16
SHORT = "The capital of France is Paris, and the capital of Japan is Tokyo."
LONG = "Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do. " * 4


@pytest.fixture(scope="module")
def engine() -> Iterator[RemoteGenerator]:
    with closing(open_engine(os.environ[VLLM_URL])) as found:
        yield found


@pytest.fixture(scope="module")
def here(loaded: models.Loaded) -> LocalGenerator:
    return LocalGenerator(loaded)


def kept(engine: RemoteGenerator, **values: object) -> Run:
    given = {"seed": 8, "max_new_tokens": 12, "top_k": 40, **values}
    asked = replace(request("The capital of France is", given), keep=inspect_api.new_run_id())
    run = list(generate.run(asked, engine))[-1]
    assert run.finished and run.error is None
    return run


def test_the_scores_of_a_text_are_those_of_the_same_model_here(engine: RemoteGenerator, loaded: models.Loaded) -> None:
    run = kept(engine)
    keep, tokens = run.request.keep, run.candidates[0].token_ids
    list(inspect_api.fetch(keep, 0))
    stored = RUN_STORE.get(keep)
    assert stored is not None and not inspect_api.missing(keep, 0)
    prompt = stored.setting.prompt[0].tolist()
    with torch.inference_mode():
        own = loaded.model(torch.tensor([[*prompt, *tokens]])).logits[0, len(prompt) - 1 : -1].float().log_softmax(-1)
    for place in range(len(tokens)):
        told = stored.rows[0].scores(place)[0][0]
        assert float(told.exp().sum()) == pytest.approx(1, abs=1e-2)
        likely = own[place] > -6
        assert float((told - own[place])[likely].abs().max()) < NEAR


def test_every_view_of_a_text_works(engine: RemoteGenerator) -> None:
    run = kept(engine, temperature=1.2)
    keep, values = run.request.keep, run.request.values
    found = inspect_api.stage_breakdown(keep, 0, 3)
    assert {"temperature", "top_k"} <= {stage.stage for stage in found.stages}
    list(inspect_api.fetch(keep, 0))
    assert "other random draws" in inspect_api.badges(keep, 0)["top_k"].en
    assert inspect_api.replay(keep, 0, {**values, "temperature": 0}) is not None
    assert isinstance(diagnose.examine(run, 0, keep), tuple)
    assert all(one.rank >= 1 and one.entropy_nats >= 0 for one in inspect_api.figures(keep, 0))
    following = inspect_api.next_token(engine, request("The capital of France is", {"seed": 1, "temperature": 0}))
    assert following.draw is not None and following.draw.token.text.strip() == "Paris"


@pytest.mark.parametrize("text", [SHORT, LONG], ids=["whole", "likeliest"])
def test_a_text_is_read_as_the_same_model_reads_it_here(
    engine: RemoteGenerator, here: LocalGenerator, text: str
) -> None:
    told, own = inspect_api.read(engine, "", text), inspect_api.read(here, "", text)
    assert [one.token.token_id for one in told.tokens] == [one.token.token_id for one in own.tokens]
    whole = len(own.tokens) <= LONGEST_WHOLE
    for one, same in zip(told.tokens[1:], own.tokens[1:], strict=True):
        assert one.logprob is not None and same.logprob is not None and one.rank
        if same.logprob > -6:
            assert one.logprob == pytest.approx(same.logprob, abs=NEAR)
        assert (one.entropy is not None) == whole and one.top[0][1] > 0
    assert told.perplexity == pytest.approx(own.perplexity, rel=0.1)
    assert (told.mean_entropy is not None) == whole
