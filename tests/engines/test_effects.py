"""Every knob that an engine is said to honour is turned to both ends there, and must change what is drawn.

`make test-engines` runs this on real servers; vLLM's address comes from the script that starts it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import pytest

from playground import generate, parameters
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.opening import open_engine
from playground.parameters import engines
from playground.types import Refused
from tests.engines import report
from tests.engines.effects import AGAIN, PROBES, Effects
from tests.engines.servers import playground_server, transformers_serve
from tests.llama_cpp_server import llama_cpp_server

pytestmark = [pytest.mark.engines, pytest.mark.model, pytest.mark.timeout(1200)]
VLLM_URL = "PLAYGROUND_TEST_VLLM"


@contextmanager
def vllm() -> Iterator[str]:
    url = os.environ.get(VLLM_URL)
    if url is None:
        pytest.skip(f"{VLLM_URL} names no server: tests/engines/vllm.sh starts one")
    yield url


SERVERS: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "llama.cpp": llama_cpp_server,
    "transformers serve": transformers_serve,
    "vLLM": vllm,
    "OpenAI": playground_server,  # nothing is asked of it but what any server with OpenAI's API has
}


@pytest.fixture(scope="module", params=SERVERS)
def effects(request: pytest.FixtureRequest) -> Iterator[Effects]:
    """One engine, asked for one text at a time: several at once may be reckoned in another order."""
    with SERVERS[request.param]() as url, closing(open_engine(url)) as opened:
        assert opened.facts.kind == request.param
        yield Effects(RemoteGenerator(opened.client, opened.adapter, at_once=1))


def test_the_same_request_is_answered_in_the_same_way(effects: Effects) -> None:
    assert effects.is_steady()


def test_every_honoured_knob_acts_at_both_ends(effects: Effects) -> None:
    remote = effects.generator
    assert isinstance(remote, RemoteGenerator)
    assert remote.parameters == engines.honoured(remote.facts.kind) and remote.parameters <= PROBES.keys()
    seen = {
        name: [effects.acts(name, at) for at in probe.ends]
        for name, probe in PROBES.items()
        if name in remote.parameters
    }
    version = {"OpenAI": "unknown (a Playground, asked as any server)"}.get(remote.facts.kind, remote.facts.version)
    report.keep(remote.facts.kind, version, seen)
    assert [name for name, both in seen.items() if not all(both)] == []


def test_every_other_knob_is_refused_by_name_with_the_reason(effects: Effects) -> None:
    remote = effects.generator
    assert isinstance(remote, RemoteGenerator)
    alone = {name for name, one in parameters.by_name().items() if one.needs is None} - {"portable_noise"}
    for name in engines.refusals(remote.facts.kind).keys() & alone:
        with pytest.raises(Refused) as caught:
            list(remote.stream(generate.build(AGAIN, {"top_p": 0.5, name: _away(name)})))
        assert caught.value.parameter == name and caught.value.message == engines.lacks(remote.facts.kind, name)


def test_a_knob_that_is_dropped_on_the_way_is_found(effects: Effects, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = effects.generator
    assert isinstance(remote, RemoteGenerator)
    whole = engines.body

    def without(engine: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return whole(engine, {**values, "top_p": 1.0})

    monkeypatch.setattr(engines, "body", without)
    assert not effects.acts("top_p", PROBES["top_p"].high)
    assert effects.acts("temperature", PROBES["temperature"].low)


def _away(name: str) -> Any:
    """A value that differs from neutral and is allowed."""
    special: dict[str, Any] = {
        "banned_phrases": ["mat"], "logit_bias": {" mat": 3}, "bad_words_ids": [[5]], "suppress_tokens": [5],
        "begin_suppress_tokens": [5], "negative_prompt": "dogs", "order": "llama.cpp", "json_schema": "{}",
        "regex": "a", "one_of": ["a"], "grammar": 'start: "a"', "dry_breakers": ["a"], "early_stopping": "true",
        "repetition_penalty_scope": "output", "watermark_seeding": "selfhash", "exponential_decay_start": 3,
    }  # fmt: skip
    one = parameters.by_name()[name]
    if name in special:
        return special[name]
    if one.kind == "bool":
        return True
    return one.high if one.high != one.neutral else one.low
