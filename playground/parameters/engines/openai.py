"""What every server with OpenAI's API can be expected to take: for engines that say nothing more of themselves."""

from playground.parameters.engines.field import OMIT, Engine, Field, response_format
from playground.types import Text

OPENAI = Engine(
    name="OpenAI",
    title=Text("OpenAI's API", "OpenAI 的 API"),
    fields={
        "temperature": Field(name="temperature", high=2.0),
        "top_p": Field(name="top_p", low=0.0, above_low=True),
        "presence_penalty": Field(name="presence_penalty", low=-2.0, high=2.0),
        "frequency_penalty": Field(name="frequency_penalty", low=-2.0, high=2.0),
        "logit_bias_ids": Field(name="logit_bias", write=lambda value, _: dict(value)),
        "json_schema": Field(name="response_format", write=response_format),
        "max_new_tokens": Field(name="max_tokens"),
        "stop": Field(name="stop"),
        "seed": Field(name="seed", write=lambda value, _: OMIT if value < 0 else value),
    },
    reasons={
        "order": Text("OpenAI's API has no field for an order.", "OpenAI 的 API 没有顺序字段。"),
        "top_k": Text(
            "OpenAI's API has no top_k, and a server that is not known may ignore it.",
            "OpenAI 的 API 没有 top_k，未知的服务器可能会忽略它。",
        ),
    },
)
