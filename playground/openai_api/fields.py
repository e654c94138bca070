"""What each field of OpenAI's requests does here: it acts, it is taken and changes nothing, or it is refused by name.

The table of docs/api.md is drawn from these records, and what reads a request goes by them. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground import parameters

Endpoint = Literal["chat", "completions"]
State = Literal["acts", "taken", "refused"]
BOTH: tuple[Endpoint, ...] = ("chat", "completions")
CHAT: tuple[Endpoint, ...] = ("chat",)
COMPLETIONS: tuple[Endpoint, ...] = ("completions",)
BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"


@dataclass(frozen=True, slots=True)
class Field:
    """One field by name. `words` say what it does, or why it is refused; `harmless` are values of a refused one that
    ask for nothing, and so are taken."""

    name: str
    state: State
    words: str
    endpoints: tuple[Endpoint, ...] = BOTH
    harmless: tuple[object, ...] = (None,)
    ours: bool = False


FIELDS: tuple[Field, ...] = (
    Field(
        "model",
        "acts",
        "the id or title of any model that is loaded; empty or `default` is the current one; another one is a 404",
    ),
    Field(
        "messages",
        "acts",
        "system and developer messages first, then user and assistant in turns, as text or parts of text",
        CHAT,
    ),
    Field("prompt", "acts", "a text, or a list of texts that are answered one after the other", COMPLETIONS),
    Field("max_tokens", "acts", "`max_new_tokens`; 16 in completions and the server's limit in chats, if not given"),
    Field("max_completion_tokens", "acts", "the same", CHAT),
    Field("temperature", "acts", "as the parameter of this name"),
    Field("top_p", "acts", "as the parameter of this name"),
    Field("frequency_penalty", "acts", "as the parameter of this name"),
    Field("presence_penalty", "acts", "as the parameter of this name"),
    Field("n", "acts", "row k draws with `seed` + k"),
    Field("seed", "acts", "on the exact path the same seed writes the same text"),
    Field("stop", "acts", "a text or a list of them; a stop string is not part of the answer"),
    Field("logit_bias", "acts", "token ids, as in OpenAI's API, or texts, as the parameter of this name"),
    Field("stream", "acts", "server-sent events, `data: [DONE]` at the end"),
    Field("stream_options", "acts", "`include_usage` adds a last chunk with empty `choices`"),
    Field("logprobs", "acts", "the model's own, before every sampler", CHAT),
    Field(
        "top_logprobs",
        "acts",
        "up to `--limit-logprobs`, −1 for as many as that; a whole vocabulary where allowed",
        CHAT,
    ),
    Field("logprobs", "acts", "a number, up to `--limit-logprobs`, −1 for as many as that", COMPLETIONS),
    Field(
        "echo",
        "acts",
        "the prompt stands before the answer, its log-probabilities too; then `max_tokens` may be 0",
        COMPLETIONS,
    ),
    Field("response_format", "acts", "`text`, `json_object` or `json_schema`, kept at every token", CHAT),
    Field("response_format", "acts", "the same", COMPLETIONS, ours=True),
    Field("user", "taken", "changes nothing"),
    Field("safety_identifier", "taken", "changes nothing", CHAT),
    Field("prompt_cache_key", "taken", "changes nothing: a prompt that was read is found by itself", CHAT),
    Field("prompt_cache_options", "taken", "changes nothing", CHAT),
    Field("prompt_cache_retention", "taken", "changes nothing", CHAT),
    Field("metadata", "taken", "changes nothing, nothing is stored", CHAT),
    Field("service_tier", "taken", "changes nothing", CHAT),
    Field("store", "refused", "nothing is stored", CHAT, (None, False)),
    Field("best_of", "refused", "ask for `n` candidates and choose", COMPLETIONS),
    Field("suffix", "refused", "the models here write onwards only", COMPLETIONS, (None, "")),
    Field("tools", "refused", "no tools are called", CHAT, (None, [])),
    Field("tool_choice", "refused", "no tools are called", CHAT, (None, "none")),
    Field("parallel_tool_calls", "refused", "no tools are called", CHAT, (None, False)),
    Field("functions", "refused", "no functions are called", CHAT, (None, [])),
    Field("function_call", "refused", "no functions are called", CHAT, (None, "none")),
    Field("modalities", "refused", "text only", CHAT, (None, ["text"])),
    Field("audio", "refused", "text only", CHAT),
    Field("prediction", "refused", "use `prompt_lookup_num_tokens`", CHAT),
    Field("reasoning_effort", "refused", "the chat template decides how a model thinks", CHAT),
    Field("verbosity", "refused", "say it in the prompt", CHAT),
    Field("web_search_options", "refused", "nothing is searched", CHAT),
    Field("moderation", "refused", "nothing is moderated", CHAT),
    Field("path", "acts", "`exact` or `fast`; without it, the server's `--path` where the model has it", ours=True),
    Field(
        "continue_final_message",
        "acts",
        "true lets the answer continue a last message of the assistant",
        CHAT,
        ours=True,
    ),
    Field("special_tokens", "acts", "true lets control tokens in the prompt act", ours=True),
    Field(
        "return_tokens_as_token_ids",
        "acts",
        "true writes tokens of `logprobs` as `token_id:17`, so that none is lost to another with equal text",
        ours=True,
    ),
    Field(
        "playground",
        "acts",
        "`{trace, keep, scores}`: what each stage did to each token, a run to look into, and the log-probabilities of "
        "all tokens as float32",
        ours=True,
    ),
    Field("every parameter", "acts", "by its name in [parameters.md](parameters.md)", ours=True),
)


def known(endpoint: Endpoint) -> dict[str, Field]:
    """The fields of an endpoint by name, without the parameters of the registry."""
    return {one.name: one for one in FIELDS if endpoint in one.endpoints}


def names(endpoint: Endpoint) -> frozenset[str]:
    """Every name that a body may have."""
    return frozenset(known(endpoint)) - {"every parameter"} | frozenset(parameters.by_name())


def table() -> str:
    """The table of docs/api.md."""
    words = {"acts": "acts", "taken": "taken", "refused": "**refused**"}
    where = {BOTH: "both", CHAT: "chat", COMPLETIONS: "completions"}
    lines = ["| field | endpoint | state | what it does, or why not |", "|---|---|---|---|"]
    for one in FIELDS:
        name = one.name if one.name == "every parameter" else f"`{one.name}`"
        lines.append(
            f"| {name}{' (ours)' if one.ours else ''} | {where[one.endpoints]} | {words[one.state]} | {one.words} |"
        )
    return "\n".join(lines)
