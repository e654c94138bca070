"""Promises of `/v1/*` that need a model: log-probabilities, forms, parameters, traces, kept runs."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from openai import OpenAI

from playground import parameters, wire_format
from playground.openai_api.model_list import model_list
from playground.types import ModelCard
from tests.ui.api_client import SAID, post, ready


@pytest.fixture(scope="module")
def tiny_client(tiny_site: str) -> Iterator[OpenAI]:
    with ready(tiny_site) as client:
        yield client


def test_log_probabilities_of_a_whole_vocabulary_sum_to_one(tiny_client: OpenAI) -> None:
    found = tiny_client.chat.completions.create(
        model="", messages=SAID, max_tokens=1, logprobs=True, top_logprobs=-1, temperature=0, seed=1
    )
    content = found.choices[0].logprobs.content  # type: ignore[union-attr]
    assert content
    for one in content:
        assert len(one.top_logprobs) == 49_152
        assert sum(math.exp(top.logprob) for top in one.top_logprobs) == pytest.approx(1, abs=1e-3)
        assert one.top_logprobs[0].logprob == one.logprob and one.top_logprobs[0].token == one.token
    data = b"".join(bytes(one.bytes or []) for one in content)
    assert data.decode("utf-8", "replace").startswith((found.choices[0].message.content or "")[:1])


def test_completions_have_their_own_shape_and_echo_the_prompt(tiny_client: OpenAI) -> None:
    found = tiny_client.completions.create(model="", prompt="The harbour", max_tokens=3, logprobs=2, echo=True, seed=5)
    told: Any = found.choices[0].logprobs
    assert found.choices[0].text.startswith("The harbour")
    assert told.token_logprobs[0] is None and all(one <= 0 for one in told.token_logprobs[1:])
    assert all(len(one) == 2 for one in told.top_logprobs[1:])
    assert told.text_offset[0] == 0 and told.text_offset == sorted(told.text_offset)
    assert "".join(told.tokens[: len(told.tokens) - 3]) == "The harbour"
    read = tiny_client.completions.create(model="", prompt="The harbour", max_tokens=0, logprobs=2, echo=True)
    own: Any = read.choices[0].logprobs
    assert own.token_logprobs == pytest.approx(told.token_logprobs[: len(own.tokens)], nan_ok=True, abs=1e-4) or (
        own.token_logprobs[1:] == pytest.approx(told.token_logprobs[1 : len(own.tokens)], abs=1e-4)
    )
    assert read.choices[0].text == "The harbour" and read.usage is not None and read.usage.completion_tokens == 0


def test_streamed_log_probabilities_equal_those_of_the_whole(tiny_client: OpenAI) -> None:
    asked: Any = {"model": "", "prompt": "One", "max_tokens": 8, "logprobs": 3, "seed": 3}
    asked["extra_body"] = {"path": "exact", "return_tokens_as_token_ids": True}
    whole: Any = tiny_client.completions.create(**asked).choices[0].logprobs
    pieces: Any = [one.choices[0].logprobs for one in tiny_client.completions.create(**asked, stream=True)]
    assert [token for one in pieces if one for token in one.tokens] == whole.tokens
    assert [value for one in pieces if one for value in one.token_logprobs] == whole.token_logprobs
    assert all(token.startswith("token_id:") for token in whole.tokens)


def test_every_parameter_is_a_field_and_acts(tiny_client: OpenAI) -> None:
    given = {
        one.name: list(one.default) if isinstance(one.default, tuple) else one.default for one in parameters.REGISTRY
    }
    del given["logit_bias_ids"]
    found = tiny_client.completions.create(model="", prompt="One", extra_body={**given, "max_new_tokens": 3, "seed": 1})
    assert found.usage is not None and found.usage.completion_tokens <= 3
    biased: Any = {"max_tokens": 4, "logit_bias": {"17": 100}, "temperature": 0, "logprobs": 0}
    only = tiny_client.completions.create(
        model="", prompt="One", **biased, extra_body={"return_tokens_as_token_ids": True}
    )
    assert only.choices[0].logprobs.tokens == ["token_id:17"] * 4


def test_response_formats_hold_the_text_to_json(tiny_client: OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"enum": [1, 2]}},
        "required": ["a"],
        "additionalProperties": False,
    }
    form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    found = tiny_client.chat.completions.create(model="", messages=SAID, response_format=form, max_tokens=60, seed=2)
    assert json.loads(found.choices[0].message.content or "")["a"] in (1, 2)


def test_phrases_that_are_stepped_back_from_are_never_sent(tiny_client: OpenAI) -> None:
    asked: Any = {"model": "", "prompt": "One", "max_tokens": 60, "seed": 4, "logprobs": 1}
    asked["extra_body"] = {"banned_phrases": ["e", "th"], "path": "exact"}
    whole = tiny_client.completions.create(**asked)
    chunks = list(tiny_client.completions.create(**asked, stream=True))
    assert "".join(one.choices[0].text for one in chunks) == whole.choices[0].text
    told: Any = whole.choices[0].logprobs
    assert len(told.tokens) == whole.usage.completion_tokens


def test_a_last_message_of_the_assistant_is_continued(tiny_client: OpenAI) -> None:
    said: Any = [*SAID, {"role": "assistant", "content": "The ferry"}]
    found = tiny_client.chat.completions.create(
        model="", messages=said, max_tokens=3, seed=1, extra_body={"continue_final_message": True}
    )
    assert found.usage is not None and found.usage.completion_tokens == 3


def test_several_prompts_are_answered_in_their_order(tiny_client: OpenAI) -> None:
    alone = [
        tiny_client.completions.create(model="", prompt=one, seed=9, max_tokens=4, extra_body={"path": "exact"})
        for one in ("One", "Two")
    ]
    both = tiny_client.completions.create(
        model="", prompt=["One", "Two"], seed=9, max_tokens=4, extra_body={"path": "exact"}
    )
    assert [one.text for one in both.choices] == [one.choices[0].text for one in alone]
    assert [one.index for one in both.choices] == [0, 1]


def test_a_trace_says_what_each_stage_did_and_a_kept_run_can_be_asked(
    tiny_client: OpenAI, tiny_site: str
) -> None:
    found = tiny_client.completions.create(
        model="",
        prompt="One",
        seed=3,
        max_tokens=5,
        top_p=0.9,
        extra_body={"playground": {"trace": True, "keep": True}},
    )
    own = found.choices[0].model_extra["playground"]  # type: ignore[index]
    assert [stage["stage"] for stage in own["steps"][0]["stages"]] == ["top_p"]
    question = {"version": wire_format.VERSION, "run_id": own["run"], "row": 0, "position": 2}
    status, answer, _ = post(tiny_site, "/v1/playground/stage_breakdown", question)
    assert status == 200 and answer["answer"]["stages"][0]["stage"] == "top_p"
    assert answer["answer"]["draw"]["token"]["token_id"] == own["steps"][2]["token_id"]


@pytest.mark.parametrize("stream", [False, True])
def test_log_probabilities_of_all_tokens_come_as_numbers_too(tiny_client: OpenAI, stream: bool) -> None:
    asked: Any = {"model": "", "prompt": "One", "seed": 3, "max_tokens": 3, "logprobs": -1, "stream": stream}
    asked["extra_body"] = {"playground": {"scores": True}, "return_tokens_as_token_ids": True, "path": "exact"}
    found = tiny_client.completions.create(**asked)
    choices: Any = [one.choices[0] for one in found] if stream else [found.choices[0]]
    told = [one for choice in choices if choice.logprobs for one in choice.logprobs.top_logprobs]
    scores = [one for choice in choices if "playground" in choice.model_extra for one in choice.playground["scores"]]
    assert len(scores) == len(told) == 3
    for numbers, named in zip(scores, told, strict=True):
        values = np.frombuffer(base64.b64decode(numbers), dtype="<f4")
        assert len(named) == len(values) == 49_152 and np.exp(values).sum() == pytest.approx(1, abs=1e-3)
        assert all(values[int(name.removeprefix("token_id:"))] == one for name, one in named.items())
        assert list(named.values()) == sorted(named.values(), reverse=True)


def test_log_probabilities_of_the_embedded_model_are_those_of_transformers(embedded_page: str, loaded: Any) -> None:
    import torch

    prompt = "The capital of France is"
    with ready(embedded_page) as client:
        found = client.completions.create(
            model="", prompt=prompt, max_tokens=3, temperature=0, logprobs=5, extra_body={"path": "exact"}
        )
    told: Any = found.choices[0].logprobs
    ids = loaded.tokenizer(prompt, return_tensors="pt").input_ids
    with torch.inference_mode():
        scores = torch.log_softmax(loaded.model(ids).logits[0, -1].float(), -1)
    best = scores.topk(5)
    texts = [loaded.tokenizer.decode([one]) for one in best.indices.tolist()]
    assert list(told.top_logprobs[0])[:3] == texts[:3] and told.tokens[0] == texts[0]
    values = list(told.top_logprobs[0].values())[:3]  # the page's weights are bf16
    assert values == pytest.approx(best.values.tolist()[:3], abs=0.1)


def test_a_model_of_a_folder_goes_by_its_title_and_tells_no_path() -> None:
    for path in ("/srv/models/slogans", "./slogans", "~/slogans", "models/of/slogans", "C:\\models\\slogans"):
        card = ModelCard(path, "slogans", "local folder", 1, "fp32", 4, 64, True, folder=path)
        listed = json.dumps(model_list([card]))
        assert path not in json.loads(listed)["data"][0].values() and '"id": "slogans"' in listed
    assert model_list([replace(card, id="ann/slogans")])["data"][0]["id"] == "ann/slogans"
