"""One contract, every generator: these tests run over all of them, and a new one is added to `PEERS`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from playground import generate, models, parameters
from playground.generators.checks import lacking
from playground.generators.local import LocalGenerator
from playground.generators.remote import opening
from playground.generators.remote.address import address_of
from playground.generators.remote.generator import RemoteGenerator
from playground.generators.remote.http_client import EngineClient
from playground.generators.remote.playground import RemotePlayground
from playground.generators.scripted import ScriptedGenerator
from playground.types import Generator, InvalidRequest, Refused, Step
from tests.reference import request

TEXTS = [
    "Morning light, in every cup.",
    "Wake up slowly. We are here already.",
    "Coffee 😀 for 中文 mornings and more of it.",
]

Asked = Callable[[str], Any]
"""Gives a fixture by its name."""


def openai_compatible(url: str) -> Generator:
    """A server of which nothing is known but that it speaks as OpenAI's does."""
    client = EngineClient(address_of(url))
    adapter = opening.openai_adapter(client, {"/v1/models": client.get("/v1/models")}, None)
    assert adapter is not None
    return RemoteGenerator(client, adapter)


def other_playground(url: str) -> Generator:
    found = opening.open_playground(url)
    assert found is not None
    return found


PEERS: dict[str, Callable[[Asked], Generator]] = {
    "local": lambda asked: LocalGenerator(asked("tiny")),
    "scripted": lambda _: ScriptedGenerator(TEXTS),
    "llama.cpp": lambda asked: opening.open_engine(asked("tiny_llama_cpp")),
    "llama.cpp, drawn here": lambda asked: opening.open_engine(asked("tiny_llama_cpp"), sample_here=True),
    "Playground": lambda asked: other_playground(asked("other_playground")),
    "OpenAI-compatible": lambda asked: openai_compatible(asked("tiny_llama_cpp")),
}
STARTED = {"vLLM": "PLAYGROUND_TEST_VLLM", "transformers serve": "PLAYGROUND_TEST_SERVE"}
"""Servers that `make test-engines` starts, by the variable with their address."""


def started(variable: str) -> Callable[[Asked], Generator]:
    """One text at a time: what vLLM writes side by side it reckons in another order, which may change a close draw."""

    def opened(_: Asked) -> Generator:
        engine = opening.open_engine(os.environ[variable])
        return RemoteGenerator(engine.client, engine.adapter, at_once=1)

    return opened


PEERS |= {kind: started(variable) for kind, variable in STARTED.items() if variable in os.environ}


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest, tiny: models.Loaded) -> Iterator[Generator]:
    found = PEERS[request.param](request.getfixturevalue)
    yield found
    if isinstance(found, RemoteGenerator | RemotePlayground):
        found.close()


