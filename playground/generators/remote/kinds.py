"""vLLM, SGLang and `transformers serve`, told apart by what they answer; each is asked what it was started with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground.generators.remote import failures, local_vocabulary, openai_server
from playground.generators.remote.adapter import Adapter, EngineFacts
from playground.generators.remote.http_client import EngineClient
from playground.generators.remote.known_server import KnownServer
from playground.generators.remote.served import Answers, among, chosen, records, served
from playground.generators.remote.vllm import ALL, KIND, VLLM
from playground.parameters.engines.sglang import SEED_NEEDS
from playground.types import ModelCard, Text

ROUTES = "/openapi.json"
_SERVE = "transformers serve"
_OWN_ROUTES = frozenset({"/load_model", "/reset", "/v1/systemone"})
"""Ways in that only `transformers serve` has; it says its name nowhere."""
_PINNED = re.compile(r"Server is pinned to '(.+?)'")
_NO_MODEL = Text("{host} serves any model, so it must be told which.", "{host} 可提供任意模型，需指明使用哪一个。")


def vllm(client: EngineClient, answers: Answers, model: str | None) -> Adapter | None:
    """With all figures and token ids where the model's vocabulary is on this machine, else with texts."""
    found = _owned(answers, "vllm")
    if found is None:
        return None
    name = chosen(client, answers, model)
    record = next(one for one in found if one["id"] == name)
    facts = _facts(KIND, str(answers.get("/version", {}).get("version", "unknown")), name, record)
    vocabulary = local_vocabulary.find(client, name, str(record.get("root") or ""), facts.card.context)
    if vocabulary is None:
        return KnownServer(KIND, client.host, facts)
    scores_all = _tells_all(client, name)
    return VLLM(client, facts, vocabulary, scores_all=scores_all, top=len(vocabulary) if scores_all else 20)


def sglang(client: EngineClient, answers: Answers, model: str | None) -> Adapter | None:
    """Its seeds act only where it was started to be deterministic."""
    found = _owned(answers, "sglang")
    if found is None:
        return None
    name = chosen(client, answers, model)
    record = next(one for one in found if one["id"] == name)
    try:
        told = client.get("/server_info")
    except failures.EngineRefusal:  # hidden by whoever runs it
        told = {}
    ignored = {} if told.get("enable_deterministic_inference") else {"seed": SEED_NEEDS}
    facts = _facts("SGLang", str(told.get("version", "unknown")), name, record)
    return KnownServer("SGLang", client.host, facts, ignored)


def transformers_serve(client: EngineClient, answers: Answers, model: str | None) -> Adapter | None:
    """The model that it was started with, else the one that is named. It writes one text at a time.

    Raises EngineError where neither names one.
    """
    routes = answers.get(ROUTES, {}).get("paths")
    if not isinstance(routes, Mapping) or not routes.keys() >= _OWN_ROUTES:
        return None
    pinned = _pinned(client)
    name = model or next(iter(served(answers)), "") if pinned is None else among(client, [pinned], model)
    if not name:
        raise failures.EngineError(_NO_MODEL.filled(host=client.host))
    return KnownServer(_SERVE, client.host, _facts(_SERVE, "unknown", name, {}, slots=1))


def _owned(answers: Answers, owner: str) -> list[Mapping[str, Any]] | None:
    """What /v1/models says, where it is this owner's."""
    found = records(answers)
    return found if found and all(one.get("owned_by") == owner for one in found) else None


def _facts(kind: str, version: str, name: str, record: Mapping[str, Any], slots: int | None = None) -> EngineFacts:
    window = record.get("max_model_len")
    title = name.replace("\\", "/").rstrip("/").rpartition("/")[2] or name
    card = ModelCard(
        id=name, title=title, revision="unknown", parameters=0, dtype="unknown", size=0,
        context=int(window or openai_server.UNKNOWN_CONTEXT), has_chat_template=True, limited=bool(window),
    )  # fmt: skip
    return EngineFacts(kind, kind, version, card, slots=slots, model=name)


def _tells_all(client: EngineClient, model: str) -> bool:
    """Whether vLLM gives figures of all tokens, from before its samplers: a temperature must not change them."""
    question = {"model": model, "prompt": "A", "max_tokens": 1, "seed": 1, "logprobs": ALL}
    try:
        warm, cold = (
            client.post("/v1/completions", {**question, "temperature": temperature})["choices"][0]["logprobs"]
            for temperature in (1.5, 0.5)
        )
    except (failures.EngineRefusal, KeyError, TypeError, IndexError):
        return False
    return bool(warm["top_logprobs"] == cold["top_logprobs"])


def _pinned(client: EngineClient) -> str | None:
    """The one model that it was started with: it says so to whoever asks for another."""
    try:
        client.post("/v1/completions", {"model": "another", "prompt": "A", "max_tokens": 1})
    except failures.EngineRefusal as error:
        found = _PINNED.search(error.message.en)
        return None if found is None else found[1]
    return None
