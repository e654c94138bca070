"""vLLM and SGLang as they answer: events of a real vLLM 0.32, recorded, and what each is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from playground import generate
from playground.generators.remote import failures, kinds, local_vocabulary
from playground.generators.remote.adapter import EngineFacts, RowRequest
from playground.generators.remote.address import address_of
from playground.generators.remote.http_client import EngineClient
from playground.generators.remote.known_server import KnownServer
from playground.generators.remote.local_vocabulary import LocalVocabulary
from playground.generators.remote.vllm import VLLM, whole_scores
from playground.models import embedded
from playground.types import ModelCard, Refused

pytestmark = pytest.mark.model
CARD = ModelCard(
    id="m", title="m", revision="", parameters=0, dtype="", size=0, context=2048, has_chat_template=True
)  # fmt: skip
HOST = "127.0.0.1:1"


def event(text: str, ids: list[int], own: list[float], tops: list[dict[str, float]], reason: str | None) -> Any:
    """As vLLM 0.32 streams /v1/completions with return_tokens_as_token_ids and return_token_ids."""
    named = [f"token_id:{one}" for one in ids]
    figures = {"text_offset": [0] * len(ids), "token_logprobs": own, "tokens": named, "top_logprobs": tops}
    choice = {"index": 0, "text": text, "logprobs": figures, "finish_reason": reason, "stop_reason": None}
    return {"id": "cmpl-a", "object": "text_completion", "choices": [{**choice, "token_ids": ids}]}


RECORDED = [
    event(" sentence", [6330], [-3.5991], [{"token_id:6330": -3.5991, "token_id:1398": -3.7241}], None),
    event(" that", [338], [-1.5112], [{"token_id:338": -1.5112, "token_id:314": -1.8862}], None),
    event("", [2], [-22.6147], [{"token_id:2": -22.6147, "token_id:6330": -3.5991}], "stop"),
    {"id": "cmpl-a", "choices": [], "usage": {"prompt_tokens": 2, "total_tokens": 5, "completion_tokens": 3}},
]


class Client:
    """Stands where a connection would: answers by path, keeps what was asked."""

    host = HOST
    address = address_of(f"http://{HOST}")

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def get(self, path: str) -> Any:
        return self.post(path, None)

    def post(self, path: str, body: Any) -> Any:
        self.asked.append((path, body))
        if path not in self.answers:
            raise failures.refused(HOST, 404, "Not Found")
        found = self.answers[path]
        return found(body) if callable(found) else found


def client(answers: Mapping[str, Any] | None = None) -> EngineClient:
    return cast(EngineClient, Client(answers or {}))


@pytest.fixture(scope="module")
def folder() -> Path:
    return embedded.ensure(lambda *_: None)


@pytest.fixture(scope="module")
def vocabulary(folder: Path) -> LocalVocabulary:
    return LocalVocabulary(folder, "m", 2048)


@pytest.fixture(scope="module")
def vllm(vocabulary: LocalVocabulary) -> VLLM:
    return VLLM(client(), EngineFacts("vLLM", "vLLM", "0.32.0", CARD, model="m"), vocabulary, scores_all=True, top=9)


def row(adapter: Any, text: str = "Once", mode: Any = "complete", prefill: str = "", **more: Any) -> RowRequest:
    values = more.pop("values", {})
    made = generate.build(text, values, mode=mode, prefill=prefill)
    return RowRequest(made, adapter.render(made), seed=7, most=12, **more)


def test_recorded_events_become_tokens_with_their_candidates_and_an_end(vllm: VLLM) -> None:
    reader = vllm.reader(row(vllm, top=2))
    pieces = [piece for one in RECORDED for piece in reader.read(one)]
    assert [piece.token_id for piece in pieces] == [6330, 338, 2]
    assert pieces[0].logprob == pytest.approx(-3.5991) and [one.text for one in pieces[1].top] == [" that", " is"]
    assert pieces[2].finish == "end" and pieces[2].text == "", "the end of the text writes nothing"


def test_a_length_that_is_reached_and_a_failure_in_mid_stream_are_told_apart(vllm: VLLM) -> None:
    reader = vllm.reader(row(vllm, top=2))
    ended = reader.read(event(" is", [314], [-1.84], [{"token_id:314": -1.84}], "length"))
    assert [piece.finish for piece in ended] == [None, "length"]
    with pytest.raises(failures.EngineError, match="engine died"):
        reader.read({"error": {"message": "engine died", "code": 500}})
    for bad in ({"choices": [{"token_ids": [1, 2], "logprobs": {"token_logprobs": [0.0]}}]}, {"choices": [7]}):
        with pytest.raises(failures.EngineError):
            reader.read(bad)


def test_it_is_asked_with_ids_for_all_figures_and_for_nothing_of_the_models_own(vllm: VLLM) -> None:
    path, body = vllm.call(row(vllm, whole=True))
    assert path == "/v1/completions" and body["prompt"] == list(vllm.tokenizer.encode("Once"))
    assert body["logprobs"] == -1 and body["return_tokens_as_token_ids"] and body["stream"]
    assert body["top_k"] == 0 and body["min_p"] == 0.0 and body["seed"] == 7 and body["max_tokens"] == 12
    assert body["stop"] == [] and body["stop_token_ids"], "ends of a turn are named"
    assert vllm.call(row(vllm, values={"ignore_eos": True}))[1]["stop_token_ids"] == []


def test_a_form_hides_tokens_from_the_figures_so_they_are_not_taken_for_the_models(vllm: VLLM) -> None:
    asked = row(vllm, whole=True, values={"regex": "[0-9]+"})
    assert vllm.call(asked)[1]["logprobs"] == 0
    pieces = vllm.reader(asked).read(event("9", [41], [-2.7], [{"token_id:41": -2.7}], None))
    assert pieces[0].scores is None


def test_the_figures_of_all_tokens_are_log_probabilities_whatever_the_server_tells() -> None:
    told = {f"token_id:{number}": float(number) for number in range(6)}
    found = whole_scores(told, 5, HOST)
    assert found.shape == (5,) and float(found.exp().sum()) == pytest.approx(1), "a padded row is left out"
    hidden = whole_scores({"token_id:0": -0.0, "token_id:1": -9999.0, "token_id:2": -9999.0}, 3, HOST)
    assert hidden.tolist() == [0.0, -math.inf, -math.inf]
    assert bool(whole_scores({"token_id:0": None, "token_id:1": -1.0}, 2, HOST).isnan().any())
    for bad in ({}, {"a": 1.0}, {"token_id:0": "much"}):
        with pytest.raises(failures.EngineError):
            whole_scores(bad, 2, HOST)


def test_scores_of_one_step_are_read_from_the_answer(vllm: VLLM) -> None:
    path, body = vllm.score_call([5345, 253])
    assert (path, body["max_tokens"], body["stream"], body["logprobs"]) == ("/v1/completions", 1, False, -1)
    whole = {f"token_id:{number}": -1.0 for number in range(len(vllm.tokenizer))}
    answer = {"choices": [{"logprobs": {"top_logprobs": [whole]}}]}
    assert torch.allclose(vllm.scores(answer).exp().sum(), torch.tensor(1.0))
    with pytest.raises(failures.EngineError):
        vllm.scores({"choices": []})


def test_what_vllm_thought_of_a_prompt_is_told_in_one_answer(vllm: VLLM) -> None:
    ids = [5345, 253, 338]
    ((path, body),) = vllm.few_calls(ids, 10)
    assert path == "/v1/completions" and body["prompt_logprobs"] == 9 and body["max_tokens"] == 1 and not body["stream"]
    told = [
        None,
        {"253": {"logprob": -3.5, "rank": 40, "decoded_token": " a"}, "284": {"logprob": -0.5, "rank": 1}},
        {"338": {"logprob": -9999.0, "rank": 900}, "284": {"logprob": -0.1, "rank": 1}},
    ]
    first, second = vllm.few_figures({"choices": [{"prompt_logprobs": told}]}, ids, 1)
    assert (first.logprob, first.rank, [one.token_id for one in first.top]) == (-3.5, 40, [284, 253])
    assert second.logprob == -math.inf and second.rank == 900
    short: dict[str, Any] = {"choices": [{"prompt_logprobs": told[:2]}]}
    bare: dict[str, Any] = {"choices": [{"prompt_logprobs": [None, {}, {}]}]}
    wrong: list[dict[str, Any]] = [{}, short, bare]
    for bad in wrong:
        with pytest.raises(failures.EngineError):
            vllm.few_figures(bad, ids, 1)


MODELS = {"object": "list", "data": [{"id": "m", "owned_by": "vllm", "root": "", "max_model_len": 512}]}


def test_vllm_on_a_model_that_is_not_here_goes_text_by_text_and_may_begin_an_answer() -> None:
    answers: dict[str, Any] = {"/version": {"version": "0.32.0"}, "/v1/models": MODELS}
    adapter = kinds.vllm(client(answers), answers, None)
    assert isinstance(adapter, KnownServer) and adapter.tokenizer is None
    assert (adapter.facts.version, adapter.facts.card.context) == ("0.32.0", 512)
    path, body = adapter.call(row(adapter, "Hi", "chat", "Well,", top=10))
    assert path == "/v1/chat/completions" and body["messages"][-1] == {"role": "assistant", "content": "Well,"}
    assert body["continue_final_message"] and not body["add_generation_prompt"] and body["top_logprobs"] == 10
    assert body["min_p"] == 0.0 and "stop" not in body and body["max_tokens"] == 12


def test_vllm_on_a_model_that_is_here_gives_tokens_if_its_vocabulary_is_the_same(
    folder: Path, vocabulary: LocalVocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_vocabulary, "LocalVocabulary", lambda *_: vocabulary)  # loaded once is enough
    models = {"data": [{"id": "m", "owned_by": "vllm", "root": str(folder), "max_model_len": 512}]}

    def complete(body: Mapping[str, Any]) -> Any:
        return {"choices": [{"logprobs": {"top_logprobs": [{"token_id:1": -1.0}]}}]}

    def tokenize(body: Mapping[str, Any]) -> Any:
        return {"tokens": vocabulary.tokenizer.encode(body["prompt"], add_special_tokens=False)}

    answers: dict[str, Any] = {"/version": {"version": "1"}, "/v1/models": models}
    answers |= {"/v1/completions": complete, "/tokenize": tokenize}
    adapter = kinds.vllm(client(answers), answers, None)
    assert isinstance(adapter, VLLM) and adapter.scores_all
    other = answers | {"/tokenize": {"tokens": [1, 2, 3]}}
    assert isinstance(kinds.vllm(client(other), other, None), KnownServer)
    closed = {path: answer for path, answer in answers.items() if path != "/v1/completions"}
    bounded = kinds.vllm(client(closed), closed, None)
    assert isinstance(bounded, VLLM) and not bounded.scores_all, "it was not started with --max-logprobs -1"


@pytest.mark.parametrize("deterministic", [False, True])
def test_sglangs_seed_is_told_to_act_only_where_it_was_started_so(deterministic: bool) -> None:
    models = {"data": [{"id": "m", "owned_by": "sglang", "max_model_len": 512}]}
    answers: dict[str, Any] = {
        "/v1/models": models,
        "/server_info": {"version": "0.5.23", "enable_deterministic_inference": deterministic},
    }
    adapter = kinds.sglang(client(answers), answers, None)
    assert adapter is not None and adapter.facts.version == "0.5.23"
    assert ("seed" in adapter.parameters) == deterministic == ("seed" not in adapter.lacks)
    asked = row(adapter, values={"one_of": ["a", "b"], "top_k": 0})
    assert adapter.call(asked)[1]["regex"] == "a|b" and adapter.call(asked)[1]["top_k"] == -1
    with pytest.raises(Refused, match="answer only"):
        adapter.check(generate.build("a", {"repetition_penalty": 1.5}))


@pytest.mark.parametrize(
    "answers", [{}, {"/v1/models": {"data": [{"id": "m", "owned_by": "me"}]}}, {kinds.ROUTES: {"paths": {}}}]
)
def test_servers_of_others_are_left_to_those_who_know_them(answers: dict[str, Any]) -> None:
    for recognise in (kinds.vllm, kinds.sglang, kinds.transformers_serve):
        assert recognise(client(answers), answers, None) is None