def rows(steps: list[Step]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for step in steps:
        found.setdefault(step.row, []).append(step)
    return dict(sorted(found.items()))


def facts(steps: Iterable[Step]) -> dict[int, list[tuple[Any, ...]]]:
    """What a reader sees of each row."""
    return {
        row: [(step.position, step.token_id, step.text, step.finish) for step in some]
        for row, some in rows(list(steps)).items()
    }


def run(peer: Generator, prompt: str = "A slogan:", mode: Any = "complete", **values: Any) -> dict[int, list[Step]]:
    return rows(list(peer.stream(request(prompt, {"seed": 8, "max_new_tokens": 6, **values}, mode=mode))))


def text(steps: list[Step]) -> str:
    return "".join(step.text for step in steps)


def test_it_says_what_it_is_and_what_it_honours(peer: Generator) -> None:
    assert peer.name and peer.card.id and peer.card.title
    assert peer.parameters <= set(parameters.by_name())
    assert {"n", "seed", "stop", "max_new_tokens"} <= peer.parameters
    assert "exact" in peer.paths


def test_every_other_parameter_is_refused_by_name_with_a_reason(peer: Generator) -> None:
    lacked = lacking(peer)
    assert lacked.keys() == parameters.by_name().keys() - peer.parameters
    for name, reason in lacked.items():
        assert reason.en.endswith(".") and reason.zh.endswith("。"), name
    if "top_a" in lacked:
        with pytest.raises(Refused) as caught:
            generate.check_generator(request("A", {"top_a": 0.5}), peer)
        assert caught.value.parameter == "top_a" and lacked["top_a"].en in caught.value.say("en")


@pytest.mark.parametrize("mode", ["chat", "complete"])
def test_every_row_ends_once_and_counts_its_tokens(peer: Generator, mode: str) -> None:
    found = run(peer, mode=mode, n=3)
    assert sorted(found) == [0, 1, 2]
    for steps in found.values():
        assert [step.position for step in steps] == list(range(len(steps)))
        assert [step.finish is None for step in steps] == [True] * (len(steps) - 1) + [False]
        assert all((step.token_id is not None) == peer.knows_tokens for step in steps[:-1])


def test_a_seed_repeats_itself_and_another_differs(peer: Generator) -> None:
    assert text(run(peer)[0]) == text(run(peer)[0])
    assert text(run(peer)[0]) != text(run(peer, seed=9)[0])


def test_row_k_is_the_solo_run_of_seed_plus_k(peer: Generator) -> None:
    together = run(peer, n=3)
    for row, steps in together.items():
        assert text(steps) == text(run(peer, seed=8 + row)[0])


def test_max_new_tokens_is_a_limit(peer: Generator) -> None:
    steps = run(peer, max_new_tokens=3)[0]
    assert len(steps) == 3
    assert steps[-1].finish == "length"
    assert text(run(peer)[0]).startswith(text(steps))


def test_a_stop_string_is_trimmed(peer: Generator) -> None:
    whole = text(run(peer)[0])
    stop = whole[5:8]
    steps = run(peer, stop=[stop])[0]
    assert steps[-1].finish == "stop"
    assert text(steps) == whole[: whole.index(stop)]


def test_a_stream_can_be_closed_and_the_next_one_is_the_same(peer: Generator) -> None:
    before = text(run(peer)[0])
    stream: Any = peer.stream(request("A slogan:", {"seed": 8, "n": 2}))
    next(stream)
    stream.close()
    assert list(stream) == []
    assert text(run(peer)[0]) == before


def test_who_never_waits_gets_the_same_steps_on_each_path(peer: Generator) -> None:
    for path in peer.paths:
        asked = replace(request("A slogan:", {"seed": 8, "max_new_tokens": 6, "n": 2}), path=path)
        source = peer.open(asked, threading.Event())
        found: list[tuple[float, Step]] = []
        while not source.over:
            found += source.poll()
            time.sleep(0.002)
        waited = list(peer.stream(asked))
        assert facts(step for _, step in found) == facts(waited)
        moments = [moment for moment, _ in found]
        assert moments == sorted(moments)


def test_a_cancelled_request_is_over_within_one_step(peer: Generator) -> None:
    for path in peer.paths:
        cancelled = threading.Event()
        cancelled.set()
        source = peer.open(replace(request("A slogan:", {"seed": 8}), path=path), cancelled)
        count = 0
        while not source.over:
            count += len(source.poll())
            time.sleep(0.002)
        assert count <= 1 and source.poll() == []


def test_what_is_refused_is_refused_by_open_too(peer: Generator) -> None:
    with pytest.raises(InvalidRequest):
        peer.open(request("", {}), threading.Event())


def test_two_streams_in_turns_do_not_disturb_each_other(peer: Generator) -> None:
    asked = [request("A slogan:", {"seed": seed, "max_new_tokens": 5}) for seed in (8, 9)]
    pairs = list(zip(*(peer.stream(one) for one in asked), strict=False))
    for number, seed in enumerate((8, 9)):
        alone = text(run(peer, seed=seed, max_new_tokens=5)[0])
        assert alone.startswith("".join(pair[number].text for pair in pairs))


def test_the_rendered_prompt_ends_with_the_beginning_of_the_answer(peer: Generator) -> None:
    for mode in ("chat", "complete"):
        asked = request("Write:", {}, mode=mode, prefill="Once upon")
        if mode == "chat" and not peer.knows_tokens:  # OpenAI's API has no place for it
            with pytest.raises(Refused) as caught:
                peer.render(asked)
            assert caught.value.parameter == "prefill"
            continue
        rendered = peer.render(asked)
        assert rendered.text.endswith("Once upon")
        assert "Write:" in rendered.text
        assert (len(rendered.token_ids) > 0) == peer.knows_tokens
        assert len(rendered.token_ids) < rendered.context == peer.card.context


def test_an_empty_prompt_is_refused_but_a_beginning_of_the_answer_is_enough(peer: Generator) -> None:
    with pytest.raises(InvalidRequest) as caught:
        peer.stream(request("", {}))
    assert caught.value.parameter == "prompt"
    assert list(peer.stream(request("", {"max_new_tokens": 1}, prefill="Once")))


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(peer: Generator) -> None:
    asked = request("word " * 5000, {})
    used = len(peer.render(asked).token_ids)
    if peer.name == "transformers serve":
        pytest.skip("its server has no limit of its own, and the prompt fits its model")
    if not peer.knows_tokens:  # the engine counts, and its own words tell
        last = list(peer.stream(asked))[-1]
        assert last.finish == "error" and last.reason is not None and "context" in last.reason.en
        return
    with pytest.raises(Refused, match=rf"{used:,} tokens.*{peer.card.context:,}"):
        peer.stream(asked)


def test_a_full_context_ends_a_row(peer: Generator) -> None:
    if not peer.knows_tokens:
        pytest.skip("counts no tokens of a prompt, so it does not know when a context is full")
    words = 2
    while peer.card.context - len(peer.render(request("word " * (words + 2), {})).token_ids) > 1:
        words += 2
    # With a seed of its own: without one another Playground draws one anew for each run, and a few in 100,000 of these
    # random models' texts ends by itself before the context is full.
    asked = request("word " * words, {"max_new_tokens": 50, "seed": 8})
    room = peer.card.context - len(peer.render(asked).token_ids)
    steps = list(peer.stream(asked))
    assert len(steps) == room
    assert steps[-1].finish == "context"


def test_each_path_runs_or_is_refused_by_name(peer: Generator) -> None:
    for path in ("exact", "fast"):
        asked = replace(request("A", {"max_new_tokens": 2}), path=path)
        if path in peer.paths:
            assert list(peer.stream(asked))[-1].finish is not None
        else:
            with pytest.raises(Refused, match=path) as caught:
                peer.stream(asked)
            assert caught.value.parameter == "path"


def test_a_system_prompt_without_chat_is_refused(peer: Generator) -> None:
    with pytest.raises(Refused, match="chat"):
        peer.render(request("A", {}, system="Be brief."))
    assert "Be brief." in peer.render(request("A", {}, system="Be brief.", mode="chat")).text


def test_the_one_way_in_gathers_it(peer: Generator) -> None:
    asked = generate.build("A slogan:", {"seed": 8, "n": 2, "max_new_tokens": 4})
    last = list(generate.run(asked, peer))[-1]
    assert last.finished and last.error is None
    assert [candidate.seed for candidate in last.candidates] == [8, 9]
    assert [candidate.text for candidate in last.candidates] == [
        text(steps) for steps in run(peer, n=2, max_new_tokens=4).values()
    ]


def test_a_model_without_a_template_refuses_chat_with_the_reason(tiny: models.Loaded) -> None:
    bare = LocalGenerator(replace(tiny, card=replace(tiny.card, has_chat_template=False, title="Plain")))
    with pytest.raises(Refused, match="Plain has no chat template") as caught:
        bare.stream(request("A", {}, mode="chat"))
    assert caught.value.parameter == "mode"


def test_a_negative_prompt_longer_than_the_context_is_refused(tiny: models.Loaded) -> None:
    values = {"guidance_scale": 1.5, "negative_prompt": "word " * 600}
    with pytest.raises(Refused, match="negative prompt has") as caught:
        LocalGenerator(tiny).stream(request("A", values))
    assert caught.value.parameter == "negative_prompt"


def test_a_script_without_end_of_its_own_ends_with_end() -> None:
    steps = run(ScriptedGenerator(["Short."]), max_new_tokens=50)[0]
    assert (text(steps), steps[-1].finish, steps[-1].token_id) == ("Short.", "end", None)
