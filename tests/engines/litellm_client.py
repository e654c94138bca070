"""What litellm's users do, against the server of PLAYGROUND_URL; ends with an AssertionError where it does not work.

Runs in litellm's own environment, so it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import litellm  # type: ignore[import-not-found]

SAID = [{"role": "user", "content": "Name one river."}]
PLACE: dict[str, Any] = {
    "model": "openai/default",
    "api_base": os.environ["PLAYGROUND_URL"],
    "api_key": os.environ["PLAYGROUND_KEY"],
    "num_retries": 0,
}


def whole_and_streamed() -> str:
    """A chat, whole and streamed, with usage: the same seed writes the same text on the exact path."""
    asked: dict[str, Any] = {**PLACE, "messages": SAID, "seed": 7, "max_tokens": 12, "extra_body": {"path": "exact"}}
    whole = litellm.completion(**asked)
    text = whole.choices[0].message.content
    assert text and whole.usage.completion_tokens <= 12
    chunks = list(litellm.completion(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == text
    return str(text)


def figures() -> None:
    """Log-probabilities, several answers, a stop string, parameters of ours beside OpenAI's."""
    found = litellm.completion(
        **PLACE,
        messages=SAID,
        n=2,
        max_tokens=3,
        logprobs=True,
        top_logprobs=2,
        extra_body={"min_p": 0.05, "top_k": 20},
    )
    assert len(found.choices) == 2
    assert all(len(one.top_logprobs) == 2 for one in found.choices[0].logprobs.content)


def form() -> None:
    schema = {"type": "object", "properties": {"river": {"type": "string", "maxLength": 12}}, "required": ["river"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "river", "schema": schema}}
    found = litellm.completion(**PLACE, messages=SAID, max_tokens=80, temperature=0, response_format=wanted)
    assert "river" in json.loads(found.choices[0].message.content)


def refusals() -> None:
    """Each in litellm's own kind of error."""
    for more, kind in (
        ({"extra_body": {"top_q": 1}}, litellm.BadRequestError),
        ({"model": "openai/gpt-4o"}, litellm.NotFoundError),
        ({"api_key": "sk-wrong-0123456789"}, litellm.AuthenticationError),
    ):
        try:
            litellm.completion(**{**PLACE, "messages": SAID, "max_tokens": 2, **more})
        except kind:
            continue
        raise AssertionError(f"{more} was not refused as {kind.__name__}")


async def at_once() -> None:
    texts = await asyncio.gather(
        *(litellm.acompletion(**PLACE, messages=SAID, max_tokens=4, seed=seed) for seed in range(4))
    )
    assert all(one.choices[0].message.content for one in texts)


def plain() -> None:
    place = {**PLACE, "model": "text-completion-openai/default"}
    assert litellm.text_completion(**place, prompt="The river", max_tokens=4).choices[0].text


if __name__ == "__main__":
    print("chat, whole and streamed:", repr(whole_and_streamed()))
    for step in (figures, form, refusals, plain):
        step()
        print(step.__name__, "ok")
    asyncio.run(at_once())
    print("at_once ok")
